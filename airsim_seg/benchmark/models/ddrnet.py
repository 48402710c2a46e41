"""DDRNet-23-slim: two branches, at 1/8 and down to 1/64, that exchange what they know twice.

    stem -> 1/8 --+-- detail ------+------------+-- detail -> 1/8 --+--> head
                  |            up ^ v down  up ^ v down             |
                  +-- context -> 1/16 --------> 1/32 -> 1/64 -> DAPPM

Source: Hong et al., "Deep Dual-resolution Networks for Real-time and Accurate Semantic Segmentation of Road Scenes",
2021 (arXiv 2101.06085), table I and figures 4 and 5; layer sizes as in the authors' code (ydhongHIT/DDRNet,
segmentation/DDRNet_23_slim.py). The auxiliary head, for training, is not built.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import bn_relu_conv, bottleneck, conv_bn, initialise, residuals, resize_like

# kernel and stride of the pyramid's poolings (figure 5); the last level is the mean of the whole map
POOLINGS = ((5, 2), (9, 4), (17, 8))


class DDRNet(FrameNetwork):
    """DDRNet-23-slim. The map is the sum of detail and pyramid before the head: 128 channels at 1/8.

    Args:
        num_classes: channels of the logits, which lie at 1/8.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.stem = nn.Sequential(conv_bn(3, 32, 3, stride=2), conv_bn(32, 32, 3, stride=2))
        self.layer_1 = residuals(32, 32, 2)
        self.layer_2 = residuals(32, 64, 2, stride=2)
        self.context_3 = residuals(64, 128, 2, stride=2)
        self.context_4 = residuals(128, 256, 2, stride=2)
        self.context_5 = bottleneck(256, 256, stride=2)
        self.pyramid = DAPPM(512, 128, 128)
        self.detail_3 = residuals(64, 64, 2)
        self.detail_4 = residuals(64, 64, 2)
        self.detail_5 = bottleneck(64, 64)
        self.down_3 = conv_bn(64, 128, 3, stride=2, activation=False)
        self.down_4 = nn.Sequential(conv_bn(64, 128, 3, stride=2), conv_bn(128, 256, 3, stride=2, activation=False))
        self.up_3 = conv_bn(128, 64, 1, activation=False)
        self.up_4 = conv_bn(256, 64, 1, activation=False)
        self.head = bn_relu_conv(128, 64, 3)
        self.classifier = bn_relu_conv(64, num_classes, 1, bias=True)
        initialise(self, self.classifier[-1])

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/8,W/8]; there is no rest."""
        x = F.relu(self.layer_2(F.relu(self.layer_1(self.stem(frames)))))  # [B, 64, H/8, W/8]
        context, detail = self._exchange(self.context_3(x), self.detail_3(x), self.down_3, self.up_3)
        context, detail = self._exchange(
            self.context_4(F.relu(context)), self.detail_4(F.relu(detail)), self.down_4, self.up_4
        )
        context = self.pyramid(self.context_5(F.relu(context)))  # [B, 128, H/64, W/64]
        detail = self.detail_5(F.relu(detail))
        return detail + resize_like(context, detail), ()

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002
        """[B,128,h,w] -> logits [B,num_classes,h,w]."""
        logits: Tensor = self.classifier(self.head(at))
        return logits

    @staticmethod
    def _exchange(context: Tensor, detail: Tensor, down: nn.Module, up: nn.Module) -> tuple[Tensor, Tensor]:
        """Bilateral fusion (equation 1): each branch adds the other's map as it was before the exchange."""
        return context + down(F.relu(detail)), detail + resize_like(up(F.relu(context)), detail)


class DAPPM(nn.Module):
    """Deep aggregation pyramid pooling: each level adds the one before it and is smoothed (equation 2, figure 5).

    Args:
        inputs: channels.
        middle: channels of each level.
        outputs: channels.
    """

    def __init__(self, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.levels = pyramid_levels(inputs, middle)
        self.smooth = nn.ModuleList(bn_relu_conv(middle, middle, 3) for _ in self.levels[1:])
        self.project = bn_relu_conv(len(self.levels) * middle, outputs, 1)
        self.shortcut = bn_relu_conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,h,w] -> [B,outputs,h,w]."""
        first, *coarser = pool(x, self.levels)
        levels = [first]
        for level, smooth in zip(coarser, self.smooth, strict=True):
            levels.append(smooth(level + levels[-1]))
        result: Tensor = self.project(torch.cat(levels, dim=1)) + self.shortcut(x)
        return result


def pyramid_levels(inputs: int, middle: int) -> nn.ModuleList:
    """The 1x1 convolutions of all levels: the map itself, those of POOLINGS, and the mean."""
    return nn.ModuleList(bn_relu_conv(inputs, middle, 1) for _ in range(len(POOLINGS) + 2))


def pool(x: Tensor, levels: Sequence[nn.Module] | nn.ModuleList) -> list[Tensor]:
    """Pool [B,C,h,w] at every level, convolve, and enlarge to the map's size again: each [B,middle,h,w]."""
    pooled = [F.avg_pool2d(x, kernel, stride, kernel // 2) for kernel, stride in POOLINGS]
    pooled = [x, *pooled, F.adaptive_avg_pool2d(x, 1)]
    return [resize_like(level(part), x) for level, part in zip(levels, pooled, strict=True)]
