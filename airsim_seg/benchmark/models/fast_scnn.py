"""Fast-SCNN: one short path down to 1/8, from which a deep branch leaves and to which it comes back.

Source: Poudel et al., "Fast-SCNN: Fast Semantic Segmentation Network", BMVC 2019 (arXiv 1902.04502), tables 1 to 3.
The paper says that dropout stands before the softmax, not with which probability: 0.1 as in the public code that
reproduces its accuracy (mmsegmentation, Tramac/Fast-SCNN-pytorch). Its auxiliary heads, for training, are not built.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import Residual, conv_bn, initialise, resize_like

EXPANSION = 6  # t of table 1
DROPOUT = 0.1
POOLED_SIDES = (1, 2, 3, 6)  # bins of the pyramid (Zhao et al., "Pyramid Scene Parsing Network", CVPR 2017)

# channels, repetitions and stride of the bottlenecks (table 1)
BOTTLENECKS = ((64, 3, 2), (96, 3, 2), (128, 3, 1))


class FastSCNN(FrameNetwork):
    """Fast-SCNN. The map is the feature fusion's result: 128 channels at 1/8.

    Args:
        num_classes: channels of the logits, which lie at 1/8.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.learn_to_downsample = nn.Sequential(
            conv_bn(3, 32, 3, stride=2), *separable(32, 48, stride=2), *separable(48, 64, stride=2)
        )
        self.global_features = nn.Sequential(*_bottlenecks(64), PyramidPooling(128))
        self.fusion = FeatureFusion(detail=64, context=128, outputs=128)
        self.head = nn.Sequential(*separable(128, 128), *separable(128, 128), nn.Dropout(DROPOUT))
        self.classifier = nn.Conv2d(128, num_classes, 1)
        initialise(self, self.classifier)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/8,W/8]; there is no rest."""
        detail = self.learn_to_downsample(frames)
        return self.fusion(detail, self.global_features(detail)), ()

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002
        """[B,128,h,w] -> logits [B,num_classes,h,w]."""
        logits: Tensor = self.classifier(self.head(at))
        return logits


class PyramidPooling(nn.Module):
    """Add to every pixel what larger and larger parts of the map, up to all of it, hold on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        quarter = channels // len(POOLED_SIDES)
        self.levels = nn.ModuleList(conv_bn(channels, quarter, 1) for _ in POOLED_SIDES)
        self.project = conv_bn(2 * channels, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> the same shape."""
        pooled = [
            resize_like(level(F.adaptive_avg_pool2d(x, side)), x)
            for level, side in zip(self.levels, POOLED_SIDES, strict=True)
        ]
        result: Tensor = self.project(torch.cat([x, *pooled], dim=1))
        return result


class FeatureFusion(nn.Module):
    """Enlarge the context, smooth it and add the detail (table 3); the dilation is the enlargement, 4."""

    def __init__(self, detail: int, context: int, outputs: int) -> None:
        super().__init__()
        self.smooth = conv_bn(context, context, 3, groups=context, dilation=4)
        self.context = conv_bn(context, outputs, 1, activation=False)
        self.detail = conv_bn(detail, outputs, 1, activation=False)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        """[B,C,h,w] and the coarser [B,C',h/4,w/4] -> [B,outputs,h,w]."""
        context = self.context(self.smooth(resize_like(context, detail)))
        return F.relu(self.detail(detail) + context)


def separable(inputs: int, outputs: int, *, stride: int = 1) -> list[nn.Module]:
    """A depthwise 3x3 and a pointwise convolution; no activation between them (section 3.2.1)."""
    return [
        conv_bn(inputs, inputs, 3, stride=stride, groups=inputs, activation=False),
        conv_bn(inputs, outputs, 1),
    ]


def _bottlenecks(inputs: int) -> list[nn.Module]:
    blocks: list[nn.Module] = []
    for outputs, count, first_stride in BOTTLENECKS:
        for k in range(count):
            blocks.append(_bottleneck(inputs, outputs, stride=first_stride if k == 0 else 1))
            inputs = outputs
    return blocks


def _bottleneck(inputs: int, outputs: int, *, stride: int) -> nn.Module:
    """Expand, filter, project without activation (table 2); a shortcut only where the shape stays."""
    middle = EXPANSION * inputs
    body = nn.Sequential(
        conv_bn(inputs, middle, 1),
        conv_bn(middle, middle, 3, stride=stride, groups=middle),
        conv_bn(middle, outputs, 1, activation=False),
    )
    if stride != 1 or inputs != outputs:
        return body
    return Residual(body, inputs, outputs, stride=1, activation=False)
