"""The decoder: from coarse to fine, each scale adds the one below it; two of the four reach the head.

Source: Hu et al. 2021 (arXiv 2007.03815), section III-B and figure 2. The released code differs in two ways that
variant.py names, and builds two branches that reach no output; here they are left out. In training two auxiliary heads
may look at the coarse scales, as in the released training graph.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet.backbone import conv_bn
from fanet.variant import PAPER, Variant

AUXILIARY_CHANNELS = 64  # of the hidden layer of an auxiliary head, at width 1 (released training graph)


def resize(x: Tensor, size_hw: tuple[int, int], *, align_corners: bool = False) -> Tensor:
    """Resample bilinearly [B,C,h,w] -> [B,C,H,W]; pixels are areas unless corners are to be aligned."""
    return F.interpolate(x, size=size_hw, mode="bilinear", align_corners=align_corners)


class Decoder(nn.Module):
    """Fuse the four attended maps into class scores at 1/8.

    Args:
        channels: of the four maps, finest first.
        smooth_channels: of each map that goes to the head; 128 in the paper.
        num_classes: channels of the result.
        variant: the paper's wiring or the released one.
        auxiliary: build the two auxiliary heads, for training.
    """

    def __init__(
        self,
        channels: tuple[int, int, int, int],
        smooth_channels: int,
        num_classes: int,
        *,
        variant: Variant = PAPER,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        self.align_corners = variant.align_corners
        self.up_64, self.up_32, self.up_16 = (
            conv_bn(coarse, fine, kernel=1, padding=variant.up_padding)
            for fine, coarse in zip(channels[2::-1], channels[:0:-1], strict=True)
        )
        self.smooth_32 = conv_bn(channels[2], smooth_channels, kernel=3)
        self.smooth_8 = conv_bn(channels[0], smooth_channels, kernel=3)
        self.head = _head(2 * smooth_channels, 2 * smooth_channels, num_classes)
        if auxiliary:
            hidden = max(1, AUXILIARY_CHANNELS * smooth_channels // 128)
            self.smooth_64 = conv_bn(channels[3], smooth_channels, kernel=3)
            self.head_64 = _head(smooth_channels, hidden, num_classes)
            self.head_32 = _head(smooth_channels, hidden, num_classes)

    def fuse(self, attended: list[Tensor]) -> list[Tensor]:
        """Add to each map the enlarged coarser one: four maps [B,C_s,h_s,w_s], finest first, in and out."""
        at_8, at_16, at_32, at_64 = attended
        at_32 = at_32 + self._enlarge(self.up_64(at_64), at_32)
        at_16 = at_16 + self._enlarge(self.up_32(at_32), at_16)
        at_8 = at_8 + self._enlarge(self.up_16(at_16), at_8)
        return [at_8, at_16, at_32, at_64]

    def smooth(self, at_32: Tensor) -> Tensor:
        """[B,C_32,h,w] -> [B,smooth_channels,h,w]: what the head and an auxiliary head both look at."""
        smooth: Tensor = self.smooth_32(at_32)
        return smooth

    def classify(self, at_8: Tensor, smooth_32: Tensor) -> Tensor:
        """The finest fused map and the smoothed one -> logits [B,num_classes,h,w] at the size of at_8."""
        coarse = self._enlarge(smooth_32, at_8)
        logits: Tensor = self.head(torch.cat([coarse, self.smooth_8(at_8)], dim=1))
        return logits

    def classify_coarse(self, smooth_32: Tensor, at_64: Tensor) -> list[Tensor]:
        """Auxiliary logits, each at its map's own size: [B,num_classes,h_32,w_32] and [B,num_classes,h_64,w_64]."""
        return [self.head_32(smooth_32), self.head_64(self.smooth_64(at_64))]

    def classifiers(self) -> list[nn.Module]:
        """The last layers of the heads: those whose outputs are logits."""
        heads = [module for name, module in self.named_children() if name.startswith("head")]
        return [list(head.children())[-1] for head in heads]

    def forward(self, attended: list[Tensor]) -> Tensor:
        """Four maps [B,C_s,h_s,w_s], finest first -> logits [B,num_classes,h,w] at the finest map's size."""
        at_8, _, at_32, _ = self.fuse(attended)
        return self.classify(at_8, self.smooth(at_32))

    def _enlarge(self, x: Tensor, like: Tensor) -> Tensor:
        return resize(x, (like.shape[-2], like.shape[-1]), align_corners=self.align_corners)


def _head(inputs: int, hidden: int, num_classes: int) -> nn.Sequential:
    return nn.Sequential(conv_bn(inputs, hidden, kernel=3), nn.Conv2d(hidden, num_classes, kernel_size=1, bias=False))
