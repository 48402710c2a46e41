"""Noise on pictures: each number does what docs/settings.md says, and nothing else changes."""

from dataclasses import replace

import numpy as np
import pytest

from airsim_seg.builtin.camera_settings import NoiseSettings
from airsim_seg.builtin.picture_noise import noisy

QUIET = NoiseSettings(True, 0.0, horz_wave_contrib=0.0, horz_noise_lines_contrib=0.0, horz_distortion_contrib=0.0)
GREY = np.full((90, 120, 3), 100, np.uint8)
STRIPES = np.repeat(np.tile(np.arange(120, dtype=np.uint8) * 2, (90, 1))[..., None], 3, 2)
HALF_S = 500_000_000


def changed(picture, time_ns=0, **own):
    return (noisy(picture, replace(QUIET, **own), "key", time_ns) != picture).any(-1)


def test_without_contributions_nothing_changes_and_airsims_defaults_change_something():
    np.testing.assert_array_equal(noisy(STRIPES, QUIET, "key", 7), STRIPES)
    assert (noisy(STRIPES, NoiseSettings(True), "key", 7) != STRIPES).any()


def test_the_same_key_and_clock_give_the_same_noise():
    first, again = (noisy(STRIPES, NoiseSettings(True), "key", 7) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (noisy(STRIPES, NoiseSettings(True), "other", 7) != first).any()
    assert (noisy(STRIPES, NoiseSettings(True), "key", 8_000_000) != first).any()


@pytest.mark.parametrize(("density", "share"), [(1.0, 1.0), (2.0, np.exp(-1)), (4.0, np.exp(-3))])
def test_density_says_how_few_pixels_are_noisy(density, share):
    hit = changed(GREY, rand_contrib=1.0, rand_density=density, rand_size=500)
    assert hit.mean() == pytest.approx(share, abs=0.02)


def test_size_is_how_many_squares_there_are_across():
    picture = noisy(GREY, replace(QUIET, rand_contrib=1.0, rand_density=1.0, rand_size=10), "key", 0)
    blocks = picture[:84, :, 0].reshape(7, 12, 10, 12)
    assert (blocks == blocks[:, :1, :, :1]).all()
    assert len(np.unique(blocks[:, 0, :, 0])) > 40


def test_speed_1_stands_and_the_default_does_not():
    own = replace(QUIET, rand_contrib=1.0)
    still = [noisy(GREY, replace(own, rand_speed=1.0), "key", time_ns) for time_ns in (0, HALF_S)]
    np.testing.assert_array_equal(*still)
    assert (noisy(GREY, own, "key", 0) != noisy(GREY, own, "key", 3_000_000)).any()


def test_contributions_blend():
    full = noisy(GREY, replace(QUIET, rand_contrib=1.0, rand_density=1.0), "key", 0).astype(float)
    half = noisy(GREY, replace(QUIET, rand_contrib=0.5, rand_density=1.0), "key", 0)
    assert np.abs(half - (full + 100) / 2).max() <= 1


def test_lines_have_their_rows_and_their_pixels():
    hit = changed(GREY, horz_noise_lines_contrib=1.0, horz_noise_lines_density_y=0.5, horz_noise_lines_density_xy=0.3)
    rows = hit.any(1)
    assert rows.mean() == pytest.approx(0.3, abs=0.15)
    assert hit[rows].mean() == pytest.approx(0.5, abs=0.05)


def test_rows_shake_by_no_more_than_the_strength():
    shaken = noisy(STRIPES, replace(QUIET, horz_distortion_contrib=1.0, horz_distortion_strength=0.05), "key", 0)
    shift = (STRIPES[:, 60, 0].astype(int) - shaken[:, 60, 0]) / 2
    assert np.abs(shift).max() <= 6
    assert len(set(shift)) > 5, "each row for itself"
    assert (shift[:, None] * 2 == STRIPES[:, 20:100, 0].astype(int) - shaken[:, 20:100, 0]).all(), "as a whole"


def test_the_wave_is_a_band_that_runs_down_a_part_of_the_picture():
    own = {"horz_wave_contrib": 1.0, "horz_wave_strength": 0.2, "horz_wave_screen_size": 0.5}
    rows = {time_ns: np.flatnonzero(changed(STRIPES, time_ns, **own).any(1)) for time_ns in (HALF_S // 2, HALF_S)}
    centres = {time_ns: found.mean() / 90 for time_ns, found in rows.items()}
    assert centres[HALF_S] - centres[HALF_S // 2] == pytest.approx(0.25, abs=0.03)
    assert not changed(STRIPES, HALF_S, **own)[:, 60:].any(), "the right half stays"
    low = np.flatnonzero(changed(STRIPES, HALF_S, horz_wave_vert_size=0.3, **own).any(1))
    assert len(low) < len(rows[HALF_S])


@pytest.mark.parametrize("value", [0.0, 1e9])
def test_no_number_that_settings_take_breaks_it(value):
    own = NoiseSettings(True, *[value] * 13)
    assert noisy(STRIPES, own, "key", 10**18).shape == STRIPES.shape
