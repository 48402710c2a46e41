"""Things that are not where the scene has them: their corners, normals and bounds at a moment.

Geometry is moved before anything is drawn, in double precision, and rounded once to the single precision in which
scenes are kept: ids and depths are those of the rounded triangles, exactly, as of things that stand still.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.rendering.camera import bounding_spheres
from airsim_seg.builtin.scene import Moment, Scene
from airsim_seg.types import Float32Array, Float64Array, Int64Array

FAR_AWAY = np.float32(0.0)  # a hidden object's corners are one point: nothing of it covers a sample


@dataclass(eq=False)
class Placed:
    """A scene's arrays with everything where it is now.

    Attributes:
        corners_m: float32 [T,3,3], world NED.
        spheres: float64 [C,4], centre and radius of every chunk.
        anchors_m: float32 [C,3] or None, see Scene.
    """

    corners_m: Float32Array
    spheres: Float64Array
    anchors_m: Float32Array | None


class Movement:
    """Keeps a scene's arrays up with the moments that are drawn; what did not change costs nothing.

    Args:
        scene: the world.
        faces: float32 [T,F] of shading.Surfaces; its first nine columns, the normals, are turned in place.
    """

    def __init__(self, scene: Scene, faces: Float32Array) -> None:
        self._scene, self._faces = scene, faces
        self._order: Int64Array | None = None
        self._drawn: dict[int, bytes] = {}
        self.placed = Placed(scene.triangles_m, bounding_spheres(scene), scene.anchors_m)

    def triangles_of(self, index: int) -> Int64Array:
        """The triangles of an object, ascending."""
        if self._order is None:
            self._order = np.argsort(self._scene.object_index, kind="stable")
            self._sorted = self._scene.object_index[self._order]
        first, stop = np.searchsorted(self._sorted, (index, index + 1))
        return self._order[first:stop]

    def follow(self, moment: Moment) -> set[int]:
        """Bring the arrays to a moment.

        Args:
            moment: to be drawn; objects that the scene does not have are left out.

        Returns:
            The objects that are elsewhere than in the moment before.
        """
        wanted = _states(moment, len(self._scene.objects))
        changed = {index for index in wanted.keys() | self._drawn.keys() if wanted.get(index) != self._drawn.get(index)}
        if changed:
            self._own_arrays()
            touched = np.zeros(len(self._scene.chunks), bool)
            for index in changed:
                touched[self._move(index, moment)] = True
            self._bound(np.flatnonzero(touched))
            self._drawn = wanted
        return changed

    def _own_arrays(self) -> None:
        """The scene's own must not change."""
        if self.placed.corners_m is self._scene.triangles_m:
            anchors = self._scene.anchors_m
            self.placed = Placed(
                self._scene.triangles_m.copy(), self.placed.spheres, None if anchors is None else anchors.copy()
            )

    def _move(self, index: int, moment: Moment) -> Int64Array:
        """Put one object where it is; returns its chunks."""
        scene, which = self._scene, self.triangles_of(index)
        matrix = moment.placements.get(index)
        if index in moment.hidden:
            self.placed.corners_m[which] = FAR_AWAY
        elif matrix is None:
            self.placed.corners_m[which] = scene.triangles_m[which]
            self._faces[which, :9] = scene.normals[which].reshape(-1, 9)
        else:
            corners = scene.triangles_m[which].astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
            self.placed.corners_m[which] = corners.astype(np.float32)
            self._faces[which, :9] = turned(scene.normals[which], matrix).reshape(-1, 9)
        chunks: Int64Array = np.unique(np.searchsorted(scene.chunks[:, 1], which, side="right"))
        self._move_anchors(index, chunks, matrix)
        return chunks

    def _move_anchors(self, index: int, chunks: Int64Array, matrix: Float64Array | None) -> None:
        """Anchors go along with the object whose chunks they are."""
        before, now = self._scene.anchors_m, self.placed.anchors_m
        if before is None or now is None:
            return
        own = chunks[self._scene.object_index[self._scene.chunks[chunks, 0]] == index]
        now[own] = before[own] if matrix is None else before[own] @ matrix[:, :3].T + matrix[:, 3]

    def _bound(self, chunks: Int64Array) -> None:
        for chunk in chunks:
            first, stop = self._scene.chunks[chunk]
            corners = self.placed.corners_m[first:stop].reshape(-1, 3).astype(np.float64)
            centre = (corners.min(0) + corners.max(0)) / 2
            self.placed.spheres[chunk] = (*centre, np.linalg.norm(corners - centre, axis=1).max())


def turned(normals: Float32Array, matrix: Float64Array) -> Float32Array:
    """Normals of something that was moved: unit float32 [...,3], also where it was stretched.

    Args:
        normals: float32 [...,3].
        matrix: float64 [3,4], see Moment.
    """
    x, y, z = matrix[:, :3].T
    # The cofactors: the inverse transposed, times the determinant, and not only where there is one.
    cofactors = np.stack([np.cross(y, z), np.cross(z, x), np.cross(x, y)])
    new = normals.astype(np.float64) @ cofactors
    length = np.linalg.norm(new, axis=-1, keepdims=True)
    unit: Float32Array = (new / np.maximum(length, 1e-12)).astype(np.float32)
    return unit


def _states(moment: Moment, num_objects: int) -> dict[int, bytes]:
    """What tells two moments apart, by object; those that stand where the scene has them are left out."""
    placements: Mapping[int, Float64Array] = moment.placements
    states = {index: matrix.tobytes() for index, matrix in placements.items() if 0 <= index < num_objects}
    return states | {index: b"hidden" for index in moment.hidden if 0 <= index < num_objects}
