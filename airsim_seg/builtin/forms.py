"""The triangles of each object, where a moment has them: for boxes around things, meshes and voxels."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from airsim_seg.builtin.scene import Moment, Scene
from airsim_seg.types import Float64Array, Int64Array


class Forms:
    """A scene's triangles sorted by object, once they are asked for; chunks for far cameras are left out."""

    def __init__(self, scene: Scene) -> None:
        """Take the scene."""
        self._scene = scene

    @cached_property
    def _by_object(self) -> tuple[Int64Array, Int64Array]:
        """Triangles in the order of their objects, and where each object's begin, with the end."""
        near = np.ones(len(self._scene.triangles_m), np.bool_)
        if self._scene.ranges_m is not None:
            near = np.repeat(self._scene.ranges_m[:, 0] == 0, np.diff(self._scene.chunks, axis=1)[:, 0])
        triangles = np.flatnonzero(near)
        owners = self._scene.object_index[triangles]
        order = np.argsort(owners, kind="stable")
        first = np.searchsorted(owners[order], np.arange(len(self._scene.objects) + 1))
        return triangles[order], first

    def corners_m(self, source: int) -> Float64Array:
        """float64 [N,3,3], an object's corners where the scene has them."""
        triangles, first = self._by_object
        return self._scene.triangles_m[triangles[first[source] : first[source + 1]]].astype(np.float64)

    def placed_m(self, index: int, moment: Moment) -> Float64Array:
        """float64 [N,3,3], an object's corners where they are in a moment, in the scene's NED.

        Args:
            index: of the scene or of a copy in moment.spawned.
            moment: where it is; whether it is hidden does not matter.
        """
        copy = next((copy for copy in moment.spawned if copy.index == index), None)
        source, matrix = (copy.source, copy.placement) if copy else (index, moment.placements.get(index))
        corners = self.corners_m(source)
        return corners if matrix is None else corners @ matrix[:, :3].T + matrix[:, 3]

    def pieces(self, moment: Moment) -> Iterator[tuple[int, Float64Array]]:
        """Object index and corners of everything that is there and has any."""
        copies = (copy.index for copy in moment.spawned)
        for index in (*range(len(self._scene.objects)), *copies):
            corners = self.placed_m(index, moment) if index not in moment.hidden else np.zeros((0, 3, 3))
            if len(corners):
                yield index, corners


def box_m(corners_m: Float64Array) -> Float64Array:
    """float64 [2,3]: the lowest and the highest coordinates of corners [N,3,3]; N is at least 1."""
    points = corners_m.reshape(-1, 3)
    return np.stack([points.min(0), points.max(0)])


def box_corners(box: Float64Array) -> Float64Array:
    """float64 [8,3]: the corners of a box [2,3]."""
    choices = np.indices((2, 2, 2)).reshape(3, 8).T
    return np.take_along_axis(box, choices, axis=0)
