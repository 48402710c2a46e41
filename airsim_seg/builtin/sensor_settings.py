"""Which sensors a vehicle has by settings.json: DefaultSensors, and Sensors of each of Vehicles.

Source: AirSimSettings.hpp (loadSensorSettings, createDefaultSensorSettings) and docs/sensors.md. What a vehicle lists
is its own; of the defaults it has those whose type it does not list. A listed sensor without "Enabled": true is not
there, nor is a default one of its type.
"""

import math
from collections.abc import Callable, Mapping
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
    switch_key,
)
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

Bad = Callable[[str, object, str], Exception]


def default_sensors(mode: str) -> dict[str, SensorSettings]:
    """The sensors of a vehicle about which nothing is said."""
    return {name: kind() for name, kind in DEFAULT_SENSORS.get(mode, {}).items()}


class SensorReader:
    """Reads the sensors of one settings.json."""

    def __init__(self, mode: str, bad: Bad) -> None:
        """Say what is read.

        Args:
            mode: the kind of vehicle, on which some defaults depend.
            bad: makes the exception for a faulty value, from where it stands, the value, and what is wanted there.
        """
        self._mode, self._bad = mode, bad

    def read(self, listed: object, where: str, defaults: Mapping[str, SensorSettings]) -> dict[str, SensorSettings]:
        """Read one list of sensors.

        Args:
            listed: the value of DefaultSensors or Sensors; None is an empty list.
            where: its key, for complaints.
            defaults: what there is of types that the list does not name.

        Raises:
            Exception: what `bad` makes.
        """
        types, sensors = set(), {}
        for name, entry in self._table(listed, where).items():
            at = f"{where}.{name}"
            table = self._table(entry, at)
            number = table.get("SensorType", 0)
            if not isinstance(number, int) or isinstance(number, bool) or number not in list(SensorType):
                raise self._bad(f"{at}.SensorType", number, "a number from 1 to 6")
            kind = SensorType(number)
            types.add(kind)
            if self._value(switch_key("Enabled"), table, at, False):
                sensors[name] = self._sensor(SETTINGS[kind], table, at)
        return {name: own for name, own in defaults.items() if own.type not in types} | sensors

    def _sensor(self, kind: type[SensorSettings], table: Mapping[str, object], where: str) -> SensorSettings:
        table = table if self._mode == "Multirotor" else {**ELSEWHERE, **table}
        values: dict[str, object] = {}
        for own in fields(kind):
            if "key" in own.metadata:
                values[own.name] = self._value(own.metadata["key"], table, where, own.default)
            else:  # the only one that stands for several keys
                values[own.name] = self._mount(table, where)
        return kind(**values)  # type: ignore[arg-type]

    def _mount(self, table: Mapping[str, object], where: str) -> Pose:
        def read(key: str, limit: float) -> float:
            value = self._value(number_key(-limit, limit, key), table, where, 0.0)
            assert isinstance(value, int | float), "the key accepts nothing else"
            return float(value)

        yaw, pitch, roll = (math.radians(read(key, MAX_ANGLE_DEG)) for key in ("Yaw", "Pitch", "Roll"))
        position_m = [read(key, MAX_OFFSET_M) for key in ("X", "Y", "Z")]
        return Pose.from_euler(position_m, yaw_rad=yaw, pitch_rad=pitch, roll_rad=roll)

    def _value(self, key: Key, table: Mapping[str, object], where: str, default: object) -> object:
        name = next((name for name in key.names if name in table), key.names[0])
        value = table.get(name, default)
        if not key.accepts(value):
            raise self._bad(f"{where}.{name}", value, key.wanted)
        return float(value) if isinstance(default, float) and isinstance(value, int) else value

    def _table(self, value: object, where: str) -> Mapping[str, object]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self._bad(where, value, "an object in braces")
        return value
