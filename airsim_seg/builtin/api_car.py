"""The car's RPCs (CarRpcLibServer.cpp): pedals in, state out."""

from airsim_seg.builtin.api import Method, kinematics_map, method, no_such_vehicle
from airsim_seg.builtin.arguments import boolean, field, fields, finite, integer, text
from airsim_seg.builtin.vehicles.car import Car, CarControls
from airsim_seg.builtin.vehicles.powertrain import MAX_RPM
from airsim_seg.builtin.world import World


def car_controls(value: object) -> CarControls:
    """A CarControls; missing keys keep their defaults."""
    of = fields(value)
    return CarControls(
        field(of, "throttle", finite, 0.0),
        field(of, "steering", finite, 0.0),
        field(of, "brake", finite, 0.0),
        field(of, "handbrake", boolean, False),
        field(of, "is_manual_gear", boolean, False),
        field(of, "manual_gear", integer, 0),
        field(of, "gear_immediate", boolean, True),
    )


def car_methods(world: World) -> dict[str, Method]:
    """What only a car has."""

    def car(name: str) -> Car:
        vehicle = world.vehicle(name)
        if not isinstance(vehicle, Car):
            raise no_such_vehicle("Vehicle API", name)
        return vehicle

    def state(name: str) -> dict[str, object]:
        own = car(name)
        return {
            "speed": own.speed_mps,
            "gear": own.powertrain.gear,
            "rpm": own.powertrain.rpm,
            "maxrpm": MAX_RPM,
            "handbrake": own.controls.handbrake,
            "kinematics_estimated": kinematics_map(own),
            "timestamp": world.now_ns,
        }

    return {
        "setCarControls": method(lambda controls, name: car(name).set_controls(controls), car_controls, text),
        "getCarControls": method(lambda name: dict(vars(car(name).controls)), text),
        "getCarState": method(state, text),
    }
