"""The part of AirSim's settings.json that the built-in simulator understands; everything else in it is ignored.

SimMode, ApiServerPort, CameraDefaults.CaptureSettings, and of each of Vehicles: X, Y, Z, Yaw, IsFpvVehicle and
Cameras (X, Y, Z, Roll, Pitch, Yaw, CaptureSettings). Sensors are read in sensor_settings.py, Recording in
recording_settings.py. Source: AirSim docs/settings.md and AirSimSettings.hpp. Two defaults differ: pictures are 640x480
(AirSim: 256x144) and the mode is Multirotor where the file names none (AirSim asks).
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast, get_args

from airsim_seg.builtin.recording_settings import RecordingSettings, read_recording
from airsim_seg.builtin.sensor_settings import SensorReader, default_sensors
from airsim_seg.builtin.sensors.parameters import SensorSettings
from airsim_seg.errors import CorruptFile, MissingData
from airsim_seg.types import Pose

SimMode = Literal["Multirotor", "Car", "ComputerVision"]
DEFAULT_PORT = 41451
DEFAULT_VEHICLES: Mapping[SimMode, str] = {
    "Multirotor": "SimpleFlight",
    "Car": "PhysXCar",
    "ComputerVision": "ComputerVision",
}
# What the renderer can draw.
MAX_SIDE_PX = 8192
MIN_FOV_DEG, MAX_FOV_DEG = 1.0, 170.0
NUM_IMAGE_TYPES = 10


@dataclass(frozen=True)
class CaptureSettings:
    """How one image type is taken: (height, width) in pixels and the horizontal field of view in degrees."""

    size_hw: tuple[int, int] = (480, 640)
    fov_deg: float = 90.0


@dataclass(frozen=True, eq=False)
class CameraSettings:
    """A camera of one's own: where it sits on the body (metres) and its captures by image type."""

    mount: Pose
    captures: Mapping[int, CaptureSettings]


@dataclass(frozen=True, eq=False)
class VehicleSettings:
    """What is said about a vehicle.

    Attributes:
        start: where it starts, relative to the player start: API world NED, metres.
        cameras: beside the built-in ones.
        sensors: the enabled ones by name; None are those that the mode has by default.
        is_fpv: whether it is meant where a call names no vehicle.
    """

    start: Pose = field(default_factory=lambda: Pose.from_euler((0.0, 0.0, 0.0)))
    cameras: Mapping[str, CameraSettings] = field(default_factory=dict)
    sensors: Mapping[str, SensorSettings] | None = None
    is_fpv: bool = False


@dataclass(frozen=True, eq=False)
class Settings:
    """What the built-in simulator takes from settings.json.

    Attributes:
        mode: the kind of every vehicle.
        vehicles: by name.
        captures: CameraDefaults, by image type.
        port: of the RPC.
        text: the file as it stands, a JSON object.
        recording: what startRecording records.
    """

    mode: SimMode = "Multirotor"
    vehicles: Mapping[str, VehicleSettings] = field(default_factory=dict)
    captures: Mapping[int, CaptureSettings] = field(default_factory=dict)
    port: int = DEFAULT_PORT
    text: str = "{}"
    recording: RecordingSettings = field(default_factory=RecordingSettings)


def default_settings(mode: SimMode) -> Settings:
    """The settings of AirSim without a file: one vehicle under AirSim's own name for it."""
    written = json.dumps({"SettingsVersion": 1.2, "SimMode": mode})
    return Settings(mode, {DEFAULT_VEHICLES[mode]: VehicleSettings()}, text=written)


def load_settings(path: Path, mode: SimMode | None = None) -> Settings:
    """Read a settings.json.

    Args:
        path: the file.
        mode: the kind of vehicle, whatever the file says; None believes the file.

    Raises:
        MissingData: there is no such file. Check the path.
        CorruptFile: not JSON, or a value that cannot be meant. The message names it; mend the file.
    """
    try:
        written = path.read_text(encoding="utf-8")
        return _Reader(path).settings(written, mode)
    except (FileNotFoundError, IsADirectoryError) as error:
        raise MissingData(f"{path} is not there or is no file: give the path of a settings.json.") from error
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CorruptFile(f"{path} is not JSON ({error}): mend it; comments are not allowed.") from error


class _Reader:
    """Reads one file, so that every complaint can name it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def settings(self, written: str, mode: SimMode | None) -> Settings:
        """Read the whole text; `mode`, where given, wins over the file's SimMode."""
        root = self._table(json.loads(written), "the file")
        if mode is None:
            named = root.get("SimMode") or "Multirotor"
            if named not in get_args(SimMode):
                raise self._bad("SimMode", named, f"one of {', '.join(get_args(SimMode))}")
            mode = cast(SimMode, named)
        reader, sensors = SensorReader(mode, self._bad), default_sensors(mode)
        if root.get("DefaultSensors") is not None:
            sensors = reader.read(root["DefaultSensors"], "DefaultSensors", {})
        vehicles = {
            name: self._vehicle(entry, f"Vehicles.{name}", reader, sensors)
            for name, entry in self._table(root.get("Vehicles"), "Vehicles").items()
        }
        vehicles = vehicles or {DEFAULT_VEHICLES[mode]: VehicleSettings(sensors=sensors)}
        defaults = self._table(root.get("CameraDefaults"), "CameraDefaults")
        return Settings(
            mode,
            vehicles,
            self._captures(defaults, "CameraDefaults"),
            int(self._number(root, "ApiServerPort", "", DEFAULT_PORT, 0, 65535)),
            written,
            read_recording(self._table(root.get("Recording"), "Recording"), min(vehicles), self._bad),
        )

    def _vehicle(
        self, entry: object, where: str, reader: SensorReader, sensors: Mapping[str, SensorSettings]
    ) -> VehicleSettings:
        table = self._table(entry, where)
        cameras = {
            name: CameraSettings(
                self._pose(self._table(camera, f"{where}.Cameras.{name}"), f"{where}.Cameras.{name}"),
                self._captures(self._table(camera, name), f"{where}.Cameras.{name}"),
            )
            for name, camera in self._table(table.get("Cameras"), f"{where}.Cameras").items()
        }
        is_fpv = table.get("IsFpvVehicle", False)
        if not isinstance(is_fpv, bool):
            raise self._bad(f"{where}.IsFpvVehicle", is_fpv, "true or false")
        own = reader.read(table.get("Sensors"), f"{where}.Sensors", sensors)
        return VehicleSettings(self._pose(table, where), cameras, own, is_fpv)

    def _pose(self, table: Mapping[str, object], where: str) -> Pose:
        north, east, down = (self._number(table, key, where, 0.0) for key in ("X", "Y", "Z"))
        yaw, pitch, roll = (math.radians(self._number(table, key, where, 0.0)) for key in ("Yaw", "Pitch", "Roll"))
        return Pose.from_euler((north, east, down), yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)

    def _captures(self, table: Mapping[str, object], where: str) -> dict[int, CaptureSettings]:
        listed = table.get("CaptureSettings", [])
        if not isinstance(listed, list):
            raise self._bad(f"{where}.CaptureSettings", listed, "a list")
        captures = {}
        for index, entry in enumerate(listed):
            at = f"{where}.CaptureSettings[{index}]"
            record = self._table(entry, at)
            # -1 is the window on the screen, which is not there.
            kind = int(self._number(record, "ImageType", at, 0, -1, NUM_IMAGE_TYPES - 1))
            height = int(self._number(record, "Height", at, 480, 1, MAX_SIDE_PX))
            width = int(self._number(record, "Width", at, 640, 1, MAX_SIDE_PX))
            captures[kind] = CaptureSettings(
                (height, width), self._number(record, "FOV_Degrees", at, 90.0, MIN_FOV_DEG, MAX_FOV_DEG)
            )
        return captures

    def _table(self, value: object, where: str) -> Mapping[str, object]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._bad(where, value, "an object in braces")
        return value

    def _number(
        self,
        table: Mapping[str, object],
        key: str,
        where: str,
        default: float,
        low: float = -1e6,
        high: float = 1e6,
    ) -> float:
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._bad(f"{where}.{key}".lstrip("."), value, f"a number from {low:g} to {high:g}")
        return value

    def _bad(self, where: str, value: object, wanted: str) -> CorruptFile:
        return CorruptFile(f"{self._path}: {where} is {value!r}: make it {wanted}.")
