"""Pictures of the simulator as messages for the page."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from airsim_seg.errors import SimulatorError, SimulatorLost, UnknownColours
from airsim_seg.simulators.pictures import PictureDecoder
from airsim_seg.types import UInt8Array
from airsim_seg.viewer.messages import FRAME, binary, deflated, jpeg


@dataclass(frozen=True, eq=False)
class Frame:
    """What one answer to (Scene, Segmentation) shows.

    Attributes:
        rgb: uint8 [H,W,3].
        raw_ids: uint8 [H,W], or None where they cannot be read.
        time_ns: the simulator's stamp.
        note: why there are no ids, or "".
    """

    rgb: UInt8Array
    raw_ids: UInt8Array | None
    time_ns: int
    note: str = ""

    def message(self) -> bytes:
        """The frame for the page: parts are the JPEG and the deflated ids, which are empty where there are none."""
        height, width = self.rgb.shape[:2]
        parts = [jpeg(self.rgb), b"" if self.raw_ids is None else deflated(self.raw_ids)]
        return binary(FRAME, parts, width=width, height=height, time_ns=str(self.time_ns), note=self.note)


class FrameReader:
    """Reads the answers of one simulator; remembers its palette."""

    def __init__(self, source: str) -> None:
        self._decoder = PictureDecoder(source)
        self._source = source

    def read(self, responses: list[Any]) -> Frame:
        """Decode; a segmentation that nobody can read costs the ids alone.

        Args:
            responses: to Scene and Segmentation, as airsim.ImageResponse.

        Raises:
            SimulatorLost: there is no colour picture either.
        """
        try:
            capture = self._decoder.decode(responses, 0)
        except (SimulatorError, UnknownColours) as error:
            return Frame(self._colour(responses), None, int(responses[0].time_stamp), str(error))
        return Frame(capture.rgb, capture.raw_ids, capture.sim_time_ns)

    def _colour(self, responses: list[Any]) -> UInt8Array:
        if not responses:
            raise SimulatorLost(f"{self._source} sent no picture.")
        shape = (int(responses[0].height), int(responses[0].width), 3)
        data = np.frombuffer(responses[0].image_data_uint8, np.uint8)
        if data.size == 0 or data.size != np.prod(shape):
            raise SimulatorLost(f"{self._source} sent {data.size} bytes for a picture of {shape[1]}x{shape[0]}.")
        return np.ascontiguousarray(data.reshape(shape)[..., ::-1])
