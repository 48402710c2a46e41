"""What training minimises: cross entropy over the labelled pixels, or over the hard ones among them.

Both may see every pixel, or a lattice of them that is drawn anew each step.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from airsim_seg.benchmark.clips import ClipSampler
from airsim_seg.benchmark.distributed import Team
from airsim_seg.taxonomy import IGNORE

SHARE_FLOOR = 1e-3  # a class with no training pixel gets the weight of one with a thousandth of them, not infinity


def class_weights(sampler: ClipSampler, num_classes: int, enabled: bool) -> Tensor:
    """Return float32 [num_classes]: 1/sqrt(share of the training pixels), or ones; refuse labels that are no class."""
    shares = torch.from_numpy(sampler.class_shares(num_classes)).float()
    return (shares + SHARE_FLOOR).rsqrt() if enabled else torch.ones(num_classes)


def supervised_loss(
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    *,
    hard: Callable[[Tensor], Tensor] | None = None,
    team: Team | None = None,
) -> Tensor:
    """Average the weighted cross entropy over the labelled pixels; 0 where a batch has none.

    Args:
        logits: floating [B,num_classes,h,w].
        labels: int64 [B,h,w], 255 = ignore.
        weights: float32 [num_classes].
        hard: float [P] losses of the labelled pixels -> bool [P], those that count; None: all do.
        team: the processes that train together, if there are several. Each chooses its own hard pixels.

    Returns:
        Scalar. Its mean over a team is the average over the pixels of all ranks, however many each of them has.
    """
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
    weights = weights.to(logits)
    if hard is None:
        total = F.cross_entropy(logits, labels, weight=weights, ignore_index=IGNORE, reduction="sum")
        mass = (torch.bincount(labels.flatten(), minlength=256)[: len(weights)] * weights).sum()
    else:
        labelled = labels != IGNORE
        losses = F.cross_entropy(logits, labels, ignore_index=IGNORE, reduction="none")[labelled]  # [P]
        counted = weights[labels[labelled]] * hard(losses.detach())
        total, mass = (counted * losses).sum(), counted.sum()
    if team is not None:
        total, mass = total * team.size, team.sum(mass)
    return total / mass.clamp_min(weights.min())


def hard_pixels(losses: Tensor, threshold: float, min_share: float) -> Tensor:
    """Choose the pixels to learn from in online hard example mining.

    Args:
        losses: float [P], cross entropy of each labelled pixel.
        threshold: pixels whose true class has a probability below this are hard.
        min_share: at least this share of the P is chosen, the hardest; with ties it can be more.

    Returns:
        bool [P].

    Source: Shrivastava et al. 2016 (arXiv 1604.03540), in the form of feinanshan/FANet, Train/ptsemseg/loss/loss.py.
    There the least number counts ignored pixels, too.
    """
    hard = losses > -math.log(threshold)
    least = math.ceil(min_share * len(losses))
    if int(hard.sum()) < least:
        hard = losses >= losses.topk(least).values[-1]
    return hard


def frames_since_start(segment_start: Tensor) -> Tensor:
    """Count the frames before each one in its segment: bool [B] -> int64 [B]; the first frame begins one."""
    place = torch.arange(len(segment_start), device=segment_start.device)
    return place - torch.where(segment_start, place, 0).cummax(0).values


def draw_lattice(size_hw: Sequence[int], stride: int) -> tuple[Tensor, Tensor]:
    """Draw every stride-th row and column from a random first one: int64 indices, of torch's own randomness."""
    first_row, first_column = (int(torch.randint(stride, ())) for _ in range(2))
    return torch.arange(first_row, size_hw[0], stride), torch.arange(first_column, size_hw[1], stride)


def resize_at(coarse: Tensor, size_hw: Sequence[int], rows: Tensor, columns: Tensor) -> Tensor:
    """Enlarge bilinearly, but only where it is asked for.

    Args:
        coarse: [B,C,h,w].
        size_hw: (height, width) of the whole enlarged map; pixels as areas, as fanet.decoder.resize has it.
        rows: int64 [R] of the enlarged map.
        columns: int64 [K] of the enlarged map.

    Returns:
        [B,C,R,K]: what resizing would give in those rows and columns.
    """
    down = _interpolation(coarse.shape[2], size_hw[0], rows).to(coarse)
    across = _interpolation(coarse.shape[3], size_hw[1], columns).to(coarse)
    return down @ coarse @ across.T


def _interpolation(short: int, long: int, wanted: Tensor) -> Tensor:
    """float64 [R,short]: each row has the weights of its two neighbours among the `short` places."""
    place = ((wanted.double() + 0.5) * short / long - 0.5).clamp(0, short - 1)
    low = place.floor().long().clamp_max(max(short - 2, 0))
    part = (place - low)[:, None]
    return F.one_hot(low, short) * (1 - part) + F.one_hot((low + 1).clamp_max(short - 1), short) * part
