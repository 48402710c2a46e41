"""Faults on purpose, so that a client can be tested against a simulator that misbehaves (`sim --fault NAME=N`).

die-after        end at once, as in a crash, at the call after the N-th
hang-after       answer no call after the N-th
delay            answer every call N milliseconds later
truncate-image   send half of the bytes of each picture in the N-th answer of simGetImages
wrong-size       send the pictures of the N-th answer with half the height and width
off-palette      give every 50th pixel of the N-th answer's Segmentation a colour of no id
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from airsim_seg.builtin.answers import ImageAnswer, bytes_of, pixels_of, with_pixels
from airsim_seg.builtin.server import Dispatch, HangUp
from airsim_seg.builtin.shots import SEGMENTATION
from airsim_seg.builtin.wire import binary
from airsim_seg.errors import UsageError

FaultName = Literal["die-after", "hang-after", "delay", "truncate-image", "wrong-size", "off-palette"]
MAX_VALUE = 10**9
# In no palette of segmentation_palettes, nor within 1 of any; a test holds that.
STRAY_BGR = (200, 100, 150)
STRAY_EVERY = 50


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong, and when: a count of calls or of answers with pictures, or milliseconds."""

    name: FaultName
    value: int


def parse_fault(text: str) -> Fault:
    """Read NAME=VALUE.

    Raises:
        UsageError: another name, or no whole number from 0 on.
    """
    name, _, value = text.partition("=")
    known = next((known for known in get_args(FaultName) if known == name), None)
    if known is None or not (value.isascii() and value.isdecimal() and int(value) <= MAX_VALUE):
        raise UsageError(
            f"--fault takes NAME=N with a whole number N, not {text!r}; the names are {', '.join(get_args(FaultName))}."
        )
    return Fault(known, int(value))


class FaultyDispatch:
    """Runs calls as another dispatcher does, until something goes wrong."""

    def __init__(self, dispatch: Dispatch, faults: Sequence[Fault], die: Callable[[], None]) -> None:
        """Wrap a dispatcher.

        Args:
            dispatch: runs the calls.
            faults: all of them happen, each at its time.
            die: ends the process; where it returns, the connection ends.
        """
        self._dispatch, self._die = dispatch, die
        self._faults = faults
        self._num_calls = self._num_pictures = 0

    async def __call__(self, name: str, args: Sequence[object]) -> object:
        """Run one call, or do not; see server.Dispatch."""
        self._num_calls += 1
        for fault in self._faults:
            await self._suffer(fault)
        result = await self._dispatch(name, args)
        if name == "simGetImages" and isinstance(result, list):
            self._num_pictures += 1
            for fault in self._faults:
                if fault.value == self._num_pictures:
                    result = [spoilt(answer, fault.name) for answer in result]
        return result

    async def _suffer(self, fault: Fault) -> None:
        if fault.name == "delay":
            await asyncio.sleep(fault.value / 1000)
        elif fault.name == "die-after" and self._num_calls > fault.value:
            self._die()
            raise HangUp
        elif fault.name == "hang-after" and self._num_calls > fault.value:
            await asyncio.Event().wait()


def spoilt(answer: ImageAnswer, fault: FaultName) -> dict[str, object]:
    """One ImageResponse as a fault leaves it; the same where the fault is about something else."""
    if fault == "wrong-size":
        # Floats become black, which is as wrong.
        return with_pixels(answer, pixels_of(answer)[::2, ::2])
    if fault == "off-palette" and answer["image_type"] == SEGMENTATION and not answer["pixels_as_float"]:
        bgr = pixels_of(answer).copy()
        bgr.reshape(-1, 3)[::STRAY_EVERY] = STRAY_BGR
        return with_pixels(answer, bgr)
    if fault == "truncate-image" and not answer["pixels_as_float"]:
        data = bytes_of(answer)
        return {**answer, "image_data_uint8": binary(data[: data.size // 2])}
    return dict(answer)
