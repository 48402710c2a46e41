"""The decoder: from coarse to fine, each scale adds the one below it; two of the four reach the head.

Source: Hu et al. 2021 (arXiv 2007.03815), section III-B and figure 2, with two repairs of the released code: `up` is a
plain 1x1 convolution (there it has a padding of 1, which grows the map by two rows and columns that the resize must
squeeze back), and the branches that reach no output are not built.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fanet.backbone import conv_bn


def resize(x: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Resample bilinearly [B,C,h,w] -> [B,C,H,W], pixels as areas (align_corners=False).

    The released graph aligns corners. Pixels as areas give the same scale factor at every position and input size, so a
    network sees the same geometry when it runs at another size than it was trained at.
    """
    return F.interpolate(x, size=size_hw, mode="bilinear", align_corners=False)


class Decoder(nn.Module):
    """Fuse the four attended maps into class scores at 1/8.

    Args:
        channels: of the four maps, finest first.
        smooth_channels: of each map that goes to the head; 128 in the paper.
        num_classes: channels of the result.
    """

    def __init__(self, channels: tuple[int, int, int, int], smooth_channels: int, num_classes: int) -> None:
        super().__init__()
        self.up_64, self.up_32, self.up_16 = (
            conv_bn(coarse, fine, kernel=1) for fine, coarse in zip(channels[2::-1], channels[:0:-1], strict=True)
        )
        self.smooth_32 = conv_bn(channels[2], smooth_channels, kernel=3)
        self.smooth_8 = conv_bn(channels[0], smooth_channels, kernel=3)
        self.head = nn.Sequential(
            conv_bn(2 * smooth_channels, 2 * smooth_channels, kernel=3),
            nn.Conv2d(2 * smooth_channels, num_classes, kernel_size=1, bias=False),
        )

    def forward(self, attended: list[Tensor]) -> Tensor:
        """Four maps [B,C_s,h_s,w_s], finest first -> logits [B,num_classes,h,w] at the finest map's size."""
        at_8, at_16, at_32, at_64 = attended
        at_32 = at_32 + resize(self.up_64(at_64), _size_hw(at_32))
        at_16 = at_16 + resize(self.up_32(at_32), _size_hw(at_16))
        at_8 = at_8 + resize(self.up_16(at_16), _size_hw(at_8))
        coarse = resize(self.smooth_32(at_32), _size_hw(at_8))
        logits: Tensor = self.head(torch.cat([coarse, self.smooth_8(at_8)], dim=1))
        return logits


def _size_hw(x: Tensor) -> tuple[int, int]:
    return x.shape[-2], x.shape[-1]
