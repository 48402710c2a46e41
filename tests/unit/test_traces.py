"""The line behind a vehicle: where it goes, how few pieces it takes, when it ends."""

import math
from itertools import pairwise

import numpy as np
import pytest

from airsim_seg.builtin import traces
from airsim_seg.builtin.traces import DEFAULT_THICKNESS_CM, MIN_MOVE_M, PURPLE, TOLERANCE_M, Trace

GREEN = np.array([0.0, 1.0, 0.0, 1.0])


def flown(places, *, is_on=True) -> Trace:
    trace = Trace(np.asarray(places[0], float), is_on=is_on)
    for place in places[1:]:
        trace.follow(np.asarray(place, float))
    return trace


def pieces(trace) -> list[tuple[np.ndarray, np.ndarray]]:
    points = [point for plot in trace.plots() for point in plot.strokes["points"]]
    return list(zip(points[::2], points[1::2], strict=True))


def distance_m(place, start, end) -> float:
    """From a place to a straight piece, by looking at a thousand points of it."""
    along = np.linspace(0, 1, 1001)[:, None]
    return float(np.linalg.norm(start + along * (end - start) - place, axis=1).min())


def spiral(count) -> list[tuple[float, float, float]]:
    return [(8 * math.cos(0.02 * k), 8 * math.sin(0.02 * k), -0.02 * k) for k in range(count)]


def test_a_straight_flight_is_few_pieces_and_a_curve_is_near_all_its_places():
    straight = flown([(0.4 * k, 0.1 * k, -5) for k in range(50)])
    [(start, end)] = pieces(straight)
    assert (start.tolist(), end.tolist()) == ([0, 0, -5], pytest.approx([19.6, 4.9, -5]))
    curved = flown(spiral(300))
    lines = pieces(curved)
    assert len(lines) < 100, "about two metres a piece, where 16 cm were flown between places"
    for place in spiral(300)[::7]:
        assert min(distance_m(np.array(place), *line) for line in lines) < TOLERANCE_M + 2e-3
    assert all((a[1] == b[0]).all() for a, b in pairwise(lines)), "no gaps"


def test_there_and_back_on_one_line_shows_how_far_it_went():
    lines = pieces(flown([(0, 0, 0), (5, 0, 0), (9, 0, 0), (5, 0, 0), (2, 0, 0)]))
    assert max(end[0] for _, end in lines) == 9


def test_what_stands_or_is_not_traced_leaves_nothing():
    assert flown([(0, 0, 0), (MIN_MOVE_M, 0, 0), (0, -MIN_MOVE_M, 0)]).plots() == []
    assert flown(spiral(50), is_on=False).plots() == []


def test_another_colour_is_for_what_comes():
    trace = flown([(0, 0, 0), (1, 0, 0)])
    trace.paint(GREEN, 10.0)
    trace.follow(np.array([2.0, 0.0, 0.0]))
    first, second = (plot.strokes for plot in trace.plots())
    assert (first["colour"] is PURPLE, first["thickness"]) == (True, DEFAULT_THICKNESS_CM)
    assert (second["colour"] is GREEN, second["thickness"]) == (True, 10.0)
    assert [point[0] for point in second["points"]] == [1, 2]


def test_a_reset_leaves_the_line_and_draws_none_to_the_start():
    trace = flown([(0, 0, 0), (5, 0, 0)])
    trace.restart(np.zeros(3))
    trace.follow(np.array([0.0, 3.0, 0.0]))
    assert [end.tolist() for _, end in pieces(trace)] == [[5, 0, 0], [0, 3, 0]]


def test_flushed_it_goes_on_from_its_end():
    trace = flown([(0, 0, 0), (5, 0, 0)])
    trace.flush()
    assert trace.plots() == []
    trace.follow(np.array([5.0, 3.0, 0.0]))
    assert [start.tolist() for start, _ in pieces(trace)] == [[5, 0, 0]]


def test_a_flight_without_end_loses_its_beginning(monkeypatch):
    monkeypatch.setattr(traces, "MAX_PIECES", 3)
    zigzag = flown([(k, k % 2, 0) for k in range(10)])
    assert [end[0] for _, end in pieces(zigzag)] == [6, 7, 8, 9]


def test_a_long_straight_does_not_keep_every_place_waiting():
    trace = flown([(0.1 * k, 0, 0) for k in range(10_000)])
    assert len(pieces(trace)) == pytest.approx(10_000 / 64, abs=2)


def test_the_default_colour_is_unreals_purple():
    rgb = PURPLE[:3]
    shown = np.where(rgb <= 0.0031308, 12.92 * rgb, 1.055 * rgb ** (1 / 2.4) - 0.055)
    assert np.rint(255 * shown).tolist() == [169, 7, 228]
