"""Recordings into videos: every raw id becomes the class that the label map gives it, or the command refuses.

The pictures are copied as the recording holds them, not coded again. A video takes its name only when it is whole, and
says which bytes and which label map it was made from: made again from the same, it is left alone.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from airsim_seg.errors import DataError, MissingData, UnmappedIds, UsageError
from airsim_seg.hdf5 import Chunk
from airsim_seg.inventory import find_recordings
from airsim_seg.label_maps import LabelMap, load_label_map
from airsim_seg.recordings import RecordingReader
from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.types import Float32Array, Int64Array, Pose, UInt8Array
from airsim_seg.videos import VideoHeader, VideoReader, VideoWriter


@dataclass(frozen=True, eq=False)
class RemapReport:
    """What became of one recording.

    Attributes:
        source, target: the recording and the video.
        num_frames: in the video.
        skipped: the video was made from the same bytes with the same map before, and was left alone.
        label_pixels: int64 [256], pixels of each label (255 = ignore); zeros where skipped.
    """

    source: Path
    target: Path
    num_frames: int
    skipped: bool
    label_pixels: Int64Array = field(default_factory=lambda: np.zeros(256, np.int64))


def remap_recording(
    source: Path,
    target: Path,
    label_map: LabelMap,
    *,
    on_frame: Callable[[int, int], None] | None = None,
    incomplete: bool = False,
    force: bool = False,
) -> RemapReport:
    """Make one video.

    Args:
        source: a recording.
        target: the video; replaced only by a whole one.
        label_map: compiled with the recording's own objects.
        on_frame: called with (frames done, frames in all).
        incomplete: take a recording that was not finished, up to its last commit.
        force: make it again even if nothing changed.

    Raises:
        UnmappedIds: with a table; nothing was written.
        DataError: the recording is not finished, or holds no frame.
        StorageError: the disk refuses; nothing was written.
    """
    if source.resolve() == target.resolve():
        raise UsageError(f"{source} cannot be remapped onto itself: name another --out.")
    with RecordingReader(source) as recording:
        if not recording.num_frames:
            raise DataError(f"{source} holds no frame: collect it again.")
        if not (recording.complete or incomplete):
            raise DataError(
                f"{source} is not finished ({recording.num_frames} frames): run the command that made it again to "
                "resume it, or remap what is there with --incomplete."
            )
        sha256 = file_sha256(source)
        if not force and _is_current(target, sha256, label_map):
            return RemapReport(source, target, recording.num_frames, skipped=True)
        pixels = _write(recording, target, label_map, sha256, on_frame)
        return RemapReport(source, target, recording.num_frames, skipped=False, label_pixels=pixels)


def remap_folder(
    raw: Path,
    out: Path,
    *,
    environment: str | None = None,
    label_map_path: Path | None = None,
    incomplete: bool = False,
    force: bool = False,
    on_frame: Callable[[Path, int, int], None] | None = None,
) -> list[RemapReport]:
    """Remap every recording below a folder, keeping `<environment>/<video>.h5` below `out`.

    A recording that is refused stops none of the others; the refusals are raised together at the end.

    Args:
        raw, out: folders.
        environment: take only recordings of this one.
        label_map_path: use this map instead of the one that the environment's name finds.
        incomplete, force: see remap_recording.
        on_frame: called with (recording, frames done, frames in all).

    Raises:
        MissingData: no recordings, or no label map for one of them; nothing was written.
        UnmappedIds, DataError: see remap_recording.
    """
    jobs: list[tuple[Path, LabelMap]] = []
    seen = set()
    for path in find_recordings(raw):
        with RecordingReader(path) as recording:
            seen.add(recording.environment)
            if environment in (None, recording.environment):
                found = load_label_map(recording.environment, path=label_map_path, objects=recording.objects)
                jobs.append((path, found))
    if not jobs:
        raise MissingData(f"{raw} holds no recording of {environment!r} (there are: {', '.join(sorted(seen))}).")
    reports: list[RemapReport] = []
    unmapped: list[str] = []
    unfinished: list[str] = []
    for path, label_map in jobs:
        tell = None if on_frame is None else _bind(on_frame, path)
        target = out / path.relative_to(raw)
        try:
            done = remap_recording(path, target, label_map, on_frame=tell, incomplete=incomplete, force=force)
            reports.append(done)
        except UnmappedIds as error:
            unmapped.append(str(error))
        except DataError as error:
            unfinished.append(str(error))
    if unmapped:
        raise UnmappedIds("\n".join(unmapped + unfinished))
    if unfinished:
        raise DataError("\n".join(unfinished))
    return reports


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def class_shares(reports: Sequence[RemapReport]) -> list[tuple[str, int, float]]:
    """(class, pixels, share 0..1) of everything that was remapped, "ignore" last."""
    pixels = sum((report.label_pixels for report in reports), np.zeros(256, np.int64))
    total = max(int(pixels.sum()), 1)
    rows = [(name, int(pixels[label])) for label, name in enumerate(CLASS_NAMES)] + [("ignore", int(pixels[255]))]
    return [(name, count, count / total) for name, count in rows]


def _bind(on_frame: Callable[[Path, int, int], None], path: Path) -> Callable[[int, int], None]:
    return lambda done, total: on_frame(path, done, total)


def _is_current(target: Path, sha256: str, label_map: LabelMap) -> bool:
    if not target.exists():
        return False
    try:
        with VideoReader(target) as video:
            same_map = video.label_map.get("sha256") == label_map.sha256
            return video.complete and video.source.get("sha256") == sha256 and same_map
    except DataError:
        return False  # whatever lies there is not this video: make it


def _write(
    recording: RecordingReader,
    target: Path,
    label_map: LabelMap,
    sha256: str,
    on_frame: Callable[[int, int], None] | None,
) -> Int64Array:
    """Write the video, or count what is unmapped; return the pixels of each label."""
    id_pixels = np.zeros(256, np.int64)
    first_frame: dict[int, int] = {}
    total = recording.num_frames
    with ExitStack() as stack:
        video: VideoWriter | None = stack.enter_context(VideoWriter(target, _header(recording, label_map, sha256)))
        for index in range(total):
            raw_ids = recording.raw_ids(index)
            counts = np.bincount(raw_ids.ravel(), minlength=256)
            id_pixels += counts
            for raw_id in np.flatnonzero((counts > 0) & ~label_map.mapped):
                first_frame.setdefault(int(raw_id), index)
            if first_frame:
                video = None  # refused already: go on counting for the table alone
            if video is not None:
                _copy_frame(recording, video, index, np.take(label_map.lut, raw_ids))
            if on_frame is not None:
                on_frame(index + 1, total)
        if video is None:
            raise UnmappedIds(_unmapped_table(recording, label_map, id_pixels, first_frame))
        video.finish()
    label_pixels: Int64Array = np.bincount(label_map.lut, weights=id_pixels, minlength=256).astype(np.int64)
    return label_pixels


def _header(recording: RecordingReader, label_map: LabelMap, sha256: str) -> VideoHeader:
    rgb = recording.copyable_compression("rgb")
    depth = recording.copyable_compression("depth") if recording.has_depth else None
    return VideoHeader(
        environment=recording.environment,
        rate_hz=recording.rate_hz,
        size_hw=recording.size_hw,
        camera_matrix=recording.camera_matrix,
        poses=recording.poses,
        label_map=label_map.as_json(),
        source={"file": recording.path.name, "sha256": sha256},
        has_depth=recording.has_depth,
        rgb_compression="lzf" if rgb is False else rgb,
        depth_compression="lzf" if depth is False else depth,
    )


def _copy_frame(recording: RecordingReader, video: VideoWriter, index: int, labels: UInt8Array) -> None:
    copyable = recording.copyable_compression("rgb") is not False
    rgb: UInt8Array | Chunk = recording.chunk("rgb", index) if copyable else recording.rgb(index)
    depth_m: Float32Array | Chunk | None = None
    if recording.has_depth:
        copyable = recording.copyable_compression("depth") is not False
        depth_m = recording.chunk("depth", index) if copyable else recording.depth_m(index)
    pose = Pose(recording.position_m[index], recording.orientation_wxyz[index])
    video.append(
        labels,
        rgb=rgb,
        depth_m=depth_m,
        time_ns=int(recording.time_ns[index]),
        sim_time_ns=int(recording.sim_time_ns[index]),
        pose=pose if recording.poses == "camera" else None,
        segment_start=bool(recording.segment_start[index]),
    )


def _unmapped_table(
    recording: RecordingReader, label_map: LabelMap, id_pixels: Int64Array, first_frame: dict[int, int]
) -> str:
    lines = [
        f"{recording.path} holds raw ids that the label map of {label_map.environment} does not name "
        f"({len(first_frame)} of them); nothing was written. Give each a class there:",
        "   id      pixels    share  first frame  names",
    ]
    for raw_id in sorted(first_frame, key=lambda i: -id_pixels[i]):
        names = [name for name, its in recording.objects if its == raw_id]
        listed = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        share = id_pixels[raw_id] / id_pixels.sum()
        lines.append(f"  {raw_id:3d} {id_pixels[raw_id]:11d} {share:8.4%} {first_frame[raw_id]:12d}  {listed or '-'}")
    ids = ", ".join(str(raw_id) for raw_id in sorted(first_frame))
    lines.append(f'or leave them out of training and scores:  [[rule]]  class = "ignore"  ids = [{ids}]')
    return "\n".join(lines)
