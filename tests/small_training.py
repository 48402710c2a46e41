"""The least that can be trained: three short videos, a recipe of six steps, a network of one layer and a half."""

import numpy as np
import torch
from torch import nn

from airsim_seg.benchmark.clips import ClipSampler
from airsim_seg.benchmark.frames import LabelledFrames
from airsim_seg.benchmark.networks import build_network
from airsim_seg.benchmark.recipe import Recipe

NUM_CLASSES = 3
TIMES = ["seconds", "data_seconds"]  # columns of a history that differ from run to run
SMALL = Recipe(
    input_hw=(16, 24), steps=6, clip_length=3, clips_per_step=2, checkpoint_every=2, threads=1, peak_learning_rate=1e-2
)


def make_videos(count=3) -> list[LabelledFrames]:
    """Blocks of three colours that mean three classes; a corner is not labelled."""
    videos = []
    for i in range(count):
        rng = np.random.default_rng(i)
        labels = rng.integers(0, NUM_CLASSES, (6, 2, 3), np.uint8).repeat(8, 1).repeat(8, 2)
        images = (labels[..., None] * np.array([100, 0, 50]) + rng.integers(0, 20, (*labels.shape, 3))).astype(np.uint8)
        labels[:, :3, :3] = 255
        videos.append(LabelledFrames(f"v{i}", images, labels, np.arange(6) == 0))
    return videos


def make_sampler(recipe=SMALL, seed=0, videos=None) -> ClipSampler:
    return ClipSampler(
        videos or make_videos(),
        clip_length=recipe.clip_length,
        clips_per_step=recipe.clips_per_step,
        seed=seed,
        augment=recipe.augment,
    )


class Tiny(nn.Module):
    """The least that has all a checkpoint must keep: weights, BatchNorm statistics, and dropout's randomness."""

    def __init__(self, depth: int = 2, num_classes: int = NUM_CLASSES) -> None:
        super().__init__()
        self.num_classes, self.depth = num_classes, depth
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Dropout(0.3), nn.Conv2d(4, num_classes, 1)
        )
        for parameter in self.parameters():
            nn.init.uniform_(parameter, 0.1, 0.5, generator=torch.Generator().manual_seed(parameter.numel()))

    def forward(self, images, *_):
        return self.layers(images), None

    def extra_repr(self) -> str:
        return f"tca_depth={self.depth}"


def small_fanet(depth=2, aggregation="sum", *, seed=0, width=1 / 16, auxiliary=False) -> nn.Module:
    return build_network(
        "fanet18",
        tca_depth=depth,
        aggregation=aggregation,
        num_classes=NUM_CLASSES,
        width=width,
        seed=seed,
        auxiliary=auxiliary,
    )


def same_bits(a: nn.Module, b: nn.Module) -> bool:
    mine, other = a.state_dict(), b.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[name], other[name]) for name in mine)
