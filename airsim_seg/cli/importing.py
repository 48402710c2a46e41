from pathlib import Path

import click

EPILOG = """\b
Example, a folder with image/0001.png ... and label/0001.png ...:
  airsim-seg import pairs ~/captures/flight3 --env Neighborhood --rate 10
  airsim-seg remap
"""


@click.group("import", epilog=EPILOG)
def import_group() -> None:
    """Make recordings from data that others recorded."""


@import_group.command("pairs", epilog=EPILOG)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--env", "environment", required=True, metavar="NAME", help="Environment; names the label map.")
@click.option("--out", type=click.Path(path_type=Path), default="data/raw", show_default=True, help="Recordings.")
@click.option("--rate", type=float, default=0.0, show_default=True, metavar="HZ", help="Frames a second; 0 = unknown.")
@click.option(
    "--index", type=click.Path(path_type=Path), metavar="FILE", help="csv of the pairs; default DIR/index.csv if there."
)
def pairs(folder: Path, environment: str, out: Path, rate: float, index: Path | None) -> None:
    """Import folders of images and masks.

    Images are PNG or JPEG; masks are PNG, in AirSim's palette colours (as any version up to 1.3 or from 1.6 sends them)
    or grey with the raw id as the value. Pairs are found by a csv with the columns video, rgb, raw_id (and frame,
    rgb_black where they are known), one recording a video; or by two folders below DIR (image, rgb, left ... and
    label, mask, seg, raw_id ...) whose files carry the same numbers.
    """
    from airsim_seg.cli.progress import StageProgress
    from airsim_seg.importers.pairs import import_pairs

    click.echo(f"Importing {folder} to {out / environment}.")
    with StageProgress() as progress:
        reports = import_pairs(
            folder, out, environment=environment, rate_hz=rate, index=index, on_frame=progress.update
        )
    masks = {"grey": "grey raw ids", "plain": "plain palette colours", "srgb": "sRGB-encoded palette colours"}
    for report in reports:
        said = f"{report.num_frames} frames in {report.num_segments} segments, masks in {masks[report.mask_kind]}"
        if report.num_black:
            said += f", {report.num_black} black images left out"
        if report.num_unknown:
            said += f", {report.num_unknown} pixels of an unknown colour recorded as id 0"
        click.echo(f"  {report.path}: {said}")
    click.echo(f"Next: airsim-seg remap --raw {out}")
