"""The palettes that the simulator can speak, against what the decoder understands."""

import numpy as np
import pytest

from airsim_seg.builtin.faults import STRAY_BGR
from airsim_seg.builtin.segmentation_palettes import PALETTE_NAMES, segmentation_palette
from airsim_seg.cli.sim import PALETTES
from airsim_seg.palette import decode, palette

ALL_IDS = np.arange(256, dtype=np.uint8).reshape(16, 16)


@pytest.mark.parametrize("name", PALETTE_NAMES)
def test_no_two_ids_look_alike(name):
    assert len(np.unique(segmentation_palette(name), axis=0)) == 256


@pytest.mark.parametrize("name", ["plain", "srgb"])
def test_decoder_knows_it(name):
    decoded = decode(segmentation_palette(name)[ALL_IDS])
    assert decoded.variant == name
    assert decoded.num_unknown == 0
    assert np.array_equal(decoded.raw_ids, ALL_IDS)


def test_srgb_has_the_sky_of_real_captures():
    """(128,219,130) is the sky in 1,534 masks from AirSim 1.3.1."""
    assert segmentation_palette("srgb")[0].tolist() == [128, 219, 130]


def test_calibrated_is_near_the_table_and_on_no_other():
    colours = segmentation_palette("calibrated")
    off = np.abs(colours.astype(int) - palette().astype(int)).max(axis=1)
    assert off.max() <= 4
    decoded = decode(colours[ALL_IDS])
    # Black and white are what they are in any number of bits.
    assert decoded.num_unknown == 254


def test_stray_colour_of_the_fault_is_in_no_palette():
    stray = np.array(STRAY_BGR[::-1])
    assert all(np.abs(segmentation_palette(name).astype(int) - stray).max(axis=1).min() > 1 for name in PALETTE_NAMES)


def test_command_line_offers_each():
    assert PALETTES == PALETTE_NAMES
