"""The RPCs that read sensors (RpcLibServerBase.cpp; the maps are RpcLibAdaptorsBase.hpp's).

Rays are cast in another thread, from a sample frozen before, so that a lidar's scan holds up no other call.
"""

import asyncio
from typing import TypeVar

import msgpack

from airsim_seg.builtin import wire
from airsim_seg.builtin.api import Methods, method, no_such_vehicle, sim_vehicle
from airsim_seg.builtin.arguments import ApiError, pose_map, quaternion_map, text, vector_map
from airsim_seg.builtin.sensors.barometer import Barometer
from airsim_seg.builtin.sensors.base import Sample, Sensor
from airsim_seg.builtin.sensors.distance import Distance
from airsim_seg.builtin.sensors.gps import Gps
from airsim_seg.builtin.sensors.imu import Imu
from airsim_seg.builtin.sensors.lidar import Lidar, LidarReading
from airsim_seg.builtin.sensors.magnetometer import Magnetometer
from airsim_seg.builtin.world import World

S = TypeVar("S", bound=Sensor)


def sensor_methods(world: World) -> Methods:
    """One RPC a type of sensor: the sensor's name, then the vehicle's; "" is the first."""
    api = _SensorApi(world)
    named = (text, text)
    return {
        "getImuData": method(api.imu, *named),
        "getBarometerData": method(api.barometer, *named),
        "getMagnetometerData": method(api.magnetometer, *named),
        "getGpsData": method(api.gps, *named),
        "getDistanceSensorData": method(api.distance, *named),
        "getLidarData": method(api.lidar, *named),
    }


class _SensorApi:
    """Finds sensors and writes down what they read."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._scans: dict[Lidar, tuple[object, LidarReading]] = {}

    def _sample(self, kind: type[S], name: str, vehicle_name: str) -> tuple[S, Sample]:
        """A sensor and what it measures from.

        Raises:
            ApiError: there is no such sensor, no such vehicle, or it is a flying camera without any sensor: that has
                no vehicle API in AirSim.
        """
        world, vehicle = self._world, self._world.vehicle(vehicle_name)
        if vehicle is None or (world.mode == "ComputerVision" and not world.sensors[vehicle.name].sensors):
            raise no_such_vehicle("Vehicle API", vehicle_name)
        suite = world.sensors[vehicle.name]
        sensor = suite.find(kind, name)
        if sensor is None:
            raise ApiError(f"No {kind.title} with name {name} exist on vehicle")
        return sensor, suite.sample(sensor, world.now_ns)

    def imu(self, name: str, vehicle_name: str) -> dict[str, object]:
        """An ImuData."""
        sensor, sample = self._sample(Imu, name, vehicle_name)
        reading = sensor.measure(sample)
        return {
            "time_stamp": reading.time_ns,
            "orientation": quaternion_map(reading.orientation_wxyz),
            "angular_velocity": vector_map(reading.angular_velocity_radps),
            "linear_acceleration": vector_map(reading.linear_acceleration_mps2),
        }

    def barometer(self, name: str, vehicle_name: str) -> dict[str, object]:
        """A BarometerData."""
        sensor, sample = self._sample(Barometer, name, vehicle_name)
        reading = sensor.measure(sample)
        return {
            "time_stamp": reading.time_ns,
            "altitude": reading.altitude_m,
            "pressure": reading.pressure_pa,
            "qnh": reading.qnh_hpa,
        }

    def magnetometer(self, name: str, vehicle_name: str) -> dict[str, object]:
        """A MagnetometerData; AirSim fills no covariance in."""
        sensor, sample = self._sample(Magnetometer, name, vehicle_name)
        reading = sensor.measure(sample)
        return {
            "time_stamp": reading.time_ns,
            "magnetic_field_body": vector_map(reading.field_gauss),
            "magnetic_field_covariance": [],
        }

    def gps(self, name: str, vehicle_name: str) -> dict[str, object]:
        """A GpsData."""
        sensor, sample = self._sample(Gps, name, vehicle_name)
        reading = sensor.measure(sample)
        return {
            "time_stamp": reading.time_ns,
            "gnss": {
                "geo_point": reading.geo_point,
                "eph": reading.eph,
                "epv": reading.epv,
                "velocity": vector_map(reading.velocity_mps),
                "fix_type": reading.fix_type,
                "time_utc": reading.time_ns // 1000,
            },
            "is_valid": reading.is_valid,
        }

    async def distance(self, name: str, vehicle_name: str) -> dict[str, object]:
        """A DistanceSensorData."""
        sensor, sample = self._sample(Distance, name, vehicle_name)
        around = self._world.arrangement(sample.time_ns, sim_vehicle(self._world, vehicle_name).name)
        reading = await asyncio.to_thread(sensor.measure, sample, self._world.rays, around)
        return {
            "time_stamp": reading.time_ns,
            "distance": reading.distance_m,
            "min_distance": sensor.settings.min_distance_m,
            "max_distance": sensor.settings.max_distance_m,
            "relative_pose": pose_map(sensor.settings.mount),
        }

    async def lidar(self, name: str, vehicle_name: str) -> dict[str, object]:
        """A LidarData: the last scan, which is cast when it is first asked for. Ids are those that objects have now."""
        sensor, sample = self._sample(Lidar, name, vehicle_name)
        ids = self._world.objects.table()
        seen = (sample.number, sample.kinematics, self._world.objects.moment())
        known, reading = self._scans.get(sensor, (None, None))
        if reading is None or known != seen:
            around = self._world.arrangement(sample.time_ns, sim_vehicle(self._world, vehicle_name).name)
            reading = await asyncio.to_thread(sensor.measure, sample, self._world.rays, around)
            self._scans[sensor] = (seen, reading)
        return {
            "time_stamp": reading.time_ns,
            "point_cloud": wire.float_array(reading.points_m),
            "pose": pose_map(reading.pose),
            # A list of thousands goes out in one piece; the reply's own packing takes a microsecond an element.
            "segmentation": wire.Encoded((msgpack.packb(ids[reading.object_index].tolist()),)),
        }
