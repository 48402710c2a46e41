"""How a vehicle of settings.json, or of simAddVehicle, comes into the world: where it starts and what it carries."""

from collections.abc import Callable, Mapping

import numpy as np

from airsim_seg.builtin.cameras import rig
from airsim_seg.builtin.feeler import Feeler
from airsim_seg.builtin.geometry import attached, yaw_of
from airsim_seg.builtin.obstacles import Obstacles
from airsim_seg.builtin.scene import Scene, Wind
from airsim_seg.builtin.sensor_settings import default_sensors
from airsim_seg.builtin.sensors.base import Carrier
from airsim_seg.builtin.sensors.suite import SensorSuite
from airsim_seg.builtin.settings import Settings, SimMode, VehicleSettings
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.builtin.vehicles.camera import FlyingCamera
from airsim_seg.builtin.vehicles.car import Car
from airsim_seg.builtin.vehicles.ground import RememberedGround
from airsim_seg.builtin.vehicles.multirotor import Multirotor
from airsim_seg.types import Float64Array, Pose

# How far a part of a vehicle can get by turning alone: a tumbling drone's rotors, the nose of a car on a crest.
SLACK_M: dict[SimMode, float] = {"Multirotor": 0.5, "Car": 0.3}
KINDS: dict[SimMode, type[Vehicle]] = {"Multirotor": Multirotor, "Car": Car, "ComputerVision": FlyingCamera}


class Spawner:
    """Makes the vehicles of one world."""

    def __init__(
        self,
        scene: Scene,
        settings: Settings,
        obstacles: Obstacles | None,
        others: Callable[[], Mapping[str, Vehicle]],
    ) -> None:
        """Take what vehicles are made for.

        Args:
            scene: the world.
            settings: its mode, its cameras and where on the Earth it lies.
            obstacles: what vehicles run into; None lets them through everything.
            others: all vehicles that there are when it is called, by name.
        """
        self._scene, self._settings, self._obstacles, self._others = scene, settings, obstacles, others
        self._ground = RememberedGround(scene.ground_down_m)

    def vehicle(self, name: str, own: VehicleSettings, now_ns: int, wind_mps: Wind) -> Vehicle:
        """A vehicle at its start.

        Args:
            name: of it.
            own: what is said about it.
            now_ns: the world's clock.
            wind_mps: (north, east, down).
        """
        mode = self._settings.mode
        cameras = rig(mode, self._settings.camera_defaults, own.cameras)
        vehicle = KINDS[mode](name, own.start.position_m, self._start(own), cameras, self._ground_down_m)
        vehicle.home, vehicle.passes_through = self._settings.world.home, own.passes_through
        if isinstance(vehicle, Multirotor):
            vehicle.pilot.armed = vehicle.pilot.armed_at_start = own.armed
        vehicle.time_ns, vehicle.wind_mps = now_ns, wind_mps
        if self._obstacles is not None and vehicle.hull is not None and own.collides:
            north, east, down = self._in_scene(own.start.position_m).tolist()
            feeler = Feeler(self._obstacles, vehicle.hull, self._ground, self._others, name, SLACK_M[mode])
            vehicle.meet(feeler, (north, east, down))
            vehicle.passes_through = own.passes_through
        return vehicle

    def sensors(self, vehicle: Vehicle, own: VehicleSettings, now_ns: int) -> SensorSuite:
        """What a vehicle measures with: the sensors that are named for it, or AirSim's of its kind."""
        sensors = default_sensors(self._settings.mode) if own.sensors is None else own.sensors
        seed = f"{self._scene.seed}/{vehicle.name}"
        carrier = Carrier(vehicle.origin_m, self._in_scene(vehicle.origin_m), seed, self._settings.world.home)
        return SensorSuite(vehicle, sensors, carrier, now_ns)

    def _start(self, own: VehicleSettings) -> Pose:
        heading = 0.0 if own.world_heading else yaw_of(self._scene.player_start)
        if self._settings.mode != "ComputerVision":  # they stand on the ground
            return Pose.from_euler(np.zeros(3), yaw_rad=heading + yaw_of(own.start))
        turned = Pose(np.zeros(3), own.start.orientation_wxyz)
        return attached(Pose.from_euler(np.zeros(3), yaw_rad=heading), turned)

    def _ground_down_m(self, north_m: float, east_m: float) -> float:
        """The ground under a place, both in the API's world NED."""
        north, east, down = (float(v) for v in self._scene.player_start.position_m)
        return self._scene.ground_down_m(north_m + north, east_m + east) - down

    def _in_scene(self, place_m: Float64Array) -> Float64Array:
        """A place of the API's world NED in the scene's."""
        return place_m + self._scene.player_start.position_m
