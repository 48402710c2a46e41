"""`airsim-seg sim --list`: what --env takes, and what it looks like."""

from pathlib import Path

import click

from airsim_seg.errors import StorageError, UsageError

SHEET_HW = (240, 320)


def show_environments(sheet: Path | None, world_seed: int) -> None:
    """Print the environments.

    Args:
        sheet: a .png or .jpg file to be written with two pictures of each; None draws none.
        world_seed: of the worlds that are drawn.

    Raises:
        UsageError: the sheet is no picture's name.
        StorageError: it cannot be written there.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from airsim_seg.builtin.environments import ENVIRONMENTS

    table = Table(box=box.SIMPLE)
    for heading in ("--env", "what it is", "kinds of things"):
        table.add_column(heading, no_wrap=heading == "--env")
    for name, environment in ENVIRONMENTS.items():
        table.add_row(name, environment.description, str(len(environment.class_of_prefix)))
    Console().print(table)
    if sheet is not None:
        _draw_sheet(sheet, world_seed)


def _draw_sheet(sheet: Path, world_seed: int) -> None:
    """Draw each environment twice; half a minute for worlds that are not kept yet."""
    import os

    import cv2

    from airsim_seg.builtin.contact_sheet import contact_sheet, start_views
    from airsim_seg.builtin.environments import ENVIRONMENTS, build
    from airsim_seg.builtin.kept import kept_paint, kept_scene
    from airsim_seg.builtin.rendering.rasteriser import Rasteriser
    from airsim_seg.builtin.shelf import user_shelf

    if sheet.suffix.lower() not in (".png", ".jpg"):
        raise UsageError(f"--sheet takes the name of a .png or .jpg file, not {sheet}.")
    if not sheet.absolute().parent.is_dir():
        raise StorageError(f"{sheet} cannot be written: there is no folder {sheet.absolute().parent}; make it first.")
    tiles, shelf = [], user_shelf(os.environ, Path.home())
    paint = kept_paint(shelf)
    for name in ENVIRONMENTS:
        click.echo(f"drawing {name}, seed {world_seed} ...")
        scene = kept_scene(name, world_seed, shelf, build)
        renderer = Rasteriser(scene, paint=paint)
        captions = (f"{name}, world seed {world_seed}: {len(scene.objects)} objects", f"{name} from above")
        views = start_views(scene, SHEET_HW)
        tiles += [(renderer.render(view).rgb, text) for view, text in zip(views, captions, strict=True)]
    try:
        sheet.write_bytes(cv2.imencode(sheet.suffix, contact_sheet(tiles, 2)[..., ::-1])[1].tobytes())
    except OSError as error:
        raise StorageError(f"{sheet} cannot be written ({error.strerror}): give another --sheet.") from error
    click.echo(f"pictures: {sheet}")
