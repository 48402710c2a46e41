"""What a page may ask for, read from JSON once and refused where it is anything else."""

import json
from dataclasses import dataclass
from typing import Literal, get_args

from airsim_seg.errors import UsageError
from airsim_seg.viewer.keys import KEYS

Action = Literal["pause", "resume", "step", "reset", "land", "map"]
ACTIONS: tuple[str, ...] = get_args(Action)
# AirSim's WeatherParameter, in its order (Python client, types.py).
EFFECTS = ("Rain", "Roadwetness", "Snow", "RoadSnow", "MapleLeaf", "RoadLeaf", "Dust", "Fog")
CAMERAS = ("0", "1", "2", "3", "4")  # a real AirSim ends where it is asked for a camera that it does not have
MIN_SPEED_MPS, MAX_SPEED_MPS = 0.5, 30.0
MAX_HELD_KEYS = 16


@dataclass(frozen=True)
class Seen:
    """A frame was drawn."""


@dataclass(frozen=True)
class Hold:
    """Which keys are down, and how fast they should move things."""

    keys: frozenset[str]
    speed_mps: float


@dataclass(frozen=True)
class Do:
    """A button."""

    action: str


@dataclass(frozen=True)
class Weather:
    """One effect, 0..1; effect is AirSim's number of it."""

    effect: int
    value: float


@dataclass(frozen=True)
class Hour:
    """The hour of the day, 0..24."""

    hour: float


@dataclass(frozen=True)
class LookThrough:
    """Another camera of the vehicle."""

    camera: str


Request = Seen | Hold | Do | Weather | Hour | LookThrough


def read_request(text: str | bytes) -> Request:
    """Take a page's message apart.

    Raises:
        UsageError: it is none; the sentence says what is wrong.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise UsageError("the page sent something that is not JSON.") from None
    match message:
        case {"type": "seen"}:
            return Seen()
        case {"type": "hold", "keys": list(keys), "speed_mps": speed} if len(keys) <= MAX_HELD_KEYS:
            known = frozenset(key for key in keys if isinstance(key, str)) & KEYS
            return Hold(known, _number("a speed", speed, MIN_SPEED_MPS, MAX_SPEED_MPS))
        case {"type": "do", "action": str(action)} if action in ACTIONS:
            return Do(action)
        case {"type": "weather", "effect": str(effect), "value": value} if effect in EFFECTS:
            return Weather(EFFECTS.index(effect), _number(effect, value, 0.0, 1.0))
        case {"type": "hour", "hour": hour}:
            return Hour(_number("an hour", hour, 0.0, 24.0))
        case {"type": "camera", "camera": str(camera)} if camera in CAMERAS:
            return LookThrough(camera)
    raise UsageError("the page asked for something that the viewer does not know: load it again.")


def _number(what: str, value: object, least: float, most: float) -> float:
    # Comparing is exact for integers of any size, and false for NaN.
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise UsageError(f"{what} must be a number from {least:g} to {most:g}.")
    return float(value)
