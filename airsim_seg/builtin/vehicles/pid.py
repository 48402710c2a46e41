"""PID controllers as SimpleFlight has them, and their gains (PidController.hpp, StdPidIntegrator.hpp, Params.hpp)."""

from collections.abc import Sequence
from dataclasses import dataclass

# The four axes of SimpleFlight, in its order.
ROLL, PITCH, YAW, THROTTLE = range(4)


@dataclass(frozen=True)
class Gain:
    """Proportional, integral and derivative gain of one axis."""

    kp: float = 0.0
    ki: float = 0.0
    kd: float = 0.0


FourGains = tuple[Gain, Gain, Gain, Gain]


@dataclass(frozen=True)
class Gains:
    """The gains of the cascade by controller: roll, pitch, yaw, throttle each; sideways, ahead, none, down in space."""

    rate: FourGains = (Gain(0.25), Gain(0.25), Gain(0.25), Gain(1.0))
    level: FourGains = (Gain(2.5), Gain(2.5), Gain(2.5), Gain(1.0))
    velocity: FourGains = (Gain(0.2), Gain(0.2), Gain(), Gain(2.0, 2.0))
    position: FourGains = (Gain(0.25), Gain(0.25), Gain(), Gain(0.25))


def angle_gains(kp: Sequence[float], ki: Sequence[float], kd: Sequence[float]) -> FourGains:
    """Gains that a client gives for roll, pitch and yaw (SimpleFlightApi.hpp, setControllerGains)."""
    roll, pitch, yaw = (Gain(*of) for of in zip(kp, ki, kd, strict=True))
    return (roll, pitch, yaw, Gain(1.0))


def space_gains(kp: Sequence[float], ki: Sequence[float], kd: Sequence[float]) -> FourGains:
    """Gains that a client gives for x, y and z: ahead is pitch, sideways is roll."""
    x, y, z = (Gain(*of) for of in zip(kp, ki, kd, strict=True))
    return (y, x, Gain(), z)


class Pid:
    """One controller: error in, -1 to 1 out.

    The integral holds ki times error times time, is discounted at every step and kept in -1 to 1. The first step after
    its making knows no duration and so neither integrates nor differentiates, as in SimpleFlight.
    """

    def __init__(self, gain: Gain, discount: float = 1.0) -> None:
        """Make a controller with nothing integrated.

        Args:
            gain: see Gain.
            discount: factor of the integral at each step.
        """
        self._kp, self._ki, self._kd = gain.kp, gain.ki, gain.kd
        self._discount = discount
        self._is_plain = not (gain.ki or gain.kd)
        self._is_new = True
        self._integral = self._last_error = 0.0

    def output(self, error: float, step_s: float) -> float:
        """The answer to an error that lasted one step."""
        answer = self._kp * error
        if not self._is_plain:
            if self._is_new:
                self._is_new = False
            else:
                integral = self._integral * self._discount + self._ki * error * step_s
                self._integral = -1.0 if integral < -1 else 1.0 if integral > 1 else integral
                answer += (error - self._last_error) / step_s * self._kd
                self._last_error = error
            answer += self._integral
        return -1.0 if answer < -1 else 1.0 if answer > 1 else answer
