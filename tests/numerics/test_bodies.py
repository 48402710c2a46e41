"""Vehicles as things of the world: where their bodies are, who sees them, their names and ids."""

import math

import numpy as np
import pytest
from small_scenes import floor, scene_of

from airsim_seg.builtin.bodies import SUV_M, free_id, quadrotor, sits_inside, suv, with_bodies
from airsim_seg.builtin.camera_settings import CameraSettings
from airsim_seg.builtin.cameras import rig
from airsim_seg.builtin.forms import Forms, box_m
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import View
from airsim_seg.builtin.settings import Settings, SimMode, VehicleSettings
from airsim_seg.builtin.world import World
from airsim_seg.palette import id_from_name
from airsim_seg.types import Pose


def inhabited(mode: SimMode, **places_m) -> World:
    vehicles = {name: VehicleSettings(Pose.from_euler(place)) for name, place in places_m.items()}
    return World(with_bodies(scene_of(floor(0.0)), mode, vehicles), Settings(mode, vehicles))


def test_shapes_are_as_large_as_airsims():
    drone, car = (mesh.corners.reshape(-1, 3) for mesh in (quadrotor(), suv()))
    assert np.ptp(car, axis=0) == pytest.approx(SUV_M, abs=1e-9)
    assert car[:, 2].min() == pytest.approx(0, abs=1e-9)
    # Motor to motor 45.5 cm across, and a propeller's radius at either end.
    assert np.ptp(drone[:, 0]) == pytest.approx(0.455 / math.sqrt(2) + 0.2286, abs=0.01)
    assert drone[:, 2].min() == pytest.approx(-0.15), "it stands as high as its physics says"
    for mesh in (quadrotor(), suv()):
        assert np.linalg.norm(mesh.normals, axis=-1) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("mode", ["Multirotor", "Car"])
def test_a_body_is_where_its_vehicle_is(mode):
    world = inhabited(mode, One=(0, 0, 0), Two=(30, 5, 0))
    pose = Pose.from_euler((4.0, -3.0, -2.0), yaw_rad=math.pi / 2)
    world.vehicles["Two"].place(pose)
    forms, index = Forms(world.scene), world.scene.bodies["Two"]
    low, high = box_m(forms.placed_m(index, world.moment()))
    rest = box_m(forms.corners_m(index))
    # A quarter turn: what was ahead is to the east, what was to the right is to the south.
    expected = np.array(
        [[34 - rest[1, 1], 2 + rest[0, 0], -2 + rest[0, 2]], [34 - rest[0, 1], 2 + rest[1, 0], -2 + rest[1, 2]]]
    )
    assert np.stack([low, high]) == pytest.approx(expected, abs=1e-6)
    assert world.pose_of(world.objects.find("Two")).position_m == pytest.approx([34, 2, -2])


def test_every_built_in_camera_looks_out_of_its_own_vehicle_and_a_chase_camera_sees_it():
    for mode in ("Multirotor", "Car", "ComputerVision"):
        assert all(sits_inside(mode, camera.mount) for camera in rig(mode, CameraSettings(), {}).values())
    assert not sits_inside("Multirotor", Pose.from_euler((-3.0, 0.0, -1.0)))
    assert not sits_inside("Car", Pose.from_euler((-8.0, 0.0, -3.0)))


def test_alone_in_the_world_it_changes_no_picture_of_its_own_and_costs_none():
    world = inhabited("Car", Only=(0, 0, 0))
    moment = world.moment(unseen="Only")
    assert moment.hidden == {world.scene.bodies["Only"]}
    assert not moment.placements
    world.vehicles["Only"].place(Pose.from_euler((5.0, 0.0, 0.0)))
    assert world.moment(unseen="Only") is moment, "what it does not show does not change it"
    assert world.moment() is not world.moment(unseen="Only")


def test_names_and_ids_are_those_of_the_vehicles_and_nobody_elses():
    world = inhabited("Car", Abc=(0, 0, 0), Cab=(10, 0, 0))
    world.add_vehicle("Bca", Pose.from_euler((20.0, 0.0, 0.0)))
    assert world.objects.named("Abc|Bca|Cab") == ["Abc", "Cab", "Bca"]
    ids = [thing.raw_id for thing in world.objects]
    assert len(set(ids)) == len(ids), "three anagrams, whose names give one id"
    assert world.objects.get_id("Abc") == id_from_name("Abc")
    assert free_id("Abc", range(256)) == id_from_name("Abc")
    assert "Abc" not in world.objects.assets, "a vehicle is no asset"


def test_a_scene_without_vehicles_is_left_as_it_is():
    scene = scene_of(floor(0.0))
    assert with_bodies(scene, "ComputerVision", ["Camera"]) is scene
    assert with_bodies(scene, "Car", []) is scene


def test_pictures_show_the_others_where_they_are_configured_or_added():
    world = inhabited("Car", One=(0, 0, 0), Two=(12, -4, 0))
    world.add_vehicle("Three", Pose.from_euler((12.0, 4.0, 0.0)))
    eye = View(Pose.from_euler((2.0, 0.0, -1.0)), (60, 80), 90.0)
    renderer = Rasteriser(world.scene, 1, shadow_map_size=256)

    def seen(moment) -> dict[str, float]:
        """Names of the vehicles in a picture, and the mean column of each."""
        index = renderer.render(eye, moment).object_index
        bodies = {body.index: body.vehicle for body in world.objects.bodies()}
        return {name: float(np.nonzero(index == k)[1].mean()) for k, name in bodies.items() if (index == k).any()}

    first = seen(world.moment(unseen="One"))
    assert first.keys() == {"Two", "Three"}
    assert first["Two"] < 40 < first["Three"]
    assert "One" not in seen(world.moment(unseen="One"))
    assert seen(world.moment(unseen="Three")).keys() == {"Two"}, "One is behind the eye"
    world.objects.set_id("Two", -1, False)
    assert seen(world.moment(labels=True, unseen="One")).keys() == {"Three"}
    world.put(world.objects.find("Three"), Pose.from_euler((12.0, -8.0, 0.0)), np.ones(3))
    assert seen(world.moment(unseen="One"))["Three"] < 40
    assert world.vehicles["Three"].world_pose().position_m[1] == -8


def test_a_lidar_meets_other_vehicles_and_not_its_own():
    world = inhabited("Car", One=(0, 0, 0), Two=(10, 0, 0))
    start, ahead = np.array([[0.0, 0.0, -0.8]]), np.array([[1.0, 0.0, 0.0]])
    met = world.rays.cast(start, ahead, 50.0, world.arrangement(world.now_ns, unseen="One"))
    assert met.object_index[0] == world.scene.bodies["Two"]
    assert met.distance_m[0] == pytest.approx(10 - SUV_M[0] / 2, abs=0.05)
