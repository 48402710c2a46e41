"""Temporal context aggregation as the 2021 study's notebook computes it, to measure against: a window for each frame.

To segment frame i, the N + 1 frames i-N ... i pass through the whole network, decoder included; in each attention the
contexts of all of them are added up; the answer of the last frame is kept and the others are thrown away. The layers
are FANet's own (with a working BatchNorm, which the notebook's had not), so that the formulation alone is compared.
"""

import torch
from torch import Tensor, nn

from fanet import FANet
from fanet.decoder import resize


class Windowed(nn.Module):
    """Segments the last frame of a window of N + 1.

    Args:
        net: a FANet of depth 0; its layers are used.
    """

    def __init__(self, net: FANet) -> None:
        super().__init__()
        self.net = net

    def forward(self, window: Tensor) -> Tensor:
        """Segment: [N+1,3,H,W], oldest first -> logits [1,num_classes,H,W] of the newest."""
        features = self.net.backbone(window)
        attended = []
        for attention, feature in zip(self.net.attention, features, strict=True):
            context = attention.context(feature)
            attended.append(attention(feature, context.sum(0, keepdim=True).expand_as(context)))
        logits = self.net.decoder(attended).contiguous()
        return resize(logits, (window.shape[2], window.shape[3]))[-1:]


def window_of(clip: Tensor, last: int, depth: int) -> Tensor:
    """The N + 1 frames of a clip that end at `last`; before the first frame the first one is repeated."""
    return clip[torch.arange(last - depth, last + 1).clamp_min(0)]
