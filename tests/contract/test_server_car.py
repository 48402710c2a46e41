"""The car, driven by the unmodified airsim client on a paused clock that the tests step."""

import math

import airsim
import pytest
from served_world import position, yaw_deg


@pytest.fixture
def car(serve):
    client = serve("Car").client(airsim.CarClient)
    client.enableApiControl(True)
    return client


def test_the_car_drives_north_brakes_and_stands(car):
    car.setCarControls(airsim.CarControls(throttle=0.5))
    car.simContinueForTime(4)
    state = car.getCarState()
    assert 5 < state.speed < 9
    assert state.gear > 0
    here = state.kinematics_estimated.position
    assert here.x_val > 8
    assert abs(here.y_val) < 0.01
    car.setCarControls(airsim.CarControls(brake=1))
    car.simContinueForTime(3)
    assert car.getCarState().speed == 0
    rest = position(car)
    car.simContinueForTime(3)
    assert position(car).distance_to(rest) == 0


def test_the_car_turns_right_on_a_circle(car):
    """Ackermann: radius = wheelbase / tan(steering angle), here 2.8 / tan(20 degrees) = 7.69 m."""
    car.setCarControls(airsim.CarControls(throttle=0.1, steering=0.5))
    car.simContinueForTime(5)
    kinematics = car.simGetGroundTruthKinematics()
    assert yaw_deg(car) > 5
    radius_m = kinematics.linear_velocity.get_length() / kinematics.angular_velocity.z_val
    assert radius_m == pytest.approx(2.8 / math.tan(math.radians(20)), rel=0.03)


def test_reverse_gear_goes_back_whatever_the_throttles_sign(car):
    for throttle in (-0.5, 0.5):
        car.reset()
        car.setCarControls(airsim.CarControls(throttle=throttle, is_manual_gear=True, manual_gear=-1))
        car.simContinueForTime(2)
        state = car.getCarState()
        assert state.speed < -1
        assert state.gear == -1


def test_without_control_the_car_ignores_the_api_and_reset_keeps_control(serve):
    client = serve("Car").client(airsim.CarClient)
    client.setCarControls(airsim.CarControls(throttle=1))
    client.simContinueForTime(2)
    assert client.getCarState().speed == 0
    client.enableApiControl(True)
    client.setCarControls(airsim.CarControls(throttle=1, handbrake=False, steering=0.25))
    assert client.getCarControls().steering == 0.25
    client.simContinueForTime(2)
    assert client.getCarState().speed > 3
    client.reset()
    assert client.isApiControlEnabled()
    assert client.getCarControls().throttle == 0
    assert position(client).distance_to(airsim.Vector3r(0, 0, position(client).z_val)) == 0


def test_the_car_stands_on_the_slope_and_leans_with_it(car):
    # Facing north the slope falls to the right; at the start it is at 50 / 10 = 5 m, the player start's own height.
    pitch, roll, _ = airsim.to_eularian_angles(car.simGetVehiclePose().orientation)
    assert position(car).z_val == pytest.approx(0, abs=1e-9)
    assert roll == pytest.approx(math.atan(0.1), abs=1e-6)
    assert pitch == pytest.approx(0, abs=1e-6)


def test_the_car_never_exceeds_its_speed(car):
    car.setCarControls(airsim.CarControls(throttle=1000))
    car.simContinueForTime(50)
    assert 25 < car.getCarState().speed <= 30
