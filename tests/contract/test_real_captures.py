"""Real captures of AirSimNH (microsoft/AirSim 1.3.1) through import and remap, against classes assigned by eye."""

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from airsim_seg.importers.pairs import import_pairs
from airsim_seg.inventory import find_recordings, find_videos
from airsim_seg.recordings import RecordingReader
from airsim_seg.remap import remap_folder
from airsim_seg.taxonomy import IGNORE
from airsim_seg.videos import VideoReader

CAPTURES = Path(__file__).parents[3] / "shared" / "data" / "airsim_neighborhood"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (CAPTURES / "index.csv").exists(), reason=f"{CAPTURES} is absent"),
]


def index_rows(video: str) -> list[dict[str, str]]:
    rows = csv.DictReader((CAPTURES / "index.csv").read_text().splitlines())
    return [row for row in rows if row["video"] == video and row["rgb_black"] == "0"]


def agreement(video: VideoReader, rows: list[dict[str, str]]) -> float:
    """Share of the labelled pixels whose label is the one by eye."""
    same = labelled = 0
    assert video.num_frames == len(rows)
    for k, row in enumerate(rows):
        by_eye = cv2.imread(str(CAPTURES / row["class11"]), cv2.IMREAD_UNCHANGED)
        known = by_eye != IGNORE
        labelled += int(known.sum())
        same += int((video.labels(k)[known] == by_eye[known]).sum())
    return same / labelled


def test_palette_colours_of_leg_1_become_its_classes(tmp_path: Path) -> None:
    (report,) = import_pairs(CAPTURES / "original", tmp_path / "raw", environment="Neighborhood")
    assert (report.num_frames, report.num_segments, report.num_unknown, report.mask_kind) == (128, 1, 0, "srgb")
    rows = index_rows("front_leg1")
    with RecordingReader(report.path) as recording:
        for k in (0, 64, 127):
            exact = cv2.imread(str(CAPTURES / rows[k]["raw_id"]), cv2.IMREAD_UNCHANGED)
            assert np.array_equal(recording.raw_ids(k), exact)
    remap_folder(tmp_path / "raw", tmp_path / "videos")
    (path,) = find_videos(tmp_path / "videos")
    with VideoReader(path) as video:
        assert agreement(video, rows) >= 0.99


def test_three_legs_by_their_index(tmp_path: Path) -> None:
    reports = import_pairs(CAPTURES, tmp_path / "raw", environment="Neighborhood", rate_hz=10)
    assert [(r.path.stem, r.num_frames, r.num_segments, r.num_black) for r in reports] == [
        ("front_leg0", 127, 1, 1),
        ("front_leg1", 128, 1, 0),
        ("front_leg2", 255, 1, 0),
    ]
    assert len(find_recordings(tmp_path / "raw")) == 3
    for done in remap_folder(tmp_path / "raw", tmp_path / "videos"):
        with VideoReader(done.target) as video:
            assert video.time_ns[:3].tolist() == [0, 100_000_000, 200_000_000]
            assert agreement(video, index_rows(done.target.stem)) >= 0.99
