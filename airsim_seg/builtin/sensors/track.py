"""Where a vehicle has been lately: all that its sensors look at."""

from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from airsim_seg.builtin.vehicles.base import Kinematics


class Past(NamedTuple):
    """A vehicle's state at an instant of the clock."""

    time_ns: int
    kinematics: Kinematics


class Track:
    """The states that some sensor samples, oldest first, and the state now.

    A vehicle that is put somewhere has no past: whatever a sensor asks for, it finds the new place.

    Attributes:
        start_ns: the clock when the sensors were switched on, at first and by every reset.
        now: the newest state that was shown to it.
    """

    def __init__(self, horizon_ns: int, time_ns: int, kinematics: Kinematics) -> None:
        """Begin a track.

        Args:
            horizon_ns: how far back `at` may be asked.
            time_ns: the clock.
            kinematics: the vehicle's state.
        """
        self._horizon_ns = horizon_ns
        self.restart(time_ns, kinematics)

    def restart(self, time_ns: int, kinematics: Kinematics) -> None:
        """Switch on again, now."""
        self.start_ns = time_ns
        self.jump(time_ns, kinematics)

    def jump(self, time_ns: int, kinematics: Kinematics) -> None:
        """The vehicle was put somewhere: forget where it was."""
        self.now = self._first = Past(time_ns, kinematics)
        self._sampled = deque([self._first])

    def append(self, time_ns: int, kinematics: Kinematics) -> None:
        """Somebody samples now."""
        self.now = Past(time_ns, kinematics)
        self._sampled.append(self.now)
        while self._sampled[1].time_ns < time_ns - self._horizon_ns:
            self._sampled.popleft()

    def at(self, time_ns: int) -> Past:
        """The state that was sampled for a time: after the first step that reached it."""
        if time_ns <= self._first.time_ns:
            return self._first
        return self._sampled[bisect_left(self._sampled, time_ns, key=lambda past: past.time_ns)]
