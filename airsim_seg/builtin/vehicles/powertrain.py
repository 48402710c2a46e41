"""Engine, clutch and gearbox of AirSim's car, as PhysX couples them; torques in N m, speeds in rad/s.

Sources: AirSim's CarPawn.cpp sets the torque curve, the 0.15 s of a gear change and the 1 s between the gearbox's own
changes; everything else stays at the defaults of PhysX 3.4 (PxVehicleComponents.h). The default car's blueprint raises
the engine's limit to 7500 rpm (AirSim issue 2030).
"""

import math
from bisect import bisect_right

MAX_RPM = 7500.0
MAX_ENGINE_RADPS = MAX_RPM / 60 * math.tau
_CURVE_RPM, _CURVE_NM = (0.0, 1890.0, 5730.0), (400.0, 500.0, 400.0)
_ENGINE_KGM2, _CLUTCH = 1.0, 10.0
_DAMPING_PULLING, _DAMPING_ROLLING, _DAMPING_NEUTRAL = 0.15, 2.0, 0.35
_FINAL, _REVERSE, _FORWARD = 4.0, -4.0, (4.0, 2.0, 1.5, 1.1, 1.0)
TOP_GEAR = len(_FORWARD)
_SWITCH_S, _LATENCY_S = 0.15, 1.0
_UP_SHARE, _DOWN_SHARE, _LEAVE_NEUTRAL_SHARE = 0.65, 0.5, 0.15


def torque_nm(engine_radps: float) -> float:
    """What the engine gives at full throttle."""
    rpm = engine_radps * 60 / math.tau
    at = min(bisect_right(_CURVE_RPM, rpm), len(_CURVE_RPM) - 1)
    share = min(1.0, (rpm - _CURVE_RPM[at - 1]) / (_CURVE_RPM[at] - _CURVE_RPM[at - 1]))
    return _CURVE_NM[at - 1] + share * (_CURVE_NM[at] - _CURVE_NM[at - 1])


class Powertrain:
    """Turns throttle into torque on the wheels.

    Attributes:
        gear: -1 reverse, 0 neutral or changing, 1 to 5.
        target: the gear that it is in or changing to.
        engine_radps: speed of the engine; it has no idle and no stall.
    """

    def __init__(self) -> None:
        """In neutral with a still engine."""
        self.gear = self.target = 0
        self.engine_radps = 0.0
        self._switch_left_s, self._since_shift_s = 0.0, _LATENCY_S

    @property
    def rpm(self) -> float:
        """Speed of the engine in revolutions a minute."""
        return self.engine_radps * 60 / math.tau

    def select(self, gear: int, *, at_once: bool) -> None:
        """Change to a gear; in 0.15 s of neutral, or at once."""
        self.target = max(-1, min(TOP_GEAR, gear))
        if at_once:
            self.gear = self.target
        elif self.gear != self.target:
            self.gear, self._switch_left_s = 0, _SWITCH_S

    def shift(self, automatic: bool, step_s: float) -> None:
        """Let the gearbox do its work: finish a change, or begin one by the engine's speed."""
        self._since_shift_s += step_s
        if self.gear != self.target:
            self._switch_left_s -= step_s
            if self._switch_left_s <= 0:
                self.gear = self.target
        elif automatic and self._since_shift_s > _LATENCY_S:
            share = self.engine_radps / MAX_ENGINE_RADPS
            up = _LEAVE_NEUTRAL_SHARE if self.gear == 0 else _UP_SHARE
            if 0 <= self.gear < TOP_GEAR and share > up:
                self._since_shift_s = 0.0
                self.select(self.gear + 1, at_once=False)
            elif self.gear > 1 and share < _DOWN_SHARE:
                self._since_shift_s = 0.0
                self.select(self.gear - 1, at_once=False)

    @property
    def ratio(self) -> float:
        """Turns of the engine to one of the wheels; 0 in neutral."""
        if self.gear == 0:
            return 0.0
        return _FINAL * (_REVERSE if self.gear < 0 else _FORWARD[self.gear - 1])

    def wheel_radps(
        self, throttle: float, wheel_radps: float, wheel_kgm2: float, load_nm: float, grip_nm: float, step_s: float
    ) -> float:
        """The wheels' speed one step later; the engine's changes with it.

        Engine and wheels pull at each other through the clutch with 10 N m for each rad/s between them: two linear
        equations, solved for the end of the step (implicit Euler).

        Args:
            throttle: 0 to 1.
            wheel_radps: now.
            wheel_kgm2: inertia of all that turns or moves with the wheels.
            load_nm: what holds them back.
            grip_nm: more than this no tyre carries; then the clutch slips.
            step_s: length of the step.
        """
        ratio = self.ratio
        rolling = _DAMPING_ROLLING if ratio else _DAMPING_NEUTRAL
        damping = rolling + (_DAMPING_PULLING - rolling) * throttle
        push = _ENGINE_KGM2 / step_s * self.engine_radps + throttle * torque_nm(self.engine_radps)
        own = _ENGINE_KGM2 / step_s + damping
        roll, wheels = wheel_kgm2 / step_s * wheel_radps - load_nm, wheel_kgm2 / step_s
        clutch = _CLUTCH if ratio else 0.0
        across = clutch * ratio
        share = (own + clutch) * (wheels + across * ratio) - across * across
        engine_radps = (push * (wheels + across * ratio) + across * roll) / share
        after_radps = ((own + clutch) * roll + across * push) / share
        carried_nm = across * (engine_radps - ratio * after_radps)
        if abs(carried_nm) > grip_nm:
            carried_nm = math.copysign(grip_nm, carried_nm)
            after_radps = (roll + carried_nm) / wheels
            engine_radps = (push - carried_nm / ratio) / own
        self.engine_radps = max(0.0, min(MAX_ENGINE_RADPS, engine_radps))
        return after_radps
