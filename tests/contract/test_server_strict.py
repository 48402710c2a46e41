"""AirSim's awkward sides (`sim --strict`), each seen through the unmodified airsim client."""

import json
import re
import struct
from dataclasses import fields, replace
from pathlib import Path

import airsim
import cv2
import numpy as np
import pytest
from served_world import tiny_scene

from airsim_seg.builtin.answers import with_single_floats
from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
from airsim_seg.builtin.settings import CaptureSettings, default_settings, read_settings
from airsim_seg.builtin.strict_world import StrictWorld
from airsim_seg.builtin.strictness import LENIENT, STRICT, Strictness, small_pictures
from airsim_seg.builtin.wire import Encoded
from airsim_seg.errors import SimulatorLost
from airsim_seg.simulators.rpc import WatchedSession

DOCS = Path(__file__).parents[2] / "docs" / "rpc.md"
SCENE = airsim.ImageRequest("0", airsim.ImageType.Scene, False, False)
IDS = airsim.ImageRequest("0", airsim.ImageType.Segmentation, False, False)
MS = 1_000_000


def only(*flags):
    """One side of AirSim's at a time."""
    return Strictness(**dict.fromkeys(flags, True))


def pose_at(north_m, east_m=0.0, down_m=-5.0):
    return airsim.Pose(airsim.Vector3r(north_m, east_m, down_m))


def seen_at(client):
    """Where the pictures say that the camera is."""
    [picture] = client.simGetImages([IDS])
    return picture.camera_position.x_val


def test_every_flag_is_in_the_page_and_on_in_strict_mode():
    section = DOCS.read_text(encoding="utf-8").split("\n## Strict mode\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (drone|car|camera|car, camera|all) \| ([^|]+) \| ([^|]+) \|$", section, re.M)
    names = [flag.name for flag in fields(Strictness)]
    assert [name for name, *_ in rows] == names
    assert all(getattr(STRICT, name) and not getattr(LENIENT, name) for name in names)


def test_getter_finds_lower_case_alone(serve):
    client = serve(strictness=only("lower_case_getter")).client()
    assert client.simGetSegmentationObjectID("Ground") == -1
    assert client.simGetSegmentationObjectID("ground") == 148
    assert client.simSetSegmentationObjectID("Ground", 7)
    assert client.simGetSegmentationObjectID("ground") == 7


def test_drone_steps_whole_3_ms(serve):
    client = serve("Multirotor", strictness=only("three_ms_steps")).client(airsim.MultirotorClient)
    stamps = [client.getMultirotorState().timestamp]
    for seconds in (0.04, 0.04, 0.04, 0.039, 0.001, 0.3):
        client.simContinueForTime(seconds)
        assert client.simIsPause()
        stamps.append(client.getMultirotorState().timestamp)
    assert [step // MS for step in np.diff(stamps).tolist()] == [42, 39, 42, 39, 3, 300]


def test_drone_that_follows_the_wall_loses_nothing_to_its_steps():
    world = StrictWorld(tiny_scene(), default_settings("Multirotor"), strictness=only("three_ms_steps"))
    for _ in range(10):
        world.advance(7 * MS)
        assert (world.now_ns - DEFAULT_EPOCH_NS) % (3 * MS) == 0
    assert world.now_ns == DEFAULT_EPOCH_NS + 69 * MS


def test_car_goes_on_after_the_call_and_stops_by_itself(serve):
    client = serve("Car", strictness=only("car_returns_at_once")).client(airsim.CarClient)
    before = client.getCarState().timestamp
    client.simContinueForTime(0.25)
    assert not client.simIsPause()
    while not client.simIsPause():
        pass
    assert 250 * MS <= client.getCarState().timestamp - before < 1000 * MS
    client.simContinueForFrames(100)
    assert not client.simIsPause()
    client.simPause(True)
    stopped = client.getCarState().timestamp
    assert [client.getCarState().timestamp for _ in range(20)] == [stopped] * 20, "a pause ends it for good"


@pytest.mark.parametrize("mode", ["Car", "ComputerVision"])
def test_wall_clock_runs_on_in_pause_and_is_read_for_each_picture(serve, mode):
    running = serve(mode, strictness=only("wall_clock"))
    client = running.client(airsim.CarClient)
    one, other = client.simGetImages([SCENE, IDS])
    assert DEFAULT_EPOCH_NS < one.time_stamp < other.time_stamp
    assert client.simGetImages([SCENE])[0].time_stamp > other.time_stamp
    assert client.simIsPause()
    assert running.world.now_ns == DEFAULT_EPOCH_NS, "but nothing in the world moves"
    if mode == "Car":
        assert client.getCarState().timestamp < client.getCarState().timestamp
        assert client.simGetCollisionInfo().time_stamp == 0, "what never happened has no time"


def test_wall_clock_goes_by_clock_speed():
    wall_ns = iter((5 * MS, 25 * MS))
    settings = read_settings('{"SettingsVersion": 1.2, "SimMode": "Car", "ClockSpeed": 0.5}', "here")
    world = StrictWorld(tiny_scene(), settings, wall_ns=lambda: next(wall_ns))
    assert world.stamp_ns() == DEFAULT_EPOCH_NS + 10 * MS


def test_settings_can_give_a_car_a_clock_that_stands(serve):
    settings = replace(default_settings("Car"), text='{"ClockType": "SteppableClock"}')
    client = serve(settings, strictness=only("wall_clock")).client(airsim.CarClient)
    assert client.getCarState().timestamp == client.getCarState().timestamp == DEFAULT_EPOCH_NS


def test_drone_clock_stands_in_pause(serve):
    client = serve("Multirotor", strictness=STRICT).client(airsim.MultirotorClient)
    assert client.getMultirotorState().timestamp == client.getMultirotorState().timestamp == DEFAULT_EPOCH_NS


def test_camera_cannot_step(serve):
    client = serve("ComputerVision", strictness=only("camera_cannot_step")).client()
    with pytest.raises(Exception, match="continueForTime is not implemented by SimMode"):
        client.simContinueForTime(0.04)
    with pytest.raises(Exception, match="continueForFrames is not implemented by SimMode"):
        client.simContinueForFrames(1)
    assert client.simIsPause()


@pytest.mark.parametrize("mode", ["Car", "ComputerVision"])
def test_first_pictures_after_a_teleport_are_stale(serve, mode):
    running = serve(mode, strictness=only("stale_picture"))
    client = running.client()
    first = seen_at(client)
    client.simSetVehiclePose(pose_at(20.0), True)
    client.simSetVehiclePose(pose_at(30.0), True)
    assert client.simGetVehiclePose().position.x_val == 30.0
    assert seen_at(client) == first
    stale = running.renderer.views[-1].pose.position_m[0]
    assert seen_at(client) == pytest.approx(first + 30.0)
    assert running.renderer.views[-1].pose.position_m[0] == pytest.approx(stale + 30.0), "the picture, not its caption"
    assert seen_at(client) == pytest.approx(first + 30.0)


def test_simgetimage_is_stale_too(serve):
    running = serve("ComputerVision", strictness=only("stale_picture"))
    client = running.client()
    client.simSetVehiclePose(pose_at(30.0), True)
    pictures = [client.simGetImage("0", airsim.ImageType.Scene) for _ in range(2)]
    norths = [round(float(view.pose.position_m[0])) for view in running.renderer.views]
    assert norths == [100, 130]
    assert pictures[0] != pictures[1]


def test_drone_is_seen_where_it_was_put_only_after_a_step(serve):
    client = serve("Multirotor", strictness=only("drone_waits_for_step")).client(airsim.MultirotorClient)
    first = seen_at(client)
    client.simSetVehiclePose(pose_at(30.0), True)
    assert [seen_at(client) for _ in range(6)] == [first] * 6
    client.simContinueForTime(0.003)
    assert seen_at(client) == pytest.approx(first + 30.0, abs=0.01)
    client.simSetVehiclePose(pose_at(60.0), True)
    assert seen_at(client) == pytest.approx(first + 30.0, abs=0.01)


@pytest.mark.parametrize("compress", [False, True])
def test_first_scene_picture_is_black(serve, compress):
    client = serve(strictness=only("dark_first_picture")).client()

    def brightest(camera):
        request = airsim.ImageRequest(camera, airsim.ImageType.Scene, False, compress)
        [picture, ids] = client.simGetImages([request, IDS])
        assert np.frombuffer(ids.image_data_uint8, np.uint8).any(), "ids are right from the start"
        data = np.frombuffer(picture.image_data_uint8, np.uint8)
        return (cv2.imdecode(data, cv2.IMREAD_COLOR) if compress else data).max()

    assert brightest("0") == 0
    assert brightest("front_center") > 0, "the same camera"
    assert brightest("bottom_center") == 0


def test_pictures_are_small_where_settings_say_nothing(serve):
    listed = replace(default_settings("ComputerVision"), captures={0: CaptureSettings((48, 64))})
    client = serve(small_pictures(listed)).client()
    scene, ids = client.simGetImages([SCENE, IDS])
    assert (scene.width, scene.height) == (64, 48)
    assert (ids.width, ids.height) == (256, 144)


def test_numbers_are_float32_but_for_places_on_the_earth(serve):
    running = serve("Multirotor", strictness=only("single_floats"))
    client = running.client(airsim.MultirotorClient)
    client.simSetVehiclePose(pose_at(0.1), True)
    assert client.simGetVehiclePose().position.x_val == float(np.float32(0.1)) != 0.1
    home = client.getHomeGeoPoint()
    assert home.latitude != float(np.float32(home.latitude))
    assert home.altitude == float(np.float32(home.altitude))
    info = client.simGetCameraInfo("0")
    assert info.proj_mat.matrix[3][0] == -1.0
    assert not client.simGetObjectPose("Orangeball").containsNan()
    assert client.simGetObjectPose("Ghost").containsNan()


@pytest.mark.parametrize("value", [0.1, -3e38, float("inf"), float("-inf"), 1e300])
def test_single_floats_are_those_of_ieee(value):
    packed = with_single_floats(value)
    assert isinstance(packed, Encoded)
    with np.errstate(over="ignore"):
        wanted = float(np.float32(value))
    assert packed.buffers[0][:1] == b"\xca"
    assert struct.unpack(">f", packed.buffers[0][1:])[0] == wanted


@pytest.mark.parametrize(
    "fatal",
    [
        lambda client: client.simGetCameraInfo("nose"),
        lambda client: client.simSetCameraPose("nose", airsim.Pose()),
        lambda client: client.simSetCameraFov("nose", 60),
        lambda client: client.simGetImages([SCENE], "ghost"),
        lambda client: client.simGetImage("0", airsim.ImageType.Scene, "ghost"),
    ],
    ids=["info", "pose", "fov", "images", "image"],
)
def test_where_airsim_dies_the_connection_ends(serve, fatal, caplog):
    running = serve(strictness=only("crash_hangs_up"))
    client = airsim.VehicleClient(port=running.port)
    # The session of the collector; the client's own connects again and waits for its time-out.
    client.client = WatchedSession(client.client, "here", 20)
    client.ping()
    with pytest.raises(SimulatorLost, match="closed the connection"):
        fatal(client)
    client.client.close()
    assert "AirSim would have crashed here" in caplog.text
    assert running.client().ping(), "others are served on"


def test_what_airsim_refuses_in_words_is_refused_in_words(serve):
    client = serve(strictness=only("crash_hangs_up")).client()
    with pytest.raises(Exception, match="no camera 'nose'"):
        client.simGetImages([airsim.ImageRequest("nose", airsim.ImageType.Scene)])
    with pytest.raises(Exception, match="Vehicle Sim-API for 'ghost' is not available"):
        client.simGetCameraInfo("0", "ghost")


def test_strict_simulator_says_so(serve):
    settings = json.loads(serve(strictness=STRICT).client().getSettingsString())
    assert settings["Strict"] is True
    assert settings["Simulator"] == "airsim-seg"
    assert "Strict" not in json.loads(serve().client().getSettingsString())


def test_every_method_is_still_there(serve):
    for mode in ("ComputerVision", "Car", "Multirotor"):
        assert serve(mode, strictness=STRICT).method_names == serve(mode).method_names
