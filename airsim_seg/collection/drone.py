"""Drone trajectories: between and above the houses at the height of real captures, looking about a little.

A drone may be where everything within a clearance below and beside it is at least as far away. The survey says where
that is, at the lowest height of the flight; a way is searched there, rounded, and every frame is checked again.
"""

from dataclasses import asdict, dataclass, replace

import cv2
import numpy as np

from airsim_seg.collection import routes
from airsim_seg.collection.plans import (
    COARSE_M,
    GRAVITY_MPS2,
    NoRoute,
    Plan,
    clearance_m,
    coarse_all,
    coarse_sample,
    derivative,
    disc,
    forward_and_right,
    make_plan,
    num_frames_of,
    stride_of,
)
from airsim_seg.collection.survey import Survey
from airsim_seg.types import BoolArray, Float32Array, Float64Array

CLEARANCE_M = 2.0  # to everything, sideways and downwards
EDGE_M = 12.0  # kept away from the end of what was seen: there is nothing to look at beyond it
GAP_M = 4.0  # holes in the survey narrower than this are shadows of walls, not the end of the world
ATTEMPTS = 24
OWN_START_ATTEMPTS = 8
LIMITS = routes.Limits(speed_mps=8.0, acceleration_mps2=1.5, lateral_mps2=2.0, turn_radps=0.6)
MAX_YAW_RATE = 1.2  # rad/s, path and looking about together
ROUNDING_M = 5.0
TURNING_RADIUS_M = 2.5  # tighter, and it would have to stop and pivot
SPARE_M = 5.0
WEAR = 10  # coarse cells
LEAN_SHARE = 0.4  # a gimbal takes the rest
MAX_LEAN_RAD = 0.12
USUAL_HEIGHT_M = 10.0
VIEW_M = 40.0  # the ids within half of this decide whether a place is worth filming
NOTICED_SHARE = 0.01  # of that square, for an id to count in full
AHEAD_M = 25.0  # where the camera looks, roughly
MIN_START_INTEREST = 0.4
# A flight should see this much on average; later attempts are content with less.
WANTED_INTEREST = 0.7
NUM_ANCHORS = 32  # starting areas, far from one another


@dataclass(frozen=True)
class Style:
    """What is drawn for one flight.

    Attributes:
        cruise_mps: speed where nothing slows it down.
        height_m: mean height of the camera above the ground.
        swing_m, swing_period_s, swing_phase: it rises and sinks slowly.
        look_rad, look_period_s, look_phase: the camera turns left and right of the course.
        tilt_rad, nod_rad: mean pitch of the camera and how far it nods around that; negative looks down.
    """

    cruise_mps: float
    height_m: float
    swing_m: float
    swing_period_s: float
    swing_phase: float
    look_rad: float
    look_period_s: float
    look_phase: float
    tilt_rad: float
    nod_rad: float

    @property
    def lowest_m(self) -> float:
        """Least height above the ground."""
        return self.height_m - self.swing_m


def plan_drone(air: "Air", rng: np.random.Generator, seconds: float, rate_hz: float, *, order: int = 0) -> Plan:
    """Plan one flight.

    Args:
        air: the survey of the world.
        rng: draws everything.
        seconds: length of the flight, > 0.
        rate_hz: frames a second.
        order: number of the video: flights of different numbers start in different parts of the map.

    Returns:
        A plan that keeps CLEARANCE_M from everything in the survey at every frame.

    Raises:
        NoRoute: none was found.
    """
    for attempt in range(ATTEMPTS):
        style = draw_style(rng)
        own_start = order if attempt < OWN_START_ATTEMPTS else int(rng.integers(NUM_ANCHORS))
        wanted = WANTED_INTEREST * (1 - attempt / ATTEMPTS)
        plan = _attempt(air, style, rng, seconds, rate_hz, own_start, wanted)
        if plan is not None:
            return plan
    share = float(air.free(USUAL_HEIGHT_M).mean())
    raise NoRoute(
        f"no free flight of {seconds:g} s was found in {ATTEMPTS} attempts: {USUAL_HEIGHT_M:g} m above the ground only "
        f"{share:.0%} of the surveyed square keeps {CLEARANCE_M:g} m from everything; ask for fewer --seconds, or for "
        f"--vehicle car."
    )


def draw_style(rng: np.random.Generator) -> Style:
    """Draw the character of a flight: real captures of the study's kind fly level at about 10 m."""
    return Style(
        cruise_mps=float(rng.uniform(4.0, 7.5)),
        height_m=float(rng.uniform(7.0, 12.5)),
        swing_m=float(rng.uniform(0.3, 1.0)),
        swing_period_s=float(rng.uniform(8.0, 14.0)),
        swing_phase=float(rng.uniform(0, 2 * np.pi)),
        look_rad=float(rng.uniform(0.1, 0.5)),
        look_period_s=float(rng.uniform(7.0, 12.0)),
        look_phase=float(rng.uniform(0, 2 * np.pi)),
        tilt_rad=-0.2 * float(rng.uniform(0, 1)) ** 2,  # half of them within 3 degrees of level
        nod_rad=float(rng.uniform(0.0, 0.06)),
    )


class Air:
    """The survey as a drone sees it; made once for all flights.

    Attributes:
        survey: what it was made from.
        ground_down_m: float32 [R,C], see Survey.
        interest: float64, per coarse cell, 0..1: how many different ids are around here. Open fields and endless
            forests make dull pictures.
        anchors: int64 [A,2], coarse cells far from one another, where flights start.
    """

    def __init__(self, survey: Survey, layout_seed: int = 0) -> None:
        """Look at a survey; layout_seed says how it is divided into starting areas."""
        self.survey = survey
        self.ground_down_m: Float32Array = survey.ground_down_m()
        # Highest surface within the clearance; holes take what stands beside them, larger ones stay unknown (+inf).
        known = np.where(survey.known, survey.top_down_m, np.inf).astype(np.float32)
        self._top_down_m: Float32Array = np.asarray(
            cv2.erode(known, disc(CLEARANCE_M / survey.cell_m), borderValue=np.inf), np.float32
        )
        gap = disc(GAP_M / 2 / survey.cell_m)
        seen = cv2.morphologyEx(survey.known.astype(np.uint8), cv2.MORPH_CLOSE, gap).astype(bool)
        self._inside = clearance_m(seen, survey.cell_m) >= EDGE_M
        self.interest = self._interest()
        usual = coarse_all(self.free(USUAL_HEIGHT_M), stride_of(survey.cell_m)) & (self.interest >= MIN_START_INTEREST)
        self.anchors = routes.spread_cells(usual, NUM_ANCHORS, np.random.default_rng(layout_seed))

    def free(self, height_m: float) -> BoolArray:
        """bool [R,C]: a drone so high above the ground keeps its clearance."""
        return self._keeps_clear(self._top_down_m, self.ground_down_m - height_m) & self._inside

    def _interest(self) -> Float64Array:
        stride = stride_of(self.survey.cell_m)
        size = int(VIEW_M / (stride * self.survey.cell_m)) | 1
        ids = coarse_sample(np.where(self.survey.known, self.survey.top_ids, 0), stride)
        around = np.zeros(ids.shape)
        for raw_id in np.unique(ids):
            share = cv2.blur((ids == raw_id).astype(np.float32), (size, size))
            around += np.clip(share / NOTICED_SHARE, 0, 1)
        return np.asarray(np.clip((around - 1) / max(np.quantile(around, 0.95) - 1, 1e-6), 0, 1), np.float64)

    def view_interest(self, position_m: Float64Array, yaw_rad: Float64Array) -> float:
        """Mean interest of what lies ahead of the camera along a flight, 0..1; beyond the survey there is none."""
        ahead_m = position_m[:, :2] + AHEAD_M * np.stack([np.cos(yaw_rad), np.sin(yaw_rad)], -1)
        stride = stride_of(self.survey.cell_m)
        cells = np.floor((ahead_m - self.survey.origin_m) / (stride * self.survey.cell_m)).astype(np.int64)
        inside = ((cells >= 0) & (cells < self.interest.shape)).all(axis=1)
        return float(self.interest[tuple(cells[inside].T)].sum() / len(cells))

    def holds(self, position_m: Float64Array) -> bool:
        """Every frame, float64 [T,3], keeps the clearance and stays over what was seen."""
        rows, columns = self.survey.cells(position_m)
        clear = self._keeps_clear(self._top_down_m[rows, columns], position_m[:, 2])
        return bool((clear & self._inside[rows, columns]).all())

    @staticmethod
    def _keeps_clear(top_down_m: Float32Array, down_m: Float64Array | Float32Array) -> BoolArray:
        return np.asarray(np.isfinite(top_down_m) & (top_down_m >= down_m + CLEARANCE_M))


def _attempt(
    air: Air, style: Style, rng: np.random.Generator, seconds: float, rate_hz: float, order: int, wanted: float
) -> Plan | None:
    stride = stride_of(air.survey.cell_m)
    free = coarse_all(air.free(style.lowest_m), stride)
    start = routes.nearest_cell(free, air.anchors, order)
    if start is None:
        return None
    # Room to spare is cheap: rounding the way must not bring it too near to anything.
    tight = np.clip(1 - clearance_m(free, COARSE_M) / SPARE_M, 0, 1)
    cost = np.where(free, _wander(free.shape, rng) + 3 * (1 - air.interest) + 6 * tight**2, np.inf)
    length_m = routes.length_needed_m(seconds, style.cruise_mps)
    way = routes.long_way(cost, start, length_m, rng, appeal=air.interest**2, wear=WEAR)
    if way is None:
        return None
    # A coarse cell's centre, in fine cells.
    points_m = air.survey.centres_m(*(way.T * stride + stride // 2))
    curve = routes.smooth_curve(points_m, ROUNDING_M)
    if np.abs(curve.curvature).max() > 1 / TURNING_RADIUS_M:
        return None
    num_frames = num_frames_of(seconds, rate_hz)
    limits = replace(LIMITS, speed_mps=style.cruise_mps)
    arc_m = routes.drive(curve, limits, num_frames, rate_hz)
    if arc_m is None:
        return None
    plan = _fly(air, curve, arc_m, style, rate_hz, wanted)
    return plan if plan is not None and air.holds(plan.position_m) else None


def _wander(shape: tuple[int, ...], rng: np.random.Generator) -> Float64Array:
    """A cost with soft hills about 25 cells wide, so that cheap ways are not straight."""
    coarse = rng.uniform(0, 1, [max(2, size // 25 + 2) for size in shape])
    hills = cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(1 + 4 * np.clip(hills, 0, 1) ** 2, np.float64)


def _fly(
    air: Air, curve: routes.Curve, arc_m: Float64Array, style: Style, rate_hz: float, wanted: float
) -> Plan | None:
    """Give the line height, course and attitude; None where it would turn too fast or see too little."""
    time_s = np.arange(len(arc_m)) / rate_hz
    places_m, course_rad = curve.at(arc_m)
    rows, columns = air.survey.cells(places_m)
    ground_m = routes.gaussian(air.ground_down_m[rows, columns].astype(np.float64), rate_hz)
    height_m = style.height_m + style.swing_m * np.sin(2 * np.pi * time_s / style.swing_period_s + style.swing_phase)
    position_m = np.column_stack([places_m, ground_m - height_m])
    look_rad = style.look_rad * np.sin(2 * np.pi * time_s / style.look_period_s + style.look_phase)
    yaw_rad = routes.gaussian(course_rad, 0.5 * rate_hz) + look_rad
    if np.abs(derivative(yaw_rad, rate_hz)).max() > MAX_YAW_RATE or air.view_interest(position_m, yaw_rad) < wanted:
        return None
    acceleration = derivative(derivative(position_m, rate_hz), rate_hz)
    forward, right = forward_and_right(acceleration, yaw_rad)
    pitch_rad = style.tilt_rad + style.nod_rad * np.sin(2 * np.pi * time_s / style.look_period_s) - _lean(forward)
    return make_plan(
        "drone",
        rate_hz,
        position_m,
        yaw_rad=yaw_rad,
        pitch_rad=routes.gaussian(pitch_rad, 0.2 * rate_hz),
        roll_rad=routes.gaussian(_lean(right), 0.2 * rate_hz),
        parameters={key: round(value, 4) for key, value in asdict(style).items()},
    )


def _lean(acceleration_mps2: Float64Array) -> Float64Array:
    """A multirotor leans into its acceleration; what of it reaches the camera, radians."""
    return np.clip(LEAN_SHARE * np.arctan(acceleration_mps2 / GRAVITY_MPS2), -MAX_LEAN_RAD, MAX_LEAN_RAD)
