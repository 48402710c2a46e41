"""AirSim's object ids as colours: the palette in its three dialects, and the rule that gives a name its id.

Sources: the table is AirSim's docs/seg_rgbs.txt (equal to HUDAssets/seg_color_palette.png); the name rule is
AirBlueprintLib.h, InitializeObjectStencilID (the documentation's "modulo 255" is wrong); that binaries up to 1.3.x
send the table sRGB-encoded was read off real captures.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np

from airsim_seg.errors import UnknownColours
from airsim_seg.types import UInt8Array

Variant = Literal["plain", "srgb"]

# 256 rows of RRGGBB, row = id.
_TABLE_HEX = (
    "000000996c067069bf597948bee140cebe3b510d2473b0c3a1ab1b87a9b41d1ac76610eff26b929cc6173159a044da74"
    "0bec09c41e0879431c003541923446e2958f977eabc22707cd78a1d4333cd350d0bd87bc3648cd67fc9d7c157b138445"
    "c3ed845efdafb6fb575aa2f2c71d01fe0ce523c4f4dca33156fed69803815c1f6acfe55a7d4b3062374a7e81eede996d"
    "559822ad451f25807d3a1321863977da7c737800c8e1835cf65a10339bf1ca619bb891b660e82c85f485b4bf1d01dec0"
    "63f2685ba8db4136d9944282cb66ccd84e4bea14fa6dce18a4c2119d17ec9e7258f5166e431123b5d55daab32a34bb94"
    "f7c86f193eae6419f0bfc390fc2443f14d95ed218d77e6551c226c4e62fe72a11e4b32f342e2fd2e684c08ead80ff166"
    "5d0e47c0ffc1fd29a418af78b9f3e7a9e961f3d791488915a07165d65c0da78c93656db535767e03b120283f63ba8b99"
    "58cf644792e3ec26bbd704d712d3427131862f2a3fdb677f39f089e385d39147c9d9adb7fa2871d07d44e0baf945942e"
    "ef55146c74e038d61ab3932b30bcacdd532f9ba6da3ed9bdc6b47ac990a984020e80bd72a3e3702d9db140568e76c1a3"
    "0e204fc82daa4a51023b25d44923e15fe02754aadc9f3aad115bed1f5f5422c9f83f49d181eb6be77328244a5feee49a"
    "3dd4360d5ea58dae008ca7ff755d5bb70abaa51c3d90eec20c9e294c6eea9609798e01f6e688c6053ce9e8fa508f7038"
    "bb469c02b93e8adfe27ab7dea6f503af068cf03bd2f82c0a535234dff8a7570f966fb275c55416ebd07c094c2db01832"
    "9a9ffb956fcfa8e70fd1f7ca50cd98b2ddd51b0826f475336b44be17c78bab58a888ca3a062e56697fb0aef9c5acac8a"
    "e48e5107ccb9163df7e9644e7f416921579e8b9cfc2a07881463b34f96df83b6b86e7b253c8a60d2605e7b301289c5a2"
    "bc120527db97cc8f87f94f494d40b229f64d109a04748613047aebb16ae615770c6805623282351ec0191aa5a60aa052"
    "6a2b832cd867ff65dd2097c4d5dc5946d1e461b85352efe8fba480c10bf5261b9fe58dcb82383793d20ba2cb76ffffff"
)

# ID 0 means "nothing drawn here" (the sky). AirSim up to 1.3.1 painted it (55,181,57); encoded, (128,219,130).
OLD_ZERO = (55, 181, 57)
_UNKNOWN = 256


def srgb_encode(linear: UInt8Array) -> UInt8Array:
    """The IEC 61966-2-1 transfer curve, 8 bits in, 8 bits out."""
    c = linear.astype(np.float64) / 255
    encoded = np.where(c <= 0.0031308, 12.92 * c, 1.055 * c ** (1 / 2.4) - 0.055)
    result: UInt8Array = np.rint(255 * encoded).astype(np.uint8)
    return result


def palette(variant: Variant = "plain") -> UInt8Array:
    """The colour of every id.

    Args:
        variant: "plain" (AirSim 1.6 and later, TartanAir) or "srgb" (binaries up to 1.3.x).

    Returns:
        uint8 [256,3], RGB.
    """
    plain = np.frombuffer(bytes.fromhex("".join(_TABLE_HEX)), np.uint8).reshape(256, 3)
    return plain.copy() if variant == "plain" else srgb_encode(plain)


def id_from_name(name: str) -> int:
    """The id that AirSim gives a mesh of this name when a level starts.

    Args:
        name: the owner's name in any case; digits, underscores and other characters below "a" add nothing.

    Returns:
        (5 + sum of the code points >= 97 of the lower-cased name) mod 256, as AirBlueprintLib.h computes it.
    """
    return (5 + sum(ord(c) for c in name.lower() if ord(c) >= 97)) % 256


@dataclass(frozen=True, eq=False)
class DecodedIds:
    """What a segmentation picture says.

    Attributes:
        raw_ids: uint8 [H,W]; 0 where the colour is unknown.
        variant: the palette that explained the picture.
        num_unknown: pixels whose colour is in no palette.
        unknown_example: one such colour (R,G,B), or None.
    """

    raw_ids: UInt8Array
    variant: Variant
    num_unknown: int
    unknown_example: tuple[int, int, int] | None


@cache
def _lookup(variant: Variant) -> np.ndarray[tuple[int], np.dtype[np.uint16]]:
    """id (or 256 = unknown) of every 24-bit colour: 32 MB, built once a variant, 1 ms a frame to use."""
    table = np.full(1 << 24, _UNKNOWN, np.uint16)
    colours = palette(variant).astype(np.int64)
    zero = np.array([OLD_ZERO], np.uint8)
    if variant == "srgb":
        # Encoding rounds either way by one. The nearest two encoded rows lie 3 apart, so cubes of +-1 never meet.
        offsets = np.stack(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij"), -1).reshape(-1, 3)
        zero = srgb_encode(zero)
    else:
        offsets = np.zeros((1, 3), np.int64)
    for ids, rows in ((np.arange(256), colours), (np.array([0]), zero.astype(np.int64))):
        cubes = np.clip(rows[:, None] + offsets, 0, 255)
        codes = cubes[..., 0] << 16 | cubes[..., 1] << 8 | cubes[..., 2]
        table[codes] = ids[:, None]
    return table


def _looked_up(rgb: UInt8Array, variant: Variant) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    """uint16 [H,W]: ids, or 256 = unknown."""
    # Four bytes are one number: 1 ms at 640x480, where shifting and adding three channels takes 8. The fourth is 255.
    if not rgb.size:
        return np.empty(rgb.shape[:2], np.uint16)
    bgra = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGRA)
    return _lookup(variant).take(bgra.view("<u4")[..., 0] & 0xFFFFFF)


def detect_variant(rgb: UInt8Array) -> Variant:
    """Say which palette explains more of a picture; plain wins a tie.

    Args:
        rgb: uint8 [H,W,3], RGB.
    """
    known = {v: int((_looked_up(rgb, v) != _UNKNOWN).sum()) for v in ("plain", "srgb")}
    return "srgb" if known["srgb"] > known["plain"] else "plain"


def decode(rgb: UInt8Array, variant: Variant | None = None) -> DecodedIds:
    """Turn a segmentation picture into ids.

    Plain colours must match exactly, encoded ones within 1 a channel. ID 0 is known by three colours: black,
    (55,181,57) and, encoded, (128,219,130).

    Args:
        rgb: uint8 [H,W,3], RGB.
        variant: the palette, or None to detect it.

    Returns:
        Ids and the count of pixels that no palette explains; nothing is snapped to a near colour silently.
    """
    chosen: Variant = detect_variant(rgb) if variant is None else variant
    ids = _looked_up(rgb, chosen)
    num_unknown, example = 0, None
    if ids.max(initial=0) == _UNKNOWN:
        unknown = ids == _UNKNOWN
        num_unknown = int(unknown.sum())
        r, g, b = (int(v) for v in rgb[unknown][0])
        example = (r, g, b)
        ids = np.where(unknown, 0, ids)
    return DecodedIds(ids.astype(np.uint8), chosen, num_unknown, example)


def is_channel_swapped(rgb: UInt8Array) -> bool:
    """True where the picture only makes sense with red and blue exchanged (BGR read as RGB).

    No palette colour with R and B exchanged is another palette colour, so the answer is certain when any known
    colour that is not grey is in the picture.

    Args:
        rgb: uint8 [H,W,3], read as RGB.
    """

    def known(picture: UInt8Array) -> int:
        return max(int((_looked_up(picture, v) != _UNKNOWN).sum()) for v in ("plain", "srgb"))

    return known(rgb[..., ::-1]) > known(rgb)


MAX_UNKNOWN_SHARE = 1e-4


def refuse_unknown(num_unknown: int, num_pixels: int, example: tuple[int, int, int] | None, source: str) -> None:
    """Raise where more than one pixel in ten thousand has a colour of no palette.

    Args:
        num_unknown: pixels without an id.
        num_pixels: pixels looked at.
        example: one unknown colour (R,G,B).
        source: the file or simulator, for the message.

    Raises:
        UnknownColours: capture Segmentation uncompressed or as PNG, from AirSim <= 1.3 or >= 1.6.
    """
    if num_unknown > MAX_UNKNOWN_SHARE * num_pixels:
        raise UnknownColours(
            f"{source}: {num_unknown} of {num_pixels} segmentation pixels have a colour of no AirSim palette "
            f"(for example {example}): the pictures are lossy or come from AirSim 1.4-1.5; save masks as PNG or "
            f"use AirSim 1.6 or later."
        )
