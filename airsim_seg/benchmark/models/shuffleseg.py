"""ShuffleSeg: a ShuffleNet whose three last stages each score the classes; the scores are enlarged and added.

    ShuffleNet 1/8 (240) ----------------------> scores --+--> x8, the logits
               1/16 (480) --------> scores --+--> x2 -----+
               1/32 (960) -> scores -> x2 ---+

Source: Gamal et al., "ShuffleSeg: Real-time Semantic Segmentation Network", 2018 (arXiv 1803.03816), with the SkipNet
decoder; kernels as in the authors' code (MSiam/TFSegmentation, models/fcn8s_shufflenet.py).
Encoder: Zhang et al., "ShuffleNet", CVPR 2018 (arXiv 1707.01083), table 1, three groups, and figure 2b and c.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import conv_bn, crop_like, extent, initialise

GROUPS = 3
STEM = 24  # channels
STAGES = ((240, 4), (480, 8), (960, 4))  # channels and units of stages 2, 3 and 4; the first unit strides


class ShuffleSeg(FrameNetwork):
    """ShuffleSeg. The map is the sum of all scores: num_classes channels at 1/8.

    The skip connections of the decoder carry scores, so no map of features holds all that the network knows: stage 3,
    the only one at 1/16, has not seen stage 4, nor the detail of stage 2. The summed scores have.

    Args:
        num_classes: channels of the map and of the logits, which have the size of the frames.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=num_classes, map_stride=8)
        self.stem = nn.Sequential(conv_bn(3, STEM, 3, stride=2), nn.MaxPool2d(3, stride=2, padding=1))
        widths = [STEM, *(channels for channels, _ in STAGES)]
        self.stage_2, self.stage_3, self.stage_4 = (
            _stage(inputs, outputs, units, first_grouped=inputs != STEM)
            for inputs, (outputs, units) in zip(widths, STAGES, strict=False)
        )
        self.score_8, self.score_16, self.score_32 = (nn.Conv2d(c, num_classes, 1) for c in widths[1:])
        self.up_16 = _enlarge(num_classes, factor=2)
        self.up_8 = _enlarge(num_classes, factor=2)
        self.up_1 = _enlarge(num_classes, factor=8)
        initialise(self, self.score_8, self.score_16, self.score_32)
        for layer in (self.up_16, self.up_8, self.up_1):
            start_bilinear(layer)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> summed scores [B,num_classes,H/8,W/8]; the rest is the frames' extent."""
        at_8 = self.stage_2(self.stem(frames))
        at_16 = self.stage_3(at_8)
        scores_16 = self.score_16(at_16)
        scores_16 = scores_16 + crop_like(self.up_16(self.score_32(self.stage_4(at_16))), scores_16)
        scores_8 = self.score_8(at_8)
        return scores_8 + crop_like(self.up_8(scores_16), scores_8), (extent(frames),)

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,num_classes,H/8,W/8] and the extent -> logits [B,num_classes,H,W]."""
        return crop_like(self.up_1(at), rest[0])


class ShuffleUnit(nn.Module):
    """1x1 in groups, shuffle, depthwise 3x3, 1x1 in groups; a strided unit concatenates its pooled input.

    The bottleneck has a quarter of the channels that the branch gives, as in the authors' code.

    Args:
        inputs: channels.
        outputs: channels.
        stride: 1 (then inputs equal outputs) or 2.
        grouped: whether the first 1x1 has groups; not so after the stem, which has few channels.
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, grouped: bool = True) -> None:
        super().__init__()
        self.stride = stride
        new = outputs if stride == 1 else outputs - inputs
        middle = new // 4
        shuffle: list[nn.Module] = [nn.ChannelShuffle(GROUPS)] if grouped else []
        self.branch = nn.Sequential(
            conv_bn(inputs, middle, 1, groups=GROUPS if grouped else 1),
            *shuffle,
            conv_bn(middle, middle, 3, stride=stride, groups=middle, activation=False),
            conv_bn(middle, new, 1, groups=GROUPS, activation=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> [B,C',ceil(h/stride),ceil(w/stride)]."""
        branch = self.branch(x)
        if self.stride == 1:
            return F.relu(x + branch)
        return F.relu(torch.cat([F.avg_pool2d(x, 3, self.stride, padding=1), branch], dim=1))


def start_bilinear(layer: nn.ConvTranspose2d) -> None:
    """Let a transposed convolution start as bilinear enlargement, every channel from itself alone.

    Source: Long et al., "Fully Convolutional Networks", CVPR 2015, section 3.3; the authors' code does the same.
    """
    side = layer.kernel_size[0]
    ramp = 1 - (torch.arange(side) - (side - 1) / 2).abs() / (side / 2)
    with torch.no_grad():
        layer.weight.zero_()
        for channel in range(layer.in_channels):
            layer.weight[channel, channel] = ramp[:, None] * ramp


def _stage(inputs: int, outputs: int, units: int, *, first_grouped: bool) -> nn.Sequential:
    first = ShuffleUnit(inputs, outputs, stride=2, grouped=first_grouped)
    return nn.Sequential(first, *(ShuffleUnit(outputs, outputs, stride=1) for _ in range(units - 1)))


def _enlarge(channels: int, *, factor: int) -> nn.ConvTranspose2d:
    """[B,C,h,w] -> [B,C,factor*h,factor*w] with a kernel of twice the factor; no bias, as in the authors' code."""
    return nn.ConvTranspose2d(channels, channels, 2 * factor, stride=factor, padding=factor // 2, bias=False)
