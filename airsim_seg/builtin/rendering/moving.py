"""Things that are not where the scene has them: their corners, normals and bounds at a moment.

Geometry is moved before anything is drawn, in double precision, and rounded once to the single precision in which
scenes are kept: ids and depths are those of the rounded triangles, exactly, as of things that stand still.
"""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.rendering.camera import bounding_spheres
from airsim_seg.builtin.rendering.compiling import Crew, inline, kernel, next_piece
from airsim_seg.builtin.scene import Moment, Scene
from airsim_seg.types import Float32Array, Float64Array, Int64Array

_HIDDEN = np.zeros((3, 4))  # all corners are one point: nothing of it covers a sample
_IN_PLACE = np.eye(3, 4)


class Parts(NamedTuple):
    """What some objects are made of.

    Attributes:
        triangles: int64 [N], object by object.
        first: int64 [M+1], where each object's triangles begin in it, and the end.
        chunks: int64 [P], the chunks that they touch, object by object, without repeats.
        first_chunk: int64 [M+1], where each object's chunks begin in it, and the end.
    """

    triangles: Int64Array
    first: Int64Array
    chunks: Int64Array
    first_chunk: Int64Array


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
        faces: float32 [T,F] of buffers.Surfaces; its first nine columns, the normals, are turned in place.
        crew: who moves things.
    """

    def __init__(self, scene: Scene, faces: Float32Array, crew: Crew) -> None:
        self._scene, self._faces, self._crew = scene, faces, crew
        self._order, self._ascending = np.zeros(0, np.int64), np.zeros(0, np.int32)  # triangles by object, when needed
        self._parts: dict[tuple[int, ...], Parts] = {}
        self._drawn: dict[int, bytes] = {}
        self.placed = Placed(scene.triangles_m, bounding_spheres(scene), scene.anchors_m)

    def parts(self, objects: Iterable[int]) -> Parts:
        """What objects are made of; remembered for the last few sets, as the same things move in every picture."""
        key = tuple(sorted(objects))
        if key not in self._parts:
            if len(self._parts) >= 8:
                self._parts.clear()
            self._parts[key] = self._find_parts(key)
        return self._parts[key]

    def _find_parts(self, objects: tuple[int, ...]) -> Parts:
        index = self._scene.object_index
        if not len(self._order):
            self._order = np.argsort(index, kind="stable")
            self._ascending = index[self._order]
        ranges = [np.searchsorted(self._ascending, (k, k + 1)) for k in objects]
        own = [self._order[first:stop] for first, stop in ranges]
        chunks = [np.unique(np.searchsorted(self._scene.chunks[:, 1], rows, side="right")) for rows in own]
        return Parts(*_joined(own), *_joined(chunks))

    def follow(self, moment: Moment) -> bool:
        """Bring the arrays to a moment.

        Args:
            moment: to be drawn; objects that the scene does not have are left out.

        Returns:
            Whether anything is elsewhere than in the moment before.
        """
        wanted = _states(moment, len(self._scene.objects))
        changed = [k for k in wanted.keys() | self._drawn.keys() if wanted.get(k) != self._drawn.get(k)]
        if not changed:
            return False
        if not self._drawn:
            self._own_arrays()
        parts, matrices = self.parts(changed), np.array([_matrix(moment, index) for index in sorted(changed)])
        self._place(parts, matrices)
        self._move_anchors(parts.chunks, moment)
        self._drawn = wanted
        return True

    def warm_up(self) -> None:
        """Compile (or load) what follow needs, so that the first thing that moves does not wait for it."""
        self._place(self._find_parts(()), np.zeros((0, 3, 4)))

    def _place(self, parts: Parts, matrices: Float64Array) -> None:
        self._crew.run(
            place, self._scene.triangles_m, self._scene.normals, self._scene.chunks, parts, matrices,
            cofactors(matrices), self.placed.corners_m, self._faces, self.placed.spheres,
        )  # fmt: skip

    def _own_arrays(self) -> None:
        """The scene's own must not change."""
        if self.placed.corners_m is self._scene.triangles_m:
            anchors = self._scene.anchors_m
            self.placed = Placed(
                self._scene.triangles_m.copy(), self.placed.spheres, None if anchors is None else anchors.copy()
            )

    def _move_anchors(self, chunks: Int64Array, moment: Moment) -> None:
        """Anchors go along with the object whose chunks they are."""
        before, now = self._scene.anchors_m, self.placed.anchors_m
        if before is None or now is None:
            return
        for chunk in chunks[before[chunks].any(1)]:
            matrix = _matrix(moment, int(self._scene.object_index[self._scene.chunks[chunk, 0]]))
            now[chunk] = product(matrix[:, :3], before[chunk].astype(np.float64)) + matrix[:, 3]


def _joined(lists: list[Int64Array]) -> tuple[Int64Array, Int64Array]:
    """All elements, and where each list begins among them, and the end."""
    joined = np.concatenate([*lists, np.zeros(0, np.int64)]).astype(np.int64)
    return joined, np.cumsum([0, *map(len, lists)]).astype(np.int64)


def _matrix(moment: Moment, index: int) -> Float64Array:
    return _HIDDEN if index in moment.hidden else moment.placements.get(index, _IN_PLACE)


def _states(moment: Moment, num_objects: int) -> dict[int, bytes]:
    """What tells two moments apart, by object; those that stand where the scene has them are left out."""
    states = {index: matrix.tobytes() for index, matrix in moment.placements.items() if 0 <= index < num_objects}
    return states | {index: b"hidden" for index in moment.hidden if 0 <= index < num_objects}


def cofactors(matrices: Float64Array) -> Float64Array:
    """What turns the normals of things that are moved, float64 [M,3,3]: row vector times this, then made a unit.

    The inverse transposed, times the determinant; it is there for flat placements, too.

    Args:
        matrices: float64 [M,3,4], see Moment.
    """
    # Cyclic minors are cofactors, signs included.
    i, j = np.array([1, 2, 0]), np.array([2, 0, 1])
    m = matrices[:, :, :3]
    of = m[:, i][:, :, i] * m[:, j][:, :, j] - m[:, i][:, :, j] * m[:, j][:, :, i]
    return np.ascontiguousarray(of.transpose(0, 2, 1))


@inline
def _place_triangle(scene_corners, scene_normals, t, a, b, side, corners, faces):
    for from_c in range(3):
        c = 3 - from_c if side < 0.0 and from_c > 0 else from_c
        x, y, z = scene_corners[t, from_c, 0], scene_corners[t, from_c, 1], scene_corners[t, from_c, 2]
        u, v, w = scene_normals[t, from_c, 0], scene_normals[t, from_c, 1], scene_normals[t, from_c, 2]
        nx = u * b[0, 0] + v * b[1, 0] + w * b[2, 0]
        ny = u * b[0, 1] + v * b[1, 1] + w * b[2, 1]
        nz = u * b[0, 2] + v * b[1, 2] + w * b[2, 2]
        length = side * math.sqrt(nx * nx + ny * ny + nz * nz)
        for k in range(3):
            corners[t, c, k] = np.float32(a[k, 0] * x + a[k, 1] * y + a[k, 2] * z + a[k, 3])
        if length != 0.0:
            faces[t, 3 * c] = np.float32(nx / length)
            faces[t, 3 * c + 1] = np.float32(ny / length)
            faces[t, 3 * c + 2] = np.float32(nz / length)


@inline
def _bound(corners, chunks, q, spheres):
    """The bounding sphere of a chunk: about the middle of its box."""
    north0, east0, down0, north1, east1, down1 = np.inf, np.inf, np.inf, -np.inf, -np.inf, -np.inf
    for t in range(chunks[q, 0], chunks[q, 1]):
        for c in range(3):
            north0, north1 = min(north0, corners[t, c, 0]), max(north1, corners[t, c, 0])
            east0, east1 = min(east0, corners[t, c, 1]), max(east1, corners[t, c, 1])
            down0, down1 = min(down0, corners[t, c, 2]), max(down1, corners[t, c, 2])
    north, east, down, reach = (north0 + north1) / 2, (east0 + east1) / 2, (down0 + down1) / 2, 0.0
    for t in range(chunks[q, 0], chunks[q, 1]):
        for c in range(3):
            x, y, z = corners[t, c, 0] - north, corners[t, c, 1] - east, corners[t, c, 2] - down
            reach = max(reach, x * x + y * y + z * z)
    spheres[q, 0], spheres[q, 1], spheres[q, 2], spheres[q, 3] = north, east, down, math.sqrt(reach)


@kernel()
def place(counter, scene_corners, scene_normals, chunks, parts, matrices, cofactors, corners, faces, spheres):
    """Put objects where they are.

    Args:
        counter: int64 [1], see Crew.
        scene_corners: float32 [T,3,3], where the scene has them.
        scene_normals: float32 [T,3,3].
        chunks: int32 [C,2], triangle ranges.
        parts: of M objects.
        matrices: float64 [M,3,4].
        cofactors: float64 [M,3,3], see cofactors.
        corners: float32 [T,3,3] (out).
        faces: float32 [T,F] (out): nine columns of normals; those of hidden things stay.
        spheres: float64 [C,4] (out): about the middle of each chunk's box.
    """
    m = next_piece(counter)
    while m < len(matrices):
        a, b = matrices[m], cofactors[m]
        # What is mirrored is turned inside out: two corners change places (and pictures with them), normals turn round.
        determinant = a[0, 0] * b[0, 0] + a[1, 0] * b[0, 1] + a[2, 0] * b[0, 2]
        side = -1.0 if determinant < 0.0 else 1.0
        for n in range(parts.first[m], parts.first[m + 1]):
            _place_triangle(scene_corners, scene_normals, parts.triangles[n], a, b, side, corners, faces)
        for n in range(parts.first_chunk[m], parts.first_chunk[m + 1]):
            _bound(corners, chunks, parts.chunks[n], spheres)
        m = next_piece(counter)
