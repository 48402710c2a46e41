"""The sensors of one vehicle, and the track that they look at."""

from collections.abc import Mapping
from typing import Any, TypeVar

from airsim_seg.builtin.sensors.barometer import Barometer
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.distance import Distance
from airsim_seg.builtin.sensors.gps import Gps
from airsim_seg.builtin.sensors.imu import Imu
from airsim_seg.builtin.sensors.lidar import Lidar
from airsim_seg.builtin.sensors.magnetometer import Magnetometer
from airsim_seg.builtin.sensors.parameters import SensorSettings, SensorType
from airsim_seg.builtin.sensors.track import Past, Track
from airsim_seg.builtin.vehicles.base import Kinematics, Vehicle

# Each takes the settings of its own type, which one type for all cannot say.
SENSORS: Mapping[SensorType, Any] = {
    SensorType.BAROMETER: Barometer,
    SensorType.IMU: Imu,
    SensorType.GPS: Gps,
    SensorType.MAGNETOMETER: Magnetometer,
    SensorType.DISTANCE: Distance,
    SensorType.LIDAR: Lidar,
}
NEVER_NS = 2**63
S = TypeVar("S", bound=Sensor)


class SensorSuite:
    """What a vehicle carries.

    The world calls `arrive` before a run of steps, `step` after each of them and `leave` after the last; a vehicle is
    put somewhere else only between runs. States are kept only of the instants at which some sensor samples.
    """

    def __init__(
        self, vehicle: Vehicle, settings: Mapping[str, SensorSettings], carrier: Carrier, time_ns: int
    ) -> None:
        """Switch them on.

        Args:
            vehicle: at its start.
            settings: of what is enabled, by name.
            carrier: the same vehicle, as sensors see it.
            time_ns: the clock.
        """
        self._vehicle = vehicle
        self.sensors: dict[str, Sensor] = {
            name: SENSORS[own.type](own, carrier, name) for name, own in sorted(settings.items())
        }
        self._schedules: set[Schedule] = {s.schedule for s in self.sensors.values() if not isinstance(s, Imu)}
        horizon_ns = max((schedule.horizon_ns for schedule in self._schedules), default=0)
        self.track = Track(horizon_ns, time_ns, vehicle.kinematics)
        self.restart(time_ns)

    def find(self, kind: type[S], name: str) -> S | None:
        """The sensor of a kind and a name; "" is the first by name (VehicleApiBase.hpp, findSensorByName)."""
        found = (s for key, s in self.sensors.items() if isinstance(s, kind) and name in ("", key))
        return next(found, None)

    def sample(self, sensor: Sensor, time_ns: int) -> Sample:
        """What one of them measures from, now."""
        self.arrive(time_ns)
        self.track.now = Past(time_ns, self._vehicle.kinematics)
        return sensor.sample(self.track, time_ns)

    def restart(self, time_ns: int) -> None:
        """Switch everything off and on, as AirSim's reset does: noise begins again, too."""
        self.leave()
        self.track.restart(time_ns, self._left)
        self._wait(time_ns)

    def arrive(self, time_ns: int) -> None:
        """See whether the vehicle was put somewhere since the last step."""
        if self.sensors and self._vehicle.kinematics is not self._left:
            self.leave()
            self.track.jump(time_ns, self._left)

    def step(self, time_ns: int) -> None:
        """A step is over."""
        if time_ns >= self._due_ns:
            self.track.append(time_ns, self._vehicle.kinematics)
            self._wait(time_ns)

    def leave(self) -> None:
        """The last step of a run is over: whatever is different when it comes back was done by hand."""
        self._left: Kinematics = self._vehicle.kinematics

    def _wait(self, time_ns: int) -> None:
        """Until the next instant that is sampled."""
        start_ns = self.track.start_ns
        due_ns = (start_ns + schedule.next_ns(time_ns - start_ns) for schedule in self._schedules)
        self._due_ns = min(due_ns, default=NEVER_NS)
