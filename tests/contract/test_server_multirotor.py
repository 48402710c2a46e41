"""The multirotor, flown by the unmodified airsim client on a paused clock that the tests step."""

import math

import airsim
import pytest
from served_world import position, yaw_deg

from airsim_seg.builtin.settings import Settings, VehicleSettings
from airsim_seg.types import Pose

STEP_S = 0.04
# SimpleFlight counts what is nearer as reached.
ACCURACY_M = 0.5
FORWARD = airsim.DrivetrainType.ForwardOnly


@pytest.fixture
def drone(serve):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    client.enableApiControl(True)
    client.armDisarm(True)
    return client


def run_until_done(client, future, at_most_s=120, step_s=STEP_S):
    """Step the paused clock until a move has answered; gives its result and the simulation seconds it took."""
    for count in range(int(at_most_s / step_s)):
        if future._set_flag:
            return future.get(), count * step_s
        client.simContinueForTime(step_s)
    raise AssertionError("the move never ended")


def test_takeoff_climbs_2_m_and_land_comes_back_to_the_ground(drone):
    ground = position(drone).z_val
    assert drone.getMultirotorState().landed_state == airsim.LandedState.Landed
    assert run_until_done(drone, drone.takeoffAsync())[0] is True
    assert position(drone).z_val == pytest.approx(ground - 2, abs=ACCURACY_M)
    assert drone.getMultirotorState().landed_state == airsim.LandedState.Flying
    assert run_until_done(drone, drone.landAsync())[0] is True
    assert position(drone).z_val == ground
    state = drone.getMultirotorState()
    assert state.landed_state == airsim.LandedState.Landed
    assert state.collision.has_collided, "it touched the ground"
    first, second = drone.simGetCollisionInfo(), drone.simGetCollisionInfo()
    assert (first.has_collided, second.has_collided) == (True, False), "asking takes the flag away"
    assert second.object_name == first.object_name == "Ground"
    assert second.time_stamp == first.time_stamp > 0


def test_move_to_position_arrives_while_the_same_connection_is_polled(drone):
    moving = drone.moveToPositionAsync(20, 10, -8, 5)
    speeds = []
    while not moving._set_flag:
        drone.simContinueForTime(STEP_S)
        speeds.append(drone.getMultirotorState().kinematics_estimated.linear_velocity.get_length())
        assert len(speeds) < 1000
    moving.join()
    assert moving.get() is True
    there = airsim.Vector3r(20, 10, -8)
    assert position(drone).distance_to(there) < ACCURACY_M
    assert 4.5 < max(speeds) < 5.1
    drone.simContinueForTime(1)
    assert position(drone).distance_to(there) > 1, "AirSim does not brake for the end of a path"
    drone.simContinueForTime(15)
    assert position(drone).distance_to(there) < 2 * ACCURACY_M, "it came back, and holds its place"


def test_the_height_of_a_move_is_the_one_that_airsims_users_report(drone):
    """Issue 4294 of AirSim: takeoff, then moveToZ(-3, 1), and the drone reads -2.6221."""
    run_until_done(drone, drone.takeoffAsync())
    run_until_done(drone, drone.moveToZAsync(-3, 1))
    assert position(drone).z_val == pytest.approx(-2.6221, abs=0.02)


def test_a_path_that_is_shorter_than_the_lookahead_moves_nothing(drone):
    """AirSim's rule (its issues 1677 and 3106): 5 m/s look 3 m ahead."""
    run_until_done(drone, drone.takeoffAsync())
    drone.simContinueForTime(5)
    start = position(drone)
    assert drone.moveToPositionAsync(2, 0, start.z_val, 5).get() is False
    assert drone.moveToPositionAsync(0.3, 0, start.z_val, 1).get() is False
    assert run_until_done(drone, drone.moveToPositionAsync(2, 0, start.z_val, 1))[0] is True
    assert position(drone).x_val > 1.5


def test_in_real_time_a_move_pends_while_its_connection_answers(serve):
    client = serve("Multirotor", paused=False).client(airsim.MultirotorClient)
    client.enableApiControl(True)
    moving = client.moveToPositionAsync(0, 0, -1000, 1)
    assert client.ping()
    assert not moving._set_flag
    client.cancelLastTask()
    assert moving.get() is False


def test_a_new_move_cancels_the_running_one(drone):
    first = drone.moveToPositionAsync(50, 0, -5, 5)
    drone.simContinueForTime(2)
    second = drone.moveByVelocityAsync(0, 1, 0, 1)
    assert first.get() is False
    assert run_until_done(drone, second) == (True, pytest.approx(1.0, abs=0.05))


def test_time_limits_are_of_the_simulation_clock(drone):
    result, took_s = run_until_done(drone, drone.moveToPositionAsync(1000, 0, -5, 5, timeout_sec=3))
    assert (result, took_s) == (False, pytest.approx(3, abs=0.05))


def test_velocity_moves_last_as_long_as_told_and_then_it_hovers(drone):
    run_until_done(drone, drone.moveToZAsync(-10, 5))
    start = position(drone)
    assert run_until_done(drone, drone.moveByVelocityZAsync(3, -4, -12, 4)) == (True, pytest.approx(4, abs=0.05))
    moved = position(drone)
    assert (moved.x_val - start.x_val) / (moved.y_val - start.y_val) == pytest.approx(-3 / 4, rel=0.05)
    # A speed error of 1 m/s is answered with 0.2 * 180 / 5.5 degrees of tilt, so 1.1 m/s2: a lag of 0.9 s, and 0.16 s
    # of turning. 5 m/s for 4 s less that.
    assert math.hypot(moved.x_val - start.x_val, moved.y_val - start.y_val) == pytest.approx(14.7, abs=1)
    assert moved.z_val == pytest.approx(-12, abs=0.3)
    drone.simContinueForTime(20)
    assert drone.simGetGroundTruthKinematics().linear_velocity.get_length() < 0.05
    assert drone.moveByVelocityAsync(1, 0, 0, 0).get() is True
    assert drone.moveByVelocityZAsync(1, 0, -5, 0).get() is False


def test_body_frame_velocity_is_along_the_heading(drone):
    run_until_done(drone, drone.takeoffAsync())
    assert run_until_done(drone, drone.rotateToYawAsync(90, margin=1))[0] is True
    assert yaw_deg(drone) == pytest.approx(90, abs=1)
    start = position(drone)
    run_until_done(drone, drone.moveByVelocityBodyFrameAsync(4, 0, 0, 3))
    assert position(drone).y_val - start.y_val > 8
    assert abs(position(drone).x_val - start.x_val) < 0.5


def test_yaw_rate_turns_by_rate_times_time(drone):
    run_until_done(drone, drone.takeoffAsync())
    before = yaw_deg(drone)
    assert run_until_done(drone, drone.rotateByYawRateAsync(30, 3))[0] is True
    drone.simContinueForTime(2)
    # The last command acts for another 60 to 80 ms.
    assert yaw_deg(drone) - before == pytest.approx(92, abs=1.5)


def test_it_tilts_into_the_acceleration(drone):
    run_until_done(drone, drone.takeoffAsync())
    drone.moveByVelocityAsync(3, 6, 0, 60)
    drone.simContinueForTime(0.3)
    pitch, roll, _ = airsim.to_eularian_angles(drone.simGetVehiclePose().orientation)
    felt = drone.simGetGroundTruthKinematics().linear_acceleration
    # Nose down to speed up ahead (north), right side down to speed up to the right: the rotors push along the sum of
    # acceleration and weight, and there is little drag yet.
    lift = 9.80665 - felt.z_val
    assert math.tan(-pitch) == pytest.approx(felt.x_val / lift, rel=0.1)
    assert math.tan(roll) == pytest.approx(felt.y_val / math.hypot(lift, felt.x_val), rel=0.1)
    assert roll > 0.2


def test_forward_only_looks_where_it_flies(drone):
    run_until_done(drone, drone.takeoffAsync())
    moving = drone.moveToPositionAsync(0, 40, -5, 5, drivetrain=FORWARD, yaw_mode=airsim.YawMode(False, 0))
    drone.simContinueForTime(4)
    assert yaw_deg(drone) == pytest.approx(90, abs=3)
    assert not moving._set_flag
    refused = drone.moveToPositionAsync(0, 0, -5, 5, drivetrain=FORWARD, yaw_mode=airsim.YawMode(True, 5))
    refused.join()
    assert "ForwardOnly" in refused.error


def test_a_path_passes_near_its_points_and_ends_at_the_last(drone):
    points = [airsim.Vector3r(*p) for p in ((0, 0, -5), (30, 0, -5), (30, 30, -8), (0, 30, -5))]
    moving = drone.moveOnPathAsync(points, 4, lookahead=2)
    nearest = [math.inf] * len(points)
    while not moving._set_flag:
        drone.simContinueForTime(STEP_S)
        here = position(drone)
        nearest = [min(d, here.distance_to(p)) for d, p in zip(nearest, points, strict=True)]
    assert moving.get() is True
    assert max(nearest) < 2.5
    assert nearest[-1] < ACCURACY_M


def test_hover_stops_and_go_home_goes_home(drone):
    drone.moveByVelocityAsync(5, 0, -2, 60)
    drone.simContinueForTime(3)
    assert run_until_done(drone, drone.hoverAsync())[0] is True
    run_until_done(drone, drone.moveToPositionAsync(4, 4, -3, 3), step_s=0.2)
    drone.simContinueForTime(10)
    assert run_until_done(drone, drone.goHomeAsync(), step_s=0.2)[0] is True
    assert math.hypot(position(drone).x_val, position(drone).y_val) < 2 * ACCURACY_M


def test_without_control_or_disarmed_it_does_not_move(serve):
    client = serve("Multirotor").client(airsim.MultirotorClient)
    assert client.takeoffAsync().get() is False
    client.enableApiControl(True)
    assert client.armDisarm(False)
    assert client.takeoffAsync().get() is False
    assert client.armDisarm(True)
    run_until_done(client, client.takeoffAsync())
    client.enableApiControl(False)
    assert client.armDisarm(False) is False, "that takes control"


def test_disarmed_in_the_air_it_falls_and_lies_upright(drone):
    run_until_done(drone, drone.moveToZAsync(-12, 5))
    assert drone.armDisarm(False) is True
    drone.simContinueForTime(1)
    assert drone.simGetGroundTruthKinematics().linear_velocity.z_val > 5
    drone.simContinueForTime(3)
    state = drone.getMultirotorState()
    assert state.landed_state == airsim.LandedState.Landed
    assert state.kinematics_estimated.linear_velocity.get_length() == 0
    pitch, roll, _ = airsim.to_eularian_angles(state.kinematics_estimated.orientation)
    assert (pitch, roll) == (0, 0)


def test_takeoff_while_moving_is_airsims_error(drone):
    drone.moveByVelocityAsync(2, 0, -2, 60)
    drone.simContinueForTime(2)
    refused = drone.takeoffAsync()
    refused.join()
    assert "Cannot perform takeoff because vehicle is already moving with velocity" in refused.error


def test_teleporting_a_paused_drone_shows_at_once_and_it_hovers_there(drone):
    there = airsim.Pose(airsim.Vector3r(5, 6, -7), airsim.to_quaternion(0.2, 0.1, 1.0))
    drone.simSetVehiclePose(there, True)
    assert vars(drone.simGetVehiclePose().orientation) == vars(there.orientation)
    drone.simContinueForTime(15)
    # Its tilt has pushed it aside before the pilot had it level.
    assert position(drone).distance_to(there.position) < 0.01
    assert yaw_deg(drone) == pytest.approx(math.degrees(1.0), abs=1)


def test_reset_goes_back_and_drops_control(drone):
    home = position(drone)
    moving = drone.moveToPositionAsync(10, 0, -5, 5)
    drone.simContinueForTime(2)
    drone.reset()
    assert moving.get() is False
    assert position(drone).distance_to(home) == 0
    assert not drone.isApiControlEnabled()


def test_the_ground_is_hard_and_a_goal_below_it_is_never_reached(drone):
    run_until_done(drone, drone.takeoffAsync())
    diving = drone.moveByVelocityAsync(0, 0, 5, 10)
    drone.simContinueForTime(3)
    # The slope falls 1 m in 10 m to the east, half the drone is 0.15 m high, and the player start is 5 m down.
    assert position(drone).z_val == pytest.approx((50 + position(drone).y_val) / 10 - 5 - 0.15, abs=1e-3)
    assert drone.getMultirotorState().landed_state == airsim.LandedState.Landed
    assert not diving._set_flag
    below = drone.moveToPositionAsync(0, 0, 50, 2)
    drone.simContinueForTime(60)
    assert not below._set_flag
    drone.cancelLastTask()
    assert below.get() is False


def test_rotors_carry_the_weight(drone):
    """At 122 m the air is thinner: rotors of AirSim report the thrust that they would have at sea level."""
    assert [rotor["thrust"] for rotor in drone.getRotorStates().rotors] == [0, 0, 0, 0]
    drone.simContinueForTime(0.5)
    assert drone.getRotorStates().rotors[0]["thrust"] == pytest.approx(4.179446 / 15), "armed motors idle"
    run_until_done(drone, drone.takeoffAsync())
    drone.simContinueForTime(3)
    rotors = drone.getRotorStates().rotors
    density = drone.simGetGroundTruthEnvironment().air_density
    assert sum(rotor["thrust"] for rotor in rotors) * density / 1.225 == pytest.approx(9.80665, rel=1e-3)
    assert sum(rotor["torque_scaler"] for rotor in rotors) == pytest.approx(0, abs=1e-4), "two turn each way"
    # Thrust goes with the square of the speed; 6396.667 rpm give 4.179 N.
    assert rotors[0]["speed"] == pytest.approx(669.857 * math.sqrt(rotors[0]["thrust"] / 4.179446), rel=1e-4)


@pytest.mark.parametrize(
    "move",
    [
        lambda c: c.moveToPositionAsync(1, 1, -1, 0),
        lambda c: c.moveToPositionAsync(1, 1, -1, -3),
        lambda c: c.moveToPositionAsync(1, 1, -1, 5, lookahead=0),
        lambda c: c.moveToPositionAsync(math.nan, 1, -1, 5),
        lambda c: c.moveToPositionAsync(1e300, 1, -1, 5),
        lambda c: c.moveToPositionAsync(1, 1, -1, 5, timeout_sec=math.nan),
        lambda c: c.moveToPositionAsync(1, 1, -1, 5, lookahead=0.4),
        lambda c: c.moveToPositionAsync(1, 1, -1, 50, lookahead=0.9),
        lambda c: c.moveByVelocityAsync(math.inf, 0, 0, 1),
        lambda c: c.moveByVelocityAsync(1, 0, 0, math.nan),
    ],
)
def test_moves_that_make_no_sense_are_errors(drone, move):
    refused = move(drone)
    refused.join()
    assert "threw an exception" in refused.error
    assert drone.ping()


def test_two_vehicles_start_where_settings_say_each_in_its_own_frame(serve):
    starts = {"Right": (0.0, 8.0, 0.0), "Left": (0.0, -8.0, 0.0)}
    vehicles = {name: VehicleSettings(Pose.from_euler(at, yaw_rad=0.5)) for name, at in starts.items()}
    running = serve(Settings("Multirotor", vehicles))
    client = running.client(airsim.MultirotorClient)
    assert client.listVehicles() == ["Left", "Right"]
    for name in starts:
        client.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1, 2, -3)), True, name)
        assert client.simGetVehiclePose(name).position.to_numpy_array().tolist() == [1, 2, -3]
        client.simGetImages([airsim.ImageRequest("0", 0, False, False)], name)
    seen = [view.pose.position_m[1] for view in running.renderer.views]
    assert seen[0] - seen[1] == pytest.approx(16.0)


def test_home_and_atmosphere(drone):
    home = drone.getHomeGeoPoint()
    assert (home.latitude, home.longitude, home.altitude) == (47.641468, -122.140165, 122.0)
    drone.simSetVehiclePose(airsim.Pose(airsim.Vector3r(1000, 0, -100)), True)
    there = drone.simGetGroundTruthEnvironment()
    # A kilometre along a meridian of a sphere of 6378.137 km.
    assert there.geo_point.latitude - home.latitude == pytest.approx(math.degrees(1000 / 6378137), rel=1e-6)
    assert there.geo_point.altitude == pytest.approx(222)
    assert there.gravity.z_val == pytest.approx(9.80665)
    # International Standard Atmosphere at 222 m: 98.68 kPa, 286.7 K, 1.199 kg/m3.
    assert there.air_pressure == pytest.approx(98_680, rel=1e-3)
    assert there.temperature == pytest.approx(286.7, abs=0.1)
    assert there.air_density == pytest.approx(1.199, rel=2e-3)


def test_the_same_calls_give_the_same_flight(serve):
    tracks = []
    for _ in range(2):
        client = serve("Multirotor").client(airsim.MultirotorClient)
        client.enableApiControl(True)
        client.moveOnPathAsync([airsim.Vector3r(10, 5, -4), airsim.Vector3r(0, 20, -6)], 6)
        track = []
        for _ in range(50):
            client.simContinueForTime(STEP_S)
            track.append(str(vars(client.simGetVehiclePose().position)))
        tracks.append(track)
    assert tracks[0] == tracks[1]
