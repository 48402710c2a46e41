"""Trees, hedges and low plants from leaf cards: single triangles with a see-through leaf sprite."""

import numpy as np

from airsim_seg.builtin.environments.meshes import Levels, Mesh, Point, box, cross, cylinder, joined
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

# From here a card of a metre is seven pixels wide in a picture of 640 pixels and 90 degrees.
_SWITCH_M = 45.0
_COARSE_EVERY = 3
_CARD_UV = np.array(((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)))


def _unit(vectors: Float64Array) -> Float64Array:
    result: Float64Array = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
    return result


def cards(
    centres: Float64Array, outward: Float64Array, sizes_m: Float64Array, material: Material, rng: np.random.Generator
) -> Mesh:
    """One leaf card a centre, randomly turned.

    Args:
        centres: float64 [N,3].
        outward: float64 [N,3], unit; the shading normal, so that a crown is lit like a solid body.
        sizes_m: float64 [N], side of a card.
        material: LEAVES or NEEDLES.
        rng: of the turning.
    """
    facing = _unit(outward + 0.9 * rng.normal(size=centres.shape))
    along = _unit(cross(facing, rng.normal(size=centres.shape)))
    across = cross(facing, along)
    half, high = (0.55 * sizes_m)[:, None], (0.62 * sizes_m)[:, None]
    corners = np.stack(
        [centres - along * half - across * high * 0.6, centres + along * half - across * high * 0.6,
         centres + across * high], 1
    )  # fmt: skip
    normals = _unit(outward + 0.35 * facing)
    return Mesh(
        corners,
        np.repeat(normals[:, None], 3, 1),
        np.tile(_CARD_UV, (len(centres), 1, 1)),
        np.full(len(centres), int(material), np.int32),
    )


def crown(
    centre: Float64Array, radii_m: Float64Array, count: int, card_m: float, rng: np.random.Generator, *, lobes: int
) -> Mesh:
    """A broadleaf crown: leaf cards near the surface of several overlapping lobes.

    Args:
        centre: float64 [3].
        radii_m: float64 [3], of the whole crown.
        count: cards.
        card_m: side of a card.
        rng: of everything.
        lobes: how many; few make a round crown, many a ragged one.
    """
    heart = _unit(rng.normal(size=(lobes, 3))) * rng.uniform(0.3, 0.68, (lobes, 1))
    heart[:, 2] = heart[:, 2] * 0.9 + 0.05
    lobe_radius = rng.uniform(0.34, 0.56, lobes)
    which = rng.choice(lobes, count, p=lobe_radius**2 / (lobe_radius**2).sum())
    direction = _unit(rng.normal(size=(count, 3)) + np.array((0, 0, 0.15)))
    depth = rng.random(count) ** 0.35
    unit_place = heart[which] + direction * (lobe_radius[which] * depth)[:, None]
    outward = _unit(unit_place * 0.7 + direction * 0.6 + (0, 0, 0.12))
    sizes = card_m * rng.uniform(0.7, 1.3, count)
    return cards(centre + unit_place * radii_m, outward, sizes, Material.LEAVES, rng)


def broadleaf(
    rng: np.random.Generator,
    *,
    height_m: float,
    spread_m: float,
    count: int,
    card_m: float = 0.8,
    bark: Material = Material.BARK,
    lobes: int = 9,
) -> Mesh:
    """A broadleaf tree with its foot at the origin.

    Args:
        rng: of its shape.
        height_m: to the top.
        spread_m: radius of the crown.
        count: leaf cards.
        card_m: side of a card.
        bark: material of trunk and branches.
        lobes: of the crown.
    """
    clear = height_m * rng.uniform(0.2, 0.27)
    middle = np.array((0.0, 0.0, clear + (height_m - clear) * 0.52))
    thick = 0.022 * height_m + 0.05 * spread_m * 0.6
    lean = rng.normal(size=2) * 0.15
    fork = np.array((lean[0], lean[1], clear * 1.25))
    parts = [
        cylinder((0, 0, -0.3), fork, (thick * 1.25, thick * 0.8), bark, sides=8),
        cylinder(fork, (lean[0] * 2, lean[1] * 2, height_m * 0.72), (thick * 0.8, thick * 0.15), bark, sides=6),
    ]
    for turn in np.arange(6) * 1.05 + rng.uniform(0, 1):
        reach = spread_m * rng.uniform(0.4, 0.62)
        tip = np.array((reach * np.cos(turn), reach * np.sin(turn), middle[2] + rng.uniform(-0.08, 0.12) * height_m))
        parts.append(cylinder(fork * rng.uniform(0.85, 1.2), tip, (thick * 0.5, thick * 0.1), bark, sides=5))
    radii = np.array((spread_m, spread_m, (height_m - clear) * 0.56))
    parts.append(crown(middle, radii, count, card_m, rng, lobes=lobes))
    return joined(parts)


def fir(rng: np.random.Generator, *, height_m: float, spread_m: float, count: int) -> Mesh:
    """A fir: drooping branches in a cone down to the ground, foot at the origin."""
    level = 1 - np.sqrt(rng.random(count))  # 0 at the foot: most branches are low
    level = np.clip(level + 0.02, 0, 1)
    turn = rng.uniform(0, 2 * np.pi, count)
    reach = spread_m * ((1 - level) * rng.uniform(0.75, 1.1, count) + 0.05)
    heart = np.stack([0 * turn, 0 * turn, height_m * (0.08 + 0.9 * level)], 1)
    away = np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1)
    droop = np.array((0, 0, 1.0)) * (-0.32 * reach * rng.uniform(0.5, 1.5, count))[:, None]
    side = np.stack([-np.sin(turn), np.cos(turn), rng.uniform(-0.5, 0.5, count)], 1) * (0.42 * reach + 0.16)[:, None]
    start = heart + away * (0.12 * reach)[:, None]
    corners = np.stack([start - side, start + side, heart + away * reach[:, None] + droop], 1)
    normals = np.repeat(_unit(away + np.array((0, 0, 0.55)))[:, None], 3, 1)
    branches = Mesh(corners, normals, np.tile(_CARD_UV, (count, 1, 1)), np.full(count, int(Material.NEEDLES), np.int32))
    trunk = cylinder((0, 0, -0.3), (0, 0, height_m * 0.95), (0.03 * height_m, 0.02), Material.BARK, sides=6)
    return joined([trunk, branches])


def hedge(rng: np.random.Generator, *, length_m: float, height_m: float, width_m: float, density: float) -> Mesh:
    """A clipped hedge along x, centred at the origin: leaf cards around a dark heart.

    Args:
        rng: of its leaves.
        length_m: along x.
        height_m: to the top.
        width_m: across.
        density: cards a square metre of its surface.
    """
    size = np.array((length_m, width_m, height_m))
    areas = np.array((width_m * height_m, length_m * height_m, length_m * width_m / 2))  # no leaves below
    count = int(2 * areas.sum() * density)
    axis = rng.choice(3, count, p=areas / areas.sum())
    sign = np.where(axis == 2, 1.0, rng.choice((-1.0, 1.0), count))
    place = rng.uniform(-0.5, 0.5, (count, 3))
    rows = np.arange(count)
    place[rows, axis] = sign * rng.uniform(0.42, 0.5, count)
    outward = np.zeros((count, 3))
    outward[rows, axis] = sign
    wave = 0.12 * np.sin(place[:, 0] * length_m * 1.7 + rng.uniform(0, 6))
    centres = place * size + (0, 0, height_m / 2)
    centres[:, 2] *= 1 + wave
    leaves = cards(centres, _unit(outward + np.array((0, 0, 0.3))), rng.uniform(0.3, 0.75, count), Material.LEAVES, rng)
    inner = size / 2 * (0.98, 0.72, 1.0)
    heart = box((-inner[0], -inner[1], 0), (inner[0], inner[1], height_m * 0.85), Material.THICKET)
    return joined([leaves, heart])


def with_levels(tree: Mesh, anchor_m: Point) -> Levels:
    """A plant with a coarse form for far cameras: every third leaf card, and larger.

    Args:
        tree: in NED.
        anchor_m: [3], its foot, NED.
    """
    leafy = np.isin(tree.materials, (int(Material.LEAVES), int(Material.NEEDLES)))
    rows = np.sort(np.concatenate([np.flatnonzero(~leafy), np.flatnonzero(leafy)[::_COARSE_EVERY]]))
    corners = tree.corners[rows]
    middle = corners.mean(1, keepdims=True)
    growth = np.where(leafy[rows], np.sqrt(_COARSE_EVERY), 1.0)[:, None, None]
    coarse = Mesh(middle + (corners - middle) * growth, tree.normals[rows], tree.uv[rows], tree.materials[rows])
    north, east, down = (float(v) for v in anchor_m)
    return Levels(tree, coarse, (north, east, down), _SWITCH_M)


def fern(rng: np.random.Generator, *, radius_m: float, count: int) -> Mesh:
    """A low leafy plant at the origin."""
    direction = _unit(rng.normal(size=(count, 3)) * (1, 1, 0.6) + (0, 0, 0.5))
    centres = direction * radius_m * rng.uniform(0.4, 1.0, (count, 1)) * (1, 1, 0.8)
    return cards(centres, direction, rng.uniform(0.25, 0.45, count), Material.LEAVES, rng)


def fallen_leaves(rng: np.random.Generator, places_m: Float64Array) -> Mesh:
    """Single leaves lying at places [N,3] (own frame)."""
    up = np.tile((0.0, 0.0, 1.0), (len(places_m), 1))
    turn = rng.uniform(0, 2 * np.pi, len(places_m))
    size = rng.uniform(0.04, 0.10, (len(places_m), 1))
    a = np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1) * size
    b = np.stack([-np.sin(turn), np.cos(turn), 0 * turn], 1) * size
    corners = np.stack([places_m - a - b * 0.5, places_m + a - b * 0.5, places_m + b], 1)
    uv = np.tile(np.array(((0.42, 0.3), (0.5, 0.3), (0.46, 0.36))), (len(places_m), 1, 1))
    material = np.full(len(places_m), int(Material.LITTER), np.int32)
    return Mesh(corners, np.repeat(up[:, None], 3, 1), uv, material)
