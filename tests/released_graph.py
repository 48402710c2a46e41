"""The authors' training graph, stated again from its weights' names alone, and random weights for it.

No line is shared with the fanet package: the statement reads a flat state dict with the authors' names
(feinanshan/FANet, Train/ptsemseg/models/fanet) and calls torch.nn.functional.
"""

import functools

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
FUSED = {"ffm_4": 64, "ffm_8": 128, "ffm_16": 256, "ffm_32": 512}
Weights = dict[str, Tensor]


class Statement:
    """The released graph as a function of its weights; in training, BatchNorm moves the statistics among them."""

    def __init__(self, weights: Weights, training: bool = False) -> None:
        self.weights = weights
        self.training = training

    def __call__(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Logits at the frames' size; auxiliary logits at 1/32 and 1/64, which the authors then enlarge alike."""
        at_8, at_16, at_32, at_64 = self.resnet(frames)
        fused = self.attend("ffm_32", at_64)
        smooth_64, up = self.unit("ffm_32.smooth", fused, padding=1), self.unit("ffm_32.up", fused, padding=1)
        fused = self.attend("ffm_16", at_32, up)
        smooth_32, up = self.unit("ffm_16.smooth", fused, padding=1), self.unit("ffm_16.up", fused, padding=1)
        up = self.unit("ffm_8.up", self.attend("ffm_8", at_16, up), padding=1)
        smooth_8 = self.unit("ffm_4.smooth", self.attend("ffm_4", at_8, up), padding=1)
        logits = self.classify("clslayer_8", torch.cat([enlarged(smooth_32, smooth_8), smooth_8], dim=1))
        auxiliary = self.classify("clslayer_16", smooth_32), self.classify("clslayer_32", smooth_64)
        return enlarged(logits, frames), *auxiliary

    def resnet(self, x: Tensor) -> list[Tensor]:
        x = self.norm("resnet.bn1", self.conv("resnet.conv1", x, padding=3, stride=2))
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        maps = []
        for stage in ("resnet.layer1", "resnet.layer2", "resnet.layer3", "resnet.layer4"):
            block = 0
            while f"{stage}.{block}.conv1.weight" in self.weights:
                x = self.residual(f"{stage}.{block}", x, stride=1 if block else 2)
                block += 1
            maps.append(x)
        return maps

    def residual(self, name: str, x: Tensor, stride: int) -> Tensor:
        y = self.norm(f"{name}.bn1", self.conv(f"{name}.conv1", x, padding=1, stride=stride))
        y = self.norm(f"{name}.bn2", self.conv(f"{name}.conv2", y, padding=1), leaky=False)
        if stride == 2:
            x = self.norm(f"{name}.downsample.1", self.conv(f"{name}.downsample.0", x, stride=2), leaky=False)
        return F.relu(x + y)

    def attend(self, name: str, feature: Tensor, coarser: Tensor | None = None) -> Tensor:
        query = F.normalize(self.unit(f"{name}.w_qs", feature, leaky=False))
        key = F.normalize(self.unit(f"{name}.w_ks", feature, leaky=False))
        value = self.unit(f"{name}.w_vs", feature)
        context = torch.einsum("bkhw,bchw->bkc", key, value)  # a sum over pixels: no 1/n
        result = feature + self.unit(f"{name}.latlayer3", torch.einsum("bkhw,bkc->bchw", query, context))
        return result if coarser is None else result + enlarged(coarser, result)

    def classify(self, name: str, x: Tensor) -> Tensor:
        return self.conv(f"{name}.conv_out", self.unit(f"{name}.conv", x, padding=1))

    def unit(self, name: str, x: Tensor, padding: int = 0, leaky: bool = True) -> Tensor:
        return self.norm(f"{name}.bn", self.conv(f"{name}.conv", x, padding), leaky)

    def conv(self, name: str, x: Tensor, padding: int = 0, stride: int = 1) -> Tensor:
        return F.conv2d(x, self.weights[f"{name}.weight"], stride=stride, padding=padding)

    def norm(self, name: str, x: Tensor, leaky: bool = True) -> Tensor:
        mean, var, scale, shift = (
            self.weights[f"{name}.{k}"] for k in ("running_mean", "running_var", "weight", "bias")
        )
        if self.training:
            self.weights[f"{name}.num_batches_tracked"] += 1
        x = F.batch_norm(x, mean, var, scale, shift, training=self.training)
        return F.leaky_relu(x, 0.01) if leaky else x


def enlarged(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[2:], mode="bilinear", align_corners=True)


def shapes(backbone: str) -> dict[str, tuple[int, int, int]]:
    """Every convolution of the training graph: outputs, inputs, side of the kernel."""
    convs = {"resnet.conv1": (64, 3, 7)}
    inputs = 64
    for stage, (count, channels) in enumerate(zip(BLOCKS[backbone], (64, 128, 256, 512), strict=True), start=1):
        for block in range(count):
            name = f"resnet.layer{stage}.{block}"
            convs |= {f"{name}.conv1": (channels, inputs, 3), f"{name}.conv2": (channels, channels, 3)}
            if block == 0:
                convs[f"{name}.downsample.0"] = (channels, inputs, 1)
            inputs = channels
    for name, channels in FUSED.items():
        convs |= {f"{name}.{part}.conv": (32, channels, 1) for part in ("w_qs", "w_ks")}
        convs |= {f"{name}.{part}.conv": (channels, channels, 1) for part in ("w_vs", "latlayer3")}
        convs |= {f"{name}.up.conv": (channels // 2, channels, 1), f"{name}.smooth.conv": (128, channels, 3)}
    for name, inputs, hidden in (("clslayer_8", 256, 256), ("clslayer_16", 128, 64), ("clslayer_32", 128, 64)):
        convs |= {f"{name}.conv.conv": (hidden, inputs, 3), f"{name}.conv_out": (19, hidden, 1)}
    return convs


def trained_weights(backbone: str = "resnet18", dtype: torch.dtype = torch.float32) -> Weights:
    """Random weights for 19 classes with the authors' names, and statistics as training could have left them."""
    return {name: v.to(dtype, copy=True) if v.is_floating_point() else v.clone() for name, v in drawn(backbone).items()}


@functools.cache
def drawn(backbone: str) -> Weights:
    torch.manual_seed(3)
    weights: Weights = {}
    for name, (outputs, inputs, side) in shapes(backbone).items():
        weights[f"{name}.weight"] = torch.randn(outputs, inputs, side, side) * (inputs * side**2) ** -0.5
        if name.endswith("conv_out"):
            continue
        norm = name.replace("downsample.0", "downsample.1")
        if norm == name:  # conv1 -> bn1, up.conv -> up.bn
            norm = name[: name.rindex("conv")] + "bn" + name[name.rindex("conv") + len("conv") :]
        weights[f"{norm}.weight"] = 0.5 + torch.rand(outputs)
        weights[f"{norm}.bias"] = 0.3 * torch.randn(outputs)
        weights[f"{norm}.running_mean"] = 0.3 * torch.randn(outputs)
        weights[f"{norm}.running_var"] = 0.5 + torch.rand(outputs)
        weights[f"{norm}.num_batches_tracked"] = torch.tensor(40_000)
    return weights
