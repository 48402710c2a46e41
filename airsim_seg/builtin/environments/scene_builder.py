"""Collects named objects and hands out a Scene."""

from collections import Counter

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, Point, divided
from airsim_seg.builtin.scene import Scene, SceneObject, Terrain
from airsim_seg.types import Pose

# A piece is culled and sorted as a whole: small enough to draw a crown from front to back.
_MOST_TRIANGLES = 160
WHITE = (1.0, 1.0, 1.0)


class SceneBuilder:
    """Objects in the order of their making; numbers follow each prefix: Tree_1, Tree_2."""

    def __init__(self) -> None:
        self._objects: list[SceneObject] = []
        self._tints: list[tuple[float, float, float]] = []
        self._parts: list[tuple[int, Mesh]] = []
        self._count: Counter[str] = Counter()

    def add(
        self,
        prefix: str,
        position_m: Point,
        meshes: list[Mesh],
        tint: tuple[float, float, float] = WHITE,
    ) -> int:
        """Make an object.

        Args:
            prefix: of its name; a number is added.
            position_m: [3], its foot, NED.
            meshes: in NED; far-apart parts as several.
            tint: linear RGB factor of its tinted materials.

        Returns:
            Its index.
        """
        self._count[prefix] += 1
        index = len(self._objects)
        north, east, down = (float(v) for v in position_m)
        self._objects.append(SceneObject(f"{prefix}_{self._count[prefix]}", (north, east, down)))
        self._tints.append(tint)
        pieces = [piece for mesh in meshes if len(mesh) for piece in divided(mesh, _MOST_TRIANGLES)]
        self._parts.extend((index, piece) for piece in pieces)
        return index

    def scene(self, *, environment: str, seed: int, player_start: Pose, ground_down_m: Terrain) -> Scene:
        """The finished world."""
        lengths = np.array([len(mesh) for _, mesh in self._parts])
        ends = np.cumsum(lengths)
        return Scene(
            environment=environment,
            seed=seed,
            triangles_m=np.concatenate([m.corners for _, m in self._parts]).astype(np.float32),
            normals=np.concatenate([m.normals for _, m in self._parts]).astype(np.float32),
            uv=np.concatenate([m.uv for _, m in self._parts]).astype(np.float32),
            materials=np.concatenate([m.materials for _, m in self._parts]),
            object_index=np.repeat([index for index, _ in self._parts], lengths).astype(np.int32),
            tints=np.array(self._tints, np.float32),
            chunks=np.stack([ends - lengths, ends], 1).astype(np.int32),
            objects=tuple(self._objects),
            player_start=player_start,
            ground_down_m=ground_down_m,
        )
