"""ENet: bottlenecks in a long encoder and a short decoder that puts maxima back where they were found.

    512x512 -> initial 16 @ 1/2 -> stage 1: 64 @ 1/4 -> stages 2 and 3: 128 @ 1/8 | 64 @ 1/4 -> 16 @ 1/2 -> classes

The bar is where encode ends: the decoder adds nothing but the places of the maxima.

Source: Paszke et al., "ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation", 2016
(arXiv 1606.02147), table I and section 3; what the paper leaves open (PReLU with a slope for each channel, ReLU and no
dropout in the decoder) as in the authors' Torch7 code (e-lab/ENet-training, train/models).
"""

from itertools import chain

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import crop_like, extent, initialise

REDUCTION = 4  # channels of a block to those of its inner convolutions (the authors' code)
EARLY_DROPOUT, DROPOUT = 0.01, 0.1  # of whole maps, up to bottleneck 1.4 and after it (section 3)

# The eight bottlenecks that stages 2 and 3 repeat (table I): dilation of a 3x3 kernel, or "asymmetric" 5x1 and 1x5.
STAGE: tuple[int | str, ...] = (1, 2, "asymmetric", 4, 1, 8, "asymmetric", 16)


class Bottleneck(nn.Module):
    """1x1, a middle convolution and 1x1, added to the input (figure 2b).

    Args:
        channels: in and out.
        kind: dilation of the 3x3 convolution in the middle, or "asymmetric".
        dropout: probability that a map of the branch is zeroed; 0 for none.
        slopes: PReLU, as in the encoder; else ReLU.
    """

    def __init__(self, channels: int, kind: int | str = 1, *, dropout: float = 0.0, slopes: bool = True) -> None:
        super().__init__()
        middle = channels // REDUCTION
        self.branch = nn.Sequential(
            nn.Conv2d(channels, middle, 1, bias=False),
            *_norm(middle, slopes),
            *_middle(middle, kind),
            *_norm(middle, slopes),
            *_expand(middle, channels, dropout),
        )
        self.activation = _activation(channels, slopes)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> the same shape."""
        result: Tensor = self.activation(x + self.branch(x))
        return result


class Downsampling(nn.Module):
    """A bottleneck that halves the map; beside it the maxima, whose places the decoder will want."""

    def __init__(self, inputs: int, outputs: int, *, dropout: float) -> None:
        super().__init__()
        middle = outputs // REDUCTION
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, middle, 2, stride=2, bias=False),
            *_norm(middle),
            *_middle(middle, 1),
            *_norm(middle),
            *_expand(middle, outputs, dropout),
        )
        self.new_channels = outputs - inputs
        self.activation = _activation(outputs)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[B,C,h,w] -> [B,C',ceil(h/2),ceil(w/2)] and the int64 places [B,C,ceil(h/2),ceil(w/2)] of the maxima."""
        odd = (0, x.shape[3] % 2, 0, x.shape[2] % 2)  # the 2x2 kernel needs a row and a column of zeros more
        branch = self.branch(F.pad(x, odd) if any(odd) else x)
        maxima, places = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
        maxima = F.pad(maxima, (0, 0, 0, 0, 0, self.new_channels))  # the new channels start as zeros
        return self.activation(maxima + branch), places


class Upsampling(nn.Module):
    """A bottleneck that doubles the map; beside it a 1x1 convolution whose values go to the places of the maxima."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        middle = outputs // REDUCTION
        self.reduce = nn.Sequential(nn.Conv2d(inputs, middle, 1, bias=False), *_norm(middle, slopes=False))
        self.enlarge = nn.ConvTranspose2d(middle, middle, 3, stride=2, padding=1, bias=False)
        self.expand = nn.Sequential(*_norm(middle, slopes=False), *_expand(middle, outputs, dropout=0.0))
        self.main = nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor, places: Tensor, size_hw: tuple[int, int]) -> Tensor:
        """[B,C,h,w] and places [B,C',h,w] -> [B,C',H,W] of size_hw, which is 2h or 2h-1 by 2w or 2w-1."""
        branch = self.expand(self.enlarge(self.reduce(x), output_size=list(size_hw)))
        return F.relu(branch + unpool(self.main(x), places, size_hw))


class ENet(FrameNetwork):
    """ENet. The map is the encoder's end: 128 channels at 1/8.

    Args:
        num_classes: channels of the logits, which have the size of the frames.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.initial = nn.Conv2d(3, 13, 3, stride=2, padding=1, bias=False)  # the other 3 of 16: the frame, pooled
        self.initial_norm = nn.Sequential(*_norm(16))
        self.down_4 = Downsampling(16, 64, dropout=EARLY_DROPOUT)
        self.stage_1 = nn.Sequential(*(Bottleneck(64, dropout=EARLY_DROPOUT) for _ in range(4)))
        self.down_8 = Downsampling(64, 128, dropout=DROPOUT)
        self.stages_2_3 = nn.Sequential(*(Bottleneck(128, kind, dropout=DROPOUT) for kind in chain(STAGE, STAGE)))
        self.up_4 = Upsampling(128, 64)
        self.stage_4 = nn.Sequential(*(Bottleneck(64, slopes=False) for _ in range(2)))
        self.up_2 = Upsampling(64, 16)
        self.stage_5 = Bottleneck(16, slopes=False)
        self.classifier = nn.ConvTranspose2d(16, num_classes, 2, stride=2)
        initialise(self, self.classifier)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/8,W/8]; the rest: places of the maxima at 1/4 and 1/8, and the extent."""
        pooled = F.max_pool2d(frames, 2, ceil_mode=True)
        x = self.initial_norm(torch.cat([self.initial(frames), pooled], dim=1))  # [B, 16, H/2, W/2]
        x, places_4 = self.down_4(x)
        x, places_8 = self.down_8(self.stage_1(x))
        return self.stages_2_3(x), (places_4, places_8, extent(frames))

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,128,H/8,W/8] and the rest -> logits [B,num_classes,H,W]."""
        places_4, places_8, whole = rest
        height, width = (whole.shape[2] + 1) // 2, (whole.shape[3] + 1) // 2
        x = self.stage_4(self.up_4(at, places_8, (places_4.shape[2], places_4.shape[3])))
        x = self.stage_5(self.up_2(x, places_4, (height, width)))
        return crop_like(self.classifier(x), whole)


def unpool(values: Tensor, places: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Put values [B,C,h,w] at their places in zeros [B,C,H,W] of size_hw; no two share one, their windows being apart.

    As F.max_unpool2d, which torch calls non-deterministic for the sake of windows that overlap.
    """
    batch, channels, height, width = (*values.shape[:2], *size_hw)
    zeros = values.new_zeros(batch, channels, height * width)
    return zeros.scatter(2, places.flatten(2), values.flatten(2)).view(batch, channels, height, width)


def _activation(channels: int, slopes: bool = True) -> nn.Module:
    return nn.PReLU(channels) if slopes else nn.ReLU(inplace=True)


def _norm(channels: int, slopes: bool = True) -> list[nn.Module]:
    return [nn.BatchNorm2d(channels), _activation(channels, slopes)]


def _middle(channels: int, kind: int | str) -> list[nn.Module]:
    if kind == "asymmetric":
        return [
            nn.Conv2d(channels, channels, (5, 1), padding=(2, 0), bias=False),
            nn.Conv2d(channels, channels, (1, 5), padding=(0, 2), bias=False),
        ]
    dilation = int(kind)
    return [nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)]


def _expand(middle: int, outputs: int, dropout: float) -> list[nn.Module]:
    layers: list[nn.Module] = [nn.Conv2d(middle, outputs, 1, bias=False), nn.BatchNorm2d(outputs)]
    return [*layers, nn.Dropout2d(dropout)] if dropout else layers
