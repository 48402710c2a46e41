"""Animals: what walks, swims and grazes. Feet at the origin, noses along x."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, blob, box, cylinder, joined, moved
from airsim_seg.builtin.rendering.materials import Material

_SHAPE_SEED = 7  # of lumps that are the same on every animal


def _legs(xs: tuple[float, float], half_m: float, up_m: float, thick_m: float, material: Material) -> list[Mesh]:
    return [cylinder((x, y, 0), (x, y, up_m), (0.7 * thick_m, thick_m), material, sides=5)
            for x in xs for y in (-half_m, half_m)]  # fmt: skip


@cache
def cow(grazing: bool) -> Mesh:
    """A cow of 2.3 m; grazing, or with its head up."""
    rng = np.random.default_rng(_SHAPE_SEED)
    parts = [
        blob((0, 0, 1.02), (0.95, 0.36, 0.42), Material.HIDE, rng, roughness=0.12),
        cylinder((-0.5, 0, 1.06), (-1.0, 0, 1.12), (0.36, 0.2), Material.HIDE, sides=7, cap=True),
        *_legs((-0.7, 0.62), 0.2, 0.85, 0.1, Material.HIDE),
        cylinder((-1.0, 0, 1.25), (-1.08, 0, 0.5), (0.04, 0.03), Material.HIDE, sides=4),
    ]
    head = (1.3, 0.0, 0.25) if grazing else (1.25, 0.0, 1.45)
    parts.append(cylinder((0.75, 0, 1.1), head, (0.26, 0.15), Material.HIDE, sides=6))
    nose = (head[0] + 0.38, 0.0, head[2] - 0.12)
    parts.append(cylinder((head[0] - 0.08, 0, head[2] + 0.05), nose, (0.17, 0.1), Material.HIDE, sides=6, cap=True))
    for y in (-0.22, 0.22):
        parts.append(
            box(
                (head[0] - 0.08, y - 0.09, head[2] + 0.08),
                (head[0], y + 0.09, head[2] + 0.2),
                Material.HIDE,
                bottom=True,
            )
        )
    return joined(parts)


@cache
def sheep() -> Mesh:
    """A sheep of 1.2 m with a dark face."""
    rng = np.random.default_rng(_SHAPE_SEED)
    wool = blob((0, 0, 0.62), (0.52, 0.27, 0.29), Material.PLASTER, rng, roughness=0.18)
    head = cylinder((0.42, 0, 0.75), (0.72, 0, 0.62), (0.13, 0.08), Material.RUBBER, sides=6, cap=True)
    return joined([wool, head, *_legs((-0.3, 0.3), 0.14, 0.45, 0.05, Material.RUBBER)])


@cache
def dog() -> Mesh:
    """A dog of 0.9 m."""
    body = cylinder((-0.3, 0, 0.5), (0.32, 0, 0.52), (0.14, 0.17), Material.PLASTER, sides=7, cap=True)
    rump = cylinder((-0.29, 0, 0.5), (-0.36, 0, 0.5), (0.14, 0.05), Material.PLASTER, sides=7, cap=True)
    neck = cylinder((0.28, 0, 0.55), (0.45, 0, 0.78), (0.12, 0.09), Material.PLASTER, sides=6)
    head = cylinder((0.38, 0, 0.8), (0.68, 0, 0.74), (0.12, 0.05), Material.PLASTER, sides=6, cap=True)
    tail = cylinder((-0.34, 0, 0.55), (-0.58, 0, 0.78), (0.04, 0.02), Material.PLASTER, sides=4)
    return joined([body, rump, neck, head, tail, *_legs((-0.25, 0.25), 0.09, 0.45, 0.04, Material.PLASTER)])


@cache
def duck() -> Mesh:
    """A swimming duck, 0.5 m long, larger than life so that it is a pixel or two."""
    rng = np.random.default_rng(_SHAPE_SEED)
    body = blob((0, 0, 0.08), (0.3, 0.15, 0.13), Material.PLASTER, rng, roughness=0.1)
    neck = cylinder((0.2, 0, 0.1), (0.24, 0, 0.32), (0.07, 0.06), Material.RUBBER, sides=5)
    head = cylinder((0.18, 0, 0.34), (0.38, 0, 0.32), (0.08, 0.02), Material.RUBBER, sides=5, cap=True)
    return joined(
        [body, neck, head, moved(box((-0.42, -0.06, 0.08), (-0.25, 0.06, 0.16), Material.PLASTER), (0, 0, 0))]
    )
