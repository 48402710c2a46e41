"""How sure a difference between two depths is. The video is the unit: frames of one video are not independent.

Source of the method: cluster bootstrap over videos, paired, with the dataset-level figure recomputed from summed
confusion matrices in every resample; seeds are resampled inside. A frame bootstrap would make the interval too narrow
by about the square root of the number of frames a video.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from airsim_seg.types import Float64Array, Int64Array

NUM_RESAMPLES = 10_000
MIN_VIDEOS_FOR_INTERVAL = 3
FEW_VIDEOS = 8
MAX_VIDEOS_FOR_EXACT_P = 12


@dataclass(frozen=True)
class Difference:
    """Dataset mIoU of one cell minus that of the reference, on the same test videos.

    Attributes:
        miou: the difference, as a fraction (0.01 = one point), mean over seeds.
        low: lower end of the 95 % interval, or None where there are too few videos for one.
        high: upper end.
        sign_flip_p: exact p of the paired sign-flip test over videos, or None (more than 12 videos, or fewer than 3).
        num_videos: test videos.
        num_seeds: training seeds that both cells have.
    """

    miou: float
    low: float | None
    high: float | None
    sign_flip_p: float | None
    num_videos: int
    num_seeds: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval exists and lies on one side of zero."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)


def paired_difference(
    cell: Int64Array, reference: Int64Array, rng: np.random.Generator, num_resamples: int = NUM_RESAMPLES
) -> Difference:
    """Compare two cells on the same videos, with a 95 % percentile bootstrap interval.

    Args:
        cell: int64 [S, V, C, C], confusion matrices by seed and video.
        reference: int64 [S, V, C, C], the same seeds and videos in the same order.
        rng: source of the resamples.
        num_resamples: how many.

    Returns:
        The difference; low, high and sign_flip_p are None below three videos.

    Raises:
        ValueError: the shapes differ.
    """
    if cell.shape != reference.shape or cell.ndim != 4:
        raise ValueError(f"confusions must be two [S, V, C, C] of one shape, not {cell.shape} and {reference.shape}")
    num_seeds, num_videos = cell.shape[:2]
    a, b = _counts(cell), _counts(reference)
    once = np.ones((1, num_videos))
    difference = float(np.mean(_miou(a, once) - _miou(b, once)))
    if num_videos < MIN_VIDEOS_FOR_INTERVAL:
        return Difference(difference, None, None, None, num_videos, num_seeds)

    weights = rng.multinomial(num_videos, np.full(num_videos, 1 / num_videos), num_resamples).astype(np.float64)
    by_seed = _miou(a, weights) - _miou(b, weights)  # [R, S]
    seeds = rng.integers(0, num_seeds, (num_resamples, num_seeds))
    resampled = np.take_along_axis(by_seed, seeds, axis=1).mean(axis=1)
    low, high = np.nanpercentile(resampled, [2.5, 97.5])
    return Difference(difference, float(low), float(high), _sign_flip_p(a, b), num_videos, num_seeds)


def _counts(confusions: Int64Array) -> Float64Array:
    """[S, V, C, C] -> [2, S, V, C]: intersections and unions, all that IoU needs."""
    hits = np.diagonal(confusions, axis1=2, axis2=3).astype(np.float64)
    return np.stack([hits, confusions.sum(2) + confusions.sum(3) - hits])


def _miou(counts: Float64Array, weights: Float64Array) -> Float64Array:
    """Dataset mIoU [R, S] of R weighted sums over videos; counts [2, S, V, C], weights [R, V]."""
    hits, union = np.einsum("rv,ksvc->krsc", weights, counts)
    iou = np.divide(hits, union, out=np.full(hits.shape, np.nan), where=union > 0)
    return _mean_of_present(iou)


def _mean_of_present(iou: npt.NDArray[np.float64]) -> Float64Array:
    """Mean over the last axis without its NaNs; NaN where there is nothing else."""
    present = np.isfinite(iou)
    count = present.sum(-1)
    total = np.where(present, iou, 0.0).sum(-1)
    mean: Float64Array = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return mean


def _sign_flip_p(a: Float64Array, b: Float64Array) -> float | None:
    """Exact two-sided p: were the two cells exchangeable in every video, how often is the difference this large?

    Each of the 2^V ways to swap the cells video by video gives one dataset mIoU difference.
    """
    num_videos = a.shape[2]
    if num_videos > MAX_VIDEOS_FOR_EXACT_P:
        return None
    swap = np.array(list(product((0.0, 1.0), repeat=num_videos)))  # [2^V, V], first row swaps nothing
    both = np.concatenate([a, b], axis=2)  # [2, S, 2V, C]
    first = _miou(both, np.hstack([1 - swap, swap]))
    second = _miou(both, np.hstack([swap, 1 - swap]))
    differences = np.abs((first - second).mean(axis=1))
    return float(np.mean(differences >= differences[0] - 1e-12))


def sentence(difference: Difference, label: str) -> str:
    """What may be said about a memory against none, in one honest sentence.

    Args:
        difference: of the network with the memory minus the same at N = 0.
        label: what to call it, for instance "N=4".
    """
    change = f"{points(difference.miou)} points of test mIoU against N=0"
    if difference.low is None or difference.high is None:
        return (
            f"{label}: {change}; {difference.num_videos} test video{'s' if difference.num_videos > 1 else ''} "
            f"cannot give an interval: not enough to tell."
        )
    interval = f"95 % interval over videos {points(difference.low)} to {points(difference.high)}"
    caveats = []
    if difference.num_seeds == 1:
        caveats.append("one seed")
    if difference.num_videos < FEW_VIDEOS:
        caveats.append(f"only {difference.num_videos} test videos")
    if caveats:
        return f"{label}: {change} ({interval}); {' and '.join(caveats)}: not enough to tell."
    verdict = "the interval excludes zero" if difference.excludes_zero else "no difference can be told from zero"
    return f"{label}: {change} ({interval}, {difference.num_seeds} seeds): {verdict}."


def points(fraction: float) -> str:
    """0.0123 -> "+1.2"; a true minus sign, as print sets it."""
    rounded = round(fraction * 100, 1) + 0.0
    return f"{rounded:+.1f}".replace("-", "\N{MINUS SIGN}")
