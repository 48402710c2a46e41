"""The colours in which different AirSims send object ids, for clients that have to tell them apart (`sim --palette`).

plain        the table of docs/seg_rgbs.txt: AirSim 1.6 and later
srgb         the same, sRGB-encoded, with the id 0 of that time: binaries up to 1.3.1
calibrated   off the table, but always in the same way: AirSim 1.4 and 1.5, whose palette was a compressed texture
             (AirSim pull request 3937). Unreal's default compression is BC1, whose colours have 5, 6 and 5 bits; each
             id has a block of pixels to itself, so these are the table's colours in so many bits (Khronos Data Format
             Specification 1.3, section 18.1). The binaries' own values are not published.
"""

from typing import Literal, get_args

import numpy as np

from airsim_seg.palette import OLD_ZERO, palette, srgb_encode
from airsim_seg.types import UInt8Array

PaletteName = Literal["plain", "srgb", "calibrated"]
PALETTE_NAMES: tuple[PaletteName, ...] = get_args(PaletteName)


def segmentation_palette(name: PaletteName) -> UInt8Array:
    """The colour of every id.

    Args:
        name: see this module.

    Returns:
        uint8 [256,3], RGB; no two rows are alike.
    """
    if name == "plain":
        return palette("plain")
    if name == "srgb":
        colours = palette("srgb")
        colours[0] = srgb_encode(np.array(OLD_ZERO, np.uint8))
        return colours
    plain = palette("plain")
    return np.stack([_in_bits(plain[:, channel], bits) for channel, bits in enumerate((5, 6, 5))], -1)


def _in_bits(values: UInt8Array, bits: int) -> UInt8Array:
    """To the nearest of 2^bits levels, and back to 8 bits by repeating the highest of them."""
    levels = np.rint(values / 255 * (2**bits - 1)).astype(np.uint8)
    wide: UInt8Array = levels << (8 - bits) | levels >> (2 * bits - 8)
    return wide
