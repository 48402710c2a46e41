"""Ways, curves and speeds against brute force and closed forms."""

import numpy as np
import pytest

from airsim_seg.collection import routes


def brute_force_cost(cell_cost: np.ndarray, start: tuple[int, int]) -> np.ndarray:
    """Bellman and Ford: relax every edge until nothing changes."""
    cost = np.full(cell_cost.shape, np.inf)
    cost[start] = 0
    rows, columns = cell_cost.shape
    while True:
        before = cost.copy()
        for r in range(rows):
            for c in range(columns):
                for dr in (-1, 0, 1):
                    for dc in (-1, 0, 1):
                        if (dr or dc) and 0 <= r + dr < rows and 0 <= c + dc < columns:
                            edge = np.hypot(dr, dc) * (cell_cost[r, c] + cell_cost[r + dr, c + dc]) / 2
                            cost[r, c] = min(cost[r, c], cost[r + dr, c + dc] + edge)
        if np.array_equal(before, cost):
            return cost


def test_cost_field_equals_brute_force() -> None:
    rng = np.random.default_rng(0)
    for _ in range(5):
        cell_cost = rng.uniform(1, 5, (7, 9))
        cell_cost[rng.uniform(size=(7, 9)) < 0.25] = np.inf
        cell_cost[3, 4] = 1.0
        field = routes.cost_field(cell_cost, (3, 4))
        truth = brute_force_cost(cell_cost, (3, 4))
        assert np.array_equal(np.isfinite(field.cost), np.isfinite(truth))
        assert field.cost[np.isfinite(truth)] == pytest.approx(truth[np.isfinite(truth)])


def test_ways_are_connected_free_and_as_long_as_they_say() -> None:
    cell_cost = np.ones((20, 20))
    cell_cost[10, :19] = np.inf  # a wall with a gap
    field = routes.cost_field(cell_cost, (2, 2))
    way = field.way_to((18, 2))
    assert way[0].tolist() == [2, 2]
    assert way[-1].tolist() == [18, 2]
    assert np.abs(np.diff(way, axis=0)).max() == 1
    assert np.isfinite(cell_cost[tuple(way.T)]).all()
    assert routes.way_length(way) == pytest.approx(field.length[18, 2])


def test_long_way_is_long_and_avoids_where_it_was() -> None:
    ring = np.full((30, 30), np.inf)
    ring[2:28, 2:28] = 1.0
    ring[6:24, 6:24] = np.inf
    way = routes.long_way(ring, (3, 3), 200, np.random.default_rng(0))
    assert way is not None
    assert routes.way_length(way) >= 200
    steps = np.diff(way, axis=0)
    back = (steps[1:] == -steps[:-1]).all(axis=1)
    assert back.mean() < 0.02


def test_no_way_out_is_none() -> None:
    room = np.full((9, 9), np.inf)
    room[4, 4] = room[4, 5] = 1.0
    assert routes.long_way(room, (4, 4), 50, np.random.default_rng(0)) is None


def test_a_pocket_of_one_cell_with_appealing_land_around_has_no_way_out() -> None:
    cost = np.ones((30, 30))
    cost[10:13, 10:13] = np.inf
    cost[11, 11] = 1.0
    assert routes.long_way(cost, (11, 11), 20.0, np.random.default_rng(0), appeal=np.ones((30, 30))) is None


def test_goals_go_where_the_appeal_is() -> None:
    appeal = np.zeros((41, 41))
    appeal[:, 30:] = 1.0
    ends = [
        routes.long_way(np.ones((41, 41)), (20, 20), 12, np.random.default_rng(seed), appeal=appeal)
        for seed in range(10)
    ]
    assert all(way is not None and way[-1, 1] >= 30 for way in ends)


def test_circle_has_its_radius() -> None:
    angle = np.linspace(0, 1.5 * np.pi, 300)
    curve = routes.smooth_curve(20 * np.stack([np.cos(angle), np.sin(angle)], -1), 2.0)
    inner = (curve.arc_m > 15) & (curve.arc_m < curve.length_m - 15)
    # A Gaussian of 2 m shrinks a circle of 20 m by exp(-(2/20)^2/2) = 0.5 %, the B-spline by another 0.04 %.
    assert 1 / curve.curvature[inner] == pytest.approx(20, rel=0.01)
    places, heading = curve.at(np.array([40.0]))
    assert np.linalg.norm(places[0]) == pytest.approx(20, rel=0.01)
    assert np.cos(heading[0] - np.arctan2(places[0, 1], places[0, 0])) == pytest.approx(0, abs=0.02)


def test_corner_becomes_smooth() -> None:
    curve = routes.smooth_curve(np.array([[0.0, 0.0], [50.0, 0.0], [50.0, 50.0]]), 4.0)
    assert np.abs(np.diff(curve.curvature)).max() < 0.01
    # In the middle of a right angle smoothed by sigma: |v x a| / |v|^3 with v = (1/2, 1/2), a = (-g, g), g the
    # Gaussian's top 1 / (sigma sqrt(2 pi)); that is 2 sqrt(2) g.
    assert curve.curvature.max() == pytest.approx(2 * np.sqrt(2) / (4.0 * np.sqrt(2 * np.pi)), rel=0.05)


def test_straight_line_is_driven_at_cruise_and_bends_slower() -> None:
    limits = routes.Limits(8.0, 2.0, 2.0, 1.0)
    straight = routes.smooth_curve(np.array([[0.0, 0.0], [200.0, 0.0]]), 2.0)
    arc = routes.drive(straight, limits, 100, 25.0)
    assert arc is not None
    assert np.diff(arc) * 25 == pytest.approx(8.0, rel=1e-3)
    bent = routes.smooth_curve(np.array([[0.0, 0.0], [60.0, 0.0], [60.0, 90.0]]), 4.0)
    arc = routes.drive(bent, limits, 200, 25.0)
    assert arc is not None
    speed = np.gradient(arc, 1 / 25)
    lateral = speed**2 * np.abs(np.interp(arc, bent.arc_m, bent.curvature))
    assert speed.min() < 6.0
    assert lateral.max() < limits.lateral_mps2 * 1.3
    assert np.abs(np.gradient(speed, 1 / 25)).max() < limits.acceleration_mps2 * 1.05


def test_too_short_a_curve_is_none() -> None:
    curve = routes.smooth_curve(np.array([[0.0, 0.0], [20.0, 0.0]]), 2.0)
    assert routes.drive(curve, routes.Limits(8.0, 2.0, 2.0, 1.0), 100, 25.0) is None


def test_gaussian_keeps_lines_and_damps_noise() -> None:
    line = np.linspace(3, 10, 60)
    assert routes.gaussian(line, 5) == pytest.approx(line)
    noise = np.random.default_rng(0).normal(size=2000)
    # The variance of Gaussian-smoothed white noise is 1 / (2 sqrt(pi) sigma).
    assert routes.gaussian(noise, 5)[50:-50].var() == pytest.approx(1 / (2 * np.sqrt(np.pi) * 5), rel=0.3)


def test_spread_cells_are_far_apart_and_allowed() -> None:
    allowed = np.zeros((50, 50), bool)
    allowed[:, 10:40] = True
    cells = routes.spread_cells(allowed, 6, np.random.default_rng(0))
    assert allowed[tuple(cells.T)].all()
    apart = np.linalg.norm(cells[:, None] - cells[None], axis=-1)[np.triu_indices(6, 1)]
    assert apart.min() > 12
    assert np.array_equal(routes.spread_cells(allowed, 3, np.random.default_rng(0)), cells[:3])
    assert not len(routes.spread_cells(np.zeros((5, 5), bool), 3, np.random.default_rng(0)))
    assert routes.nearest_cell(allowed, np.array([[5, 0]]), 7) == (5, 10)
    assert routes.nearest_cell(np.zeros((5, 5), bool), cells, 0) is None
