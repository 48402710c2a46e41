from pathlib import Path

import click

EPILOG = """\b
Example:
  airsim-seg remap
  airsim-seg remap --raw data/raw --out data/videos --env Neighborhood
  airsim-seg remap --label-map my_map.toml --force
"""


@click.command("remap", epilog=EPILOG)
@click.option("--raw", type=click.Path(path_type=Path), default="data/raw", show_default=True, help="Recordings.")
@click.option("--out", type=click.Path(path_type=Path), default="data/videos", show_default=True, help="Videos.")
@click.option("--env", "environment", metavar="NAME", help="Only recordings of this environment.")
@click.option(
    "--label-map", type=click.Path(path_type=Path), metavar="FILE", help="Instead of label_maps/<environment>.toml."
)
@click.option("--incomplete", is_flag=True, help="Take unfinished recordings too, up to their last commit.")
@click.option("--force", is_flag=True, help="Make videos again that are up to date.")
def remap(raw: Path, out: Path, environment: str | None, label_map: Path | None, incomplete: bool, force: bool) -> None:
    """Turn recordings of raw ids into videos of class labels.

    A raw id that the label map does not name stops its recording (exit code 3) with a table of what is missing. Videos
    made before from the same recording with the same map are left alone.
    """
    from time import perf_counter

    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.remap import class_shares, remap_folder

    click.echo(f"Remapping {raw} to {out}.")
    began = perf_counter()
    with StageProgress() as progress:
        reports = remap_folder(
            raw,
            out,
            environment=environment,
            label_map_path=label_map,
            incomplete=incomplete,
            force=force,
            on_frame=lambda path, done, total: progress.update(path.stem, done, total),
        )
    seconds = perf_counter() - began
    for report in reports:
        said = "unchanged, left alone" if report.skipped else f"{report.num_frames} frames"
        click.echo(f"  {report.target}: {said}")
    frames = sum(report.num_frames for report in reports if not report.skipped)
    if frames:
        click.echo(f"{'class':>16} {'pixels':>12} {'share':>8}")
        for name, pixels, share in class_shares(reports):
            click.echo(f"{name:>16} {pixels:12d} {share:8.2%}")
        click.echo(f"{frames} frames in {seconds:.1f} s: {frames / seconds:.0f} frames/s.")
    else:
        click.echo(f"All {len(reports)} videos are up to date (--force makes them again).")
