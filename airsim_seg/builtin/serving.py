"""Puts a world, its renderer and its clock behind a port, until told to stop."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

import cv2

from airsim_seg.builtin.api import Dispatcher, Methods, common_methods
from airsim_seg.builtin.api_detections import DetectionApi
from airsim_seg.builtin.api_engine import engine_methods
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_lens import LensApi
from airsim_seg.builtin.api_plots import PlotApi
from airsim_seg.builtin.api_rays import ray_methods
from airsim_seg.builtin.api_recording import Recorder
from airsim_seg.builtin.api_scene import SceneApi
from airsim_seg.builtin.api_sensors import sensor_methods
from airsim_seg.builtin.api_session import session_methods
from airsim_seg.builtin.api_vehicles import vehicle_methods
from airsim_seg.builtin.api_weather import weather_methods
from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.faults import FaultyDispatch
from airsim_seg.builtin.scene import Renderer
from airsim_seg.builtin.segmentation_palettes import segmentation_palette
from airsim_seg.builtin.server import Dispatch, Server
from airsim_seg.builtin.strict_api import StrictDispatch, strict_methods
from airsim_seg.builtin.strict_world import StrictWorld
from airsim_seg.builtin.switches import Switches
from airsim_seg.builtin.world import World

PARENT_CHECK_S = 0.5
# What a shell says of a program that a segmentation fault has ended: 128 + SIGSEGV.
CRASH_CODE = 139

_log = logging.getLogger(__name__)


def rpc_methods(world: World, cameras: CameraApi, recorder: Recorder) -> Methods:
    """Every RPC of the world's mode: the one place where the tables of the api files meet."""
    return {
        **common_methods(world, cameras.renderer_name),
        **vehicle_methods(world),
        **session_methods(world),
        **sensor_methods(world),
        **ray_methods(world),
        **cameras.methods(),
        **LensApi(cameras).methods(),
        **SceneApi(world, cameras).methods(),
        **DetectionApi(world, cameras).methods(),
        **weather_methods(world),
        **PlotApi(world).methods(),
        **recorder.methods(),
        **engine_methods(world),
    }


class Simulator:
    """A served world; an async context manager, so that nothing of it outlives its block.

    Example:
        async with Simulator(world, renderer, bind(0)) as simulator:
            print(simulator.port)
    """

    def __init__(self, world: World, renderer: Renderer, sock: socket.socket, switches: Switches | None = None) -> None:
        """Wire it up; nothing runs yet.

        Args:
            world: populated; a StrictWorld is served with AirSim's awkward sides.
            renderer: draws the world's scene, one picture at a time.
            sock: bound by server.bind.
            switches: what else is awkward; None is nothing.
        """
        switches = Switches() if switches is None else switches
        self.world = world
        self._sock = sock
        self._executor = ThreadPoolExecutor(1, "render")
        cameras = CameraApi(world, renderer, self._executor, segmentation_palette(switches.palette))
        self._recorder = Recorder(world, cameras)
        methods = rpc_methods(world, cameras, self._recorder)
        self.method_names = frozenset(methods)
        self._server = Server(_dispatch(methods, world, cameras, switches))
        self._clock: asyncio.Task[None] | None = None
        self.port = 0

    async def __aenter__(self) -> "Simulator":
        """Listen, start the clock, and the recording if settings.json wants one.

        Raises:
            PortInUse: see Server.start.
        """
        self.port = await self._server.start(self._sock)
        self._clock = asyncio.create_task(self.world.follow_real_time())
        self._clock.add_done_callback(_report_failure)
        if self.world.settings.recording.enabled:
            try:
                await self._recorder.start()
            except ApiError as error:
                _log.error("nothing is recorded: %s", error)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Hang up, finish the recording and wait for the picture in hand."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.gather(self._clock, return_exceptions=True)
        await self._server.close()
        await self._recorder.stop()
        self._executor.shutdown(cancel_futures=True)


def _dispatch(methods: Methods, world: World, cameras: CameraApi, switches: Switches) -> Dispatch:
    """What answers calls: the methods, then what makes them awkward."""
    dispatch: Dispatch = Dispatcher(methods)
    if isinstance(world, StrictWorld):
        dispatch = StrictDispatch(Dispatcher(strict_methods(methods, world, cameras)), world.strictness)
    return FaultyDispatch(dispatch, switches.faults, _crash) if switches.faults else dispatch


def _crash() -> None:
    """End as a crash does: nothing is tidied up."""
    os._exit(CRASH_CODE)


def _report_failure(clock: asyncio.Task[None]) -> None:
    """A clock that dies of a fault of ours must not do so in silence."""
    if not clock.cancelled() and clock.exception() is not None:
        _log.error("the simulation's clock has stopped", exc_info=clock.exception())


async def serve_until_stopped(
    world: World,
    renderer: Renderer,
    sock: socket.socket,
    on_ready: Callable[[int], None],
    parent_pid: int | None = None,
    switches: Switches | None = None,
) -> signal.Signals | None:
    """Serve until SIGINT or SIGTERM, or until the parent is gone.

    Args:
        world: populated.
        renderer: draws its scene.
        sock: bound by server.bind.
        on_ready: called with the port once calls are answered.
        parent_pid: the process to die with; None serves on.
        switches: see Simulator.

    Returns:
        The signal that ended it, or None where the parent's end did.
    """
    cv2.setNumThreads(0)  # OpenCV's workers spin while they wait for work: 2 ms a picture, on the cores that draw
    # Asked now: a parent that dies as soon as it hears that we are ready must still be known as ours.
    is_child = parent_pid == os.getppid()
    stopped: asyncio.Future[signal.Signals | None] = asyncio.get_running_loop().create_future()

    def stop(reason: signal.Signals | None) -> None:
        if not stopped.done():
            stopped.set_result(reason)

    for number in (signal.SIGINT, signal.SIGTERM):
        # Windows has no such handlers: there Ctrl-C raises KeyboardInterrupt as usual.
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop, number)
    async with Simulator(world, renderer, sock, switches) as simulator:
        watch = None
        if parent_pid is not None:
            watch = asyncio.create_task(_watch_parent(parent_pid, is_child, lambda: stop(None)))
        on_ready(simulator.port)
        try:
            return await stopped
        finally:
            if watch is not None:
                watch.cancel()


async def _watch_parent(pid: int, is_child: bool, gone: Callable[[], None]) -> None:
    """Call gone() once the process is no more; a parent that nobody buried yet counts as gone as well."""
    while _is_alive(pid) and (not is_child or os.getppid() == pid):
        await asyncio.sleep(PARENT_CHECK_S)
    gone()


def _is_alive(pid: int) -> bool:
    if os.name == "nt":
        # There os.kill(pid, 0) would end the process; the launcher stops us itself.
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
