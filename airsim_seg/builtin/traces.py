"""The lines that vehicles leave behind them where settings.json has EnableTrace, as AirSim draws them.

Source: AirSim's UE PawnSimApi (setPoseInternal, setTraceLine, resetImplementation): a line goes from where the vehicle
was put last to where it is put now, and stays until simFlushPersistentMarkers, also when the vehicle is reset. A
multirotor is put where its physics has it with every frame (MultirotorPawnSimApi.cpp, updateRendering). A car is moved
by Unreal, past setPoseInternal: only simSetVehiclePose leaves a line, from where that put it before, or its start.
"""

from collections import deque
from collections.abc import Mapping
from itertools import groupby

import numpy as np

from airsim_seg.builtin.plots import Plot
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.types import Float64Array

# PawnSimApi.h: FColor::Purple, which is (169, 7, 228) in a picture, here as linear light; centimetres.
PURPLE: Float64Array = np.array([0.3968, 0.0021, 0.7758, 1.0])
DEFAULT_THICKNESS_CM = 3.0
# Nearer than this to its last place a vehicle counts as standing (half a centimetre, as there).
MIN_MOVE_M = 0.005
# Bends that are smaller are not kept, so that straight flight takes few pieces.
TOLERANCE_M = 0.02
# So many places may wait for a bend; more would make every step of a long straight slower.
_MAX_WAITING = 64
# A flight that never ends loses its beginning; this is a kilometre or two of curves, 0.4 s to draw if all are in view.
MAX_PIECES = 2_000
# How often they are drawn on, on the world's clock; AirSim does so with every frame of its window.
PERIOD_NS = 40_000_000

_Paint = tuple[Float64Array, float]
_Piece = tuple[Float64Array, Float64Array, _Paint]


class Trace:
    """One vehicle's line: straight pieces, and the places since the last that still lie on one."""

    def __init__(self, start_m: Float64Array, *, is_on: bool) -> None:
        """Begin where a vehicle is.

        Args:
            start_m: float64 [3], the API's world NED, metres.
            is_on: whether it leaves a line at all (EnableTrace).
        """
        self.is_on = is_on
        self._paint: _Paint = PURPLE, DEFAULT_THICKNESS_CM
        self._pieces: deque[_Piece] = deque(maxlen=MAX_PIECES)
        self._bend_m, self._waiting = start_m, list[Float64Array]()

    def paint(self, colour: Float64Array, thickness_cm: float) -> None:
        """Go on in another colour (simSetTraceLine); what was drawn keeps its own.

        Args:
            colour: float64 [4], linear red, green, blue and opacity, 0..1; lines do not heed the opacity.
            thickness_cm: of the line, centimetres.
        """
        self._bend()
        self._paint = colour, thickness_cm

    def restart(self, start_m: Float64Array) -> None:
        """Leave what was drawn, and go on from somewhere else [3] without a line to it (reset)."""
        self._bend()
        self._bend_m = start_m

    def flush(self) -> None:
        """Wipe it off, and go on from where it ends (simFlushPersistentMarkers)."""
        self._bend()
        self._pieces.clear()

    def follow(self, place_m: Float64Array) -> None:
        """Draw on to where the vehicle is now, [3]."""
        if not self.is_on or _length_m(place_m - self._end_m) <= MIN_MOVE_M:
            return
        if not self._is_straight_to(place_m):
            self._bend()
        self._waiting.append(place_m)

    def plots(self) -> list[Plot]:
        """What there is to see, the oldest first."""
        pieces = [*self._pieces, (self._bend_m, self._end_m, self._paint)] if self._waiting else self._pieces
        lines = []
        for _, own in groupby(pieces, key=lambda piece: id(piece[2])):
            same = list(own)
            (colour, thickness_cm), points = same[0][2], [end for start, stop, _ in same for end in (start, stop)]
            strokes = {"points": points, "colour": colour, "thickness": thickness_cm}
            lines.append(Plot("LineList", strokes, None, True))
        return lines

    @property
    def _end_m(self) -> Float64Array:
        return self._waiting[-1] if self._waiting else self._bend_m

    def _bend(self) -> None:
        """Turn what waits into a piece."""
        if self._waiting:
            self._pieces.append((self._bend_m, self._end_m, self._paint))
            self._bend_m = self._end_m
            self._waiting.clear()

    def _is_straight_to(self, place_m: Float64Array) -> bool:
        """Whether all places that wait are near a straight line from the last bend."""
        if not self._waiting:
            return True
        if len(self._waiting) >= _MAX_WAITING:
            return False
        way, seen = place_m - self._bend_m, np.array(self._waiting) - self._bend_m
        shares = np.clip(seen @ way / max(float(way @ way), 1e-12), 0.0, 1.0)
        return bool(np.linalg.norm(seen - shares[:, None] * way, axis=1).max() <= TOLERANCE_M)


class Traces:
    """The lines of all vehicles."""

    def __init__(self) -> None:
        """Begin with no vehicle."""
        self._traces: dict[str, Trace] = {}
        self._due_ns = 0

    def add(self, vehicle: Vehicle, *, is_on: bool) -> None:
        """Follow a vehicle from where it is; see Trace."""
        self._traces[vehicle.name] = Trace(_place_m(vehicle), is_on=is_on)

    def paint(self, name: str, colour: Float64Array, thickness_cm: float) -> None:
        """See Trace.paint."""
        self._traces[name].paint(colour, thickness_cm)

    def step(self, now_ns: int, vehicles: Mapping[str, Vehicle]) -> None:
        """Draw on where it is time to."""
        if now_ns >= self._due_ns:
            self.follow(vehicles)
            self._due_ns = now_ns + PERIOD_NS

    def follow(self, vehicles: Mapping[str, Vehicle]) -> None:
        """Draw on to where all vehicles are now whose own motion leaves a line."""
        for name, trace in self._traces.items():
            if trace.is_on and vehicles[name].is_traced_on_its_way:
                trace.follow(_place_m(vehicles[name]))

    def jump(self, vehicle: Vehicle) -> None:
        """Draw on to where a vehicle of any kind was just put (simSetVehiclePose)."""
        self._traces[vehicle.name].follow(_place_m(vehicle))

    def restart(self, vehicles: Mapping[str, Vehicle]) -> None:
        """See Trace.restart."""
        for name, trace in self._traces.items():
            trace.restart(_place_m(vehicles[name]))

    def flush(self) -> None:
        """See Trace.flush."""
        for trace in self._traces.values():
            trace.flush()

    def plots(self) -> tuple[Plot, ...]:
        """See Trace.plots."""
        return tuple(plot for trace in self._traces.values() for plot in trace.plots())


def _place_m(vehicle: Vehicle) -> Float64Array:
    """[3], the API's world NED, metres."""
    place_m: Float64Array = vehicle.kinematics.pose.position_m + vehicle.origin_m
    return place_m


def _length_m(way: Float64Array) -> float:
    return float(np.sqrt(way @ way))
