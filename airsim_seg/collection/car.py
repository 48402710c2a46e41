"""Car trajectories: along cells whose id the label map calls road, on the right-hand side where there is room.

What is road follows from the raw ids of the survey and the environment's label map, so any map with roads will do.
"""

from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np

from airsim_seg.collection import routes
from airsim_seg.collection.plans import (
    GRAVITY_MPS2,
    NoRoute,
    Plan,
    clearance_m,
    coarse_min,
    derivative,
    disc,
    forward_and_right,
    make_plan,
    num_frames_of,
    stride_of,
)
from airsim_seg.collection.survey import Survey
from airsim_seg.taxonomy import TRAIN_ID_OF
from airsim_seg.types import BoolArray, Float64Array, UInt8Array

HALF_WIDTH_M = 0.9  # of a car
MARGIN_M = 0.35  # between its side and whatever is not road
TURNING_RADIUS_M = 4.0
ATTEMPTS = 24
OWN_START_ATTEMPTS = 8
LIMITS = routes.Limits(speed_mps=12.0, acceleration_mps2=1.8, lateral_mps2=2.5, turn_radps=0.9)
MAX_YAW_RATE = 1.2  # rad/s
ROUNDINGS_M = (6.5, 5.0)  # a right angle smoothed by sigma has a radius of 0.89 sigma, and cuts its corner by 0.56
# Branches over the road hide it from above: so wide a hole with something so high above the ground is still road.
CROWN_GAP_M = 5.0
CROWN_HEIGHT_M = 2.8
# Leaves, lids and paint on the asphalt have ids of their own; wheels roll over what is so small and so flat.
LITTER_M = 1.5
LITTER_HEIGHT_M = 0.15
MIN_ROAD_M2 = 200.0
NUM_ANCHORS = 32  # starting areas, far from one another
BEND_FACTOR_M = 12.0  # at a radius of so many metres nothing is left of the shift to the right
_OVERHEAD_CLASSES = ("tree", "vegetation")


@dataclass(frozen=True)
class Style:
    """What is drawn for one drive.

    Attributes:
        cruise_mps: speed on the straight.
        eye_m: height of the camera above the road.
        lane_m: how far right of the road's middle it likes to drive.
        tilt_rad: pitch of the camera on level road; negative looks down.
    """

    cruise_mps: float
    eye_m: float
    lane_m: float
    tilt_rad: float


def plan_car(street: "Street", rng: np.random.Generator, seconds: float, rate_hz: float, *, order: int = 0) -> Plan:
    """Plan one drive.

    Args:
        street: the survey of the world.
        rng: draws everything.
        seconds: length of the drive, > 0.
        rate_hz: frames a second.
        order: number of the video: drives of different numbers start in different parts of the map.

    Returns:
        A plan whose camera keeps half a car's width and a margin from everything that is not road at every frame.

    Raises:
        NoRoute: none was found.
    """
    area_m2 = float(street.road.sum()) * street.survey.cell_m**2
    if area_m2 < MIN_ROAD_M2:
        raise NoRoute(
            f"no drive can be planned: the survey shows {area_m2:.0f} m2 of road, for the ids that the label map calls "
            f"road; choose --vehicle drone, or mend the label map."
        )
    for attempt in range(ATTEMPTS):
        own_start = order if attempt < OWN_START_ATTEMPTS else int(rng.integers(NUM_ANCHORS))
        # Where the roads are short, slower goes: they then last longer.
        plan = _attempt(street, draw_style(rng, 0.8 ** (attempt // 6)), rng, seconds, rate_hz, own_start)
        if plan is not None:
            return plan
    raise NoRoute(
        f"no drive of {seconds:g} s was found in {ATTEMPTS} attempts on {area_m2:.0f} m2 of road: the roads that are "
        f"wide enough are too short or too winding; ask for fewer --seconds, or for --vehicle drone."
    )


def draw_style(rng: np.random.Generator, haste: float = 1.0) -> Style:
    """Draw the character of a drive."""
    return Style(
        cruise_mps=float(rng.uniform(5.0, 10.0)) * haste,
        eye_m=float(rng.uniform(1.4, 1.6)),
        lane_m=float(rng.uniform(1.2, 1.9)),
        tilt_rad=float(rng.uniform(-0.05, 0.02)),
    )


class Street:
    """The survey as a driver sees it; made once for all drives.

    Attributes:
        survey: what it was made from.
        down_m: float32 [R,C], down coordinate of the road's surface, on the road and near it.
        road: bool [R,C], what wheels may touch.
        clearance_m: float64 [R,C], distance to what is not road.
        room_m: float64, per coarse cell, the least clearance in it.
        open_road: bool, per coarse cell: a car fits.
        anchors: int64 [A,2], coarse cells far from one another, where drives start.
    """

    def __init__(self, survey: Survey, class_of_id: UInt8Array, layout_seed: int = 0) -> None:
        """Look at a survey.

        Args:
            survey: of the world.
            class_of_id: uint8 [256], train id of every raw id (a label map's lookup).
            layout_seed: how the roads are divided into starting areas.
        """
        self.survey = survey
        classes = np.where(survey.known, class_of_id[survey.top_ids], 255)
        seen_road = classes == TRAIN_ID_OF["road"]
        self.down_m = _level_of(survey, seen_road)
        above_m = self.down_m - np.nan_to_num(survey.top_down_m, nan=np.inf)
        overhead = np.isin(classes, [TRAIN_ID_OF[name] for name in _OVERHEAD_CLASSES]) & (above_m > CROWN_HEIGHT_M)
        under_crowns = _close(seen_road, CROWN_GAP_M / survey.cell_m) & (overhead | ~survey.known)
        litter = _close(seen_road, LITTER_M / survey.cell_m) & (np.abs(above_m) < LITTER_HEIGHT_M)
        self.road: BoolArray = seen_road | under_crowns | litter
        self.clearance_m = clearance_m(self.road, survey.cell_m)
        self.room_m = coarse_min(self.clearance_m, stride_of(survey.cell_m))
        self.open_road = self.room_m >= HALF_WIDTH_M + MARGIN_M
        self.anchors = routes.spread_cells(self.open_road, NUM_ANCHORS, np.random.default_rng(layout_seed))

    def holds(self, places_m: Float64Array) -> bool:
        """Every frame keeps half a car and a margin from what is not road."""
        rows, columns = self.survey.cells(places_m)
        return bool((self.clearance_m[rows, columns] >= HALF_WIDTH_M + MARGIN_M).all())


def _close(mask: BoolArray, gap_cells: float) -> BoolArray:
    """Fill holes and slits narrower than so many cells."""
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc(gap_cells / 2))
    return np.asarray(closed, np.bool_)


def _level_of(survey: Survey, road: BoolArray) -> np.ndarray:
    """Down coordinate of the road surface, float32 [R,C], smoothed over 2 m and carried on to 12 m beside it."""
    weight = road.astype(np.float32)
    height = np.where(road, survey.top_down_m, 0).astype(np.float32)
    level = np.full(road.shape, survey.centre_m[2], np.float32)
    for reach_m in (12.0, 4.0, 2.0):
        size = int(reach_m / survey.cell_m) | 1
        total = cv2.blur(weight, (size, size))
        level = np.where(total > 1e-4, cv2.blur(height, (size, size)) / np.maximum(total, 1e-4), level)
    return level


def _attempt(
    street: Street, style: Style, rng: np.random.Generator, seconds: float, rate_hz: float, order: int
) -> Plan | None:
    stride = stride_of(street.survey.cell_m)
    start = routes.nearest_cell(street.open_road, street.anchors, order)
    if start is None:
        return None
    # The middle of the road is cheapest, so the way does not cut corners.
    cost = np.where(street.open_road, 1 + 6 * np.clip(1 - street.room_m / 3.5, 0, 1) ** 2, np.inf)
    way = routes.long_way(cost, start, routes.length_needed_m(seconds, style.cruise_mps), rng)
    if way is None:
        return None
    points_m = street.survey.centres_m(*(way.T * stride + stride // 2))
    for rounding_m in ROUNDINGS_M:
        curve = _keep_right(street, routes.smooth_curve(points_m, rounding_m), style.lane_m)
        if np.abs(curve.curvature).max() > 1 / TURNING_RADIUS_M:
            continue
        limits = replace(LIMITS, speed_mps=style.cruise_mps)
        arc_m = routes.drive(curve, limits, num_frames_of(seconds, rate_hz), rate_hz)
        plan = None if arc_m is None else _drive(street, curve, arc_m, style, rate_hz)
        if plan is not None and street.holds(plan.position_m):
            return plan
    return None


def _keep_right(street: Street, middle: routes.Curve, lane_m: float) -> routes.Curve:
    """Shift a line to the right as far as there is road, without corners."""
    rows, columns = street.survey.cells(middle.places_m)
    room_m = street.clearance_m[rows, columns] - HALF_WIDTH_M - 2 * MARGIN_M
    # The least room nearby decides, then softly: a parked car is passed in time.
    reach = int(4.0 / routes.STEP_M)
    least_m = cv2.erode(room_m.reshape(-1, 1), np.ones((2 * reach + 1, 1), np.uint8)).reshape(-1)
    # In bends it keeps to the middle: to the right of it they are tighter.
    straight = np.clip(1 - BEND_FACTOR_M * np.abs(middle.curvature), 0, 1)
    shift_m = routes.gaussian(np.clip(least_m, 0, lane_m) * straight, 5.0 / routes.STEP_M)
    right = np.stack([-np.sin(middle.heading_rad), np.cos(middle.heading_rad)], -1)
    return routes.smooth_curve(middle.places_m + right * shift_m[:, None], 1.0)


def _drive(street: Street, curve: routes.Curve, arc_m: Float64Array, style: Style, rate_hz: float) -> Plan | None:
    """Put the camera above the road, along the course; None where it would have to turn too fast."""
    places_m, yaw_rad = curve.at(arc_m)
    yaw_rad = routes.gaussian(yaw_rad, 0.15 * rate_hz)
    if np.abs(derivative(yaw_rad, rate_hz)).max() > MAX_YAW_RATE:
        return None
    rows, columns = street.survey.cells(places_m)
    road_m = routes.gaussian(street.down_m[rows, columns].astype(np.float64), 0.3 * rate_hz)
    position_m = np.column_stack([places_m, road_m - style.eye_m])
    velocity = derivative(position_m, rate_hz)
    speed = np.maximum(np.linalg.norm(velocity[:, :2], axis=1), 1.0)
    climb_rad = np.arctan2(-velocity[:, 2], speed)
    _, right = forward_and_right(derivative(velocity, rate_hz), yaw_rad)
    return make_plan(
        "car",
        rate_hz,
        position_m,
        yaw_rad=yaw_rad,
        pitch_rad=style.tilt_rad + routes.gaussian(climb_rad, 0.3 * rate_hz),
        # A car rolls outwards by about half a degree per m/s^2 (0.1 of the lateral acceleration in g).
        roll_rad=routes.gaussian(-0.1 * np.arctan(right / GRAVITY_MPS2), 0.3 * rate_hz),
        parameters={key: round(value, 4) for key, value in asdict(style).items()},
    )
