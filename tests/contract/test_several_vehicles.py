"""What AirSim's multi-agent examples do: vehicles of several clients, added at run time, in each other's way."""

import airsim
import pytest
from small_scenes import floor, scene_of

from airsim_seg.builtin.bodies import with_bodies
from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.settings import Settings, VehicleSettings
from airsim_seg.types import Pose

WALL = box((12, -5, 0), (13, 5, 4), Material.SIDING)


def fleet(serve, mode, **places_m):
    vehicles = {name: VehicleSettings(Pose.from_euler(place)) for name, place in places_m.items()}
    return serve(Settings(mode, vehicles), scene=with_bodies(scene_of(floor(0.0), WALL), mode, vehicles))


def test_a_car_drives_until_it_is_told_what_it_hit(serve):
    client = fleet(serve, "Car", Only=(0, 0, 0)).client(airsim.CarClient)
    before = client.simGetCollisionInfo()
    assert (before.has_collided, before.object_name, before.object_id) == (False, "", -1)
    client.enableApiControl(True)
    client.setCarControls(airsim.CarControls(throttle=0.5))
    for _ in range(200):
        client.simContinueForTime(0.1)
        hit = client.simGetCollisionInfo()
        if hit.has_collided:
            break
    assert hit.object_name == "Thing_2"
    assert hit.object_id == client.simGetSegmentationObjectID("thing_2")
    assert hit.normal.x_val == pytest.approx(-1, abs=1e-6)
    assert hit.impact_point.x_val == pytest.approx(12, abs=1e-6)
    assert hit.penetration_depth > 0
    assert hit.time_stamp <= client.getCarState().timestamp
    client.reset()
    assert not client.simGetCollisionInfo().has_collided


def test_several_clients_add_a_car_each_and_drive_it(serve):
    running = fleet(serve, "Car", First=(0, 0, 0))
    for number in (3, 2, 1):
        own, name = running.client(airsim.CarClient), f"Car_{number}"
        # The example sends this quaternion, which is no rotation.
        pose = airsim.Pose(airsim.Vector3r(0, 7 * number, 0), airsim.Quaternionr(0, 0, 0, 0))
        assert own.simAddVehicle(name, "Physxcar", pose)
        assert not own.simAddVehicle(name, "Physxcar", pose), "the name is taken"
        own.enableApiControl(True, name)
        own.setCarControls(airsim.CarControls(throttle=0.5), name)
    client = running.client(airsim.CarClient)
    client.simContinueForTime(1.0)
    names = ["Car_1", "Car_2", "Car_3"]
    assert client.listVehicles() == [*names, "First"]
    assert sorted(client.simListSceneObjects("Car_.*|First")) == [*names, "First"]
    for number, name in enumerate(names, 1):
        assert client.getCarState(name).speed > 0.5
        place = client.simGetObjectPose(name).position
        assert place.y_val == pytest.approx(7 * number, abs=0.1)
        assert place.x_val == pytest.approx(client.simGetVehiclePose(name).position.x_val)
    ids = [client.simGetSegmentationObjectID(name) for name in [*names, "First"]]
    assert len(set(ids)) == 4
    assert client.simSetSegmentationObjectID("Car_.*", 20, True)
    assert client.simGetSegmentationObjectID("Car_2") == 20


def test_a_drone_that_is_added_where_another_stands_takes_off_all_the_same(serve):
    client = fleet(serve, "Multirotor", First=(0, 0, 0)).client(airsim.MultirotorClient)
    pose = airsim.Pose(airsim.Vector3r(0, 0, 0), airsim.to_quaternion(0, 0, 0))
    assert client.simAddVehicle("Second", "simpleflight", pose)
    client.enableApiControl(True, "Second")
    client.armDisarm(True, "Second")
    moved = client.takeoffAsync(10.0, "Second")
    client.simContinueForTime(8.0)
    assert moved.get() is True
    assert client.simGetVehiclePose("Second").position.z_val < -1.5


def test_drones_that_fly_at_each_other_meet_and_say_whom(serve):
    running = fleet(serve, "Multirotor", Drone1=(0, 0, 0), Drone2=(6, 0, 0))
    client = running.client(airsim.MultirotorClient)
    for name in ("Drone1", "Drone2"):
        client.enableApiControl(True, name)
        client.armDisarm(True, name)
        client.takeoffAsync(vehicle_name=name)
    client.simContinueForTime(8.0)
    client.moveByVelocityZAsync(2, 0, -2, 10, vehicle_name="Drone1")
    client.moveByVelocityZAsync(-2, 0, -2, 10, vehicle_name="Drone2")
    client.simContinueForTime(3.0)
    infos = [client.simGetCollisionInfo(name) for name in ("Drone1", "Drone2")]
    assert any(info.has_collided and info.object_name.startswith("Drone") for info in infos)
    first, second = (client.simGetObjectPose(name).position.x_val for name in ("Drone1", "Drone2"))
    assert first < second, "neither went through the other"
