"""Who makes way for a camera: asked again for the same moment, after a move, and at another time."""

from types import SimpleNamespace

import numpy as np

from airsim_seg.builtin.scene import STILL
from airsim_seg.builtin.scenery import Scenery
from airsim_seg.builtin.traffic import Mover, Way

SQUARE = Way(np.array([(0, 0, 0), (40, 0, 0), (40, 40, 0), (0, 40, 0)], float))
CAR, CART = 7, 9
TRAFFIC = (Mover(CAR, SQUARE, 10.0, 0.0), Mover(CART, SQUARE, 10.0, 80.0))
SECOND_NS = 10**9


def scenery(began_ns: int = 0) -> Scenery:
    """Two that go around a square of 40 m at opposite corners; the API's origin is 5 m north of the scene's."""
    start = SimpleNamespace(position_m=np.array([5.0, 0.0, 0.0]))
    return Scenery(SimpleNamespace(traffic=TRAFFIC, player_start=start), began_ns)  # type: ignore[arg-type]


def camera(north_m: float, east_m: float) -> list[np.ndarray]:
    return [np.array([north_m - 5.0, east_m, -1.0])]


def test_what_drives_into_a_camera_is_away_until_either_has_moved_on():
    world = scenery()
    for _ in range(2):
        assert world.met_by(camera(0.0, 0.0), 0) == {CAR}
        assert world.met_by(camera(40.0, 40.0), 0) == {CART}
        assert world.met_by(camera(20.0, 20.0), 0) == frozenset()
        assert world.met_by(camera(0.0, 0.0), SECOND_NS) == frozenset()
        assert world.met_by(camera(10.0, 0.0), SECOND_NS) == {CAR}


def test_what_is_remembered_goes_when_the_traffic_begins_anew():
    world = scenery()
    assert world.met_by(camera(0.0, 0.0), 0) == {CAR}
    world.began_ns = -SECOND_NS
    assert world.met_by(camera(0.0, 0.0), 0) == frozenset()
    assert world.met_by(camera(10.0, 0.0), 0) == {CAR}


def test_everybody_is_where_the_traffic_says_at_the_time_that_is_asked_for():
    world = scenery(began_ns=3 * SECOND_NS)
    for time_ns in (3 * SECOND_NS, 5 * SECOND_NS, 3 * SECOND_NS):
        placements = world.put_into(STILL, time_ns, frozenset({CART})).placements
        expected = world.traffic.placements(time_ns - 3 * SECOND_NS)
        assert {k: v.tobytes() for k, v in placements.items()} == {k: v.tobytes() for k, v in expected.items()}
