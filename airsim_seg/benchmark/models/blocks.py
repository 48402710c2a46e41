"""Blocks that several peer networks share, and what lets them take frames of any size.

Two rules hold for all of them. Convolutions in front of a BatchNorm have no bias: the BatchNorm would take it away.
Maps are enlarged bilinearly to the size of the map that they meet, pixels as areas, so that odd sizes fit too.
"""

import torch.nn.functional as F
from torch import Tensor, nn


def conv_bn(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    groups: int = 1,
    dilation: int = 1,
    activation: bool = True,
) -> nn.Sequential:
    """Make convolution, BatchNorm and (unless switched off) ReLU; at stride 1 the size stays, at 2 it is ceil(size/2).

    Args:
        inputs: channels.
        outputs: channels.
        kernel: side of the kernel, odd.
        stride: of the convolution.
        groups: of the convolution; as many as inputs make it depthwise.
        dilation: of the kernel.
        activation: whether ReLU follows.
    """
    padding = dilation * (kernel // 2)
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation=dilation, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers)


def bn_relu_conv(inputs: int, outputs: int, kernel: int, *, groups: int = 1, bias: bool = False) -> nn.Sequential:
    """Make BatchNorm, ReLU and convolution in this order, as DDRNet's and PIDNet's pyramids and heads have them."""
    return nn.Sequential(
        nn.BatchNorm2d(inputs),
        nn.ReLU(inplace=True),
        nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups, bias=bias),
    )


class Residual(nn.Module):
    """A few convolutions and a shortcut; the shortcut is a strided 1x1 where size or channels change.

    Args:
        body: the convolutions, the last one without activation.
        inputs: channels.
        outputs: channels.
        stride: of the body.
        activation: whether ReLU follows the sum.
    """

    def __init__(self, body: nn.Module, inputs: int, outputs: int, *, stride: int, activation: bool) -> None:
        super().__init__()
        self.body = body
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, 1, stride=stride, activation=False)
        self.activation = nn.ReLU(inplace=True) if activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,h,w] -> [B,C',ceil(h/stride),ceil(w/stride)]."""
        result: Tensor = self.activation(self.body(x) + self.shortcut(x))
        return result


def residual(inputs: int, outputs: int, *, stride: int = 1, activation: bool = True) -> Residual:
    """Make two 3x3 convolutions with a shortcut (He et al. 2016, figure 2)."""
    body = nn.Sequential(conv_bn(inputs, outputs, 3, stride=stride), conv_bn(outputs, outputs, 3, activation=False))
    return Residual(body, inputs, outputs, stride=stride, activation=activation)


def residuals(inputs: int, outputs: int, count: int, *, stride: int = 1) -> nn.Sequential:
    """Make several blocks, the first one strided and the last one without ReLU: DDRNet and PIDNet fuse before it."""
    blocks = [
        residual(inputs if k == 0 else outputs, outputs, stride=stride if k == 0 else 1, activation=k < count - 1)
        for k in range(count)
    ]
    return nn.Sequential(*blocks)


def bottleneck(inputs: int, middle: int, *, stride: int = 1) -> Residual:
    """Make 1x1, 3x3 and 1x1 convolutions with a shortcut, to twice the middle channels; no ReLU after the sum.

    Source: the authors' DDRNet and PIDNet code, where the factor is 2 and not ResNet's 4.
    """
    body = nn.Sequential(
        conv_bn(inputs, middle, 1),
        conv_bn(middle, middle, 3, stride=stride),
        conv_bn(middle, 2 * middle, 1, activation=False),
    )
    return Residual(body, inputs, 2 * middle, stride=stride, activation=False)


def resize_like(x: Tensor, like: Tensor) -> Tensor:
    """Resample bilinearly [B,C,h,w] -> [B,C,H,W], the size of like [.,.,H,W]; pixels are areas."""
    return F.interpolate(x, size=(like.shape[2], like.shape[3]), mode="bilinear", align_corners=False)


def extent(frames: Tensor) -> Tensor:
    """A map [B,0,H,W] without channels: all that a decoder must know of the frames to give logits of their size."""
    return frames.new_empty((len(frames), 0, frames.shape[2], frames.shape[3]))


def crop_like(x: Tensor, like: Tensor) -> Tensor:
    """Cut rows below and columns on the right: [B,C,h,w] -> [B,C,H,W] of like, where h >= H and w >= W."""
    return x[:, :, : like.shape[2], : like.shape[3]]


def initialise(net: nn.Module, *classifiers: nn.Module) -> None:
    """Draw convolutions from Kaiming's normal distribution (He et al. 2015, fan-out); biases 0, BatchNorm 1 and 0.

    Args:
        net: all its convolutions and BatchNorms.
        classifiers: convolutions that give logits, one weight of every input channel to each. No ReLU follows them, and
            with few classes fan-out would start them with logits of tens and a loss of ten: they get the variance
            1 / input channels, which keeps logits near 1.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            if any(module is classifier for classifier in classifiers):
                nn.init.normal_(module.weight, std=module.in_channels**-0.5)
            else:
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
