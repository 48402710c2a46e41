"""Triangles with their looks, and the simple solids that everything is built from.

Meshes are made in a frame of their own: x forward, y to the left, z up, metres. `placed` turns one into world NED.
Faces are counter-clockwise seen from outside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array, Int32Array

Point = Sequence[float] | Float64Array


@dataclass(frozen=True, eq=False)
class Mesh:
    """A soup of triangles.

    Attributes:
        corners: float64 [T,3,3], metres.
        normals: float64 [T,3,3], unit.
        uv: float64 [T,3,2].
        materials: int32 [T].
    """

    corners: Float64Array
    normals: Float64Array
    uv: Float64Array
    materials: Int32Array

    def __len__(self) -> int:
        return len(self.corners)


@dataclass(frozen=True, eq=False)
class Levels:
    """One thing in two forms, in NED.

    Attributes:
        fine: what near cameras see, and what casts shadows.
        coarse: what cameras farther than switch_m from the anchor see.
        anchor_m: [3], NED.
        switch_m: metres.
    """

    fine: Mesh
    coarse: Mesh
    anchor_m: tuple[float, float, float]
    switch_m: float


def cross(a: Float64Array, b: Float64Array) -> Float64Array:
    """Cross product along the last axis; np.cross spends ten times as long on its checks."""
    x = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    y = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    z = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return np.stack([x, y, z], -1)


def joined(meshes: Iterable[Mesh]) -> Mesh:
    """Several meshes as one."""
    parts = list(meshes)
    return Mesh(
        np.concatenate([m.corners for m in parts]),
        np.concatenate([m.normals for m in parts]),
        np.concatenate([m.uv for m in parts]),
        np.concatenate([m.materials for m in parts]),
    )


def divided(mesh: Mesh, most: int) -> list[Mesh]:
    """Cut a mesh into compact pieces, halving along its longest side, so that each can be culled and sorted.

    Args:
        mesh: any.
        most: triangles a piece.
    """
    if len(mesh) <= most:
        return [mesh]
    middles = mesh.corners.mean(1)
    order = np.argsort(middles[:, np.ptp(middles, axis=0).argmax()], kind="stable")
    halves = np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])
    return [
        piece
        for rows in halves
        for piece in divided(Mesh(mesh.corners[rows], mesh.normals[rows], mesh.uv[rows], mesh.materials[rows]), most)
    ]


def placed(mesh: Mesh, position_m: Point, yaw_rad: float = 0.0) -> Mesh:
    """Put a mesh into the world.

    Args:
        mesh: in its own frame (forward, left, up).
        position_m: [3], where its origin goes, NED.
        yaw_rad: where its x axis points, clockwise from north.

    Returns:
        The mesh in NED.
    """
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    turn = np.array(((cos, sin, 0.0), (sin, -cos, 0.0), (0.0, 0.0, -1.0)))  # left and up change sign in NED
    return Mesh(
        mesh.corners @ turn.T + np.asarray(position_m, np.float64), mesh.normals @ turn.T, mesh.uv, mesh.materials
    )


def turned(mesh: Mesh, placement: Float64Array) -> Mesh:
    """Put a mesh that is in NED where a placement float64 [3,4] (rotation, then shift) says."""
    turn = placement[:, :3]
    return Mesh(mesh.corners @ turn.T + placement[:, 3], mesh.normals @ turn.T, mesh.uv, mesh.materials)


def moved(mesh: Mesh, offset_m: Point, turn_rad: float = 0.0) -> Mesh:
    """Turn a mesh about its z axis, counter-clockwise from above, and shift it within its own frame."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turn = np.array(((cos, -sin, 0.0), (sin, cos, 0.0), (0.0, 0.0, 1.0)))
    return Mesh(mesh.corners @ turn.T + np.asarray(offset_m), mesh.normals @ turn.T, mesh.uv, mesh.materials)


def flat(corners: npt.ArrayLike, material: Material, *, uv: npt.ArrayLike | None = None, tile_m: float = 4.0) -> Mesh:
    """Triangles with flat shading.

    Args:
        corners: [T,3,3] or [3,3].
        material: of all.
        uv: [T,3,2]; None projects along the main axis of each face, v up the walls.
        tile_m: how many metres the picture spans then.
    """
    triangles = np.asarray(corners, np.float64).reshape(-1, 3, 3)
    coordinates = None if uv is None else np.asarray(uv, np.float64).reshape(-1, 3, 2)
    normal = cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    double_area = np.linalg.norm(normal, axis=1)
    sound = double_area > 1e-9  # a pole of a ball, the ridge of a pyramid: no area, no normal
    triangles, normal = triangles[sound], normal[sound] / double_area[sound, None]
    if coordinates is None:
        main = np.abs(normal).argmax(1)
        u, v = np.array((1, 0, 0))[main], np.array((2, 2, 1))[main]
        rows = np.arange(len(triangles))
        coordinates = np.stack([triangles[rows, :, u], triangles[rows, :, v]], -1) / tile_m
    else:
        coordinates = coordinates[sound]
    return Mesh(
        triangles,
        np.repeat(normal[:, None], 3, 1),
        coordinates,
        np.full(len(triangles), int(material), np.int32),
    )


def quad(*corners: Point, material: Material, uv_scale: float | None = None) -> Mesh:
    """Two triangles a-b-c and a-c-d.

    Args:
        corners: a, b, c and d, counter-clockwise seen from outside.
        material: of both.
        uv_scale: texture units a metre, u along a-b and v along a-d; None projects as `flat` does.
    """
    a, b, c, d = (np.asarray(p, np.float64) for p in corners)
    triangles = np.array(((a, b, c), (a, c, d)))
    if uv_scale is None:
        return flat(triangles, material)
    wide, high = float(np.linalg.norm(b - a)) * uv_scale, float(np.linalg.norm(d - a)) * uv_scale
    return flat(triangles, material, uv=rectangle_uv(wide, high))


def quads(corners: Float64Array, material: Material, uv: Float64Array) -> Mesh:
    """Many four-cornered faces at once.

    Args:
        corners: float64 [N,4,3], each face counter-clockwise seen from outside.
        material: of all.
        uv: float64 [N,4,2], texture coordinates of the corners.
    """
    halves = [(0, 1, 2), (0, 2, 3)]
    return flat(corners[:, halves].reshape(-1, 3, 3), material, uv=uv[:, halves].reshape(-1, 3, 2))


def rectangle_uv(wide: float, high: float) -> Float64Array:
    """float64 [2,3,2]: texture coordinates of the triangles a-b-c and a-c-d of a rectangle."""
    return np.array((((0, 0), (wide, 0), (wide, high)), ((0, 0), (wide, high), (0, high))), np.float64)


def box(low: Point, high: Point, material: Material, *, bottom: bool = False, tile_m: float = 4.0) -> Mesh:
    """An upright box between two corners; its underside only on request."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    p = [(x0, y0, z0), (x1, y0, z0), (x1, y1, z0), (x0, y1, z0), (x0, y0, z1), (x1, y0, z1), (x1, y1, z1), (x0, y1, z1)]
    sides = [(0, 1, 5, 4), (1, 2, 6, 5), (2, 3, 7, 6), (3, 0, 4, 7), (4, 5, 6, 7)]
    if bottom:
        sides.append((3, 2, 1, 0))
    corners = [(p[a], p[b], p[c]) for a, b, c, _ in sides] + [(p[a], p[c], p[d]) for a, _, c, d in sides]
    return flat(corners, material, tile_m=tile_m)


def cylinder(
    foot: Point, top: Point, radii_m: tuple[float, float], material: Material, *, sides: int = 8, cap: bool = False
) -> Mesh:
    """A tapered tube from foot to top, smooth.

    Args:
        foot: centre of the lower end.
        top: centre of the upper end.
        radii_m: at foot and top.
        material: of all.
        sides: how many.
        cap: close the upper end.
    """
    start, end = np.asarray(foot, np.float64), np.asarray(top, np.float64)
    axis = (end - start) / np.linalg.norm(end - start)
    across = cross(axis, np.array((1.0, 0.0, 0.0) if abs(axis[0]) < 0.9 else (0.0, 1.0, 0.0)))
    across /= np.linalg.norm(across)
    third = cross(axis, across)
    angle = np.linspace(0, 2 * np.pi, sides + 1)[:, None]
    ring = np.cos(angle) * across + np.sin(angle) * third
    low, high = start + ring * radii_m[0], end + ring * radii_m[1]
    a, b, c, d = low[:-1], low[1:], high[1:], high[:-1]
    corners = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    normals = np.concatenate(
        [np.stack([ring[:-1], ring[1:], ring[1:]], 1), np.stack([ring[:-1], ring[1:], ring[:-1]], 1)]
    )
    u = np.linspace(0, 1, sides + 1)
    long = np.linalg.norm(end - start) / 3
    lower, upper = np.stack([u, 0 * u], 1), np.stack([u, 0 * u + long], 1)
    uv = np.concatenate(
        [np.stack([lower[:-1], lower[1:], upper[1:]], 1), np.stack([lower[:-1], upper[1:], upper[:-1]], 1)]
    )
    tube = Mesh(corners, normals, uv, np.full(2 * sides, int(material), np.int32))
    if not cap:
        return tube
    lid = np.stack([np.repeat(end[None], sides, 0), high[:-1], high[1:]], 1)
    return joined([tube, flat(lid, material)])


def blob(
    centre: Point, radii_m: Point, material: Material, rng: np.random.Generator, *, roughness: float = 0.3
) -> Mesh:
    """A lumpy closed ellipsoid: a boulder, or the dark heart of a bush."""
    around, up = 9, 6
    turn, tilt = np.meshgrid(np.linspace(0, 2 * np.pi, around + 1), np.linspace(-np.pi / 2, np.pi / 2, up + 1))
    direction = np.stack([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)], -1)
    radius = 1 + roughness * (rng.random(turn.shape) - 0.5)
    radius[:, -1] = radius[:, 0]
    radius[0], radius[-1] = radius[0, 0], radius[-1, 0]
    points = np.asarray(centre) + direction * radius[..., None] * np.asarray(radii_m)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    corners = np.concatenate([np.stack([a, b, c], 2).reshape(-1, 3, 3), np.stack([a, c, d], 2).reshape(-1, 3, 3)])
    return flat(corners, material, tile_m=2.0)
