"""Any network of single frames, given a memory at its map: contexts through fast attention, the map, or its scores."""

import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from fanet.attention import FastAttention
from fanet.memory import SCALES, Memory
from fanet.temporal import Recall, TemporalState

KEY_CHANNELS = 32  # of query and key, as in FANet


class WithMemory(nn.Module):
    """A FrameNetwork that streams as FANet does: logits, state = net(frames, state, segment_start, motion).

    Without fast attention and at depth 0 it is the plain network, to the bit.

    Args:
        net: gives the map and finishes it.
        memory: what is remembered: the map or the scores; contexts need fast_attention.
        tca_depth: N.
        fast_attention: put FANet's attention (with its residual connection) on the map, so that it has contexts.

    Raises:
        ValueError: contexts without attention, or a choice of scales: there is one map.
    """

    def __init__(self, net: FrameNetwork, memory: Memory, tca_depth: int, *, fast_attention: bool = False) -> None:
        super().__init__()
        if memory.tap == "contexts" and tca_depth and not fast_attention:
            raise ValueError(f"aggregation {memory} mixes contexts, and this network has none without fast attention")
        if memory.scales != SCALES:
            raise ValueError(f"aggregation {memory} chooses scales, and this network has one map")
        self.num_classes = net.num_classes
        self.tca_depth = tca_depth
        self.net = net
        self.attention = FastAttention(net.map_channels, KEY_CHANNELS, tiles=memory.tiles) if fast_attention else None
        channels = {"contexts": KEY_CHANNELS * net.map_channels, "map": net.map_channels, "logits": net.num_classes}
        self.recall = Recall(memory, tca_depth, [channels[memory.tap]])

    def forward(
        self,
        frames: Tensor,
        state: TemporalState | None = None,
        segment_start: Tensor | None = None,
        motion: Tensor | None = None,
        *,
        full_size: bool = True,
    ) -> tuple[Tensor, TemporalState]:
        """Segment B frames that follow each other in time; everything as fanet.FANet.forward has it."""
        at, rest = self.net.encode(frames)
        tap, new_state = self.recall.memory.tap, None
        if self.attention is not None:
            context = self.attention.context(at)
            if tap == "contexts":
                (context,), new_state = self.recall([context], state, segment_start)
            at = self.attention(at, context)
        if tap == "map" or (tap == "contexts" and self.attention is None):
            (at,), new_state = self.recall([at], state, segment_start, motion, frames)
        logits = self.net.decode(at, rest)
        if tap == "logits":
            (logits,), new_state = self.recall([logits], state, segment_start, motion, frames)
        assert new_state is not None
        size_hw = (frames.shape[2], frames.shape[3])
        if full_size and logits.shape[2:] != size_hw:
            logits = F.interpolate(logits, size=size_hw, mode="bilinear", align_corners=False)
        return logits, new_state

    def extra_repr(self) -> str:
        """Show what the sub-modules do not, in repr(net); names a checkpoint's network."""
        attention = "" if self.attention is None else ", fast attention"
        return f"{type(self.net).__name__}{attention}, tca_depth={self.tca_depth}, aggregation={self.recall.memory}"
