"""BiSeNet V2: a wide and shallow branch for detail, a narrow and deep one for meaning, each guiding the other.

Source: Yu et al., "BiSeNet V2: Bilateral Network with Guided Aggregation for Real-time Semantic Segmentation", IJCV
2021 (arXiv 2004.02147), table 1 and figures 4 to 6. The ReLU after the depthwise convolutions is in no figure but in
the public code that reproduces the accuracy (CoinCheung/BiSeNet, mmsegmentation), and so are the head's 1024 channels,
which the paper does not give. What is built is the graph for inference: the booster's heads, for training, are not.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import conv_bn, initialise, resize_like

EXPANSION = 6  # of the gather-and-expansion layers (table 1)
HEAD_CHANNELS = 1024
DROPOUT = 0.1  # before the classifier, in both public codes

DETAIL = ((64, 2), (64, 3), (128, 3))  # channels and convolutions of the three stages (table 1); the first one strides
SEMANTIC = ((32, 2), (64, 2), (128, 4))  # channels and layers of stages 3 to 5 (table 1); the first one strides


class BiSeNetV2(FrameNetwork):
    """BiSeNet V2. The map is the guided aggregation's result: 128 channels at 1/8.

    Args:
        num_classes: channels of the logits, which lie at 1/8.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.detail = nn.Sequential(*_detail_layers())
        self.semantic = nn.Sequential(Stem(16), *_semantic_layers(16), ContextEmbedding(128))
        self.aggregation = GuidedAggregation(128)
        self.head = nn.Sequential(conv_bn(128, HEAD_CHANNELS, 3), nn.Dropout(DROPOUT))
        self.classifier = nn.Conv2d(HEAD_CHANNELS, num_classes, 1)
        initialise(self, self.classifier)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/8,W/8]; there is no rest."""
        return self.aggregation(self.detail(frames), self.semantic(frames)), ()

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002
        """[B,128,h,w] -> logits [B,num_classes,h,w]."""
        logits: Tensor = self.classifier(self.head(at))
        return logits


class Stem(nn.Module):
    """Two ways down to 1/4, convolution and maximum, side by side (figure 4a)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = conv_bn(3, channels, 3, stride=2)
        self.convs = nn.Sequential(conv_bn(channels, channels // 2, 1), conv_bn(channels // 2, channels, 3, stride=2))
        self.fuse = conv_bn(2 * channels, channels, 3)

    def forward(self, frames: Tensor) -> Tensor:
        """[B,3,H,W] -> [B,channels,H/4,W/4]."""
        x = self.first(frames)
        maxima = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
        result: Tensor = self.fuse(torch.cat([self.convs(x), maxima], dim=1))
        return result


class GatherExpansion(nn.Module):
    """Gather-and-expansion layer (figure 5b and c): 3x3, one or two depthwise 3x3 on more channels, and 1x1."""

    def __init__(self, inputs: int, outputs: int, *, stride: int) -> None:
        super().__init__()
        middle = EXPANSION * inputs
        gather = conv_bn(inputs, inputs, 3)
        project = conv_bn(middle, outputs, 1, activation=False)
        if stride == 1:
            self.branch = nn.Sequential(gather, conv_bn(inputs, middle, 3, groups=inputs), project)
            self.shortcut: nn.Module = nn.Identity()
        else:
            down = conv_bn(inputs, middle, 3, stride=stride, groups=inputs, activation=False)
            self.branch = nn.Sequential(gather, down, conv_bn(middle, middle, 3, groups=middle), project)
            self.shortcut = nn.Sequential(
                conv_bn(inputs, inputs, 3, stride=stride, groups=inputs, activation=False),
                conv_bn(inputs, outputs, 1, activation=False),
            )

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> [B,C',ceil(h/stride),ceil(w/stride)]."""
        return F.relu(self.branch(x) + self.shortcut(x))


class ContextEmbedding(nn.Module):
    """Add the mean of the whole map to every pixel (figure 4b)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.BatchNorm2d(channels), conv_bn(channels, channels, 1))
        self.smooth = conv_bn(channels, channels, 3)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> the same shape."""
        result: Tensor = self.smooth(x + self.embed(x))
        return result


class GuidedAggregation(nn.Module):
    """Bilateral guided aggregation (figure 6): at 1/8 and at 1/32 the meaning gates the detail; then both are added."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.detail_8 = nn.Sequential(*_separable(channels))
        self.detail_32 = nn.Sequential(
            conv_bn(channels, channels, 3, stride=2, activation=False), nn.AvgPool2d(3, stride=2, padding=1)
        )
        self.gate_8 = conv_bn(channels, channels, 3, activation=False)
        self.gate_32 = nn.Sequential(*_separable(channels))
        self.fuse = conv_bn(channels, channels, 3)

    def forward(self, detail: Tensor, semantic: Tensor) -> Tensor:
        """[B,C,h,w] at 1/8 and [B,C,h/4,w/4] at 1/32 -> [B,C,h,w]."""
        at_8 = self.detail_8(detail) * torch.sigmoid(resize_like(self.gate_8(semantic), detail))
        at_32 = self.detail_32(detail) * torch.sigmoid(self.gate_32(semantic))
        result: Tensor = self.fuse(at_8 + resize_like(at_32, detail))
        return result


def _detail_layers() -> list[nn.Module]:
    layers: list[nn.Module] = []
    inputs = 3
    for channels, count in DETAIL:
        for k in range(count):
            layers.append(conv_bn(inputs, channels, 3, stride=2 if k == 0 else 1))
            inputs = channels
    return layers


def _semantic_layers(inputs: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for channels, count in SEMANTIC:
        for k in range(count):
            layers.append(GatherExpansion(inputs, channels, stride=2 if k == 0 else 1))
            inputs = channels
    return layers


def _separable(channels: int) -> list[nn.Module]:
    """Depthwise 3x3 with BatchNorm, then a bare 1x1 (figure 6)."""
    return [
        conv_bn(channels, channels, 3, groups=channels, activation=False),
        nn.Conv2d(channels, channels, 1, bias=False),
    ]
