"""`airsim-seg export-model`: a trained network for ONNX Runtime or OpenVINO."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from airsim_seg.cli.options import videos_option

if TYPE_CHECKING:
    from airsim_seg.deploy.export import ExportPlan
    from airsim_seg.deploy.exported import ExportedModel

EPILOG = """\b
Examples:
  airsim-seg export-model runs/demo/fanet18-n4-sum-mixed-s0
      ONNX, for the size that the network was trained for, in exports/
  airsim-seg export-model runs/demo/fanet18-n4-sum-mixed-s0 --format openvino-int8 --size 640x480
      the fastest on a CPU; calibrated and checked on the videos below data/videos
\b
Formats:
  onnx            float32, for ONNX Runtime and whatever else reads ONNX
  openvino        float32, for OpenVINO
  openvino-bf16   the same file, computed in bf16 where the processor can
  openvino-int8   quantised after training
\b
Needs: pip install "airsim-seg[export]"
"""
FORMAT_NAMES = ("onnx", "openvino", "openvino-bf16", "openvino-int8")  # deploy.exported.FORMATS, without its imports


def _size_hw(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:  # noqa: ARG001
    """ "640x480" -> (480, 640)."""
    if value is None:
        return None
    width, _, height = value.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise click.BadParameter(f"{value!r} is not a width and a height in pixels, for instance 640x480.")
    return int(height), int(width)


@click.command("export-model", epilog=EPILOG)
@click.argument("run_or_cell", type=click.Path(path_type=Path))
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), default="onnx", show_default=True)
@videos_option(": to check the export on, and to calibrate int8")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("exports"),
    show_default=True,
    help="Each export is a folder in this one, <run>-<cell>-<format>; an older one of that name is replaced.",
)
@click.option(
    "--size",
    "size_hw",
    callback=_size_hw,
    metavar="WIDTHxHEIGHT",
    help="Size of the frames in pixels.  [default: the training's]",
)
def export_model(
    run_or_cell: Path, format_name: str, videos_folder: Path, out: Path, size_hw: tuple[int, int] | None
) -> None:
    """Write a trained network, memory included, as a file that runs without PyTorch.

    RUN_OR_CELL is the folder of a trained cell, or of a run that has only one. The memory becomes inputs and outputs of
    the model, described in export.json beside it. The file is then run on real frames: if too few of its labels equal
    PyTorch's, nothing is exported (exit code 3).
    """
    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.deploy.export import export_model as export
    from airsim_seg.deploy.export import plan_export
    from airsim_seg.deploy.trained import load_trained

    plan = plan_export(load_trained(run_or_cell), format_name, videos_folder, out, size_hw)
    cell, (height, width) = plan.trained.cell, plan.input_hw
    click.echo(
        f"Exporting {plan.trained.folder} ({cell.model}, N={cell.tca_depth}, {cell.aggregation}) as {format_name} "
        f"for frames of {width}x{height}."
    )
    with StageProgress() as progress:
        made = export(plan, progress)
    _print_result(plan, made)


def _print_result(plan: "ExportPlan", made: "ExportedModel") -> None:
    check, files = made.check, [path for path in sorted(plan.target.iterdir()) if path.stem == "model"]
    assert check is not None
    size_mb = sum(path.stat().st_size for path in files) / 1e6
    click.echo(f"  {plan.target / made.file}: {size_mb:.1f} MB")
    click.echo(
        f"  labels equal to PyTorch's: {100 * check.label_agreement:.2f} % of the pixels of {check.num_frames} frames "
        f"({', '.join(check.videos)}); {100 * plan.format.least_agreement:g} % are needed"
    )
    click.echo(
        f"  {check.cpu_ms:.1f} ms a frame, PyTorch {check.torch_cpu_ms:.1f} ms "
        f"(CPU time, one thread: {check.torch_cpu_ms / check.cpu_ms:.2f} times as fast)"
    )
    if check.precision != made.precision:
        click.echo(
            f"  note: this processor has no {made.precision}, so float32 was checked and timed; what {made.precision} "
            "does to the labels is not known yet"
        )
