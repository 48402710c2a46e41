"""Motion for warped memories: against ray geometry, and moved along with the augmentation."""

import numpy as np
import pytest

from airsim_seg.benchmark import motion
from airsim_seg.benchmark.augmentation import Augmentation, reframe, reframe_motion
from airsim_seg.errors import DataError
from airsim_seg.types import Pose, camera_matrix

SIZE_HW = (48, 64)
CAMERA = camera_matrix(SIZE_HW, 90.0)


def wall_depth(pose: Pose, north_m: float) -> np.ndarray:
    """Depth along the optical axis of the plane at north_m, pixel by pixel."""
    depth = np.full(SIZE_HW, np.inf)
    rotation = pose.rotation()
    for row in range(SIZE_HW[0]):
        for column in range(SIZE_HW[1]):
            ray = rotation @ [
                1.0,
                (column + 0.5 - CAMERA[0, 2]) / CAMERA[0, 0],
                (row + 0.5 - CAMERA[1, 2]) / CAMERA[1, 1],
            ]
            if ray[0] > 0:
                depth[row, column] = (north_m - pose.position_m[0]) / ray[0]
    return depth.astype(np.float32)


def test_rigid_motion_of_a_wall_is_that_of_its_points() -> None:
    pose = Pose.from_euler((1.0, 0.3, -0.2), yaw_rad=0.05, pitch_rad=-0.02)
    before = Pose.from_euler((0.4, 0.0, 0.0), yaw_rad=-0.03, roll_rad=0.04)
    found = motion.rigid_motion(wall_depth(pose, 9.0), wall_depth(before, 9.0), pose, before, CAMERA)
    for row, column in ((0, 0), (20, 33), (47, 63), (30, 5)):
        ray = pose.rotation() @ [1.0, (column + 0.5 - 32) / 32, (row + 0.5 - 24) / 32]
        point = pose.position_m + ray * (9.0 - pose.position_m[0]) / ray[0]
        x, y, z = before.rotation().T @ (point - before.position_m)
        expected = (32 + 32 * y / x - column - 0.5, 24 + 32 * z / x - row - 0.5)
        np.testing.assert_allclose(found[:, row, column], expected, atol=1e-4)


def test_what_was_hidden_is_unknown() -> None:
    """The camera slides right: behind the right edge of a near wall appears what the wall had hidden."""
    pose, before = Pose.from_euler((0.0, 1.0, 0.0)), Pose.from_euler((0.0, 0.0, 0.0))
    far, near = 20.0, 4.0

    def depth(camera_east_m: float) -> np.ndarray:
        east_m = camera_east_m + (np.arange(64) + 0.5 - 32) / 32 * near
        return np.broadcast_to(np.where(np.abs(east_m) < 1.0, near, far), SIZE_HW).astype(np.float32)

    found = motion.rigid_motion(depth(1.0), depth(0.0), pose, before, CAMERA)
    unknown = np.isnan(found[0]).all(0)
    expected = np.zeros(64, bool)
    for column in range(64):
        east_m = 1.0 + (column + 0.5 - 32) / 32 * far  # of the far wall, where it is seen now
        sees_far = abs(1.0 + (column + 0.5 - 32) / 32 * near) >= 1.0
        expected[column] = (
            sees_far and abs(east_m / far * near) < 1.0
        )  # the ray from the camera before meets the near wall
    assert 3 <= expected.sum() <= 20
    assert (unknown == expected).sum() >= 62  # one column at each edge may round either way


def test_flow_finds_a_pan() -> None:
    scene = np.random.default_rng(0).integers(0, 255, (30, 60, 3)).astype(np.uint8).repeat(8, 0).repeat(8, 1)
    found = motion.dis_flow(scene[:, 6:326], scene[:, 3:323])
    assert np.median(found[0]) == pytest.approx(3.0, abs=0.3)
    assert np.median(found[1]) == pytest.approx(0.0, abs=0.3)


def test_pictures_too_small_for_flow_have_none() -> None:
    small = np.zeros((8, 40, 3), np.uint8)
    assert np.isnan(motion.dis_flow(small, small)).all()


class Video:
    """Two frames and a cut."""

    def __init__(self, depth: np.ndarray | None) -> None:
        self.segment_start = np.array([True, False, True])
        self.camera_matrix = CAMERA
        self.position_m = np.array([[0.0, 0, 0], [0.5, 0, 0], [9.0, 0, 0]])
        self.orientation_wxyz = np.array([[1.0, 0, 0, 0]] * 3)
        self._depth = depth

    def rgb(self, index: int) -> np.ndarray:
        return np.full((*SIZE_HW, 3), 10 * index, np.uint8)

    def depth_m(self, index: int) -> np.ndarray | None:
        """The wall stands still while the camera goes forward by half a metre."""
        return None if self._depth is None else (self._depth - 0.5 * index).astype(np.float32)


@pytest.mark.parametrize("source", motion.SOURCES)
def test_nothing_is_known_across_a_cut(source: str) -> None:
    video = Video(np.full(SIZE_HW, 10, np.float32))
    known = [bool(np.isfinite(motion.SOURCES[source](video, index, (24, 32))).any()) for index in range(3)]
    assert known == [False, True, False]


def test_pose_motion_at_another_size_is_in_new_pixels() -> None:
    video = Video(np.full(SIZE_HW, 10, np.float32))
    whole, half = (motion.pose_motion(video, 1, size) for size in (SIZE_HW, (24, 32)))
    np.testing.assert_allclose(half[:, 3, 5], whole[:, 7, 11] / 2, rtol=1e-6)


def test_pose_motion_without_depth_says_what_to_do() -> None:
    with pytest.raises(DataError, match="--also depth"):
        motion.pose_motion(Video(None), 1, SIZE_HW)


@pytest.mark.parametrize("flip", [False, True])
def test_motion_is_reframed_as_the_pictures_are(flip: bool) -> None:
    """A scene that moves by whole pixels: after crop, zoom and mirroring the motion still leads to the same colour."""
    rng = np.random.default_rng(1)
    scene = rng.integers(0, 255, (40, 80, 3)).astype(np.uint8)
    images = np.stack([scene[:, 4:68], scene[:, 0:64]])  # frame 1 sees what frame 0 saw, 4 pixels further right
    moves = np.zeros((2, 2, 40, 64), np.float32)
    moves[1, 0] = -4.0
    change = Augmentation(flip, 1.0, np.ones(3, np.float32), (0.0, 0.25, 1.0, 0.5))
    pictures, _ = reframe(images, images[..., 0], change, (80, 64))  # twice as large
    moved = reframe_motion(moves, change, (80, 64))[1]
    assert np.unique(moved[0]).tolist() == [8.0 if flip else -8.0]
    assert not moved[1].any()
    row, column = 40, 30
    step = int(moved[0, row, column])
    np.testing.assert_allclose(pictures[1, row, column], pictures[0, row, column + step], atol=1)
