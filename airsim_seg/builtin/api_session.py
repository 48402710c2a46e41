"""The RPCs that change who is in the world and how it moves: more vehicles, motion by decree, wind."""

from airsim_seg.builtin.api import Methods, method, sim_vehicle
from airsim_seg.builtin.arguments import ApiError, boolean, field, fields, pose, quaternion, text, vector
from airsim_seg.builtin.settings import SimMode
from airsim_seg.builtin.vehicles.base import Kinematics
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array, Pose

# What isVehicleTypeSupported says in UE SimModeCar.cpp, SimModeWorldMultiRotor.cpp and SimModeComputerVision.cpp, as
# far as there is a vehicle of that type here.
SUPPORTED_TYPES: dict[SimMode, str] = {
    "Multirotor": "simpleflight",
    "Car": "physxcar",
    "ComputerVision": "computervision",
}


def kinematics(value: object) -> Kinematics:
    """A KinematicsState; what is missing stands still."""
    of, still = fields(value), Kinematics(pose({}))

    def at(key: str, default: Float64Array) -> Float64Array:
        return field(of, key, vector, default)

    return Kinematics(
        Pose(at("position", still.pose.position_m), field(of, "orientation", quaternion, still.pose.orientation_wxyz)),
        at("linear_velocity", still.linear_velocity_mps),
        at("angular_velocity", still.angular_velocity_radps),
        at("linear_acceleration", still.linear_acceleration_mps2),
        at("angular_acceleration", still.angular_acceleration_radps2),
    )


def session_methods(world: World) -> Methods:
    """What every mode has, though not every mode can."""

    def add_vehicle(name: str, kind: str, start: Pose, pawn_path: str) -> bool:  # noqa: ARG001
        return kind.lower() == SUPPORTED_TYPES[world.mode] and world.add_vehicle(name, start)

    def set_kinematics(state: Kinematics, ignore_collision: bool, name: str) -> None:  # noqa: ARG001
        sim_vehicle(world, name).set_kinematics(state)

    def set_wind(wind_mps: Float64Array) -> None:
        if world.mode != "Multirotor":
            raise ApiError("setWind not implemented by SimMode")
        north, east, down = (float(v) for v in wind_mps)
        world.set_wind((north, east, down))

    return {
        "simAddVehicle": method(add_vehicle, text, text, pose, text),
        "simSetKinematics": method(set_kinematics, kinematics, boolean, text),
        "simSetWind": method(set_wind, vector),
    }
