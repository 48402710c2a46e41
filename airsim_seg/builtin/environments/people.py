"""People on foot: tapered limbs in one stride, in clothes of the palette. They face along x, soles at the origin."""

import numpy as np

from airsim_seg.builtin.environments.city_furniture import painted
from airsim_seg.builtin.environments.meshes import Mesh, Point, box, cylinder, joined
from airsim_seg.builtin.rendering.materials import Material

# Numbers of facade_textures.SWATCHES.
_SKINS, _HAIRS = (0, 1, 2, 3), (4, 5, 6, 7)
_TROUSERS, _TOPS = (8, 9, 10, 11, 14, 15), tuple(range(8, 24))
_SHOE = 38
_JOINT_M = 0.04


def pedestrian(rng: np.random.Generator) -> Mesh:
    """Somebody 1.55 to 1.9 m tall, walking."""
    skin, hair, legs, top = (int(rng.choice(table)) for table in (_SKINS, _HAIRS, _TROUSERS, _TOPS))
    stride, swing = rng.uniform(0.2, 0.34), rng.uniform(0.12, 0.3)
    wide = rng.uniform(0.92, 1.12)
    parts = []
    for side, lead in ((1.0, stride), (-1.0, -stride)):
        hip, knee, foot = (
            (0.0, 0.10 * side, 0.90),
            (0.16 + 0.35 * lead, 0.10 * side, 0.48),
            (0.9 * lead, 0.10 * side, 0.07),
        )
        parts += [_limb(hip, knee, (0.095, 0.07), legs), _limb(knee, foot, (0.07, 0.05), legs)]
        shoe = box(
            (foot[0] - 0.07, foot[1] - 0.05, 0.0), (foot[0] + 0.19, foot[1] + 0.05, 0.09), Material.PAINT, bottom=True
        )
        parts.append(painted(shoe, _SHOE))
        shoulder, elbow = (0.0, 0.21 * side * wide, 1.40), (-lead * 0.25, 0.26 * side * wide, 1.12)
        hand = (elbow[0] + swing * (0.3 - lead), 0.24 * side * wide, 0.90)
        parts += [_limb(shoulder, elbow, (0.062, 0.05), top), _limb(elbow, hand, (0.05, 0.035), top)]
        parts.append(_limb(hand, (hand[0] + 0.02, hand[1], 0.80), (0.04, 0.03), skin))
    parts += [
        _trunk((0.0, 0.0, 0.84), (0.0, 0.0, 1.12), (0.16 * wide, 0.145 * wide), top),
        _trunk((0.0, 0.0, 1.12), (0.02, 0.0, 1.46), (0.145 * wide, 0.20 * wide), top),
        _limb((0.02, 0.0, 1.44), (0.03, 0.0, 1.54), (0.06, 0.055), skin),
        *_head((0.05, 0.0, 1.63), skin, hair),
    ]
    if rng.random() < 0.4:
        bag = box((-0.27, -0.14, 1.0), (-0.12, 0.14, 1.42), Material.PAINT, bottom=True)
        parts.append(painted(bag, int(rng.choice(_TOPS))))
    body = joined(parts)
    scale = rng.uniform(0.89, 1.06)
    return Mesh(body.corners * scale, body.normals, body.uv, body.materials)


def _limb(start: Point, end: Point, radii_m: tuple[float, float], swatch: int) -> Mesh:
    """A piece of an arm or a leg; it reaches into the next one, so that no joint gapes."""
    first, last = np.asarray(start, np.float64), np.asarray(end, np.float64)
    into = _JOINT_M * (last - first) / np.linalg.norm(last - first)
    return painted(cylinder(first - into, last + into, radii_m, Material.PAINT, sides=4), swatch)


def _trunk(low: Point, high: Point, radii_m: tuple[float, float], swatch: int) -> Mesh:
    """Deeper across than along x."""
    tube = cylinder(low, high, radii_m, Material.PAINT, sides=6, cap=True)
    flattened = tube.corners * (0.68, 1.0, 1.0)
    return painted(Mesh(flattened, tube.normals, tube.uv, tube.materials), swatch)


def _head(centre: Point, skin: int, hair: int) -> list[Mesh]:
    x, y, z = centre
    face = cylinder((x, y, z - 0.11), (x, y, z + 0.02), (0.07, 0.098), Material.PAINT, sides=6)
    brow = cylinder((x, y, z + 0.02), (x - 0.01, y, z + 0.09), (0.098, 0.085), Material.PAINT, sides=6)
    cap = cylinder((x - 0.025, y, z + 0.0), (x - 0.025, y, z + 0.09), (0.105, 0.10), Material.PAINT, sides=6)
    crown = cylinder((x - 0.02, y, z + 0.08), (x - 0.02, y, z + 0.14), (0.102, 0.05), Material.PAINT, sides=6, cap=True)
    return [painted(face, skin), painted(brow, skin), painted(cap, hair), painted(crown, hair)]
