"""The light under another sun and in other weather: the environment's daylight, changed by what a moment says.

Models small enough to be read, tuned by eye on pictures; no figure of a network rests on them. Source of the air mass:
F. Kasten, A. T. Young, "Revised optical air mass tables", Applied Optics 28 (1989), eq. 3.
"""

import math
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.rendering.sky import Daylight
from airsim_seg.builtin.weather import CLEAR, DAYLIGHT, Sun, Weather

Colour = tuple[float, float, float]

# Optical depth of clear air for red, green and blue: blue is scattered most, so a low sun is red.
CLEAR_AIR = (0.10, 0.17, 0.30)
# Suns are drawn in steps of a quarter of a degree: each step draws the shadows anew, half a second.
SUN_STEP_DEG = 0.25
LOWEST_SHADOW_DEG = 3.0  # a lower sun throws the shadows of a sun as high as this
FULL_INTENSITY = 10.0  # of an Unreal sky's sun as it comes, lux (UDirectionalLightComponent's default)
OVERCAST, FOG, DUST = (0.62, 0.66, 0.70), (0.70, 0.73, 0.76), (0.80, 0.58, 0.34)
CLEAR_AMBIENT = 0.12  # mean of Daylight's: a clear dome gives little light beside its sun
OVERCAST_AMBIENT = 0.25  # clouds scatter down half of the sunlight that they take away
FOG_PER_M, DUST_PER_M = 0.035, 0.014  # extinction at full strength: a twentieth is left at 86 and 214 m
NIGHT: Colour = (0.030, 0.038, 0.055)


def daylight_of(base: Daylight, sun: Sun, weather: Weather) -> Daylight:
    """The light of a moment.

    Args:
        base: the environment's own.
        sun: what was changed about it.
        weather: the effects in force.
    """
    light = base if sun == DAYLIGHT else _sunned(base, sun)
    return light if weather == CLEAR else _weathered(light, weather)


def _sunned(base: Daylight, sun: Sun) -> Daylight:
    azimuth_deg, elevation_deg = base.sun_azimuth_deg, base.sun_elevation_deg
    if sun.towards is not None:
        north, east, down = sun.towards
        azimuth_deg = _stepped(math.degrees(math.atan2(east, north))) % 360
        elevation_deg = _stepped(math.degrees(math.asin(max(-1.0, min(1.0, -down)))))
    power = 1.0 if sun.intensity is None else max(0.0, sun.intensity) / FULL_INTENSITY
    if (azimuth_deg, elevation_deg) == (base.sun_azimuth_deg, base.sun_elevation_deg) and power == 1:
        return base
    more_air = air_mass(elevation_deg) - air_mass(base.sun_elevation_deg)
    # Down to 6 degrees under the horizon there is twilight.
    up = max(0.0, min(1.0, (elevation_deg + 6) / 6)) if elevation_deg < 0 else 1.0
    height = max(math.sin(math.radians(elevation_deg)), 0.0) / math.sin(math.radians(base.sun_elevation_deg))
    beam = [math.exp(-depth * more_air) * (elevation_deg > 0) * power for depth in CLEAR_AIR]
    # The dome keeps most of its light when the sun is low, and turns a little bluer; the rim turns warm.
    clear = min(1.0, _mean(beam) / power) if power > 0 else 0.0
    dome = [(0.2 + 0.8 * height**0.7) * up * (least + (1 - least) * clear) for least in (0.65, 0.75, 1.0)]
    rim = [(0.35 + 0.65 * height**0.5) * up * max(b, low) for b, low in zip(beam, (0.95, 0.70, 0.55), strict=True)]
    return replace(
        base,
        sun_azimuth_deg=azimuth_deg,
        sun_elevation_deg=max(elevation_deg, LOWEST_SHADOW_DEG),
        sun=_times(base.sun, beam),
        ambient=_at_least(_times(base.ambient, dome), NIGHT),
        bounce=_at_least(_times(base.bounce, [height * b for b in beam]), tuple(0.5 * n for n in NIGHT)),
        horizon=_at_least(_times(base.horizon, rim), NIGHT),
        zenith=_at_least(_times(base.zenith, dome), NIGHT),
        # A camera opens up in the dark, as far as it can.
        exposure=base.exposure * min(2.5, (1 / max(0.05, 0.3 + 0.7 * height * up)) ** 0.8),
    )


def air_mass(elevation_deg: float) -> float:
    """How much air sunlight goes through, in units of that overhead; 38 at the horizon and below."""
    elevation_deg = max(elevation_deg, 0.0)
    haze: float = 0.50572 * (elevation_deg + 6.07995) ** -1.6364
    return 1 / (math.sin(math.radians(elevation_deg)) + haze)


def _weathered(light: Daylight, weather: Weather) -> Daylight:
    cover = max(weather.rain, weather.snow, 0.6 * weather.fog)
    dim = _mean(light.ambient) / CLEAR_AMBIENT  # what is grey by day is dark by night
    overcast = tuple(dim * c for c in OVERCAST)
    fog, dust = tuple(dim * c for c in FOG), tuple(dim * c for c in DUST)
    zenith, horizon = (_mixed(colour, overcast, cover) for colour in (light.zenith, light.horizon))
    for colour, amount in ((fog, weather.fog), (dust, weather.dust)):
        zenith, horizon = _mixed(zenith, colour, 0.85 * amount), _mixed(horizon, colour, amount)
    through = (1 - 0.88 * cover) * (1 - 0.4 * weather.dust)
    grey = _mixed(light.ambient, (OVERCAST_AMBIENT * dim,) * 3, cover)
    return replace(
        light,
        sun=_times(light.sun, (through, through, through)),
        ambient=grey,
        horizon=horizon,
        zenith=zenith,
        clouds=light.clouds * (1 - cover),  # an overcast sky has no edges
        haze_per_m=light.haze_per_m + FOG_PER_M * weather.fog**1.5 + DUST_PER_M * weather.dust + 0.004 * cover,
        wet=max(weather.road_wetness, 0.0),
        snow=weather.road_snow,
        litter=weather.road_leaf,
    )


def _stepped(angle_deg: float) -> float:
    return round(angle_deg / SUN_STEP_DEG) * SUN_STEP_DEG


def _mean(colour: tuple[float, ...] | list[float]) -> float:
    return sum(colour) / 3


def _times(colour: Colour, factors: tuple[float, ...] | list[float]) -> Colour:
    r, g, b = (float(c * f) for c, f in zip(colour, factors, strict=True))
    return r, g, b


def _at_least(colour: Colour, floor: tuple[float, ...]) -> Colour:
    r, g, b = np.maximum(colour, floor).tolist()
    return r, g, b


def _mixed(colour: Colour, other: tuple[float, ...], share: float) -> Colour:
    r, g, b = ((1 - share) * c + share * o for c, o in zip(colour, other, strict=True))
    return r, g, b
