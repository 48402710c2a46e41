"""MessagePack-RPC itself: halves, bursts, rubbish, several clients, and AirSim's words for what goes wrong."""

import contextlib
import socket
import threading

import airsim
import msgpack
import pytest

from airsim_seg.builtin import wire
from airsim_seg.builtin.sensor_settings import SETTINGS
from airsim_seg.builtin.settings import Settings, VehicleSettings

DEADLINE_S = 20.0


class RawClient:
    """A socket that speaks msgpack and nothing else."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), DEADLINE_S)
        self._unpacker = msgpack.Unpacker(max_buffer_size=2**27)

    def send(self, *messages):
        self.socket.sendall(b"".join(msgpack.packb(message) for message in messages))

    def receive(self):
        for message in self._unpacker:
            return message
        while data := self.socket.recv(2**16):
            self._unpacker.feed(data)
            for message in self._unpacker:
                return message
        return None

    def call(self, method, *args, msgid=7):
        self.send([0, msgid, method, list(args)])
        return self.receive()

    def is_closed_by_peer(self):
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def running(serve):
    return serve("Multirotor")


@pytest.fixture
def raw(running):
    with RawClient(running.port) as client:
        yield client


def test_the_official_handshake(running, capsys):
    running.client().confirmConnection()
    assert capsys.readouterr().out.splitlines()[:2] == [
        "Connected!",
        "Client Ver:1 (Min Req: 1), Server Ver:1 (Min Req: 1)",
    ]


def test_a_reply_is_four_elements_and_void_is_nil(raw):
    assert raw.call("ping") == [1, 7, None, True]
    assert raw.call("simPause", True, msgid=2**32 - 1) == [1, 2**32 - 1, None, None]


def test_messages_may_come_in_halves_and_in_bursts(raw):
    burst = b"".join(msgpack.packb([0, msgid, "ping", []]) for msgid in range(50))
    for start in range(0, len(burst), 7):
        raw.socket.sendall(burst[start : start + 7])
    assert sorted(raw.receive()[1] for _ in range(50)) == list(range(50))


def test_the_old_client_packs_text_without_bin_and_that_works_too(raw):
    request = [0, 1, "simListSceneObjects", ["Tree_.*"]]
    raw.socket.sendall(msgpack.packb(request, use_bin_type=False))
    assert raw.receive() == [1, 1, None, ["Tree_1", "Tree_2"]]
    assert raw.call("simListSceneObjects", b"Tree_.*")[3] == ["Tree_1", "Tree_2"]


def test_a_notification_runs_and_is_not_answered(raw):
    raw.call("simPause", False)
    raw.send([2, "simPause", [True]])
    assert raw.call("simIsPaused", msgid=9) == [1, 9, None, True]


@pytest.mark.parametrize(
    ("name", "args", "text"),
    [
        ("simFly", [1, 2], "rpclib: server could not find function 'simFly' with argument count 2."),
        (
            "ping",
            [1],
            "rpclib: client error C0002: Function 'ping' was called with an invalid number of arguments. "
            "Expected: 0, got: 1",
        ),
        (
            "simGetImages",
            [[], ""],
            "rpclib: client error C0002: Function 'simGetImages' was called with an invalid number of arguments. "
            "Expected: 3, got: 2",
        ),
        (
            "simPause",
            [1],
            "rpclib: function 'simPause' (called with 1 arg(s)) threw an exception. "
            "The exception contained this information: std::bad_cast.",
        ),
        (
            "enableApiControl",
            [True, "Ghost"],
            "rpclib: function 'enableApiControl' (called with 2 arg(s)) threw an exception. The exception contained "
            "this information: Vehicle API for 'Ghost' is not available. This could either because this is "
            "simulation-only API or this vehicle does not exist.",
        ),
        (
            "simGetVehiclePose",
            ["Ghost"],
            "rpclib: function 'simGetVehiclePose' (called with 1 arg(s)) threw an exception. The exception contained "
            "this information: Vehicle Sim-API for 'Ghost' is not available. This could either because this is "
            "simulation-only API or this vehicle does not exist.",
        ),
    ],
)
def test_errors_are_airsims_word_for_word(raw, name, args, text):
    assert raw.call(name, *args) == [1, 7, text, None]


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("simContinueForFrames", [1.0]),
        ("simListSceneObjects", [5]),
        ("simSetVehiclePose", ["here", True, ""]),
        ("simSetVehiclePose", [{"position": 3}, True, ""]),
        ("simSetVehiclePose", [{"position": {"x_val": "north"}}, True, ""]),
        ("simGetImages", [{"camera_name": "0"}, "", False]),
        ("moveOnPath", [5, 1, 1, 0, {}, -1, 1, ""]),
        ("moveToPosition", [0, 0, 0, 1, 1, 2, {}, -1, 1, ""]),
    ],
)
def test_wrong_types_are_bad_casts(raw, name, args):
    assert raw.call(name, *args)[2].endswith("this information: std::bad_cast.")


def test_nan_poses_are_refused_and_change_nothing(raw):
    before = raw.call("simGetVehiclePose", "")
    nan = {"position": {"x_val": float("nan"), "y_val": 0.0, "z_val": 0.0}}
    assert "nan" in raw.call("simSetVehiclePose", nan, True, "")[2]
    assert raw.call("simGetVehiclePose", "") == before


@pytest.mark.parametrize(
    "rubbish",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\xc1",  # the one byte that is no msgpack
        msgpack.packb("hello"),
        msgpack.packb([0, 1, "ping"]),
        msgpack.packb([1, 1, None, True]),
        msgpack.packb([3, 1, "ping", []]),
        msgpack.packb([0, -1, "ping", []]),
        msgpack.packb([0, 1, 5, []]),
        msgpack.packb([0, 1, "ping", {}]),
        msgpack.packb({1: {2: 3}}),
        b"\x94\x00\x01\xa4ping\xdd\xff\xff\xff\xff",  # four thousand million arguments
        b"\x91" * 5000,  # nested too deep
    ],
)
def test_rubbish_closes_its_own_connection_only(running, raw, rubbish):
    assert raw.call("ping")[3] is True
    with RawClient(running.port) as hostile:
        hostile.socket.sendall(rubbish)
        assert hostile.is_closed_by_peer()
    assert raw.call("ping")[3] is True


@pytest.mark.parametrize(
    "head",
    [
        b"\x94\x00\x01\xa4ping\xc6\xff\xff\xff\xff",  # one string of 4 GB
        b"\x94\x00\x01\xa4ping\xdc\xff\xff" + b"\xda\xff\xff" + b"x" * 65_535,  # an array of long strings
    ],
)
def test_a_message_above_the_cap_closes_its_connection(running, raw, head):
    element = b"\xda\xff\xff" + b"x" * 65_535
    with RawClient(running.port) as hostile:
        with contextlib.suppress(ConnectionError):
            hostile.socket.sendall(head + element * (wire.MAX_MESSAGE_BYTES // len(element) + 10))
        assert hostile.is_closed_by_peer()
    assert raw.call("ping")[3] is True


def test_clients_that_vanish_mid_call_leave_the_server_well(running, raw):
    running.renderer.open.clear()
    with RawClient(running.port) as leaver:
        leaver.send([0, 1, "simGetImages", [[{"camera_name": "0", "image_type": 0}], "", False]], [0, 2])
    running.renderer.open.set()
    assert raw.call("ping")[3] is True
    assert raw.call("simGetImages", [{"camera_name": "0", "image_type": 5, "compress": False}], "", False)[2] is None


def test_a_picture_being_drawn_blocks_no_other_call_not_even_of_its_own_connection(running):
    running.renderer.open.clear()
    with RawClient(running.port) as client, RawClient(running.port) as other:
        client.send([0, 1, "simGetImage", ["0", 0, "", False]])
        assert running.renderer.started.wait(DEADLINE_S)
        assert client.call("ping", msgid=2) == [1, 2, None, True]
        assert other.call("simSetSegmentationObjectID", "Ground", 9, False)[3] is True
        running.renderer.open.set()
        assert client.receive()[1] == 1


def test_two_clients_work_at_once(running):
    counted = [0, 0]

    def work(index):
        with RawClient(running.port) as client:
            for msgid in range(200):
                assert client.call("ping", msgid=msgid) == [1, msgid, None, True]
                counted[index] += 1

    threads = [threading.Thread(target=work, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert counted == [200, 200]


def test_pictures_travel_as_bin_and_everything_else_as_text(raw):
    [response] = raw.call("simGetImages", [{"camera_name": "0", "compress": False}], "", False)[3]
    assert type(response["image_data_uint8"]) is bytes
    assert type(response["camera_name"]) is str
    assert list(response) == [
        "image_data_uint8",
        "image_data_float",
        "camera_position",
        "camera_name",
        "camera_orientation",
        "time_stamp",
        "message",
        "pixels_as_float",
        "compress",
        "width",
        "height",
        "image_type",
    ]


@pytest.mark.parametrize(
    ("mode", "known", "unknown"),
    [
        ("Multirotor", "takeoff", "setCarControls"),
        ("Car", "setCarControls", "takeoff"),
        ("ComputerVision", "simPause", "getCarState"),
    ],
)
def test_each_mode_binds_its_own_methods(serve, mode, known, unknown):
    with RawClient(serve(mode).port) as client:
        assert "C0002" in client.call(known)[2]
        assert "could not find function" in client.call(unknown)[2]


def test_every_method_takes_what_the_official_client_sends(serve, tmp_path):
    """The client's own calls, each made once with plausible values: none may meet a count or type error."""
    pose, vector = airsim.Pose(), airsim.Vector3r()
    by_attitude = (
        "moveByRollPitchYawZAsync", "moveByRollPitchYawThrottleAsync", "moveByRollPitchYawrateZAsync",
        "moveByRollPitchYawrateThrottleAsync", "moveByAngleRatesZAsync", "moveByAngleRatesThrottleAsync",
        "moveByMotorPWMsAsync",
    )  # fmt: skip
    motion = airsim.KinematicsState()
    motion.position = motion.linear_velocity = vector
    arguments = {
        "simGetImages": ([airsim.ImageRequest("0", 0)],),
        "simGetImage": ("0", 0),
        "simGetCameraInfo": ("0",),
        "simSetCameraPose": ("0", pose),
        "simSetCameraFov": ("0", 90),
        "simSetVehiclePose": (pose, True),
        "simSetSegmentationObjectID": ("Ground", 3),
        "simGetSegmentationObjectID": ("Ground",),
        "simGetObjectPose": ("Ground",),
        "simSetObjectPose": ("Ground", pose),
        "simGetObjectScale": ("Ground",),
        "simSetObjectScale": ("Ground", vector),
        "simSpawnObject": ("Ghost", "Tree", pose, vector),
        "simDestroyObject": ("Ghost",),
        "simCreateVoxelGrid": (vector, 4, 4, 4, 1.0, str(tmp_path / "grid.binvox")),
        "simAddDetectionFilterMeshName": ("0", 0, "Tree*"),
        "simSetDetectionFilterRadius": ("0", 0, 1000),
        "simClearDetectionMeshNames": ("0", 0),
        "simGetDetections": ("0", 0),
        "simTestLineOfSightToPoint": (airsim.GeoPoint(),),
        "simTestLineOfSightBetweenPoints": (airsim.GeoPoint(), airsim.GeoPoint()),
        "simEnableWeather": (True,),
        "simSetWeatherParameter": (airsim.WeatherParameter.Fog, 0.5),
        "simSetTimeOfDay": (True,),
        "simSetLightIntensity": ("Sun", 5),
        "simPlotPoints": ([vector],),
        "simPlotLineStrip": ([vector],),
        "simPlotLineList": ([vector, vector],),
        "simPlotArrows": ([vector], [vector]),
        "simPlotStrings": (["here"], [vector]),
        "simPlotTransforms": ([pose],),
        "simPlotTransformsWithNames": ([pose], ["here"]),
        "simSetTraceLine": ([1.0, 0.0, 0.0, 1.0],),
        "simPrintLogMessage": ("hello",),
        "simRunConsoleCommand": ("stat fps",),
        "simLoadLevel": ("Blocks",),
        "simSwapTextures": ("wall",),
        "simSetObjectMaterial": ("Ground", "Gold"),
        "simSetObjectMaterialFromTexture": ("Ground", "gold.png"),
        "simSetPresetLensSettings": ("Universal Zoom", "0"),
        "simSetPresetFilmbackSettings": ("16:9 DSLR", "0"),
        "simSetFilmbackSettings": (36.0, 24.0, "0"),
        "simSetFocalLength": (20.0, "0"),
        "simEnableManualFocus": (True, "0"),
        "simSetFocusDistance": (500.0, "0"),
        "simSetFocusAperture": (4.0, "0"),
        "simEnableFocusPlane": (True, "0"),
        "simSetDistortionParam": ("0", "K1", 0.1),
        "simPause": (True,),
        "simContinueForTime": (0.001,),
        "simContinueForFrames": (1,),
        "enableApiControl": (True,),
        "armDisarm": (True,),
        "setCarControls": (airsim.CarControls(),),
        "goHomeAsync": (1e-3,),
        "takeoffAsync": (1e-3,),
        "landAsync": (1e-3,),
        "moveToPositionAsync": (0, 0, 0, 1, 1e-3),
        "moveOnPathAsync": ([vector], 1, 1e-3),
        "moveToZAsync": (-1, 1, 1e-3),
        "moveByVelocityAsync": (1, 0, 0, 0),
        "moveByVelocityZAsync": (1, 0, -1, 0),
        "moveByVelocityBodyFrameAsync": (1, 0, 0, 0),
        "moveByVelocityZBodyFrameAsync": (1, 0, -1, 0),
        "rotateToYawAsync": (0, 1e-3),
        "rotateByYawRateAsync": (1, 0),
        "moveToGPSAsync": (47.6, -122.1, 125, 1, 1e-3),
        "moveByManualAsync": (1, 1, -1, 0),
        **dict.fromkeys(by_attitude, (0, 0, 0, 0.6, 0)),
        "simSetKinematics": (motion, True),
        "simAddVehicle": ("Later", "SimpleFlight", pose),
        "simSetWind": (vector,),
    }
    renamed = {"simIsPaused": "simIsPause"}
    lens_readers = (
        "simGetPresetLensSettings", "simGetLensSettings", "simGetPresetFilmbackSettings", "simGetFilmbackSettings",
        "simGetFocalLength", "simGetFocusDistance", "simGetFocusAperture", "simGetCurrentFieldOfView",
        "simGetDistortionParams",
    )  # fmt: skip
    arguments |= dict.fromkeys(lens_readers, ("0",))
    no_vehicle_api = ("armDisarm", "enableApiControl", "isApiControlEnabled", "cancelLastTask")
    # No Python method sends the first, and the second is refused where nothing flies.
    unsent = {"Multirotor": ("setSafety",), "Car": ("simSetWind",), "ComputerVision": ("simSetWind", *no_vehicle_api)}
    kinds = {"Multirotor": airsim.MultirotorClient, "Car": airsim.CarClient, "ComputerVision": airsim.VehicleClient}
    sensors = {own.__name__: own() for own in SETTINGS.values()}
    for mode, kind in kinds.items():
        running = serve(Settings(mode, {"V": VehicleSettings(sensors=sensors)}))
        client = running.client(kind)
        for name in sorted(running.method_names - set(unsent[mode])):
            own = renamed.get(name, name)
            own = own if hasattr(client, own) else f"{own}Async"
            result = getattr(client, own)(*arguments.get(own, ()))
            if own.endswith("Async"):
                client.simContinueForTime(0.01)
                client.cancelLastTask()
                result.join()
                assert result.error is None, (own, result.error)
