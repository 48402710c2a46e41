"""What drives and parks in the City. Frames: nose along x, wheels on the ground at the origin."""

from functools import cache
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.city_furniture import lettered, painted
from airsim_seg.builtin.environments.meshes import Mesh, Point, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material

# Numbers of facade_textures.SWATCHES.
_HEAD_LAMP, _TAIL_LAMP, _PLATE, _TAXI, _TRIM = 48, 49, 50, 51, 52


# Side profiles, metres: (x, z) from the rear bumper over the roof to the front bumper.
_SALOON = (
    (-2.2, 0.36), (-2.25, 0.62), (-2.18, 0.92), (-1.62, 0.98), (-1.0, 1.42), (0.2, 1.46), (1.0, 1.0), (2.05, 0.82),
    (2.22, 0.6), (2.2, 0.36),
)  # fmt: skip
_HATCHBACK = (
    (-1.75, 0.36), (-1.82, 0.65), (-1.75, 1.0), (-1.35, 1.48), (0.15, 1.52), (0.95, 1.02), (1.7, 0.86), (1.85, 0.6),
    (1.82, 0.36),
)  # fmt: skip
_TALL = (
    (-2.2, 0.42), (-2.25, 0.75), (-2.18, 1.12), (-1.85, 1.66), (0.2, 1.70), (1.0, 1.16), (2.0, 1.02), (2.2, 0.78),
    (2.18, 0.42),
)  # fmt: skip
_ESTATE = (
    (-2.3, 0.36), (-2.36, 0.65), (-2.26, 0.98), (-1.85, 1.45), (0.2, 1.48), (1.02, 1.0), (2.1, 0.84), (2.26, 0.6),
    (2.24, 0.36),
)  # fmt: skip
# With the pieces of the profile that are the rear window and the windscreen.
_FORMS = ((_SALOON, 3, 5), (_HATCHBACK, 2, 4), (_TALL, 2, 4), (_ESTATE, 2, 4))
_ROOF_LEAN = 0.34  # how much narrower the body gets a metre above the sills


def car(rng: np.random.Generator) -> Mesh:
    """A saloon, hatchback, off-roader or estate of 3.6 to 4.6 m."""
    profile, rear, front = _FORMS[int(rng.integers(len(_FORMS)))]
    sill, half = profile[rear][1] + 0.04, 0.9
    parts = [_body(profile, half, {rear: Material.GLASS, front: Material.GLASS}, lean_from_m=sill)]
    parts.append(_side_windows(profile[rear + 1], profile[front], sill, half))
    back, nose = profile[1][0], profile[-2][0]
    parts.append(_wheels((back * 0.62, nose * 0.6), half, 0.33))
    parts += [_facing(back - 0.02, y, 0.72, 0.32, 0.14, _TAIL_LAMP, -1.0) for y in (-0.68, 0.68)]
    parts += [_facing(nose + 0.005, y, 0.62, 0.34, 0.13, _HEAD_LAMP, 1.0) for y in (-0.66, 0.66)]
    parts += [
        _facing(back - 0.02, 0.0, 0.56, 0.5, 0.11, _PLATE, -1.0),
        _facing(nose + 0.01, 0.0, 0.46, 0.5, 0.11, _PLATE, 1.0),
    ]
    parts += [
        painted(box((x - 0.05, -0.86, 0.36), (x + 0.05, 0.86, 0.47), Material.PAINT), _TRIM)
        for x in (back + 0.01, nose - 0.01)
    ]
    return joined(parts)


def _side_windows(rear: tuple[float, float], front: tuple[float, float], sill: float, half: float) -> Mesh:
    """Two panes a side, between the ends of the roof, (x, z) each."""
    (rear_x, roof), front_x = rear, front[0]
    middle, top = (rear_x + front_x) / 2 - 0.02, roof - 0.08
    panes = []
    for low_a, low_b, high_a, high_b in (
        (rear_x - 0.3, middle - 0.05, rear_x + 0.05, middle - 0.05),
        (middle + 0.05, front_x + 0.55, middle + 0.05, front_x),
    ):
        for side in (1.0, -1.0):
            y_low, y_high = (side * (_narrowed(z, half, sill) + 0.012) for z in (sill, top))
            corners = [(low_b, y_low, sill), (low_a, y_low, sill), (high_a, y_high, top), (high_b, y_high, top)]
            panes.append(quad(*(corners if side > 0 else corners[::-1]), material=Material.GLASS))
    return joined(panes)


def _narrowed(z: float, half: float, lean_from_m: float) -> float:
    """Half the width of a body at a height: it leans inwards above the sills."""
    return half - _ROOF_LEAN * max(0.0, z - lean_from_m)


def taxi(rng: np.random.Generator) -> Mesh:
    """A car with a lit sign on its roof."""
    mesh = car(rng)
    roof = float(mesh.corners[..., 2].max())
    sign = painted(box((-0.55, -0.32, roof - 0.02), (-0.25, 0.32, roof + 0.2), Material.PAINT), _TAXI)
    return joined([mesh, sign])


def _facing(x: float, y: float, z: float, wide: float, high: float, swatch: int, towards: float) -> Mesh:
    """An upright patch that faces along x (towards = 1) or backwards (-1)."""
    a, b = (y - towards * wide / 2, y + towards * wide / 2)
    corners = ((x, a, z - high / 2), (x, b, z - high / 2), (x, b, z + high / 2), (x, a, z + high / 2))
    return painted(quad(*corners, material=Material.PAINT), swatch)


def _body(
    profile: tuple[tuple[float, float], ...], half: float, glazed: dict[int, Material], *, lean_from_m: float = np.inf
) -> Mesh:
    """A closed shell: a side profile (x, z), from the rear over the roof to the nose, drawn out across y.

    Args:
        profile: star-shaped about its middle.
        half: half the width.
        glazed: pieces of the profile that are not of paint.
        lean_from_m: from this height on the sides lean inwards.
    """
    ring = np.array(profile)
    wide = np.array([_narrowed(z, half, lean_from_m) for _, z in profile])
    parts = []
    for k, ((xa, za), (xb, zb)) in enumerate(pairwise(ring)):
        material, wa, wb = glazed.get(k, Material.PAINT), wide[k], wide[k + 1]
        parts.append(quad((xa, -wa, za), (xb, -wb, zb), (xb, wb, zb), (xa, wa, za), material=material))
    middle = np.array((ring[:, 0].mean(), 0.0, 0.5 * ring[:, 1].mean() + 0.25 * (ring[:, 1].min() + ring[:, 1].max())))
    reach = _narrowed(middle[2], half, lean_from_m)
    for side in (1.0, -1.0):
        points = np.stack([ring[:, 0], side * wide, ring[:, 1]], 1)
        loop = np.concatenate([points, points[:1]])
        centre = np.array((middle[0], side * reach, middle[2]))
        fan = [(centre, a, b) if side > 0 else (centre, b, a) for a, b in pairwise(loop)]
        parts.append(flat(fan, Material.PAINT))
    (rear, low), (front, _) = profile[0], profile[-1]
    parts.append(
        quad((rear, half, low), (front, half, low), (front, -half, low), (rear, -half, low), material=Material.RUBBER)
    )
    return joined(parts)


def _panes(places: list[tuple[float, float, float, float]], half: float) -> Mesh:
    """Windows (x0, z0, x1, z1) on both sides."""
    panes = []
    for x0, z0, x1, z1 in places:
        for side in (1.0, -1.0):
            y = side * (half + 0.012)
            corners = [(x1, y, z0), (x0, y, z0), (x0, y, z1), (x1, y, z1)]
            panes.append(quad(*(corners if side > 0 else corners[::-1]), material=Material.GLASS))
    return joined(panes)


def _wheels(axles_m: tuple[float, ...], half: float, radius: float) -> Mesh:
    wheels = []
    for x in axles_m:
        for side in (1.0, -1.0):
            inner, outer = side * (half - 0.22), side * (half + 0.02)
            wheels.append(_wheel((x, inner, radius), (x, outer, radius), radius))
    return joined(wheels)


def _wheel(inner: Point, outer: Point, radius: float) -> Mesh:
    """A tyre, and a disc in it."""
    tyre = cylinder(inner, outer, (radius, radius), Material.RUBBER, sides=8, cap=True)
    (x, y, z), side = outer, float(np.sign(np.asarray(outer)[1]))
    angle = np.arange(7) * np.pi / 3
    rim = np.stack(
        [x + side * 0.58 * radius * np.sin(angle), np.full(7, y + side * 0.012), z + 0.58 * radius * np.cos(angle)], 1
    )
    hub = np.broadcast_to(np.array((x, y + side * 0.012, z)), (6, 3))
    return joined([tyre, flat(np.stack([hub, rim[:-1], rim[1:]], 1), Material.METAL)])


_VAN = ((-2.7, 0.42), (-2.7, 2.35), (-2.5, 2.45), (0.9, 2.45), (1.75, 1.45), (2.6, 1.15), (2.7, 0.9), (2.72, 0.42))


@cache
def van() -> Mesh:
    """A delivery van of 5.4 x 2.0 m."""
    half = 0.98
    parts = [
        _body(_VAN, half, {3: Material.GLASS}),
        _panes([(0.35, 1.4, 1.35, 1.95)], half),
        _wheels((-1.75, 1.75), half, 0.36),
    ]
    parts += [_facing(-2.71, y, 1.0, 0.14, 0.45, _TAIL_LAMP, -1.0) for y in (-0.86, 0.86)]
    parts += [_facing(2.74, y, 0.85, 0.3, 0.16, _HEAD_LAMP, 1.0) for y in (-0.72, 0.72)]
    parts.append(_facing(-2.71, 0.0, 1.4, 0.02, 1.7, 54, -1.0))
    parts.append(_facing(2.735, 0.0, 0.55, 0.52, 0.11, _PLATE, 1.0))
    return joined(parts)


_BUS = ((-5.3, 0.38), (-5.35, 1.2), (-5.3, 2.85), (-5.0, 3.0), (4.9, 3.0), (5.2, 2.8), (5.35, 1.15), (5.3, 0.38))


@cache
def bus(column: int, row: int) -> Mesh:
    """A city bus of 10.7 x 2.5 m, with a board that says where it goes (a cell of SIGN_BOARD)."""
    half = 1.25
    panes = [(x, 1.25, x + 1.42, 2.45) for x in np.arange(-5.0, 3.2, 1.55)]
    doors = [(x, 0.5, x + 1.1, 2.5) for x in (-0.7, 3.85)]
    parts = [
        _body(_BUS, half, {5: Material.GLASS}),
        _panes([*panes, (3.55, 1.25, 4.95, 2.45)], half),
        _panes(doors, half + 0.004),
        _wheels((-3.3, 2.7), half, 0.48),
        lettered((5.36, -0.8, 2.45), (5.36, 0.8, 2.85), column, row),
    ]
    parts += [_facing(-5.36, y, 1.0, 0.22, 0.4, _TAIL_LAMP, -1.0) for y in (-1.05, 1.05)]
    parts += [_facing(5.345, y, 0.75, 0.34, 0.2, _HEAD_LAMP, 1.0) for y in (-0.95, 0.95)]
    rear = quad((-5.36, 1.0, 1.5), (-5.36, -1.0, 1.5), (-5.34, -1.0, 2.5), (-5.34, 1.0, 2.5), material=Material.GLASS)
    box_on_top = box((-3.0, -0.7, 3.0), (-0.6, 0.7, 3.25), Material.PAINT)
    return joined([*parts, moved(rear, (0, 0, 0)), box_on_top])
