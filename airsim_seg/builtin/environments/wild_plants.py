"""Trees that gardens seldom have, and what grows wild: willows, pines, poplars, bushes, reeds. Foot at the origin."""

import numpy as np

from airsim_seg.builtin.environments.meshes import Levels, Mesh, Point, cylinder, joined
from airsim_seg.builtin.environments.trees import cards, crown
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_CARD_UV = np.array(((0.0, 0.0), (1.0, 0.0), (0.5, 1.0)))
_SWITCH_M = 45.0
_COARSE_EVERY = 3
_UP = np.array((0.0, 0.0, 1.0))


def _unit(vectors: Float64Array) -> Float64Array:
    result: Float64Array = vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-9)
    return result


def sprays(
    base: Float64Array, tip: Float64Array, half_m: Float64Array, outward: Float64Array, material: Material
) -> Mesh:
    """Cards that reach from a base to a tip: hanging twigs, standing reeds.

    Args:
        base: float64 [N,3].
        tip: float64 [N,3].
        half_m: float64 [N], half the width at the base.
        outward: float64 [N,3], unit, the shading normal.
        material: LEAVES or NEEDLES.
    """
    along = _unit(tip - base)
    side = _unit(np.cross(along, outward)) * half_m[:, None]
    corners = np.stack([base - side, base + side, tip], 1)
    return Mesh(
        corners,
        np.repeat(outward[:, None], 3, 1),
        np.tile(_CARD_UV, (len(base), 1, 1)),
        np.full(len(base), int(material), np.int32),
    )


def willow(rng: np.random.Generator, *, height_m: float, spread_m: float, count: int) -> Mesh:
    """A weeping willow: a round head whose twigs hang down almost to the ground."""
    thick = 0.045 * height_m
    lean = rng.normal(size=2) * 0.3
    fork = np.array((*lean, 0.32 * height_m))
    parts = [cylinder((0, 0, -0.4), fork, (thick * 1.3, thick), Material.BARK, sides=8)]
    for turn in np.arange(5) * 1.257 + rng.uniform(0, 1):
        end = (0.55 * spread_m * np.cos(turn), 0.55 * spread_m * np.sin(turn), rng.uniform(0.7, 0.85) * height_m)
        parts.append(cylinder(fork, end, (0.55 * thick, 0.1 * thick), Material.BARK, sides=5))
    hanging = int(0.65 * count)
    turn, out = rng.uniform(0, 2 * np.pi, hanging), np.sqrt(rng.uniform(0.12, 1.0, hanging))
    away = np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1)
    top = height_m * (0.98 - 0.5 * out**2) * rng.uniform(0.85, 1.0, hanging)
    base = away * (spread_m * out)[:, None] + top[:, None] * (0.0, 0.0, 1.0)
    long = np.minimum(rng.uniform(0.25, 0.5, hanging) * height_m, top - 0.5)
    tip = base + away * 0.3 - long[:, None] * (0.0, 0.0, 1.0)
    outward = _unit(away + np.array((0, 0, 0.45)) + 0.3 * rng.normal(size=away.shape))
    parts.append(sprays(base, tip, rng.uniform(0.35, 0.7, hanging), outward, Material.LEAVES))
    head = np.array((0.0, 0.0, 0.7 * height_m))
    radii = np.array((0.8 * spread_m, 0.8 * spread_m, 0.3 * height_m))
    parts.append(crown(head, radii, count - hanging, 1.0, rng, lobes=7))
    return joined(parts)


def pine(rng: np.random.Generator, *, height_m: float, spread_m: float, count: int) -> Mesh:
    """A Scots pine: a tall bare trunk, flat clouds of needles at the top."""
    bend = rng.normal(size=2) * 0.06 * height_m
    knee, top = np.array((*0.4 * bend, 0.55 * height_m)), np.array((*bend, 0.93 * height_m))
    thick = 0.018 * height_m
    parts = [
        cylinder((0, 0, -0.4), knee, (thick * 1.2, thick * 0.8), Material.BARK, sides=7),
        cylinder(knee, top, (thick * 0.8, thick * 0.3), Material.BARK, sides=6),
    ]
    clouds = int(rng.integers(5, 8))
    share = np.linspace(0, 1, clouds) ** 0.8
    for k in range(clouds):
        turn = 2.4 * k + rng.uniform(-0.4, 0.4)  # 2.4: the golden angle, so no two lie above one another
        out = spread_m * (0.65 - 0.55 * share[k])
        heart = knee + (top - knee) * (0.35 + 0.65 * share[k]) + (out * np.cos(turn), out * np.sin(turn), 0)
        parts.append(cylinder(knee + (top - knee) * (0.2 + 0.6 * share[k]), heart, (thick * 0.3, thick * 0.1),
                              Material.BARK, sides=4))  # fmt: skip
        wide = spread_m * rng.uniform(0.38, 0.55)
        direction = _unit(rng.normal(size=(count // clouds, 3)))
        depth = rng.random((len(direction), 1)) ** 0.4
        places = heart + direction * depth * (wide, wide, 0.4 * wide)
        outward = _unit(direction * (1, 1, 1.6) + (0, 0, 0.5))
        parts.append(cards(places, outward, rng.uniform(0.7, 1.2, len(places)), Material.NEEDLES, rng))
    return joined(parts)


def poplar(rng: np.random.Generator, *, height_m: float, count: int) -> Mesh:
    """A Lombardy poplar: a narrow column."""
    thick = 0.016 * height_m
    trunk = cylinder((0, 0, -0.4), (0, 0, 0.9 * height_m), (thick * 1.4, thick * 0.2), Material.BARK, sides=7)
    up = rng.uniform(0.08, 1.0, count)
    radius = height_m * 0.115 * np.sin(np.pi * np.clip(up, 0, 1) ** 0.75) ** 0.6 + 0.15
    turn = rng.uniform(0, 2 * np.pi, count)
    away = np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1)
    places = away * (radius * rng.random(count) ** 0.35)[:, None] + (up * height_m)[:, None] * (0.0, 0.0, 1.0)
    outward = _unit(away + 0.35 * _UP)
    return joined([trunk, cards(places, outward, rng.uniform(0.9, 1.5, count), Material.LEAVES, rng)])


def bush(rng: np.random.Generator, *, radius_m: float, height_m: float, count: int, card_m: float = 0.6) -> Mesh:
    """A round bush down to the ground."""
    direction = _unit(rng.normal(size=(count, 3)) + 0.35 * _UP)
    direction[:, 2] = np.abs(direction[:, 2])
    lump = 1 + 0.25 * np.sin(3 * np.arctan2(direction[:, 1], direction[:, 0]) + rng.uniform(0, 6))
    places = direction * (rng.random((count, 1)) ** 0.3) * lump[:, None] * (radius_m, radius_m, height_m)
    return cards(places, _unit(direction + 0.3 * _UP), card_m * rng.uniform(0.7, 1.3, count), Material.LEAVES, rng)


def reeds(rng: np.random.Generator, places_m: Float64Array, *, height_m: float = 1.6) -> Mesh:
    """A card of stalks at each of the feet float64 [N,3]."""
    lean = rng.normal(size=(len(places_m), 3)) * (0.18, 0.18, 0)
    long = height_m * rng.uniform(0.6, 1.15, (len(places_m), 1))
    tip = places_m + lean + long * (0.0, 0.0, 1.0)
    turn = rng.uniform(0, 2 * np.pi, len(places_m))
    facing = np.stack([np.cos(turn), np.sin(turn), 0 * turn], 1)
    mesh = sprays(places_m - (0, 0, 0.3), tip, rng.uniform(0.12, 0.24, len(places_m)), facing, Material.NEEDLES)
    up = _unit(facing * 0.5 + (0, 0, 0.9))  # lit from above, as a dense stand is
    return Mesh(mesh.corners, np.repeat(up[:, None], 3, 1), mesh.uv, mesh.materials)


def wood_tree(rng: np.random.Generator, *, height_m: float, spread_m: float, count: int) -> Mesh:
    """A broadleaf tree among others: its branches do not show."""
    thick = 0.02 * height_m
    clear = height_m * rng.uniform(0.15, 0.3)
    trunk = cylinder((0, 0, -0.5), (0, 0, 0.7 * height_m), (1.3 * thick, 0.3 * thick), Material.BARK, sides=5)
    middle = np.array((0.0, 0.0, (clear + height_m) / 2))
    radii = np.array((spread_m, spread_m, 0.58 * (height_m - clear)))
    return joined([trunk, crown(middle, radii, count, 0.42 * spread_m, rng, lobes=6)])


def with_levels(plant: Mesh, anchor_m: Point, switch_m: float = _SWITCH_M) -> Levels:
    """As trees.with_levels, and the coarse form keeps of the wood only what is thick: its first tube.

    Args:
        plant: in NED.
        anchor_m: [3], its foot, NED.
        switch_m: from where on it is coarse.
    """
    leafy = np.isin(plant.materials, (int(Material.LEAVES), int(Material.NEEDLES)))
    first = int(np.argmax(leafy)) if leafy.any() else len(plant)
    rows = np.concatenate([np.arange(min(first, 16)), np.flatnonzero(leafy)[::_COARSE_EVERY]])
    corners = plant.corners[rows]
    middle = corners.mean(1, keepdims=True)
    growth = np.where(leafy[rows], np.sqrt(_COARSE_EVERY), 1.0)[:, None, None]
    coarse = Mesh(middle + (corners - middle) * growth, plant.normals[rows], plant.uv[rows], plant.materials[rows])
    north, east, down = (float(v) for v in anchor_m)
    return Levels(plant, coarse, (north, east, down), switch_m)
