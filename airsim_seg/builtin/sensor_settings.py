"""Which sensors a vehicle has by settings.json: DefaultSensors, and Sensors of each of Vehicles.

Source: AirSimSettings.hpp (loadSensorSettings, createDefaultSensorSettings) and docs/sensors.md. What a vehicle lists
is its own; of the defaults it has those whose type it does not list. A listed sensor without "Enabled": true is not
there, nor is a default one of its type.
"""

import math
from collections.abc import Mapping
from dataclasses import fields

from airsim_seg.builtin.sensors.parameters import (
    BarometerSettings,
    DistanceSettings,
    GpsSettings,
    ImuSettings,
    Key,
    LidarSettings,
    MagnetometerSettings,
    SensorSettings,
    SensorType,
    number_key,
)
from airsim_seg.builtin.settings_table import Table
from airsim_seg.types import Pose

SETTINGS: dict[SensorType, type[SensorSettings]] = {
    kind.type: kind
    for kind in (BarometerSettings, ImuSettings, GpsSettings, MagnetometerSettings, DistanceSettings, LidarSettings)
}
DEFAULT_SENSORS: Mapping[str, Mapping[str, type[SensorSettings]]] = {
    "Multirotor": {
        "imu": ImuSettings,
        "magnetometer": MagnetometerSettings,
        "gps": GpsSettings,
        "barometer": BarometerSettings,
    },
    "Car": {"gps": GpsSettings},
}
# What is not said of a sensor on anything but a multirotor: it sits above, and a lidar looks around, not down.
ELSEWHERE: Mapping[str, object] = {"Z": -1.0, "VerticalFOVUpper": 10.0, "VerticalFOVLower": -10.0}
MAX_OFFSET_M, MAX_ANGLE_DEG = 1e3, 360.0
# The kind under which docs/settings.md lists the keys, and all of them.
SENSOR = "Sensor"
KEYS = (
    *("X", "Y", "Z", "Yaw", "Pitch", "Roll"),
    *{
        name: None
        for kind in SETTINGS.values()
        for own in fields(kind)
        if "key" in own.metadata
        for name in own.metadata["key"].names
    },
)


def default_sensors(mode: str) -> dict[str, SensorSettings]:
    """The sensors of a vehicle about which nothing is said."""
    return {name: kind() for name, kind in DEFAULT_SENSORS.get(mode, {}).items()}


class SensorReader:
    """Reads the sensors of one settings.json."""

    def __init__(self, mode: str) -> None:
        """Say on which kind of vehicle they are; some defaults depend on it."""
        self._mode = mode

    def read(self, outer: Table, key: str, defaults: Mapping[str, SensorSettings]) -> dict[str, SensorSettings]:
        """Read one list of sensors.

        Args:
            outer: where the list stands,
            key: and under which key: DefaultSensors or Sensors.
            defaults: what there is of types that the list does not name.
        """
        types, sensors = set(), {}
        for name, table in outer.named(key, SENSOR):
            number = table.value("SensorType", 0)
            if not isinstance(number, int) or isinstance(number, bool) or number not in list(SensorType):
                raise table.bad("SensorType", "a number from 1 to 6")
            types.add(SensorType(number))
            table.ignore("DrawDebugPoints")
            if table.boolean("Enabled", False):
                sensors[name] = self._sensor(SETTINGS[SensorType(number)], table)
            else:
                table.ignore(*KEYS)
        return {name: own for name, own in defaults.items() if own.type not in types} | sensors

    def _sensor(self, kind: type[SensorSettings], table: Table) -> SensorSettings:
        usual: Mapping[str, object] = {} if self._mode == "Multirotor" else ELSEWHERE
        values: dict[str, object] = {}
        for own in fields(kind):
            if "key" in own.metadata:
                values[own.name] = _value(own.metadata["key"], table, usual, own.default)
            else:  # the only one that stands for several keys
                values[own.name] = _mount(table, usual)
        return kind(**values)  # type: ignore[arg-type]


def _mount(table: Table, usual: Mapping[str, object]) -> Pose:
    def read(key: str, limit: float) -> float:
        value = _value(number_key(-limit, limit, key), table, usual, 0.0)
        assert isinstance(value, int | float), "the key accepts nothing else"
        return float(value)

    yaw, pitch, roll = (math.radians(read(key, MAX_ANGLE_DEG)) for key in ("Yaw", "Pitch", "Roll"))
    position_m = [read(key, MAX_OFFSET_M) for key in ("X", "Y", "Z")]
    return Pose.from_euler(position_m, yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)


def _value(key: Key, table: Table, usual: Mapping[str, object], default: object) -> object:
    """What a table says under any of a key's names, or what is usual there, or the default."""
    values = {name: table.value(name) for name in key.names}
    name = next((name for name in key.names if table.has(name)), key.names[0])
    value = values[name] if table.has(name) else usual.get(name, default)
    if not key.accepts(value):
        raise table.bad(name, key.wanted)
    return float(value) if isinstance(default, float) and isinstance(value, int) else value
