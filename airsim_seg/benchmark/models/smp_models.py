"""Three networks of the package segmentation-models-pytorch, cut in two halves; random weights.

The package is optional and is imported when a network is made. It takes only frames whose sides are multiples of 32:
here frames are continued with their last row and column, and the logits cropped.

Sources: Ronneberger et al., "U-Net", MICCAI 2015 (arXiv 1505.04597); Kirillov et al., "Panoptic Feature Pyramid
Networks", CVPR 2019 (arXiv 1901.02446); Xie et al., "SegFormer", NeurIPS 2021 (arXiv 2105.15203).
"""

from importlib import import_module
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import crop_like, extent
from airsim_seg.errors import UsageError

PACKAGE = "segmentation_models_pytorch"
MULTIPLE = 32  # pixels: the encoders' coarsest map lies at 1/32, and the decoders double it without looking


class UnetResNet18(FrameNetwork):
    """U-Net on a ResNet-18. The map is the decoder's at 1/8: 128 channels.

    It has seen all but the encoder's maps at 1/2 and 1/4, which come to the decoder later and go by as the rest. (The
    decoder's last map has seen everything, but lies at the frames' own size.)

    Args:
        num_classes: channels of the logits, which have the size of the frames.

    Raises:
        UsageError: the package is not installed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=8)
        self.network = make("Unet", "resnet18", num_classes)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,h/8,w/8] (h, w: rounded up to 32); the rest: at 1/2, at 1/4, and the extent."""
        _, at_2, at_4, at_8, at_16, at_32 = self.network.encoder(pad(frames))
        x = self.network.decoder.center(at_32)
        for block, skip in zip(self.network.decoder.blocks[:2], (at_16, at_8), strict=True):
            x = block(x, skip.shape[2], skip.shape[3], skip)
        return x, (at_2, at_4, extent(frames))

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,128,h/8,w/8] and the rest -> logits [B,num_classes,H,W]."""
        at_2, at_4, whole = rest
        to_4, to_2, to_1 = self.network.decoder.blocks[2:]
        x = to_4(at, at_4.shape[2], at_4.shape[3], at_4)
        x = to_2(x, at_2.shape[2], at_2.shape[3], at_2)
        x = to_1(x, 2 * at_2.shape[2], 2 * at_2.shape[3])
        return crop_like(self.network.segmentation_head(x), whole)


class FPNResNet18(FrameNetwork):
    """Panoptic FPN on a ResNet-18. The map is the pyramid's level at 1/8: 256 channels.

    It is the finest of the levels at 1/8 or 1/16, and top-down it has all of the coarser ones; but they also go to the
    head directly, so these two levels and the encoder's map at 1/4 go by as the rest.

    Args:
        num_classes: channels of the logits, which have the size of the frames.

    Raises:
        UsageError: the package is not installed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=256, map_stride=8)
        self.network = make("FPN", "resnet18", num_classes)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,256,h/8,w/8] (h, w: rounded up to 32); the rest: see the class, and the extent."""
        *_, at_4, at_8, at_16, at_32 = self.network.encoder(pad(frames))
        decoder = self.network.decoder
        level_32 = decoder.p5(at_32)
        level_16 = decoder.p4(level_32, at_16)
        return decoder.p3(level_16, at_8), (at_4, level_16, level_32, extent(frames))

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,256,h/8,w/8] and the rest -> logits [B,num_classes,H,W]."""
        at_4, level_16, level_32, whole = rest
        decoder = self.network.decoder
        levels = (level_32, level_16, at, decoder.p2(at, at_4))
        merged = decoder.merge([block(level) for block, level in zip(decoder.seg_blocks, levels, strict=True)])
        return crop_like(self.network.segmentation_head(decoder.dropout(merged)), whole)


class SegFormerB0(FrameNetwork):
    """SegFormer-B0. The map is the encoder's at 1/16: 160 channels.

    The decoder joins four scales at 1/4, so no map at 1/8 or 1/16 has seen them all. The encoder's deepest at 1/16 has
    seen the two finer ones, and the coarsest is made from it, in decode; the finer ones also go by as the rest.

    Args:
        num_classes: channels of the logits, which have the size of the frames.

    Raises:
        UsageError: the package is not installed.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=160, map_stride=16)
        self.network = make("Segformer", "mit_b0", num_classes)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,160,h/16,w/16] (h, w: rounded up to 32); the rest: at 1/4, at 1/8, and the extent."""
        encoder = self.network.encoder
        at_4 = encoder.norm1(encoder.block1(encoder.patch_embed1(pad(frames)))).contiguous()
        at_8 = encoder.norm2(encoder.block2(encoder.patch_embed2(at_4))).contiguous()
        at_16 = encoder.norm3(encoder.block3(encoder.patch_embed3(at_8))).contiguous()
        return at_16, (at_4, at_8, extent(frames))

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,160,h/16,w/16] and the rest -> logits [B,num_classes,H,W]."""
        at_4, at_8, whole = rest
        encoder = self.network.encoder
        at_32 = encoder.norm4(encoder.block4(encoder.patch_embed4(at))).contiguous()
        # The library's decoder wants the frames for their size alone, and a placeholder where other encoders have 1/2.
        batch, _, height, width = at_4.shape
        frames = at_4.new_empty((batch, 0, 4 * height, 4 * width))
        x = self.network.decoder([frames, frames, at_4, at_8, at, at_32])
        return crop_like(self.network.segmentation_head(x), whole)


def make(architecture: str, encoder: str, num_classes: int) -> Any:
    """Make one of the library's networks, with random weights.

    Args:
        architecture: name of the library's class.
        encoder: its name in the library.
        num_classes: channels of the logits.

    Raises:
        UsageError: the package is not installed.
    """
    try:
        library = import_module(PACKAGE)
    except ModuleNotFoundError as error:
        raise UsageError(
            f'{architecture} with {encoder} needs the package {error.name}: pip install "airsim-seg[peers]" brings it.'
        ) from error
    return getattr(library, architecture)(encoder, encoder_weights=None, classes=num_classes)


def pad(frames: Tensor) -> Tensor:
    """Continue [B,3,H,W] below and on the right with its last row and column, to sides that are multiples of 32."""
    below, right = -frames.shape[2] % MULTIPLE, -frames.shape[3] % MULTIPLE
    return F.pad(frames, (0, right, 0, below), mode="replicate") if below or right else frames
