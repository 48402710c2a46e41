"""Temporal context aggregation (TCA): the contexts of the last N frames are added to the present one's.

All that a past frame contributes is its context f (attention.py), so a batch of consecutive frames needs no window and
no second look at a frame. With the rows of f being frames, the sum over time is one small banded matrix:

            history    batch            A[i,j] = 1 where frame j is frame i or one of the N before it, in its segment
    A =   | 1 1 | 1 . . . . |
          | . 1 | 1 1 . . . |           N = 2, two frames of history, a segment starts at the fourth frame:
          | . . | 1 1 1 . . |           its memory is empty, and nothing crosses the border
          | . . | . . . 1 . |
          | . . | . . . 1 1 |

    f' = A f, in which a row of k < N past frames is scaled by (N+1)/(k+1): a young memory has the size of a full one.

One clip ("homogeneous") and several clips after each other ("mixed") differ in `segment_start` alone; a batch of one
frame with the state of the call before is streaming. All three give the same numbers: the tests hold them to 1e-12.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class TemporalState(NamedTuple):
    """What the next call must know of the past; detached, and all of it: the network's modules remember nothing.

    Attributes:
        contexts: one [N,key,C_s] for each scale, finest first, oldest frame first.
        num_valid: int64 scalar: how many of the N, the newest ones, are of the segment that the last call ended in; the
            others are zeros.
    """

    contexts: tuple[Tensor, ...]
    num_valid: Tensor

    @property
    def num_bytes(self) -> int:
        """Size of the remembered contexts in bytes: 123 kB a frame at width 1 in float32, whatever the input size."""
        return sum(c.numel() * c.element_size() for c in self.contexts)


def empty_state(contexts: list[Tensor], depth: int) -> TemporalState:
    """Make the state before the first frame, of the kind (channels, dtype, device) of contexts [B,key,C_s]."""
    return TemporalState(
        tuple(c.new_zeros(depth, *c.shape[1:]) for c in contexts),
        torch.zeros((), dtype=torch.int64, device=contexts[0].device),
    )


def segments(segment_start: Tensor, num_valid: Tensor, depth: int) -> Tensor:
    """Number the segment of every frame of history and batch.

    Args:
        segment_start: bool [B], True where memory must be empty.
        num_valid: int64 scalar, see TemporalState.
        depth: N.

    Returns:
        int64 [N+B]: equal numbers are one segment; 0 goes on from the state, -1 is a place without a frame.
    """
    place = torch.arange(depth, device=segment_start.device)
    history = torch.where(place >= depth - num_valid, 0, -1)
    return torch.cat([history, segment_start.long().cumsum(0)])


def band(segment: Tensor, depth: int) -> Tensor:
    """Say whom each frame of the batch remembers: bool [B,N+B] from the segment numbers int64 [N+B]. Causal."""
    frame = torch.arange(len(segment), device=segment.device)
    lag = frame[depth:, None] - frame[None, :]
    return (lag >= 0) & (lag <= depth) & (segment[depth:, None] == segment[None, :])


def sum_weights(remembers: Tensor, depth: int, dtype: torch.dtype) -> Tensor:
    """Weights [B,N+B] of the sum over time: each row sums to N+1, however many frames (at least itself) it has."""
    matrix = remembers.to(dtype)
    return matrix * ((depth + 1) / matrix.sum(1, keepdim=True))


def add_history(
    contexts: list[Tensor], state: TemporalState | None, segment_start: Tensor | None, depth: int
) -> tuple[list[Tensor], TemporalState]:
    """Add to every frame's contexts those of the up to N frames before it in its segment.

    Args:
        contexts: one [B,key,C_s] for each scale, of B consecutive frames.
        state: what the call before returned; None is an empty memory.
        segment_start: bool [B], True where memory must be empty; None: nowhere.
        depth: N >= 0; at 0 the contexts come back untouched.

    Returns:
        The summed contexts, same shapes, and the state for the next call.
    """
    state = empty_state(contexts, depth) if state is None else state
    if depth == 0:
        return contexts, state
    no_cut = torch.zeros(len(contexts[0]), dtype=torch.bool, device=contexts[0].device)
    segment = segments(no_cut if segment_start is None else segment_start, state.num_valid, depth)
    remembers = band(segment, depth)
    weights = sum_weights(remembers, depth, contexts[0].dtype)
    forgotten, stale = ~remembers.any(0)[:depth], segment[-depth:] != segment[-1]

    summed, kept = [], []
    for context, past in zip(contexts, state.contexts, strict=True):
        present, history = context.flatten(1), past.to(context.dtype).flatten(1)  # [B, key*C], [N, key*C]
        newest = torch.cat([history[len(present) :], present[-depth:]]).detach()
        if segment_start is not None:
            # A weight of 0 does not silence a NaN: what is forgotten is wiped, so that a cut heals a poisoned memory.
            history, newest = history.masked_fill(forgotten[:, None], 0), newest.masked_fill(stale[:, None], 0)
        summed.append((weights[:, :depth] @ history + weights[:, depth:] @ present).view_as(context))
        kept.append(newest.view(depth, *context.shape[1:]))
    return summed, TemporalState(tuple(kept), depth - stale.sum())
