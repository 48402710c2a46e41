"""Roads over uneven ground: the ground is shaped for them, asphalt and paint lie on it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments.courses import Course
from airsim_seg.builtin.environments.ground import Ground, Lattice
from airsim_seg.builtin.environments.land import HeightOf
from airsim_seg.builtin.environments.meshes import Mesh, flat
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

REACH_M = 16.0  # how far beside a road the ground is shaped for it
ROAD_UP_M, MARK_UP_M = 0.06, 0.075  # above the ground
_SHOULDER_M = 0.9
_DITCH_HALF_M = 1.6
_DASH_M, _GAP_M, _LINE_HALF_M = 3.0, 6.0, 0.06
_CORNER_M = 7.0
_STEEPEST = 0.07  # traffic.Way and the car's suspension are made for gentle hills


@dataclass(frozen=True, eq=False)
class Road:
    """One road.

    Attributes:
        course: its middle.
        profile_m: float64 [K], height of the carriageway at the course's points.
        half_m: half the width of the carriageway.
        ditch_m: depth of the ditches on both sides; 0 for none.
        left_m: float64 [M,M], metres from its middle to the nodes of a lattice, courses.FAR_M where it is far.
        along_m: float64 [M,M], metres along it.
    """

    course: Course
    profile_m: Float64Array
    half_m: float
    ditch_m: float
    left_m: Float64Array
    along_m: Float64Array

    @property
    def beside_m(self) -> Float64Array:
        """float64 [M,M], metres from the edge of the carriageway outwards; negative on it."""
        return np.abs(self.left_m) - self.half_m

    def level_at(self, place_m: Float64Array) -> float:
        """Height of the carriageway at its point that is nearest to a place float64 [2]."""
        x, y = (float(v) for v in place_m)
        return float(self.profile_m[self.course.nearest(x, y)])

    @property
    def level_m(self) -> Float64Array:
        """float64 [M,M], height of the carriageway that is nearest."""
        return np.interp(self.along_m, self.course.arc_m, self.profile_m)


@dataclass(frozen=True)
class Pad:
    """A level rectangle for a house or a yard.

    Attributes:
        x, y: its middle.
        turn_rad: of its long side, counter-clockwise from north.
        half_long_m, half_wide_m: half its sides.
        up_m: its height.
        blend_m: how far beside it the ground is shaped for it.
    """

    x: float
    y: float
    turn_rad: float
    half_long_m: float
    half_wide_m: float
    up_m: float
    blend_m: float = 5.0

    def outside_m(self, x: Float64Array, y: Float64Array) -> Float64Array:
        """Distance of places to the rectangle, 0 within."""
        cos, sin = np.cos(self.turn_rad), np.sin(self.turn_rad)
        along, across = cos * (x - self.x) + sin * (y - self.y), cos * (y - self.y) - sin * (x - self.x)
        ahead = np.maximum(np.abs(along) - self.half_long_m, 0)
        return np.asarray(np.hypot(ahead, np.maximum(np.abs(across) - self.half_wide_m, 0)), np.float64)


def make_road(
    lattice: Lattice,
    course: Course,
    natural: HeightOf,
    *,
    half_m: float,
    ditch_m: float = 0.0,
    ends_m: tuple[float | None, float | None] = (None, None),
) -> Road:
    """Lay a road over natural ground.

    Args:
        lattice: of the ground.
        course: its middle.
        natural: height of the ground without it.
        half_m: half its width.
        ditch_m: depth of its ditches.
        ends_m: heights that its first and last point must have, as where it meets another.
    """
    left, along = course.project(lattice.axis_m, REACH_M + half_m)
    return Road(course, profile_m(course, natural, ends_m), half_m, ditch_m, left, along)


def profile_m(
    course: Course, natural: HeightOf, ends_m: tuple[float | None, float | None], *, smoothing_m: float = 14.0
) -> Float64Array:
    """Height float64 [K] of a road at its points: the ground's, smoothed, nowhere too steep."""
    raw = natural(course.points_m[:, 0], course.points_m[:, 1])
    distance = np.abs(course.arc_m[:, None] - course.arc_m[None])
    smooth = _smoothed(raw, distance, smoothing_m)
    # The mean of the lowest line above and the highest line below that are nowhere steeper.
    above = (smooth[None] + _STEEPEST * distance).min(1)
    below = (smooth[None] - _STEEPEST * distance).max(1)
    profile = (above + below) / 2
    for end, last in zip(ends_m, (0, -1), strict=True):
        if end is not None:
            profile = profile.clip(end - _STEEPEST * distance[last], end + _STEEPEST * distance[last])
    round_off = _smoothed(profile, distance, 5.0)
    for end, last in zip(ends_m, (0, -1), strict=True):
        if end is not None:
            round_off = round_off + (end - round_off[last]) * np.clip(1 - distance[last] / 30.0, 0, 1)
    return round_off


def _smoothed(values: Float64Array, distance: Float64Array, sigma_m: float) -> Float64Array:
    weight = np.exp(-((distance / sigma_m) ** 2) / 2)
    return np.asarray(weight @ values / weight.sum(1), np.float64)


def smoothstep(value: Float64Array) -> Float64Array:
    """0 below 0, 1 above 1, smooth between."""
    part = np.clip(value, 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float64)


def shaped(lattice: Lattice, natural_m: Float64Array, roads: Sequence[Road], pads: Sequence[Pad]) -> Float64Array:
    """Heights float64 [M,M] of ground with cuttings and banks for roads, and level pads.

    Args:
        lattice: of the ground.
        natural_m: float64 [M,M], heights without anything.
        roads: the most important first.
        pads: wherever.
    """
    x, y = lattice.nodes_m
    up = natural_m.copy()
    for pad in pads:
        up += (pad.up_m - up) * smoothstep(1 - pad.outside_m(x, y) / pad.blend_m)
    for road in roads[::-1]:
        up += (road.level_m - up) * smoothstep(1 - (road.beside_m - _SHOULDER_M) / (REACH_M - 2 * _SHOULDER_M))
    for road in roads:
        if road.ditch_m > 0:
            off = (road.beside_m - _SHOULDER_M - _DITCH_HALF_M) / _DITCH_HALF_M
            up -= road.ditch_m * smoothstep(1 - np.abs(off))
    # Where roads meet, the nearer one counts more, without a step.
    weights = [np.exp(-road.beside_m.clip(-4, 30) / 0.8) for road in roads]
    level = sum(weight * road.level_m for weight, road in zip(weights, roads, strict=True)) / np.sum(weights, 0)
    up += (level - up) * smoothstep(1 - (joint_m(roads) - 0.5 * _SHOULDER_M) / (0.5 * _SHOULDER_M))
    return up


def joint_m(roads: Sequence[Road]) -> Float64Array:
    """Metres from the edge of all asphalt outwards, float64 [M,M]: the corners between roads are rounded off.

    Source: the polynomial smooth minimum of Quilez, Smooth minimum (2013).
    """
    found = roads[0].beside_m
    for road in roads[1:]:
        # Behind its end, which lies in the middle of another road, it rounds nothing off.
        behind = (road.along_m <= 0) | (road.along_m >= road.course.length_m)
        beside = road.beside_m + _CORNER_M * behind
        share = np.clip(0.5 + 0.5 * (beside - found) / _CORNER_M, 0, 1)
        found = beside + (found - beside) * share - _CORNER_M * share * (1 - share)
    return found


def corners(ground: Ground, roads: Sequence[Road], *, up_m: float) -> Mesh:
    """The asphalt of the rounded corners alone, in map coordinates."""
    joint, beside = joint_m(roads), [road.beside_m for road in roads]
    rounded = np.min(beside, 0) - joint - 0.02
    return ground.mesh(Material.ASPHALT, rounded, -joint, *[b + 0.1 for b in beside], up_m=up_m, tile_m=6.0)


def asphalt(ground: Ground, road: Road, *, up_m: float = ROAD_UP_M, material: Material = Material.ASPHALT) -> Mesh:
    """The carriageway, in map coordinates."""
    return ground.mesh(material, -road.beside_m, up_m=up_m, tile_m=6.0)


def markings(ground: Ground, road: Road, away: Sequence[Road] = (), *, edges: bool = True) -> Mesh:
    """A dashed middle line and lines along the edges, left out where other roads are, in map coordinates."""
    course = road.course
    starts = np.arange(4.0, course.length_m - _DASH_M, _DASH_M + _GAP_M)
    lines = [(0.0, float(start), float(start) + _DASH_M) for start in starts]
    if edges:
        lines += [(left, 0.0, course.length_m) for left in (road.half_m - 0.2, 0.2 - road.half_m)]
    faces = np.concatenate([_painted(ground, course, *line, away) for line in lines])
    return flat(faces[:, [(0, 1, 2), (0, 2, 3)]], Material.TRIM, tile_m=1.0)


def _painted(
    ground: Ground, course: Course, left_m: float, start_m: float, end_m: float, away: Sequence[Road]
) -> Float64Array:
    """A line of paint as quadrangles float64 [N,4,3] a metre or two long; none within another road."""
    stops = np.linspace(start_m, end_m, max(2, round((end_m - start_m) / 1.5) + 1))
    rails = np.stack([course.places_m(stops, left_m + side) for side in (-_LINE_HALF_M, _LINE_HALF_M)], 1)
    near = np.max(np.abs(rails), axis=(1, 2)) < ground.lattice.lines_m[-1] - 1.0
    for other in away:
        apart = np.linalg.norm(rails[:, :1] - other.course.points_m[None], axis=-1).min(1)
        near &= apart > other.half_m + _CORNER_M / 2
    up = ground.up_m(rails[..., 0], rails[..., 1]) + MARK_UP_M
    right, left = np.moveaxis(np.concatenate([rails, up[..., None]], -1), 1, 0)
    faces = np.stack([right[:-1], right[1:], left[1:], left[:-1]], 1)
    return np.asarray(faces[near[:-1] & near[1:]], np.float64)
