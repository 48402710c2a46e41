"""Faults on purpose: when they happen, what they leave, and what --fault refuses."""

import asyncio

import cv2
import numpy as np
import pytest

from airsim_seg.builtin.answers import bytes_of, pixels_of, with_pixels
from airsim_seg.builtin.contact_sheet import CAPTION_PX, GAP_PX, contact_sheet
from airsim_seg.builtin.faults import STRAY_BGR, Fault, FaultyDispatch, parse_fault, spoilt
from airsim_seg.builtin.server import HangUp
from airsim_seg.builtin.shots import SCENE, SEGMENTATION
from airsim_seg.errors import UsageError

GREY = np.full((20, 30, 3), 90, np.uint8)


def answer(kind=SEGMENTATION, *, compress=False, as_float=False):
    empty = {"image_type": kind, "compress": compress, "pixels_as_float": as_float, "width": 1, "height": 1}
    return with_pixels(empty | {"image_data_uint8": b"", "image_data_float": []}, GREY)


async def echo(name, args):  # noqa: ARG001
    return [answer()] if name == "simGetImages" else name


def test_it_dies_at_the_call_after_the_nth():
    deaths = []
    dispatch = FaultyDispatch(echo, [Fault("die-after", 2)], lambda: deaths.append(1))

    async def calls():
        assert [await dispatch("ping", []) for _ in range(2)] == ["ping", "ping"]
        assert not deaths
        with pytest.raises(HangUp):
            await dispatch("ping", [])

    asyncio.run(calls())
    assert deaths == [1]


def test_it_hangs_for_good_and_for_every_call():
    dispatch = FaultyDispatch(echo, [Fault("hang-after", 1)], pytest.fail)

    async def calls():
        assert await dispatch("ping", []) == "ping"
        waiting = [asyncio.ensure_future(dispatch("ping", [])) for _ in range(3)]
        for _ in range(10):
            await asyncio.sleep(0)
        assert not any(call.done() for call in waiting)
        for call in waiting:
            call.cancel()

    asyncio.run(calls())


def test_only_the_nth_answer_with_pictures_is_spoilt():
    dispatch = FaultyDispatch(echo, [Fault("wrong-size", 2)], pytest.fail)

    async def widths():
        await dispatch("ping", [])
        return [(await dispatch("simGetImages", []))[0]["width"] for _ in range(3)]

    assert asyncio.run(widths()) == [30, 15, 30]


@pytest.mark.parametrize("compress", [False, True])
def test_stray_colours_are_in_one_pixel_of_fifty(compress):
    pixels = pixels_of(spoilt(answer(compress=compress), "off-palette"))
    assert pixels.shape == GREY.shape
    assert (pixels == STRAY_BGR).all(-1).sum() == 12
    assert (pixels == 90).all(-1).sum() == 20 * 30 - 12
    assert np.array_equal(pixels_of(spoilt(answer(SCENE, compress=compress), "off-palette")), GREY)


def test_half_of_the_bytes_are_gone():
    assert bytes_of(spoilt(answer(), "truncate-image")).size == 20 * 30 * 3 // 2
    png = bytes_of(answer(compress=True))
    assert np.array_equal(bytes_of(spoilt(answer(compress=True), "truncate-image")), png[: png.size // 2])


@pytest.mark.parametrize("compress", [False, True])
def test_wrong_size_is_a_whole_picture(compress):
    small = spoilt(answer(compress=compress), "wrong-size")
    assert (small["height"], small["width"]) == (10, 15)
    data = bytes_of(small)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if compress else data.reshape(10, 15, 3)
    assert (picture == 90).all()


def test_floats_stay_floats():
    small = spoilt(answer(as_float=True), "wrong-size")
    assert (small["height"], small["width"]) == (10, 15)
    assert not bytes_of(small).size


@pytest.mark.parametrize(
    "text", ["", "delay", "delay=", "delay=x", "delay=-1", "delay=1.5", "delay=²", "Delay=1", "=1"]
)
def test_what_is_no_fault_is_refused_with_the_names(text):
    with pytest.raises(UsageError, match=r"NAME=N with a whole number N.*off-palette"):
        parse_fault(text)


def test_fault_is_read():
    assert parse_fault("truncate-image=12") == Fault("truncate-image", 12)


def test_contact_sheet_has_each_tile_in_its_place():
    tiles = [(np.full((10, 40, 3), 10 * number, np.uint8), f"tile {number}") for number in range(1, 4)]
    sheet = contact_sheet(tiles, 2)
    pitch = 10 + CAPTION_PX + GAP_PX
    assert sheet.shape == (2 * pitch + GAP_PX, 2 * 44 + GAP_PX, 3)
    for number, (row, column) in enumerate(((0, 0), (0, 1), (1, 0)), start=1):
        top, left = GAP_PX + row * pitch, GAP_PX + column * 44
        assert (sheet[top : top + 10, left : left + 40] == 10 * number).all()
        assert (sheet[top + 10 : top + 10 + CAPTION_PX, left : left + 40] < 200).any(), "its caption"
    assert (sheet[pitch:, 48:] == 255).all(), "there is no fourth"
