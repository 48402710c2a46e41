"""The ground under vehicles: its height for little, and what it does to a quadrotor that comes down on it."""

import math
from enum import Enum

from airsim_seg import elementary
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.quadrotor import Quadrotor, Vector

# The drone rests with its centre this high above the ground: the mesh of the FlyingPawn blueprint.
REST_HEIGHT_M = 0.15
# FastPhysicsEngine.hpp and MultiRotorParams.hpp: what a bounce leaves of speeds, and how level a landing must be.
RESTITUTION, FRICTION, SPIN_LEFT, UPRIGHT = 0.55, 0.5, 0.9, 0.75
_SLOPE_BASE_M = 0.5
_MOST_CORNERS = 2**16


class RememberedGround:
    """A terrain asked at the corners of a grid of 1 m only, once each, and bilinear between them.

    Wheels ask four times a step, and a step must cost less than one answer of a terrain made of numpy.
    """

    def __init__(self, terrain: Terrain) -> None:
        """Remember nothing yet."""
        self._terrain = terrain
        self._down_m: dict[tuple[int, int], float] = {}

    def __call__(self, north_m: float, east_m: float) -> float:
        """See Terrain."""
        i, j = math.floor(north_m), math.floor(east_m)
        u, v = north_m - i, east_m - j
        near = self._corner(i, j) * (1 - v) + self._corner(i, j + 1) * v
        return near * (1 - u) + (self._corner(i + 1, j) * (1 - v) + self._corner(i + 1, j + 1) * v) * u

    def _corner(self, i: int, j: int) -> float:
        down = self._down_m.get((i, j))
        if down is None:
            if len(self._down_m) >= _MOST_CORNERS:
                self._down_m.clear()
            down = self._down_m[i, j] = self._terrain(float(i), float(j))
        return down


class Touch(Enum):
    """How a step ended."""

    NONE = 0
    BOUNCE = 1
    STAND = 2


class Footing:
    """Keeps one quadrotor above the ground, as FastPhysicsEngine.hpp does.

    A body that comes down on it, level enough, is stood up; any other touch is a bounce with friction.
    """

    def __init__(self, ground_down_m: Terrain) -> None:
        """Know the ground.

        Args:
            ground_down_m: in the body's own NED.
        """
        self._ground_down_m = ground_down_m
        self.forget()

    def forget(self) -> None:
        """The body may be anywhere now."""
        self._clear_of = (0.0, 0.0, 0.0, -1.0)

    def floor_m(self, north_m: float, east_m: float) -> float:
        """Down coordinate of a resting body's centre."""
        return self._ground_down_m(north_m, east_m) - REST_HEIGHT_M

    def meet(self, body: Quadrotor) -> Touch:
        """Stop a body that has come to the ground, or throw it back.

        Ground no steeper than 45 degrees cannot reach a body that has moved, in all, less than it was clear of it.
        """
        north, east, down = body.position_m
        north0, east0, down0, clear_m = self._clear_of
        if abs(north - north0) + abs(east - east0) + abs(down - down0) < clear_m:
            return Touch.NONE
        floor = self.floor_m(north, east)
        self._clear_of = (north, east, down, floor - down)
        if down < floor:
            return Touch.NONE
        body.position_m = (north, east, floor)
        normal = self.normal(north, east)
        if _dot(body.velocity_mps, normal) >= 0:
            return Touch.NONE
        vn, ve, vd = body.velocity_mps
        (_, _, zn), (_, _, ze), (_, _, zd) = body.rows
        if vd > abs(vn) and vd > abs(ve) and abs(_dot((zn, ze, zd), normal)) >= UPRIGHT:
            stand(body)
            return Touch.STAND
        _bounce(body, normal)
        return Touch.BOUNCE

    def normal(self, north: float, east: float) -> Vector:
        """Unit vector out of the ground, from its slope over half a metre."""
        here = self._ground_down_m(north, east)
        dn = (self._ground_down_m(north + _SLOPE_BASE_M, east) - here) / _SLOPE_BASE_M
        de = (self._ground_down_m(north, east + _SLOPE_BASE_M) - here) / _SLOPE_BASE_M
        length = math.sqrt(dn * dn + de * de + 1)
        return (dn / length, de / length, -1 / length)


def stand(body: Quadrotor) -> None:
    """Upright and at rest; the jolt can be felt for one step."""
    _, _, jolt = body.velocity_mps
    _, _, yaw = body.euler_rad()
    body.place(body.position_m, (elementary.cos(yaw / 2), 0.0, 0.0, elementary.sin(yaw / 2)))
    body.acceleration_mps2 = (0.0, 0.0, -0.5 * jolt)


def _bounce(body: Quadrotor, normal: Vector) -> None:
    into = _dot(body.velocity_mps, normal)
    along = [v - into * n for v, n in zip(body.velocity_mps, normal, strict=True)]
    vn, ve, vd = (v * (1 - FRICTION) - RESTITUTION * into * n for v, n in zip(along, normal, strict=True))
    p, q, r = body.rate_radps
    body.stop()
    body.velocity_mps, body.rate_radps = (vn, ve, vd), (p * SPIN_LEFT, q * SPIN_LEFT, r * SPIN_LEFT)


def _dot(left: Vector, right: Vector) -> float:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]
