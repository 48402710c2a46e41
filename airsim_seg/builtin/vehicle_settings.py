"""One entry of Vehicles in settings.json.

Source: AirSim's AirSimSettings.hpp (createVehicleSetting) and docs/settings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from airsim_seg.builtin.camera_settings import CAMERA, CameraReader, CameraSettings, read_pose
from airsim_seg.builtin.sensor_settings import SensorReader
from airsim_seg.builtin.sensors.parameters import SensorSettings
from airsim_seg.builtin.settings_table import Table
from airsim_seg.types import Pose

SimMode = Literal["Multirotor", "Car", "ComputerVision"]
DEFAULT_VEHICLES: Mapping[SimMode, str] = {
    "Multirotor": "SimpleFlight",
    "Car": "PhysXCar",
    "ComputerVision": "ComputerVision",
}
# What AirSim flies and drives with firmware of its own, over MAVLink; lower-cased, as it compares them.
FIRMWARE_TYPES = ("px4multirotor", "arducopter", "arducoptersolo", "ardurover")
# DefaultVehicleState; AirSim's simple_flight knows more, which mean one of these a moment later.
ARMED, INACTIVE = "Armed", "Inactive"
_NO_MEANING = ("PawnPath", "Model", "AllowAPIAlways", "RC", "FirmwareName")
# Keys of vehicles with firmware of their own, which files for SimpleFlight often carry along.
_MAVLINK = (
    *("UseSerial", "SerialPort", "SerialBaudRate", "LockStep", "UseTcp", "TcpPort", "UdpIp", "UdpPort", "LocalHostIp"),
    *("ControlIp", "ControlPort", "ControlPortLocal", "ControlPortRemote", "SitlIp", "SitlPort", "QgcHostIp"),
    *("QgcPort", "LogViewerHostIp", "LogViewerPort", "LogViewerSendPort", "SimSysID", "SimCompID", "VehicleSysID"),
    *("VehicleCompID", "OffboardSysID", "OffboardCompID", "Logs", "Parameters"),
)


@dataclass(frozen=True, eq=False)
class VehicleSettings:
    """What is said about a vehicle.

    Attributes:
        start: where it starts, relative to the player start: API world NED, metres.
        cameras: beside the built-in ones.
        sensors: the enabled ones by name; None are those that the mode has by default.
        is_fpv: whether it is meant where a call names no vehicle.
        world_heading: whether the heading of start counts from north; else it counts from the player start's.
        armed: whether a multirotor's motors may run from the start.
        collides: whether it runs into things at all.
        passes_through: whether it goes on through what it has run into.
        leaves_trace: whether pictures show where it has been.
    """

    start: Pose = field(default_factory=lambda: Pose.from_euler((0.0, 0.0, 0.0)))
    cameras: Mapping[str, CameraSettings] = field(default_factory=dict)
    sensors: Mapping[str, SensorSettings] | None = None
    is_fpv: bool = False
    world_heading: bool = False
    armed: bool = True
    collides: bool = True
    passes_through: bool = False
    leaves_trace: bool = False


def read_vehicle(
    table: Table,
    mode: SimMode,
    cameras: CameraReader,
    sensors: SensorReader,
    default_sensors: Mapping[str, SensorSettings],
    *,
    any_type: bool = False,
) -> VehicleSettings | None:
    """Read one vehicle.

    Args:
        table: its entry.
        mode: the kind of every vehicle.
        cameras: reads its cameras.
        sensors: reads its sensors.
        default_sensors: those of types that it does not list.
        any_type: whether it may be of another mode's type, because the mode was chosen over the file's head.

    Returns:
        The vehicle, or None where AutoCreate keeps it out of the world.
    """
    if not any_type:
        _check_type(table, mode)
    table.value("VehicleType")
    table.ignore(*_NO_MEANING, *_MAVLINK)
    state = table.choice("DefaultVehicleState", (ARMED, INACTIVE, "BeingArmed", "BeingDisarmed", "Disarmed"))
    vehicle = VehicleSettings(
        read_pose(table),
        {name: cameras.read(own) for name, own in table.named("Cameras", CAMERA)},
        sensors.read(table, "Sensors", default_sensors),
        table.boolean("IsFpvVehicle", False),
        table.has("Yaw"),
        state in (ARMED, "BeingArmed"),
        table.boolean("EnableCollisions", True),
        table.boolean("EnableCollisionPassthrogh", False),
        table.boolean("EnableTrace", False),
    )
    return vehicle if table.boolean("AutoCreate", True) else None


def _check_type(table: Table, mode: SimMode) -> None:
    """AirSim leaves vehicles of other types out, in silence, and what is not said is such a type."""
    wanted = DEFAULT_VEHICLES[mode]
    kind = table.text("VehicleType", wanted)
    if kind.lower() in FIRMWARE_TYPES:
        raise table.bad("VehicleType", f"{wanted}: the built-in simulator speaks to no firmware of PX4 or ArduPilot")
    if kind.lower() != wanted.lower():
        raise table.bad("VehicleType", f"{wanted}, the one that SimMode {mode} has, or change SimMode")
