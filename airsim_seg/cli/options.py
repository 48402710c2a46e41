"""Option kinds that click lacks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]
BACKEND_NAMES = ("torch", "onnxruntime", "openvino")  # deploy.runtimes.BACKENDS, without its imports


class ManyValues(click.Command):
    """A command whose options with `multiple=True` also take several values in a row.

    click refuses nargs=-1 on options, so `--tca-depths 0 2 4 6` is spelt out as `--tca-depths 0 --tca-depths 2 ...`
    before parsing. A value ends the row when it starts with "-" and is not a number.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the flag before each following value, then parse as click does."""
        names = {
            name for p in self.params if isinstance(p, click.Option) and p.multiple and not p.is_flag for name in p.opts
        }
        return super().parse_args(ctx, spread(args, names))


def spread(args: Sequence[str], names: set[str]) -> list[str]:
    """`["--n", "0", "2"]` -> `["--n", "0", "--n", "2"]` for every flag in names."""
    out: list[str] = []
    flag: str | None = None
    waiting = False
    for position, arg in enumerate(args):
        if arg == "--":
            return out + list(args[position:])
        is_flag = arg.startswith("-") and not _is_number(arg)
        if is_flag:
            flag, waiting = (arg if arg in names else None), True
        elif flag is not None:
            if not waiting:
                out.append(flag)
            waiting = False
        out.append(arg)
    return out


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def videos_option(what_for: str) -> Callable[[Command], Command]:
    """`--videos`, a folder as remap writes it; the parameter is videos_folder."""
    return click.option(
        "--videos",
        "videos_folder",
        type=click.Path(path_type=Path),
        default=Path("data/videos"),
        show_default=True,
        help=f"Folder of labelled videos, as airsim-seg remap writes it{what_for}.",
    )


def experiment_options(command: Command) -> Command:
    """What the command line may say otherwise than an experiment's file: the keywords of cli.experiment.adapt."""
    for option in (
        click.option("--environment", help="Take the videos of this environment alone."),
        click.option(
            "--workers",
            type=click.IntRange(min=0),
            help="Processes that read clips from the video files while the network learns; 0 keeps the training videos "
            "in memory.  [default: the experiment's]",
        ),
        click.option(
            "--weights",
            metavar="none|imagenet|FILE",
            help="What networks start from: random weights, ImageNet's for FANet's backbone (fetched once), or a file: "
            "a checkpoint.pt, a state dict, .safetensors.  [default: the experiment's, none]",
        ),
        click.option(
            "--steps", type=click.IntRange(min=1), help="Optimiser steps of every cell, instead of the experiment's."
        ),
    ):
        command = option(command)
    return command


def model_options(command: Command) -> Command:
    """`--weights` and `--backend`: which trained network runs, and what runs it."""
    command = click.option(
        "--backend", type=click.Choice(BACKEND_NAMES), help="What runs it.  [default: what the weights are for]"
    )(command)
    weights = click.Path(path_type=Path)
    return click.option("--weights", type=weights, required=True, help="A trained cell, or an export of one.")(command)
