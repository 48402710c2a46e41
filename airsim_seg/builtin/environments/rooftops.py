"""What is on top of buildings. Frames as in buildings.py; each is made at its height."""

import numpy as np

from airsim_seg.builtin.environments import facades
from airsim_seg.builtin.environments.buildings import PARAPET_M, Building
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, joined, moved, quad, quads
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_WALL_M = 0.3
_DECK_M = 0.05
_STEEP_INSET_M, _STEEP_RISE_M = 1.5, 3.3
_EAVES_M = 0.45


def flat_roof(building: Building, *, cornice_m: float) -> Mesh:
    """Deck, the parapet's inside and coping, and a cornice that stands out so far from the walls."""
    x, y, z = building.deep_m / 2, building.wide_m / 2, building.wall_m
    top = z + PARAPET_M
    inner = _loop(x - _WALL_M, y - _WALL_M)
    parts = [
        quad((-x, -y, z + _DECK_M), (x, -y, z + _DECK_M), (x, y, z + _DECK_M), (-x, y, z + _DECK_M),
             material=Material.ROOFING, uv_scale=0.12),
        _band(inner[::-1], z, top),
        _coping(x + 0.06, y + 0.06, x - _WALL_M - 0.06, y - _WALL_M - 0.06, top),
    ]  # fmt: skip
    if cornice_m > 0:
        parts.append(_ring(x, y, cornice_m, z - 0.35, z + 0.15))
        parts.append(_ring(x, y, cornice_m * 0.5, z - 0.7, z - 0.35))
    return joined(parts)


def _loop(x: float, y: float) -> Float64Array:
    """float64 [5,2]: round a rectangle, counter-clockwise, closed."""
    return np.array(((x, -y), (x, y), (-x, y), (-x, -y), (x, -y)))


def _band(loop: Float64Array, low: float, top: float, material: Material = Material.PLASTER) -> Mesh:
    """Upright faces along a loop, outside on its right."""
    a, b = loop[:-1], loop[1:]
    corners = np.stack([_at(a, low), _at(b, low), _at(b, top), _at(a, top)], 1)
    return quads(corners, material, _along(corners))


def _at(points: Float64Array, z: float) -> Float64Array:
    return np.column_stack([points, np.full(len(points), z)])


def _along(corners: Float64Array) -> Float64Array:
    return np.stack([corners[..., 0] + corners[..., 1], corners[..., 2] + 0.5 * corners[..., 1]], -1) / 3.0


def _flat_ring(outer: Float64Array, inner: Float64Array, z: float, *, up: bool) -> Mesh:
    a, b, c, d = outer[:-1], outer[1:], inner[1:], inner[:-1]
    order = (a, b, c, d) if up else (b, a, d, c)
    corners = np.stack([_at(p, z) for p in order], 1)
    return quads(corners, Material.PLASTER, _along(corners))


def _coping(x: float, y: float, inner_x: float, inner_y: float, z: float) -> Mesh:
    """A slab on the parapet."""
    outer, inner = _loop(x, y), _loop(inner_x, inner_y)
    return joined(
        [
            _flat_ring(outer, inner, z + 0.08, up=True),
            _band(outer, z - 0.05, z + 0.08),
            _band(inner[::-1], z - 0.05, z + 0.08),
        ]
    )


def _ring(x: float, y: float, out: float, low: float, top: float) -> Mesh:
    """A moulding round the walls."""
    outer, inner = _loop(x + out, y + out), _loop(x, y)
    return joined(
        [_band(outer, low, top), _flat_ring(outer, inner, top, up=True), _flat_ring(outer, inner, low, up=False)]
    )


def steep_roof(building: Building, rng: np.random.Generator) -> Mesh:
    """A mansard: steep slopes with dormers in front and behind, a flat top; party walls go up between."""
    x, y, z = building.deep_m / 2 + _EAVES_M, building.wide_m / 2, building.wall_m
    top = z + _STEEP_RISE_M
    inset = x - _EAVES_M - _STEEP_INSET_M
    parts = [
        quad(
            (-inset, -y, top),
            (inset, -y, top),
            (inset, y, top),
            (-inset, y, top),
            material=Material.ROOFING,
            uv_scale=0.12,
        ),
        box((-x, -y - 0.02, z - 0.22), (x, y + 0.02, z + 0.04), Material.TRIM, bottom=True),
    ]
    slope = np.array(((x, -y, z), (x, y, z), (inset, y, top), (inset, -y, top)))
    long = float(np.linalg.norm(slope[2] - slope[1]))
    for turn in (0.0, np.pi):
        face = quad(*slope, material=Material.SHINGLES, uv_scale=1 / 3.0)
        parts.append(moved(face, (0, 0, 0), turn))
        dormers = _dormers(building, x, z, rng) if long > 2 else []
        parts.extend(moved(d, (0, 0, 0), turn) for d in dormers)
    return joined(parts)


def gables(building: Building) -> Mesh:
    """The walls at the ends of a steep roof; they are the house's."""
    x, y, z = building.deep_m / 2, building.wide_m / 2, building.wall_m
    inset, top = x - _STEEP_INSET_M, z + _STEEP_RISE_M + 0.25
    ends = np.array(((x, y, z), (-x, y, z), (-inset, y, top), (inset, y, top)))
    uv = ends[:, [0, 2]] / facades.BRICK_TILE_M
    left = quads(ends[None], building.material, uv[None])
    right = quads((ends * (1, -1, 1))[None, ::-1], building.material, uv[None, ::-1])
    return joined([left, right])


def _dormers(building: Building, x: float, z: float, rng: np.random.Generator) -> list[Mesh]:
    count = max(1, int(building.wide_m / 3.6))
    places = (np.arange(count) - (count - 1) / 2) * building.wide_m / count
    column = float(rng.integers(4))
    found = []
    for y in places:
        front = x - 0.5
        cheeks = box((front - 1.6, y - 0.62, z + 0.55), (front, y + 0.62, z + 2.25), Material.CLADDING, tile_m=2.0)
        hood = box((front - 1.7, y - 0.75, z + 2.25), (front + 0.14, y + 0.75, z + 2.4), Material.TRIM, bottom=True)
        pane = facades.rectangles(
            np.array([(y - 0.5, z + 0.7, y + 0.5, z + 2.15)]), front + 0.02, Material.PANES,
            facades.cells(np.array([float(building.pane_row)]), np.array([column]), (4, 4)),
        )  # fmt: skip
        found.append(joined([cheeks, hood, pane]))
    return found


def chimneys(building: Building, rng: np.random.Generator) -> Mesh:
    """A stack at each end of a steep roof."""
    z = building.wall_m + _STEEP_RISE_M
    parts = []
    for y in (-building.wide_m / 2 + 0.45, building.wide_m / 2 - 0.45):
        x = float(rng.uniform(-1.5, 1.5))
        parts.append(box((x - 0.8, y - 0.35, z - 0.5), (x + 0.8, y + 0.35, z + 1.5), Material.BRICK, tile_m=2.0))
        parts.append(box((x - 0.88, y - 0.43, z + 1.5), (x + 0.88, y + 0.43, z + 1.62), Material.CONCRETE, bottom=True))
        parts += [
            cylinder((x + at, y, z + 1.6), (x + at, y, z + 2.0), (0.14, 0.11), Material.TRIM, sides=5)
            for at in (-0.4, 0.4)
        ]
    return joined(parts)


def roof_works(building: Building, rng: np.random.Generator) -> Mesh:
    """On a flat roof: the head of the stairs, ventilators, a duct, an aerial."""
    z = building.wall_m + _DECK_M
    x, y = building.deep_m / 2 - 2.2, building.wide_m / 2 - 2.2
    side = rng.choice((-1.0, 1.0), 2)
    at = (side[0] * x * 0.5, side[1] * y * 0.55)
    parts = [
        box((at[0] - 1.5, at[1] - 1.3, z), (at[0] + 1.5, at[1] + 1.3, z + 2.6), Material.PLASTER),
        box((at[0] - 1.6, at[1] - 1.4, z + 2.6), (at[0] + 1.6, at[1] + 1.4, z + 2.75), Material.ROOFING, bottom=True),
        box((at[0] + 1.5, at[1] - 0.4, z), (at[0] + 1.55, at[1] + 0.4, z + 2.0), Material.WOOD),
    ]
    for _ in range(int(rng.integers(2, 5))):
        u, v = rng.uniform(-x, x), rng.uniform(-y, y)
        parts.append(cylinder((u, v, z), (u, v, z + 0.8), (0.22, 0.22), Material.METAL, sides=5))
        parts.append(cylinder((u, v, z + 0.75), (u, v, z + 1.05), (0.38, 0.1), Material.METAL, sides=6))
    u, v = -at[0], rng.uniform(-y, y) * 0.6
    parts.append(box((u - 0.9, v - 1.6, z + 0.2), (u + 0.9, v + 1.6, z + 1.5), Material.CLADDING, tile_m=2.0))
    parts.append(box((u - 0.25, v + 1.6, z + 0.5), (u + 0.25, v + 3.4, z + 0.9), Material.METAL))
    if rng.random() < 0.5:
        parts.append(cylinder((at[0], at[1], z + 2.7), (at[0], at[1], z + 6.5), (0.05, 0.03), Material.METAL, sides=4))
    return joined(parts)


def water_tank(building: Building, rng: np.random.Generator) -> Mesh:
    """Staves on a steel frame under a cone, 6 m high."""
    z = building.wall_m + _DECK_M
    x = float(rng.uniform(-0.2, 0.2)) * building.deep_m
    y = float(rng.choice((-1.0, 1.0))) * max(0.0, building.wide_m / 2 - 3.2)
    legs = [
        cylinder((x + a, y + b, z), (x + a * 0.9, y + b * 0.9, z + 2.4), (0.09, 0.09), Material.METAL, sides=4)
        for a in (-1.1, 1.1) for b in (-1.1, 1.1)
    ]  # fmt: skip
    floor = box((x - 1.4, y - 1.4, z + 2.3), (x + 1.4, y + 1.4, z + 2.5), Material.WOOD, bottom=True)
    tank = cylinder((x, y, z + 2.5), (x, y, z + 5.3), (1.5, 1.42), Material.WOOD, sides=12)
    cone = cylinder((x, y, z + 5.25), (x, y, z + 6.4), (1.66, 0.05), Material.SHINGLES, sides=12)
    return joined([*legs, floor, tank, cone])


def pavilion_roof(deep_m: float, wide_m: float, z: float) -> Mesh:
    """A thin slab that reaches beyond its walls."""
    x, y = deep_m / 2, wide_m / 2
    slab = box((-x, -y, z), (x, y, z + 0.28), Material.PLASTER, bottom=True)
    top = z + 0.285
    corners = ((-x, -y, top), (x, -y, top), (x, y, top), (-x, y, top))
    felt = quad(*corners, material=Material.ROOFING, uv_scale=0.12)
    return joined([slab, felt])
