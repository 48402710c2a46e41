"""Two of torchvision's networks on MobileNetV3-Large, cut in two halves; random weights.

Sources: Howard et al., "Searching for MobileNetV3", ICCV 2019 (arXiv 1905.02244), section 6.4 and figure 10 (LR-ASPP);
Chen et al., "Rethinking Atrous Convolution for Semantic Image Segmentation", 2017 (arXiv 1706.05587) (DeepLabV3).
"""

from typing import Any

from torch import Tensor, nn
from torchvision.models.segmentation import deeplabv3_mobilenet_v3_large, lraspp_mobilenet_v3_large

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.blocks import resize_like


class LRASPP(FrameNetwork):
    """LR-ASPP on MobileNetV3-Large. The map is what the classifier gets at 1/16: 128 channels.

    It has all but the detail at 1/8 (40 channels), which the last layer scores and adds: that goes by as the rest.

    Args:
        num_classes: channels of the logits, which lie at 1/8.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=128, map_stride=16)
        self.network: Any = lraspp_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=num_classes)
        _quicken(self.network)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,128,H/16,W/16]; the rest: the detail [B,40,H/8,W/8]."""
        features = self.network.backbone(frames)
        head = self.network.classifier
        return head.cbr(features["high"]) * head.scale(features["high"]), (features["low"],)

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:
        """[B,128,H/16,W/16] and the detail -> logits [B,num_classes,H/8,W/8]."""
        (detail,) = rest
        head = self.network.classifier
        logits: Tensor = head.low_classifier(detail) + head.high_classifier(resize_like(at, detail))
        return logits


class DeepLabV3(FrameNetwork):
    """DeepLabV3 on MobileNetV3-Large, without auxiliary head. The map is the atrous pyramid's: 256 channels at 1/16.

    Args:
        num_classes: channels of the logits, which lie at 1/16.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(num_classes, map_channels=256, map_stride=16)
        self.network: Any = deeplabv3_mobilenet_v3_large(weights=None, weights_backbone=None, num_classes=num_classes)
        _quicken(self.network)

    def encode(self, frames: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """frames [B,3,H,W] -> [B,256,H/16,W/16]; there is no rest."""
        pyramid = self.network.classifier[0]
        return pyramid(self.network.backbone(frames)["out"]), ()

    def decode(self, at: Tensor, rest: tuple[Tensor, ...]) -> Tensor:  # noqa: ARG002
        """[B,256,h,w] -> logits [B,num_classes,h,w]."""
        for layer in list(self.network.classifier)[1:]:  # a slice of torchvision's head would call its constructor
            at = layer(at)
        return at


def _quicken(network: nn.Module) -> None:
    """Let BatchNorm's statistics settle as fast as everybody else's.

    torchvision's MobileNetV3 moves them by a hundredth a step, for trainings of hundreds of thousands: after 150 steps
    a fifth of them were still those of the start, and the trained networks scored 7 % mIoU.
    """
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.1
