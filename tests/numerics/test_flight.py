"""The quadrotor and its pilot against closed forms, conservation laws, and what users of AirSim have measured."""

import asyncio
import math
from functools import partial
from itertools import pairwise

import numpy as np
import pytest

from airsim_seg.builtin.vehicles import moves
from airsim_seg.builtin.vehicles.moves import STEADY, YawMode
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.vehicles.paths import Lookahead, fly_path
from airsim_seg.builtin.vehicles.pid import Gain, Pid
from airsim_seg.builtin.vehicles.quadrotor import DRAG_FACTORS_M2, GRAVITY_MPS2, INERTIA_KGM2, LEVEL, Quadrotor
from airsim_seg.builtin.vehicles.simple_flight import HOLD, mixed
from airsim_seg.types import Pose

STEP_S, STEP_NS = 0.003, 3_000_000
AIR_KGPM3, STILL_AIR = 1.2, (0.0, 0.0, 0.0)


class Flight:
    """A drone over level ground, under API control, stepped by hand; local NED."""

    def __init__(self, ground=lambda north, east: 0.0):  # noqa: ARG005
        self.drone = Multirotor("drone", np.zeros(3), Pose.from_euler((0, 0, 0)), {}, ground)
        self.drone.pilot.enable_api(True)
        self.time_ns = 0

    def step(self, seconds):
        for _ in range(round(seconds / STEP_S)):
            self.time_ns += STEP_NS
            self.drone.step(self.time_ns, STEP_S)

    def run(self, task, at_most_s=120):
        """Fly a task to its end; gives its outcome and the track, one position a step."""

        async def fly():
            done, track = self.drone.fly(task), []
            while not done.done():
                self.step(STEP_S)
                track.append(self.drone.body.position_m)
                assert len(track) * STEP_S < at_most_s, "the move never ended"
            return done.result(), np.array(track)

        return asyncio.run(fly())

    def fly_at(self, velocity, seconds, yaw=STEADY):
        return self.run(moves.keep(self.drone, partial(moves.fly_at, self.drone, velocity, yaw), seconds))

    def fly_to(self, *points, speed=3.0, yaw=STEADY, lookahead=Lookahead()):  # noqa: B008
        return self.run(fly_path(self.drone, list(points), speed, 1e9, yaw, lookahead))


def test_a_constant_error_integrates_to_a_geometric_sum():
    pid = Pid(Gain(0.5, 2.0, 0.0), discount=0.999)
    answers = [pid.output(0.1, STEP_S) for _ in range(200)]
    steps = np.arange(200)
    expected = 0.5 * 0.1 + 2.0 * 0.1 * STEP_S * (1 - 0.999**steps) / (1 - 0.999)
    np.testing.assert_allclose(answers, expected, rtol=1e-12)


def test_a_ramp_has_a_constant_derivative_and_output_and_integral_are_bounded():
    ramp = Pid(Gain(0.0, 0.0, 0.2))
    answers = [ramp.output(1.5 * STEP_S * step, STEP_S) for step in range(50)]
    assert answers[0] == 0
    np.testing.assert_allclose(answers[1:], 0.2 * 1.5)
    wound = Pid(Gain(0.0, 5.0, 0.0))
    assert [wound.output(10.0, STEP_S) for _ in range(100)][-1] == 1
    assert wound.output(-10.0, STEP_S) == pytest.approx(1 - 5 * 10 * STEP_S), "the integral was not beyond 1"


def test_the_mixer_keeps_lift_where_it_can_and_never_leaves_0_to_1():
    rng = np.random.default_rng(5)
    axes = np.array([[-1, 1, 1, -1], [1, -1, 1, -1], [1, 1, -1, -1]])
    for roll, pitch, yaw, throttle in rng.uniform([-0.1, -0.1, -0.1, 0.3], [0.1, 0.1, 0.1, 0.7], (100, 4)):
        motors = np.array(mixed((roll, pitch, yaw, throttle)))
        assert motors.mean() == pytest.approx(throttle)
        np.testing.assert_allclose(axes @ motors / 4, [roll, pitch, yaw])
    for controls in rng.uniform([-1, -1, -1, 0], [1, 1, 1, 1], (300, 4)):
        motors = np.array(mixed(tuple(controls)))
        assert (motors >= -1e-12).all()
        assert (motors <= 1 + 1e-12).all()
    assert mixed((1.0, 1.0, 1.0, 0.02)) == (0.02, 0.02, 0.02, 0.02), "too little lift to tilt"


def test_the_frame_is_that_of_its_parts():
    """A box of 0.78 kg, four motors of 55 g on arms of 22.75 cm, 2.5 cm below the middle: by the inertia tensor."""
    turn = math.radians(45) + np.arange(4) * math.pi / 2
    arms = np.stack([0.2275 * np.cos(turn), 0.2275 * np.sin(turn), np.full(4, 0.025)], 1)
    box = 0.78 / 12 * (np.square([0.18, 0.11, 0.04]).sum() * np.eye(3) - np.diag(np.square([0.18, 0.11, 0.04])))
    tensor = box + sum(0.055 * (arm @ arm * np.eye(3) - np.outer(arm, arm)) for arm in arms)
    np.testing.assert_allclose(tensor, np.diag(INERTIA_KGM2), atol=1e-12)


def test_rotors_push_up_and_turn_the_frame_about_their_places():
    body = Quadrotor((0, 0, 0), LEVEL)
    body.thrusts_n, body.torques_nm = (1.0, 2.0, 3.0, 4.0), (-0.1, -0.2, 0.3, 0.4)
    body.step(STEP_S, 1.225, STILL_AIR)
    off = 0.2275 / math.sqrt(2)
    places = np.array([[off, off, 0.025], [-off, -off, 0.025], [off, -off, 0.025], [-off, off, 0.025]])
    forces = np.outer(body_thrusts := np.array([1.0, 2.0, 3.0, 4.0]), [0, 0, -1])
    moment = np.cross(places, forces).sum(0) - [0, 0, -0.1 - 0.2 + 0.3 + 0.4]
    np.testing.assert_allclose(body.angular_acceleration_radps2, moment / INERTIA_KGM2)
    np.testing.assert_allclose(body.acceleration_mps2, [0, 0, GRAVITY_MPS2 - body_thrusts.sum()])


def test_a_falling_frame_follows_tanh_to_its_terminal_speed():
    body = Quadrotor((0.0, 0.0, 0.0), LEVEL)
    terminal = math.sqrt(GRAVITY_MPS2 / (DRAG_FACTORS_M2[2] * AIR_KGPM3))
    for step in range(1, 2001):
        body.step(STEP_S, AIR_KGPM3, STILL_AIR)
        if step % 200 == 0:
            closed = terminal * math.tanh(GRAVITY_MPS2 * step * STEP_S / terminal)
            assert body.velocity_mps[2] == pytest.approx(closed, rel=2e-3)
    assert body.velocity_mps[2] == pytest.approx(terminal, rel=1e-4)


def test_wind_carries_what_has_no_rotors():
    body = Quadrotor((0.0, 0.0, 0.0), LEVEL)
    for _ in range(40_000):
        body.step(STEP_S, AIR_KGPM3, (6.0, -3.0, 0.0))
    # Drag ends below 0.1 m/s, and it falls at its terminal speed.
    np.testing.assert_allclose(body.velocity_mps[:2], [6, -3], atol=1.5)
    assert body.velocity_mps[2] == pytest.approx(math.sqrt(GRAVITY_MPS2 / (DRAG_FACTORS_M2[2] * AIR_KGPM3)), rel=1e-4)


def test_a_tumbling_frame_keeps_its_angular_momentum_the_better_the_shorter_the_step():
    """AirSim's integration is of first order where the body's axes couple: a quarter of the step, of the error."""
    inertia, errors = np.array(INERTIA_KGM2), []
    for shorter in (1, 4):
        body = Quadrotor((0.0, 0.0, 0.0), LEVEL)
        body.rate_radps = (6.0, 0.5, -4.0)
        before = inertia * body.rate_radps
        for _ in range(1000 * shorter):
            body.step(STEP_S / shorter, 0.0, STILL_AIR)
        after = np.array(body.rows) @ (inertia * body.rate_radps)
        errors.append(np.linalg.norm(after - before) / np.linalg.norm(before))
        assert math.hypot(*body.orientation_wxyz) == pytest.approx(1, abs=1e-12)
    assert errors[0] < 0.05
    assert errors[1] == pytest.approx(errors[0] / 4, rel=0.2)


def test_hovering_rotors_lift_exactly_the_weight():
    flight = Flight()
    flight.fly_to((0, 0, -10.0))
    flight.step(15)
    drone = flight.drone
    assert sum(drone.body.thrusts_n) * drone.air_kgpm3() / 1.225 == pytest.approx(GRAVITY_MPS2, rel=1e-6)
    assert math.hypot(*drone.body.velocity_mps) < 1e-3


def test_it_climbs_as_fast_as_airsims_users_report():
    """AirSim's issue 4670: the most is about 7.04 m/s. Full thrust against weight and drag."""
    flight = Flight()
    flight.fly_at((0.0, 0.0, -30.0), 8)
    drone = flight.drone
    air = drone.air_kgpm3()
    closed = math.sqrt((4 * 4.179446268 * air / 1.225 - GRAVITY_MPS2) / (DRAG_FACTORS_M2[2] * air))
    assert -drone.body.velocity_mps[2] == pytest.approx(closed, rel=1e-3)
    assert -drone.body.velocity_mps[2] == pytest.approx(7.04, rel=0.01)


def test_a_step_in_velocity_settles_without_overshoot_and_with_the_error_that_its_drag_needs():
    flight = Flight()
    flight.fly_to((0, 0, -20.0))
    flight.step(10)
    _, track = flight.fly_at((4.0, 0.0, 0.0), 15)
    speeds = np.diff(track[:, 0]) / STEP_S
    assert speeds.max() < 4.0
    # 63 % after about the lag of the speed loop: 0.2 of full tilt a m/s make 0.9 s.
    assert np.argmax(speeds > 4 * 0.632) * STEP_S == pytest.approx(0.9, abs=0.1)
    final = speeds[-1]
    tilt = 0.2 * math.pi / 5.5 * (4 - final)
    drag_n = DRAG_FACTORS_M2[0] * flight.drone.air_kgpm3() * final**2
    assert math.tan(tilt) * GRAVITY_MPS2 == pytest.approx(drag_n, rel=0.1)


def linear_overshoot():
    """Share by which the cascade's linear model passes a step in place: place, speed and tilt, in short Euler steps."""
    place = speed = tilt = top = 0.0
    for _ in range(200_000):
        wanted_tilt = math.pi / 5.5 * 0.2 * (6 * 0.25 * (1 - place) - speed)
        place += speed * 1e-4
        speed += GRAVITY_MPS2 * tilt * 1e-4
        tilt += 2.5 * 2.5 * (wanted_tilt - tilt) * 1e-4
        top = max(top, place)
    return top - 1


@pytest.mark.parametrize("yaw_deg", [0, 60, 135])
def test_a_step_in_place_overshoots_as_its_linear_model_does_whatever_the_heading(yaw_deg):
    flight = Flight()
    flight.fly_to((0, 0, -20.0))
    flight.run(moves.rotate_to(flight.drone, yaw_deg, 60, 1))
    flight.step(10)
    north, east, down = flight.drone.body.position_m
    stay = partial(moves.stay_at, flight.drone, (north + 1, east, down), STEADY)
    _, track = flight.run(moves.keep(flight.drone, stay, 15))
    gone = track[:, 0] - north
    assert gone.max() - 1 == pytest.approx(linear_overshoot(), abs=0.03)
    assert abs(track[:, 1] - east).max() < 0.02
    assert gone[-1] == pytest.approx(1, abs=0.01)


def test_wind_is_leant_against():
    flight = Flight()
    flight.fly_to((0, 0, -20.0))
    flight.drone.wind_mps = (8.0, 0.0, 0.0)
    flight.step(30)
    body = flight.drone.body
    assert math.hypot(*body.velocity_mps) < 0.01
    _, pitch, _ = body.euler_rad()
    # It comes from behind: nose up, and the thrust's share against it is the drag. The front's area counts.
    drag_n = DRAG_FACTORS_M2[0] * flight.drone.air_kgpm3() * (8 * math.cos(pitch)) ** 2
    assert math.tan(pitch) * GRAVITY_MPS2 == pytest.approx(drag_n, rel=0.05)


def test_60_ms_after_the_last_command_it_holds_its_place():
    flight = Flight()
    flight.fly_to((0, 0, -10.0))
    flight.fly_at((3.0, 0.0, 0.0), 4)
    flight.step(0.06)
    assert flight.drone.pilot._modes != HOLD
    flight.step(0.006)
    assert flight.drone.pilot._modes == HOLD
    here = flight.drone.body.position_m[0]
    flight.step(20)
    assert flight.drone.body.position_m[0] == pytest.approx(here, abs=0.01), "it flew past and came back"


@pytest.mark.parametrize("adaptive", [0.0, 1.0])
def test_a_path_is_followed_to_half_the_lookahead(adaptive):
    flight = Flight()
    flight.fly_to((0, 0, -10.0))
    flight.step(10)
    corners = np.array([[0, 0, -10.0], [30, 0, -10], [30, 20, -10], [60, 20, -10]])
    done, track = flight.fly_to(*(tuple(c) for c in corners[1:]), lookahead=Lookahead(3.0, adaptive))
    assert done is True
    nearest = np.full(len(track), np.inf)
    for start, stop in pairwise(corners):
        leg = stop - start
        share = np.clip((track - start) @ leg / (leg @ leg), 0, 1)[:, None]
        nearest = np.minimum(nearest, np.linalg.norm((track - start - share * leg)[:, :2], axis=1))
    assert nearest.max() < 1.5
    assert len(track) * STEP_S == pytest.approx(80 / 3, rel=0.15)


def test_facing_the_flight_and_turning_by_angle_go_the_short_way():
    flight = Flight()
    flight.fly_to((0, 0, -10.0))
    flight.fly_at((-3.0, 0.1, 0.0), 5, YawMode(False, 0.0, True).along(-3.0, 0.1))
    _, _, yaw = flight.drone.body.euler_rad()
    assert yaw == pytest.approx(math.atan2(0.1, -3.0), abs=0.03)
    done, _ = flight.run(moves.rotate_to(flight.drone, -170.0, 20, 2), 8)
    assert done is True


def test_what_comes_in_flat_bounces_and_what_comes_down_stands():
    flight = Flight()
    body, drone = flight.drone.body, flight.drone
    drone.grounded = False
    body.place((0.0, 0.0, -1.0), LEVEL)
    body.velocity_mps = (8.0, 0.0, 4.0)
    drone._footing.forget()
    while body.velocity_mps[2] > 0:
        before = body.velocity_mps
        flight.step(STEP_S)
    vn, _, vd = body.velocity_mps
    assert not drone.grounded
    assert vn == pytest.approx(0.5 * before[0], rel=0.01), "half of the speed along the ground is left"
    assert vd == pytest.approx(-0.55 * before[2], rel=0.01), "and 55 % of the speed into it"
    flight.step(10)
    assert drone.grounded
    assert body.position_m[2] == -0.15


def test_ground_that_is_steep_and_bumpy_is_never_passed():
    """Skipping the terrain while it cannot be reached must never let a wheel-high drone sink into it."""

    def hills(north, east):
        return 3 * math.sin(north / 4) * math.cos(east / 5)

    flight = Flight(hills)
    flight.fly_to((0, 0, -8.0))
    for velocity in ((8.0, 2.0, 3.0), (-6.0, 5.0, 2.0), (3.0, -9.0, 2.0)):
        _, track = flight.fly_at(velocity, 4)
        floor = [flight.drone.ground_down_m(north, east) - 0.15 for north, east, _ in track]
        assert (track[:, 2] <= np.array(floor) + 1e-9).all()
        flight.fly_at((0.0, 0.0, -5.0), 2)


def test_the_same_commands_give_the_same_bits():
    tracks = []
    for _ in range(2):
        flight = Flight()
        flight.fly_to((5, 3, -7.0), (10, -4, -9.0), lookahead=Lookahead(2.0, 1.0))
        flight.drone.wind_mps = (3.0, 1.0, 0.0)
        flight.run(moves.rotate_to(flight.drone, 77.0, 20, 5))
        flight.fly_at((1.0, 2.0, -0.5), 3)
        tracks.append([part.hex() for part in (*flight.drone.body.position_m, *flight.drone.body.orientation_wxyz)])
    assert tracks[0] == tracks[1]
