"""AirSim's car: its controls, and the drive train of its PhysX vehicle; chassis.py holds where it is.

Sources: AirSim's CarPawn.cpp and CarWheelFront/Rear.cpp (steering angle and curve, handbrake behind), PhysX 3.4 and the
defaults of Unreal's WheeledVehicleMovementComponent (mass, brakes, drag, how fast inputs follow); cornering has a limit
of grip. There is no sliding.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from airsim_seg import elementary
from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.geometry import product
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.base import Kinematics, Vehicle
from airsim_seg.builtin.vehicles.bump import MASS_KG, give_way
from airsim_seg.builtin.vehicles.chassis import WHEELBASE_M, Chassis
from airsim_seg.builtin.vehicles.hulls import car_hull
from airsim_seg.builtin.vehicles.powertrain import Powertrain
from airsim_seg.builtin.vehicles.quadrotor import GRAVITY_MPS2, SEA_LEVEL_KGPM3, Rows, Vector, rows_of
from airsim_seg.types import Float64Array, Pose

WHEEL_RADIUS_M, _WHEEL_KG, _WHEEL_DAMPING = 0.3, 20.0, 0.25
# Chassis 1.8 m by 1.4 m, drag coefficient 0.3.
_DRAG_KGPM = 0.5 * SEA_LEVEL_KGPM3 * 0.3 * 1.8 * 1.4
# Four wheels brake with 1500 N m each, the two behind hold with 3000 N m each. Dry asphalt carries a car's weight.
_BRAKE_NM, _HANDBRAKE_NM, _GRIP = 4 * 1500.0, 2 * 3000.0, 1.0
# Steering angle of the wheels, and the shares of it at rest and at speeds in km/h.
MAX_STEER_RAD = math.radians(40)
_STEER_KMPH, _STEER_SHARE = (40.0, 120.0), (1.0, 0.7, 0.6)
# Inputs follow at so many full strokes a second, rising and falling.
_PEDAL_RATES, _STEER_RATES = (6.0, 10.0), (2.5, 5.0)
# In a corner two walls push in turn.
_MOST_PUSHES = 6
# Slower than this without throttle, the tyres stick: a parked car stays.
_STICK_MPS = 0.05
_GRIP_NM = _GRIP * MASS_KG * GRAVITY_MPS2 * WHEEL_RADIUS_M
# The car's mass and four discs, as the wheels' axle feels them.
_ROLLING_KGM2 = MASS_KG * WHEEL_RADIUS_M**2 + 4 * _WHEEL_KG * WHEEL_RADIUS_M**2 / 2


@dataclass(frozen=True)
class CarControls:
    """The pedals and the wheel, named and ranged as AirSim's CarControls."""

    throttle: float = 0.0
    steering: float = 0.0
    brake: float = 0.0
    handbrake: bool = False
    is_manual_gear: bool = False
    manual_gear: int = 0
    gear_immediate: bool = True


class Car(Vehicle):
    """Drives as its controls say; they hold until changed."""

    hull = car_hull()
    is_traced_on_its_way = False

    def __init__(self, name: str, origin_m: Float64Array, start: Pose, cameras: Mapping[str, Camera], ground: Terrain):
        """See Vehicle; it stands on the ground at the start."""
        super().__init__(name, origin_m, start, cameras, ground)
        self.api_control = False
        self.controls = CarControls()
        self._halt(start)
        self._chassis.stand(self._chassis.north_m, self._chassis.east_m)
        self._chassis.orientation = self._chassis.turn()
        self._kinematics = None
        self._start = self.kinematics.pose

    def _halt(self, pose: Pose) -> None:
        """Be there at rest with a still engine, wheels not yet on the ground."""
        self._kinematics = Kinematics(pose)
        self.powertrain = Powertrain()
        self.speed_mps = 0.0
        self._throttle = self._brake = self._steer = 0.0
        self._chassis = Chassis(pose, self.ground_down_m)
        if self._feeler is not None:
            self._feeler.forget()

    def enable_api(self, enabled: bool) -> None:
        """Give the controls to the API or take them; a change lets go of them (CarPawnApi.cpp)."""
        if enabled != self.api_control:
            self.api_control = enabled
            self._take(CarControls())

    def set_controls(self, controls: CarControls) -> None:
        """Take new controls; without API control they are ignored."""
        if self.api_control:
            self._take(controls)

    def _take(self, controls: CarControls) -> None:
        """Leaving manual gears leaves reverse, for neutral (CarPawnApi.cpp)."""
        self.controls = controls
        if controls.is_manual_gear and controls.manual_gear != self.powertrain.target:
            self.powertrain.select(controls.manual_gear, at_once=controls.gear_immediate)
        elif not controls.is_manual_gear and self.powertrain.target < 0:
            self.powertrain.select(0, at_once=True)

    def reset(self) -> None:
        """Back to the start with the controls let go; API control survives, as in AirSim's PhysXCarApi."""
        self.controls = CarControls()
        self._forget_touches()
        self._halt(self._start)

    def place(self, pose: Pose) -> None:
        """Stand there; the pose is kept as given until the next step puts the wheels on the ground."""
        self._halt(pose)

    def set_kinematics(self, state: Kinematics) -> None:
        """See Vehicle; of the motion, the speed along its nose stays."""
        self._halt(state.pose)
        self._kinematics = state
        self.speed_mps = float(product(state.pose.rotation().T[:1], state.linear_velocity_mps)[0])

    def step(self, time_ns: int, step_s: float) -> None:
        """Roll on. See Vehicle.step."""
        super().step(time_ns, step_s)
        self._follow_inputs(step_s)
        before_mps, self.speed_mps = self.speed_mps, self._next_speed(step_s)
        chassis = self._chassis
        still = self.speed_mps == 0 and before_mps == 0 and chassis.is_on_wheels
        if still and (self._feeler is None or self._feeler.is_free(0.0, step_s) or not self._make_way(step_s)):
            if chassis.stop():
                self._kinematics = Kinematics(self.kinematics.pose)
            return
        curvature = elementary.tan(self.steering_rad()) / WHEELBASE_M
        grip = _GRIP * GRAVITY_MPS2 / max(self.speed_mps**2, 1e-9)
        turned_rad = self.speed_mps * max(-grip, min(grip, curvature)) * step_s
        # The middle of the turn is the direction of the chord: exact for a circle.
        course, way_m = chassis.yaw_rad + turned_rad / 2, self.speed_mps * step_s
        chassis.yaw_rad += turned_rad
        chassis.stand(chassis.north_m + way_m * elementary.cos(course), chassis.east_m + way_m * elementary.sin(course))
        if self._feeler is not None and not self._feeler.is_free(
            abs(way_m) + self.hull.reach_m * abs(turned_rad), step_s
        ):
            self._make_way(step_s)
        chassis.move(self.speed_mps, step_s)
        self._kinematics = None

    def _make_way(self, step_s: float) -> bool:
        """Get out of what it has run into: pushed and turned as bump.give_way says, and as much slower as that takes.

        Returns:
            Whether it was in the way of anything.
        """
        chassis = self._chassis
        (start_north, start_east, _), was_free = chassis.position_m, True
        for _ in range(_MOST_PUSHES):
            touch = self._touched(chassis.position_m, rows_of(chassis.turn()))
            push = None if touch is None or self.passes_through else give_way(touch, chassis.position_m[:2])
            if push is None:
                break
            was_free = False
            north, east, turned_rad = push
            chassis.yaw_rad += turned_rad
            chassis.stand(chassis.north_m + north, chassis.east_m + east)
        cos, sin = elementary.cos(chassis.yaw_rad), elementary.sin(chassis.yaw_rad)
        pushed_m = (chassis.north_m - start_north) * cos + (chassis.east_m - start_east) * sin
        # What pushes against its way takes speed from it; nothing makes it faster.
        if pushed_m * self.speed_mps < 0:
            left = max(0.0, abs(self.speed_mps) - abs(pushed_m) / step_s)
            self.speed_mps = math.copysign(left, self.speed_mps)
        return not was_free

    def in_scene(self) -> Vector:
        """See Vehicle."""
        (north, east, down), (on, oe, od) = self._chassis.position_m, self._offset_m
        return (north + on, east + oe, down + od)

    def turned(self) -> Rows:
        """See Vehicle."""
        return rows_of(self._chassis.orientation)

    def going_mps(self) -> Vector:
        """See Vehicle."""
        return self._chassis.velocity_mps

    def _follow_inputs(self, step_s: float) -> None:
        controls = self.controls
        # The sign of the throttle means nothing to Unreal's vehicle: the gear says where to.
        self._throttle = _followed(self._throttle, min(1.0, abs(controls.throttle)), _PEDAL_RATES, step_s)
        self._brake = _followed(self._brake, min(1.0, abs(controls.brake)), _PEDAL_RATES, step_s)
        self._steer = _followed(self._steer, max(-1.0, min(1.0, controls.steering)), _STEER_RATES, step_s)

    def steering_rad(self) -> float:
        """Angle of the front wheels, to the right; less at speed."""
        kmph, (low, high) = abs(self.speed_mps) * 3.6, _STEER_KMPH
        slow, middle, fast = _STEER_SHARE
        if kmph < low:
            share = slow + (middle - slow) * kmph / low
        else:
            share = middle + (fast - middle) * min(1.0, (kmph - low) / (high - low))
        return MAX_STEER_RAD * self._steer * share

    def _next_speed(self, step_s: float) -> float:
        """Engine, air, slope, rolling and brakes."""
        self.powertrain.shift(not self.controls.is_manual_gear, step_s)
        speed = self.speed_mps
        if self._throttle == 0 and abs(speed) < _STICK_MPS:
            self.powertrain.wheel_radps(0.0, 0.0, _ROLLING_KGM2, 0.0, _GRIP_NM, step_s)
            return 0.0
        wheel = speed / WHEEL_RADIUS_M
        load = _DRAG_KGPM * speed * abs(speed) * WHEEL_RADIUS_M + 4 * _WHEEL_DAMPING * wheel
        load += MASS_KG * GRAVITY_MPS2 * elementary.sin(self._chassis.pitch_rad) * WHEEL_RADIUS_M
        wheel = self.powertrain.wheel_radps(self._throttle, wheel, _ROLLING_KGM2, load, _GRIP_NM, step_s)
        brake_nm = min(self._brake * _BRAKE_NM, _GRIP_NM)
        if self.controls.handbrake:
            brake_nm = min(brake_nm + min(_HANDBRAKE_NM, _GRIP_NM / 2), _GRIP_NM)
        # Brakes stop a car and never push it back.
        wheel = math.copysign(max(0.0, abs(wheel) - brake_nm / _ROLLING_KGM2 * step_s), wheel)
        return wheel * WHEEL_RADIUS_M

    def _observed(self) -> Kinematics:
        return self._chassis.kinematics()


def _followed(now: float, wanted: float, rates: tuple[float, float], step_s: float) -> float:
    """An input on its way to what is wanted: quicker back towards nothing than away from it."""
    most = rates[1 if abs(wanted) < abs(now) else 0] * step_s
    return now + max(-most, min(most, wanted - now))
