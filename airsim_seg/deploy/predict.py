"""Segment a film, a video or a camera with a trained network: an overlay to look at, labels to work with."""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from airsim_seg.benchmark import metrics
from airsim_seg.deploy.output import PredictionWriter
from airsim_seg.deploy.segmenter import Segmenter, Timings
from airsim_seg.deploy.sources import Source, SourceFrame
from airsim_seg.errors import Interrupted
from airsim_seg.types import Int64Array, UInt8Array


@dataclass
class Outcome:
    """What came out.

    Attributes:
        folder: of overlay.mp4 and labels.h5.
        classes: names, in the order of the labels.
        num_frames: segmented.
        timings: of the network and of the whole.
        confusion: int64 [C,C] against the truth, rows are the truth; None where there is none.
        truth_classes: of a truth that speaks of other classes, so that it cannot be compared; empty otherwise.
    """

    folder: Path
    classes: tuple[str, ...]
    num_frames: int = 0
    timings: Timings = field(default_factory=Timings)
    confusion: Int64Array | None = None
    truth_classes: tuple[str, ...] = ()

    def count(self, truth: UInt8Array, labels: UInt8Array) -> None:
        """Compare one frame with the truth."""
        counts = metrics.confusion_matrix(truth, labels, len(self.classes))
        self.confusion = counts if self.confusion is None else self.confusion + counts

    def sentences(self) -> list[str]:
        """What there is to say at the end."""
        said = [f"{self.num_frames} frames in {self.folder}", self.timings.sentence()]
        if self.truth_classes:
            said.append(
                f"no IoU: the truth has {len(self.truth_classes)} classes ({', '.join(self.truth_classes)}), which are "
                f"not the network's {len(self.classes)} ({', '.join(self.classes)})"
            )
        elif self.confusion is not None and not self.confusion.any():
            said.append("no IoU: no pixel of the truth has a class")
        elif self.confusion is not None:
            iou = metrics.iou_per_class(self.confusion)
            named = (
                f"{name} {100 * value:.0f}" for name, value in zip(self.classes, iou, strict=True) if value == value
            )
            said.append(f"against the truth: mIoU {100 * metrics.mean_iou(self.confusion):.1f} % ({', '.join(named)})")
        return said


def predict(
    segmenter: Segmenter,
    source: Source,
    folder: Path,
    *,
    made_by: str,
    limit: int | None = None,
    on_frame: Callable[[], None] = lambda: None,
) -> Outcome:
    """Segment frame by frame, with memory, and write both files.

    A network that was trained with motion from poses gets it where the source has depth and poses, else optical flow.

    Args:
        segmenter: of the trained network.
        source: an open one.
        folder: receives overlay.mp4 and labels.h5.
        made_by: name of the network, for labels.h5.
        limit: stop after so many frames.
        on_frame: called after each.

    Raises:
        Interrupted: Ctrl-C; the frames until then are kept.
        CorruptFile, StorageError, DataError: see source, writer and segmenter; nothing stays.
    """
    classes = segmenter.model.classes
    # The truth counts only where it speaks of the same classes.
    comparable = source.classes == classes
    outcome = Outcome(folder, classes, timings=segmenter.timings, truth_classes=() if comparable else source.classes)
    motion_hw = segmenter.model.signature.input_hw if segmenter.wants_poses and not source.lacks else None
    try:
        with ExitStack() as stack:
            writer: PredictionWriter | None = None
            for frame in islice(source.frames(motion_hw), limit):
                if writer is None:
                    writer = stack.enter_context(_writer(folder, frame, source, classes, made_by))
                labels = segmenter(frame.rgb, frame.segment_start, frame.motion)
                writer.append(frame.rgb, labels, frame.segment_start)
                if comparable and frame.labels is not None:
                    outcome.count(frame.labels, labels)
                outcome.num_frames += 1
                on_frame()
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted: {'; '.join(outcome.sentences())}.") from None
    return outcome


def _writer(
    folder: Path, frame: SourceFrame, source: Source, classes: tuple[str, ...], made_by: str
) -> PredictionWriter:
    return PredictionWriter(
        folder,
        (frame.rgb.shape[0], frame.rgb.shape[1]),
        source.rate_hz,
        classes,
        environment="predicted",
        made_by=made_by,
        source=source.name,
    )
