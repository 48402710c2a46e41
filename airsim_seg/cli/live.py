"""`airsim-seg live`: a trained network in a simulator, as it flies or drives."""

import os
from pathlib import Path

import click

from airsim_seg.cli.options import model_options

EPILOG = """\b
Examples:
  airsim-seg live --env Neighborhood --weights runs/demo/fanet18-n4-sum-mixed-s0
      ten seconds of drone flight, segmented frame by frame, into predictions/live
  airsim-seg live --weights exports/demo-fanet18-n4-sum-mixed-s0-openvino --vehicle car --seconds 30 --seed 7
"""
MAX_SECONDS = 3600.0


@click.command("live", epilog=EPILOG)
@click.option("--env", "environment", default="Neighborhood", show_default=True, help="The world, by its label map.")
@model_options
@click.option("--vehicle", type=click.Choice(["drone", "car"]), default="drone", show_default=True, help="Who films.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Length, simulation time.")
@click.option(
    "--seed", type=click.IntRange(0), default=1000, show_default=True, help="Of the trajectory: not the training's."
)
@click.option("--rate", "rate_hz", type=float, default=25.0, show_default=True, help="Frames a second.")
@click.option(
    "--threads",
    type=click.IntRange(min=0),
    default=0,
    help="CPU threads of the network.  [default: half of the processors; the simulator draws with the others]",
)
@click.option("--sim", "address", metavar="HOST:PORT", help="The AirSim to use.  [default: 127.0.0.1:41451, else ours]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("predictions/live"),
    show_default=True,
    help="Receives overlay.mp4, labels.h5 and the survey of the world.",
)
def live(
    environment: str,
    weights: Path,
    vehicle: str,
    seconds: float,
    seed: int,
    rate_hz: float,
    backend: str | None,
    threads: int,
    address: str | None,
    out: Path,
) -> None:
    """Fly or drive in the simulator and segment what the camera sees, with the network's memory.

    The world waits for the network, so every frame is segmented; times, frames a second and IoU against the simulator's
    own ids are printed at the end. A network that was trained with motion from poses gets it from the simulator's depth
    and poses.
    """
    from airsim_seg.cli.collect import check_environment, check_number, live_callbacks

    check_number("--seconds", seconds, MAX_SECONDS)
    check_number("--rate", rate_hz, 1000.0)
    check_environment(environment)

    from airsim_seg.collection.request import Request
    from airsim_seg.collection.session import plan_for
    from airsim_seg.deploy.live import fly
    from airsim_seg.deploy.runtimes import open_model
    from airsim_seg.deploy.segmenter import Segmenter
    from airsim_seg.deploy.trained import trained_motion
    from airsim_seg.label_maps import load_label_map
    from airsim_seg.simulators.launch import connect_or_start

    # Two pools of as many threads as there are processors wait for one another: a frame then takes up to seconds.
    threads = threads or max(1, (os.cpu_count() or 1) // 2)
    segmenter = Segmenter(open_model(weights, backend, threads), trained_motion(weights))  # type: ignore[arg-type]
    request = Request(environment, (vehicle,), 1, seconds, seed, rate_hz, False, out)  # type: ignore[arg-type]
    with live_callbacks("segmenting") as callbacks, connect_or_start(environment, address, callbacks.say) as simulator:
        plan = plan_for(request, simulator, callbacks, request.tasks()[0])
        callbacks.say(f"segmenting {plan.num_frames} frames of a {vehicle} with {weights}, into {out}")
        done = 0

        def on_frame() -> None:
            nonlocal done
            done += 1
            callbacks.progress("segmenting", done, plan.num_frames)

        label_map = load_label_map(environment, objects=simulator.objects())
        outcome = fly(
            simulator, plan, segmenter, label_map, out,
            made_by=weights.name, should_stop=callbacks.should_stop, on_frame=on_frame,
        )  # fmt: skip
    for sentence in outcome.sentences():
        click.echo(sentence)
