"""Plans against the toy world: free of obstacles by exact geometry, smooth by finite differences, the same again."""

import cv2
import numpy as np
import pytest
from toy_world import ROAD, Box, ToyWorld, class_of_id

from airsim_seg.collection import car, drone
from airsim_seg.collection.plans import NoRoute, Plan, clearance_m, derivative
from airsim_seg.collection.survey import Survey, take_survey

RATE_HZ = 25.0
ORDERS = range(3)


class Views:
    """A survey as both vehicles see it."""

    def __init__(self, survey: Survey) -> None:
        self.air, self.street = drone.Air(survey), car.Street(survey, class_of_id())


@pytest.fixture(scope="module")
def survey() -> Survey:
    return take_survey(ToyWorld(size_hw=(90, 120)), radius_m=110, cell_m=0.5)


@pytest.fixture(scope="module")
def views(survey: Survey) -> Views:
    return Views(survey)


def make(kind: str, views: Views, order: int, seconds: float = 8.0, seed: int = 0) -> Plan:
    rng = np.random.default_rng([seed, order])
    if kind == "drone":
        return drone.plan_drone(views.air, rng, seconds, RATE_HZ, order=order)
    return car.plan_car(views.street, rng, seconds, RATE_HZ, order=order)


@pytest.fixture(scope="module")
def plans(views: Views) -> dict[str, list[Plan]]:
    return {kind: [make(kind, views, order) for order in ORDERS] for kind in ("drone", "car")}


@pytest.mark.parametrize("kind", ["drone", "car"])
def test_length_and_unit_quaternions(plans: dict[str, list[Plan]], kind: str) -> None:
    for plan in plans[kind]:
        assert plan.num_frames == 200
        assert np.linalg.norm(plan.orientation_wxyz, axis=1) == pytest.approx(1, abs=1e-8)


@pytest.mark.parametrize("kind", ["drone", "car"])
def test_same_seed_same_poses(views: Views, plans: dict[str, list[Plan]], kind: str) -> None:
    again = make(kind, views, 1)
    assert np.array_equal(again.position_m, plans[kind][1].position_m)
    assert again.sha256() == plans[kind][1].sha256()
    assert make(kind, views, 1, seed=1).sha256() != again.sha256()


def test_drones_keep_their_clearance(plans: dict[str, list[Plan]]) -> None:
    world = ToyWorld()
    for plan in plans["drone"]:
        # Cells are half a metre wide: an obstacle may stand that much nearer than its cell's edge says.
        assert world.distance_to_boxes_m(plan.position_m).min() > drone.CLEARANCE_M - 0.5
        assert (plan.position_m[:, 2] < -4).all()
        assert (plan.position_m[:, 2] > -15).all()


def test_cars_keep_all_wheels_on_the_road(plans: dict[str, list[Plan]]) -> None:
    world = ToyWorld()
    for plan in plans["car"]:
        angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        rim = car.HALF_WIDTH_M * np.stack([np.cos(angles), np.sin(angles)], -1)
        assert world.on_street(plan.position_m[:, None, :2] + rim).all()
        assert -plan.position_m[:, 2] == pytest.approx(1.5, abs=0.15)


def test_cars_keep_to_the_right(plans: dict[str, list[Plan]]) -> None:
    """On a straight street the camera is right of the middle, as seen along its course."""
    shifts = []
    for plan in plans["car"]:
        velocity = derivative(plan.position_m, RATE_HZ)[:, :2]
        for axis in (0, 1):
            along = np.abs(velocity[:, axis]) > 0.99 * np.linalg.norm(velocity, axis=1)
            across = plan.position_m[along, 1 - axis]
            middle = np.round(across / 50) * 50
            right = 1.0 if axis == 0 else -1.0
            shifts.extend((across - middle) * right * np.sign(velocity[along, axis]))
    assert np.median(shifts) > 0.5


@pytest.mark.parametrize(
    ("kind", "speed_mps", "acceleration_mps2", "jerk_mps3", "yaw_rate"),
    [("drone", 8.5, 3.0, 8.0, 1.25), ("car", 12.5, 4.0, 15.0, 1.25)],
)
def test_motion_is_a_vehicles(
    plans: dict[str, list[Plan]],
    kind: str,
    speed_mps: float,
    acceleration_mps2: float,
    jerk_mps3: float,
    yaw_rate: float,
) -> None:
    for plan in plans[kind]:
        velocity = np.diff(plan.position_m, axis=0) * RATE_HZ
        acceleration = np.diff(velocity, axis=0) * RATE_HZ
        speed = np.linalg.norm(velocity, axis=1)
        assert speed.min() > 1.0
        assert speed.max() < speed_mps
        assert np.linalg.norm(acceleration, axis=1).max() < acceleration_mps2
        assert np.linalg.norm(np.diff(acceleration, axis=0) * RATE_HZ, axis=1).max() < jerk_mps3
        forward = np.stack([plan.pose(k).rotation()[:, 0] for k in range(plan.num_frames)])
        yaw = np.unwrap(np.arctan2(forward[:, 1], forward[:, 0]))
        assert np.abs(np.diff(yaw) * RATE_HZ).max() < yaw_rate


def test_cameras_look_ahead_and_nearly_level(plans: dict[str, list[Plan]]) -> None:
    for plan in plans["drone"] + plans["car"]:
        forward = np.stack([plan.pose(k).rotation()[:, 0] for k in range(plan.num_frames)])
        course = derivative(plan.position_m, RATE_HZ)
        course /= np.linalg.norm(course, axis=1, keepdims=True)
        assert np.median((forward * course).sum(axis=1)) > 0.8
        assert np.abs(np.degrees(np.arcsin(-forward[:, 2]))).max() < 25


@pytest.mark.parametrize("kind", ["drone", "car"])
def test_videos_cover_different_parts(plans: dict[str, list[Plan]], kind: str) -> None:
    starts = np.stack([plan.position_m[0, :2] for plan in plans[kind]])
    apart = np.linalg.norm(starts[:, None] - starts[None], axis=-1)[np.triu_indices(len(starts), 1)]
    assert apart.min() > 25


def test_long_drive_on_short_roads_goes_on(views: Views) -> None:
    plan = make("car", views, 0, seconds=25)
    assert plan.num_frames == 625
    assert ToyWorld().on_street(plan.position_m).all()


def test_single_frame() -> None:
    world = ToyWorld((), (90, 120))
    survey = take_survey(world, radius_m=60, cell_m=1.0)
    assert make("drone", Views(survey), 0, seconds=0.01).num_frames == 1


def test_no_road_is_told() -> None:
    survey = take_survey(ToyWorld((), (90, 120), streets_m=()), radius_m=60, cell_m=1.0)
    with pytest.raises(NoRoute, match="0 m2 of road"):
        make("car", Views(survey), 0)


def test_no_room_is_told() -> None:
    slab = Box(0, 0, 200, 0, 0.1, ROAD)
    lid = Box(0, 0, 14, 0, 40, ROAD)
    forest = tuple(Box(n, e, 5, 0, 40, ROAD) for n in range(-60, 61, 15) for e in range(-60, 61, 15))
    survey = take_survey(ToyWorld((slab, lid, *forest), (90, 120)), radius_m=50, altitude_m=80, cell_m=1.0)
    with pytest.raises(NoRoute, match="keeps 2 m from everything"):
        make("drone", Views(survey), 0)


def test_branches_over_the_road_do_not_end_it() -> None:
    """A crown 4 m above the street hides it from above; a crown that hangs to the ground blocks it."""

    def world(bottom_m: float, top_m: float) -> ToyWorld:
        crowns = tuple(Box(0.0, e, 2.2, bottom_m, top_m, 181) for e in (-40.0, 0.0, 40.0))
        return ToyWorld(crowns, (180, 240), streets_m=(0.0,))

    high = car.Street(take_survey(world(4, 9), radius_m=60, cell_m=0.5), class_of_id())
    low = car.Street(take_survey(world(0, 2), radius_m=60, cell_m=0.5), class_of_id())
    row, column = high.survey.cells(np.array([0.0, 0.0]))
    assert high.road[row, column]
    assert not low.road[row, column]


@pytest.mark.parametrize("size", [(40, 50), (150, 140)])
def test_clearance_is_exact_with_one_processor_and_with_many(size: tuple[int, int]) -> None:
    """Small grids and single processors made OpenCV take another way, whose last bits came out as they liked."""
    free = np.random.default_rng(3).random(size) < 0.97
    rows, columns = np.indices((size[0] + 2, size[1] + 2))
    blocked = np.argwhere(~np.pad(free, 1))
    squares = np.full(rows.shape, np.iinfo(np.int64).max)
    for row, column in blocked:
        squares = np.minimum(squares, (rows - row) ** 2 + (columns - column) ** 2)
    exact_m = 0.5 * np.sqrt(squares[1:-1, 1:-1].astype(np.float64)).astype(np.float32)
    threads = cv2.getNumThreads()
    try:
        for count in (0, 1, 2, 8):
            cv2.setNumThreads(count)
            for _ in range(3):
                assert np.array_equal(clearance_m(free, 0.5), exact_m)
    finally:
        cv2.setNumThreads(threads)
