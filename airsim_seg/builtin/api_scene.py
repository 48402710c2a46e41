"""The RPCs of things in the world: list, move, scale, spawn and destroy them, give them ids, measure them."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import msgpack
import numpy as np

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.arguments import (
    ApiError,
    boolean,
    fields,
    finite,
    integer,
    pose,
    pose_map,
    quaternion_map,
    text,
    vector,
    vector_map,
)
from airsim_seg.builtin.forms import Forms, box_m
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.scene import Moment, Renderer
from airsim_seg.builtin.things import Thing
from airsim_seg.builtin.voxels import binvox, surface_cells
from airsim_seg.builtin.wire import Encoded, float_array
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array, Pose

# What AirSim says of things that are not there.
NOWHERE = Pose(np.full(3, np.nan), np.full(4, np.nan))
CM_PER_M = 100.0
# WorldSimApi.cpp, getWorldExtents: what is more than 200 m from its middle to its north side is no part of the world.
GIGANTIC_M = 200.0
# AirBlueprintLib.cpp, GetStaticMeshComponents.
NO_MESHES = ("default_", "sky", "camera")
# 256 cells a side; AirSim has no limit.
MAX_CELLS = 2**24


class SceneApi:
    """Everything about objects; what reads triangles runs in the drawing thread."""

    def __init__(self, world: World, cameras: CameraApi) -> None:
        """Take the world, and the cameras for their thread."""
        self._world = world
        self._cameras = cameras
        self._forms = Forms(world.scene)

    def methods(self) -> Methods:
        """The table of this file."""
        objects = self._world.objects
        return {
            "simListSceneObjects": method(objects.named, text),
            "simGetObjectPose": method(self._pose, text),
            "simSetObjectPose": method(self._set_pose, text, fields, boolean),
            "simGetObjectScale": method(self._scale, text),
            "simSetObjectScale": method(self._set_scale, text, vector),
            "simListAssets": method(lambda: objects.assets),
            "simSpawnObject": method(self._spawn, text, text, pose, vector, boolean, boolean),
            "simDestroyObject": method(objects.destroy, text),
            "simSetSegmentationObjectID": method(objects.set_id, text, integer, boolean),
            "simGetSegmentationObjectID": method(objects.get_id, text),
            "simGetWorldExtents": method(self._extents),
            "simGetMeshPositionVertexBuffers": method(self._meshes),
            "simCreateVoxelGrid": method(self._voxels, vector, integer, integer, integer, finite, text),
        }

    def _pose(self, name: str) -> object:
        thing = self._world.objects.find(name)
        return pose_map(NOWHERE if thing is None else self._world.pose_of(thing))

    def _set_pose(self, name: str, where: Mapping[str, object], teleport: bool) -> bool:  # noqa: ARG002
        """Put a thing somewhere; there is nothing to bump into on the way."""
        thing = self._world.objects.find(name)
        if thing is None:
            return False  # whatever the pose: the one that simGetObjectPose gives of such a thing is not a number
        self._world.put(thing, pose(where), thing.scale)
        return True

    def _scale(self, name: str) -> dict[str, float]:
        thing = self._world.objects.find(name)
        return vector_map(np.zeros(3) if thing is None else thing.scale)

    def _set_scale(self, name: str, scale: Float64Array) -> bool:
        thing = self._world.objects.find(name)
        if thing is not None:
            self._world.put(thing, self._world.pose_of(thing), scale)
        return thing is not None

    def _spawn(self, name: str, asset: str, where: Pose, scale: Float64Array, *_: bool) -> str:
        """Neither physics nor blueprints: what is spawned stays where it is."""
        return self._world.objects.spawn(name, asset, where, scale)

    async def _extents(self) -> list[dict[str, float]]:
        moment = self._world.moment()
        low, high = await self._cameras.draw(partial(_extents_m, self._forms, moment))
        origin_m = self._world.scene.player_start.position_m
        # The lowest point first: its down coordinate is the largest.
        corners = ((*low[:2], high[2]), (*high[:2], low[2]))
        return [geo_point(np.array(corner) - origin_m, self._world.settings.world.home) for corner in corners]

    async def _meshes(self) -> list[dict[str, object]]:
        """Everything's triangles, as raw as AirSim sends them."""
        named = [thing for thing in self._world.objects if thing.name]
        listed = [
            (thing, self._world.pose_of(thing)) for thing in named if not thing.name.lower().startswith(NO_MESHES)
        ]
        moment, origin_m = self._world.moment(), self._world.scene.player_start.position_m

        def read(_: Renderer) -> list[dict[str, object]]:
            placed = ((self._forms.placed_m(thing.index, moment) - origin_m, thing, pose) for thing, pose in listed)
            return [_mesh_map(thing, pose, corners) for corners, thing, pose in placed if len(corners)]

        return await self._cameras.draw(read)

    async def _voxels(self, centre_m: Float64Array, x: int, y: int, z: int, side_m: float, path: str) -> bool:
        """Write which cells surfaces run through, around a point; sizes in metres, north, east and up."""
        size_m = (x, y, z)
        if not (side_m > 0 and all(0 < size <= MAX_CELLS * side_m for size in size_m)):
            raise ApiError(f"a voxel grid needs sizes and a resolution above 0, and at most {MAX_CELLS} cells")
        north, east, up = counts = (int(x / side_m), int(y / side_m), int(z / side_m))
        if not 0 < north * east * up <= MAX_CELLS:
            raise ApiError(f"a voxel grid has 1 to {MAX_CELLS} cells, not {north} x {east} x {up}")
        moment, centre_m = self._world.moment(), centre_m + self._world.scene.player_start.position_m
        # The middle of cell (i, j, k) is the point plus (i - north // 2, j - east // 2, -(k - up // 2)) cells.
        low_m = centre_m - side_m * (np.array([north // 2, east // 2, up - 1 - up // 2]) + 0.5)

        def write(_: Renderer) -> bool:
            corners = [own for _index, own in self._forms.pieces(moment)]
            grid = surface_cells(np.concatenate([np.zeros((0, 3, 3)), *corners]), low_m, counts, side_m)
            try:
                Path(path).write_bytes(binvox(grid[:, :, ::-1], size_m))
            except (OSError, ValueError):
                return False
            return True

        return await self._cameras.draw(write)


def _extents_m(forms: Forms, moment: Moment, _: Renderer) -> Float64Array:
    boxes = [box_m(corners) for _index, corners in forms.pieces(moment)]
    boxes = [box for box in boxes if (box[1, 0] - box[0, 0]) / 2 <= GIGANTIC_M]
    if not boxes:
        return np.zeros((2, 3))
    return np.stack([np.min([box[0] for box in boxes], axis=0), np.max([box[1] for box in boxes], axis=0)])


def _unreal(ned: Float64Array) -> Float64Array:
    """Centimetres north, east and up of [..., 3] metres north, east and down."""
    flipped: Float64Array = ned * (CM_PER_M, CM_PER_M, -CM_PER_M)
    return flipped


def _mesh_map(thing: Thing, where: Pose, corners_m: Float64Array) -> dict[str, object]:
    """A MeshPositionVertexBuffersResponse in Unreal's frame, left-handed; every vertex once, as float32."""
    points = _unreal(corners_m).reshape(-1, 3).astype(np.float32)
    vertices, indices = np.unique(points, axis=0, return_inverse=True)
    # NedTransform.cpp, fromNed: a turn seen in the mirror.
    turn = where.orientation_wxyz * (1, -1, -1, 1)
    return {
        "position": vector_map(_unreal(where.position_m)),
        "orientation": quaternion_map(turn),
        "vertices": float_array(vertices),
        # Packed here, in the drawing thread: element by element it would hold up every other call.
        "indices": Encoded((msgpack.packb(indices.reshape(-1).tolist()),)),
        "name": thing.name.lower(),
    }
