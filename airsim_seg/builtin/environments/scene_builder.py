"""Collects named objects and hands out a Scene.

Whatever ids depend on is rounded here: the sines of one processor differ in their last bits from those of another, and
a grid that is a thousand million times coarser makes the same world of both.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments.colours import WHITE, Tint
from airsim_seg.builtin.environments.meshes import Levels, Mesh, Point, divided, placed, turned
from airsim_seg.builtin.geometry import on_grid
from airsim_seg.builtin.scene import Scene, SceneObject, Terrain
from airsim_seg.builtin.traffic import PLACE_GRID_M, Mover, Way
from airsim_seg.types import Pose

# A quarter of a millimetre, and less than a hundredth of a texel: single precision holds both exactly within 4 km.
CORNER_GRID_M = PLACE_GRID_M
_UV_GRID, _NORMAL_GRID = 2.0**-14, 2.0**-20
# A thousandth of a millimetre: slopes under wheels are differences of heights.
_GROUND_GRID_M = 2.0**-20
# A piece is culled and sorted as a whole: small enough to draw a crown from front to back.
_MOST_TRIANGLES = 160


_Triple = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class _Part:
    """A piece that is culled and sorted as a whole."""

    object_index: int
    mesh: Mesh
    anchor_m: _Triple
    range_m: tuple[float, float]


class SceneBuilder:
    """Objects in the order of their making; numbers follow each prefix: Tree_1, Tree_2.

    Args:
        raw_id_of: asked with the prefix of each new object for an id of its own (see SceneObject); None leaves ids to
            the names.
    """

    def __init__(self, raw_id_of: Callable[[str], int] | None = None) -> None:
        self._raw_id_of = raw_id_of
        self._objects: list[SceneObject] = []
        self._tints: list[Tint] = []
        self._parts: list[_Part] = []
        self._count: Counter[str] = Counter()
        self._traffic: list[Mover] = []

    def add(
        self,
        prefix: str,
        position_m: Point,
        meshes: Sequence[Mesh | Levels],
        tint: Tint = WHITE,
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
        north, east, down = (float(v) for v in on_grid(position_m, CORNER_GRID_M))
        raw_id = None if self._raw_id_of is None else self._raw_id_of(prefix)
        self._objects.append(SceneObject(f"{prefix}_{self._count[prefix]}", (north, east, down), raw_id))
        self._tints.append(tint)
        for mesh in meshes:
            for form, anchor, reach in _forms(mesh):
                pieces = divided(rounded(form), _MOST_TRIANGLES)
                self._parts.extend(_Part(index, piece, anchor, reach) for piece in pieces)
        return index

    def add_mover(self, prefix: str, mesh: Mesh, way: Way, speed_mps: float, start_m: float, tint: Tint = WHITE) -> int:
        """Make an object that follows a way; see traffic.Mover.

        Args:
            prefix: of its name.
            mesh: in its own frame (forward, left, up).
            way: that it follows.
            speed_mps: its pace.
            start_m: where on the way it starts.
            tint: linear RGB factor of its tinted materials.

        Returns:
            Its index.
        """
        start_m = float(on_grid(start_m, PLACE_GRID_M))
        place = way.placement(start_m)
        index = self.add(prefix, place[:, 3], [turned(placed(mesh, (0.0, 0.0, 0.0)), place)], tint)
        self._traffic.append(Mover(index, way, speed_mps, start_m))
        return index

    def scene(
        self,
        *,
        environment: str,
        seed: int,
        player_start: Pose,
        ground_down_m: Terrain,
        shelter_m: float = math.inf,
    ) -> Scene:
        """The finished world; the arguments are Scene's."""
        parts = self._parts
        lengths = np.array([len(part.mesh) for part in parts])
        ends = np.cumsum(lengths)
        return Scene(
            environment=environment,
            seed=seed,
            triangles_m=np.concatenate([part.mesh.corners for part in parts]).astype(np.float32),
            normals=np.concatenate([part.mesh.normals for part in parts]).astype(np.float32),
            uv=np.concatenate([part.mesh.uv for part in parts]).astype(np.float32),
            materials=np.concatenate([part.mesh.materials for part in parts]),
            object_index=np.repeat([part.object_index for part in parts], lengths).astype(np.int32),
            tints=np.array(self._tints, np.float32),
            chunks=np.stack([ends - lengths, ends], 1).astype(np.int32),
            objects=tuple(self._objects),
            player_start=_rounded_pose(player_start),
            ground_down_m=gridded(ground_down_m),
            anchors_m=np.array([part.anchor_m for part in parts], np.float32),
            ranges_m=np.array([part.range_m for part in parts], np.float32),
            movers=frozenset(mover.object_index for mover in self._traffic),
            traffic=tuple(self._traffic),
            shelter_m=shelter_m,
        )


def rounded(mesh: Mesh) -> Mesh:
    """The mesh on the grids; before it is cut, since the cut compares places."""
    corners, normals = on_grid(mesh.corners, CORNER_GRID_M), on_grid(mesh.normals, _NORMAL_GRID)
    return Mesh(corners, normals, on_grid(mesh.uv, _UV_GRID), mesh.materials)


def gridded(ground_down_m: Terrain) -> Terrain:
    """A ground whose heights are multiples of the grid of all worlds' heights."""

    def ground(north_m: float, east_m: float) -> float:
        return round(ground_down_m(north_m, east_m) / _GROUND_GRID_M) * _GROUND_GRID_M

    return ground


def _rounded_pose(pose: Pose) -> Pose:
    turn = on_grid(pose.orientation_wxyz, _NORMAL_GRID)
    return Pose(on_grid(pose.position_m, CORNER_GRID_M), turn / math.sqrt(sum(float(v) ** 2 for v in turn)))


def _forms(mesh: Mesh | Levels) -> list[tuple[Mesh, _Triple, tuple[float, float]]]:
    """What is drawn, the anchor, and from which to which distance."""
    if isinstance(mesh, Levels):
        north, east, down = (float(v) for v in on_grid(mesh.anchor_m, CORNER_GRID_M))
        switch_m = float(on_grid(mesh.switch_m, CORNER_GRID_M))
        return [
            (mesh.fine, (north, east, down), (0.0, switch_m)),
            (mesh.coarse, (north, east, down), (switch_m, np.inf)),
        ]
    return [(mesh, (0.0, 0.0, 0.0), (0.0, np.inf))] if len(mesh) else []
