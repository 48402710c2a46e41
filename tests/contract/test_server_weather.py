"""Weather, time of day and light: what the RPCs set and what the renderer is given."""

import calendar

import airsim
import pytest

from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
from airsim_seg.builtin.geometry import HOME
from airsim_seg.builtin.scenery import BREEZE_MPS
from airsim_seg.builtin.sun import sun_position, towards
from airsim_seg.builtin.weather import CLEAR, DAYLIGHT, Weather

RAIN, FOG = airsim.WeatherParameter.Rain, airsim.WeatherParameter.Fog


@pytest.fixture
def running(serve):
    return serve("ComputerVision")


@pytest.fixture
def client(running):
    return running.client()


def sun_at(unix_s):
    """Where the sun is seen from AirSim's default origin."""
    return pytest.approx(towards(sun_position(unix_s, HOME.latitude_deg, HOME.longitude_deg)))


def utc(*date):
    return calendar.timegm((*date, 0, 0, 0))


def test_effects_show_only_while_weather_is_on(running, client):
    client.simSetWeatherParameter(RAIN, 0.5)
    client.simEnableWeather(True)
    assert running.world.moment().weather == CLEAR, "what is set while it is off is lost, as in AirSim"
    client.simSetWeatherParameter(RAIN, 0.5)
    client.simSetWeatherParameter(FOG, 7)
    assert running.world.moment().weather == Weather(rain=0.5, fog=1.0)
    client.simEnableWeather(False)
    assert running.world.moment().weather == CLEAR
    client.simSetWeatherParameter(airsim.WeatherParameter.Enabled, 1)
    assert running.world.moment().weather == Weather(rain=0.5, fog=1.0), "what was set is kept"


def test_leaves_feel_a_breeze_and_what_clients_set_beside_it(serve):
    running = serve("Multirotor")
    client = running.client()
    calm = running.world.moment()
    assert calm.wind_mps == BREEZE_MPS
    assert running.world.moment() is calm, "the clock stands, and so do the leaves"
    client.simSetWind(airsim.Vector3r(4.0, -2.0, 0.5))
    assert running.world.moment().wind_mps == (BREEZE_MPS[0] + 4.0, BREEZE_MPS[1] - 2.0, 0.5)
    client.simContinueForTime(0.5)
    assert running.world.moment().time_ns == calm.time_ns + 500_000_000


def test_every_effect_has_airsims_number(running, client):
    client.simEnableWeather(True)
    names = ["Rain", "Roadwetness", "Snow", "RoadSnow", "MapleLeaf", "RoadLeaf", "Dust", "Fog"]
    for number, name in enumerate(names):
        assert getattr(airsim.WeatherParameter, name) == number
        client.simSetWeatherParameter(number, (number + 1) / 10)
    shown = Weather(0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    assert running.world.moment().weather == shown
    for number in (-1, 9, 300):
        client.simSetWeatherParameter(number, 1.0)
    assert running.world.moment().weather == shown


def test_the_sun_follows_the_date_in_the_zone_of_the_place(running, client):
    client.simSetTimeOfDay(True, "2018-02-12 15:20:00")
    # AirSim's default origin is near Seattle, eight hours behind Greenwich.
    assert running.world.moment().sun.towards == sun_at(utc(2018, 2, 12, 23, 20, 0))
    client.simSetTimeOfDay(True, "2018-02-12 15:20:00", is_start_datetime_dst=True)
    assert running.world.moment().sun.towards == sun_at(utc(2018, 2, 12, 22, 20, 0))
    client.simSetTimeOfDay(False)
    assert running.world.moment().sun == DAYLIGHT


def test_the_sun_moves_on_at_its_own_pace_and_in_its_own_steps(running, client):
    start = utc(2020, 6, 1, 18, 0, 0)
    client.simSetTimeOfDay(True, "2020-06-01 10:00:00", celestial_clock_speed=100, update_interval_secs=10)
    client.simContinueForTime(9.9)
    assert running.world.moment().sun.towards == sun_at(start)
    client.simContinueForTime(0.2)
    assert running.world.moment().sun.towards == sun_at(start + 1000)
    client.simContinueForTime(25)
    assert running.world.moment().sun.towards == sun_at(start + 3000)


def test_now_is_the_simulations_clock(running, client):
    client.simSetTimeOfDay(True)
    assert running.world.moment().sun.towards == sun_at(DEFAULT_EPOCH_NS / 1e9)


def test_a_sun_that_may_not_move_stays_where_it_is(running, client):
    client.simSetTimeOfDay(True, "2020-06-01 10:00:00", move_sun=False)
    assert running.world.moment().sun == DAYLIGHT
    client.simSetTimeOfDay(True, "2020-06-01 10:00:00")
    before = running.world.moment().sun
    client.simSetTimeOfDay(True, "2020-06-01 20:00:00", move_sun=False)
    assert running.world.moment().sun == before


@pytest.mark.parametrize("date", ["yesterday", "2018-02-30 10:00:00", "2018-02-12", "2018-02-12T15:20:00"])
def test_dates_that_do_not_read_are_refused_and_change_nothing(running, client, date):
    with pytest.raises(Exception, match="2018-02-12 15:20:00"):
        client.simSetTimeOfDay(True, date)
    assert running.world.moment().sun == DAYLIGHT


def test_the_sun_is_the_one_light(running, client):
    assert client.simSetLightIntensity("Lamp", 5.0) is False
    assert running.world.moment().sun == DAYLIGHT
    assert client.simSetLightIntensity("Sun", 5.0) is True
    assert running.world.moment().sun.intensity == 5.0


def test_pictures_get_the_weather_and_requests_of_one_call_share_it(running, client):
    moments = []
    render = running.renderer.render
    running.renderer.render = lambda view, moment, **_: moments.append(moment) or render(view, moment)
    client.simEnableWeather(True)
    client.simSetWeatherParameter(FOG, 0.25)
    client.simSetTimeOfDay(True, "2020-06-01 10:00:00")
    client.simGetImages([airsim.ImageRequest("0", kind, False, False) for kind in (0, 1, 5)])
    assert [moment.weather for moment in moments] == [Weather(fog=0.25)]
    client.reset()
    now = running.world.moment()
    assert (now.weather, now.sun) == (moments[0].weather, moments[0].sun), "a reset is of vehicles only"
