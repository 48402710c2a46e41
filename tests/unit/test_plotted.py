"""Strokes in a picture: where they are, what hides them, how thick they are."""

import numpy as np
import pytest

from airsim_seg.builtin.plots import Plot
from airsim_seg.builtin.rendering.plotted import draw
from airsim_seg.builtin.scene import View
from airsim_seg.types import Pose

RED, GREEN = np.array([1.0, 0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
SIZE = (60, 80)  # 90 degrees across: the focal length is 40 pixels, the middle (40, 30)
VIEW = View(Pose.from_euler((100.0, 0.0, 0.0)), SIZE, 90.0)
ORIGIN_M = np.array([100.0, 0.0, 0.0])


def drawn(kind, depth_m=65504.0, view=VIEW, **strokes) -> np.ndarray:
    """bool [H,W], what has changed in a black picture, and the picture."""
    depth = np.broadcast_to(np.asarray(depth_m, np.float32), SIZE)
    strokes = {key: [np.array(p, float) for p in v] if key in ("points", "ends") else v for key, v in strokes.items()}
    blank = np.zeros((*SIZE, 3), np.uint8)
    picture = draw(blank, depth, view, [Plot(kind, strokes, None, False)], ORIGIN_M)
    assert not blank.any(), "the picture that was given is left alone"
    return picture


def box(picture) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(picture.any(-1))
    return int(rows.min()), int(rows.max()), int(columns.min()), int(columns.max())


def test_a_point_is_a_square_of_pixels_about_its_place():
    picture = drawn("Points", points=[(10, 2, -1)], colour=RED, size=4.0)
    # 40 * 2 / 10 = 8 right and 40 / 10 = 4 up of the middle.
    assert box(picture) == (24, 27, 46, 49)
    assert (picture[26 - 1, 48] == (255, 0, 0)).all()


def test_a_line_joins_its_ends_and_is_as_thick_as_its_centimetres():
    picture = drawn("LineList", points=[(10, -5, 0), (10, 5, 0)], colour=GREEN, thickness=100.0)
    top, bottom, left, right = box(picture > 127)
    # 1 m at 10 m is 4 pixels; ends are round.
    assert (top + bottom) / 2 == pytest.approx(29.5, abs=1)
    assert 3 <= bottom - top + 1 <= 6
    assert (left, right) == pytest.approx((20, 60), abs=3)


@pytest.mark.parametrize(("depth_m", "seen"), [(9.0, False), (10.0, True), (11.0, True)])
def test_what_stands_before_it_hides_it_and_what_it_lies_on_does_not(depth_m, seen):
    for kind, strokes in (
        ("Points", {"points": [(10, 0, 0)], "colour": RED, "size": 3.0}),
        ("LineStrip", {"points": [(10, -1, 0), (10, 1, 0), (10, 1, 1)], "colour": RED, "thickness": 1.0}),
        ("Strings", {"points": [(10, 0, 0)], "words": ["abc"], "colour": RED, "scale": 5.0}),
    ):
        assert drawn(kind, depth_m, **strokes).any() == seen, kind


def test_a_line_goes_in_behind_a_wall_and_comes_out():
    depth = np.full(SIZE, 65504.0)
    depth[:, 30:50] = 5.0
    picture = drawn("LineList", depth, points=[(10, -8, 0), (10, 8, 0)], colour=RED, thickness=1.0)
    columns = np.flatnonzero(picture.any(-1).any(0))
    assert {10, 28, 52, 70} <= set(columns)
    assert not set(range(32, 48)) & set(columns)


def test_a_line_that_runs_through_the_eye_is_cut_where_it_passes():
    picture = drawn("LineList", points=[(-1000, 0.5, 0), (1000, 0.5, 0)], colour=RED, thickness=1.0)
    rows, columns = np.nonzero(picture.any(-1))
    assert set(rows) <= {29, 30, 31}
    assert columns.min() >= 39
    assert columns.max() == SIZE[1] - 1
    behind = drawn("LineList", points=[(-1, -1, 0), (-1, 1, 0)], colour=RED, thickness=1.0)
    assert not behind.any()


def test_axes_are_red_green_and_blue_for_forward_right_and_up():
    pose = Pose.from_euler((10.0, 0.0, 0.0), yaw_rad=np.pi / 2)  # forward is to the right, right is towards the eye
    picture = drawn("Transforms", poses=[pose], scale=200.0, thickness=5.0)
    assert picture[30 - 1 : 31, 44].max(0).tolist()[0] > 100, "red to the right"
    assert picture[24, 39:41].max(0).tolist()[2] > 100, "blue upwards"
    assert not picture[34:].any()


def test_an_arrow_has_its_head_at_its_end():
    arrow = drawn("Arrows", points=[(10, -5, 0)], ends=[(10, 5, 0)], colour=RED, thickness=1.0, head_size=200.0)
    widths = arrow.any(-1).sum(0)
    assert widths[25] <= 3
    assert widths[55] >= 2
    view = View(Pose.from_euler((100.0, 0.0, -10.0), pitch_rad=-np.pi / 2), SIZE, 90.0)
    above = drawn(
        "Arrows", view=view, points=[(0, -5, 0)], ends=[(0, 5, 0)], colour=RED, thickness=1.0, head_size=200.0
    )
    rows = np.nonzero(above[:, 53:57].any(-1))[0]
    assert rows.min() < 28
    assert rows.max() > 31, "aside on both sides, seen from above"


def test_names_stand_at_their_frames_and_other_alphabets_do_no_harm():
    pose = Pose.from_euler((10.0, 0.0, 0.0))
    strokes = {"poses": [pose], "scale": 0.0, "thickness": 0.0, "word_scale": 5.0, "colour": GREEN}
    assert drawn("TransformsWithNames", words=["Fröhlich 东"], **strokes)[..., 1].max() == 255


def test_far_ends_and_huge_sizes_end():
    huge = drawn("LineStrip", points=[(1e9, -1e9, 0), (1e9, 1e9, 5), (0.1, 1e9, 0)], colour=RED, thickness=1e9)
    assert huge.shape == (*SIZE, 3)
    assert drawn("Points", points=[(10, 0, 0)], colour=RED, size=1e9).any()


def test_on_a_map_everything_has_its_metres_whatever_its_depth():
    """80 pixels are 20 m: 4 a metre."""
    view = View(Pose.from_euler((100.0, 0.0, 0.0)), SIZE, 90.0, 20.0)
    for ahead_m in (3, 300):
        point = drawn("Points", view=view, points=[(ahead_m, 2, -1)], colour=RED, size=4.0)
        assert box(point) == (24, 27, 46, 49)
        line = drawn("LineList", view=view, points=[(ahead_m, -5, 0), (ahead_m, 5, 0)], colour=GREEN, thickness=100.0)
        top, bottom, left, right = box(line > 127)
        assert (left, right) == pytest.approx((20, 60), abs=3)
        assert 3 <= bottom - top + 1 <= 6
    behind = drawn("LineStrip", view=view, points=[(-9, -5, 0), (-9, 5, 0)], colour=GREEN, thickness=100.0)
    assert not behind.any()


def test_on_a_map_a_line_that_rises_is_hidden_where_it_is_deeper():
    """From 10 m to 20 m deep: half of it is before what is 15 m deep, where a pinhole shows two thirds."""
    view = View(Pose.from_euler((100.0, 0.0, 0.0)), SIZE, 90.0, 20.0)
    line = drawn("LineStrip", 15.0, view, points=[(10, -8, 0), (20, 8, 0)], colour=GREEN, thickness=1.0)
    _, _, left, right = box(line > 127)
    assert (left, right) == pytest.approx((40 - 32, 40), abs=2)
