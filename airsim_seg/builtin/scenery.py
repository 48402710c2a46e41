"""What moves by itself beside the vehicles: its own time, and what of it stays away for their sake."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.scene import Moment, Scene, Wind
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.types import Float64Array

# A light air from the south-west in every world's leaves; no vehicle feels it. Beaufort 2: leaves rustle.
BREEZE_MPS = (1.5, 2.0, 0.0)
MET_M = 3.0  # a car is 4.5 m long, and the next lane 3.6 m away


class Scenery:
    """The traffic of a world.

    Attributes:
        traffic: all of it.
        began_ns: what the world's clock showed, or would have shown, when the traffic began.
    """

    def __init__(self, scene: Scene, began_ns: int) -> None:
        """Take the traffic of a scene, which begins with the clock."""
        self.traffic = Traffic(scene.traffic)
        self.began_ns = began_ns
        self._start_m = scene.player_start.position_m
        self._kept_clear: tuple[int, frozenset[int]] = (0, frozenset())
        self._last: tuple[int, Float64Array] | None = None
        self._met: tuple[tuple[int, bytes], frozenset[int]] | None = None

    def _places(self, time_ns: int) -> Float64Array:
        """Traffic.places at a time of the world's clock, remembered: a picture asks several times for one moment."""
        at_ns = time_ns - self.began_ns
        if self._last is None or self._last[0] != at_ns:
            self._last = at_ns, self.traffic.places(at_ns)
        return self._last[1]

    def put_into(self, arranged: Moment, time_ns: int, absent: frozenset[int]) -> Moment:
        """The arrangement with everything where it is at a time of the world's clock; what clients put stays there."""
        if not self.traffic.movers:
            return arranged
        driven = self.traffic.placements_at(self._places(time_ns))
        return replace(arranged, placements={**driven, **arranged.placements}, hidden=arranged.hidden | absent)

    def met_by(self, cameras_m: Sequence[Float64Array], time_ns: int) -> frozenset[int]:
        """What drives where a camera without a body is: gone for so long, as no picture shows a car from inside.

        Args:
            cameras_m: where they are, API world NED [3] each.
            time_ns: of the world's clock.
        """
        if not self.traffic.movers or not cameras_m:
            return frozenset()
        there_m = np.array(cameras_m)
        asked = (time_ns - self.began_ns, there_m.tobytes())
        if self._met is None or self._met[0] != asked:
            apart_m = np.abs(self._places(time_ns)[..., 3][:, None] - (there_m + self._start_m)[None])
            near = (np.hypot(apart_m[..., 0], apart_m[..., 1]) < MET_M) & (apart_m[..., 2] < MET_M)
            self._met = asked, frozenset(self.traffic.movers[k].object_index for k in np.flatnonzero(near.any(1)))
        return self._met[1]

    def over(self, starts_m: Sequence[Float64Array]) -> frozenset[int]:
        """What drives over a place where a vehicle with a body starts: it stays away, or a first flight would be short.

        Args:
            starts_m: the places, API world NED [3] each; they do not change, there may be more of them.
        """
        if self._kept_clear[0] != len(starts_m):
            places_m = [start + self._start_m for start in starts_m]
            ways = {mover.way for mover in self.traffic.movers}
            crossed = {way for way in ways if any(way.distance_m(place) < MET_M for place in places_m)}
            absent = frozenset(mover.object_index for mover in self.traffic.movers if mover.way in crossed)
            self._kept_clear = len(starts_m), absent
        return self._kept_clear[1]


def in_leaves(set_mps: Wind) -> Wind:
    """The wind (north, east, down) that leaves feel: the breeze that is always there, and what clients have set."""
    north, east, down = (breeze + more for breeze, more in zip(BREEZE_MPS, set_mps, strict=True))
    return north, east, down
