"""Air pressure that drifts and hisses, and the altitude that an altimeter would make of it.

Source: AirSim's BarometerSimple.hpp, GaussianMarkov.hpp and EarthUtils.hpp.
"""

from dataclasses import dataclass

from airsim_seg import elementary
from airsim_seg.builtin.geometry import EARTH_RADIUS_M
from airsim_seg.builtin.sensors.base import Carrier, Sample, Schedule, Sensor
from airsim_seg.builtin.sensors.noise import Walk, White
from airsim_seg.builtin.sensors.parameters import BarometerSettings

SEA_LEVEL_PA, SEA_LEVEL_K = 101325.0, 288.15
# Troposphere: 6.5 K colder a kilometre; above 11 km it stays (R. Stull, Practical Meteorology, 2017, section 1.2).
LAPSE_K_PER_KM, PRESSURE_EXPONENT = 6.5, 5.255877
TROPOPAUSE_KM, TROPOPAUSE_PA, STRATOSPHERE_PER_KM = 11.0, 22632.06, 0.1577
LOWEST_KM = -5.0
# Pressure altitude in feet as the US National Weather Service gives it.
ALTITUDE_FT, ALTITUDE_EXPONENT, M_PER_FT = 145366.45, 0.190284, 0.3048


@dataclass(frozen=True)
class BarometerReading:
    """What a barometer tells.

    Attributes:
        time_ns: the clock when it was measured.
        altitude_m: pressure altitude, metres above sea level.
        pressure_pa: pascals.
        qnh_hpa: sea-level pressure to which the altimeter is set, hectopascals.
    """

    time_ns: int
    altitude_m: float
    pressure_pa: float
    qnh_hpa: float = SEA_LEVEL_PA / 100


class Barometer(Sensor):
    """Drifts by a Gauss-Markov process that takes one step a sample."""

    title = "barometer"

    def __init__(self, settings: BarometerSettings, carrier: Carrier, name: str) -> None:
        """See Sensor."""
        schedule = Schedule.of(settings.update_frequency_hz, settings.update_latency_s, settings.startup_delay_s)
        super().__init__(schedule)
        self._noisy = settings.generate_noise
        self._sigma_pa = settings.uncorrelated_noise_sigma_pa
        self._origin_down_m, self._home_altitude_m = float(carrier.origin_m[2]), carrier.home.altitude_m
        # AirSim weighs the new number with 1 - decay, not sqrt(1 - decay^2): it drifts by far less than sigma.
        decay = elementary.exp(-schedule.period_ns / 1e9 / settings.pressure_factor_tau_s)
        scale = (1 - decay) * settings.pressure_factor_sigma
        self._drift = Walk(f"{carrier.seed}/{name}/drift", 1, scale, decay)
        self._white = White(f"{carrier.seed}/{name}/white", 1)

    def measure(self, sample: Sample) -> BarometerReading:
        """Read it."""
        down_m = float(sample.kinematics.pose.position_m[2]) + self._origin_down_m
        pressure_pa = standard_pressure_pa(self._home_altitude_m - down_m)
        if self._noisy:
            pressure_pa *= 1 + float(self._drift.at(sample.number)[0])
            pressure_pa += self._sigma_pa * float(self._white.at(sample.number)[0])
        return BarometerReading(sample.time_ns, pressure_altitude_m(pressure_pa), pressure_pa)


def standard_pressure_pa(altitude_m: float) -> float:
    """Pressure of the International Standard Atmosphere, pascals.

    Args:
        altitude_m: above sea level. Below -5 km the air is as at -5 km; above 20 km it thins out as from 11 km on.
    """
    radius_km = EARTH_RADIUS_M / 1e3
    altitude_km = max(LOWEST_KM, altitude_m / 1e3)
    geopotential_km = radius_km * altitude_km / (radius_km + altitude_km)
    if geopotential_km > TROPOPAUSE_KM:
        return TROPOPAUSE_PA * elementary.exp(-STRATOSPHERE_PER_KM * (geopotential_km - TROPOPAUSE_KM))
    share = 1 - LAPSE_K_PER_KM * geopotential_km / SEA_LEVEL_K
    return SEA_LEVEL_PA * elementary.power(share, PRESSURE_EXPONENT)


def pressure_altitude_m(pressure_pa: float) -> float:
    """What an altimeter shows, metres; noise that leaves no pressure counts as one pascal."""
    share = max(pressure_pa, 1.0) / SEA_LEVEL_PA
    return (1 - elementary.power(share, ALTITUDE_EXPONENT)) * ALTITUDE_FT * M_PER_FT
