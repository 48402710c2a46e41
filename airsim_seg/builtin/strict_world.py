"""A world whose clock is as awkward as AirSim's; see strictness.Strictness for what and why."""

import json
import math
import time
from collections.abc import Callable

from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS, MAX_CONTINUE_S
from airsim_seg.builtin.scene import Scene
from airsim_seg.builtin.settings import Settings
from airsim_seg.builtin.strictness import STRICT, Strictness
from airsim_seg.builtin.world import STEP_NS, World


class StrictWorld(World):
    """See World. What moves goes by now_ns here too; what clients read as time is stamp_ns."""

    def __init__(
        self,
        scene: Scene,
        settings: Settings,
        epoch_ns: int = DEFAULT_EPOCH_NS,
        *,
        paused: bool = False,
        strictness: Strictness = STRICT,
        wall_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Populate a scene; see World.

        Args:
            scene: see World.
            settings: see World.
            epoch_ns: what the clock shows at first.
            paused: see World.
            strictness: which of the clock's sides are awkward.
            wall_ns: any clock that only goes forward.
        """
        super().__init__(scene, settings, epoch_ns, paused=paused)
        self.strictness = strictness
        self._wall_ns = wall_ns
        self._began_ns, self._first_ns = wall_ns(), epoch_ns
        steppable = self.mode == "Car" and json.loads(settings.text).get("ClockType") == "SteppableClock"
        self._has_wall_clock = strictness.wall_clock and self.mode != "Multirotor" and not steppable
        self._has_steps = strictness.three_ms_steps and self.mode == "Multirotor"
        self._rest_ns = 0
        self._rounds_up = True
        self._end_ns: int | None = None

    def stamp_ns(self) -> int:
        """What AirSim's clock shows: it may go on while the world stands."""
        if not self._has_wall_clock:
            return self.now_ns
        return self._first_ns + round((self._wall_ns() - self._began_ns) * self.settings.world.clock_speed)

    def pause(self, paused: bool) -> None:
        """See World.pause."""
        self._end_ns = None
        super().pause(paused)

    def advance(self, duration_ns: int) -> None:
        """See World.advance; what is no whole step waits for the next call, and a car's run ends after its time."""
        if self._has_steps:
            self._rest_ns += duration_ns
            duration_ns = self._rest_ns // STEP_NS * STEP_NS
            self._rest_ns -= duration_ns
        super().advance(duration_ns)
        if self._end_ns is not None and self.now_ns >= self._end_ns:
            self.pause(True)

    async def continue_for(self, seconds: float) -> None:
        """See World.continue_for; here a drone's time is whole steps, and a car's passes after the call."""
        is_possible = math.isfinite(seconds) and 0 <= seconds <= MAX_CONTINUE_S
        if is_possible and self.strictness.car_returns_at_once and self.mode == "Car":
            self.pause(False)
            self._end_ns = self.now_ns + round(seconds * 1e9)
        elif is_possible and self._has_steps:
            await super().continue_for(self._whole_steps_s(seconds))
        else:
            await super().continue_for(seconds)

    def _whole_steps_s(self, seconds: float) -> float:
        """AirSim counts the time on the wall's clock, so a step more or less happens: here in turn, one more first."""
        duration_ns, self._rest_ns = round(seconds * 1e9), 0
        num_steps, rest_ns = divmod(duration_ns, STEP_NS)
        if rest_ns:
            num_steps += self._rounds_up or num_steps == 0
            self._rounds_up = not self._rounds_up
        return num_steps * STEP_NS / 1e9
