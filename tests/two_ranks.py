"""Two processes that train together on the CPU, and what they do there; they meet through a file, over loopback."""

import json
import multiprocessing
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch
from small_training import NUM_CLASSES, SMALL, make_sampler, make_videos
from torch import nn

from airsim_seg.benchmark.clips import WHOLE, ClipSampler
from airsim_seg.benchmark.distributed import Team, join_team
from airsim_seg.benchmark.frames import LabelledFrames
from airsim_seg.benchmark.training import train
from airsim_seg.errors import AirsimSegError, MissingData
from fanet import FANet

PLAIN = replace(SMALL, steps=3, clip_length=4)
RECIPES = {
    "defaults": PLAIN,
    "context-lattice": replace(PLAIN, early_frames="context", loss_stride=3),
    "released": replace(PLAIN, optimiser="sgd", warm_up_steps=1, loss="ohem", decay_norms=True, auxiliary_weight=0.5),
}


class Still(FANet):
    """FANet in float64 whose BatchNorm keeps still, so that no frame knows of those of another clip."""

    def __init__(self, *, auxiliary: bool) -> None:
        super().__init__(NUM_CLASSES, width=1 / 16, tca_depth=2, auxiliary=auxiliary)
        self.reset_parameters(torch.Generator().manual_seed(0))
        self.double()

    def train(self, mode: bool = True) -> "Still":
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, frames, state=None, segment_start=None, motion=None, **options):
        return super().forward(frames.double(), state, segment_start, motion, **options)


def unequal_videos() -> list[LabelledFrames]:
    """The second has labels on a quarter of its pixels: ranks that average for themselves would weigh it four times."""
    videos = make_videos()
    videos[1].labels[:, :8] = 255
    videos[1].labels[:, :, :12] = 255
    return videos


class Disturbed(ClipSampler):
    """Draws as its parent does; at its third draw something happens."""

    happening = staticmethod(lambda: None)

    def sample(self, step, share=WHOLE):
        if step == 2:
            self.happening()
        return super().sample(step, share)


def disturbed(happening) -> Disturbed:
    sampler = Disturbed(
        make_videos(), clip_length=PLAIN.clip_length, clips_per_step=PLAIN.clips_per_step, seed=0, augment=False
    )
    sampler.happening = happening
    return sampler


def train_case(name: str, folder: Path, team: Team | None = None):
    """Train one recipe: the same call alone and as a rank."""
    recipe = RECIPES[name]
    net = Still(auxiliary=recipe.auxiliary_weight > 0)
    return train(net, make_sampler(recipe, videos=unequal_videos()), recipe, folder, seed=0, team=team)


def interrupted_on_the_second(folder: Path, team: Team) -> None:
    def press():
        if not team.is_first:
            signal.raise_signal(signal.SIGINT)

    train(Still(auxiliary=False), disturbed(press), replace(PLAIN, steps=9), folder, seed=0, team=team)


def poisoned_on_the_second(folder: Path, team: Team) -> None:
    net = Still(auxiliary=False)

    def poison():
        if not team.is_first:
            net.decoder.head[1].weight.data.fill_(torch.nan)

    train(net, disturbed(poison), PLAIN, folder, seed=0, team=team)


def refused_by_the_first(folder: Path, team: Team) -> None:
    def make():
        raise MissingData(f"{folder} is not there, says rank {team.rank}")

    team.ask_first(make)


TROUBLES = (interrupted_on_the_second, poisoned_on_the_second, refused_by_the_first)


def work(rank: int, folder: Path) -> None:
    """Everything that one of the two does; what came of it goes to <rank>.json."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.platform == "linux":
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    environ = {"WORLD_SIZE": "2", "RANK": str(rank), "LOCAL_RANK": str(rank)}
    outcome = {}
    with join_team(environ, f"file://{folder}/meeting-place") as team:
        outcome["told"] = team.ask_first(lambda: f"by rank {team.rank}")
        for name in RECIPES:
            outcome[name] = train_case(name, folder / name, team)["loss"].tolist()
        for trouble in TROUBLES:
            try:
                trouble(folder / trouble.__name__, team)
            except AirsimSegError as error:
                outcome[trouble.__name__] = [type(error).__name__, error.exit_code, str(error)]
    (folder / f"{rank}.json").write_text(json.dumps(outcome))


def start_two(folder: Path) -> list[dict]:
    """Run both to their ends; what came of each."""
    context = multiprocessing.get_context("spawn")
    ranks = [context.Process(target=work, args=(rank, folder)) for rank in range(2)]
    for rank in ranks:
        rank.start()
    for rank in ranks:
        rank.join(120)
    codes = [rank.exitcode for rank in ranks]
    for rank in ranks:
        rank.kill()
    assert codes == [0, 0]
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(2)]
