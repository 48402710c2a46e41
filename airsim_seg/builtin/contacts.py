"""A touch of a vehicle and something else, as both sides of it speak about it."""

from dataclasses import dataclass

from airsim_seg.builtin.vehicles.quadrotor import NOTHING, Vector


@dataclass(frozen=True)
class Contact:
    """Where a vehicle and something overlap.

    Attributes:
        normal: unit vector from the other thing to the vehicle, NED.
        depth_m: how far the vehicle has to go along it to be free.
        point_m: of the other thing, metres; who has the contact says in which NED.
        velocity_mps: of the other thing, NED.
        object_index: what it is, in the scene; -1 where it is a vehicle without a body in the scene.
        vehicle: the name of the other vehicle, or "".
    """

    normal: Vector
    depth_m: float
    point_m: Vector
    velocity_mps: Vector = NOTHING
    object_index: int = -1
    vehicle: str = ""
