"""The RPCs of vehicles: control and arming of every kind, and the kind's own (api_multirotor.py, api_car.py)."""

from airsim_seg.builtin.api import Method, Methods, method, no_such_vehicle
from airsim_seg.builtin.api_car import car_methods
from airsim_seg.builtin.api_multirotor import multirotor_methods
from airsim_seg.builtin.arguments import boolean, text
from airsim_seg.builtin.vehicles.car import Car
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.builtin.world import World


def vehicle_methods(world: World) -> Methods:
    """Control and arming in every mode; the moves of the mode's own kind."""
    kinds = {"Car": car_methods, "Multirotor": multirotor_methods}
    own = kinds[world.mode](world) if world.mode in kinds else {}
    return _control_methods(world) | own


def _control_methods(world: World) -> dict[str, Method]:
    def of(name: str) -> Car | Multirotor:
        vehicle = world.vehicle(name)
        # ComputerVision's camera has no vehicle API.
        if not isinstance(vehicle, Car | Multirotor):
            raise no_such_vehicle("Vehicle API", name)
        return vehicle

    def arm(armed: bool, name: str) -> bool:
        vehicle = of(name)
        return vehicle.arm(armed) if isinstance(vehicle, Multirotor) else True

    def cancel(name: str) -> None:
        vehicle = of(name)
        if isinstance(vehicle, Multirotor):
            vehicle.cancel()

    return {
        "enableApiControl": method(lambda on, name: of(name).enable_api(on), boolean, text),
        "isApiControlEnabled": method(lambda name: of(name).api_control, text),
        "armDisarm": method(arm, boolean, text),
        "cancelLastTask": method(cancel, text),
    }
