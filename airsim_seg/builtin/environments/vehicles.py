"""Parked cars: a body lofted from a side profile, with windows and wheels."""

from functools import cache
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, cylinder, flat, joined, quad
from airsim_seg.builtin.rendering.materials import Material

# Side profile, metres: (x, z) from the rear bumper over the roof to the front bumper.
_SALOON = (
    (-2.2, 0.38),
    (-2.2, 0.86),
    (-1.6, 0.94),
    (-1.05, 1.42),
    (0.35, 1.45),
    (1.05, 0.98),
    (2.1, 0.82),
    (2.2, 0.42),
)
_ESTATE = ((-2.2, 0.38), (-2.18, 0.95), (-2.0, 1.05), (-1.75, 1.52), (0.3, 1.55), (1.1, 1.02), (2.1, 0.86), (2.2, 0.42))
_GLAZED = {2, 4}  # profile segments that are the rear window and the windscreen
_BELT = 0.93  # height of the window sills


def _half_width(z: float) -> float:
    """The body narrows towards the roof."""
    return 0.9 if z < _BELT else 0.9 - 0.36 * (z - _BELT)


def car(rng: np.random.Generator) -> Mesh:
    """A car of 4.4 x 1.8 m standing at the origin, its nose along x."""
    profile = _SALOON if rng.random() < 0.6 else _ESTATE
    parts = [_wheel(x, y) for x in (-1.35, 1.35) for y in (-0.82, 0.82)]
    for k, ((xa, za), (xb, zb)) in enumerate(pairwise(profile)):
        wa, wb = _half_width(za), _half_width(zb)
        material = Material.GLASS if k in _GLAZED else Material.PAINT
        parts.append(quad((xa, -wa, za), (xb, -wb, zb), (xb, wb, zb), (xa, wa, za), material=material))
    for side in (1.0, -1.0):
        parts.append(_side(profile, side))
        parts.extend(_side_windows(profile, side))
    bottom = [(x, y, 0.38) for x, y in ((-2.2, -0.9), (-2.2, 0.9), (2.2, 0.9), (2.2, -0.9))]
    parts.append(quad(*bottom, material=Material.RUBBER))
    for y in (-0.6, 0.6):
        parts.append(
            quad(
                (2.215, y - 0.2, 0.6),
                (2.215, y + 0.2, 0.6),
                (2.13, y + 0.2, 0.74),
                (2.13, y - 0.2, 0.74),
                material=Material.METAL,
            )
        )
    return joined(parts)


def _side(profile: tuple[tuple[float, float], ...], side: float) -> Mesh:
    """Fan the profile into one flank, from its middle."""
    points = np.array([(x, side * _half_width(z), z) for x, z in profile])
    middle = np.array((0.0, side * 0.9, 0.7))
    ring = np.concatenate([points, points[:1]])
    fan = [(middle, a, b) if side > 0 else (middle, b, a) for a, b in pairwise(ring)]
    return flat(fan, Material.PAINT)


def _side_windows(profile: tuple[tuple[float, float], ...], side: float) -> list[Mesh]:
    (rear, _), (front, _) = profile[3], profile[4]
    sill, head = _BELT + 0.05, min(profile[3][1], profile[4][1]) - 0.08
    y_low, y_high = side * (_half_width(sill) + 0.012), side * (_half_width(head) + 0.012)
    middle = (rear + front) / 2 - 0.05
    panes = []
    for low_rear, low_front, high_rear, high_front in (
        (rear - 0.35, middle - 0.05, rear + 0.08, middle - 0.05),
        (middle + 0.05, front + 0.5, middle + 0.05, front - 0.02),
    ):
        corners = [
            (low_front, y_low, sill),
            (low_rear, y_low, sill),
            (high_rear, y_high, head),
            (high_front, y_high, head),
        ]
        panes.append(quad(*(corners if side > 0 else corners[::-1]), material=Material.GLASS))
    return panes


@cache
def _wheel(x: float, y: float) -> Mesh:
    inner, outer = (y - 0.11, y + 0.11) if y > 0 else (y + 0.11, y - 0.11)
    tyre = cylinder((x, inner, 0.33), (x, outer, 0.33), (0.33, 0.33), Material.RUBBER, sides=12, cap=True)
    hub = cylinder((x, inner, 0.33), (x, outer * 1.01, 0.33), (0.19, 0.17), Material.METAL, sides=8, cap=True)
    return joined([tyre, hub])
