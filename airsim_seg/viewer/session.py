"""Keeps one simulator and its audience together: connects, looks, tells, steers, and starts over when it is lost."""

import asyncio
from collections.abc import Awaitable

import numpy as np

from airsim_seg.errors import AirsimSegError, SimulatorError, SimulatorLost, SimulatorUnreachable
from airsim_seg.simulators.rpc import RefusedCall
from airsim_seg.viewer.audience import Audience, Viewer
from airsim_seg.viewer.commands import carry_out
from airsim_seg.viewer.frames import FrameReader
from airsim_seg.viewer.keys import sticks_of
from airsim_seg.viewer.legend import legend
from airsim_seg.viewer.link import Link, identify
from airsim_seg.viewer.messages import FRAME, binary, jpeg, text
from airsim_seg.viewer.overview import Overview, take_overview
from airsim_seg.viewer.pilots import euler_rad, pilot_for
from airsim_seg.viewer.requests import Do, Hold, LookThrough, Request, Seen
from airsim_seg.viewer.rpc import connect

RETRY_S = 1.0
STATE_PERIOD_S = 0.1
AFTER_ERROR_S = 1.0
# Collisions are asked for while somebody steers from a page, and so long after: asking takes them from other programs.
COLLISIONS_AFTER_STEERING_S = 10.0
# A vehicle that is nearer to the map's edge than this share of its side gets a new map.
_MAP_MARGIN = 0.1


class Session:
    """The viewer's middle; web.py hands it what pages ask for.

    Attributes:
        audience: the open pages.
    """

    def __init__(
        self, host: str, port: int, *, vehicle: str = "", environment: str | None = None, rate_hz: float = 25.0
    ) -> None:
        """Prepare; run() connects.

        Args:
            host: where the simulator is.
            port: its RPC port.
            vehicle: whose camera is shown; "" is the default vehicle.
            environment: whose label map names the classes; None believes the simulator.
            rate_hz: frames a second at most.
        """
        self.audience = Audience()
        self._host, self._port = host, port
        self._vehicle, self._environment = vehicle, environment
        self._frame_period_s = 1 / rate_hz
        self._link: Link | None = None
        self._camera = "0"
        self._speed_mps = 5.0
        self._is_paused = False
        self._steered_at_s = -np.inf
        self._time_ns = 0
        self._map: Overview | None = None
        self._map_wanted = asyncio.Event()
        self._commands: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Connect, serve the audience until the simulator is lost, and again, until cancelled."""
        while True:
            try:
                await self._follow()
            except* SimulatorError as lost:
                self._link = None
                self.audience.tell("link", text("link", ok=False, text=_first(lost)), stands=True)
            await asyncio.sleep(RETRY_S)

    def request(self, viewer: Viewer, request: Request) -> None:
        """Do what a page asks; what takes time is done behind its back, and what fails is told."""
        if isinstance(request, Seen):
            self.audience.frame_drawn(viewer)
        elif isinstance(request, Hold):
            self._speed_mps = request.speed_mps
            self.audience.hold(viewer, request.keys)
        elif isinstance(request, LookThrough):
            self._camera = request.camera
            self.audience.tell("camera", text("camera", camera=request.camera), stands=True)
        elif request == Do("map"):
            self._map_wanted.set()
        elif self._link is None:
            self._tell_error("no simulator answers: nothing can be done now.")
        else:
            self._start(carry_out(self._link, request, self._time_ns))

    def _start(self, command: Awaitable[None]) -> None:
        async def run() -> None:
            try:
                await command
            except AirsimSegError as error:
                self._tell_error(str(error))

        task = asyncio.create_task(run())
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    def _tell_error(self, sentence: str) -> None:
        self.audience.tell("error", text("error", text=sentence))

    async def _follow(self) -> None:
        """One connection, from the first call to the last."""
        try:
            rpc = await connect(self._host, self._port)
        except SimulatorUnreachable as error:
            raise ExceptionGroup("no simulator", [error]) from None
        try:
            async with asyncio.TaskGroup() as group:
                link = Link(rpc, await identify(rpc, self._vehicle))
                self._link = link
                self._tell_link(link)
                for loop in (self._show_frames, self._tell_states, self._steer, self._explain, self._draw_maps):
                    group.create_task(loop(link))
        finally:
            await rpc.close()

    def _tell_link(self, link: Link) -> None:
        who = link.identity
        self.audience.tell("error", text("error", text=""))
        fields = {"kind": who.kind, "vehicle": who.vehicle or next(iter(who.vehicles), ""), "address": link.rpc.address}
        environment = self._environment or who.environment
        self.audience.tell(
            "link", text("link", ok=True, environment=environment, builtin=who.is_builtin, **fields), stands=True
        )
        self.audience.tell("camera", text("camera", camera=self._camera), stands=True)

    async def _show_frames(self, link: Link) -> None:
        """One picture for everybody who can take it, as soon as somebody can."""
        reader, clock = FrameReader(link.rpc.address), asyncio.get_running_loop()
        while True:
            await self.audience.frame_wanted()
            started_s = clock.time()
            try:
                responses = await link.images(self._camera)
                frame = await asyncio.to_thread(reader.read, responses)
                message = await asyncio.to_thread(frame.message)
            except RefusedCall as error:
                self._tell_error(str(error))
                await asyncio.sleep(AFTER_ERROR_S)
                continue
            self._time_ns = frame.time_ns
            self.audience.tell(FRAME, message)
            await asyncio.sleep(max(0.0, started_s + self._frame_period_s - clock.time()))

    async def _tell_states(self, link: Link) -> None:
        while True:
            try:
                self._is_paused = await link.is_paused()
                self.audience.tell("state", await self._state(link))
            except RefusedCall as error:
                self._tell_error(str(error))
                await asyncio.sleep(AFTER_ERROR_S)
            await asyncio.sleep(STATE_PERIOD_S)

    async def _state(self, link: Link) -> str:
        motion = await link.motion()
        self._want_map_near(float(motion.pose.position_m[0]), float(motion.pose.position_m[1]))
        speed_mps, gear = float(np.linalg.norm(motion.velocity_mps)), None
        if link.identity.kind == "car":
            speed_mps, gear = await link.car_state()
        is_ours = asyncio.get_running_loop().time() - self._steered_at_s < COLLISIONS_AFTER_STEERING_S
        return text(
            "state",
            position_m=motion.pose.position_m.tolist(),
            angles_deg=np.degrees(euler_rad(motion.pose)).tolist(),
            speed_mps=speed_mps,
            gear=gear,
            paused=self._is_paused,
            hit=await link.collided_with() if is_ours else None,
        )

    async def _steer(self, link: Link) -> None:
        """Ask the pilot for as long as keys are held, and tell it when they are not."""
        pilot, clock, is_steering = pilot_for(link), asyncio.get_running_loop(), False
        while True:
            sticks = sticks_of(self.audience.held())
            try:
                # A camera can be moved while the clock stands, a vehicle with physics cannot.
                if sticks and not (self._is_paused and link.identity.kind != "camera"):
                    is_steering, self._steered_at_s = True, clock.time()
                    await pilot.steer(sticks, self._speed_mps, pilot.period_s)
                    await asyncio.sleep(max(0.0, self._steered_at_s + pilot.period_s - clock.time()))
                    continue
                if is_steering:
                    is_steering = False
                    await pilot.release()
            except RefusedCall as error:
                self._tell_error(str(error))
                await asyncio.sleep(AFTER_ERROR_S)
            self.audience.keys_changed.clear()
            await self.audience.keys_changed.wait()

    async def _explain(self, link: Link) -> None:
        """Names and classes of ids, once a connection."""
        objects = await link.objects()
        found = await asyncio.to_thread(legend, objects, self._environment or link.identity.environment)
        self.audience.tell("legend", text("legend", **found), stands=True)

    async def _draw_maps(self, link: Link) -> None:
        """A map at once, and whenever one is wanted."""
        while True:
            try:
                self._map = await take_overview(link)
            except RefusedCall as error:
                self._tell_error(f"no map: {error}")
            else:
                place = {key: getattr(self._map, key) for key in ("north_m", "east_m", "span_m")}
                picture = await asyncio.to_thread(jpeg, self._map.rgb)
                self.audience.tell("map", binary("map", [picture], **place), stands=True)
            await asyncio.sleep(AFTER_ERROR_S)
            self._map_wanted.clear()
            await self._map_wanted.wait()

    def _want_map_near(self, north_m: float, east_m: float) -> None:
        shown = self._map
        if shown is None:
            return
        reach_m = shown.span_m * (0.5 - _MAP_MARGIN)
        if max(abs(north_m - shown.north_m), abs(east_m - shown.east_m)) > reach_m:
            self._map_wanted.set()


def _first(group: BaseExceptionGroup[SimulatorError]) -> str:
    """The sentence of a group's most telling error: a simulator that is gone fails every loop at once."""
    leaves = list(_leaves(group))
    lost = [error for error in leaves if isinstance(error, SimulatorLost | SimulatorUnreachable)]
    return str((lost or leaves)[0])


def _leaves(group: BaseExceptionGroup[SimulatorError]) -> "list[BaseException]":
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(_leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
