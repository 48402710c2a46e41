"""The RPCs of weather and light. What they set goes to the renderer with every picture (Moment.weather, Moment.sun)."""

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.arguments import boolean, finite, integer, text
from airsim_seg.builtin.world import World

# The one light of our worlds. It is no object: simListSceneObjects does not name it.
SUN_NAME = "Sun"


def weather_methods(world: World) -> Methods:
    """The table of this file."""
    sky = world.sky

    def time_of_day(enabled: bool, start: str, is_dst: bool, speed: float, interval_s: float, move_sun: bool) -> None:
        sky.set_time_of_day(enabled, start, is_dst, speed, interval_s, move_sun, world.now_ns)

    def light_intensity(name: str, intensity: float) -> bool:
        if name != SUN_NAME:
            return False
        sky.set_intensity(intensity)
        return True

    return {
        "simEnableWeather": method(sky.enable_weather, boolean),
        "simSetWeatherParameter": method(sky.set_effect, integer, finite),
        "simSetTimeOfDay": method(time_of_day, boolean, text, boolean, finite, finite, boolean),
        "simSetLightIntensity": method(light_intensity, text, finite),
    }
