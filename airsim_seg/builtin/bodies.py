"""What vehicles look like: shapes that a scene gets beside its own, one for each vehicle of settings.json.

A body lies at the scene's origin, nose north, and moments put it where its vehicle is. It has its vehicle's name, as
AirSim's pawn has (SimModeBase.cpp, createVehiclePawn).
"""

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, divided, joined, placed
from airsim_seg.builtin.environments.scene_builder import rounded
from airsim_seg.builtin.environments.vehicles import car
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene, SceneObject
from airsim_seg.builtin.settings import SimMode
from airsim_seg.palette import id_from_name
from airsim_seg.types import Pose

# Linear RGB of the paint.
_TINTS: dict[SimMode, tuple[float, float, float]] = {"Multirotor": (0.55, 0.55, 0.58), "Car": (0.30, 0.03, 0.03)}
# Forward, right and down from a body's origin, metres: who looks from within does not see the body. The drone's cameras
# sit just before it and look away from it.
_INSIDE_M: dict[SimMode, tuple[tuple[float, float, float], tuple[float, float, float]]] = {
    "Multirotor": ((-0.5, -0.4, -0.3), (0.5, 0.4, 0.3)),
    "Car": ((-2.5, -1.1, -2.0), (2.5, 1.1, 0.2)),
}
SUV_M = (4.7, 1.9, 1.75)
_MOST_TRIANGLES = 160


def quadrotor() -> Mesh:
    """AirSim's drone: half a metre from motor to motor, standing 15 cm high; its origin is its centre."""
    arm = 0.2275 / math.sqrt(2)
    parts = [
        box((-0.13, -0.06, -0.04), (0.13, 0.06, 0.05), Material.PAINT, bottom=True),
        box((0.10, -0.03, -0.08), (0.15, 0.03, -0.04), Material.GLASS, bottom=True),
    ]
    for x in (-arm, arm):
        for y in (-arm, arm):
            parts += [
                cylinder((0.0, 0.0, 0.0), (x, y, -0.01), (0.018, 0.014), Material.PAINT, sides=6),
                cylinder((x, y, -0.03), (x, y, 0.03), (0.025, 0.025), Material.METAL, sides=8, cap=True),
                cylinder((x, y, 0.03), (x, y, 0.036), (0.1143, 0.1143), Material.RUBBER, sides=14, cap=True),
                cylinder((x, y, 0.036), (x, y, 0.03), (0.1143, 0.1143), Material.RUBBER, sides=14, cap=True),
                cylinder((0.7 * x, 0.7 * y, -0.15), (0.7 * x, 0.7 * y, 0.0), (0.008, 0.008), Material.RUBBER, sides=5),
            ]
    return joined(parts)


def suv() -> Mesh:
    """A car as long, wide and high as SUV_M; its origin is on the ground under its middle."""
    # The generator's first number makes the car an estate.
    mesh = car(np.random.default_rng(0))
    size_m = np.ptp(mesh.corners.reshape(-1, 3), axis=0)
    factors = np.array(SUV_M) / size_m
    normals = mesh.normals / factors
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return Mesh(mesh.corners * factors, normals, mesh.uv, mesh.materials)


def with_bodies(scene: Scene, mode: SimMode, names: Collection[str]) -> Scene:
    """The scene, and a body for each vehicle.

    Args:
        scene: any.
        mode: the kind of all of them; ComputerVision's camera has no body.
        names: the vehicles'.
    """
    if mode not in _TINTS or not names:
        return scene
    own = placed(quadrotor() if mode == "Multirotor" else suv(), (0.0, 0.0, 0.0))
    pieces = divided(rounded(own), _MOST_TRIANGLES)
    first, count = len(scene.objects), len(names)
    lengths = np.tile([len(piece) for piece in pieces], count)
    ends, body = len(scene.triangles_m) + np.cumsum(lengths), joined(pieces)
    bodies = {name: first + k for k, name in enumerate(sorted(names))}
    chunks = np.zeros((len(lengths), 3), np.float32)
    ranges = np.tile(np.array([0.0, np.inf], np.float32), (len(lengths), 1))
    return replace(
        scene,
        triangles_m=np.concatenate([scene.triangles_m, *[body.corners.astype(np.float32)] * count]),
        normals=np.concatenate([scene.normals, *[body.normals.astype(np.float32)] * count]),
        uv=np.concatenate([scene.uv, *[body.uv.astype(np.float32)] * count]),
        materials=np.concatenate([scene.materials, *[body.materials] * count]).astype(np.int32),
        object_index=np.concatenate([scene.object_index, np.repeat(list(bodies.values()), len(body))]).astype(np.int32),
        tints=np.concatenate([scene.tints, [_TINTS[mode]] * count]).astype(np.float32),
        chunks=np.concatenate([scene.chunks, np.stack([ends - lengths, ends], 1)]).astype(np.int32),
        objects=(*scene.objects, *_objects(scene, bodies)),
        anchors_m=None if scene.anchors_m is None else np.concatenate([scene.anchors_m, chunks]),
        ranges_m=None if scene.ranges_m is None else np.concatenate([scene.ranges_m, ranges]),
        movers=scene.movers | frozenset(bodies.values()),
        bodies=bodies,
    )


def _objects(scene: Scene, names: Collection[str]) -> list[SceneObject]:
    taken = {id_from_name(own.name) if own.raw_id is None else own.raw_id for own in scene.objects if own.name}
    found = []
    for name in names:
        raw_id = free_id(name, taken)
        taken.add(raw_id)
        found.append(SceneObject(name, (0.0, 0.0, 0.0), raw_id))
    return found


def free_id(name: str, taken: Collection[int]) -> int:
    """An id for a vehicle: that of its name (palette.id_from_name), or the next above that nothing else has.

    AirSim gives vehicles none, as they come after the ids are dealt out; here nobody should take one for a tree.
    """
    first = id_from_name(name)
    return next(((first + k) % 256 for k in range(256) if (first + k) % 256 not in {0, *taken}), first)


def sits_inside(mode: SimMode, mount: Pose) -> bool:
    """Whether a camera mounted like that looks out of its own vehicle, and does not see it.

    Args:
        mode: the kind of vehicle.
        mount: of the camera, body axes, metres.
    """
    if mode not in _INSIDE_M:
        return True
    low, high = _INSIDE_M[mode]
    return bool((mount.position_m >= low).all() and (mount.position_m <= high).all())
