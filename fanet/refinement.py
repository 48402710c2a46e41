"""Motion corrected by a small network that sees both pictures: what optical flow got wrong, the loss can put right.

Source: Gadde, Jampani, Gehler, "Semantic Video CNNs through Representation Warping" (NetWarp), ICCV 2017
(arXiv 1708.03088): four 3x3 convolutions over the flow, both frames and their difference (11 channels) with 16, 32, 2
and 2 channels; the last one sees the given flow once more. It differs here in three ways:

- It works at the map's resolution, not the picture's: 1/64 of the cost at 1/8. So does the model that the authors
  released (raghudeep/netwarp_public: pspnet101_cityscapes_conv5_4netwarp_deploy.prototxt), which shrinks by the largest
  value of 8x8 pixels; here it is the mean, of the motion's known pixels. That model has no ReLU after the third layer
  either, takes the frame before already moved, without the difference, and ends in a 1x1 layer.
- The last layer gives a correction and starts at zero, so an untrained network moves maps along the given flow, and
  weight decay pulls back to that. A last layer that gives the flow itself can say the same.
- What is not known stays so.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HIDDEN_CHANNELS = (16, 32, 2)
INPUT_CHANNELS = 2 + 3 + 3 + 3  # flow, the frame, the one before it, their difference


class FlowRefinement(nn.Module):
    """Correct motion where the pictures say otherwise; at first nothing is corrected.

    Like all that a memory learns it starts the same for every seed: the weights come from a generator of its own, and
    torch's is left as it was.
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = HIDDEN_CHANNELS
        self.hidden = nn.Sequential(
            _conv(INPUT_CHANNELS, first), nn.ReLU(inplace=True), _conv(first, second), nn.ReLU(inplace=True)
        )
        self.third = _conv(second, third)
        self.last = _conv(2 + third, 2)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start again: He et al. 2015, and zeros in the last layer (the released model: Gaussians of fixed widths)."""
        generator = torch.Generator().manual_seed(0)
        for layer in (*self.hidden, self.third, self.last):
            if isinstance(layer, nn.Conv2d) and layer.bias is not None:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
                nn.init.zeros_(layer.bias)
        nn.init.zeros_(self.last.weight)

    def forward(self, motion: Tensor, pictures: Tensor, before: Tensor) -> Tensor:
        """Correct the motion of B frames.

        Args:
            motion: [B,2,h,w] from each frame to the one before it, in places (columns, then rows), NaN = unknown.
            pictures: [B,3,h,w] the frames, normalised as for the network, at the motion's size; see shrink_pictures.
            before: [B,3,h,w] the frame before each.

        Returns:
            [B,2,h,w], NaN where motion is.
        """
        known = motion.isfinite().all(1, keepdim=True)
        flow = motion.masked_fill(~known, 0)
        hidden = self.third(self.hidden(torch.cat([flow, pictures, before, pictures - before], dim=1)))
        correction = self.last(torch.cat([flow, hidden], dim=1))
        return torch.where(known, flow + correction, torch.nan)


def shrink_pictures(frames: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Bring frames [B,3,H,W] to a map's size, [B,3,h,w]: the mean over the pixels of each place."""
    return F.adaptive_avg_pool2d(frames, size_hw)


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    """Make a 3x3 convolution that keeps the size; its weights are not drawn yet."""
    return nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, device="meta").to_empty(device="cpu")
