"""The adapter over the official client: against the built-in server, and against servers that misbehave."""

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from served_world import NAMES, Running, Serve, painted

from airsim_seg.builtin.geometry import HOME
from airsim_seg.builtin.scene import FAR_DEPTH_M, View
from airsim_seg.builtin.server import RpcError, Server, bind
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings, default_settings
from airsim_seg.builtin.strictness import STRICT
from airsim_seg.builtin.sun import sun_position, towards
from airsim_seg.builtin.weather import Weather
from airsim_seg.errors import ClientMissing, SimulatorError, SimulatorLost, SimulatorUnreachable
from airsim_seg.palette import id_from_name
from airsim_seg.simulators import airsim as adapter
from airsim_seg.simulators.airsim import AirSimSimulator
from airsim_seg.simulators.base import Conditions
from airsim_seg.types import Pose

DEADLINE_S = 20.0
LOOK = Pose.from_euler((12.3, -4.5, -6.7), yaw_rad=2.0, pitch_rad=-0.3, roll_rad=0.1)
STRAIGHT_DOWN = Pose.from_euler((5.0, 6.0, -70.0), pitch_rad=-np.pi / 2)
Dispatch = Callable[[str, Sequence[object]], object]


@pytest.fixture
def connect() -> Iterator[Callable[[int], AirSimSimulator]]:
    open_ones: list[AirSimSimulator] = []

    def start(port: int) -> AirSimSimulator:
        open_ones.append(AirSimSimulator("127.0.0.1", port))
        return open_ones[-1]

    yield start
    for simulator in open_ones:
        simulator.close()


Connect = Callable[[int], AirSimSimulator]


@pytest.fixture
def odd_server() -> Iterator[Callable[[Dispatch], int]]:
    """odd_server(dispatch): a server that answers as the function says; gives its port."""
    stops: list[Callable[[], None]] = []

    def start(dispatch: Dispatch) -> int:
        ready = threading.Event()
        found: dict[str, object] = {}

        async def call(method: str, args: Sequence[object]) -> object:
            return dispatch(method, args)

        async def serve() -> None:
            server, stop = Server(call), asyncio.Event()
            found["port"] = await server.start(bind(0))
            found["loop"], found["stop"] = asyncio.get_running_loop(), stop
            ready.set()
            await stop.wait()
            await server.close()

        thread = threading.Thread(target=lambda: asyncio.run(serve()))
        thread.start()
        assert ready.wait(DEADLINE_S)

        def end() -> None:
            found["loop"].call_soon_threadsafe(found["stop"].set)  # type: ignore[attr-defined]
            thread.join(DEADLINE_S)

        stops.append(end)
        return int(found["port"])  # type: ignore[call-overload]

    yield start
    for end in stops:
        end()


def seen_by(running: Running, pose: Pose) -> View:
    """The last view that the renderer was asked for."""
    view = running.renderer.views[-1]
    start_m = running.world.scene.player_start.position_m
    # A view keeps its place to 15 micrometres.
    assert view.pose.position_m == pytest.approx(pose.position_m + start_m, abs=2e-5)
    return view


def test_pictures_are_those_of_the_renderer(serve: Serve, connect: Connect) -> None:
    running = serve("ComputerVision")
    simulator = connect(running.port)
    simulator.set_pose(LOOK)
    capture = simulator.capture(depth=True)
    truth = painted(seen_by(running, LOOK))
    ids = np.array([id_from_name(name) for name in NAMES[:5]] + [0, 0, 0], np.uint8)
    drawn = truth.object_index.copy()
    named = (drawn >= 0) & (drawn < 5)
    assert np.array_equal(capture.rgb, truth.rgb)
    assert np.array_equal(capture.raw_ids[named], ids[drawn[named]])
    assert (capture.raw_ids[drawn < 0] == 0).all()
    assert capture.depth_m is not None
    assert np.array_equal(capture.depth_m, truth.depth_m)
    assert capture.depth_m.max() == FAR_DEPTH_M
    assert capture.num_unknown == 0
    assert capture.variant == "plain"


@pytest.mark.parametrize("mode", ["ComputerVision", "Multirotor", "Car"])
@pytest.mark.parametrize("pose", [LOOK, STRAIGHT_DOWN], ids=["oblique", "down"])
def test_camera_stands_where_it_was_put(serve: Serve, connect: Connect, mode: str, pose: Pose) -> None:
    """On a drone and a car the camera sits before the vehicle: the offset is taken into account."""
    simulator = connect(serve(mode).port)
    for _ in range(3):
        simulator.advance(40_000_000)
        simulator.set_pose(pose)
        seen = simulator.capture().pose
        assert seen.position_m == pytest.approx(pose.position_m, abs=1e-6)
        assert abs(seen.orientation_wxyz @ pose.orientation_wxyz) == pytest.approx(1, abs=1e-9)


def test_poses_do_not_depend_on_where_the_camera_was(serve: Serve, connect: Connect) -> None:
    """Two sessions on one simulator must record the same bits."""
    port = serve("ComputerVision").port
    seen = []
    for _ in range(2):
        simulator = connect(port)
        simulator.set_pose(LOOK)
        pose = simulator.capture().pose
        seen.append((pose.position_m.tolist(), pose.orientation_wxyz.tolist()))
    assert seen[0] == seen[1]


def test_steps_are_exact(serve: Serve, connect: Connect) -> None:
    simulator = connect(serve("ComputerVision").port)
    stamps = []
    for _ in range(5):
        simulator.advance(40_000_000)
        stamps.append(simulator.capture().sim_time_ns)
    assert np.diff(stamps).tolist() == [40_000_000] * 4


def test_sun_and_weather_are_set_stand_still_and_come_back(serve: Serve, connect: Connect) -> None:
    running = serve("ComputerVision")
    simulator, before = connect(running.port), running.world.moment()
    simulator.set_conditions(Conditions("2021-06-21 09:30:00", (0.0, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5)))
    shown = running.world.moment()
    assert shown.weather == Weather(road_wetness=0.25, fog=0.5)
    nine_thirty = datetime(2021, 6, 21, 9, 30, tzinfo=timezone(timedelta(hours=-8))).timestamp()
    assert shown.sun.towards == pytest.approx(towards(sun_position(nine_thirty, HOME.latitude_deg, HOME.longitude_deg)))
    simulator.advance(3_600_000_000_000)
    assert running.world.moment().sun == shown.sun, "an hour later the sun is where it was"
    simulator.set_conditions(Conditions("2021-06-21 09:30:00", (0.5, *[0.0] * 7)))
    assert running.world.moment().weather == Weather(rain=0.5), "what the last video had is gone"
    simulator.set_conditions(None)
    assert (running.world.moment().weather, running.world.moment().sun) == (before.weather, before.sun)


def test_connecting_pauses_and_resuming_lets_go(serve: Serve, connect: Connect) -> None:
    running = serve("ComputerVision", paused=False)
    simulator = connect(running.port)
    simulator.pause()
    assert running.world.is_paused
    simulator.resume()
    assert not running.world.is_paused


def test_objects_have_the_ids_of_the_name_rule(serve: Serve, connect: Connect) -> None:
    objects = dict(connect(serve().port).objects())
    assert objects["Orangeball"] == 28
    assert objects["Tree_1"] == objects["tree_3"] == 181
    assert all(0 <= raw_id <= 255 for raw_id in objects.values())


def test_info_and_camera(serve: Serve, connect: Connect) -> None:
    simulator = connect(serve("Car").port)
    assert simulator.info.mode == "Car"
    assert "1.8.1" in simulator.info.client
    assert simulator.camera.size_hw == (480, 640)
    assert simulator.camera.matrix()[0, 0] == pytest.approx(320)


def test_different_sizes_are_refused_with_the_cure(serve: Serve, connect: Connect) -> None:
    captures = {0: CaptureSettings((48, 64)), 5: CaptureSettings((24, 32))}
    settings = Settings("ComputerVision", {"": VehicleSettings()}, captures)
    with pytest.raises(SimulatorError, match=r'Segmentation 32x24.*"ImageType": 5'):
        connect(serve(settings).port)


def test_nobody_there(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SimulatorUnreachable, match=f"no simulator answers at 127.0.0.1:{port}"):
        connect(port)


def test_later_pictures_show_the_instant_of_the_asking(serve: Serve, connect: Connect) -> None:
    """Asked for, and then the clock goes on and the camera moves, before anybody waits for them."""
    simulator = connect(serve("ComputerVision").port)
    simulator.pause()
    poses = [Pose.from_euler((k, 2.0 * k, -3.0 - k), yaw_rad=0.1 * k) for k in range(5)]
    at_once, later = [], []
    for pose in poses:
        simulator.set_pose(pose)
        at_once.append(simulator.capture(depth=True))
        later.append(simulator.capture_later(depth=True))
        simulator.advance(40_000_000)
    for wanted, take in zip(at_once, later, strict=True):
        seen = take()
        assert np.array_equal(seen.rgb, wanted.rgb)
        assert np.array_equal(seen.raw_ids, wanted.raw_ids)
        assert np.array_equal(seen.depth_m, wanted.depth_m)
        assert seen.sim_time_ns == wanted.sim_time_ns
        assert np.array_equal(seen.pose.position_m, wanted.pose.position_m)


def test_strict_simulator_takes_later_pictures_at_once(serve: Serve, connect: Connect) -> None:
    """As Unreal would have to: there a camera that moves on is seen where it went."""
    running = serve("ComputerVision", strictness=STRICT)
    simulator = connect(running.port)
    simulator.set_pose(LOOK)
    drawn = len(running.renderer.views)
    take = simulator.capture_later()
    assert len(running.renderer.views) > drawn
    simulator.set_pose(STRAIGHT_DOWN)
    assert take().pose.position_m == pytest.approx(LOOK.position_m, abs=1e-5)


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x94\x01\x00\xc0", b""], ids=["http", "cut", "nothing"]
)
def test_something_else_there(connect: Connect, monkeypatch: pytest.MonkeyPatch, says: bytes) -> None:
    monkeypatch.setattr(adapter, "HANDSHAKE_TIMEOUT_S", 1)

    def answer(server: socket.socket) -> None:
        for _ in range(2):  # the look whether anybody is there, and the client
            peer, _address = server.accept()
            with peer:
                peer.recv(100)
                peer.sendall(says)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=answer, args=(server,))
        thread.start()
        with pytest.raises(SimulatorUnreachable, match="does not speak AirSim's RPC"):
            connect(server.getsockname()[1])
        thread.join(DEADLINE_S)


@pytest.mark.parametrize(("version", "told"), [(4, "Cosys-AirSim"), (2, "speaks interface 2")])
def test_other_versions_are_named(
    connect: Connect, odd_server: Callable[[Dispatch], int], version: int, told: str
) -> None:
    port = odd_server(lambda method, _: True if method == "ping" else version)
    with pytest.raises(SimulatorUnreachable, match=told):
        connect(port)


def test_old_airsim_gets_a_hint(connect: Connect, odd_server: Callable[[Dispatch], int]) -> None:
    def dispatch(method: str, args: Sequence[object]) -> object:
        if method in ("ping", "getServerVersion", "getMinRequiredClientVersion"):
            return True if method == "ping" else 1
        raise RpcError(
            f"rpclib: client error C0002: Function '{method}' was called with an invalid number of arguments. "
            f"Expected: 2, got: {len(args)}"
        )

    with pytest.raises(SimulatorError, match=r"use AirSim 1\.6 or later"):
        connect(odd_server(dispatch))


def test_death_during_a_call_is_noticed_at_once(connect: Connect) -> None:
    command = [sys.executable, str(Path(__file__).with_name("tiny_simulator.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        simulator = connect(int(process.stdout.readline().split()[1]))
        threading.Timer(0.2, process.kill).start()
        began = time.monotonic()
        with pytest.raises(SimulatorLost, match="closed the connection during simContinueForTime"):
            simulator.advance(80_000 * 10**9)
        assert time.monotonic() - began < adapter.CALL_TIMEOUT_S / 2
        with pytest.raises(SimulatorLost):
            simulator.capture()


def test_hang_is_noticed(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "CALL_TIMEOUT_S", 1)
    running = serve()
    simulator = connect(running.port)
    running.renderer.open.clear()
    with pytest.raises(SimulatorLost, match="did not answer simGetImages within 1 s"):
        simulator.capture()


def test_late_pose_is_asked_for_again(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Old builds show the pose one picture late."""
    simulator = connect(serve().port)
    simulator.set_pose(Pose.from_euler((1.0, 0, 0)))
    fresh = simulator._client.simGetImages
    stale = fresh(simulator._requests(False), "", False)
    answers = [stale]
    monkeypatch.setattr(simulator._client, "simGetImages", lambda *a: answers.pop() if answers else fresh(*a))
    simulator.set_pose(LOOK)
    assert simulator.capture().pose.position_m == pytest.approx(LOOK.position_m)


def test_pose_that_never_comes_is_a_lost_simulator(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = connect(serve().port)
    monkeypatch.setattr(simulator._client, "simSetVehiclePose", lambda *_: None)
    simulator.set_pose(LOOK)
    with pytest.raises(SimulatorLost, match="another program moves the vehicle"):
        simulator.capture()


def test_mode_without_steps_still_records(serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unreal's ComputerVision mode refuses simContinueForTime: the plan's own clock counts then."""
    simulator = connect(serve().port)
    calls = []

    def refuse(seconds: float) -> None:
        calls.append(seconds)
        raise adapter.RefusedCall("continueForTime is not implemented by SimMode")

    monkeypatch.setattr(simulator._client, "simContinueForTime", refuse)
    simulator.advance(40_000_000)
    simulator.advance(40_000_000)
    assert calls == [0.04]


def test_missing_client_is_told_with_the_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airsim", None)
    with pytest.raises(ClientMissing, match=r"--no-build-isolation --no-deps airsim==1\.8\.1"):
        adapter.load_client()


def test_default_settings_name_the_mode(serve: Serve, connect: Connect) -> None:
    simulator = connect(serve(default_settings("ComputerVision")).port)
    assert simulator.info.mode == "ComputerVision"
