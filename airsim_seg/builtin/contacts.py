"""A touch of a vehicle and something else, as both sides of it speak about it."""

import math
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.vehicles.quadrotor import NOTHING, Vector
from airsim_seg.types import Float64Array

# What has just been freed still overlaps by the rounding of its place.
TOUCHING_M = 1e-6


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


def ball_contact(point: Float64Array, centre: Float64Array, middle: Float64Array, gap_m: float, index: int) -> Contact:
    """The contact of a ball and a point of something else; a ball right on the point is lifted.

    Args:
        point: of the other thing, float64 [3], scene NED, metres.
        centre: of the ball, float64 [3].
        middle: float64 [3], where they are said to touch.
        gap_m: between them; negative where they overlap.
        index: what the other thing is in the scene, or -1.
    """
    away = centre - point
    length = math.sqrt((away * away).sum())
    normal = away / length if length > 1e-9 else np.array([0.0, 0.0, -1.0])
    (nn, ne, nd), (pn, pe, pd) = normal.tolist(), middle.tolist()
    return Contact((nn, ne, nd), -gap_m, (pn, pe, pd), object_index=index)
