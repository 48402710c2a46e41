"""Carriageways with their markings, crossings and pavements. Frames: x along the road, or that of city_grid."""

from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments.city_furniture import IRON, painted
from airsim_seg.builtin.environments.city_grid import CORNER_M, ROAD_UP_M, WALK_M, WALK_UP_M, Rectangle
from airsim_seg.builtin.environments.meshes import Mesh, flat, joined, quads
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_PIECE_M = 16.0
_ASPHALT_TILE_M, _SLAB_TILE_M = 6.0, 4.8
_PAINT_UP_M = ROAD_UP_M + 0.012
_KERB_M = 0.28
ZEBRA_M = (1.0, 4.0)  # from the stretch's end
STOP_M = 5.2
SLOT_M = 6.2  # of parking along the kerb


def ground(area: Rectangle, up_m: float, material: Material, tile_m: float) -> Mesh:
    """A level rectangle of the plan."""
    return flat_rectangles(np.array([(area.south, -area.east, area.north, -area.west)]), up_m, material, tile_m)


def flat_rectangles(rects_m: Float64Array, up_m: float, material: Material, tile_m: float) -> Mesh:
    """Level rectangles that face up.

    Args:
        rects_m: float64 [N,4], low x, low y, high x, high y.
        up_m: of all.
        material: of all.
        tile_m: metres that the picture spans.
    """
    corners = rects_m[:, [(0, 1), (2, 1), (2, 3), (0, 3)]]
    return quads(np.concatenate([corners, np.full((len(rects_m), 4, 1), up_m)], 2), material, corners / tile_m)


def carriageway(length_m: float, half_m: float) -> list[Mesh]:
    """Asphalt from x = 0 to length_m, in pieces that are culled apart."""
    edges = np.linspace(0, length_m, max(1, round(length_m / _PIECE_M)) + 1)
    return [
        flat_rectangles(np.array([(a, -half_m, b, half_m)]), ROAD_UP_M, Material.ASPHALT, _ASPHALT_TILE_M)
        for a, b in pairwise(edges)
    ]


def markings(length_m: float, half_m: float) -> Mesh:
    """Paint: a broken middle line, edges of the parking lanes, stop lines and zebra crossings at both ends."""
    clear = STOP_M + 0.8
    dashes = np.arange(clear, length_m - clear - 2.0, 5.0)
    rects = [(x, -0.07, x + 2.4, 0.07) for x in dashes]
    for end, sign in ((0.0, 1.0), (length_m, -1.0)):
        # Who comes towards an end keeps right: at x = 0 that is the side of positive y.
        right = sorted((sign * 0.25, sign * (half_m - 0.3)))
        stop = sorted((end + sign * STOP_M, end + sign * (STOP_M + 0.45)))
        rects.append((stop[0], right[0], stop[1], right[1]))
        x0, x1 = sorted((end + sign * ZEBRA_M[0], end + sign * ZEBRA_M[1]))
        rects += [(x0, y, x1, y + 0.5) for y in np.arange(-half_m + 0.5, half_m - 0.6, 1.0)]
    inner = half_m - 2.2
    slots = np.arange(clear + 2, length_m - clear - 2, SLOT_M)
    for low, high, edge in ((-inner - 2.0, -inner, -inner), (inner, inner + 2.0, inner)):
        rects += [(x, edge - 0.05, x + 0.9, edge + 0.05) for x in np.arange(slots[0], slots[-1], 1.8)]
        rects += [(x - 0.05, low, x + 0.05, high) for x in slots]
    return flat_rectangles(np.array(rects, np.float64), _PAINT_UP_M, Material.MARKING, 5.0)


def lane_arrow(x: float, y: float, direction: float) -> Mesh:
    """A straight-on arrow, 4 m long, painted on a lane; direction +1 points along x."""
    shaft = [(0.0, -0.08), (2.6, -0.08), (2.6, 0.08), (0.0, 0.08)]
    head = [(2.6, -0.35), (4.0, 0.0), (2.6, 0.35)]

    def put(points: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
        return [(x + direction * a, y + direction * b, _PAINT_UP_M) for a, b in points]

    a, b, c, d = put(shaft)
    return flat([(a, b, c), (a, c, d), put(head)], Material.MARKING)


def manhole(x: float, y: float) -> Mesh:
    """An iron lid, eight-sided."""
    angle = np.arange(9) * np.pi / 4
    rim = np.stack([x + 0.36 * np.cos(angle), y + 0.36 * np.sin(angle), np.full(9, _PAINT_UP_M)], 1)
    centre = np.broadcast_to(np.array((x, y, _PAINT_UP_M)), (8, 3))
    return painted(flat(np.stack([centre, rim[:-1], rim[1:]], 1), Material.PAINT), IRON)


def pavements(block: Rectangle) -> list[tuple[Mesh, tuple[float, float]]]:
    """The pavement around a block in eight pieces, four sides and four rounded corners, each with its middle."""
    r, w = CORNER_M, WALK_M
    s, n, e, o = block.south, block.north, -block.east, -block.west  # y is west
    pieces = []
    for outer, inner in (
        (((s + r, e), (n - r, e)), ((s + r, e + w), (n - r, e + w))),
        (((n, e + r), (n, o - r)), ((n - w, e + r), (n - w, o - r))),
        (((n - r, o), (s + r, o)), ((n - r, o - w), (s + r, o - w))),
        (((s, o - r), (s, e + r)), ((s + w, o - r), (s + w, e + r))),
    ):
        pieces.append(_strip(np.array(outer), np.array(inner)))
    for (x, y), start in (((n - r, e + r), -0.5), ((n - r, o - r), 0.0), ((s + r, o - r), 0.5), ((s + r, e + r), 1.0)):
        angle = (start + np.linspace(0, 0.5, 7)) * np.pi
        rim = np.stack([np.cos(angle), np.sin(angle)], 1)
        pieces.append(_strip(np.array((x, y)) + r * rim, np.array((x, y)) + (r - w) * rim))
    return [(mesh, _middle(mesh)) for mesh in pieces]


def outer_pavements(area: Rectangle) -> list[tuple[Mesh, tuple[float, float]]]:
    """The pavement outside the roads around the city, in pieces of a third of a side."""
    w = WALK_M
    corners = [(area.south, -area.east), (area.north, -area.east), (area.north, -area.west), (area.south, -area.west)]
    pieces = []
    for (x0, y0), (x1, y1) in pairwise([*corners, corners[0]]):
        along = np.array((np.sign(x1 - x0), np.sign(y1 - y0)))
        out = np.array((along[1], -along[0]))
        marks = np.linspace((x0, y0), (x1, y1), 4)
        for k, (a, b) in enumerate(pairwise(marks)):
            far_a, far_b = a + w * out, b + w * out
            if k == 0:
                far_a = far_a - w * along
            if k == 2:
                far_b = far_b + w * along
            pieces.append(_strip(np.array((b, a)), np.array((far_b, far_a))))
    return [(mesh, _middle(mesh)) for mesh in pieces]


def _middle(mesh: Mesh) -> tuple[float, float]:
    """North and east."""
    x, y, _ = mesh.corners.reshape(-1, 3).mean(0)
    return float(x), float(-y)


def _strip(outer: Float64Array, inner: Float64Array) -> Mesh:
    """Pavement between a kerb line and the line behind it, both float64 [N,2] with the pavement on the left."""
    away = inner - outer
    kerb = outer + away * (_KERB_M / np.linalg.norm(away, axis=1, keepdims=True))
    top = [
        _sheet(outer, kerb, Material.CONCRETE, 1.7),
        _sheet(kerb, inner, Material.SLABS, _SLAB_TILE_M),
    ]
    a, b = outer[:-1], outer[1:]
    face = np.stack([_at(a, -0.1), _at(b, -0.1), _at(b, WALK_UP_M), _at(a, WALK_UP_M)], 1)
    long = np.concatenate([[0], np.cumsum(np.linalg.norm(b - a, axis=1))])
    u = np.stack([long[:-1], long[1:], long[1:], long[:-1]], 1)
    v = np.broadcast_to(np.array((0.0, 0.0, 0.25, 0.25)), u.shape)
    return joined([*top, quads(face, Material.CONCRETE, np.stack([u / 1.7, v / 1.7], -1))])


def _at(points: Float64Array, z: float) -> Float64Array:
    return np.column_stack([points, np.full(len(points), z)])


def _sheet(outer: Float64Array, inner: Float64Array, material: Material, tile_m: float) -> Mesh:
    corners = np.stack([outer[:-1], outer[1:], inner[1:], inner[:-1]], 1)
    level = np.concatenate([corners, np.full((len(corners), 4, 1), WALK_UP_M)], 2)
    return quads(level, material, corners / tile_m)
