"""A trained network as a robot uses it: pictures in, labels out, the memory kept between, every frame timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from airsim_seg.benchmark.motion import dis_flow, unknown
from airsim_seg.benchmark.resizing import resize_rgb
from airsim_seg.benchmark.scoring import prepare_frame
from airsim_seg.deploy.runtimes import StreamingModel
from airsim_seg.errors import DataError
from airsim_seg.types import Float32Array, UInt8Array

WARM_UP_FRAMES = 10  # left out of the percentiles: caches and lazy set-up of the runtimes


@dataclass
class Timings:
    """Wall milliseconds of each frame.

    Attributes:
        network_ms: the network alone.
        whole_ms: all from picture to labels, optical flow included; motion that was given is not.
        motion_given: whether any was.
    """

    network_ms: list[float] = field(default_factory=list)
    whole_ms: list[float] = field(default_factory=list)
    motion_given: bool = False

    def sentence(self) -> str:
        """Percentiles and frames a second, after the warm-up where there are frames enough."""
        start = WARM_UP_FRAMES if len(self.whole_ms) >= 2 * WARM_UP_FRAMES else 0
        if not self.whole_ms:
            return "no frame was segmented"
        parts, whole = [], "picture to labels (motion given)" if self.motion_given else "picture to labels"
        for name, values in ((whole, self.whole_ms), ("of it the network", self.network_ms)):
            p50, p95, p99 = np.percentile(values[start:], [50, 95, 99])
            parts.append(f"{name} p50 {p50:.1f} p95 {p95:.1f} p99 {p99:.1f} ms ({1000 / p50:.1f} frames a second)")
        return "; ".join(parts)


class Segmenter:
    """Streams pictures through a model.

    Args:
        model: from deploy.runtimes.open_model.
        trained_motion: where motion came from in training, from deploy.trained.trained_motion.
        clock: seconds, for the timings.

    Attributes:
        wants_poses: whether whoever has true depth and poses should hand over motion from them with each picture.
    """

    def __init__(
        self,
        model: StreamingModel,
        trained_motion: str | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.model = model
        self.wants_poses = trained_motion == "pose" and model.signature.takes_motion
        self.timings = Timings()
        self._clock = clock
        self._before: UInt8Array | None = None

    def __call__(self, rgb: UInt8Array, segment_start: bool, motion: Float32Array | None = None) -> UInt8Array:
        """Segment the next picture.

        Args:
            rgb: uint8 [H,W,3], any size: it is brought to the model's, and the logits back.
            segment_start: True at the first frame and after every cut: memory is emptied.
            motion: float32 [2,h,w] at the model's size, pixels to the picture before, NaN = unknown. Without it a model
                that takes motion gets optical flow between this picture and the one before.

        Returns:
            uint8 [H,W], index into the model's classes.

        Raises:
            DataError: the model's answer is not finite.
        """
        began = self._clock()
        size_hw = self.model.signature.input_hw
        picture = resize_rgb(rgb, size_hw)
        if segment_start:
            self.model.reset()
            self._before = None
        moved = self._motion(picture, size_hw, motion)
        frame = np.asarray(prepare_frame(picture, size_hw).numpy(), np.float32)
        network_began = self._clock()
        logits = self.model.step(frame, moved)
        network_ended = self._clock()
        if not np.isfinite(logits).all():
            raise DataError("the network's answer is not finite: its weights are damaged, or were never trained.")
        labels = _labels(logits, (rgb.shape[0], rgb.shape[1]))
        self._before = picture
        self.timings.network_ms.append(1e3 * (network_ended - network_began))
        self.timings.whole_ms.append(1e3 * (self._clock() - began))
        return labels

    def _motion(self, picture: UInt8Array, size_hw: tuple[int, int], given: Float32Array | None) -> Float32Array | None:
        """What the model takes: float32 [1,2,h,w], or None where it takes none."""
        if not self.model.signature.takes_motion:
            return None
        if given is not None:
            self.timings.motion_given = True
            return given[None]
        flow = unknown(size_hw) if self._before is None else dis_flow(picture, self._before)
        return flow[None]


@torch.inference_mode()
def _labels(logits: Float32Array, size_hw: tuple[int, int]) -> UInt8Array:
    """[1,C,h,w] -> uint8 [H,W], as scoring does it: logits are enlarged, not labels."""
    scores = torch.from_numpy(logits).contiguous(memory_format=torch.channels_last)
    if scores.shape[2:] != size_hw:
        scores = F.interpolate(scores, size=size_hw, mode="bilinear", align_corners=False)
    found: UInt8Array = scores[0].argmax(0).to(torch.uint8).numpy()
    return found
