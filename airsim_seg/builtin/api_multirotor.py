"""The multirotor's RPCs (MultirotorRpcLibServer.cpp): a flat table, arguments in the order in which clients send them.

Times are seconds of simulation. What the moves do is in api_moves.py.
"""

import math
from dataclasses import asdict, replace

from airsim_seg.builtin.api import Method, collision_map, kinematics_map, method
from airsim_seg.builtin.api_moves import MoveApi
from airsim_seg.builtin.arguments import (
    ApiError,
    BadCast,
    boolean,
    field,
    fields,
    finite,
    integer,
    list_of,
    real,
    text,
    vector,
)
from airsim_seg.builtin.geometry import geo_point
from airsim_seg.builtin.vehicles.moves import YawMode
from airsim_seg.builtin.vehicles.pid import angle_gains, space_gains
from airsim_seg.builtin.vehicles.simple_flight import ALL_PASSTHROUGH, Mode, Modes, RemoteControl
from airsim_seg.builtin.world import World

_LEVELS = (Mode.LEVEL, Mode.LEVEL)
_RATES = (Mode.RATE, Mode.RATE, Mode.RATE)
# The moves by attitude: how roll, pitch, yaw and the last number are meant.
BY_ATTITUDE: dict[str, Modes] = {
    "moveByRollPitchYawZ": (*_LEVELS, Mode.LEVEL, Mode.POSITION),
    "moveByRollPitchYawThrottle": (*_LEVELS, Mode.LEVEL, Mode.PASSTHROUGH),
    "moveByRollPitchYawrateZ": (*_LEVELS, Mode.RATE, Mode.POSITION),
    "moveByRollPitchYawrateThrottle": (*_LEVELS, Mode.RATE, Mode.PASSTHROUGH),
    "moveByAngleRatesZ": (*_RATES, Mode.POSITION),
    "moveByAngleRatesThrottle": (*_RATES, Mode.PASSTHROUGH),
    "moveByMotorPWMs": ALL_PASSTHROUGH,
}


def seconds(value: object) -> float:
    """A time; any number, the client's 3e38 for "none" too.

    Raises:
        ApiError: NaN.
    """
    number = real(value)
    if math.isnan(number):
        raise ApiError("a time limit cannot be NaN")
    return number


def drivetrain(value: object) -> bool:
    """DrivetrainType: whether it is ForwardOnly (1), not MaxDegreeOfFreedom (0)."""
    number = integer(value)
    if number not in (0, 1):
        raise BadCast
    return number == 1


def yaw_mode(value: object) -> YawMode:
    """A YawMode in degrees."""
    of = fields(value)
    return YawMode(field(of, "is_rate", boolean, True), field(of, "yaw_or_rate", finite, 0.0))


def remote_control(value: object) -> RemoteControl:
    """An RCData; the switches are bits of one number, so the client's switch1 to switch8 are dropped, as in AirSim."""
    of, none = fields(value), RemoteControl()
    numbers = {key: field(of, key, finite, 0.0) for key in ("pitch", "roll", "throttle", "yaw", "left_z", "right_z")}
    return RemoteControl(
        timestamp=field(of, "timestamp", integer, none.timestamp),
        switches=field(of, "switches", integer, none.switches),
        vendor_id=field(of, "vendor_id", text, none.vendor_id),
        is_initialized=field(of, "is_initialized", boolean, none.is_initialized),
        is_valid=field(of, "is_valid", boolean, none.is_valid),
        **numbers,
    )


def multirotor_methods(world: World) -> dict[str, Method]:
    """What only a multirotor has."""
    api = MoveApi(world)
    return _move_methods(api) | _pilot_methods(api) | _state_methods(world, api)


def _move_methods(api: MoveApi) -> dict[str, Method]:
    yaw = (drivetrain, yaw_mode)
    ahead = (finite, finite, text)
    path = (finite, seconds, *yaw, *ahead)
    timed = (finite, finite, finite, seconds, *yaw, text)
    turned = {
        name: method(api.by_attitude(modes), finite, finite, finite, finite, seconds, text)
        for name, modes in BY_ATTITUDE.items()
    }
    return turned | {
        "takeoff": method(api.takeoff, seconds, text),
        "land": method(api.land, seconds, text),
        "goHome": method(api.go_home, seconds, text),
        "hover": method(api.hover, text),
        "moveToPosition": method(api.move_to_position, finite, finite, finite, *path),
        "moveToGPS": method(api.move_to_gps, finite, finite, finite, *path),
        "moveOnPath": method(api.move_on_path, list_of(vector), *path),
        "moveToZ": method(api.move_to_z, finite, finite, seconds, yaw_mode, *ahead),
        "moveByVelocity": method(api.move_by_velocity, *timed),
        "moveByVelocityZ": method(api.move_by_velocity_z, *timed),
        "moveByVelocityBodyFrame": method(api.move_by_velocity_body, *timed),
        "moveByVelocityZBodyFrame": method(api.move_by_velocity_z_body, *timed),
        "moveByManual": method(api.move_by_manual, *timed),
        "rotateToYaw": method(api.rotate_to, finite, seconds, finite, text),
        "rotateByYawRate": method(api.rotate_by_rate, finite, seconds, text),
    }


def _pilot_methods(api: MoveApi) -> dict[str, Method]:
    three = list_of(finite)

    def setter(controller: str) -> Method:
        gains_of = angle_gains if controller in ("rate", "level") else space_gains

        def use(kp: list[float], ki: list[float], kd: list[float], name: str) -> None:
            if not len(kp) == len(ki) == len(kd) == 3:
                raise ApiError(f"gains come in threes, not {len(kp)}, {len(ki)} and {len(kd)}")
            pilot = api.drone(name).pilot
            pilot.use_gains(replace(pilot.gains, **{controller: gains_of(kp, ki, kd)}))

        return method(use, three, three, three, text)

    def use_remote(sticks: RemoteControl, name: str) -> None:
        api.drone(name).pilot.remote = sticks

    def set_safety(*_: object) -> None:
        # AirSim never makes what this call would configure.
        raise ApiError("The setSafety call requires safety_eval_ptr_ to be set first")

    return {
        "setAngleRateControllerGains": setter("rate"),
        "setAngleLevelControllerGains": setter("level"),
        "setVelocityControllerGains": setter("velocity"),
        "setPositionControllerGains": setter("position"),
        "moveByRC": method(use_remote, remote_control, text),
        "setSafety": method(set_safety, integer, finite, integer, finite, vector, finite, finite, finite, text),
    }


def _state_methods(world: World, api: MoveApi) -> dict[str, Method]:
    def state(name: str) -> dict[str, object]:
        """A MultirotorState with the keys that AirSim sends; ready and can_arm are not among them."""
        drone = api.drone(name)
        return {
            "collision": collision_map(world, drone),
            "kinematics_estimated": kinematics_map(drone),
            "gps_location": geo_point(drone.world_pose().position_m, drone.home),
            "timestamp": world.now_ns,
            "landed_state": 0 if drone.landed else 1,
            "rc_data": asdict(drone.pilot.remote),
        }

    def rotor_states(name: str) -> dict[str, object]:
        body = api.drone(name).body
        of_four = zip(body.thrusts_n, body.torques_nm, body.rotor_speeds_radps(), strict=True)
        rotors = [{"thrust": thrust, "torque_scaler": torque, "speed": speed} for thrust, torque, speed in of_four]
        return {"rotors": rotors, "timestamp": world.now_ns}

    return {"getMultirotorState": method(state, text), "getRotorStates": method(rotor_states, text)}
