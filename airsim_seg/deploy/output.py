"""What predict and live leave behind: a film of the picture under its classes, and the labels as a video file."""

from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from airsim_seg.benchmark.report.pictures import colours_of, paint
from airsim_seg.disk import make_folder
from airsim_seg.errors import StorageError
from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import UInt8Array
from airsim_seg.videos import VideoHeader, VideoWriter

OVERLAY_NAME, LABELS_NAME = "overlay.mp4", "labels.h5"
OPACITY = 0.55  # of the classes over the picture
LEGEND_ROW, LEGEND_COLUMN, SWATCH = 18, 118, 10  # pixels


class PredictionWriter:
    """Writes both files under names of their own and gives them their final ones in `finish`. A context manager.

    Args:
        folder: receives overlay.mp4 and labels.h5; made if needed, older ones are replaced at the end.
        size_hw: (height, width) of the pictures.
        rate_hz: of the film.
        classes: names, in the order of the labels.
        environment: for labels.h5.
        made_by: what predicted, for labels.h5.
        source: of what, for labels.h5.

    Raises:
        StorageError: the folder cannot be written, or no encoder is there.
    """

    def __init__(
        self,
        folder: Path,
        size_hw: tuple[int, int],
        rate_hz: float,
        classes: tuple[str, ...],
        *,
        environment: str,
        made_by: str,
        source: str,
    ) -> None:
        make_folder(folder)
        self.folder, self._size_hw, self._rate_hz = folder, size_hw, rate_hz
        self._colours = colours_of(classes)
        self._legend = draw_legend(classes, size_hw[1])
        self._draft = folder / f"partial-{OVERLAY_NAME}"
        height, width = size_hw[0] + self._legend.shape[0], size_hw[1]
        # The encoder takes even sizes: of an odd one OpenCV would leave out the last row or column.
        self._padding = ((0, height % 2), (0, width % 2), (0, 0))
        film_wh = (width + width % 2, height + height % 2)
        self._film = cv2.VideoWriter(str(self._draft), cv2.VideoWriter.fourcc(*"mp4v"), rate_hz, film_wh)
        if not self._film.isOpened():
            raise StorageError(f"{self._draft} cannot be written as a film: choose another --out.")
        identity = [*range(len(classes)), *[IGNORE] * (256 - len(classes))]
        header = VideoHeader(
            environment=environment,
            rate_hz=rate_hz,
            size_hw=size_hw,
            camera_matrix=np.full((3, 3), np.nan),
            poses="none",
            label_map={"name": f"predicted by {made_by}", "version": 1, "sha256": "", "lut": identity},
            source={"file": source, "sha256": ""},
            classes=classes,
        )
        self._labels = VideoWriter(folder / LABELS_NAME, header)

    def append(self, rgb: UInt8Array, labels: UInt8Array, segment_start: bool) -> None:
        """Add one frame: uint8 [H,W,3] and uint8 [H,W]."""
        blended = cv2.addWeighted(rgb, 1 - OPACITY, paint(labels, self._colours), OPACITY, 0)
        whole = np.concatenate([np.asarray(blended, np.uint8), self._legend])
        self._film.write(cv2.cvtColor(np.pad(whole, self._padding, mode="edge"), cv2.COLOR_RGB2BGR))
        time_ns = round(self._labels.num_frames * 1e9 / self._rate_hz)
        self._labels.append(labels, rgb=rgb, time_ns=time_ns, sim_time_ns=-1, pose=None, segment_start=segment_start)

    def finish(self) -> None:
        """Give both files their names; without a frame nothing stays."""
        if self._labels.num_frames == 0:
            self.close()
            return
        self._film.release()
        self._labels.finish()
        self._draft.replace(self.folder / OVERLAY_NAME)

    def close(self) -> None:
        """Give up, unless finished: nothing of this prediction stays."""
        self._film.release()
        self._labels.close()
        self._draft.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """The writer itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Keep what there is where somebody interrupted; give up on any other error."""
        if error is None or isinstance(error, KeyboardInterrupt):
            self.finish()
        else:
            self.close()


def draw_legend(classes: tuple[str, ...], width: int) -> UInt8Array:
    """Names beside their colours, in as many rows as the width needs: uint8 [h,width,3], an even height."""
    columns = max(1, width // LEGEND_COLUMN)
    rows = -(-len(classes) // columns)
    strip = np.full((rows * LEGEND_ROW + 6 + (rows * LEGEND_ROW) % 2, width, 3), 20, np.uint8)
    for index, (name, colour) in enumerate(zip(classes, colours_of(classes), strict=False)):
        top, left = 4 + index // columns * LEGEND_ROW, 6 + index % columns * LEGEND_COLUMN
        strip[top + 3 : top + 3 + SWATCH, left : left + SWATCH] = colour
        place = (left + SWATCH + 5, top + 12)
        cv2.putText(strip, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.4, (235, 235, 235), 1, cv2.LINE_AA)
    return strip
