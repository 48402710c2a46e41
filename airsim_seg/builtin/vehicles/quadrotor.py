"""AirSim's default quadrotor as a rigid body: four rotors, drag, gravity; plain floats, so that a step stays cheap.

Facts from AirSim's AirLib: the frame from MultiRotorParams.hpp (setupFrameGenericQuad), the rotors from RotorParams.hpp
and RotorActuator.hpp, the drag faces from MultiRotorPhysicsBody.hpp, the integration (velocity Verlet) from
FastPhysicsEngine.hpp. Everything is +, -, *, / and sqrt, so the same steps give the same bits on every machine.
"""

import math

from airsim_seg import elementary

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]
Rows = tuple[Vector, Vector, Vector]

GRAVITY_MPS2 = 9.80665
NOTHING: Vector = (0.0, 0.0, 0.0)
LEVEL: Quaternion = (1.0, 0.0, 0.0, 0.0)

MASS_KG = 1.0
_ARM_M, _ROTOR_BELOW_M = 0.2275, 0.025
_BOX_M = (0.18, 0.11, 0.04)
_MOTOR_KG = 0.055
# Rotors sit in an X: front right, rear left, front left, rear right. The first two turn counter-clockwise.
_ROTOR_OFF_M = _ARM_M / math.sqrt(2)
ROTOR_TURNS = (-1, -1, 1, 1)
MAX_THRUST_N, MAX_TORQUE_NM, MAX_ROTOR_RADPS = 4.179446268, 0.055562, 6396.667 / 60 * math.tau
_ROTOR_LAG_S = 0.005
_PROPELLER_M, _PROPELLER_HEIGHT_M = 0.2286, 0.01
_DRAG_COEFFICIENT, _DRAG_MIN_MPS = 1.3 / 4, 0.1
SEA_LEVEL_KGPM3 = 1.225
# FastPhysicsEngine.hpp holds speeds (m/s and rad/s) at that of light, lest a wild command end in NaN.
_MAX_RATE = 299_792_458.0


def _inertia_kgm2() -> Vector:
    """Diagonal of the inertia matrix: a box, and four motors as points (MultiRotorParams.hpp, computeInertiaMatrix)."""
    x, y, z = (side * side for side in _BOX_M)
    box_kg = MASS_KG - 4 * _MOTOR_KG
    off, below = _ROTOR_OFF_M * _ROTOR_OFF_M, _ROTOR_BELOW_M * _ROTOR_BELOW_M
    return (
        box_kg / 12 * (y + z) + 4 * _MOTOR_KG * (off + below),
        box_kg / 12 * (x + z) + 4 * _MOTOR_KG * (off + below),
        box_kg / 12 * (x + y) + 4 * _MOTOR_KG * 2 * off,
    )


def _drag_factors_m2() -> Vector:
    """Half the drag coefficient times the area along each body axis; propellers count (createDragVertices)."""
    x, y, z = _BOX_M
    edge, disc = math.pi * _PROPELLER_M * _PROPELLER_HEIGHT_M, math.pi * _PROPELLER_M * _PROPELLER_M
    half = _DRAG_COEFFICIENT / 2
    return ((y * z + 4 * edge) * half, (x * z + 4 * edge) * half, (x * y + 4 * disc) * half)


INERTIA_KGM2 = _inertia_kgm2()
DRAG_FACTORS_M2 = _drag_factors_m2()


def rows_of(wxyz: Quaternion) -> Rows:
    """Rows of the rotation matrix of a unit quaternion: body axes into the world."""
    w, x, y, z = wxyz
    return (
        (1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    )


class Quadrotor:
    """The state of the body, and what it does in one step.

    Attributes:
        position_m: [3], NED.
        velocity_mps: [3], NED.
        acceleration_mps2: [3], NED; gravity included.
        orientation_wxyz: unit quaternion, body to NED.
        rate_radps: [3], body axes; so is angular_acceleration_radps2.
        rows: of the rotation matrix that belongs to the orientation.
        signals: what the rotors are told, 0 to 1 each: front right, rear left, front left, rear right.
        thrusts_n: what they give at sea level.
        torques_nm: their turning moments at sea level, signed as AirSim's torque_scaler.
    """

    def __init__(self, position_m: Vector, orientation_wxyz: Quaternion) -> None:
        """Put a body somewhere, at rest and with its rotors still."""
        self.signals = (0.0, 0.0, 0.0, 0.0)
        self._spins = (0.0, 0.0, 0.0, 0.0)
        self.thrusts_n = (0.0, 0.0, 0.0, 0.0)
        self.torques_nm = (0.0, 0.0, 0.0, 0.0)
        self._decay, self._decay_step_s = elementary.exp(-0.003 / _ROTOR_LAG_S), 0.003
        self.place(position_m, orientation_wxyz)

    def place(self, position_m: Vector, orientation_wxyz: Quaternion) -> None:
        """Be elsewhere, at rest; the rotors turn on."""
        self.position_m, self.orientation_wxyz = position_m, orientation_wxyz
        self.rows = rows_of(orientation_wxyz)
        self.stop()

    def stop(self) -> None:
        """Lose all motion."""
        self.velocity_mps = self.acceleration_mps2 = NOTHING
        self.rate_radps = self.angular_acceleration_radps2 = NOTHING

    def spin_rotors(self, step_s: float) -> None:
        """Let the rotors follow their signals.

        AirSim's order: what the rotors gave at the end of the last step acts in this one, so a signal acts two steps
        after it was set. The moment follows the signal itself, the thrust lags by 5 ms (RotorActuator.hpp).
        """
        if step_s != self._decay_step_s:
            self._decay, self._decay_step_s = elementary.exp(-step_s / _ROTOR_LAG_S), step_s
        (a, b, c, d), (i, j, k, m), keep = self._spins, self.signals, self._decay
        self.thrusts_n = (a * MAX_THRUST_N, b * MAX_THRUST_N, c * MAX_THRUST_N, d * MAX_THRUST_N)
        self.torques_nm = (-i * MAX_TORQUE_NM, -j * MAX_TORQUE_NM, k * MAX_TORQUE_NM, m * MAX_TORQUE_NM)
        self._spins = (a * keep + i * (1 - keep), b * keep + j * (1 - keep), c * keep + k * (1 - keep),
                       d * keep + m * (1 - keep))  # fmt: skip

    def rotor_speeds_radps(self) -> tuple[float, ...]:
        """How fast the four turn, without sign."""
        return tuple(MAX_ROTOR_RADPS * math.sqrt(thrust / MAX_THRUST_N) for thrust in self.thrusts_n)

    def step(self, step_s: float, air_kgpm3: float, wind_mps: Vector) -> None:
        """Fly freely for one step.

        Args:
            step_s: its length.
            air_kgpm3: density of the air, which drag and rotors are proportional to.
            wind_mps: [3], NED.
        """
        f0, f1, f2, f3 = self.thrusts_n
        q0, q1, q2, q3 = self.torques_nm
        self.spin_rotors(step_s)
        ratio, half_s = air_kgpm3 / SEA_LEVEL_KGPM3, step_s / 2
        (vn, ve, vd), (an, ae, ad) = self.velocity_mps, self.acceleration_mps2
        mn, me, md = vn + an * half_s, ve + ae * half_s, vd + ad * half_s
        fx, fy, fz = self._drag_n((mn - wind_mps[0], me - wind_mps[1], md - wind_mps[2]), air_kgpm3)
        fz -= (f0 + f1 + f2 + f3) * ratio
        (xn, yn, zn), (xe, ye, ze), (xd, yd, zd) = self.rows
        bn = (xn * fx + yn * fy + zn * fz) / MASS_KG
        be = (xe * fx + ye * fy + ze * fz) / MASS_KG
        bd = (xd * fx + yd * fy + zd * fz) / MASS_KG + GRAVITY_MPS2
        self.velocity_mps, self.acceleration_mps2 = _limited(
            (vn + (an + bn) * half_s, ve + (ae + be) * half_s, vd + (ad + bd) * half_s), (bn, be, bd)
        )
        north, east, down = self.position_m
        self.position_m = (north + mn * step_s, east + me * step_s, down + md * step_s)
        arm = _ROTOR_OFF_M * ratio
        self._turn(step_s, arm * (f1 + f2 - f0 - f3), arm * (f0 + f2 - f1 - f3), -(q0 + q1 + q2 + q3) * ratio)

    def _drag_n(self, air_speed_mps: Vector, air_kgpm3: float) -> Vector:
        """Drag in body axes: each of the six faces that meet the air pushes back with the square of its speed."""
        n, e, d = air_speed_mps
        (xn, yn, zn), (xe, ye, ze), (xd, yd, zd) = self.rows
        x, y, z = xn * n + xe * e + xd * d, yn * n + ye * e + yd * d, zn * n + ze * e + zd * d
        kx, ky, kz = DRAG_FACTORS_M2
        return (
            -kx * air_kgpm3 * x * abs(x) if abs(x) > _DRAG_MIN_MPS else 0.0,
            -ky * air_kgpm3 * y * abs(y) if abs(y) > _DRAG_MIN_MPS else 0.0,
            -kz * air_kgpm3 * z * abs(z) if abs(z) > _DRAG_MIN_MPS else 0.0,
        )

    def _turn(self, step_s: float, tx: float, ty: float, tz: float) -> None:
        """Euler's equation for moments in body axes, N m. The drag faces act at their own axes and turn nothing."""
        half_s = step_s / 2
        (p, q, r), (ap, aq, ar) = self.rate_radps, self.angular_acceleration_radps2
        mp, mq, mr = p + ap * half_s, q + aq * half_s, r + ar * half_s
        ix, iy, iz = INERTIA_KGM2
        bp, bq, br = (tx - (iz - iy) * mq * mr) / ix, (ty - (ix - iz) * mr * mp) / iy, (tz - (iy - ix) * mp * mq) / iz
        self.rate_radps, self.angular_acceleration_radps2 = _limited(
            (p + (ap + bp) * half_s, q + (aq + bq) * half_s, r + (ar + br) * half_s), (bp, bq, br)
        )
        # The quaternion of a small turn is (1, half the turn), made a unit: wrong by a twelfth of the turn cubed.
        x, y, z = mp * half_s, mq * half_s, mr * half_s
        w0, x0, y0, z0 = self.orientation_wxyz
        w, x, y, z = (
            w0 - x0 * x - y0 * y - z0 * z,
            x0 + w0 * x + y0 * z - z0 * y,
            y0 + w0 * y - x0 * z + z0 * x,
            z0 + w0 * z + x0 * y - y0 * x,
        )
        norm = math.sqrt(w * w + x * x + y * y + z * z)
        self.orientation_wxyz = (w / norm, x / norm, y / norm, z / norm)
        self.rows = rows_of(self.orientation_wxyz)

    def euler_rad(self) -> Vector:
        """Roll, pitch and yaw."""
        (xn, _, _), (xe, _, _), (xd, yd, zd) = self.rows
        return (elementary.atan2(yd, zd), -elementary.asin(max(-1.0, min(1.0, xd))), elementary.atan2(xe, xn))


def _limited(rate: Vector, change: Vector) -> tuple[Vector, Vector]:
    """A rate and its derivative; where the rate is beyond all bounds, the bound and no change."""
    x, y, z = rate
    if abs(x) + abs(y) + abs(z) < _MAX_RATE:
        return rate, change
    shrink = min(1.0, _MAX_RATE / math.sqrt(x * x + y * y + z * z))
    return (x * shrink, y * shrink, z * shrink), NOTHING
