"""What a peer network must offer to be trained, scored, timed and given a memory like FANet."""

from abc import ABC, abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn


class FrameNetwork(nn.Module, ABC):
    """A network that knows one frame at a time, in two halves.

    Between the halves lies the map at which a memory can act: the last one that still has 1/8 or 1/16 of the frame's
    size and all that the network knows. A subclass implements encode and decode.

    Args:
        num_classes: channels of the logits.
        map_channels: of the map between the halves.
        map_stride: 8 or 16, pixels of the frame to one of the map.
    """

    def __init__(self, num_classes: int, map_channels: int, map_stride: int) -> None:
        super().__init__()
        if num_classes < 1:
            raise ValueError(f"num_classes must be at least 1, not {num_classes}")
        self.num_classes = num_classes
        self.map_channels = map_channels
        self.map_stride = map_stride

    @abstractmethod
    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> the map [B,map_channels,h,w], and what else the decoder needs. Any size from 32x32."""

    @abstractmethod
    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """Finish: the map and the rest -> logits [B,num_classes,h',w'] at the network's own finest size."""

    def forward(self, frames: Tensor) -> Tensor:
        """frames [B,3,H,W] -> logits [B,num_classes,H,W]; enlarged bilinearly, pixels as areas."""
        logits = self.decode(*self.encode(frames))
        if logits.shape[2:] == frames.shape[2:]:
            return logits
        return F.interpolate(logits, size=(frames.shape[2], frames.shape[3]), mode="bilinear", align_corners=False)

    def extra_repr(self) -> str:
        """Show what the sub-modules do not."""
        return f"num_classes={self.num_classes}"
