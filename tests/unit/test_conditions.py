"""What videos are filmed under: valid for AirSim, spread out, the same from the same seed."""

from datetime import datetime

import numpy as np

from airsim_seg.builtin.weather import EFFECTS
from airsim_seg.collection.conditions import CLEAR_SHARE, KINDS, draw_conditions
from airsim_seg.simulators.base import WEATHER


def test_they_are_what_airsim_takes() -> None:
    drawn = [draw_conditions(np.random.default_rng([3, k])) for k in range(600)]
    assert drawn[:5] == [draw_conditions(np.random.default_rng([3, k])) for k in range(5)]
    for conditions in drawn:
        at = datetime.strptime(conditions.date_time, "%Y-%m-%d %H:%M:%S")
        assert 4 <= at.month <= 9
        assert 8 <= at.hour <= 17
        assert len(conditions.weather) == len(WEATHER)
        assert all(0 <= amount <= 0.8 and isinstance(amount, float) for amount in conditions.weather)
    clear = np.mean([not any(conditions.weather) for conditions in drawn])
    assert abs(clear - CLEAR_SHARE) < 0.08
    shown = np.array([conditions.weather for conditions in drawn]) > 0
    assert (shown.mean(0) > 0.05).all(), "every effect is met"
    assert {name for kind in KINDS for name in kind} == set(WEATHER)


def test_both_sides_of_the_wire_name_the_effects_alike() -> None:
    assert WEATHER == EFFECTS
