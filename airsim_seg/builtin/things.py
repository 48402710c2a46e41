"""One named thing of a world: which id it starts with, and where it is drawn."""

import re
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.geometry import on_grid, product
from airsim_seg.builtin.scene import Scene, SceneObject
from airsim_seg.builtin.world_settings import SegmentationSettings
from airsim_seg.palette import id_from_name
from airsim_seg.types import Float64Array, Pose

# Poses that differ in their last bits put a thing in the same place: 15 micrometres, and as little at its far end.
_SHIFT_GRID_M, _TURN_GRID = 2.0**-16, 2.0**-24
NO_TURN = np.array([1.0, 0.0, 0.0, 0.0])


@dataclass(eq=False)
class Thing:
    """One object that is there, of the scene or a copy.

    Attributes:
        index: its object index.
        name: as simListSceneObjects returns it.
        kind: the name of what it looks like, without its number: AirSim's name of the mesh.
        source: the object of the scene that it looks like; itself, unless it is a copy.
        pose: API world NED, where it was put; see World.pose_of for what drives by itself.
        scale: float64 [3], along its own axes.
        put: whether an RPC has put it where it is, which ends its driving.
        vehicle: the name of the vehicle whose body it is, which alone says where it is; else "".
        raw_id: the stored id; its lowest 8 bits are drawn.
        has_id: whether it is in the Segmentation image at all (Unreal's custom depth).
    """

    index: int
    name: str
    kind: str
    source: int
    pose: Pose
    scale: Float64Array
    raw_id: int
    has_id: bool = True
    put: bool = False
    vehicle: str = ""


def kind_of(name: str) -> str:
    """The name without its number: of "Tree_12" that is "Tree"."""
    return re.sub(r"[_\d]+$", "", name)


def start_of(scene: Scene, index: int) -> Pose:
    """Where the scene has one of its objects, API world NED: its foot, unturned."""
    foot_m = np.asarray(scene.objects[index].position_m, np.float64)
    return Pose(foot_m - scene.player_start.position_m, NO_TURN)


def placement(scene: Scene, thing: Thing) -> Float64Array:
    """float64 [3,4], scene's NED: size about the foot, then the turn, then to the place."""
    start = start_of(scene, thing.source)
    turned = not np.array_equal(thing.pose.orientation_wxyz, start.orientation_wxyz)
    if not turned and (thing.scale == 1).all() and np.array_equal(thing.pose.position_m, start.position_m):
        return np.eye(3, 4)  # exactly: sums of metres would leave a rounding error
    foot_m = np.asarray(scene.objects[thing.source].position_m, np.float64)
    matrix = on_grid(thing.pose.rotation() * thing.scale, _TURN_GRID)
    shift_m = on_grid(thing.pose.position_m + scene.player_start.position_m - product(matrix, foot_m), _SHIFT_GRID_M)
    return np.column_stack([matrix, shift_m])


def first_id(thing: SceneObject, rules: SegmentationSettings) -> tuple[int, bool]:
    """The id that an object starts with, and whether it is in the Segmentation image.

    Source: AirBlueprintLib.cpp, InitializeMeshStencilIDs.
    """
    if thing.raw_id is not None and not (rules.assigned and rules.override):
        return thing.raw_id, True
    if not rules.assigned:
        return 0, False
    # Names of meshes lack the number alone, which an id does not depend on.
    nameless = not thing.name or thing.name.lower().startswith("default_")
    return (0 if nameless else id_from_name(thing.name)), True
