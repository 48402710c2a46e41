"""What settings.json says about the world: its clock, its place on the Earth, its sun, its wind and its ids.

Source: AirSim's AirSimSettings.hpp (loadOtherSettings, loadClockSettings, loadSegmentationSetting).
"""

from dataclasses import dataclass, field

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.geometry import HOME, GeoPoint
from airsim_seg.builtin.settings_table import Table
from airsim_seg.builtin.weather import DATE_FORMAT, local_time_s

MIN_CLOCK_SPEED, MAX_CLOCK_SPEED = 0.001, 1000.0
MAX_WIND_MPS = 200.0


@dataclass(frozen=True)
class SegmentationSettings:
    """Which ids things start with.

    Attributes:
        assigned: whether things get ids at all; else only those that the environment's author gave.
        override: whether names win over the author's ids.
        by_mesh: whether ids go by the name of the mesh, which many things share, and not by the thing's own.
    """

    assigned: bool = True
    override: bool = False
    by_mesh: bool = False


@dataclass(frozen=True)
class TimeOfDaySettings:
    """Arguments of simSetTimeOfDay, in force from the start where enabled."""

    enabled: bool = False
    start: str = ""
    is_dst: bool = False
    speed: float = 1.0
    interval_s: float = 60.0
    move_sun: bool = True


@dataclass(frozen=True)
class WorldSettings:
    """The world's own settings.

    Attributes:
        clock_speed: seconds of simulation in one of real time.
        home: where the API's world NED has its origin.
        time_of_day: of the sun.
        wind_mps: (north, east, down), which carries multirotors.
        segmentation: see SegmentationSettings.
    """

    clock_speed: float = 1.0
    home: GeoPoint = HOME
    time_of_day: TimeOfDaySettings = field(default_factory=TimeOfDaySettings)
    wind_mps: tuple[float, float, float] = (0.0, 0.0, 0.0)
    segmentation: SegmentationSettings = field(default_factory=SegmentationSettings)


def read_world(root: Table) -> WorldSettings:
    """Read the keys of the file's top that are about the world."""
    # One clock, which steps, serves as either: it only ever runs with real time or by simContinueFor...
    root.choice("ClockType", ("", "SteppableClock", "ScalableClock"), any_case=False)
    wind = root.table("Wind")
    north, east, down = (wind.number(key, 0.0, -MAX_WIND_MPS, MAX_WIND_MPS) for key in ("X", "Y", "Z"))
    return WorldSettings(
        root.number("ClockSpeed", 1.0, MIN_CLOCK_SPEED, MAX_CLOCK_SPEED),
        _home(root.table("OriginGeopoint")),
        _time_of_day(root.table("TimeOfDay")),
        (north, east, down),
        _segmentation(root.table("SegmentationSettings"), given=root.has("SegmentationSettings")),
    )


def _home(table: Table) -> GeoPoint:
    return GeoPoint(
        table.number("Latitude", HOME.latitude_deg, -90.0, 90.0),
        table.number("Longitude", HOME.longitude_deg, -180.0, 180.0),
        # The air of the barometer and the rotors is modelled up to 11 km.
        table.number("Altitude", HOME.altitude_m, -500.0, 9000.0),
    )


def _time_of_day(table: Table) -> TimeOfDaySettings:
    start = table.text("StartDateTime", "")
    try:
        local_time_s(start or "2020-01-01 00:00:00", 0.0, is_dst=False)
    except ApiError:
        raise table.bad("StartDateTime", f"a date and time like 2018-02-12 15:20:00 ({DATE_FORMAT})") from None
    return TimeOfDaySettings(
        table.boolean("Enabled", False),
        start,
        table.boolean("StartDateTimeDst", False),
        table.number("CelestialClockSpeed", 1.0),
        table.number("UpdateIntervalSecs", 60.0, 0.0),
        table.boolean("MoveSun", True),
    )


def _segmentation(table: Table, *, given: bool) -> SegmentationSettings:
    method = table.choice("InitMethod", ("CommonObjectsRandomIDs", "None"))
    naming = table.choice("MeshNamingMethod", ("OwnerName", "StaticMeshName"))
    # Without the key AirSim overrides, unless the whole table is missing.
    return SegmentationSettings(method != "None", table.boolean("OverrideExisting", given), naming == "StaticMeshName")
