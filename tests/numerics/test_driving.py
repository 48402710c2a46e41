"""The car's engine, gears, brakes and wheels against closed forms."""

import math

import numpy as np
import pytest

from airsim_seg.builtin.vehicles.car import Car, CarControls
from airsim_seg.builtin.vehicles.ground import RememberedGround
from airsim_seg.builtin.vehicles.powertrain import MAX_ENGINE_RADPS, Powertrain, torque_nm
from airsim_seg.types import Pose

STEP_S = 0.003
CAR_KG, WHEEL_M, DISCS_KGM2 = 1500.0, 0.3, 4 * 0.9


def car(ground=lambda north, east: 0.0, yaw_rad=0.0):  # noqa: ARG005
    built = Car("car", np.zeros(3), Pose.from_euler((0, 0, 0), yaw_rad=yaw_rad), {}, ground)
    built.enable_api(True)
    return built


def drive(own, seconds, **controls):
    own.set_controls(CarControls(**controls))
    for _ in range(round(seconds / STEP_S)):
        own.step(0, STEP_S)


@pytest.mark.parametrize(
    ("rpm", "expected"), [(0, 400), (945, 450), (1890, 500), (3810, 450), (5730, 400), (7500, 400)]
)
def test_the_torque_curve_is_carpawns(rpm, expected):
    assert torque_nm(rpm / 60 * math.tau) == pytest.approx(expected)


def test_a_free_engine_settles_where_throttle_and_damping_balance():
    powertrain = Powertrain()
    for _ in range(30_000):
        powertrain.wheel_radps(0.4, 0.0, 100.0, 0.0, 1e9, STEP_S)
    damping = 0.35 + (0.15 - 0.35) * 0.4
    assert 0.4 * torque_nm(powertrain.engine_radps) == pytest.approx(damping * powertrain.engine_radps, rel=1e-6)


def test_the_clutch_gives_the_wheels_what_it_takes_from_the_engine():
    """Without damping or load, the angular momentum that the gear translates is conserved."""
    powertrain = Powertrain()
    powertrain.select(2, at_once=True)
    powertrain.engine_radps = 400.0
    wheel = 0.0
    for _ in range(5):
        before_engine, before_wheel = powertrain.engine_radps, wheel
        # At full throttle less torque: the damping that is left is 0.15 N m s.
        wheel = powertrain.wheel_radps(1.0, wheel, 150.0, 0.0, 1e9, STEP_S)
        own = torque_nm(before_engine) - 0.15 * powertrain.engine_radps
        to_wheels = 150.0 * (wheel - before_wheel) / 8
        assert powertrain.engine_radps - before_engine == pytest.approx(own * STEP_S - to_wheels, rel=1e-9)
    slip = powertrain.engine_radps - 8 * wheel
    assert 150.0 * (wheel - before_wheel) / STEP_S == pytest.approx(8 * 10 * slip, rel=1e-9), "10 N m a rad/s of slip"


def test_tyres_carry_no_more_than_their_grip():
    powertrain = Powertrain()
    powertrain.select(1, at_once=True)
    powertrain.engine_radps = 700.0
    wheel = powertrain.wheel_radps(1.0, 0.0, 150.0, 0.0, 1000.0, STEP_S)
    assert wheel == pytest.approx(1000.0 / 150.0 * STEP_S)


def test_in_gear_the_steady_speed_balances_engine_air_and_wheels():
    own = car()
    drive(own, 60, throttle=0.6, is_manual_gear=True, manual_gear=3)
    speed, engine = own.speed_mps, own.powertrain.engine_radps
    damping = 2 + (0.15 - 2) * 0.6
    pull_n = (0.6 * torque_nm(engine) - damping * engine) * 6 / WHEEL_M
    drag_n = 0.5 * 1.225 * 0.3 * 1.8 * 1.4 * speed**2 + 4 * 0.25 * speed / WHEEL_M**2
    assert pull_n == pytest.approx(drag_n, rel=1e-3)


def test_the_gearbox_shifts_at_its_shares_of_the_engines_speed_and_rests_between():
    own, shifts, gear = car(), [], 0
    own.set_controls(CarControls(throttle=1.0))
    for step in range(round(25 / STEP_S)):
        before = own.powertrain.engine_radps
        own.step(0, STEP_S)
        if own.powertrain.target != gear:
            gear = own.powertrain.target
            shifts.append((gear, step * STEP_S, before / MAX_ENGINE_RADPS))
    assert [target for target, _, _ in shifts] == [1, 2, 3, 4, 5]
    assert shifts[0][2] == pytest.approx(0.15, abs=0.01)
    assert all(share > 0.64 for _, _, share in shifts[1:])
    times = [time for _, time, _ in shifts]
    assert np.diff(times).min() > 1.0


def test_brakes_stop_on_the_distance_that_grip_allows():
    """The tyres carry the car's weight, and stop the turning discs as well."""
    own = car()
    drive(own, 6, throttle=1.0)
    drive(own, 0, is_manual_gear=True, manual_gear=0)
    own.powertrain.select(0, at_once=True)
    start, speed = own.kinematics.pose.position_m[0], own.speed_mps
    drive(own, 15, brake=1.0, is_manual_gear=True)
    slowing = CAR_KG * 9.80665 / (CAR_KG + DISCS_KGM2 / WHEEL_M**2)
    assert own.speed_mps == 0
    assert own.kinematics.pose.position_m[0] - start == pytest.approx(speed**2 / 2 / slowing, rel=0.1)


@pytest.mark.parametrize(("kmph", "degrees"), [(0, 40), (20, 34), (40, 28), (80, 26), (120, 24), (200, 24)])
def test_steering_gives_way_with_speed(kmph, degrees):
    own = car()
    drive(own, 1, steering=-1.0)
    own.speed_mps = kmph / 3.6
    assert math.degrees(own.steering_rad()) == pytest.approx(-degrees)


def test_inputs_take_their_time():
    own = car()
    drive(own, 0.21, steering=1.0)
    assert math.degrees(own.steering_rad()) == pytest.approx(40 * 2.5 * 0.21)
    drive(own, 0.105, steering=0.0)
    assert own.steering_rad() == pytest.approx(0, abs=1e-9), "back to the middle it is twice as quick"


def test_a_fast_turn_runs_wide_at_the_limit_of_grip():
    own = car()
    drive(own, 8, throttle=1.0)
    drive(own, 1, throttle=1.0, steering=1.0)
    state = own.kinematics
    assert own.speed_mps * state.angular_velocity_radps[2] == pytest.approx(9.80665, rel=1e-3)


def test_it_follows_the_ground_and_its_rates_are_those_of_its_poses():
    own = car(lambda north, east: 2 * math.sin(north / 15) + east / 20)
    drive(own, 4, throttle=1.0, steering=0.1)
    before = own.kinematics
    own.step(0, STEP_S)
    after = own.kinematics
    north, east, down = after.pose.position_m
    assert down == pytest.approx(2 * math.sin(north / 15) + east / 20, abs=0.05)
    moved = (after.pose.position_m - before.pose.position_m) / STEP_S
    np.testing.assert_allclose(moved, after.linear_velocity_mps, atol=0.1)
    turned = before.pose.rotation().T @ after.pose.rotation()
    rates = np.array([turned[2, 1], turned[0, 2], turned[1, 0]]) / STEP_S
    np.testing.assert_allclose(after.angular_velocity_radps, rates, atol=1e-3)
    gained = (after.linear_velocity_mps - before.linear_velocity_mps) / STEP_S
    np.testing.assert_allclose(after.linear_acceleration_mps2, gained, atol=1e-9)


def test_the_ground_is_asked_once_a_corner_and_is_bilinear_between():
    asked = []

    def plane(north, east):
        asked.append((north, east))
        return 3 * north - 2 * east + north * east

    ground = RememberedGround(plane)
    rng = np.random.default_rng(3)
    for north, east in rng.uniform(-3, 3, (200, 2)):
        assert ground(north, east) == pytest.approx(3 * north - 2 * east + north * east), "it is bilinear itself"
    assert len(asked) == len(set(asked)) == 49


def test_uphill_it_needs_more_and_downhill_the_engine_holds_it():
    slope = 0.1
    up, down = car(lambda north, east: -slope * north), car(lambda north, east: slope * north)  # noqa: ARG005
    for own in (up, down):
        drive(own, 30, throttle=0.5, is_manual_gear=True, manual_gear=1)
    assert up.speed_mps < 4.27 < down.speed_mps
    # 16 to 1 on 0.3 m, damping 1.075 and 0.5 of a torque that falls by 26 uN m a rad/s hold a tenth of the weight.
    push_n = CAR_KG * 9.80665 * slope / math.hypot(1, slope)
    assert down.speed_mps - up.speed_mps == pytest.approx(2 * push_n * 0.3**2 / 16**2 / 1.05, rel=0.1)
