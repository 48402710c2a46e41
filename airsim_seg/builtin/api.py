"""RPC names to what they do: the dispatcher, and the methods that every mode has.

The vehicles' methods are in api_vehicles.py, the pictures' in api_images.py. A name is known only in the modes in which
AirSim binds it: a car cannot take off. Argument counts are exact.
"""

import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.arguments import (
    ApiError,
    BadCast,
    boolean,
    finite,
    integer,
    pose,
    pose_map,
    quaternion_map,
    text,
    vector_map,
)
from airsim_seg.builtin.clock import FRAME_NS
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.sensors.barometer import standard_pressure_pa
from airsim_seg.builtin.server import HangUp, RpcError
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.builtin.vehicles.quadrotor import GRAVITY_MPS2
from airsim_seg.builtin.world import World
from airsim_seg.errors import AirsimSegError
from airsim_seg.types import Pose

# RpcLibServerBase.cpp; the client compares them with its own and warns.
SERVER_VERSION, MIN_CLIENT_VERSION = 1, 1
MAX_FRAMES = 2**32 - 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Method:
    """One RPC: what runs, and how each argument is read. `run` may return an awaitable."""

    run: Callable[..., object]
    converters: tuple[Callable[[object], object], ...]


Methods = Mapping[str, Method]


def method(run: Callable[..., object], *converters: Callable[[object], object]) -> Method:
    """A row of a method table: the function, then one converter an argument."""
    return Method(run, converters)


class Dispatcher:
    """Runs calls by name, with rpclib's own words where that fails (rpclib 2.3, lib/rpc/dispatcher.cc)."""

    def __init__(self, methods: Methods) -> None:
        """Take the table of methods."""
        self._methods = methods

    async def __call__(self, name: str, args: Sequence[object]) -> object:
        """Run one call.

        Raises:
            RpcError: unknown name, wrong number of arguments, or whatever the method refuses.
            HangUp: the method wants the caller to be left without an answer.
        """
        known = self._methods.get(name)
        if known is None:
            raise RpcError(f"rpclib: server could not find function '{name}' with argument count {len(args)}.")
        if len(args) != len(known.converters):
            raise RpcError(
                f"rpclib: client error C0002: Function '{name}' was called with an invalid number of arguments. "
                f"Expected: {len(known.converters)}, got: {len(args)}"
            )
        try:
            result = known.run(*(convert(arg) for convert, arg in zip(known.converters, args, strict=True)))
            return await result if inspect.isawaitable(result) else result
        except HangUp:
            raise
        except (ApiError, AirsimSegError) as error:
            reason = str(error)
        except Exception as error:
            # Nothing a client sends may end the server; what gets here is a fault of ours and goes to the log.
            _log.exception("%s failed", name)
            reason = f"{type(error).__name__}: {error}"
        raise RpcError(
            f"rpclib: function '{name}' (called with {len(args)} arg(s)) threw an exception. "
            f"The exception contained this information: {reason}."
        )


def sim_vehicle(world: World, name: str) -> Vehicle:
    """The vehicle that a sim* call names.

    Raises:
        ApiError: there is none; real AirSim's words (RpcLibServerBase.hpp).
    """
    return _existing(world.vehicle(name), "Vehicle Sim-API", name)


def _existing(vehicle: Vehicle | None, what: str, name: str) -> Vehicle:
    if vehicle is None:
        raise no_such_vehicle(what, name)
    return vehicle


def no_such_vehicle(what: str, name: str) -> ApiError:
    """AirSim's exception for a name without a vehicle, or a mode without that API."""
    return ApiError(
        f"{what} for '{name}' is not available. This could either because this is simulation-only API or this "
        "vehicle does not exist"
    )


def common_methods(world: World, renderer_name: str) -> Methods:
    """Session, clock and ground truth: what every mode has."""
    return _session_methods(world, renderer_name) | _ground_truth_methods(world)


def _session_methods(world: World, renderer_name: str) -> dict[str, Method]:
    def continue_for_frames(frames: int) -> object:
        if not 0 <= frames <= MAX_FRAMES:
            raise BadCast
        return world.continue_for(frames * FRAME_NS / 1e9)

    return {
        "ping": method(lambda: True),
        "getServerVersion": method(lambda: SERVER_VERSION),
        "getMinRequiredClientVersion": method(lambda: MIN_CLIENT_VERSION),
        "listVehicles": method(lambda: sorted(world.vehicles)),
        "getSettingsString": method(lambda: _settings_string(world, renderer_name)),
        "reset": method(world.reset),
        "simPause": method(world.pause, boolean),
        "simIsPaused": method(lambda: world.is_paused),
        "simContinueForTime": method(world.continue_for, finite),
        "simContinueForFrames": method(continue_for_frames, integer),
    }


def _settings_string(world: World, renderer_name: str) -> str:
    """The settings in force as JSON, with four keys of our own, so that a recording can say what made it."""
    ours = {
        "Simulator": "airsim-seg",
        "Environment": world.scene.environment,
        "Seed": world.scene.seed,
        "Renderer": renderer_name,
    }
    return json.dumps({**json.loads(world.settings.text), "SimMode": world.mode, **ours}, indent=2)


def _ground_truth_methods(world: World) -> dict[str, Method]:
    def place(where: Pose, ignore_collision: bool, name: str) -> None:  # noqa: ARG001
        vehicle = sim_vehicle(world, name)
        vehicle.place(where)
        world.traces.jump(vehicle)

    return {
        "simGetVehiclePose": method(lambda name: pose_map(sim_vehicle(world, name).kinematics.pose), text),
        "simSetVehiclePose": method(place, pose, boolean, text),
        "simGetGroundTruthKinematics": method(lambda name: kinematics_map(sim_vehicle(world, name)), text),
        "simGetGroundTruthEnvironment": method(lambda name: _environment_map(sim_vehicle(world, name)), text),
        "simGetCollisionInfo": method(lambda name: _collision_info(world, name), text),
        "getHomeGeoPoint": method(
            lambda name: geo_point(sim_vehicle(world, name).origin_m, world.settings.world.home), text
        ),
    }


def kinematics_map(vehicle: Vehicle) -> dict[str, object]:
    """A KinematicsState for the client."""
    state = vehicle.kinematics
    return {
        "position": vector_map(state.pose.position_m),
        "orientation": quaternion_map(state.pose.orientation_wxyz),
        "linear_velocity": vector_map(state.linear_velocity_mps),
        "angular_velocity": vector_map(state.angular_velocity_radps),
        "linear_acceleration": vector_map(state.linear_acceleration_mps2),
        "angular_acceleration": vector_map(state.angular_acceleration_radps2),
    }


def collision_map(world: World, vehicle: Vehicle) -> dict[str, object]:
    """A CollisionInfo for the client: the last touch; zeros before the first (CommonStructs.hpp)."""
    touch, nowhere = vehicle.collision, np.zeros(3)
    name, raw_id = world.touched(touch)
    return {
        "has_collided": vehicle.has_collided,
        "penetration_depth": 0.0 if touch is None else touch.depth_m,
        "time_stamp": 0 if touch is None else touch.time_ns,
        "normal": vector_map(nowhere if touch is None else touch.normal),
        "impact_point": vector_map(nowhere if touch is None else touch.point_m),
        "position": vector_map(nowhere if touch is None else touch.position_m),
        "object_name": name,
        "object_id": raw_id,
    }


def _collision_info(world: World, name: str) -> dict[str, object]:
    """Asking once takes the flag away, and leaves the rest (PawnSimApi.cpp, getCollisionInfoAndReset)."""
    vehicle = sim_vehicle(world, name)
    told = collision_map(world, vehicle)
    vehicle.has_collided = False
    return told


def _environment_map(vehicle: Vehicle) -> dict[str, object]:
    """An EnvironmentState: the International Standard Atmosphere below 11 km (ISO 2533), at the vehicle's altitude."""
    point = geo_point(vehicle.world_pose().position_m, vehicle.home)
    temperature_k = 288.15 - 0.0065 * point["altitude"]
    pressure_pa = standard_pressure_pa(point["altitude"])  # what the barometer feels, noise apart
    return {
        "position": vector_map(vehicle.kinematics.pose.position_m),
        "geo_point": point,
        "gravity": vector_map(np.array([0.0, 0.0, GRAVITY_MPS2])),
        "air_pressure": pressure_pa,
        "temperature": temperature_k,
        "air_density": pressure_pa / (287.05287 * max(temperature_k, 1.0)),
    }
