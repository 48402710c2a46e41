"""Folders of image/mask pairs into recordings.

Images are PNG or JPEG. Masks are PNG, in AirSim's palette (RGB or RGBA; plain or sRGB-encoded, detected) or grey with
the raw id as the value. Pairs and clips come from an index csv, or from two sub-folders (find_pairs.py).

A recording made here has poses = "none", an unknown camera matrix (NaN), no simulator stamps (sim_time_ns and
wall_time_ns -1). Frames whose sequence numbers follow each other are one segment; a gap starts the next. With rate 0
(unknown) time_ns counts frames; with a rate it is nominal time.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import cv2
import numpy as np

from airsim_seg import __version__
from airsim_seg.errors import CorruptFile, DataError, MissingData, StorageError, UnknownColours, UsageError
from airsim_seg.importers.find_pairs import Clip, find_clips
from airsim_seg.palette import Variant, decode, detect_variant, is_channel_swapped, palette, refuse_unknown
from airsim_seg.recordings import RecordingHeader, RecordingWriter, nominal_step_ns
from airsim_seg.types import Frame, UInt8Array

MaskKind = Literal["grey", "plain", "srgb"]
_SAMPLES = 8  # masks looked at to tell the palette: one alone may show nothing but the sky


@dataclass(frozen=True)
class ImportReport:
    """What became of one clip.

    Attributes:
        path: the recording.
        num_frames, num_segments: in it.
        num_black: rows left out because the index marks their image as black.
        num_unknown: mask pixels of no palette colour, recorded as id 0.
        mask_kind: "grey" (raw ids), "plain" or "srgb" (palette colours).
    """

    path: Path
    num_frames: int
    num_segments: int
    num_black: int
    num_unknown: int
    mask_kind: MaskKind


def import_pairs(
    folder: Path,
    out: Path,
    *,
    environment: str,
    rate_hz: float = 0.0,
    index: Path | None = None,
    on_frame: Callable[[str, int, int], None] | None = None,
) -> list[ImportReport]:
    """Make a recording of every clip in a folder: `out/<environment>/<clip>.h5`.

    Args:
        folder: holds the pairs.
        out: folder of recordings.
        environment: name that the label map is found by.
        rate_hz: frames a second, 0 = unknown.
        index: csv; by default folder/index.csv where it exists.
        on_frame: called with (clip, frames done, frames in all).

    Returns:
        One report a clip, in the index's order.

    Raises:
        MissingData, CorruptFile, DataError: what is there does not pair, does not read or differs in size.
        UnknownColours: more than one mask pixel in ten thousand has a colour of no AirSim palette.
        StorageError: a recording of that name exists, or the disk refuses. A clip that fails leaves nothing behind.
    """
    if not np.isfinite(rate_hz) or rate_hz < 0:
        raise UsageError(f"--rate must be 0 (unknown) or positive, not {rate_hz}.")
    clips = find_clips(folder, index)
    targets = [out / environment / f"{clip.name}.h5" for clip in clips]
    for target in targets:
        if target.exists():
            raise StorageError(f"{target} exists already: remove it, or choose another --out.")
    reports = []
    for clip, target in zip(clips, targets, strict=True):
        reports.append(_import_clip(clip, target, environment, rate_hz, on_frame))
    return reports


def _import_clip(
    clip: Clip, target: Path, environment: str, rate_hz: float, on_frame: Callable[[str, int, int], None] | None
) -> ImportReport:
    kind = _mask_kind(clip)
    first = _read_image(clip.pairs[0].image)
    height, width = first.shape[:2]
    provenance = _provenance(clip, kind)
    header = RecordingHeader(
        environment, rate_hz, (height, width), np.full((3, 3), np.nan), "none", provenance, objects=()
    )
    partial = target.with_name(target.name + ".partial")
    partial.unlink(missing_ok=True)
    num_unknown, example, num_segments = 0, None, 0
    try:
        with RecordingWriter.create(partial, header) as recording:
            for done, (frame, unknown, colour) in enumerate(_frames(clip, kind, (height, width), rate_hz), 1):
                recording.append(frame)
                num_unknown, example = num_unknown + unknown, example or colour
                num_segments += frame.segment_start
                refuse_unknown(num_unknown, len(clip.pairs) * height * width, example, f"{clip.name}")
                if on_frame is not None:
                    on_frame(clip.name, done, len(clip.pairs))
            found = {"unknown_pixels": num_unknown, "unknown_example": example}
            recording.set_provenance(provenance | found)
            recording.finish()
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return ImportReport(target, len(clip.pairs), num_segments, clip.num_black, num_unknown, kind)


def _frames(
    clip: Clip, kind: MaskKind, size_hw: tuple[int, int], rate_hz: float
) -> Iterator[tuple[Frame, int, tuple[int, int, int] | None]]:
    """Every frame with the count of its unknown pixels and one such colour."""
    segment, position, segment_first = 0, 0, 0  # position: in frames, gaps counted
    step = clip.step
    for k, pair in enumerate(clip.pairs):
        gap = pair.number - clip.pairs[k - 1].number if k else step
        if k:
            position += max(1, round(gap / step))
        starts = k == 0 or gap != step
        if starts:
            segment, segment_first = position, k
        rgb, (raw_ids, unknown, colour) = _read_image(pair.image), _read_ids(pair.mask, kind)
        for picture, path in ((rgb, pair.image), (raw_ids, pair.mask)):
            if picture.shape[:2] != size_hw:
                raise DataError(
                    f"{path} is {picture.shape[:2]} pixels (height, width), the first image of {clip.name} {size_hw}: "
                    "all of a recording must have one size."
                )
        time_ns = nominal_step_ns(segment, rate_hz) + nominal_step_ns(k - segment_first, rate_hz)
        yield Frame(time_ns, -1, -1, rgb, raw_ids, None, starts), unknown, colour


def _provenance(clip: Clip, kind: MaskKind) -> dict[str, Any]:
    variant: Variant = "srgb" if kind == "srgb" else "plain"
    return {
        "kind": "import pairs",
        "tool_version": __version__,
        "folder": clip.folder.name,
        "index": clip.index,
        "masks": kind,
        "palette_sha256": None if kind == "grey" else hashlib.sha256(palette(variant).tobytes()).hexdigest(),
        "black_images_left_out": clip.num_black,
        "sequence_step": clip.step,
        "first_number": clip.pairs[0].number,
    }


def _mask_kind(clip: Clip) -> MaskKind:
    """Look at masks from all over the clip: grey ids, or which palette."""
    chosen = sorted({round(i) for i in np.linspace(0, len(clip.pairs) - 1, _SAMPLES)})
    masks = [_read(clip.pairs[i].mask, cv2.IMREAD_UNCHANGED) for i in chosen]
    for mask, i in zip(masks, chosen, strict=True):
        if (mask.ndim == 2) != (masks[0].ndim == 2):
            raise DataError(f"{clip.pairs[i].mask} and {clip.pairs[0].mask}: one is grey, one coloured: sort them.")
    if masks[0].ndim == 2:
        return "grey"
    colours = [_mask_colours(mask, clip.pairs[i].mask).reshape(-1, 1, 3) for mask, i in zip(masks, chosen, strict=True)]
    sample = np.concatenate(colours)
    if is_channel_swapped(sample):
        raise UnknownColours(
            f"{clip.name}: the masks have red and blue exchanged (and the images beside them, most likely): save both "
            "again in RGB order; cv2.imwrite, for one, expects BGR."
        )
    return detect_variant(sample)


def _read_ids(path: Path, kind: MaskKind) -> tuple[UInt8Array, int, tuple[int, int, int] | None]:
    mask = _read(path, cv2.IMREAD_UNCHANGED)
    if (mask.ndim == 2) != (kind == "grey"):
        raise DataError(
            f"{path} is {'grey' if mask.ndim == 2 else 'coloured'}, the masks before it are not: sort them."
        )
    if kind == "grey":
        if mask.max() > 255:
            raise DataError(f"{path} holds the value {mask.max()}: raw ids are 0..255.")
        return mask.astype(np.uint8), 0, None
    decoded = decode(_mask_colours(mask, path), kind)
    return decoded.raw_ids, decoded.num_unknown, decoded.unknown_example


def _mask_colours(mask: UInt8Array, path: Path) -> UInt8Array:
    """RGB of a mask as cv2 reads it (BGR or BGRA; the alpha says nothing)."""
    if mask.ndim != 3 or mask.shape[2] not in (3, 4) or mask.dtype != np.uint8:
        raise DataError(f"{path} is {mask.dtype} {mask.shape}: masks are grey, RGB or RGBA, 8 bits a channel.")
    return np.ascontiguousarray(mask[..., 2::-1])


def _read_image(path: Path) -> UInt8Array:
    return np.ascontiguousarray(_read(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)[..., ::-1])


def _read(path: Path, flags: int) -> UInt8Array:
    """A picture as cv2 reads it.

    Raises:
        MissingData, CorruptFile: no such file, not a picture, or a mask that JPEG has smeared.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MissingData(f"{path} does not read ({error.strerror}): check the path.") from error
    if flags == cv2.IMREAD_UNCHANGED and data[:2] == b"\xff\xd8":
        raise DataError(f"{path} is a JPEG: it smears ids into each other; save masks as PNG.")
    try:
        picture = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:
        picture = None
    if picture is None:
        raise CorruptFile(f"{path} does not read as a picture: copy it again.")
    return cast(UInt8Array, picture)
