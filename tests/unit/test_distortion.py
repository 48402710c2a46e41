"""Lenses that bend: against OpenCV, which has the same model, and against themselves backwards."""

import math

import cv2
import numpy as np
import pytest

from airsim_seg.builtin.distortion import Distortion, Points, Warp
from airsim_seg.types import camera_matrix

SIZE_HW, FOV_DEG = (70, 90), 70.0
LENSES = [
    Distortion(k1=0.1, k2=0.01),
    Distortion(k1=-0.12, k2=0.02, k3=-0.001),
    Distortion(p1=0.02, p2=-0.03),
    Distortion(-0.2, 0.05, 0.0, 0.004, -0.006),
]


def of_opencv(lens):
    """OpenCV's order: k1, k2, p1, p2, k3."""
    return np.array([lens.k1, lens.k2, lens.p1, lens.p2, lens.k3])


def grid():
    height, width = SIZE_HW
    matrix = camera_matrix(SIZE_HW, FOV_DEG)
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    return Points((x - matrix[0, 2]) / matrix[0, 0], (y - matrix[1, 2]) / matrix[1, 1])


@pytest.mark.parametrize("lens", LENSES)
def test_straight_is_opencvs_undistort(lens):
    at = grid()
    x, y = lens.straight(at)
    points = np.stack([at.x.ravel(), at.y.ravel()], -1)[:, None]
    many = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-14)
    # OpenCV 4 has a name of its own for the call that iterates until it is there.
    if hasattr(cv2, "undistortPointsIter"):
        wanted = cv2.undistortPointsIter(points, np.eye(3), of_opencv(lens), None, None, many)[:, 0]
    else:
        wanted = cv2.undistortPoints(points, np.eye(3), of_opencv(lens), criteria=many)[:, 0]
    np.testing.assert_allclose(np.stack([x.ravel(), y.ravel()], -1), wanted, atol=1e-9)


@pytest.mark.parametrize("lens", LENSES)
def test_bent_is_opencvs_projection_and_undoes_straight(lens):
    at = grid()
    bent = lens.bent(at)
    rays = np.stack([at.x.ravel(), at.y.ravel(), np.ones(at.x.size)], -1)
    wanted = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), np.eye(3), of_opencv(lens))[0][:, 0]
    np.testing.assert_allclose(np.stack([bent.x.ravel(), bent.y.ravel()], -1), wanted, atol=1e-12)
    back = lens.bent(lens.straight(at))
    np.testing.assert_allclose(back.x, at.x, atol=1e-12)
    np.testing.assert_allclose(back.y, at.y, atol=1e-12)


@pytest.mark.parametrize("lens", LENSES)
def test_opencv_makes_the_picture_straight_again(lens):
    warp = Warp(lens, SIZE_HW, FOV_DEG)
    (high, wide), focal_px = warp.wide_hw, camera_matrix(SIZE_HW, FOV_DEG)[0, 0]
    assert wide / 2 / math.tan(math.radians(warp.wide_fov_deg) / 2) == pytest.approx(focal_px), "the same focal length"
    # A picture that is linear in x and y: blending it between pixels makes no error.
    row, column = np.mgrid[0:high, 0:wide]
    linear = np.stack(
        [128 + 60 * (column + 0.5 - wide / 2) / focal_px, 128 + 60 * (row + 0.5 - high / 2) / focal_px], -1
    )
    picture = np.rint(np.concatenate([linear, linear[..., :1]], -1)).clip(0, 255).astype(np.uint8)
    bent = warp.blended(picture)
    straight = cv2.undistort(bent, _matrix_of_pixels(), of_opencv(lens))
    at = grid()
    inside = cv2.undistort(np.full_like(bent, 255), _matrix_of_pixels(), of_opencv(lens)).min(-1) == 255
    assert inside.mean() > 0.5
    for channel, wanted in enumerate((128 + 60 * at.x, 128 + 60 * at.y)):
        assert np.abs(straight[..., channel] - wanted)[inside].max() < 2.5


def _matrix_of_pixels():
    """OpenCV counts pixels from the middle of the first, not from its corner."""
    matrix = camera_matrix(SIZE_HW, FOV_DEG).copy()
    matrix[:2, 2] -= 0.5
    return matrix


def test_codes_are_picked_and_never_mixed():
    warp = Warp(Distortion(k1=0.3, p1=0.05), SIZE_HW, FOV_DEG)
    rng = np.random.default_rng(3)
    index = rng.integers(-1, 5000, warp.wide_hw).astype(np.int32)
    seen = warp.picked_index(index, -1)
    assert seen.shape == SIZE_HW
    codes = np.repeat((index % 250)[..., None], 3, 2).astype(np.uint8)
    np.testing.assert_array_equal(warp.picked_bytes(codes)[..., 0], seen % 250)
    np.testing.assert_array_equal(warp.picked_floats(index.astype(np.float32), 0), seen)
    # Each pixel is the one of the straight picture in which its ray ends; a naive loop says which.
    x, y = Distortion(k1=0.3, p1=0.05).straight(grid())
    focal_px, (high, wide) = camera_matrix(SIZE_HW, FOV_DEG)[0, 0], warp.wide_hw
    wrong = 0
    for row in range(SIZE_HW[0]):
        for column in range(SIZE_HW[1]):
            at = math.floor(y[row, column] * focal_px + high / 2), math.floor(x[row, column] * focal_px + wide / 2)
            wrong += index[at] != seen[row, column]
    assert wrong < 0.05 * seen.size, "cv2 rounds to 1/32 of a pixel"


def test_a_lens_that_folds_shows_nothing_beyond_its_fold():
    lens = Distortion(k1=-0.5)
    assert lens.last_radius == pytest.approx(math.sqrt(1 / 1.5))
    fold = lens.last_radius * (1 - 0.5 * lens.last_radius**2)
    radii = np.array([0.0, 0.9 * fold, 1.1 * fold])
    x, _ = lens.straight(Points(radii, np.zeros(3)))
    assert x[0] == 0
    assert x[1] * (1 - 0.5 * x[1] ** 2) == pytest.approx(radii[1])
    assert np.isnan(x[2])
    warp = Warp(lens, SIZE_HW, 120.0)
    seen = warp.picked_floats(np.ones(warp.wide_hw, np.float32), 65504.0)
    assert set(np.unique(seen)) == {1.0, 65504.0}
    assert (seen[30, 40], seen[0, 0]) == (1.0, 65504.0)


@pytest.mark.parametrize("lens", [Distortion(k1=1000.0), Distortion(-1000, 1000, -1000, 1000, -1000), Distortion(p2=9)])
@pytest.mark.parametrize("fov_deg", [1.0, 90.0, 170.0])
def test_no_lens_needs_a_picture_without_end(lens, fov_deg):
    warp = Warp(lens, SIZE_HW, fov_deg)
    assert all(side <= 3 * own + 2 for side, own in zip(warp.wide_hw, SIZE_HW, strict=True))
    assert warp.wide_fov_deg <= 170.0 + 1e-9
    assert warp.blended(np.zeros((*warp.wide_hw, 3), np.uint8)).shape == (*SIZE_HW, 3)


def test_a_pinhole_changes_nothing_and_says_so():
    assert Distortion().is_none
    assert Distortion().changed("Q9", 3.0).is_none
    assert Distortion().changed("K3", -0.2).values() == [0, 0, -0.2, 0, 0]
    warp = Warp(Distortion(), SIZE_HW, FOV_DEG)
    picture = np.random.default_rng(1).integers(0, 256, (*warp.wide_hw, 3)).astype(np.uint8)
    top, left = (warp.wide_hw[0] - SIZE_HW[0]) // 2, (warp.wide_hw[1] - SIZE_HW[1]) // 2
    np.testing.assert_array_equal(warp.blended(picture), picture[top : top + SIZE_HW[0], left : left + SIZE_HW[1]])
