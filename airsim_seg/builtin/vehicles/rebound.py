"""How a quadrotor comes off what it has run into: an impulse and friction where it touched.

Source: AirSim's FastPhysicsEngine.hpp (getNextKinematicsOnCollision), after C. Hecker ("Physics, Part 3: Collision
Response", 1997, equation 4a) and G. Fiedler's Coulomb friction. As there, an impulse turns the body by its lever alone,
not by its inertia. Two things differ: the lever is in body axes (AirSim takes it from the world's, which is the same
only for a level body that faces north), and what was hit may move.
"""

import math

from airsim_seg.builtin.contacts import Contact
from airsim_seg.builtin.vehicles.ground import FRICTION, RESTITUTION, SPIN_LEFT, UPRIGHT, Touch, stand
from airsim_seg.builtin.vehicles.quadrotor import INERTIA_KGM2, MASS_KG, NOTHING, Quadrotor, Rows, Vector


def rebound(body: Quadrotor, touch: Contact, step_s: float) -> Touch:
    """Free a body from what it overlaps, and throw it back if it was on its way in.

    Args:
        body: changed.
        touch: in the body's local NED.
        step_s: length of the step, after which it is seen.

    Returns:
        STAND where it has come down on something level, NONE where it was leaving anyway.
    """
    normal, inertia = touch.normal, INERTIA_KGM2
    body.position_m = along(body.position_m, normal, touch.depth_m)
    velocity = along(body.velocity_mps, touch.velocity_mps, -1.0)
    if dot(velocity, normal) >= 0:
        return Touch.NONE
    vn, ve, vd = velocity
    normal_body = _to_body(body.rows, normal)
    if vd > abs(vn) and vd > abs(ve) and abs(normal_body[2]) >= UPRIGHT:
        stand(body)
        return Touch.STAND
    lever = _to_body(body.rows, along(touch.point_m, body.position_m, -1.0))
    slip = along(_to_body(body.rows, velocity), _cross(body.rate_radps, lever), 1.0)
    into = dot(slip, normal_body)
    push = max(0.0, -into * (1 + RESTITUTION) / _give(lever, normal_body, inertia))
    aside = along(slip, normal_body, -into)
    length = math.sqrt(dot(aside, aside))
    tangent = (aside[0] / length, aside[1] / length, aside[2] / length) if length > 0 else NOTHING
    drag = -length * FRICTION / _give(lever, tangent, inertia)
    velocity = along(velocity, normal, push / MASS_KG)
    velocity = along(velocity, _to_world(body.rows, tangent), drag / MASS_KG)
    rate = along(body.rate_radps, _cross(lever, normal_body), push)
    p, q, r = along(rate, _cross(lever, tangent), drag / MASS_KG)
    body.stop()
    body.velocity_mps = along(velocity, touch.velocity_mps, 1.0)
    body.rate_radps = (p * SPIN_LEFT, q * SPIN_LEFT, r * SPIN_LEFT)
    body.position_m = along(body.position_m, body.velocity_mps, step_s)
    return Touch.BOUNCE


def _give(lever: Vector, direction: Vector, inertia: Vector) -> float:
    """How much speed a unit impulse along a direction, at a lever, gives that point; 1 / kg."""
    x, y, z = _cross(lever, direction)
    turned = (x / inertia[0], y / inertia[1], z / inertia[2])
    return 1 / MASS_KG + dot(_cross(turned, lever), direction)


def along(start: Vector, direction: Vector, length: float) -> Vector:
    """start + direction * length."""
    return (start[0] + direction[0] * length, start[1] + direction[1] * length, start[2] + direction[2] * length)


def dot(a: Vector, b: Vector) -> float:
    """Scalar product."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _cross(a: Vector, b: Vector) -> Vector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _to_world(rows: Rows, of: Vector) -> Vector:
    return (dot(rows[0], of), dot(rows[1], of), dot(rows[2], of))


def _to_body(rows: Rows, of: Vector) -> Vector:
    (a, b, c), (d, e, f), (g, h, i) = rows
    x, y, z = of
    return (a * x + d * y + g * z, b * x + e * y + h * z, c * x + f * y + i * z)
