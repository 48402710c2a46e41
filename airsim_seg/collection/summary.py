"""What a recording holds, in a row of a table."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from airsim_seg.label_maps import LabelMap
from airsim_seg.recordings import RecordingReader
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.types import Int64Array

SEAM_STEPS = 3


@dataclass(frozen=True)
class VideoSummary:
    """One recording.

    Attributes:
        path: the file.
        num_frames: frames in it.
        num_ids: different raw ids in it.
        classes: names of the classes that its ids belong to, in taxonomy order.
        unmapped_ids: raw ids in it that the label map does not name.
        sim_rate_hz: frames a second by the simulator's own clock; None where that clock stood or ran backwards.
        num_unknown: pixels of unknown colour met while recording; None where it was not recorded just now.
        mean_change: mean share of pixels whose id differs from the frame before; 0 for a single frame.
    """

    path: Path
    num_frames: int
    num_ids: int
    classes: tuple[str, ...]
    unmapped_ids: tuple[int, ...]
    sim_rate_hz: float | None
    num_unknown: int | None
    mean_change: float


def summarise(path: Path, label_map: LabelMap, num_unknown: int | None = None) -> VideoSummary:
    """Read a recording once through.

    Args:
        path: the recording.
        label_map: of its environment.
        num_unknown: see VideoSummary.
    """
    counts = np.zeros(256, np.int64)
    changes = []
    with RecordingReader(path) as reader:
        before = None
        for index in range(reader.num_frames):
            ids = reader.raw_ids(index)
            counts += np.bincount(ids.reshape(-1), minlength=256)
            if before is not None:
                changes.append(np.count_nonzero(ids != before) / ids.size)
            before = ids
        stamps = reader.sim_time_ns
    seen = np.flatnonzero(counts)
    labels = set(label_map.lut[seen].tolist())
    return VideoSummary(
        path=path,
        num_frames=len(stamps),
        num_ids=len(seen),
        classes=tuple(name for index, name in enumerate(CLASS_NAMES) if index in labels),
        unmapped_ids=tuple(int(raw_id) for raw_id in seen if not label_map.mapped[raw_id]),
        sim_rate_hz=_rate_hz(stamps),
        num_unknown=num_unknown,
        mean_change=float(np.mean(changes)) if changes else 0.0,
    )


def _rate_hz(stamps_ns: Int64Array) -> float | None:
    """From the mean step, for AirSim's are uneven; without the seam of a resumed recording, which is far longer."""
    steps = np.diff(stamps_ns)
    if not len(steps) or np.median(steps) <= 0:
        return None
    return float(1e9 / steps[steps < SEAM_STEPS * np.median(steps)].mean())
