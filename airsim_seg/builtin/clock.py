"""The clock of a world: it stands, follows real time, or goes on for as long as somebody asks."""

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol

from airsim_seg.builtin.arguments import ApiError

# 13 September 2020, 12:26:40 UTC: the same for every run, so that the same seed gives the same stamps.
DEFAULT_EPOCH_NS = 1_600_000_000_000_000_000
# simContinueForFrames: nothing is drawn unless asked for, so a frame is one of the recordings' 25 a second.
FRAME_NS = 40_000_000
# Real time comes in ticks; one that is late (a busy machine) moves the world by at most this.
TICK_S, MAX_TICK_NS = 0.006, 100_000_000
# A long simContinueForTime lets other calls in this often.
SLICE_NS = 120_000_000
MAX_CONTINUE_S = 86_400.0


class Watcher(Protocol):
    """Somebody who looks at the world as its time goes by; the recorder."""

    def look(self) -> None:
        """See the world at the end of a physics step."""
        ...

    async def keep_up(self) -> None:
        """Return when there is room for what the next steps will show; until then the clock waits."""
        ...


class Clock(ABC):
    """Decides when its world goes on; a world derives from it, and says what then happens.

    Attributes:
        now_ns: what it shows, nanoseconds; it moves only by advancing, in integers.
        speed: seconds of the world in one of real time.
        watcher: told of every step, or None.
    """

    def __init__(self, epoch_ns: int, speed: float, *, paused: bool) -> None:
        """Set it.

        Args:
            epoch_ns: what it shows at first.
            speed: see Attributes.
            paused: whether it stands until somebody continues it.
        """
        self.now_ns = epoch_ns
        self.speed = speed
        self.watcher: Watcher | None = None
        self._running = asyncio.Event()
        if not paused:
            self._running.set()
        self._continuing = False
        self._one_continue = asyncio.Lock()

    @abstractmethod
    def advance(self, duration_ns: int) -> None:
        """Move everything, and now_ns, forward by exactly this long."""

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
                await self._breathe()
            self._continuing = False

    async def _breathe(self) -> None:
        """Let other calls in, and the watcher catch up."""
        await asyncio.sleep(0)
        if self.watcher is not None:
            await self.watcher.keep_up()

    async def follow_real_time(self, wall_ns: Callable[[], int] = time.monotonic_ns) -> None:
        """Let the clock follow the wall's, at its rate times speed, unless paused, until cancelled.

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
                self.advance(round(min(after_ns - before_ns, MAX_TICK_NS) * self.speed))
                await self._breathe()
            before_ns = after_ns
