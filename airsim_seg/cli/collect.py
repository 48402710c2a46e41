"""`airsim-seg collect`: video with raw ids, from whatever AirSim answers."""

import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from airsim_seg.cli.options import ManyValues
from airsim_seg.errors import MissingData, UsageError

if TYPE_CHECKING:
    from airsim_seg.collection.request import Vehicle
    from airsim_seg.collection.session import Callbacks
    from airsim_seg.collection.summary import VideoSummary

EPILOG = """\b
Examples:
  airsim-seg collect --env Neighborhood
  airsim-seg collect --env Neighborhood --vehicle drone --videos 12 --seconds 20 --seed 1 --also depth
  airsim-seg collect --env Neighborhood --videos 40 --seconds 2 --randomise
  airsim-seg collect --env Neighborhood --sim 192.168.1.7:41451 --out data/raw

\b
A real AirSim does best in ComputerVision mode. In its settings.json:
  {"SettingsVersion": 1.2, "SimMode": "ComputerVision", "CameraDefaults": {"CaptureSettings": [
    {"ImageType": 0, "Width": 640, "Height": 480, "FOV_Degrees": 90, "MotionBlurAmount": 0},
    {"ImageType": 1, "Width": 640, "Height": 480, "FOV_Degrees": 90},
    {"ImageType": 5, "Width": 640, "Height": 480, "FOV_Degrees": 90}]}}

An interrupted or killed collection goes on where it stopped when the same command is given again.
"""
VEHICLES: "dict[str, tuple[Vehicle, ...]]" = {"drone": ("drone",), "car": ("car",), "both": ("drone", "car")}
MAX_SECONDS = 3600.0


@click.command("collect", cls=ManyValues, epilog=EPILOG)
@click.option("--env", "environment", default="Neighborhood", show_default=True, help="The world, by its label map.")
@click.option("--vehicle", type=click.Choice(list(VEHICLES)), default="both", show_default=True, help="Who films.")
@click.option("--videos", type=click.IntRange(1, 100_000), default=6, show_default=True, help="How many in all.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length of each, simulation time.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the trajectories.")
@click.option(
    "--world-seed", type=click.IntRange(0), help="Which built-in world of its kind.  [default: what runs, or 0]"
)
@click.option("--rate", "rate_hz", type=float, default=25.0, show_default=True, help="Frames a second.")
@click.option("--also", multiple=True, type=click.Choice(["depth"]), help="What to record beside colour and ids.")
@click.option("--randomise", is_flag=True, help="Another hour and weather for each video.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("data/raw"), show_default=True, help="Where to.")
@click.option("--sim", "address", metavar="HOST:PORT", help="The AirSim to use.  [default: 127.0.0.1:41451, else ours]")
def collect(
    environment: str,
    vehicle: str,
    videos: int,
    seconds: float,
    seed: int,
    world_seed: int | None,
    rate_hz: float,
    also: tuple[str, ...],
    randomise: bool,
    out: Path,
    address: str | None,
) -> None:
    """Record video with raw object ids from AirSim.

    Uses the AirSim that answers on its usual port, else starts the built-in simulator. The camera goes along seeded
    drone and car trajectories that keep clear of everything; the world stands still for every frame, so that colour,
    ids and pose belong together and frames are exactly 1/rate seconds apart. Recordings lie in OUT/ENV. With
    --randomise each video has a sun and weather of its own, drawn from the seed; afterwards the simulator's are back.
    """
    check_number("--seconds", seconds, MAX_SECONDS)
    check_number("--rate", rate_hz, 1000.0)
    if address is not None and not address.strip():
        raise UsageError("--sim takes HOST:PORT, not nothing.")
    check_environment(environment)

    import cv2

    from airsim_seg.collection.request import Request
    from airsim_seg.collection.session import collect as run
    from airsim_seg.simulators.launch import connect_or_start

    cv2.setNumThreads(0)  # its workers spin while they wait for work, on the cores that draw
    request = Request(
        environment, VEHICLES[vehicle], videos, seconds, seed, rate_hz, "depth" in also, out, world_seed, randomise
    )
    with live_callbacks() as callbacks:
        summaries = run(
            request, lambda: connect_or_start(environment, address, callbacks.say, world_seed or 0), callbacks
        )
    _show(summaries)


def check_number(option: str, value: float, most: float) -> None:
    """Refuse a number that is not above 0 and at most `most`."""
    if not (math.isfinite(value) and 0 < value <= most):
        raise UsageError(f"{option} takes a number above 0 and up to {most:g}, not {value:g}.")


def check_environment(environment: str) -> None:
    """Refuse an environment without a label map; the message lists those that have one."""
    from airsim_seg.label_maps import find_label_map, known_environments

    try:
        find_label_map(environment)
    except MissingData:
        raise UsageError(
            f"--env takes the name of an environment with a label map ({', '.join(known_environments())}), not "
            f"{environment!r}; for another one write label_maps/NAME.toml first."
        ) from None


@contextmanager
def live_callbacks(stage: str = "recording") -> "Iterator[Callbacks]":
    """Progress with lines above it, and a Ctrl-C that finishes the frame in hand."""
    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.collection.session import Callbacks

    recording = False

    def progress(what: str, done: int, total: int) -> None:
        nonlocal recording
        recording = recording or what == stage
        stages.update(what, done, total)

    with _interruptible(lambda: recording) as should_stop, StageProgress() as stages:
        yield Callbacks(stages.say, progress, should_stop)


@contextmanager
def _interruptible(recording: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """While recording, Ctrl-C asks to stop after the frame in hand; before, or pressed again, it interrupts."""
    asked = False

    def on_signal(*_: object) -> None:
        nonlocal asked
        if asked or not recording():
            raise KeyboardInterrupt
        asked = True

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _show(summaries: "list[VideoSummary]") -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE, title_justify="left")
    for heading in ("video", "frames", "ids", "classes", "clock", "off palette", "label change"):
        table.add_column(heading, justify="left" if heading == "video" else "right", no_wrap=heading == "video")
    for row in summaries:
        table.add_row(
            row.path.stem,
            str(row.num_frames),
            str(row.num_ids),
            str(len(row.classes)),
            "nominal" if row.sim_rate_hz is None else f"{row.sim_rate_hz:.3f} Hz",
            "-" if row.num_unknown is None else str(row.num_unknown),
            f"{row.mean_change:.1%}",
        )
    console = Console(soft_wrap=False)
    console.print(table)
    seen = sorted({raw_id for row in summaries for raw_id in row.unmapped_ids})
    if seen:
        console.print(f"{len(seen)} raw ids are not in the label map yet: {seen}", highlight=False, soft_wrap=True)
    console.print(f"recordings: {summaries[0].path.parent}", highlight=False, soft_wrap=True)
