"""The palette against the published table, and decoding against a loop over pixels."""

import csv
from pathlib import Path

import numpy as np
import pytest

from airsim_seg.errors import UnknownColours
from airsim_seg.palette import decode, detect_variant, id_from_name, is_channel_swapped, palette, refuse_unknown

TABLE = Path(__file__).parents[3] / "shared" / "data" / "palette" / "airsim_palette.csv"
OLD_ZERO, OLD_ZERO_ENCODED = (55, 181, 57), (128, 219, 130)


def picture(colours: object) -> np.ndarray:
    return np.array(colours, np.uint8).reshape(1, -1, 3)


def test_the_table_is_airsims() -> None:
    if not TABLE.exists():
        pytest.skip(f"{TABLE} is absent")
    rows = np.array([[int(v) for v in row] for row in list(csv.reader(TABLE.read_text().splitlines()))[1:]])
    assert np.array_equal(rows[:, 0], np.arange(256))
    assert np.array_equal(rows[:, 1:4], palette("plain"))
    assert np.array_equal(rows[:, 4:7], palette("srgb"))


def test_known_colours_of_airsims_documentation() -> None:
    # docs/seg_rgbs.txt, first, second and last line.
    assert palette()[[0, 1, 255]].tolist() == [[0, 0, 0], [153, 108, 6], [255, 255, 255]]


def test_palette_hands_out_copies() -> None:
    palette()[0] = 9
    assert palette()[0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("variant", ["plain", "srgb"])
def test_every_id_comes_back(variant: str) -> None:
    decoded = decode(palette(variant)[None], None)
    assert decoded.variant == variant
    assert decoded.raw_ids.tolist() == [list(range(256))]
    assert decoded.num_unknown == 0
    assert decoded.unknown_example is None


def test_encoded_colours_match_within_one_a_channel_as_a_loop_finds_them() -> None:
    rng = np.random.default_rng(0)
    near = palette("srgb")[rng.integers(0, 256, 100)].astype(int) + rng.integers(-2, 3, (100, 3))
    colours = np.clip(near, 0, 255).astype(np.uint8)
    decoded = decode(picture(colours), "srgb")
    unknown = 0
    rows = [*palette("srgb").astype(int), np.array(OLD_ZERO_ENCODED)]
    for colour, found in zip(colours.astype(int), decoded.raw_ids[0], strict=True):
        hits = [k % 256 for k, row in enumerate(rows) if np.abs(row - colour).max() <= 1]
        assert len(hits) <= 1
        assert found == (hits[0] if hits else 0)
        unknown += not hits
    assert decoded.num_unknown == unknown > 0


def test_plain_colours_match_exactly_or_not_at_all() -> None:
    near = palette().astype(int)
    near[:, 1] += np.where(near[:, 1] < 255, 1, -1)
    known = {tuple(row) for row in [*palette().tolist(), OLD_ZERO]}
    assert not known & {tuple(row) for row in near.tolist()}
    assert decode(picture(near), "plain").num_unknown == 256


@pytest.mark.parametrize(
    ("colour", "variant"), [((0, 0, 0), "plain"), (OLD_ZERO, "plain"), (OLD_ZERO_ENCODED, "srgb"), ((0, 0, 0), "srgb")]
)
def test_id_0_has_three_colours(colour: tuple[int, int, int], variant: str) -> None:
    decoded = decode(picture([colour, (1, 2, 3)]), variant)
    assert decoded.num_unknown == 1
    assert decoded.unknown_example == (1, 2, 3)
    assert decoded.raw_ids.tolist() == [[0, 0]]


def test_an_empty_picture_decodes_to_nothing() -> None:
    assert decode(np.zeros((0, 4, 3), np.uint8)).raw_ids.shape == (0, 4)


def test_plain_wins_a_tie() -> None:
    assert detect_variant(picture([(0, 0, 0), (255, 255, 255)])) == "plain"


@pytest.mark.parametrize("variant", ["plain", "srgb"])
def test_exchanged_channels_are_told(variant: str) -> None:
    colours = palette(variant)[1:255][None]
    assert not is_channel_swapped(colours)
    assert is_channel_swapped(colours[..., ::-1])


def test_one_pixel_in_ten_thousand_is_let_through_and_no_more() -> None:
    refuse_unknown(1, 10_000, (1, 2, 3), "a.png")
    with pytest.raises(UnknownColours, match=r"a\.png: 2 of 10000.*\(1, 2, 3\)"):
        refuse_unknown(2, 10_000, (1, 2, 3), "a.png")


@pytest.mark.parametrize(
    ("name", "raw_id"),
    [
        # printed in AirSim's pull request 2855
        ("cylinder2", 95),
        ("ground", 148),
        ("templatecube_rounded_10", 241),
        ("orangeball", 28),
        # read off captures of AirSimNH 1.3.1
        ("Road_64", 171),
        ("Tree_2", 181),
        ("InstancedFoliageActor_0", 174),
        ("", 5),
        ("0_1", 5),
    ],
)
def test_the_name_rule(name: str, raw_id: int) -> None:
    assert id_from_name(name) == id_from_name(name.upper()) == raw_id
