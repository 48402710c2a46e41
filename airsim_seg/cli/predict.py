"""`airsim-seg predict`: a trained network over a film, a video or a camera."""

from pathlib import Path

import click

from airsim_seg.cli.options import model_options

EPILOG = """\b
Examples:
  airsim-seg predict --weights runs/demo/fanet18-n4-sum-mixed-s0 --video data/videos/Neighborhood/drone-s0-000.h5
      a labelled video: the overlay, the labels, and IoU against the truth
  airsim-seg predict --weights exports/demo-fanet18-n4-sum-mixed-s0-openvino --video flight.mp4
      a film through OpenVINO
  airsim-seg predict --weights runs/demo/fanet18-n0-sum-mixed-s0 --video camera --frames 250
      the first camera; Ctrl-C ends it and keeps what was segmented
"""


@click.command("predict", epilog=EPILOG)
@model_options
@click.option("--video", required=True, metavar="FILE|camera", help="An MP4 or other film, an HDF5 video or recording.")
@click.option(
    "--threads", type=click.IntRange(min=0), default=0, help="CPU threads; 0 leaves the choice to the backend."
)
@click.option("--frames", type=click.IntRange(min=1), help="Stop after so many frames.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Receives overlay.mp4 and labels.h5.  [default: predictions/<video>]",
)
def predict(weights: Path, video: str, backend: str | None, threads: int, frames: int | None, out: Path | None) -> None:
    """Segment what a camera sees or saw, frame by frame, with the network's memory.

    Writes an overlay to look at and the labels as an HDF5 video; where the video holds the truth, IoU is printed. A
    network that was trained with motion from poses gets it where the video has depth and poses, else optical flow.
    """
    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.deploy.predict import predict as run
    from airsim_seg.deploy.runtimes import open_model
    from airsim_seg.deploy.segmenter import Segmenter
    from airsim_seg.deploy.sources import open_source
    from airsim_seg.deploy.trained import trained_motion

    with open_source(video) as source:
        segmenter = Segmenter(open_model(weights, backend, threads), trained_motion(weights))  # type: ignore[arg-type]
        folder = out or Path("predictions") / source.name
        count = min(source.num_frames or frames or 0, frames or source.num_frames or 0)
        height, width = segmenter.model.signature.input_hw
        click.echo(
            f"Segmenting {video} ({count or 'until Ctrl-C'}{' frames' if count else ''}) with {weights}, "
            f"at {width}x{height}, into {folder}."
        )
        if segmenter.wants_poses and source.lacks:
            click.echo(f"trained with motion from poses; {video} has no {source.lacks}: optical flow instead")
        with StageProgress() as progress:
            progress.begin("segmenting", count or 1)
            # Of a stage without an end no step is counted.
            on_frame = progress.advance if count else lambda: None
            outcome = run(segmenter, source, folder, made_by=weights.name, limit=frames, on_frame=on_frame)
    for sentence in outcome.sentences():
        click.echo(sentence)
