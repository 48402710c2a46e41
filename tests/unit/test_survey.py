"""The survey against the toy world, whose heights are known exactly."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from toy_world import GRASS, HOUSE, ROAD, TREE, Box, ToyWorld

from airsim_seg.collection.survey import Survey, load_survey, save_survey, take_survey
from airsim_seg.errors import MissingData, SimulatorError


@pytest.fixture(scope="module")
def survey() -> Survey:
    return take_survey(ToyWorld(size_hw=(120, 160)), radius_m=100, cell_m=0.5)


def at(survey: Survey, north_m: float, east_m: float) -> tuple[float, int]:
    row, column = survey.cells(np.array([north_m, east_m]))
    return float(survey.top_down_m[row, column]), int(survey.top_ids[row, column])


@pytest.mark.parametrize(
    ("north_m", "east_m", "down_m", "raw_id"),
    [(0, 30, 0, ROAD), (-50, 3, 0, ROAD), (10, 10, 0, GRASS), (25, 25, -7, HOUSE), (38, -12, -13, TREE)],
)
def test_heights_and_ids_are_those_of_the_world(
    survey: Survey, north_m: float, east_m: float, down_m: float, raw_id: int
) -> None:
    top_down_m, top_id = at(survey, north_m, east_m)
    assert top_down_m == pytest.approx(down_m, abs=0.05)
    assert top_id == raw_id


def test_no_box_is_missed(survey: Survey) -> None:
    """A cell that shows less height than the box in it, and whose neighbours do, would let a drone fly into the box."""
    highest = cv2.erode(np.nan_to_num(survey.top_down_m, nan=np.inf), np.ones((3, 3), np.uint8))
    rows, columns = np.indices(highest.shape)
    north_m, east_m = np.moveaxis(survey.centres_m(rows, columns), -1, 0).copy()
    for box in ToyWorld().boxes:
        inside = np.maximum(np.abs(north_m - box.north_m), np.abs(east_m - box.east_m)) < box.half_m - 0.5
        assert inside.any()
        assert np.abs(highest[inside] + box.top_m).max() < 0.05


def test_almost_everything_is_seen_despite_walls(survey: Survey) -> None:
    assert survey.known.mean() > 0.99


def test_ground_under_houses_and_trees_is_the_plane(survey: Survey) -> None:
    assert np.abs(survey.ground_down_m()).max() < 0.1


def test_camera_climbs_over_a_tower() -> None:
    tower = Box(0, 0, 5, 0, 55, HOUSE)
    survey = take_survey(ToyWorld((tower,), (90, 120)), radius_m=30, altitude_m=60, cell_m=1.0)
    assert at(survey, 0, 0)[0] == pytest.approx(-55, abs=0.1)


def test_open_sky_is_refused() -> None:
    with pytest.raises(SimulatorError, match="start the vehicle outdoors"):
        take_survey(ToyWorld((), (30, 40), half_plane_m=0.5), radius_m=50, cell_m=1.0)


def test_saved_survey_comes_back_and_knows_its_world(tmp_path: Path, survey: Survey) -> None:
    path = tmp_path / "survey.npz"
    save_survey(survey, survey, path, "one world")
    assert [s.sha256() for s in load_survey(path, "one world")] == [survey.sha256()] * 2
    with pytest.raises(MissingData, match="another world"):
        load_survey(path, "another")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(MissingData, match="take it again"):
        load_survey(path, "one world")
    with pytest.raises(MissingData):
        load_survey(tmp_path / "none.npz", "one world")
