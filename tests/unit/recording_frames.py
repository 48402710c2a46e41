"""Small recordings as real files."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from airsim_seg.recordings import RecordingHeader, RecordingWriter
from airsim_seg.types import Frame, Pose, UInt8Array

SIZE_HW = (6, 8)


def make_header(size_hw: tuple[int, int] = SIZE_HW, **changes: object) -> RecordingHeader:
    """A header with everything in it."""
    values: dict[str, object] = {
        "environment": "Testland",
        "rate_hz": 25.0,
        "size_hw": size_hw,
        "camera_matrix": np.diag([4.0, 4.0, 1.0]),
        "poses": "camera",
        "provenance": {"seed": 7},
        "objects": (("Tree_1", 181), ("Tree_2", 181), ("Häuschen", 3)),
    }
    return RecordingHeader(**(values | changes))  # type: ignore[arg-type]


def make_frame(k: int, size_hw: tuple[int, int] = SIZE_HW, **changes: object) -> Frame:
    """Frame k of one segment at 25 Hz, always the same."""
    rng = np.random.default_rng(k)
    pose = Pose.from_euler([k, 2.0, -3.0], yaw_rad=0.1 * k)
    values: dict[str, object] = {
        "time_ns": 40_000_000 * k,
        "sim_time_ns": 100 + k,
        "wall_time_ns": 200 + k,
        "rgb": rng.integers(0, 256, (*size_hw, 3), np.uint8),
        "raw_ids": rng.integers(0, 256, size_hw, np.uint8),
        "pose": pose,
        "segment_start": k == 0,
    }
    return Frame(**(values | changes))  # type: ignore[arg-type]


def write_recording(path: Path, ids: Sequence[UInt8Array], *, finish: bool = True, **header: object) -> None:
    """A recording that shows these raw ids."""
    with RecordingWriter.create(path, make_header(ids[0].shape, **header)) as recording:
        for k, raw_ids in enumerate(ids):
            recording.append(make_frame(k, raw_ids.shape, raw_ids=raw_ids))
        if finish:
            recording.finish()
