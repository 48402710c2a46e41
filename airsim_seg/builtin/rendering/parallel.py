"""What only parallel views need between triangles.project and raster.fill: the camera's plane, and edge-on walls."""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import numpy as np

from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.rendering.compiling import kernel, next_piece
from airsim_seg.builtin.scene import View
from airsim_seg.types import BoolArray, Float64Array

# A weight of a corner changes from 0 to 1 across a triangle: one that does so within a thousandth of a sample is seen
# edge on. A map from above has its walls so. raster.fill grows triangles by a fifth of that, and what it made up beyond
# the edge would be as high as a steeple; whoever stands beside the wall is seen instead.
STEEPEST = np.float32(1000.0)
_NO_ROW = 1 << 30


def reaches_behind(view: View, spheres: Float64Array, sway_m: float) -> BoolArray:
    """bool [V]: which of the chunks with these spheres [V,4] are in part behind the camera, or may be in the wind."""
    ahead = product(spheres[:, :3] - view.pose.position_m, view.pose.rotation())[:, 0]
    return np.asarray(ahead < spheres[:, 3] + sway_m)


@kernel()
def trim(counter, first, stop, behind, records, bounds):
    """Have raster.fill leave out what is edge on, and cut what reaches behind the camera.

    Args:
        counter: int64 [1], see Crew.
        first: int32 [V], where each chunk's records begin.
        stop: int32 [V,5], of triangles.project.
        behind: bool [V], see reaches_behind.
        records: float32 [R,16], of triangles.project.
        bounds: int32 [R,8], of triangles.project (in and out).
    """
    q = next_piece(counter)
    while q < len(first):
        for r in range(first[q], stop[q, 0]):
            steep = max(abs(records[r, 0]), abs(records[r, 1]), abs(records[r, 3]))
            steep = max(steep, abs(records[r, 4]), abs(records[r, 6]), abs(records[r, 7]))
            if steep > STEEPEST:
                bounds[r, 3] = _NO_ROW
            if behind[q]:
                bounds[r, 5] = 1
        q = next_piece(counter)
