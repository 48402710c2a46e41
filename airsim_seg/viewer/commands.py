"""A page's buttons and sliders as AirSim's calls."""

from datetime import UTC, datetime, timedelta

from airsim_seg.simulators.rpc import RefusedCall
from airsim_seg.viewer.link import Link
from airsim_seg.viewer.requests import Do, Hour, Request, Weather

STEP_S = 0.04  # one frame at 25 Hz
# simSetTimeOfDay: the clock of the sky runs as fast as that of the world and the sun is moved once a minute.
_SKY_SPEED, _SUN_PERIOD_S = 1.0, 60.0


async def carry_out(link: Link, request: Request, time_ns: int) -> None:
    """Do what a button or slider says.

    Args:
        link: to the simulator.
        request: Do, Weather or Hour.
        time_ns: the simulation's clock, for the date.

    Raises:
        SimulatorLost, RefusedCall: as every call.
    """
    match request:
        case Do(action):
            await _press(link, action)
        case Weather(effect, value):
            # AirSim sets an effect to 0 while weather is off.
            await link.rpc.call("simEnableWeather", True)
            await link.rpc.call("simSetWeatherParameter", effect, value)
        case Hour(hour):
            start = date_with_hour(time_ns, hour)
            await link.rpc.call("simSetTimeOfDay", True, start, False, _SKY_SPEED, _SUN_PERIOD_S, True)


async def _press(link: Link, action: str) -> None:
    match action:
        case "pause" | "resume":
            await link.rpc.call("simPause", action == "pause")
        case "step":
            await link.rpc.call("simContinueForTime", STEP_S)
        case "reset":
            await link.rpc.call("reset")
        case "land":
            if link.identity.kind != "drone":
                raise RefusedCall("only a drone can land.")
            await link.take_control()
            await link.land()


def date_with_hour(time_ns: int, hour: float) -> str:
    """The day of a clock at another hour, as simSetTimeOfDay reads it ("%Y-%m-%d %H:%M:%S").

    Args:
        time_ns: nanoseconds since 1970.
        hour: 0..24; the last second of the day is the latest.
    """
    midnight = datetime.fromtimestamp(time_ns // 10**9, UTC).replace(hour=0, minute=0, second=0)
    seconds = min(round(hour * 3600), 24 * 3600 - 1)
    return (midnight + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")
