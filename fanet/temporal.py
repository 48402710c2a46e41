"""Temporal context aggregation (TCA) and its kin: what the last N frames left behind is mixed into the present one.

All that a past frame contributes is one item a scale (a context, or a map), so a batch of consecutive frames needs no
windows and no second look at a frame: each frame looks back into the row of history and batch.

            history     batch                 row 4 (N = 2, stride 1) looks at 3 and 2;
            0    1    | 2    3    4    5      a segment that starts at 4 has its memory empty there;
                        ^ b - 2, b - 1        history and batch only differ in who computed them, and when

One clip ("homogeneous") and several clips after each other ("mixed") differ in `segment_start` alone; a batch of one
frame with the state of the call before is streaming. All three give the same numbers: the tests hold them to 1e-12.

For the plain sum this is the banded product f' = A f with A[i,j] = 1 where frame j is frame i or one of the N before it
in its segment, each row scaled to N+1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fanet.aggregations import Aggregation
from fanet.alignment import accumulate, sample, shrink_motion
from fanet.memory import Memory
from fanet.refinement import FlowRefinement, shrink_pictures


class TemporalState(NamedTuple):
    """What the next call must know of the past; detached, and all of it: the network's modules remember nothing.

    Attributes:
        remembered: for each scale (or the one map) [R,...]: what the last R = N * stride frames left, oldest first.
        num_valid: int64 scalar: how many of the R, the newest ones, are of the segment that the last call ended in; the
            others are zeros.
        flows: [R,2,h,w] from the last frame to the one 1, 2, ... R frames before it, NaN = unknown; [0,2,0,0] where
            nothing is warped.
        picture: [1,3,h,w] the last frame, at the map's size; [0,3,0,0] where no motion is refined.
    """

    remembered: tuple[Tensor, ...]
    num_valid: Tensor
    flows: Tensor
    picture: Tensor

    @property
    def num_bytes(self) -> int:
        """Size in bytes: 123 kB a frame for contexts at width 1 in float32, whatever the input size."""
        return sum(t.numel() * t.element_size() for t in (*self.remembered, self.flows, self.picture))


class Recall(nn.Module):
    """A memory at work: it holds the aggregations, one for each item, and no state.

    Args:
        memory: what is remembered and how it is mixed.
        depth: N >= 0; at 0 items come back untouched.
        channels: D of each item that a frame leaves: one a scale that has a history, or one map.
    """

    def __init__(self, memory: Memory, depth: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.memory = memory
        self.depth = depth
        self.reach = depth * memory.stride
        self.mixes = nn.ModuleList(memory.mix(depth, count) for count in (channels if depth else ()))
        self.refinement = FlowRefinement() if memory.refined and depth else None

    def forward(
        self,
        items: list[Tensor],
        state: TemporalState | None = None,
        segment_start: Tensor | None = None,
        motion: Tensor | None = None,
        frames: Tensor | None = None,
    ) -> tuple[list[Tensor], TemporalState]:
        """Mix every frame's items with those of the N frames that it remembers.

        Args:
            items: each [B,D,*place], of B consecutive frames.
            state: what the call before returned; None is an empty memory.
            segment_start: bool [B], True where memory must be empty; None: nowhere.
            motion: [B,2,H,W], pixels from each frame to the one before it, NaN = unknown; for warped memories.
            frames: [B,3,H,W], the pictures themselves; for refined motion.

        Returns:
            The mixed items, same shapes, and the state for the next call.

        Raises:
            ValueError: a state of another network or frame size, or no motion or frames where they are needed.
        """
        state = self.empty_state(items) if state is None else state
        self._check_state(state, items)
        if self.depth == 0:
            return items, state
        if segment_start is None:
            segment_start = torch.zeros(len(items[0]), dtype=torch.bool, device=items[0].device)
        segment = segments(segment_start, state.num_valid, self.reach)
        index, valid = look_back(segment, self.depth, self.memory.stride)
        flows, new_flows, picture = None, state.flows, state.picture
        steps = self._steps(items[0], motion)
        if steps is not None:
            steps, picture = self._refine(steps, picture, segment_start, frames)
            flows = accumulate(steps, segment_start, new_flows.to(steps.dtype))
            new_flows = flows[-1].detach()
        stale = segment[-self.reach :] != segment[-1]
        mixed, kept = [], []
        for mix, present, history in zip(self.mixes, items, state.remembered, strict=True):
            row = torch.cat([history.to(present.dtype), present])  # [R+B, D, *place]
            mixed.append(self._mix(mix, present, row[index], valid, flows))
            # A weight of 0 does not silence a NaN: what is forgotten is wiped, so that a cut heals a poisoned memory.
            newest = row[-self.reach :].detach()
            kept.append(newest.masked_fill(stale.view(-1, *[1] * (row.ndim - 1)), 0))
        return mixed, TemporalState(tuple(kept), self.reach - stale.sum(), new_flows, picture)

    def empty_state(self, items: list[Tensor]) -> TemporalState:
        """Make the state before the first frame, for items such as these."""
        flows_shape, picture_shape = self._moved_shapes(items[0])
        return TemporalState(
            tuple(item.new_zeros(self.reach, *item.shape[1:]) for item in items),
            torch.zeros((), dtype=torch.int64, device=items[0].device),
            items[0].new_full(flows_shape, torch.nan),
            items[0].new_zeros(picture_shape),
        )

    def extra_repr(self) -> str:
        """Show what the sub-modules do not."""
        return f"{self.memory}, depth={self.depth}"

    def _is_warped(self) -> bool:
        return self.memory.warped and self.depth > 0

    def _moved_shapes(self, item: Tensor) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Shapes of a state's flows and picture, for items such as this one."""
        flows = (self.reach, 2, *item.shape[-2:]) if self._is_warped() else (0, 2, 0, 0)
        return flows, (0, 3, 0, 0) if self.refinement is None else (1, 3, *item.shape[-2:])

    def _steps(self, item: Tensor, motion: Tensor | None) -> Tensor | None:
        """[B,2,h,w] for warped memories: from each frame to the one before it, in places of the map."""
        if not self._is_warped():
            return None
        if motion is None:
            raise ValueError(f"aggregation {self.memory} moves what it remembers: give motion (NaN where unknown)")
        # Places in bf16 would be rounded to halves of one: motion keeps single precision where maps are coarser.
        motion = motion.detach().to(torch.promote_types(item.dtype, torch.float32))
        return shrink_motion(motion, (item.shape[2], item.shape[3]))

    def _refine(
        self, steps: Tensor, picture: Tensor, segment_start: Tensor, frames: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Steps [B,2,h,w], corrected where memory says so, and the last frame's picture for the next call."""
        if self.refinement is None:
            return steps, picture
        if frames is None:
            raise ValueError(f"aggregation {self.memory} refines motion by the pictures: give frames")
        pictures = shrink_pictures(frames, (steps.shape[2], steps.shape[3]))
        before = torch.cat([picture.to(pictures.dtype), pictures[:-1]])
        # What is forgotten is wiped here, too: 0 times NaN is no gradient.
        before = before.masked_fill(segment_start[:, None, None, None], 0)
        return self.refinement(steps, pictures, before).to(steps.dtype), pictures[-1:].detach()

    def _mix(self, mix: nn.Module, present: Tensor, past: Tensor, valid: Tensor, flows: Tensor | None) -> Tensor:
        """present [B,D,*place], past [B,N,D,*place], valid bool [B,N] -> [B,D,*place]."""
        assert isinstance(mix, Aggregation)
        valid = valid.view(*valid.shape, *[1] * (present.ndim - 1))  # [B, N, 1, *ones]
        if flows is not None:
            back = flows[:, self.memory.stride - 1 :: self.memory.stride]  # [B, N, 2, h, w]
            moved, seen = sample(past.flatten(0, 1).to(back.dtype), back.flatten(0, 1))
            past, valid = moved.view_as(past).to(past.dtype), valid & seen.view(*past.shape[:2], 1, *past.shape[3:])
        mixed: Tensor = mix(present, past.masked_fill(~valid, 0), valid)
        return mixed

    def _check_state(self, state: TemporalState, items: list[Tensor]) -> None:
        found = [tuple(t.shape) for t in (*state.remembered, state.flows, state.picture)]
        expected = [*((self.reach, *item.shape[1:]) for item in items), *self._moved_shapes(items[0])]
        if found != expected:
            raise ValueError(
                f"this state is of another network or frame size: it remembers {found}, this one needs {expected}"
            )


def segments(segment_start: Tensor, num_valid: Tensor, reach: int) -> Tensor:
    """Number the segment of every frame of history and batch.

    Args:
        segment_start: bool [B], True where memory must be empty.
        num_valid: int64 scalar, see TemporalState.
        reach: R, frames of history.

    Returns:
        int64 [R+B]: equal numbers are one segment; 0 goes on from the state, -1 is a place without a frame.
    """
    place = torch.arange(reach, device=segment_start.device)
    history = torch.where(place >= reach - num_valid, 0, -1)
    return torch.cat([history, segment_start.long().cumsum(0)])


def look_back(segment: Tensor, depth: int, stride: int) -> tuple[Tensor, Tensor]:
    """Say where each frame of the batch finds what it remembers.

    Args:
        segment: int64 [R+B], see segments; R = depth * stride.
        depth: N.
        stride: frames between two remembered ones.

    Returns:
        int64 [B,N], places in the row of history and batch, newest first; and bool [B,N]: whether the frame there is of
        the same segment.
    """
    frame = torch.arange(depth * stride, len(segment), device=segment.device)
    lag = stride * torch.arange(1, depth + 1, device=segment.device)
    index = frame[:, None] - lag
    return index, segment[index] == segment[frame][:, None]
