"""Another sun and another weather for every video: what a network should not learn by heart."""

import numpy as np

from airsim_seg.simulators.base import WEATHER, Conditions

FIRST_MONTH, LAST_MONTH = 4, 9  # in winter the sun of AirSim's default place, 47.6 degrees north, hardly rises
FIRST_MINUTE, LAST_MINUTE = 8 * 60, 17 * 60
CLEAR_SHARE = 0.5
LEAST, MOST = 0.2, 0.8
# What comes together, and how much of it at full strength: AirSim's fog at 1 hides everything.
KINDS = (
    {"rain": 1.0, "road_wetness": 1.0},
    {"snow": 1.0, "road_snow": 0.7},
    {"maple_leaf": 0.7, "road_leaf": 1.0},
    {"road_wetness": 1.0},
    {"dust": 0.5},
    {"fog": 0.4},
)


def draw_conditions(rng: np.random.Generator) -> Conditions:
    """A day and hour between spring and autumn, and for every other video some weather.

    Args:
        rng: makes the choice; the same generator gives the same conditions.
    """
    month, day = rng.integers(FIRST_MONTH, LAST_MONTH + 1), rng.integers(1, 29)
    minutes = int(rng.integers(FIRST_MINUTE, LAST_MINUTE + 1))
    kind, amount = KINDS[rng.integers(len(KINDS))], rng.uniform(LEAST, MOST)
    shown = {} if rng.random() < CLEAR_SHARE else kind
    weather = tuple(round(float(amount * shown.get(effect, 0.0)), 3) for effect in WEATHER)
    return Conditions(f"2021-{month:02d}-{day:02d} {minutes // 60:02d}:{minutes % 60:02d}:00", weather)
