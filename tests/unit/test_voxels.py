"""Voxels of surfaces against points sprinkled on them, and binvox files against a reader of the format."""

import numpy as np
import pytest

from airsim_seg.builtin import voxels
from airsim_seg.builtin.arguments import ApiError


def sprinkled(corners, low, counts, side, rng):
    """Cells that hold one of many points of the triangles."""
    weights = rng.dirichlet((1, 1, 1), (len(corners), 4000))
    points = np.einsum("npk,nkc->npc", weights, corners).reshape(-1, 3)
    cells = np.floor((points - low) / side).astype(int)
    inside = ((cells >= 0) & (cells < counts)).all(1)
    grid = np.zeros(counts, bool)
    grid[tuple(cells[inside].T)] = True
    return grid


def test_a_surfaces_cells_are_those_that_its_points_lie_in():
    rng = np.random.default_rng(3)
    corners = rng.uniform(-4, 4, (12, 3, 3))
    low, counts, side = np.array([-2.0, -1.5, -2.5]), (8, 9, 7), 0.5
    grid = voxels.surface_cells(corners, low, counts, side)
    truth = sprinkled(corners, low, counts, side, rng)
    assert not (truth & ~grid).any(), "a point lies in a cell that was called empty"
    # What points miss are cells of which the surface only cuts a corner.
    assert (grid & ~truth).sum() < 0.15 * truth.sum()


def test_blocks_make_no_difference(monkeypatch):
    corners = np.random.default_rng(4).uniform(0, 6, (20, 3, 3))
    whole = voxels.surface_cells(corners, np.zeros(3), (6, 6, 6), 1.0)
    monkeypatch.setattr(voxels, "_BLOCK", 7)
    assert np.array_equal(voxels.surface_cells(corners, np.zeros(3), (6, 6, 6), 1.0), whole)
    assert whole.any()


def test_a_flat_square_fills_one_layer():
    square = np.array([[[0, 0, 1.5], [9, 0, 1.5], [9, 9, 1.5]], [[0, 0, 1.5], [9, 9, 1.5], [0, 9, 1.5]]])
    grid = voxels.surface_cells(square, np.zeros(3), (3, 4, 5), 1.0)
    assert grid[:, :, 1].all()
    assert grid.sum() == 12


def test_what_is_outside_or_nothing_at_all_leaves_the_grid_empty():
    far = np.full((1, 3, 3), 100.0)
    assert not voxels.surface_cells(far, np.zeros(3), (3, 3, 3), 1.0).any()
    assert not voxels.surface_cells(np.zeros((0, 3, 3)), np.zeros(3), (3, 3, 3), 1.0).any()


def test_grids_that_would_take_minutes_are_refused(monkeypatch):
    monkeypatch.setattr(voxels, "MAX_TESTS", 10)
    with pytest.raises(ApiError, match="too many"):
        voxels.surface_cells(np.array([[[0, 0, 0], [9, 9, 9], [0, 9, 9.0]]]), np.zeros(3), (9, 9, 9), 1.0)


def read_binvox(data):
    head, body = data.split(b"data\n", 1)
    lines = dict(line.split(" ", 1) for line in head.decode().splitlines())
    north, up, east = (int(n) for n in lines["dim"].split())
    runs = np.frombuffer(body, np.uint8).reshape(-1, 2)
    cells = np.repeat(runs[:, 0], runs[:, 1]).reshape(east, up, north)
    return cells.transpose(2, 0, 1).astype(bool), lines


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_a_binvox_file_reads_back(share):
    grid = np.random.default_rng(5).random((20, 30, 10)) < share
    read, lines = read_binvox(voxels.binvox(grid, (10, 15, 5)))
    assert np.array_equal(read, grid)
    assert (lines["dim"], lines["translate"], lines["scale"]) == ("20 10 30", "-5 -7.5 -2.5", "0.1")
