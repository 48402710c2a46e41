"""What training minimises: cross entropy over all pixels, or over a lattice of them that is drawn anew each step."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from airsim_seg.benchmark.clips import ClipSampler
from airsim_seg.taxonomy import IGNORE

SHARE_FLOOR = 1e-3  # a class with no training pixel gets the weight of one with a thousandth of them, not infinity


def class_weights(sampler: ClipSampler, num_classes: int, enabled: bool) -> Tensor:
    """Return float32 [num_classes]: 1/sqrt(share of the training pixels), or ones; refuse labels that are no class."""
    shares = torch.from_numpy(sampler.class_shares(num_classes)).float()
    return (shares + SHARE_FLOOR).rsqrt() if enabled else torch.ones(num_classes)


def supervised_loss(logits: Tensor, labels: Tensor, weights: Tensor) -> Tensor:
    """Average the weighted cross entropy over the labelled pixels; 0 where a batch has none.

    Args:
        logits: float32 [B,num_classes,h,w].
        labels: int64 [B,h,w], 255 = ignore.
        weights: float32 [num_classes].

    Returns:
        Scalar.
    """
    total = F.cross_entropy(logits, labels, weight=weights, ignore_index=IGNORE, reduction="sum")
    count = torch.bincount(labels.flatten(), minlength=256)[: len(weights)]
    return total / (count * weights).sum().clamp_min(weights.min())


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
