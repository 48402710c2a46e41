"""The encoder: a ResNet whose first residual stage strides too, so that its four maps lie at 1/8, 1/16, 1/32 and 1/64.

Source: Hu et al., "Real-time Semantic Segmentation with Fast Attention", RA-L 2021 (arXiv 2007.03815), section III-C
("additional spatial reduction"); activations as in the authors' released training graph: LeakyReLU(0.01) everywhere,
ReLU after the residual sum.
"""

from torch import Tensor, nn

LEAK = 0.01  # negative slope of the released graph

# Residual blocks in each of the four stages (He et al. 2016, table 1).
STAGE_BLOCKS: dict[str, tuple[int, int, int, int]] = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}


def conv_bn(
    inputs: int, outputs: int, *, kernel: int, stride: int = 1, padding: int | None = None, activation: bool = True
) -> nn.Sequential:
    """Make convolution, BatchNorm and (unless switched off) LeakyReLU; no bias: BatchNorm has one.

    Args:
        inputs: channels.
        outputs: channels.
        kernel: side of the kernel, odd.
        stride: of the convolution.
        padding: None is kernel // 2, which keeps the size at stride 1.
        activation: whether LeakyReLU follows.
    """
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2 if padding is None else padding, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if activation:
        layers.append(nn.LeakyReLU(LEAK, inplace=True))
    return nn.Sequential(*layers)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut; the shortcut is a strided 1x1 where size or channels change."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.convs = nn.Sequential(
            conv_bn(inputs, outputs, kernel=3, stride=stride),
            conv_bn(outputs, outputs, kernel=3, activation=False),
        )
        same = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same else conv_bn(inputs, outputs, kernel=1, stride=stride, activation=False)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] -> [B,C',ceil(H/stride),ceil(W/stride)]."""
        result: Tensor = self.relu(self.convs(x) + self.shortcut(x))
        return result


class Backbone(nn.Module):
    """Stem (7x7/2 and max pool: 1/4), then four stages that halve the map each.

    Args:
        blocks: residual blocks in each stage, see STAGE_BLOCKS.
        channels: of the four maps, finest first; (64, 128, 256, 512) at width 1. The stem has those of the first.
    """

    def __init__(self, blocks: tuple[int, int, int, int], channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            conv_bn(3, channels[0], kernel=7, stride=2),
            nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
        )
        stages, inputs = [], channels[0]
        for count, outputs in zip(blocks, channels, strict=True):
            rest = [ResidualBlock(outputs, outputs, stride=1) for _ in range(count - 1)]
            stages.append(nn.Sequential(ResidualBlock(inputs, outputs, stride=2), *rest))
            inputs = outputs
        self.stages = nn.ModuleList(stages)

    def forward(self, frames: Tensor) -> list[Tensor]:
        """frames [B,3,H,W] -> four maps [B,C_s,H_s,W_s], finest (1/8) first. Odd sizes round up."""
        x = self.stem(frames)  # [B, C, H/4, W/4]
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
