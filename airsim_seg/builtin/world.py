"""The world at run time: one clock, the vehicles, the object table. Everything happens in the event loop's thread."""

import asyncio
import math
import time
from collections.abc import Callable

import numpy as np

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.cameras import rig
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.scene import Scene
from airsim_seg.builtin.settings import Settings, SimMode
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.builtin.vehicles.camera import FlyingCamera
from airsim_seg.builtin.vehicles.car import Car
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.types import Pose

# 13 September 2020, 12:26:40 UTC: the same for every run, so that the same seed gives the same stamps.
DEFAULT_EPOCH_NS = 1_600_000_000_000_000_000
# AirSim's physics step (SimModeWorldBase.h).
STEP_NS = 3_000_000
# simContinueForFrames: nothing is drawn unless asked for, so a frame is one of the recordings' 25 a second.
FRAME_NS = 40_000_000
# Real time comes in ticks; one that is late (a busy machine) moves the world by at most this.
TICK_S, MAX_TICK_NS = 0.006, 100_000_000
# A long simContinueForTime lets other calls in this often.
SLICE_NS = 120_000_000
MAX_CONTINUE_S = 86_400.0

KINDS: dict[SimMode, type[Vehicle]] = {"Multirotor": Multirotor, "Car": Car, "ComputerVision": FlyingCamera}


class World:
    """Objects, vehicles and the clock they share.

    Attributes:
        mode: the kind of every vehicle.
        now_ns: the clock, nanoseconds; it moves only by stepping, in integers.
    """

    def __init__(self, scene: Scene, settings: Settings, epoch_ns: int = DEFAULT_EPOCH_NS, *, paused: bool = False):
        """Populate a scene.

        Args:
            scene: the environment; its player start becomes the origin of the API's world NED.
            settings: vehicles and cameras.
            epoch_ns: what the clock shows at first.
            paused: whether it stands until somebody continues it.
        """
        self.scene = scene
        self.settings = settings
        self.mode: SimMode = settings.mode
        self.now_ns = epoch_ns
        self.objects = ObjectTable(scene)
        self.vehicles = self._spawn()
        self._running = asyncio.Event()
        if not paused:
            self._running.set()
        self._continuing = False
        self._one_continue = asyncio.Lock()

    def _spawn(self) -> dict[str, Vehicle]:
        north, east, down = (float(v) for v in self.scene.player_start.position_m)

        def ground_down_m(north_m: float, east_m: float) -> float:
            return self.scene.ground_down_m(north_m + north, east_m + east) - down

        yaw = yaw_of(self.scene.player_start)
        vehicles = {}
        for name, own in sorted(self.settings.vehicles.items()):
            start = Pose.from_euler(np.zeros(3), yaw_rad=yaw + yaw_of(own.start))
            cameras = rig(self.mode, self.settings.captures, own.cameras)
            vehicles[name] = KINDS[self.mode](name, own.start.position_m, start, cameras, ground_down_m)
        return vehicles

    def vehicle(self, name: str) -> Vehicle | None:
        """The vehicle of that name; "" is the first by name."""
        return self.vehicles.get(name or next(iter(self.vehicles)))

    @property
    def is_paused(self) -> bool:
        """Whether the clock stands."""
        return not self._running.is_set() and not self._continuing

    def pause(self, paused: bool) -> None:
        """Stop the clock, or let it follow real time; either way a continue that runs is over."""
        self._continuing = False
        if paused:
            self._running.clear()
        else:
            self._running.set()

    def advance(self, duration_ns: int) -> None:
        """Step everything forward, exactly this long: 3 ms steps and a remainder."""
        end_ns = self.now_ns + duration_ns
        while self.now_ns < end_ns:
            step_ns = min(STEP_NS, end_ns - self.now_ns)
            self.now_ns += step_ns
            for vehicle in self.vehicles.values():
                vehicle.step(self.now_ns, step_ns / 1e9)

    async def continue_for(self, seconds: float) -> None:
        """Advance by exactly round(seconds x 1e9) ns, as fast as the machine can, then be paused.

        It returns when that is done, in every mode (real AirSim: only a multirotor does so exactly; ComputerVision
        refuses). Calls one after the other add up; simPause ends one early.

        Raises:
            ApiError: negative, not a number, or more than a day.
        """
        if not (math.isfinite(seconds) and 0 <= seconds <= MAX_CONTINUE_S):
            raise ApiError(f"the simulation can continue for 0 to {MAX_CONTINUE_S:.0f} seconds, not for {seconds}")
        async with self._one_continue:
            self._running.clear()
            self._continuing = True
            end_ns = self.now_ns + round(seconds * 1e9)
            while self._continuing and self.now_ns < end_ns:
                self.advance(min(SLICE_NS, end_ns - self.now_ns))
                await asyncio.sleep(0)
            self._continuing = False

    async def follow_real_time(self, wall_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Let the clock follow the wall's, unless paused, until cancelled.

        Args:
            wall_ns: any clock that only goes forward.
        """
        before_ns = wall_ns()
        while True:
            if not self._running.is_set():
                await self._running.wait()
                before_ns = wall_ns()
            await asyncio.sleep(TICK_S)
            after_ns = wall_ns()
            if self._running.is_set():
                self.advance(min(after_ns - before_ns, MAX_TICK_NS))
            before_ns = after_ns

    def reset(self) -> None:
        """Every vehicle back to its start; ids, pause and clock stay."""
        for vehicle in self.vehicles.values():
            vehicle.reset()
