"""SimpleFlight, AirSim's own flight controller: a goal for each axis in, four motor signals out.

Written from the facts in AirLib's firmwares/simple_flight/firmware: CascadeController.hpp and the controllers it makes,
Params.hpp, Mixer.hpp, OffboardApi.hpp, RemoteControl.hpp. Its state estimate is the truth. Two things differ.

- The wanted velocity is one vector, wherever its parts come from. AirSim's loops each see a vector of their own: with a
  height in metres for a speed (drones shake above 50 m, AirSim issue 1394), or without the other axes (drones that hold
  a place and do not look along x circle, issue 4780).
- While the ground holds the drone, it does not try to tilt. The mixer puts tilting before lift, and a drone that is
  told to fly sideways would never leave the ground.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

from airsim_seg.builtin.geometry import wrapped_rad
from airsim_seg.builtin.vehicles.pid import PITCH, ROLL, THROTTLE, Gains, Pid
from airsim_seg.builtin.vehicles.quadrotor import Quadrotor, Vector

Four = tuple[float, float, float, float]
NO_SIGNAL: Four = (0.0, 0.0, 0.0, 0.0)

# Params.hpp: radians a second, radians, metres a second; a full output of a controller asks for these.
MAX_RATE_RADPS, MAX_SPEED_MPS = 2.5, 6.0
MAX_ANGLES_RAD: Four = (math.pi / 5.5, math.pi / 5.5, math.pi, 1.0)
MIN_FLYING_THROTTLE, MIN_MIXED_THROTTLE, IDLE_THROTTLE, ARMED_THROTTLE = 0.3, 0.05, 0.1 / 1.5, 0.1
THROTTLE_DISCOUNT = 0.9999
GOAL_TIMEOUT_NS = 60_000_000


class Mode(IntEnum):
    """What the goal of an axis is (GoalModeType)."""

    PASSTHROUGH = 1
    LEVEL = 2
    RATE = 3
    VELOCITY = 4
    POSITION = 5


Modes = tuple[Mode, Mode, Mode, Mode]
ALL_PASSTHROUGH: Modes = (Mode.PASSTHROUGH,) * 4
ANGLES: Modes = (Mode.LEVEL, Mode.LEVEL, Mode.RATE, Mode.PASSTHROUGH)
RATES: Modes = (Mode.RATE, Mode.RATE, Mode.RATE, Mode.PASSTHROUGH)
HOLD: Modes = (Mode.POSITION, Mode.POSITION, Mode.RATE, Mode.POSITION)


@dataclass(frozen=True)
class RemoteControl:
    """What moveByRC hands over (AirSim's RCData): sticks from -1 to 1, a time in nanoseconds, switches as bits."""

    timestamp: int = 0
    pitch: float = 0.0
    roll: float = 0.0
    throttle: float = 0.0
    yaw: float = 0.0
    left_z: float = 0.0
    right_z: float = 0.0
    switches: int = 0
    vendor_id: str = ""
    is_initialized: bool = False
    is_valid: bool = False


class _Axis:
    """The controllers of one axis, from the kind of its goal down to the rate of turn."""

    def __init__(self, axis: int, mode: Mode, gains: Gains) -> None:
        self.axis, self.mode = axis, mode
        self._rate, self._level = Pid(gains.rate[axis]), Pid(gains.level[axis])
        self._velocity = Pid(gains.velocity[axis], THROTTLE_DISCOUNT if axis == THROTTLE else 1.0)
        self._position = Pid(gains.position[axis])

    def wanted_mps(self, goal: float, place_m: float, step_s: float) -> float:
        """The speed along its world axis that leads to the goal; 0 where the goal is none of speed or place."""
        if self.mode == Mode.POSITION:
            return MAX_SPEED_MPS * self._position.output(goal - place_m, step_s)
        return goal if self.mode == Mode.VELOCITY else 0.0

    def output(self, goal: float, body: Quadrotor, missing_mps: Four, angles_rad: Vector, step_s: float) -> float:
        """-1 to 1, or 0 to 1 for the throttle; a goal that passes through stays what it is.

        Args:
            goal: as the mode says.
            body: what is to be moved.
            missing_mps: what the velocity lacks, in body axes: sideways, ahead, (none), down.
            angles_rad: roll, pitch, yaw of the body.
            step_s: length of the step.
        """
        axis, mode = self.axis, self.mode
        if mode == Mode.PASSTHROUGH:
            return goal
        if mode >= Mode.VELOCITY:
            answer = self._velocity.output(missing_mps[axis], step_s)
            if axis == THROTTLE:
                return max((1 - answer) / 2, MIN_FLYING_THROTTLE)
            # To the right is right side down, forward is nose down.
            goal = answer * (MAX_ANGLES_RAD[axis] if axis == ROLL else -MAX_ANGLES_RAD[axis])
            mode = Mode.LEVEL
        if mode == Mode.LEVEL:
            goal = MAX_RATE_RADPS * self._level.output(wrapped_rad(goal - angles_rad[axis]), step_s)
        return self._rate.output(goal - body.rate_radps[axis], step_s)


def mixed(controls: Four) -> Four:
    """Motor signals from roll, pitch, yaw and throttle (Mixer.hpp): front right, rear left, front left, rear right."""
    roll, pitch, yaw, throttle = controls
    if throttle < MIN_MIXED_THROTTLE:
        return (throttle, throttle, throttle, throttle)
    motors = (
        throttle - roll + pitch + yaw,
        throttle + roll - pitch + yaw,
        throttle + roll + pitch - yaw,
        throttle - roll - pitch - yaw,
    )
    lift, top = -min(0.0, *motors), max(motors)
    scale = max(1.0, top + lift)
    a, b, c, d = motors
    return ((a + lift) / scale, (b + lift) / scale, (c + lift) / scale, (d + lift) / scale)


class SimpleFlight:
    """Follows the goal of the API, or of the remote control where the API has no control.

    Attributes:
        gains: of all controllers.
        api_control: whether goals of the API count.
        armed_at_start: what a reset goes back to.
        armed: whether the remote control's throttle idles at 6.7 % or the motors stand.
        remote: what moveByRC said last.
        took_off: motors above 10 % and vertical motion since the last landing.
    """

    def __init__(self) -> None:
        """On the ground, armed (AirSim's DefaultVehicleState), without API control."""
        self.gains = Gains()
        self.armed_at_start = True
        self.reset()

    def reset(self) -> None:
        """Forget goals and remote control; the gains stay."""
        self.api_control, self.armed, self.took_off = False, self.armed_at_start, False
        self.remote = RemoteControl()
        self._modes, self._goal = ANGLES, NO_SIGNAL
        self._given_ns, self._holds = 0, False
        self.use_gains(self.gains)

    def use_gains(self, gains: Gains) -> None:
        """Start all controllers anew with these gains."""
        self.gains = gains
        self._axes: list[_Axis] = []
        self._made_for: Modes | None = None

    def command(self, modes: Modes, goal: Four, time_ns: int) -> None:
        """Take a goal: roll, pitch, yaw, throttle, each as its mode says; sideways and ahead for velocities."""
        if self.api_control:
            self._modes, self._goal, self._given_ns, self._holds = modes, goal, time_ns, False

    def hold(self, body: Quadrotor) -> None:
        """Stay where the body is, whoever has control, until somebody says otherwise."""
        north, east, down = body.position_m
        self._modes, self._goal, self._holds, self.took_off = HOLD, (east, north, 0.0, down), True, True

    def enable_api(self, enabled: bool) -> None:
        """Give control to the API or take it away. What is in the air without a goal falls (OffboardApi.hpp)."""
        self.api_control = enabled
        if enabled and not self._holds:
            self._follow_remote()
        elif not enabled:
            self._holds = False

    def arm(self, armed: bool) -> bool:
        """Let the motors idle, or stop them in mid-air too; only with API control."""
        if not self.api_control:
            return False
        if armed != self.armed:
            self.armed, self._holds = armed, False
            self._modes, self._goal = RATES, (0.0, 0.0, 0.0, IDLE_THROTTLE if armed else 0.0)
        return True

    def update(self, body: Quadrotor, time_ns: int, step_s: float, on_ground: bool) -> None:
        """Set the body's motor signals for the next step; on the ground it only lifts."""
        if not self.api_control and not self._holds:
            self._follow_remote()
        elif self.took_off and not self._holds and self.armed and time_ns - self._given_ns > GOAL_TIMEOUT_NS:
            self.hold(body)
        modes, goal = self._modes, self._goal
        if modes != self._made_for:
            self._make_controllers(modes)
        missing, angles = self._missing_mps(body, step_s), body.euler_rad()
        a, b, c, d = (own.output(of, body, missing, angles, step_s) for own, of in zip(self._axes, goal, strict=True))
        if modes != ALL_PASSTHROUGH:
            a, b, c, d = mixed((0.0, 0.0, 0.0, d) if on_ground else (a, b, c, d))
        body.signals = (_share(a), _share(b), _share(c), _share(d))
        if not self.took_off:
            self.took_off = sum(body.signals) / 4 > ARMED_THROTTLE and abs(body.velocity_mps[2]) > 0.01

    def _missing_mps(self, body: Quadrotor, step_s: float) -> Four:
        """Wanted less actual velocity in body axes, by axis of control."""
        sideways, ahead, _, lift = self._axes
        goal, (north, east, down), (vn, ve, vd) = self._goal, body.position_m, body.velocity_mps
        n = ahead.wanted_mps(goal[PITCH], north, step_s) - vn
        e = sideways.wanted_mps(goal[ROLL], east, step_s) - ve
        d = lift.wanted_mps(goal[THROTTLE], down, step_s) - vd
        (xn, yn, zn), (xe, ye, ze), (xd, yd, zd) = body.rows
        return (yn * n + ye * e + yd * d, xn * n + xe * e + xd * d, 0.0, zn * n + ze * e + zd * d)

    def _make_controllers(self, modes: Modes) -> None:
        """New controllers, with nothing integrated, for the axes whose mode is another now (CascadeController.hpp)."""
        kept = {own.axis: own for own in self._axes if own.mode == modes[own.axis]}
        self._axes = [kept.get(axis) or _Axis(axis, mode, self.gains) for axis, mode in enumerate(modes)]
        self._made_for = modes

    def _follow_remote(self) -> None:
        """The sticks as angles or rates of turn and a throttle; without a valid remote control they are centred."""
        sticks = self.remote
        if not self.armed:
            self._modes, self._goal = ANGLES, NO_SIGNAL
        elif not sticks.is_valid:
            self._modes, self._goal = ANGLES, (0.0, 0.0, 0.0, IDLE_THROTTLE)
        else:
            # The first switch asks for rates of turn.
            self._modes = RATES if sticks.switches & 1 else ANGLES
            roll, pitch, yaw, _ = MAX_ANGLES_RAD
            throttle = max(sticks.throttle, IDLE_THROTTLE)
            self._goal = (sticks.roll * roll, -sticks.pitch * pitch, sticks.yaw * yaw, throttle)


def _share(signal: float) -> float:
    return 0.0 if signal < 0 else 1.0 if signal > 1 else signal
