"""The multirotor: AirSim's quadrotor under SimpleFlight, the ground below it, one task at a time.

The ground holds what stands on it until the rotors lift more than the weight (FastPhysicsEngine.hpp, ground lock).
"""

import asyncio
from collections.abc import Mapping

import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.contacts import Contact
from airsim_seg.builtin.geometry import yaw_of
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.base import Collision, Kinematics, Vehicle
from airsim_seg.builtin.vehicles.errand import Errand, Task
from airsim_seg.builtin.vehicles.ground import REST_HEIGHT_M, Footing, Touch
from airsim_seg.builtin.vehicles.hulls import drone_hull
from airsim_seg.builtin.vehicles.quadrotor import (
    GRAVITY_MPS2,
    MASS_KG,
    NOTHING,
    SEA_LEVEL_KGPM3,
    Quadrotor,
    Quaternion,
    Rows,
    Vector,
)
from airsim_seg.builtin.vehicles.rebound import along, rebound
from airsim_seg.builtin.vehicles.simple_flight import SimpleFlight
from airsim_seg.types import Float64Array, Pose

# A step is looked at in so many places at most; above 2 km/s things can be flown through.
_MOST_PIECES = 64


class Multirotor(Vehicle):
    """Flies one task at a time and holds its place between tasks.

    Attributes:
        body: local NED.
        pilot: who sets its motors.
        grounded: whether the ground holds it, or what it has landed on.
    """

    hull = drone_hull()

    def __init__(self, name: str, origin_m: Float64Array, start: Pose, cameras: Mapping[str, Camera], ground: Terrain):
        """See Vehicle; it stands on the ground at the start."""
        super().__init__(name, origin_m, start, cameras, ground)
        self.pilot = SimpleFlight()
        self._errand = Errand()
        self._footing = Footing(self.ground_down_m)
        self._settle()

    def _settle(self) -> None:
        """Stand at the start with still rotors."""
        north, east, _ = (float(v) for v in self._start.position_m)
        half = yaw_of(self._start) / 2
        place = (north, east, self._footing.floor_m(north, east))
        self.body = Quadrotor(place, (elementary.cos(half), 0.0, 0.0, elementary.sin(half)))
        self._footing.forget()
        self.grounded = True
        self._kinematics = None

    def fly(self, task: Task) -> asyncio.Future[bool]:
        """Start a task in place of the one that runs; see Errand.begin.

        Without API control or disarmed it is False at once (real AirSim lets the time run out).
        """
        if not (self.pilot.api_control and self.pilot.armed):
            refused: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
            refused.set_result(False)
            return refused
        return self._errand.begin(task, self.time_ns)

    def cancel(self) -> None:
        """End the running task with False; the pilot then holds the place (its goal is too old after 60 ms)."""
        self._errand.cancel()

    def enable_api(self, enabled: bool) -> None:
        """Hand control to the API or take it; taking it ends the running task."""
        self.pilot.enable_api(enabled)
        if not enabled:
            self.cancel()

    def arm(self, armed: bool) -> bool:
        """Arm or disarm. In the air, disarming lets it fall; without API control it is refused (OffboardApi.hpp)."""
        if not self.pilot.arm(armed):
            return False
        if not armed:
            self.cancel()
        return True

    @property
    def api_control(self) -> bool:
        """Whether the API flies it."""
        return self.pilot.api_control

    @property
    def landed(self) -> bool:
        """Whether it stands on the ground; AirSim sees a landing only once the motors are below 10 %."""
        return self.grounded or not self.pilot.took_off

    def reset(self) -> None:
        """Back to the start: task cancelled, armed, API control dropped (OffboardApi.hpp)."""
        self.cancel()
        self.pilot.reset()
        self._forget_touches()
        self._settle()

    def place(self, pose: Pose) -> None:
        """Be there at once, also while paused (real AirSim: at the next step), and hover there; a task goes on."""
        self.set_kinematics(Kinematics(pose))
        if not self._errand.is_on and self.pilot.armed and not self._on_floor():
            self.pilot.hold(self.body)

    def set_kinematics(self, state: Kinematics) -> None:
        """See Vehicle; the rotors turn on as they did."""
        body = self.body
        body.place(_vector(state.pose.position_m), _quaternion(state.pose.orientation_wxyz))
        body.velocity_mps, body.rate_radps = _vector(state.linear_velocity_mps), _vector(state.angular_velocity_radps)
        body.acceleration_mps2 = _vector(state.linear_acceleration_mps2)
        body.angular_acceleration_radps2 = _vector(state.angular_acceleration_radps2)
        self.grounded = False
        self._kinematics = state
        self._footing.forget()
        if self._feeler is not None:
            self._feeler.forget()

    def _on_floor(self) -> bool:
        north, east, down = self.body.position_m
        return down >= self._footing.floor_m(north, east) - 1e-6

    def step(self, time_ns: int, step_s: float) -> None:
        """Fly on. See Vehicle.step."""
        super().step(time_ns, step_s)
        body = self.body
        if self.grounded:
            thrust_n = sum(body.thrusts_n)
            body.spin_rotors(step_s)
            if thrust_n * self.air_kgpm3() / SEA_LEVEL_KGPM3 >= MASS_KG * GRAVITY_MPS2:
                self.grounded = False
            elif body.acceleration_mps2 != NOTHING:
                body.stop()
                self._kinematics = None
            self._meet_others(body.position_m, step_s)
        else:
            before_m = body.position_m
            body.step(step_s, self.air_kgpm3(), self.wind_mps)
            self._kinematics = None
            self._meet_ground()
            self._meet_others(before_m, step_s)
        self.pilot.update(body, time_ns, step_s, self.grounded)
        self._errand.go_on(time_ns)

    def _meet_ground(self) -> None:
        touch = self._footing.meet(self.body)
        if touch is Touch.NONE:
            return
        north, east, down = self.body.position_m
        point = np.array([north, east, down + REST_HEIGHT_M])
        normal = np.array(self._footing.normal(north, east))
        on, oe, od = self._offset_m
        whose = -1 if self._feeler is None else self._feeler.ground_at((north + on, east + oe, float(point[2]) + od))
        self.collide(Collision(self.time_ns, np.array([north, east, down]), point, normal, object_index=whose))
        if touch is Touch.STAND:
            self.grounded, self.pilot.took_off = True, False

    def _meet_others(self, before_m: Vector, step_s: float) -> None:
        """Come off what it has run into; of a long step, off the first that lies on its way."""
        if self._feeler is None:
            return
        body, hull = self.body, self.hull
        way = along(body.position_m, before_m, -1.0)
        travel_m = abs(way[0]) + abs(way[1]) + abs(way[2])
        if self._feeler.is_free(travel_m, step_s):
            return
        pieces = min(_MOST_PIECES, 1 + int(travel_m / hull.smallest_m))
        for piece in range(1, pieces + 1):
            if piece > 1 and self._feeler.is_free(travel_m / pieces, 0.0):
                continue
            place = body.position_m if piece == pieces else along(before_m, way, piece / pieces)
            touch = self._touched(place, body.rows)
            if touch is not None:
                if self.passes_through:
                    return
                body.position_m = place
                self._come_off(touch, step_s)
                return

    def _come_off(self, touch: Contact, step_s: float) -> None:
        self._kinematics = None
        outcome = rebound(self.body, touch, step_s)
        self._footing.forget()
        if outcome is Touch.STAND:
            self.grounded, self.pilot.took_off = True, False
        else:  # what has pushed it may have lifted it
            self.grounded = False

    def in_scene(self) -> Vector:
        """See Vehicle."""
        return along(self._offset_m, self.body.position_m, 1.0)

    def turned(self) -> Rows:
        """See Vehicle."""
        return self.body.rows

    def going_mps(self) -> Vector:
        """See Vehicle."""
        return self.body.velocity_mps

    def air_kgpm3(self) -> float:
        """Density of the standard atmosphere at its height (ISO 2533, below 11 km; as AirSim's EarthUtils.hpp)."""
        lapse = 1 - 0.0065 / 288.15 * (self.home.altitude_m - float(self.origin_m[2]) - self.body.position_m[2])
        return SEA_LEVEL_KGPM3 * elementary.power(max(0.0, lapse), 4.25588)

    def _observed(self) -> Kinematics:
        body = self.body
        return Kinematics(
            Pose(np.array(body.position_m), np.array(body.orientation_wxyz)),
            np.array(body.velocity_mps),
            np.array(body.rate_radps),
            np.array(body.acceleration_mps2),
            np.array(body.angular_acceleration_radps2),
        )


def _vector(of: Float64Array) -> Vector:
    x, y, z = of
    return (float(x), float(y), float(z))


def _quaternion(of: Float64Array) -> Quaternion:
    w, x, y, z = of
    return (float(w), float(x), float(y), float(z))
