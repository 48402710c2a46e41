"""The RPCs that ask whether something is in the way (RpcLibServerBase.cpp, PawnSimApi.cpp, WorldSimApi.cpp)."""

import asyncio

import numpy as np

from airsim_seg.builtin.api import Methods, method, sim_vehicle
from airsim_seg.builtin.arguments import ApiError, field, fields, finite, text
from airsim_seg.builtin.geometry import GeoPoint, ned_position
from airsim_seg.builtin.rays import Rays
from airsim_seg.builtin.scene import Moment
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array

# What is so near to an end of the line does not hide it: the ground that somebody stands on, the wall that is meant.
MARGIN_M = 0.01
# A vehicle on wheels has its origin on the ground; it looks from where AirSim mounts a car's sensors.
CAR_EYE_M = 1.0


def ray_methods(world: World) -> Methods:
    """Lines of sight."""

    async def between(start_m: Float64Array, end_m: Float64Array, unseen: str = "") -> bool:
        """Both in the API's world NED; a vehicle in which one of them lies hides the other, but for `unseen`."""
        offset_m = world.scene.player_start.position_m
        around = world.arrangement(world.now_ns, unseen)
        return await asyncio.to_thread(is_clear, world.rays, start_m + offset_m, end_m + offset_m, around)

    async def from_vehicle(end_m: Float64Array, name: str) -> bool:
        vehicle = sim_vehicle(world, name)
        eye_m = vehicle.world_pose().position_m.copy()
        eye_m[2] -= CAR_EYE_M if world.mode == "Car" else 0.0
        return await between(eye_m, end_m, vehicle.name)

    def geo_position(value: object) -> Float64Array:
        return geo_position_m(value, world.settings.world.home)

    return {
        "simTestLineOfSightToPoint": method(from_vehicle, geo_position, text),
        "simTestLineOfSightBetweenPoints": method(between, geo_position, geo_position),
    }


def geo_position_m(value: object, home: GeoPoint) -> Float64Array:
    """A GeoPoint as float64 [3], API world NED, metres; missing components are 0.

    AirSim takes the Earth for an ellipsoid here and for a sphere where it says where a vehicle is; this is the sphere
    for both, so that a point that was told comes back as itself.

    Raises:
        ApiError: a latitude or longitude that no place has.
    """
    of = fields(value)
    where = {key: field(of, key, finite, 0.0) for key in ("latitude", "longitude", "altitude")}
    if not (abs(where["latitude"]) <= 90 and abs(where["longitude"]) <= 180):
        raise ApiError(f"latitude {where['latitude']}, longitude {where['longitude']} is no place on Earth")
    return ned_position(where, home)


def is_clear(rays: Rays, start_m: Float64Array, end_m: Float64Array, moment: Moment) -> bool:
    """Whether nothing lies between two points.

    Args:
        rays: of the scene.
        start_m: float64 [3], the scene's NED, metres.
        end_m: float64 [3].
        moment: where everything is.
    """
    length_m = float(np.linalg.norm(end_m - start_m))
    if length_m <= 2 * MARGIN_M:
        return True
    direction = (end_m - start_m) / length_m
    met = rays.cast((start_m + MARGIN_M * direction)[None], direction[None], length_m - 2 * MARGIN_M, moment)
    return bool(np.isinf(met.distance_m[0]))
