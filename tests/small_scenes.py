"""Worlds of a few triangles whose pictures can be worked out on paper."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, box, flat, placed, quad
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.environments.trees import broadleaf, fir
from airsim_seg.builtin.environments.yards import picket_fence
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene, View
from airsim_seg.types import Pose

LEVEL = (0.0, 0.0, 0.0)


def _level(north_m: float, east_m: float) -> float:
    return 0.0 * (north_m + east_m)


def scene_of(*objects: Mesh) -> Scene:
    """Each mesh, given in (north, west, up), is one object: Thing_1, Thing_2 ..."""
    builder = SceneBuilder()
    for mesh in objects:
        builder.add("Thing", LEVEL, [placed(mesh, LEVEL)])
    start = Pose.from_euler((0.0, 0.0, 0.0))
    return builder.scene(environment="Tiny", seed=0, player_start=start, ground_down_m=_level)


def wall(north_m: float, west_m: tuple[float, float], up_m: tuple[float, float]) -> Mesh:
    """An upright rectangle that faces south, towards a camera at the origin that looks north."""
    (w0, w1), (u0, u1) = west_m, up_m
    corners = ((north_m, w1, u0), (north_m, w0, u0), (north_m, w0, u1), (north_m, w1, u1))
    return quad(*corners, material=Material.TRIM)


def floor(up_m: float, half_m: float = 500.0) -> Mesh:
    """A level square around the origin that faces up."""
    h = half_m
    return quad((-h, -h, up_m), (h, -h, up_m), (h, h, up_m), (-h, h, up_m), material=Material.CONCRETE)


@cache
def garden() -> Scene:
    """Ground, a shed, two trees and a fence: closed and see-through surfaces."""
    rng = np.random.default_rng(7)
    tree = broadleaf(rng, height_m=6, spread_m=2.5, count=300)
    conifer = fir(rng, height_m=6, spread_m=1.5, count=120)
    shifted = [
        Mesh(m.corners + np.array(offset), m.normals, m.uv, m.materials)
        for m, offset in ((tree, (6.0, 2.0, 0.0)), (conifer, (8.0, -4.0, 0.0)))
    ]
    shed = box((10, -2, 0), (13, 2, 3), Material.SIDING)
    fence = picket_fence((4, -3, 0), (4, 3, 0), 1.1)
    return scene_of(floor(0.0), shed, *shifted, fence)


def looking(
    position_m: tuple[float, float, float] = LEVEL,
    *,
    yaw_deg: float = 0.0,
    pitch_deg: float = 0.0,
    roll_deg: float = 0.0,
    size_hw: tuple[int, int] = (48, 64),
    fov_deg: float = 90.0,
    ortho_width_m: float | None = None,
) -> View:
    """A view from a world NED position."""
    yaw, pitch, roll = np.radians((yaw_deg, pitch_deg, roll_deg))
    pose = Pose.from_euler(position_m, yaw_rad=float(yaw), pitch_rad=float(pitch), roll_rad=float(roll))
    return View(pose, size_hw, fov_deg, ortho_width_m)


def triangle(*corners: tuple[float, float, float]) -> Mesh:
    """One triangle, given in (north, west, up)."""
    return flat(np.array(corners), Material.TRIM)
