"""From a grid of costs to motion: the cheapest way over cells, made a smooth curve, driven within limits.

A route is found on cells (Dijkstra), rounded into a curve without corners (a Gaussian along its length, then a uniform
cubic B-spline, which is C2), and driven at a speed that its curvature, the brakes and the engine allow.
"""

import heapq
from dataclasses import dataclass

import cv2
import numpy as np

from airsim_seg.types import BoolArray, Float64Array, Int64Array

SPACING_M = 1.0  # between the B-spline's control points
STEP_M = 0.05  # between the samples of a curve
SPEED_SMOOTHING_S = 0.35  # takes the corners out of the speed, so that acceleration has no jumps
_LEG_CELLS = 120.0  # a longer way is made of legs of this length
_WORN_FACTOR = 6.0
_BEHIND_CELLS, _BEHIND_FACTOR = 12, 20.0
_MARGIN_S = 3.0  # time planned beyond the end, so that no smoothing sees an edge
# B-spline basis, rows = powers of u (de Boor; any text on uniform cubic B-splines).
_BASIS = np.array([[1, 4, 1, 0], [-3, 0, 3, 0], [3, -6, 3, 0], [-1, 3, -3, 1]], np.float64) / 6


@dataclass(frozen=True)
class Limits:
    """What a vehicle can do.

    Attributes:
        speed_mps: at most.
        acceleration_mps2: along the way, speeding up and braking.
        lateral_mps2: across the way, in bends.
        turn_radps: how fast it turns.
    """

    speed_mps: float
    acceleration_mps2: float
    lateral_mps2: float
    turn_radps: float


@dataclass(frozen=True, eq=False)
class Curve:
    """A smooth line on the ground.

    Attributes:
        places_m: float64 [S,2], north and east, STEP_M apart or nearly.
        arc_m: float64 [S], length from the first sample.
        heading_rad: float64 [S], of the tangent, unwrapped, clockwise from north.
        curvature: float64 [S], 1/m, positive turns right.
    """

    places_m: Float64Array
    arc_m: Float64Array
    heading_rad: Float64Array
    curvature: Float64Array

    @property
    def length_m(self) -> float:
        """Length of the line."""
        return float(self.arc_m[-1])

    def at(self, arc_m: Float64Array) -> tuple[Float64Array, Float64Array]:
        """Places float64 [T,2] and headings float64 [T] at distances along the line."""
        places_m = np.stack([np.interp(arc_m, self.arc_m, self.places_m[:, axis]) for axis in (0, 1)], -1)
        return places_m, np.interp(arc_m, self.arc_m, self.heading_rad)


@dataclass(frozen=True, eq=False)
class CostField:
    """What it costs to come from one cell to every other.

    Attributes:
        cost: float64 [R,C], of the cheapest way; inf where there is none.
        length: float64 [R,C], length of that way in cells.
        previous: int64 [R,C], flat index of the cell before; -1 at the start and where there is no way.
    """

    cost: Float64Array
    length: Float64Array
    previous: Int64Array

    def way_to(self, cell: tuple[int, int]) -> Int64Array:
        """The cheapest way to a cell, start first, int64 [P,2]."""
        columns = self.previous.shape[1]
        flat, way = cell[0] * columns + cell[1], []
        while flat >= 0:
            way.append(divmod(flat, columns))
            flat = int(self.previous.reshape(-1)[flat])
        return np.array(way[::-1], np.int64)


def cost_field(cell_cost: Float64Array, start: tuple[int, int], max_length: float = np.inf) -> CostField:
    """Dijkstra's algorithm over eight neighbours.

    Args:
        cell_cost: float64 [R,C] > 0, a metre's cost in each cell; inf is blocked.
        start: row and column.
        max_length: ways longer than so many cells are not followed.
    """
    columns = cell_cost.shape[1]
    padded = np.pad(cell_cost, 1, constant_values=np.inf)
    width = columns + 2
    weights = padded.reshape(-1).tolist()
    moves = [(dr * width + dc, float(np.hypot(dr, dc))) for dr in (-1, 0, 1) for dc in (-1, 0, 1) if dr or dc]
    cost, length = [np.inf] * len(weights), [np.inf] * len(weights)
    previous = [-1] * len(weights)
    first = (start[0] + 1) * width + start[1] + 1
    cost[first] = length[first] = 0.0
    queue = [(0.0, first)]
    while queue:
        reached, cell = heapq.heappop(queue)
        if reached > cost[cell]:
            continue
        for offset, step in moves:
            neighbour = cell + offset
            total = reached + step * (weights[cell] + weights[neighbour]) / 2
            if total < cost[neighbour] and length[cell] + step <= max_length:
                cost[neighbour], length[neighbour], previous[neighbour] = total, length[cell] + step, cell
                heapq.heappush(queue, (total, neighbour))
    inner = (slice(1, -1), slice(1, -1))
    flat = np.array(previous, np.int64).reshape(padded.shape)[inner]
    unpadded = np.where(flat >= 0, (flat // width - 1) * columns + flat % width - 1, -1)
    return CostField(
        np.array(cost).reshape(padded.shape)[inner], np.array(length).reshape(padded.shape)[inner], unpadded
    )


def long_way(
    cell_cost: Float64Array,
    start: tuple[int, int],
    length: float,
    rng: np.random.Generator,
    *,
    appeal: Float64Array | None = None,
    wear: int = 4,
) -> Int64Array | None:
    """A way of at least a length that does not turn back on itself where that can be helped.

    It is made of legs, each the cheapest way to a goal drawn at random. Where it has been, cells become dear, so that
    the next leg goes on instead of turning round.

    Args:
        cell_cost: float64 [R,C], as for cost_field.
        start: row and column.
        length: wanted, in cells.
        rng: chooses the goals.
        appeal: float64 [R,C] >= 0, how much more likely each cell is as a goal; None = all the same.
        wear: how far beside the way cells become dear, in cells.

    Returns:
        int64 [P,2], or None where the cells reachable from the start do not give so long a way.
    """
    way = np.array([start], np.int64)
    worn = cell_cost.copy()
    for _ in range(int(2 * length / _LEG_CELLS) + 4):
        missing = length - way_length(way)
        leg_length = min(missing, _LEG_CELLS)
        field = cost_field(_forwards(worn, way), (int(way[-1, 0]), int(way[-1, 1])), leg_length * 1.25 + 2)
        goals = np.argwhere(np.isfinite(field.length) & (field.length >= leg_length))
        if not len(goals):
            reach = np.where(np.isfinite(field.length), field.length, -1.0)  # the start itself is 0 away
            goals = np.argwhere((reach >= 0.9 * reach.max()) & (reach >= 0))
        leg = field.way_to(_draw_goal(goals, field, appeal, rng))
        if len(leg) < 4:
            return None
        way = np.concatenate([way, leg[1:]])
        if way_length(way) >= length:
            return way
        _wear_out(worn, leg, wear)
    return None


def _draw_goal(
    goals: Int64Array, field: CostField, appeal: Float64Array | None, rng: np.random.Generator
) -> tuple[int, int]:
    """A goal, likelier where the appeal is high and the way to it is cheap for its length."""
    at = tuple(goals.T)
    cheapness = field.length[at] / np.maximum(field.cost[at], 1e-9)
    weights = cheapness**3 * (1.0 if appeal is None else appeal[at]) + 1e-9
    row, column = goals[rng.choice(len(goals), p=weights / weights.sum())]
    return int(row), int(column)


def _forwards(cost: Float64Array, way: Int64Array) -> Float64Array:
    """The costs with what lies close behind the end of a way made very dear, so that it goes on without a cusp."""
    if len(way) < 2:
        return cost
    end, direction = way[-1], way[-1] - way[max(0, len(way) - _BEHIND_CELLS)]
    rows, columns = (np.arange(size) - middle for size, middle in zip(cost.shape, end, strict=True))
    near = np.hypot(rows[:, None], columns[None, :]) <= _BEHIND_CELLS
    behind = rows[:, None] * direction[0] + columns[None, :] * direction[1] < 0
    return np.where(near & behind, cost * _BEHIND_FACTOR, cost)


def _wear_out(cost: Float64Array, leg: Int64Array, reach: int) -> None:
    """Make the cells along a leg dear, in place."""
    trail = np.zeros(cost.shape, np.uint8)
    trail[tuple(leg.T)] = 1
    beside = cv2.dilate(trail, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)).astype(bool)
    cost[beside] *= _WORN_FACTOR


def way_length(way: Int64Array) -> float:
    """Length of a way in cells."""
    return float(np.linalg.norm(np.diff(way, axis=0), axis=1).sum())


def smooth_curve(points_m: Float64Array, smoothing_m: float) -> Curve:
    """Round a line of points into a C2 curve.

    Args:
        points_m: float64 [P,2], P >= 2.
        smoothing_m: standard deviation of the Gaussian along the line; bends much shorter than it vanish.
    """
    spaced = resample(points_m, SPACING_M)
    control = np.stack([gaussian(spaced[:, axis], smoothing_m / SPACING_M) for axis in (0, 1)], -1)
    u = np.arange(0, 1, STEP_M / SPACING_M)
    powers = np.stack([u**k for k in range(4)], -1) @ _BASIS  # [U,4]
    windows = np.stack([control[k : len(control) - 3 + k] for k in range(4)], 1)  # [segments,4,2]
    places = np.einsum("uk,skd->sud", powers, windows).reshape(-1, 2)
    steps = np.diff(places, axis=0)
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(steps, axis=1))])
    velocity = np.gradient(places, axis=0)
    heading = np.unwrap(np.arctan2(velocity[:, 1], velocity[:, 0]))
    return Curve(places, arc, heading, np.gradient(heading, arc))


def resample(points_m: Float64Array, spacing_m: float) -> Float64Array:
    """Points at equal distances along a line, float64 [N,D]; at least five."""
    arc = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points_m, axis=0), axis=1))])
    at = np.linspace(0, arc[-1], max(5, round(arc[-1] / spacing_m) + 1))
    return np.stack([np.interp(at, arc, points_m[:, axis]) for axis in range(points_m.shape[1])], -1)


def gaussian(values: Float64Array, sigma: float) -> Float64Array:
    """Smooth a sequence, float64 [N]; its ends are continued by reflection through the end points."""
    if sigma <= 0 or len(values) < 2:
        return values
    reach = min(int(np.ceil(4 * sigma)), len(values) - 1)
    window = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    before = 2 * values[0] - values[reach:0:-1]
    after = 2 * values[-1] - values[-2 : -reach - 2 : -1]
    smooth: Float64Array = np.convolve(np.concatenate([before, values, after]), window / window.sum(), "valid")
    return smooth


def drive(curve: Curve, limits: Limits, num_frames: int, rate_hz: float) -> Float64Array | None:
    """Where along the curve the vehicle is at every frame.

    Args:
        curve: the line.
        limits: speed is what bends allow (v^2 |curvature| <= lateral, v |curvature| <= turn), then what engine and
            brakes allow.
        num_frames: frames wanted.
        rate_hz: frames a second.

    Returns:
        float64 [num_frames], metres along the curve; None where the curve is too short.
    """
    bend = np.maximum(np.abs(curve.curvature), 1e-9)
    allowed = np.minimum(np.sqrt(limits.lateral_mps2 / bend), limits.turn_radps / bend)
    speed = np.minimum(limits.speed_mps, allowed)
    step = np.diff(curve.arc_m)
    for order in (range(1, len(speed)), range(len(speed) - 2, -1, -1)):
        for i in order:
            j, ds = (i - 1, step[i - 1]) if order.step > 0 else (i + 1, step[i])
            speed[i] = min(speed[i], float(np.sqrt(speed[j] ** 2 + 2 * limits.acceleration_mps2 * ds)))
    # Time at every sample, then distance at every frame; planned longer, so that smoothing sees no edge.
    times = np.concatenate([[0.0], np.cumsum(step / np.maximum((speed[1:] + speed[:-1]) / 2, 1e-3))])
    if times[-1] < num_frames / rate_hz + 2 * _MARGIN_S:
        return None
    frames = np.arange(num_frames + round(2 * _MARGIN_S * rate_hz)) / rate_hz
    smooth_arc = gaussian(np.interp(frames, times, curve.arc_m), SPEED_SMOOTHING_S * rate_hz)
    first = round(_MARGIN_S * rate_hz)
    return smooth_arc[first : first + num_frames]


def length_needed_m(seconds: float, speed_mps: float) -> float:
    """How long a way should be for so many seconds at a speed; rounding it takes some of its length."""
    return 1.12 * (seconds + 2 * _MARGIN_S + 1.0) * speed_mps


def spread_cells(allowed: BoolArray, count: int, rng: np.random.Generator, num_samples: int = 300) -> Int64Array:
    """Cells that lie far from one another: farthest-point order over a random sample.

    Args:
        allowed: bool [R,C].
        count: how many.
        rng: draws the sample.
        num_samples: size of the sample.

    Returns:
        int64 [min(count, allowed cells),2]; the first few are always the same, whatever the count.
    """
    cells = np.argwhere(allowed)
    if not len(cells):
        return cells
    sample = cells[rng.integers(len(cells), size=num_samples)]
    chosen = [0]
    distance = np.full(len(sample), np.inf)
    while len(chosen) < min(count, num_samples):
        distance = np.minimum(distance, np.linalg.norm(sample - sample[chosen[-1]], axis=1))
        chosen.append(int(np.argmax(distance)))
    return sample[chosen]


def nearest_cell(allowed: BoolArray, anchors: Int64Array, order: int) -> tuple[int, int] | None:
    """The allowed cell nearest to an anchor.

    Args:
        allowed: bool [R,C].
        anchors: int64 [A,2]; spread_cells makes them.
        order: which anchor; counted round.

    Returns:
        Row and column; None where no cell is allowed or there is no anchor.
    """
    cells = np.argwhere(allowed)
    if not len(cells) or not len(anchors):
        return None
    anchor = anchors[order % len(anchors)]
    row, column = cells[np.argmin(((cells - anchor) ** 2).sum(axis=1))]
    return int(row), int(column)
