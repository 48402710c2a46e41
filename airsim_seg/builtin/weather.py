"""Weather and light as the RPCs set them: frozen values for the renderer, and the Sky that keeps them.

Source: AirSim's UE WeatherLib.cpp (an effect can only be set while weather is enabled) and SimModeBase.cpp
(advanceTimeOfDay).
"""

import math
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.sun import sun_position, towards

DATE_FORMAT = "%Y-%m-%d %H:%M:%S"
DEGREES_PER_HOUR = 15
STEP_S = 0.003


@dataclass(frozen=True)
class Weather:
    """How much there is of each effect, 0 to 1, in the order of AirSim's WeatherParameter."""

    rain: float = 0.0
    road_wetness: float = 0.0
    snow: float = 0.0
    road_snow: float = 0.0
    maple_leaf: float = 0.0
    road_leaf: float = 0.0
    dust: float = 0.0
    fog: float = 0.0

    @property
    def falls(self) -> bool:
        """Whether anything comes down, so that the picture changes from moment to moment."""
        return max(self.rain, self.snow, self.maple_leaf) > 0


@dataclass(frozen=True)
class Sun:
    """What the RPCs changed about the sun.

    Attributes:
        towards: unit vector (north, east, down) that points at it; below the horizon its last entry is positive. None
            leaves it where the environment has it.
        intensity: what simSetLightIntensity gave, in Unreal's units (lux); None leaves it as the environment has it.
    """

    towards: tuple[float, float, float] | None = None
    intensity: float | None = None


CLEAR, DAYLIGHT = Weather(), Sun()
EFFECTS = tuple(effect.name for effect in fields(Weather))
ENABLED = len(EFFECTS)


@dataclass(frozen=True)
class TimeOfDay:
    """A sun that follows a clock.

    Attributes:
        start_s: the date and time that it starts at, seconds since 1970, UTC.
        set_ns: the simulation's clock then.
        speed: seconds of the sun for each second of simulation.
        interval_s: the sun is moved on this often, seconds of simulation; below a physics step it always moves.
    """

    start_s: float
    set_ns: int
    speed: float
    interval_s: float

    def at_s(self, now_ns: int) -> float:
        """The sun's date and time, seconds since 1970."""
        elapsed_s = (now_ns - self.set_ns) / 1e9
        if self.interval_s >= STEP_S:
            elapsed_s = math.floor(elapsed_s / self.interval_s) * self.interval_s
        return self.start_s + elapsed_s * self.speed


class Sky:
    """Weather and sun of one world."""

    def __init__(self, latitude_deg: float, longitude_deg: float) -> None:
        """Take where on the Earth the world is, for the sun."""
        self._place_deg = (latitude_deg, longitude_deg)
        self._enabled = False
        self._set = CLEAR
        self._held: tuple[float, float, float] | None = None
        self._time_of_day: TimeOfDay | None = None
        self._intensity: float | None = None

    def enable_weather(self, enabled: bool) -> None:
        """Show the effects or not; what was set is kept."""
        self._enabled = enabled

    def set_effect(self, number: int, amount: float) -> None:
        """Set one effect, cut to 0..1; while weather is off it becomes 0. Numbers that mean nothing are ignored."""
        if number == ENABLED:
            self._enabled = amount == 1
        elif 0 <= number < ENABLED:
            shown = min(1.0, max(0.0, amount)) if self._enabled else 0.0
            self._set = replace(self._set, **{EFFECTS[number]: shown})

    def set_intensity(self, intensity: float) -> None:
        """Make the sun brighter or darker."""
        self._intensity = intensity

    def set_time_of_day(
        self, enabled: bool, start: str, is_dst: bool, speed: float, interval_s: float, move_sun: bool, now_ns: int
    ) -> None:
        """Let the sun follow a date and time, or put it back.

        Args:
            enabled: False puts the sun where the environment has it.
            start: in DATE_FORMAT, in the zone of the place (see local_time_s); "" is the simulation's clock.
            is_dst: whether that clock is an hour ahead for summer.
            speed: seconds of the sun for each second of simulation.
            interval_s: how often the sun is moved on.
            move_sun: False leaves the sun where it is, as AirSim does.
            now_ns: the simulation's clock.

        Raises:
            ApiError: the date does not read.
        """
        held = self._towards(now_ns)
        start_s = local_time_s(start, self._place_deg[1], is_dst) if enabled and start else now_ns / 1e9
        self._time_of_day = TimeOfDay(start_s, now_ns, speed, interval_s) if enabled and move_sun else None
        self._held = held if enabled else None

    def weather(self) -> Weather:
        """The effects in force."""
        return self._set if self._enabled else CLEAR

    def sun(self, now_ns: int) -> Sun:
        """The sun at a time of the simulation's clock."""
        return Sun(self._towards(now_ns), self._intensity)

    def _towards(self, now_ns: int) -> tuple[float, float, float] | None:
        if self._time_of_day is None:
            return self._held
        return towards(sun_position(self._time_of_day.at_s(now_ns), *self._place_deg))


def local_time_s(written: str, longitude_deg: float, is_dst: bool) -> float:
    """Seconds since 1970 of a date and time on the clocks of a place.

    AirSim takes them in the time zone of the machine that it runs on; here the zone follows from the longitude, whole
    hours, so that the same call gives the same sun everywhere. For AirSim's default origin that is Pacific time.

    Args:
        written: in DATE_FORMAT, "2018-02-12 15:20:00".
        longitude_deg: positive east.
        is_dst: whether the clock is an hour ahead for summer.

    Raises:
        ApiError: it is written otherwise.
    """
    try:
        read = datetime.strptime(written, DATE_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise ApiError(f"'{written}' is no date and time: write it as 2018-02-12 15:20:00") from error
    hours_ahead = round(longitude_deg / DEGREES_PER_HOUR) + is_dst
    return read.timestamp() - 3600.0 * hours_ahead
