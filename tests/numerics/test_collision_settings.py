"""EnableCollisions and EnableCollisionPassthrogh of settings.json: what a wall is to drones and cars then."""

import json

import numpy as np
import pytest
from small_scenes import LEVEL, floor, scene_of

from airsim_seg.builtin.environments.meshes import box
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.settings import read_settings
from airsim_seg.builtin.vehicles.base import Kinematics
from airsim_seg.builtin.vehicles.car import Car, CarControls
from airsim_seg.builtin.world import World
from airsim_seg.types import Pose

BLOCK = box((10, -5, 0), (11, 5, 6), Material.SIDING)


def past_the_wall(mode, **own):
    """A vehicle that was sent against a wall 10 m ahead."""
    file = {"SettingsVersion": 1.2, "SimMode": mode, "Vehicles": {"V": own}}
    world = World(scene_of(floor(0.0), BLOCK), read_settings(json.dumps(file), "settings.json"))
    vehicle = world.vehicle("V")
    if isinstance(vehicle, Car):
        vehicle.place(Pose.from_euler(LEVEL))
        vehicle.enable_api(True)
        vehicle.set_controls(CarControls(throttle=1.0))
        world.advance(6_000_000_000)
    else:
        vehicle.set_kinematics(Kinematics(Pose.from_euler((6.0, 0.0, -4.0)), np.array([15.0, 0.0, -3.0])))
        world.advance(600_000_000)
    return vehicle


@pytest.mark.parametrize("mode", ["Multirotor", "Car"])
def test_what_a_wall_is(mode):
    solid = past_the_wall(mode)
    assert (solid.has_collided, solid.kinematics.pose.position_m[0] < 10) == (True, True)
    through = past_the_wall(mode, EnableCollisionPassthrogh=True)
    assert (through.has_collided, through.kinematics.pose.position_m[0] > 11) == (True, True)
    nothing = past_the_wall(mode, EnableCollisions=False)
    assert (nothing.has_collided, nothing.kinematics.pose.position_m[0] > 11) == (False, True)
    assert nothing.kinematics.pose.position_m[2] <= 0.1, "the ground still is"
