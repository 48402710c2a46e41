"""AirSim's settings.json: where it is looked for, and what the built-in simulator takes from it.

docs/settings.md lists every key. Source: AirSim's AirSimSettings.hpp, SimHUD.cpp (initializeSettings, getSettingsText)
and docs/settings.md. Two defaults differ: pictures are 640x480 (AirSim: 256x144) and the mode is Multirotor where the
file names none (AirSim asks). What is read where: camera_settings, vehicle_settings, sensor_settings, world_settings,
recording_settings.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast, get_args

from airsim_seg.builtin.camera_settings import (
    CAMERA,
    CameraReader,
    CameraSettings,
    CaptureSettings,
    GimbalSettings,
    NoiseSettings,
)
from airsim_seg.builtin.recording_settings import RecordingSettings, read_recording
from airsim_seg.builtin.sensor_settings import SensorReader, default_sensors
from airsim_seg.builtin.settings_table import Book, Table
from airsim_seg.builtin.settings_version import check_version
from airsim_seg.builtin.vehicle_settings import DEFAULT_VEHICLES, SimMode, VehicleSettings, read_vehicle
from airsim_seg.builtin.world_settings import WorldSettings, read_world
from airsim_seg.errors import CorruptFile, MissingData

__all__ = [
    "CameraSettings",
    "CaptureSettings",
    "Settings",
    "SimMode",
    "VehicleSettings",
    "default_settings",
    "find_settings",
    "load_settings",
    "read_settings",
]
DEFAULT_PORT = 41451
FILE_NAME = "settings.json"
# Where the folder of AirSim's own files is, in the user's home.
AIRSIM_FOLDER = Path("Documents", "AirSim")
# Keys about a window, a sound, a physics engine or a firmware that is not there.
_IGNORED = (
    *("SeeDocsAt", "see_docs_at", "ViewMode", "SubWindows", "RecordUIVisible", "LogMessagesVisible", "EngineSound"),
    *("ShowLosDebugLines", "SpeedUnitFactor", "SpeedUnitLabel", "PhysicsEngineName", "Default Environment"),
    *("PawnPaths", "CameraDirector", "LocalHostIp", "RpcEnabled", "ExternalForce"),
)


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
        noises: CameraDefaults, by image type.
        gimbal: CameraDefaults.
        external_cameras: by name; they stand in the API's world NED.
        world: clock, place, sun, wind and ids.
        source: the file's path, or how else it was given; "" is none.
        warnings: sentences for the user.
    """

    mode: SimMode = "Multirotor"
    vehicles: Mapping[str, VehicleSettings] = field(default_factory=dict)
    captures: Mapping[int, CaptureSettings] = field(default_factory=dict)
    port: int = DEFAULT_PORT
    text: str = "{}"
    recording: RecordingSettings = field(default_factory=RecordingSettings)
    noises: Mapping[int, NoiseSettings] = field(default_factory=dict)
    gimbal: GimbalSettings = field(default_factory=GimbalSettings)
    external_cameras: Mapping[str, CameraSettings] = field(default_factory=dict)
    world: WorldSettings = field(default_factory=WorldSettings)
    source: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def has_orthographic(self) -> bool:
        """Whether any camera takes any image type with parallel rays."""
        own = [camera for vehicle in self.vehicles.values() for camera in vehicle.cameras.values()]
        cameras = [self.camera_defaults, *own, *self.external_cameras.values()]
        return any(taken.ortho_width_m is not None for camera in cameras for taken in camera.captures.values())

    @property
    def camera_defaults(self) -> CameraSettings:
        """CameraDefaults, as every built-in camera has them."""
        return CameraSettings(captures=dict(self.captures), noises=dict(self.noises), gimbal=self.gimbal)


def default_settings(mode: SimMode) -> Settings:
    """The settings of AirSim without a file: one vehicle under AirSim's own name for it."""
    written = json.dumps({"SettingsVersion": 1.2, "SimMode": mode})
    return Settings(mode, {DEFAULT_VEHICLES[mode]: VehicleSettings()}, text=written)


def find_settings(launch_folder: Path, home: Path) -> Path | None:
    """The settings.json that AirSim would take where the command line names none.

    Args:
        launch_folder: from which the program was started.
        home: the user's folder, where Documents/AirSim is.

    Returns:
        The first that is there, or None. AirSim also looks beside its own program, which here is no place for files.
    """
    places = (launch_folder / FILE_NAME, home / AIRSIM_FOLDER / FILE_NAME)
    return next((place for place in places if place.is_file()), None)


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
        written = path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise MissingData(f"{path} is not there or is no file: give the path of a settings.json.") from error
    except OSError as error:
        raise MissingData(f"{path} cannot be read ({error.strerror}): check who may read it.") from error
    except UnicodeDecodeError as error:
        raise CorruptFile(f"{path} is not text ({error}): save it as UTF-8.") from error
    return read_settings(written, str(path), mode)


def read_settings(written: str, source: str, mode: SimMode | None = None) -> Settings:
    """Read the text of a settings.json.

    Args:
        written: a JSON object.
        source: its path, or what else messages call it.
        mode: see load_settings.

    Raises:
        CorruptFile: see load_settings.
    """
    try:
        value = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise CorruptFile(f"{source} is not JSON ({error}): mend it; comments are not allowed.") from error
    book = Book(source)
    root = Table(book, value)
    check_version(root)
    settings = read_root(root, written, mode)
    book.warn_of_unknown_keys()
    return Settings(**{**vars(settings), "warnings": tuple(book.warnings)})


def read_root(root: Table, written: str, override: SimMode | None = None) -> Settings:
    """Read the table that is the whole file.

    Args:
        root: after check_version.
        written: the file's text.
        override: the kind of vehicle, whatever the file says.
    """
    root.ignore(*_IGNORED)
    if not root.boolean("EnableRpc", True):
        raise root.bad("EnableRpc", "true: the built-in simulator is nothing but its RPC")
    # What the file says has to mean something even where the command line says otherwise.
    named = root.choice("SimMode", get_args(SimMode), any_case=False)
    mode = cast(SimMode, named) if override is None else override
    cameras = CameraReader(root.table("CameraDefaults", CAMERA))
    vehicles = _vehicles(root, mode, cameras, any_type=override is not None)
    return Settings(
        mode,
        vehicles,
        cameras.defaults.captures,
        root.whole("ApiServerPort", DEFAULT_PORT, 0, 65535),
        written,
        read_recording(root.table("Recording"), min(vehicles)),
        cameras.defaults.noises,
        cameras.defaults.gimbal,
        {name: cameras.read(own) for name, own in root.named("ExternalCameras", CAMERA)},
        read_world(root),
        root.book.source,
    )


def _vehicles(root: Table, mode: SimMode, cameras: CameraReader, *, any_type: bool) -> dict[str, VehicleSettings]:
    reader, sensors = SensorReader(mode), default_sensors(mode)
    if root.value("DefaultSensors") is not None:
        sensors = reader.read(root, "DefaultSensors", {})
    listed = {
        name: read_vehicle(own, mode, cameras, reader, sensors, any_type=any_type)
        for name, own in root.named("Vehicles")
    }
    if not listed:
        return {DEFAULT_VEHICLES[mode]: VehicleSettings(sensors=sensors)}
    created = {name: own for name, own in listed.items() if own is not None}
    if not created:
        raise root.book.bad("Vehicles", sorted(listed), "have at least one without AutoCreate false")
    return created
