"""A spinning lidar: some lasers above one another that turn and measure all around.

Source: AirSim's LidarSimple.hpp and UE UnrealLidarSensor.cpp. It has no noise.
"""

import math
from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.geometry import attached, product, shifted
from airsim_seg.builtin.rays import Rays
from airsim_seg.builtin.scene import Moment
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.parameters import LOCAL_FRAME, LidarSettings
from airsim_seg.elementary import sines_cosines
from airsim_seg.types import Float32Array, Float64Array, Int32Array, Pose

# AirSim reads this from no settings; a scan is what was measured since the one before.
UPDATE_FREQUENCY_HZ = 10.0
MAX_POINTS = 100_000


@dataclass(frozen=True, eq=False)
class LidarReading:
    """One scan.

    Attributes:
        time_ns: the clock when it was taken; all its points are of that instant.
        points_m: float32 [N,3], laser by laser from the upper to the lower, each clockwise; misses are left out.
        object_index: int32 [N], what each point lies on.
        pose: of the lidar, local NED of the vehicle.
    """

    time_ns: int
    points_m: Float32Array
    object_index: Int32Array
    pose: Pose


class Lidar(Sensor):
    """Ten scans a second, of which only those are cast that somebody reads: 100,000 points a second cost nothing else.

    Unlike AirSim's, its first scan is whole: it has been turning before it was switched on.
    """

    title = "lidar"

    def __init__(self, settings: LidarSettings, carrier: Carrier, name: str) -> None:  # noqa: ARG002
        """See Sensor."""
        super().__init__(Schedule.of(UPDATE_FREQUENCY_HZ))
        self._settings = settings
        self._origin_m = carrier.origin_in_scene_m

    def measure(self, sample: Sample, rays: Rays, moment: Moment) -> LidarReading:
        """Read it; any thread may. See Distance.measure."""
        own = self._settings
        pose = attached(sample.kinematics.pose, own.mount)
        directions = beams(own, sample.number - 1)
        turn, start_m = pose.rotation(), shifted(pose, self._origin_m).position_m
        starts_m = np.broadcast_to(start_m, directions.shape)
        met = rays.cast(starts_m, product(directions, turn.T), own.range_m, moment)
        hit = np.isfinite(met.distance_m)
        points_m = directions[hit] * met.distance_m[hit, None]
        if own.data_frame != LOCAL_FRAME:
            points_m = product(points_m, turn.T) + pose.position_m
        return LidarReading(sample.time_ns, points_m.astype(np.float32), met.object_index[hit], pose)


def beams(settings: LidarSettings, scan: int) -> Float64Array:
    """Directions of one scan, float64 [B,3], forward, right, down of the sensor; laser by laser.

    Args:
        settings: of the lidar.
        scan: counts from 0; each goes on where the one before ended.
    """
    seconds = 1 / UPDATE_FREQUENCY_HZ
    total = min(math.floor(settings.points_per_second * seconds + 0.5), MAX_POINTS)
    each = math.floor(total / settings.number_of_channels + 0.5)
    swept_deg = settings.rotations_per_second * 360.0 * seconds
    turns_deg = np.fmod(scan * swept_deg % 360.0 + np.arange(each) * (swept_deg / max(each, 1)), 360.0)
    start, end = (settings.horizontal_fov_start_deg + 360.0) % 360.0, (settings.horizontal_fov_end_deg + 360.0) % 360.0
    # VectorMath.hpp, isAngleBetweenAngles: a range that ends before it starts goes through 0.
    inside = (start <= turns_deg) & (turns_deg <= end) if start < end else (start <= turns_deg) | (turns_deg <= end)
    heights_deg = np.linspace(
        settings.vertical_fov_upper_deg, settings.vertical_fov_lower_deg, settings.number_of_channels
    )
    (aside, ahead), (up, level) = sines_cosines(turns_deg[inside]), sines_cosines(heights_deg[:, None])
    parts = np.broadcast_arrays(level * ahead, level * aside, -up)
    return np.stack(parts, -1).reshape(-1, 3)
