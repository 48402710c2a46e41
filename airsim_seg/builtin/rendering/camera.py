"""From a View to the numbers that the kernels need, and which parts of the scene it can see at all."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.camera_settings import MAX_ORTHO_WIDTH_M, MIN_ORTHO_WIDTH_M
from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.scene import Scene, View
from airsim_seg.errors import UsageError
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int32Array, camera_matrix

MAX_SIDE_PX = 8192


@dataclass(frozen=True, eq=False)
class Projection:
    """A linear map from world points to a grid of samples, perspective or parallel.

    Sample (column i, row j) of a picture with S x S samples a pixel lies at pixel coordinates
    (i / S + 0.5, j / S + 0.5): sample 0 of every pixel is its centre.

    Attributes:
        matrix: float64 [4,4]; times (point - origin, 1) it gives column * w, row * w, w and the value that is
            interpolated as the depth (bigger is nearer).
        origin_m: float64 [3], world NED.
        size_hw: samples, (rows, columns).
        near_w: points with a smaller w are not drawn.
        nearest: the depth value beyond which nothing is drawn of what raster.fill is told to cut.
        empty: the depth value of nothing.
    """

    matrix: Float64Array
    origin_m: Float64Array
    size_hw: tuple[int, int]
    near_w: float
    nearest: float
    empty: float


NEAR_M = 0.05
# Of parallel views, whose depth value is minus the depth in metres: Unreal's near plane is at the camera.
PARALLEL_NEAREST, PARALLEL_EMPTY = 0.0, -1e9
# How far away a camera of 640 pixels and 90 degrees shows a metre as large as one of so many pixels a metre.
_USUAL_FOCAL_PX = 320.0


def check_view(view: View) -> None:
    """Refuse a view that cannot be drawn.

    Raises:
        UsageError: a pose that is not finite, a size below 1 or above 8192, a field of view outside [1, 170], or an
            orthographic width outside [0.01, 100000].
    """
    height, width = view.size_hw
    if not (1 <= height <= MAX_SIDE_PX and 1 <= width <= MAX_SIDE_PX):
        raise UsageError(f"A picture of {width}x{height} pixels cannot be drawn: use 1 to {MAX_SIDE_PX} a side.")
    if view.ortho_width_m is not None and not MIN_ORTHO_WIDTH_M <= view.ortho_width_m <= MAX_ORTHO_WIDTH_M:
        allowed = f"{MIN_ORTHO_WIDTH_M:g} to {MAX_ORTHO_WIDTH_M:g}"
        raise UsageError(f"An orthographic width of {view.ortho_width_m} m cannot be drawn: use {allowed}.")
    if not 1.0 <= view.fov_deg <= 170.0:
        raise UsageError(f"A field of view of {view.fov_deg} degrees cannot be drawn: use 1 to 170.")
    position, quaternion = np.asarray(view.pose.position_m), np.asarray(view.pose.orientation_wxyz)
    if not (np.isfinite(position).all() and np.isfinite(quaternion).all() and np.linalg.norm(quaternion) > 1e-6):
        raise UsageError(
            f"The camera pose {position.tolist()}, {quaternion.tolist()} is not a finite pose: set it again."
        )


def perspective(view: View, samples: int) -> Projection:
    """The projection of a pinhole view.

    Args:
        view: checked before.
        samples: samples along each side of a pixel.
    """
    camera = camera_matrix(view.size_hw, view.fov_deg)
    grid = np.array([[samples, 0, -0.5 * samples], [0, samples, -0.5 * samples], [0, 0, 1]], np.float64)
    forward, right, down = np.asarray(view.pose.rotation()).T
    matrix = np.zeros((4, 4))
    matrix[:3, :3] = product(product(grid, camera), np.stack([right, down, forward]))
    matrix[3, 3] = 1.0  # interpolating 1 gives 1 / w
    height, width = view.size_hw
    origin = np.asarray(view.pose.position_m, np.float64)
    return Projection(matrix, origin, (height * samples, width * samples), NEAR_M, 1 / NEAR_M, 0.0)


def parallel(
    axes: Float64Array, centre_m: Float64Array, width_m: float, size_hw: tuple[int, int], samples: int = 1
) -> Projection:
    """An orthographic projection onto a rectangle.

    Args:
        axes: float64 [3,3], rows: the directions in which columns and rows grow, and the direction of looking.
        centre_m: float64 [3], world point in the middle; depths count from there.
        width_m: of the rectangle, metres.
        size_hw: samples, (rows, columns).
        samples: of them along each side of a pixel.
    """
    rows, columns = size_hw
    scale = columns / width_m
    matrix = np.zeros((4, 4))
    matrix[0, :3], matrix[1, :3] = axes[0] * scale, axes[1] * scale
    matrix[:2, 3] = columns / 2 - 0.5 * samples, rows / 2 - 0.5 * samples
    matrix[2, 3] = 1.0
    matrix[3, :3] = -axes[2]  # nearer to the eye is bigger
    return Projection(matrix, centre_m.astype(np.float64), size_hw, 0.5, PARALLEL_NEAREST, PARALLEL_EMPTY)


def projection_of(view: View, samples: int) -> Projection:
    """The projection of any view.

    Args:
        view: checked before.
        samples: samples along each side of a pixel.
    """
    if view.ortho_width_m is None:
        return perspective(view, samples)
    forward, right, down = np.asarray(view.pose.rotation()).T
    height, width = view.size_hw
    size_hw = height * samples, width * samples
    return parallel(np.stack([right, down, forward]), view.pose.position_m, view.ortho_width_m, size_hw, samples)


def ray_matrix(view: View, samples: int) -> Float32Array:
    """float32 [3,3], which is multiplied with (column, row, 1) of a sample.

    It gives the world ray whose forward component is 1 m, or in a parallel view the place where the ray starts, metres
    from the camera.
    """
    scale_px, (height, width) = view.metre_px, view.size_hw
    forward, right, down = np.asarray(view.pose.rotation()).T
    # Sample 0 is half a pixel from the left and from the top.
    aside = (0.5 - width / 2) / scale_px * right
    first = aside if view.is_parallel else forward + aside
    first = first + (0.5 - height / 2) / scale_px * down
    return np.stack([right / (samples * scale_px), down / (samples * scale_px), first], 1).astype(np.float32)


def bounding_spheres(scene: Scene) -> Float64Array:
    """float64 [C,4], centre and radius of every chunk, metres; the chunks cover the triangles in order."""
    starts, lengths = scene.chunks[:, 0], np.diff(scene.chunks, axis=1)[:, 0]
    low, high, squares = [], [], np.zeros((len(scene.triangles_m), 3))
    for axis in range(3):  # numpy is quick along long axes, and slow along those of three
        corners = scene.triangles_m[:, :, axis]
        a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
        low.append(np.minimum.reduceat(np.minimum(np.minimum(a, b), c), starts).astype(np.float64))
        high.append(np.maximum.reduceat(np.maximum(np.maximum(a, b), c), starts).astype(np.float64))
        squares += (corners - np.repeat((low[-1] + high[-1]) / 2, lengths)[:, None]) ** 2
    reach = np.sqrt(np.maximum.reduceat(squares.max(1), starts))
    return np.ascontiguousarray(np.column_stack([(np.array(low) + np.array(high)).T / 2, reach]))


def chunks_at(scene: Scene, position_m: Float64Array | None, anchors_m: Float32Array | None = None) -> BoolArray:
    """bool [C]: which chunks a camera draws from where it stands, whatever it looks at.

    Args:
        scene: the world.
        position_m: float64 [3], world NED; None is at distance 0 of everything, as shadows are.
        anchors_m: float32 [C,3], where the anchors are now; None: where the scene has them.
    """
    anchors_m = scene.anchors_m if anchors_m is None else anchors_m
    if anchors_m is None or scene.ranges_m is None:
        return np.ones(len(scene.chunks), bool)
    if position_m is None:
        return np.asarray(scene.ranges_m[:, 0] <= 0)
    north, east, down = (anchors_m[:, k] - np.float64(position_m[k]) for k in range(3))
    distance = np.sqrt(north * north + east * east + down * down)
    return np.asarray((distance >= scene.ranges_m[:, 0]) & (distance < scene.ranges_m[:, 1]))


def chunks_for(view: View, scene: Scene, anchors_m: Float32Array | None = None) -> BoolArray:
    """bool [C]: which chunks a view draws, wherever in the world they are.

    Things have one size in a parallel view however far they are, so all have the form that they have where a usual
    pinhole shows them in that size, and chunks without a distance are drawn as always.

    Args:
        view: the camera.
        scene: the world.
        anchors_m: see chunks_at.
    """
    if not view.is_parallel or scene.anchors_m is None or scene.ranges_m is None:
        return chunks_at(scene, view.pose.position_m, anchors_m)
    distance_m = _USUAL_FOCAL_PX / view.metre_px
    return np.asarray((scene.ranges_m[:, 0] <= distance_m) & (distance_m < scene.ranges_m[:, 1]))


def visible_chunks(
    view: View, scene: Scene, spheres: Float64Array, anchors_m: Float32Array | None = None, sway_m: float = 0.0
) -> Int32Array:
    """Chunks that may be in the picture, nearest first: those whose sphere touches the view's pyramid, or its box.

    Args:
        view: the camera.
        scene: the world.
        spheres: float64 [C,4] of bounding_spheres.
        anchors_m: see chunks_at.
        sway_m: how far the wind may have put what a sphere holds.
    """
    height, width = view.size_hw
    half_width = width / 2 / view.metre_px
    half_height = half_width * height / width
    # Column by column: numpy is quick along long axes, and slow along those of three.
    north, east, below = (spheres[:, k] - view.pose.position_m[k] for k in range(3))
    forward, right, down = (north * turn[0] + east * turn[1] + below * turn[2] for turn in view.pose.rotation().T)
    radius = spheres[:, 3] + sway_m
    inside = chunks_for(view, scene, anchors_m) & (forward > -radius)
    for aside, half in ((right, half_width), (down, half_height)):
        if view.is_parallel:
            inside &= np.abs(aside) - half < radius
        else:
            inside &= np.abs(aside) - half * forward < radius * np.sqrt(1.0 + half * half)
    chosen = np.flatnonzero(inside)
    order = np.argsort(forward[chosen] - radius[chosen], kind="stable")
    return chosen[order].astype(np.int32)
