"""Traffic: a function of time alone, on the way, at its pace, turning as it goes, on a grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airsim_seg.builtin.traffic import DIRECTION_GRID, PLACE_GRID_M, Mover, Traffic, Way, rounded_block

SQUARE = Way(np.array([(0, 0, -1), (10, 0, -1), (10, 10, -1), (0, 10, -1)], float))
BLOCK = rounded_block((-20.0, 5.0), (30.0, 65.0), 6.0, -0.5)
HILLS = Way(np.array([(0, 0, 0), (30, 0, -3), (40, 20, -3), (10, 40, 1), (-10, 20, 0)], float))


def distance_to_way(way: Way, point) -> float:
    """The nearest point of all sides, by brute force."""
    nearest = np.inf
    for a, b in zip(way.corners_m, np.roll(way.corners_m, -1, 0), strict=True):
        part = np.clip(np.dot(point - a, b - a) / np.dot(b - a, b - a), 0, 1)
        nearest = min(nearest, float(np.linalg.norm(a + part * (b - a) - point)))
    return nearest


def test_a_square_is_walked_side_by_side():
    for along, place in ((0, (0, 0, -1)), (5, (5, 0, -1)), (12.5, (10, 2.5, -1)), (29, (1, 10, -1)), (40, (0, 0, -1))):
        assert SQUARE.placement(along)[:, 3].tolist() == pytest.approx(place)
    assert SQUARE.placement(5)[:, 0].tolist() == [1, 0, 0]
    assert SQUARE.placement(15)[:, 0].tolist() == [0, 1, 0]
    half = SQUARE.placement(10)[:, 0]
    assert half.tolist() == pytest.approx([0.5**0.5, 0.5**0.5, 0], abs=1e-6)


@given(st.floats(-1e4, 1e4))
def test_everybody_is_on_the_way_and_stands_upright_on_the_grid(along):
    for way in (SQUARE, BLOCK, HILLS):
        placement = way.placement(along)
        assert distance_to_way(way, placement[:, 3]) < 1e-3
        assert placement[:, :3] @ placement[:, :3].T == pytest.approx(np.eye(3), abs=4e-6)
        assert np.linalg.det(placement[:, :3]) > 0
        assert (placement[:, 3] / PLACE_GRID_M % 1 == 0).all()
        assert (placement[:, :3] / DIRECTION_GRID % 1 == 0).all()


def test_on_hills_it_is_pitched_along_the_way_and_not_rolled():
    middle = HILLS.placement(np.hypot(30, 3) / 2)
    assert middle[:, 0] == pytest.approx(np.array([30, 0, -3]) / np.hypot(30, 3), abs=1e-6)  # the nose is up
    assert middle[:, 1] == pytest.approx([0, 1, 0], abs=1e-6)
    for along in np.linspace(0, HILLS.length_m, 50):
        _, right, below = HILLS.placement(along)[:, :3].T
        assert right[2] == 0
        assert below[2] > 0.9


def test_a_level_way_is_as_level_as_its_corners():
    for along in np.linspace(0, BLOCK.length_m, 50):
        assert BLOCK.placement(along)[2].tolist() == [0, 0, 1, -0.5]


def test_a_block_is_gone_around_clockwise_within_its_bounds():
    corners = BLOCK.corners_m
    assert corners[:, 0].min() == pytest.approx(-20)
    assert corners[:, 0].max() == pytest.approx(30)
    assert corners[:, 1].min() == pytest.approx(5)
    assert corners[:, 1].max() == pytest.approx(65)
    north, east = corners[:, 0], corners[:, 1]
    twice_area = np.sum(north * np.roll(east, -1) - east * np.roll(north, -1))
    assert twice_area / 2 == pytest.approx(50 * 60 - (4 - np.pi) * 36, rel=1e-3)  # positive: from north to east
    assert BLOCK.length_m == pytest.approx(2 * (50 + 60) - 8 * 6 + 2 * np.pi * 6, rel=1e-3)


@pytest.mark.parametrize("time_ns", [0, 1, 40_000_000, 10**18 + 7])
def test_pace_and_time(time_ns):
    mover = Mover(3, SQUARE, speed_mps=2.0, start_m=7.0)
    round_ns = 20_000_000_000
    expected = SQUARE.placement(7 + 2 * (time_ns % round_ns) / 1e9)
    assert np.array_equal(mover.place(time_ns), expected)
    assert np.array_equal(mover.place(time_ns + round_ns), expected)
    moved = Traffic([mover]).placements(time_ns)[3]
    assert moved[:, :3] @ mover.place(0)[:, 3] + moved[:, 3] == pytest.approx(expected[:, 3])
    assert moved[:, :3] @ mover.place(0)[:, :3] == pytest.approx(expected[:, :3], abs=4e-6)


def test_all_together_are_where_each_is_bit_for_bit():
    movers = [Mover(k, way, 1.0 + 0.7 * k, 3.1 * k) for k, way in enumerate([SQUARE, HILLS, BLOCK, SQUARE, BLOCK])]
    movers.append(Mover(9, HILLS, 0.0, 5.0))
    for time_ns in (0, 40_000_000, 77_777_777_777, 10**15 + 1):
        places = Traffic(movers).places(time_ns)
        assert places.tobytes() == np.array([mover.place(time_ns) for mover in movers]).tobytes()


def test_nobody_drives():
    assert Traffic([]).placements(5) == {}


def test_what_stands_stays():
    parked = Mover(0, SQUARE, speed_mps=0.0, start_m=3.0)
    assert np.array_equal(parked.place(10**12), SQUARE.placement(3.0))


def test_headings_change_smoothly_from_frame_to_frame():
    mover = Mover(0, BLOCK, speed_mps=8.0, start_m=0.0)
    frames = np.array([mover.place(40_000_000 * k) for k in range(1200)])
    turns = np.degrees(np.arccos(np.clip((frames[1:, :, 0] * frames[:-1, :, 0]).sum(1), -1, 1)))
    assert turns.max() < 5  # 0.32 m on a radius of 6 m is 3 degrees
    steps = np.linalg.norm(np.diff(frames[:, :, 3], axis=0), axis=1)
    assert steps == pytest.approx(0.32, abs=0.01)
