"""Every way to move a vehicle that AirSim's client knows, and vehicles that come later, by the unmodified client."""

import inspect
import json
import math

import airsim
import pytest
from served_world import position, yaw_deg

from airsim_seg.builtin.settings import load_settings
from airsim_seg.errors import CorruptFile

STEP_S = 0.1
FLIGHT_S = 3.0


@pytest.fixture
def drone(serve):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    client.enableApiControl(True)
    return client


@pytest.fixture
def flying(drone):
    """8 m above the ground and at rest."""
    until_done(drone, drone.moveToZAsync(-8, 4))
    drone.simContinueForTime(10)
    return drone


def until_done(client, future, at_most_s=120):
    for _ in range(int(at_most_s / STEP_S)):
        if future._set_flag:
            return future.get()
        client.simContinueForTime(STEP_S)
    raise AssertionError("the move never ended")


def attitude_deg(client):
    """Roll, pitch, yaw."""
    pitch, roll, yaw = airsim.to_eularian_angles(client.simGetVehiclePose().orientation)
    return tuple(math.degrees(angle) for angle in (roll, pitch, yaw))


def test_all_vehicle_methods_of_the_client_are_served(serve):
    """Whatever the client's vehicle classes call, but for names that another family of methods serves."""
    for kind, mode in ((airsim.MultirotorClient, "Multirotor"), (airsim.CarClient, "Car")):
        source = inspect.getsource(kind)
        called = {part.split("'")[0] for part in source.split("self.client.call") for part in [part.split("('", 1)[-1]]}
        names = {name for name in called if name.isidentifier()}
        assert len(names) > 2
        assert names <= serve(mode).method_names, names - serve(mode).method_names


# The client turns pitch and yaw round before it sends them: here they are as the server is meant to take them.
ATTITUDES = {
    "moveByRollPitchYawZ": (0.1, 0.05, 0.3, -8.0),
    "moveByRollPitchYawThrottle": (0.1, 0.05, 0.3, 0.6),
    "moveByRollPitchYawrateZ": (0.1, 0.05, 0.2, -8.0),
    "moveByRollPitchYawrateThrottle": (0.1, 0.05, 0.2, 0.6),
}


@pytest.mark.parametrize("name", ATTITUDES)
def test_angles_are_kept_for_the_time_asked(flying, name):
    roll, pitch, yaw, last = ATTITUDES[name]
    moving = getattr(flying, f"{name}Async")(roll, -pitch, -yaw, last, FLIGHT_S)
    flying.simContinueForTime(FLIGHT_S - 0.5)
    assert not moving._set_flag
    rolled, pitched, yawed = attitude_deg(flying)
    assert rolled == pytest.approx(math.degrees(roll), abs=1)
    assert pitched == pytest.approx(math.degrees(pitch), abs=1)
    if "rate" in name:
        # A turn at 0.2 rad/s lags by 0.26 s.
        assert yawed == pytest.approx(math.degrees(yaw) * (FLIGHT_S - 0.5 - 0.26), abs=1.5)
    else:
        assert yawed == pytest.approx(math.degrees(yaw), abs=2)
    # Thrust that leans lifts less than what is missing for the weight at a throttle of 0.6.
    assert position(flying).z_val == pytest.approx(-8, abs=0.5)
    assert until_done(flying, moving) is True


@pytest.mark.parametrize("name", ["moveByAngleRatesZ", "moveByAngleRatesThrottle"])
def test_rates_of_turn_add_up(flying, name):
    moving = getattr(flying, f"{name}Async")(0.2, -0.1, 0.0, -8.0 if name.endswith("Z") else 0.6, 1.0)
    flying.simContinueForTime(1.0)
    rolled, pitched, _ = attitude_deg(flying)
    # 0.2 and 0.1 rad/s for a second, less a lag of 10 ms.
    assert rolled == pytest.approx(math.degrees(0.2), abs=0.6)
    assert pitched == pytest.approx(math.degrees(0.1), abs=0.6)
    assert until_done(flying, moving) is True


def test_motors_by_hand(drone):
    """0.7 of each motor lifts 1.18 times the weight; more in front raises the nose."""
    lifting = drone.moveByMotorPWMsAsync(0.7, 0.7, 0.7, 0.7, 1.0)
    drone.simContinueForTime(0.9)
    share = drone.simGetGroundTruthEnvironment().air_density / 1.225
    lift = 4 * 0.7 * 4.179446 * share - 9.80665
    assert -drone.simGetGroundTruthKinematics().linear_velocity.z_val == pytest.approx(0.88 * lift, rel=0.1)
    assert [rotor["thrust"] for rotor in drone.getRotorStates().rotors] == pytest.approx([0.7 * 4.179446] * 4)
    assert until_done(drone, lifting) is True
    drone.moveByMotorPWMsAsync(0.62, 0.58, 0.62, 0.58, 1.0)
    drone.simContinueForTime(0.1)
    assert drone.simGetGroundTruthKinematics().angular_velocity.y_val > 0.3


def test_moves_without_time_end_at_once_as_airsims_do(flying):
    for name in (*ATTITUDES, "moveByAngleRatesZ", "moveByAngleRatesThrottle", "moveByMotorPWMs"):
        assert getattr(flying, f"{name}Async")(0, 0, 0, 0, 0).get() is True
    assert flying.moveByVelocityBodyFrameAsync(1, 0, 0, 0).get() is True
    assert flying.moveByVelocityZBodyFrameAsync(1, 0, -5, 0).get() is True
    assert flying.moveByManualAsync(1, 1, -1, 0).get() is True
    assert flying.rotateByYawRateAsync(10, 0).get() is True
    assert flying.rotateToYawAsync(10, timeout_sec=0).get() is True
    assert flying.landAsync(timeout_sec=0).get() is False
    assert flying.moveOnPathAsync([], 3).get() is True
    assert position(flying).z_val == pytest.approx(-8, abs=0.5)


def test_move_to_gps_goes_where_the_reading_says(flying):
    there = flying.simGetGroundTruthEnvironment().geo_point
    assert until_done(flying, flying.moveToPositionAsync(25, -15, -12, 4)) is True
    goal = flying.getMultirotorState().gps_location
    until_done(flying, flying.moveToGPSAsync(there.latitude, there.longitude, there.altitude, 4))
    flying.simContinueForTime(15)
    assert position(flying).distance_to(airsim.Vector3r(0, 0, -8)) < 1.5
    until_done(flying, flying.moveToGPSAsync(goal.latitude, goal.longitude, goal.altitude, 4))
    flying.simContinueForTime(15)
    assert position(flying).distance_to(airsim.Vector3r(25, -15, -12)) < 1.5


def test_adaptive_lookahead_and_too_short_ones(flying):
    refused = flying.moveToPositionAsync(20, 0, -8, 40, lookahead=0.6)
    refused.join()
    assert "lookahead value 0.600000 is too small for velocity 40.000000. It must be at least 0.800000" in refused.error
    refused = flying.moveToPositionAsync(20, 0, -8, 2, lookahead=0)
    refused.join()
    assert "lookahead distance cannot be 0" in refused.error
    for adaptive in (0, 1, 2.5):
        x = 0 if position(flying).x_val > 10 else 20
        assert until_done(flying, flying.moveToPositionAsync(x, 0, -8, 3, lookahead=4, adaptive_lookahead=adaptive))
        assert position(flying).x_val == pytest.approx(x, abs=0.5)


def test_the_remote_control_flies_what_the_api_does_not(flying):
    """Sticks are angles (full: 180 / 5.5 degrees), a rate of yaw (full: pi) and a throttle."""
    sticks = airsim.RCData(roll=0.2, pitch=-0.3, throttle=0.6, yaw=0.05, is_initialized=True, is_valid=True)
    flying.moveByRC(sticks)
    flying.simContinueForTime(1)
    assert attitude_deg(flying) == pytest.approx((0, 0, 0), abs=0.1), "the API has control"
    assert flying.getMultirotorState().rc_data.pitch == pytest.approx(-0.3)
    flying.enableApiControl(False)
    flying.simContinueForTime(2)
    rolled, pitched, yawed = attitude_deg(flying)
    assert rolled == pytest.approx(0.2 * 180 / 5.5, abs=1)
    assert pitched == pytest.approx(0.3 * 180 / 5.5, abs=1)
    assert yawed == pytest.approx(math.degrees(0.05 * math.pi * (2 - 0.26)), abs=2)
    flying.moveByRC(airsim.RCData(is_valid=False))
    flying.simContinueForTime(4)
    assert flying.getMultirotorState().landed_state == airsim.LandedState.Landed, "without sticks it comes down"


def test_move_by_manual_takes_speeds_and_heights_from_the_sticks(flying):
    flying.moveByRC(airsim.RCData(roll=5000, throttle=0, is_valid=True))
    moving = flying.moveByManualAsync(vx_max=4, vy_max=4, z_min=-2, duration=8)
    flying.simContinueForTime(7.9)
    # AirSim hands full roll the speed across x and full pitch the one along it.
    speed = flying.simGetGroundTruthKinematics().linear_velocity
    assert (speed.x_val, speed.y_val) == pytest.approx((0, 2), abs=0.15)
    assert until_done(flying, moving) is True


def test_gains_change_how_it_flies(flying):
    def reached(gains=None):
        flying.simSetKinematics(at_rest(0, 0, -20), True)
        flying.moveToZAsync(-20, 1)
        flying.simContinueForTime(0.2)
        if gains is not None:
            flying.setVelocityControllerGains(gains)
        flying.moveByVelocityAsync(3, 0, 0, 5)
        flying.simContinueForTime(0.6)
        return flying.simGetGroundTruthKinematics().linear_velocity.x_val

    usual = reached()
    assert reached(airsim.VelocityControllerGains()) == pytest.approx(usual, rel=0.05), "the client's defaults are ours"
    lazy = airsim.PIDGains(0.05, 0, 0)
    assert reached(airsim.VelocityControllerGains(x_gains=lazy)) < 0.5 * usual
    for call, gains in (
        (flying.setAngleRateControllerGains, airsim.AngleRateControllerGains()),
        (flying.setAngleLevelControllerGains, airsim.AngleLevelControllerGains()),
        (flying.setPositionControllerGains, airsim.PositionControllerGains()),
    ):
        call(gains)
    with pytest.raises(Exception, match="gains come in threes, not 2, 3 and 3"):
        flying.client.call("setAngleRateControllerGains", [1, 2], [0, 0, 0], [0, 0, 0], "")


def test_set_safety_is_airsims_error(drone):
    origin = {"x_val": 0.0, "y_val": 0.0, "z_val": 0.0}
    with pytest.raises(Exception, match="The setSafety call requires safety_eval_ptr_ to be set first"):
        drone.client.call("setSafety", 0, 1.0, 0, 1.0, origin, 1.0, 1.0, 1.0, "")


def at_rest(north, east, down):
    state = airsim.KinematicsState()
    state.position, state.orientation = airsim.Vector3r(north, east, down), airsim.Quaternionr()
    for name in ("linear_velocity", "angular_velocity", "linear_acceleration", "angular_acceleration"):
        setattr(state, name, airsim.Vector3r())
    return state


def test_kinematics_by_decree(drone, serve):
    state = at_rest(1, 2, -50)
    state.linear_velocity, state.angular_velocity = airsim.Vector3r(3, 0, -1), airsim.Vector3r(0, 0, 0.5)
    drone.simSetKinematics(state, True)
    told = drone.simGetGroundTruthKinematics()
    for name in vars(state):
        assert vars(getattr(told, name)) == vars(getattr(state, name)), name
    drone.simContinueForTime(0.03)
    assert position(drone).x_val == pytest.approx(1.09, abs=0.001)
    assert yaw_deg(drone) == pytest.approx(math.degrees(0.015), abs=0.05)
    car = serve("Car").client(airsim.CarClient)
    car.simSetKinematics(state, True)
    assert car.getCarState().speed == 3
    car.simContinueForTime(0.1)
    assert car.simGetVehiclePose().position.x_val == pytest.approx(1.3, abs=0.01)


def test_wind_pushes_multirotors_and_is_refused_elsewhere(flying, serve):
    flying.simSetWind(airsim.Vector3r(0, 12, 0))
    flying.simContinueForTime(1)
    assert position(flying).y_val > 0.05
    flying.simContinueForTime(20)
    assert position(flying).y_val == pytest.approx(1.1, abs=0.6), "it holds, leaning, a little down the wind"
    assert attitude_deg(flying)[0] < -3
    for mode in ("Car", "ComputerVision"):
        with pytest.raises(Exception, match="setWind not implemented by SimMode"):
            serve(mode).client().simSetWind(airsim.Vector3r(1, 0, 0))


@pytest.mark.parametrize(
    ("mode", "kind", "other"),
    [("Multirotor", "SimpleFlight", "PhysXCar"), ("Car", "Physxcar", "simpleflight"), ("ComputerVision",) * 2 + ("x",)],
)
def test_vehicles_can_be_added_at_run_time(serve, mode, kind, other):
    running = serve(mode)
    client = running.client()
    first = client.listVehicles()[0]
    # The zero quaternion is what AirSim's own example sends.
    pose = airsim.Pose(airsim.Vector3r(3, -7, -2), airsim.Quaternionr(0, 0, 0, 0))
    assert client.simAddVehicle("Added", kind, pose) is True
    assert client.simAddVehicle("Added", kind, pose) is False, "the name is taken"
    assert client.simAddVehicle("", kind, pose) is False
    assert client.simAddVehicle("Another", other, pose) is False
    assert client.listVehicles() == sorted(["Added", first])
    turned = airsim.Pose(airsim.Vector3r(0, 9, 0), airsim.to_quaternion(0, 0, 1.0))
    assert client.simAddVehicle("A_turned_one", kind.upper(), turned) is True
    assert client.listVehicles() == sorted(["A_turned_one", "Added", first])
    assert airsim.to_eularian_angles(client.simGetVehiclePose("A_turned_one").orientation)[2] == pytest.approx(1.0)
    client.simGetImages([airsim.ImageRequest("0", 0, False, False)], "Added")
    client.simGetImages([airsim.ImageRequest("0", 0, False, False)])
    added, default = (view.pose.position_m for view in running.renderer.views)
    assert (added - default)[:2] == pytest.approx([3, -7])
    client.simContinueForTime(0.1)
    client.reset()


def test_added_vehicles_move_on_their_own(serve):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    client.simAddVehicle("Second", "simpleflight", airsim.Pose(airsim.Vector3r(0, 10, 0), airsim.Quaternionr()))
    client.enableApiControl(True, "Second")
    assert not client.isApiControlEnabled()
    climbing = client.moveToZAsync(-6, 3, vehicle_name="Second")
    client.simContinueForTime(10)
    assert climbing.get() is True
    assert client.simGetVehiclePose("Second").position.z_val < -4
    assert client.getMultirotorState().landed_state == airsim.LandedState.Landed
    client.simSetWind(airsim.Vector3r(1, 0, 0))
    assert client.getMultirotorState("Second").timestamp == client.getMultirotorState().timestamp


def test_the_default_vehicle_is_the_first_person_one_or_else_the_first(serve, tmp_path):
    for number, (marked, expected) in enumerate((("", "A"), ("C", "C"))):
        vehicles = {name: {"IsFpvVehicle": name == marked} for name in "CBA"}
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"SimMode": "Multirotor", "Vehicles": vehicles}))
        client = serve(load_settings(path)).client(airsim.MultirotorClient)
        client.enableApiControl(True)
        assert [name for name in "ABC" if client.isApiControlEnabled(name)] == [expected]
        client.simAddVehicle("0", "simpleflight", airsim.Pose())
        assert client.isApiControlEnabled(), "a later vehicle does not take its place"


def test_first_person_is_true_or_false(tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"Vehicles": {"A": {"IsFpvVehicle": 1}}}))
    with pytest.raises(CorruptFile, match=r"Vehicles.A.IsFpvVehicle is 1: make it true or false"):
        load_settings(path)


def test_tasks_of_two_vehicles_run_side_by_side_and_a_third_connection_cancels_one(serve):
    running = serve("Multirotor")
    one, other = running.client(airsim.MultirotorClient), running.client(airsim.MultirotorClient)
    one.simAddVehicle("Second", "simpleflight", airsim.Pose(airsim.Vector3r(0, 10, 0), airsim.Quaternionr()))
    for name in ("", "Second"):
        one.enableApiControl(True, name)
    first, second = one.moveToZAsync(-40, 2), one.moveToZAsync(-40, 2, vehicle_name="Second")
    one.ping()
    other.simContinueForTime(1)
    other.cancelLastTask("Second")
    assert second.get() is False
    assert not first._set_flag
    other.simContinueForTime(0.1)
    other.reset()
    assert first.get() is False
