"""Houses: walls, windows, roofs, porches, garages. Frame: x out of the front door, y left, z up, foot in the middle."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, Point, box, flat, joined, moved, quad, rectangle_uv
from airsim_seg.builtin.rendering.materials import Material

STOREY_M = 2.9
_EAVES_M = 0.55
_SLAB_M = 0.16


@dataclass(frozen=True)
class House:
    """Sizes of one house, metres.

    Attributes:
        deep_m: along x.
        wide_m: along y.
        storeys: 1 or 2.
        rise_m: of the roof above the walls.
        hipped: all four sides of the roof slope; else two gables.
        brick: brick walls, else boards.
    """

    deep_m: float
    wide_m: float
    storeys: int
    rise_m: float
    hipped: bool
    brick: bool

    @property
    def wall_m(self) -> float:
        """Height of the walls."""
        return 0.35 + STOREY_M * self.storeys


def random_house(rng: np.random.Generator) -> House:
    """Any house of the street."""
    storeys = 2 if rng.random() < 0.5 else 1
    deep = rng.uniform(9.0, 11.0)
    return House(
        deep_m=deep,
        wide_m=rng.uniform(12.0, 15.0) if storeys == 1 else rng.uniform(9.5, 12.0),
        storeys=storeys,
        rise_m=deep * (rng.uniform(0.16, 0.24) if storeys == 1 else rng.uniform(0.26, 0.38)),
        hipped=bool(rng.random() < 0.4),
        brick=bool(rng.random() < 0.25),
    )


def walls(house: House) -> Mesh:
    """Walls with gables, windows and a front door."""
    x, y, top = house.deep_m / 2, house.wide_m / 2, house.wall_m
    material = Material.BRICK if house.brick else Material.SIDING
    parts = [
        box((-x, -y, 0.3), (x, y, top), material, tile_m=2.6),
        box((-x - 0.06, -y - 0.06, -0.6), (x + 0.06, y + 0.06, 0.32), Material.CONCRETE),
    ]
    if not house.hipped:
        gable = [((x, -y, top), (0, -y, top + house.rise_m), (-x, -y, top))]
        gable.append(((-x, y, top), (0, y, top + house.rise_m), (x, y, top)))
        parts.append(flat(gable, material, tile_m=2.6))
    parts.append(_door((x, 0.0)))
    parts.extend(moved(_window(), place, turn) for place, turn in window_places(house))
    return joined(parts)


def window_places(house: House) -> list[tuple[tuple[float, float, float], float]]:
    """Middle of each window on the wall, and the direction it looks, radians counter-clockwise from x."""
    places = []
    for storey in range(house.storeys):
        z = 0.35 + storey * STOREY_M + 1.55
        for turn, half, reach in _faces(house):
            count = max(2, int(2 * half / 3.2))
            for along in (np.arange(count) - (count - 1) / 2) * (2 * half / count):
                if turn == 0.0 and storey == 0 and abs(along) < 1.5:
                    continue  # the front door
                cos, sin = np.cos(turn), np.sin(turn)
                places.append(((reach * cos - along * sin, reach * sin + along * cos, z), turn))
    return places


def _faces(house: House) -> list[tuple[float, float, float]]:
    x, y = house.deep_m / 2, house.wide_m / 2
    return [(0.0, y, x), (np.pi / 2, x, y), (np.pi, y, x), (-np.pi / 2, x, y)]


@cache
def _window() -> Mesh:
    frame = box((-0.05, -0.62, -0.72), (0.07, 0.62, 0.72), Material.TRIM)
    panes = [
        quad(
            (0.075, a, c),
            (0.075, a + 0.5, c),
            (0.075, a + 0.5, c + 0.58),
            (0.075, a, c + 0.58),
            material=Material.GLASS,
        )
        for a in (-0.54, 0.04)
        for c in (-0.63, 0.05)
    ]
    return joined([frame, *panes])


def _door(at: tuple[float, float]) -> Mesh:
    x, y = at
    frame = box((x - 0.05, y - 0.62, 0.3), (x + 0.06, y + 0.62, 2.55), Material.TRIM)
    leaf = box((x, y - 0.5, 0.32), (x + 0.09, y + 0.5, 2.4), Material.WOOD)
    return joined([frame, leaf])


def shutters(house: House) -> Mesh:
    """A pair beside every window of the front."""
    parts = []
    for place, turn in window_places(house):
        if turn == 0.0:
            for side in (-0.88, 0.88):
                parts.append(
                    moved(box((0.0, side - 0.22, -0.72), (0.09, side + 0.22, 0.72), Material.SIDING, tile_m=0.9), place)
                )
    return joined(parts)


def roof(house: House) -> Mesh:
    """Shingled slopes with a slab's thickness, overhanging the walls."""
    x, y = house.deep_m / 2 + _EAVES_M, house.wide_m / 2 + _EAVES_M
    drop = house.rise_m * _EAVES_M / (house.deep_m / 2)
    z = house.wall_m - drop
    return roof_slab(x, y, z, house.rise_m + drop, hipped=house.hipped)


def roof_slab(x: float, y: float, z: float, rise: float, *, hipped: bool) -> Mesh:
    """A roof over [-x, x] by [-y, y] from height z, its ridge along y.

    Args:
        x: half its depth.
        y: half its width.
        z: of the eaves' underside.
        rise: of the ridge above the eaves.
        hipped: slopes on all four sides.
    """
    eaves = z + _SLAB_M
    inset = min(x, y - 0.3) if hipped else 0.0
    a, b, c, d = (x, -y, eaves), (x, y, eaves), (-x, y, eaves), (-x, -y, eaves)
    left, right = (0.0, y - inset, eaves + rise), (0.0, -y + inset, eaves + rise)
    parts = [
        _slope(a, b, left, right),
        _slope(c, d, right, left),
        box((-x, -y, z), (x, y, eaves), Material.TRIM, bottom=True),
    ]
    if hipped:
        parts += [_slope(b, c, left, left), _slope(d, a, right, right)]
        return joined(parts[:2] + parts[3:] + [_fascia(x, y, z, eaves)])
    parts[2] = joined([_barge(x, y, z, eaves, rise, side) for side in (-1.0, 1.0)] + [_undersides(x, y, z, rise)])
    return joined(parts)


def _slope(a: Point, b: Point, c: Point, d: Point) -> Mesh:
    """A roof plane a-b-c-d (c = d for a triangle) with courses of shingles along a-b."""
    pa, pb, pc, pd = (np.asarray(p, np.float64) for p in (a, b, c, d))
    along = (pb - pa) / np.linalg.norm(pb - pa)
    normal = np.cross(pb - pa, pc - pa)
    up = np.cross(normal / np.linalg.norm(normal), along)
    corners = [(pa, pb, pc)] if np.allclose(pc, pd) else [(pa, pb, pc), (pa, pc, pd)]
    uv = [[((p - pa) @ along / 3.0, (p - pa) @ up / 3.0) for p in triangle] for triangle in corners]
    return flat(corners, Material.SHINGLES, uv=uv)


def _fascia(x: float, y: float, z: float, eaves: float) -> Mesh:
    """The boards around a hipped roof and its flat soffit."""
    return box((-x, -y, z), (x, y, eaves), Material.TRIM, bottom=True)


def _barge(x: float, y: float, z: float, eaves: float, rise: float, side: float) -> Mesh:
    """The boards that close a gable end, and the gutter boards' ends."""
    parts = []
    for s in (-1.0, 1.0):
        low, high = (s * x, side * y), (0.0, side * y)
        corners = [(*low, z), (*high, z + rise), (*high, eaves + rise), (*low, eaves)]
        parts.append(quad(*(corners if s * side < 0 else corners[::-1]), material=Material.TRIM))
    front = [(side * x, -y, z), (side * x, y, z), (side * x, y, eaves), (side * x, -y, eaves)]
    parts.append(quad(*(front if side > 0 else front[::-1]), material=Material.TRIM))
    return joined(parts)


def _undersides(x: float, y: float, z: float, rise: float) -> Mesh:
    ridge_left, ridge_right = (0.0, y, z + rise), (0.0, -y, z + rise)
    return joined(
        [
            quad((x, y, z), (x, -y, z), ridge_right, ridge_left, material=Material.TRIM),
            quad((-x, -y, z), (-x, y, z), ridge_left, ridge_right, material=Material.TRIM),
        ]
    )


def chimney(house: House, y: float) -> Mesh:
    """A brick stack beside the ridge."""
    top = house.wall_m + house.rise_m + 0.9
    low = house.wall_m + house.rise_m * 0.45
    stack = box((-1.5, y - 0.42, low), (-0.75, y + 0.42, top), Material.BRICK, tile_m=2.0)
    cap = box((-1.58, y - 0.5, top), (-0.67, y + 0.5, top + 0.12), Material.CONCRETE, bottom=True)
    return joined([stack, cap])


def veranda(house: House, wide_m: float) -> Mesh:
    """A porch before the front door: deck, posts, railings, a lean-to roof."""
    front = house.deep_m / 2
    reach, half, head = 2.4, wide_m / 2, 2.75
    parts = [box((front, -half, -0.5), (front + reach, half, 0.32), Material.WOOD)]
    posts = np.linspace(-half + 0.12, half - 0.12, 4)
    for y in posts:
        parts.append(box((front + reach - 0.2, y - 0.08, 0.3), (front + reach - 0.04, y + 0.08, head), Material.TRIM))
    for y0, y1 in ((posts[0], posts[1]), (posts[2], posts[3])):
        parts.append(railing((front + reach - 0.12, y0, 0.32), (front + reach - 0.12, y1, 0.32), 0.85))
    for y in (posts[0], posts[-1]):
        parts.append(railing((front + 0.1, y, 0.32), (front + reach - 0.12, y, 0.32), 0.85))
    eave = front + reach + 0.35
    low, high = (
        [(eave, -half - 0.3, head), (eave, half + 0.3, head)],
        [(front, half + 0.3, head + 0.75), (front, -half - 0.3, head + 0.75)],
    )
    parts.append(_slope(low[0], low[1], high[0], high[1]))
    parts.append(quad(high[1], high[0], low[1], low[0], material=Material.TRIM))
    parts.append(
        box((eave - 0.06, -half - 0.3, head - 0.14), (eave, half + 0.3, head + 0.02), Material.TRIM, bottom=True)
    )
    steps = [
        box((front + reach, -0.9, -0.5), (front + reach + 0.9 - 0.3 * k, 0.9, 0.1 * (k + 1) - 0.05), Material.CONCRETE)
        for k in range(3)
    ]
    return joined([*parts, *steps])


def railing(start: Point, end: Point, height_m: float) -> Mesh:
    """A row of pickets between two points of the deck (see-through)."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    up = np.array((0, 0, height_m))
    corners = np.array(((a, b, b + up), (a, b + up, a + up)))
    return flat(corners, Material.PICKETS, uv=rectangle_uv(float(np.linalg.norm(b - a)), 1.0))


def garage(deep_m: float, wide_m: float) -> Mesh:
    """Walls and door of a garage whose flat roof is an object of its own; origin in the middle of its door's foot."""
    half, head = wide_m / 2, 2.7
    body = box((-deep_m, -half, -0.4), (0.0, half, head), Material.SIDING, tile_m=2.6)
    door = box((-0.02, -half + 0.45, 0.0), (0.05, half - 0.45, 2.2), Material.TRIM)
    grooves = [box((0.05, -half + 0.5, z), (0.06, half - 0.5, z + 0.04), Material.RUBBER) for z in (0.55, 1.1, 1.65)]
    return joined([body, door, *grooves])


def garage_roof(deep_m: float, wide_m: float) -> Mesh:
    """A low roof over the garage."""
    half = wide_m / 2 + 0.35
    return box((-deep_m - 0.3, -half, 2.7), (0.45, half, 2.92), Material.SHINGLES, bottom=True, tile_m=3.0)
