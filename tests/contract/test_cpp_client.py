"""The wire as AirLib's C++ client speaks and reads it (RpcLibAdaptorsBase.hpp; rpclib 2.3 with its msgpack-c 2).

It sends floats as float32, whole maps or parts of them, and enumerations as integers; it reads integers only from
integers, bools only from bools, floats from both kinds of number, and leaves alone what a map does not have.
"""

import socket
import struct

import msgpack
import pytest
from test_server_wire import RawClient

from airsim_seg.builtin.sensor_settings import SETTINGS
from airsim_seg.builtin.sensors.parameters import SensorType
from airsim_seg.builtin.settings import Settings, VehicleSettings

VECTOR = {"x_val": float, "y_val": float, "z_val": float}
QUATERNION = {**VECTOR, "w_val": float}
POSE = {"position": VECTOR, "orientation": QUATERNION}
GEO = {"latitude": float, "longitude": float, "altitude": float}
KINEMATICS = {
    **POSE, "linear_velocity": VECTOR, "angular_velocity": VECTOR, "linear_acceleration": VECTOR,
    "angular_acceleration": VECTOR,
}  # fmt: skip
COLLISION = {
    "has_collided": bool, "penetration_depth": float, "time_stamp": int, "normal": VECTOR, "impact_point": VECTOR,
    "position": VECTOR, "object_name": str, "object_id": int,
}  # fmt: skip
REMOTE = {
    "timestamp": int, "pitch": float, "roll": float, "throttle": float, "yaw": float, "left_z": float,
    "right_z": float, "switches": int, "vendor_id": str, "is_initialized": bool, "is_valid": bool,
}  # fmt: skip
IMAGE = {
    "image_data_uint8": bytes, "image_data_float": [float], "camera_position": VECTOR, "camera_name": str,
    "camera_orientation": QUATERNION, "time_stamp": int, "message": str, "pixels_as_float": bool, "compress": bool,
    "width": int, "height": int, "image_type": int,
}  # fmt: skip
ROTOR = {"thrust": float, "torque_scaler": float, "speed": float}
REPLIES = {
    "getServerVersion": ([], int),
    "listVehicles": ([], [str]),
    "simIsPaused": ([], bool),
    "simGetVehiclePose": ([""], POSE),
    "simGetGroundTruthKinematics": ([""], KINEMATICS),
    "simGetCollisionInfo": ([""], COLLISION),
    "simGetGroundTruthEnvironment": (
        [""],
        {"position": VECTOR, "geo_point": GEO, "gravity": VECTOR, "air_pressure": float, "temperature": float,
         "air_density": float},
    ),
    "getHomeGeoPoint": ([""], GEO),
    "simGetCameraInfo": (["0", "", False], {"pose": POSE, "fov": float, "proj_mat": {"matrix": [[float]]}}),
    "simGetImages": ([[{"camera_name": "0", "image_type": 0}, {"image_type": 2, "pixels_as_float": True}], "", False],
                     [IMAGE]),
    "simGetImage": (["0", 0, "", False], bytes),
    "simGetObjectPose": (["Ground"], POSE),
    "simGetObjectScale": (["Ground"], VECTOR),
    "simListSceneObjects": ([".*"], [str]),
    "simGetWorldExtents": ([], [GEO]),
    "simGetSegmentationObjectID": (["Ground"], int),
}  # fmt: skip
OF_A_DRONE = {
    "getMultirotorState": (
        [""],
        {"collision": COLLISION, "kinematics_estimated": KINEMATICS, "gps_location": GEO, "timestamp": int,
         "landed_state": int, "rc_data": REMOTE},
    ),
    "getRotorStates": ([""], {"rotors": [ROTOR], "timestamp": int}),
    "getImuData": (
        ["", ""],
        {"time_stamp": int, "orientation": QUATERNION, "angular_velocity": VECTOR, "linear_acceleration": VECTOR},
    ),
    "getBarometerData": (["", ""], {"time_stamp": int, "altitude": float, "pressure": float, "qnh": float}),
    "getMagnetometerData": (
        ["", ""], {"time_stamp": int, "magnetic_field_body": VECTOR, "magnetic_field_covariance": [float]}
    ),
    "getGpsData": (
        ["", ""],
        {"time_stamp": int, "is_valid": bool,
         "gnss": {"geo_point": GEO, "eph": float, "epv": float, "velocity": VECTOR, "fix_type": int, "time_utc": int}},
    ),
    "getDistanceSensorData": (
        ["", ""],
        {"time_stamp": int, "distance": float, "min_distance": float, "max_distance": float, "relative_pose": POSE},
    ),
    "getLidarData": (["", ""], {"time_stamp": int, "point_cloud": [float], "pose": POSE, "segmentation": [int]}),
    "isApiControlEnabled": ([""], bool),
    "armDisarm": ([True, ""], bool),
}  # fmt: skip
OF_A_CAR = {
    "getCarState": (
        [""],
        {"speed": float, "gear": int, "rpm": float, "maxrpm": float, "handbrake": bool,
         "kinematics_estimated": KINEMATICS, "timestamp": int},
    ),
    "getCarControls": (
        [""],
        {"throttle": float, "steering": float, "brake": float, "handbrake": bool, "is_manual_gear": bool,
         "manual_gear": int, "gear_immediate": bool},
    ),
}  # fmt: skip


def misread(value, kind, where="") -> list[str]:
    """What msgpack-c cannot convert to the types of a C++ struct, and keys that it would never get."""
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            return [f"{where} is no map"]
        missing = [f"{where}.{key} is missing" for key in kind if key not in value]
        return missing + [
            wrong for key in kind if key in value for wrong in misread(value[key], kind[key], f"{where}.{key}")
        ]
    if isinstance(kind, list):
        if not isinstance(value, list):
            return [f"{where} is no array"]
        return [wrong for k, item in enumerate(value) for wrong in misread(item, kind[0], f"{where}[{k}]")]
    if kind is float:
        right = isinstance(value, int | float) and not isinstance(value, bool)
    elif kind is int:
        right = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**64
    else:
        right = isinstance(value, kind)
    return [] if right else [f"{where} is {value!r:.40}, not {kind.__name__}"]


@pytest.fixture
def raw(serve):
    sensors = {kind.name: SETTINGS[kind]() for kind in SensorType}

    def connected(mode, **options):
        own = VehicleSettings(sensors=sensors) if mode == "Multirotor" else VehicleSettings()
        client = CppClient(serve(Settings(mode, {"Own": own}), **options).port)
        clients.append(client)
        return client

    clients: list[CppClient] = []
    yield connected
    for client in clients:
        client.socket.close()


class CppClient(RawClient):
    """Packs as msgpack-c does: a C++ float is a float32, strings are str with a length in 8, 16 or 32 bits."""

    def send(self, *messages):
        self.socket.sendall(b"".join(msgpack.packb(message, use_single_float=True) for message in messages))


@pytest.mark.parametrize(("mode", "own"), [("Multirotor", OF_A_DRONE), ("Car", OF_A_CAR), ("ComputerVision", {})])
def test_every_reply_fits_the_structs_that_read_it(raw, mode, own):
    client = raw(mode)
    client.call("simContinueForTime", 0.3)
    for name, (args, kind) in {**REPLIES, **own}.items():
        _, _, error, result = client.call(name, *args)
        assert error is None, name
        assert misread(result, kind) == [], name


def test_what_a_struct_cannot_read_is_found():
    assert misread({"speed": 1, "gear": 1.0}, {"speed": float, "gear": int, "rpm": float}) == [
        ".rpm is missing",
        ".gear is 1.0, not int",
    ]
    assert misread([True], [float]) == ["[0] is True, not float"]


def test_numbers_may_be_whole_or_single_and_come_out_as_they_were_rounded(raw):
    client = raw("ComputerVision")
    pose = {"position": {"x_val": 3, "y_val": -0.1}, "orientation": {"w_val": 1}}
    assert client.call("simSetVehiclePose", pose, True, "")[2] is None
    position = client.call("simGetVehiclePose", "")[3]["position"]
    assert position == {"x_val": 3.0, "y_val": struct.unpack("f", struct.pack("f", -0.1))[0], "z_val": 0.0}
    far = {"position": {"z_val": 2**40}}
    assert "is not a number that can be flown" in client.call("simSetVehiclePose", far, True, "")[2]


def test_maps_may_lack_keys_which_keep_their_defaults_and_have_others_which_are_ignored(raw):
    client = raw("Car")
    assert client.call("enableApiControl", True, "")[2] is None
    assert client.call("setCarControls", {"throttle": 0.5, "steering": 1, "horn": {"loud": True}}, "")[2] is None
    assert client.call("getCarControls", "")[3] == {
        "throttle": 0.5, "steering": 1.0, "brake": 0.0, "handbrake": False, "is_manual_gear": False, "manual_gear": 0,
        "gear_immediate": True,
    }  # fmt: skip
    assert client.call("setCarControls", {}, "")[2] is None
    assert client.call("getCarControls", "")[3]["throttle"] == 0.0
    [image] = client.call("simGetImages", [{}], "", False)[3]
    assert (image["camera_name"], image["image_type"], image["compress"]) == ("", 0, True)


@pytest.mark.parametrize(
    ("controls", "fits"),
    [
        ({"manual_gear": 2}, True),
        ({"manual_gear": 2.0}, False),
        ({"manual_gear": True}, False),
        ({"handbrake": 1}, False),
        ({"throttle": "1"}, False),
        ({"throttle": None}, False),
    ],
)
def test_integers_and_bools_are_what_they_are(raw, controls, fits):
    client = raw("Car")
    client.call("enableApiControl", True, "")
    error = client.call("setCarControls", controls, "")[2]
    assert (error is None) == fits
    if not fits:
        assert error.endswith("std::bad_cast.")


def test_a_path_with_a_drivetrain_and_a_yaw_mode_as_c_plus_plus_sends_it(raw):
    client = raw("Multirotor")
    assert client.call("enableApiControl", True, "")[2] is None
    assert client.call("armDisarm", True, "")[3] is True
    points = [{"x_val": 2.0, "y_val": 0.0, "z_val": -2.0}, {"x_val": 4.0, "y_val": 0.5, "z_val": -2.0}]
    # (path, velocity, timeout_sec, drivetrain, yaw_mode, lookahead, adaptive_lookahead, vehicle_name)
    flight = [points, 2.0, 3.4028234663852886e38, 1, {"is_rate": False, "yaw_or_rate": 0.0}, -1.0, 1.0, ""]
    client.send([0, 70, "moveOnPath", flight], [0, 71, "simContinueForTime", [8.0]], [0, 72, "simIsPaused", []])
    replies = {reply[1]: reply for reply in (client.receive() for _ in range(3))}
    assert list(replies)[-1] != 72, "a question is answered while the flight goes on"
    assert replies[70] == [1, 70, None, True]
    place = client.call("simGetVehiclePose", "")[3]["position"]
    assert place["x_val"] > 3


def test_bytes_may_name_things_and_text_may_be_long(raw):
    client = raw("ComputerVision")
    request = [0, 5, "simListSceneObjects", [b"Tree_1"]]
    client.socket.sendall(msgpack.packb(request, use_bin_type=True))
    assert client.receive()[3] == ["Tree_1"]
    for length in (40, 300, 70_000):  # str8, str16, str32
        assert client.call("simGetSegmentationObjectID", "x" * length)[3] == -1


def test_ids_are_given_back_as_they_came_and_notifications_have_none(raw):
    client = raw("ComputerVision")
    sent = [2**32 - 1, 0, 7, 7]
    client.send(*([0, msgid, "ping", []] for msgid in sent), [2, "simPause", [False]], [2, "noSuchThing", []])
    assert sorted(client.receive()[1] for _ in sent) == sorted(sent)
    assert client.call("simIsPaused", msgid=9) == [1, 9, None, False]
    client.socket.settimeout(0.05)
    with pytest.raises(socket.timeout):
        client.socket.recv(1)
