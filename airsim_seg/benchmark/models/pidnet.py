"""PIDNet-S: three branches, for detail (P), context (I) and boundaries (D); the last decides between the other two.

Source: Xu et al., "PIDNet: A Real-time Semantic Segmentation Network Inspired by PID Controllers", CVPR 2023
(arXiv 2206.02066), figures 3 to 6; layer sizes as in the authors' code (XuJiacong/PIDNet, models/pidnet.py).
What is built is the graph for inference: the auxiliary heads of the P and D branches, for training, are not.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import (
    bn_relu_conv,
    bottleneck,
    conv_bn,
    initialise,
    residual,
    residuals,
    resize_like,
)
from airsim_seg.benchmark.models.ddrnet import pool, pyramid_levels


class PIDNet(FrameNetwork):
    """PIDNet-S. The map is what the boundary attention made of P and I: 128 channels at 1/8.

    Args:
        num_classes: channels of the logits, which lie at 1/8.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.stem = nn.Sequential(conv_bn(3, 32, 3, stride=2), conv_bn(32, 32, 3, stride=2))
        self.layer_1 = residuals(32, 32, 2)
        self.layer_2 = residuals(32, 64, 2, stride=2)
        self.context_3 = residuals(64, 128, 3, stride=2)
        self.context_4 = residuals(128, 256, 3, stride=2)
        self.context_5 = nn.Sequential(bottleneck(256, 256, stride=2), bottleneck(512, 256))
        self.pyramid = PAPPM(512, 96, 128)
        self.detail_3 = residuals(64, 64, 2)
        self.detail_4 = residuals(64, 64, 2)
        self.detail_5 = bottleneck(64, 64)
        self.take_3 = PixelAttention(128, 64, 32)
        self.take_4 = PixelAttention(256, 64, 32)
        self.boundary_3 = residual(64, 32, activation=False)
        self.boundary_4 = bottleneck(32, 32)
        self.boundary_5 = bottleneck(64, 64)
        self.difference_3 = conv_bn(128, 32, 3, activation=False)
        self.difference_4 = conv_bn(256, 64, 3, activation=False)
        self.fusion = BoundaryAttention(128)
        self.head = bn_relu_conv(128, 128, 3)
        self.classifier = bn_relu_conv(128, num_classes, 1, bias=True)
        initialise(self, self.classifier[-1])

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/8,W/8]; there is no rest."""
        x = F.relu(self.layer_2(F.relu(self.layer_1(self.stem(frames)))))  # [B, 64, H/8, W/8]
        context = F.relu(self.context_3(x))  # [B, 128, H/16, W/16]
        detail = self.take_3(self.detail_3(x), context)
        boundary = self.boundary_3(x)
        boundary = boundary + resize_like(self.difference_3(context), boundary)

        context = F.relu(self.context_4(context))  # [B, 256, H/32, W/32]
        detail = self.take_4(self.detail_4(F.relu(detail)), context)
        boundary = self.boundary_4(F.relu(boundary))
        boundary = boundary + resize_like(self.difference_4(context), boundary)

        context = resize_like(self.pyramid(self.context_5(context)), detail)
        detail, boundary = self.detail_5(F.relu(detail)), self.boundary_5(F.relu(boundary))
        return self.fusion(detail, context, boundary), ()

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002
        """[B,128,h,w] -> logits [B,num_classes,h,w]."""
        logits: Tensor = self.classifier(self.head(at))
        return logits


class PixelAttention(nn.Module):
    """Pixel-attention-guided fusion (Pag, figure 4): where both branches agree, detail takes over the context.

    Args:
        context: channels of the context; a 1x1 convolution brings them to those of the detail first.
        detail: channels of the detail and of the result.
        key: channels in which the two are compared.
    """

    def __init__(self, context: int, detail: int, key: int) -> None:
        super().__init__()
        self.compress = conv_bn(context, detail, 1, activation=False)
        self.key = conv_bn(detail, key, 1, activation=False)
        self.query = conv_bn(detail, key, 1, activation=False)

    def forward(self, detail: Tensor, context: Tensor) -> Tensor:
        """[B,detail,h,w] and the coarser [B,context,h',w'] -> [B,detail,h,w]."""
        context = self.compress(context)
        query = resize_like(self.query(context), detail)
        agreement = torch.sigmoid((self.key(detail) * query).sum(1, keepdim=True))
        return (1 - agreement) * detail + agreement * resize_like(context, detail)


class PAPPM(nn.Module):
    """Parallel aggregation pyramid pooling: DDRNet's pyramid with all levels smoothed at once (figure 5)."""

    def __init__(self, inputs: int, middle: int, outputs: int) -> None:
        super().__init__()
        self.levels = pyramid_levels(inputs, middle)
        coarser = len(self.levels) - 1
        self.smooth = bn_relu_conv(coarser * middle, coarser * middle, 3, groups=coarser)
        self.project = bn_relu_conv((coarser + 1) * middle, outputs, 1)
        self.shortcut = bn_relu_conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,h,w] -> [B,outputs,h,w]."""
        first, *coarser = pool(x, self.levels)
        smooth = self.smooth(torch.cat([level + first for level in coarser], dim=1))
        result: Tensor = self.project(torch.cat([first, smooth], dim=1)) + self.shortcut(x)
        return result


class BoundaryAttention(nn.Module):
    """Light boundary-attention-guided fusion (light Bag, figure 6b): detail at boundaries, context inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.detail = conv_bn(channels, channels, 1, activation=False)
        self.context = conv_bn(channels, channels, 1, activation=False)

    def forward(self, detail: Tensor, context: Tensor, boundary: Tensor) -> Tensor:
        """Three maps [B,C,h,w] -> one."""
        attention = torch.sigmoid(boundary)
        result: Tensor = self.detail(detail + (1 - attention) * context) + self.context(context + attention * detail)
        return result
