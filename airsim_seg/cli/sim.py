"""`airsim-seg sim`: AirSim's RPC, served by the built-in simulator."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from airsim_seg.cli.sim_list import show_environments
from airsim_seg.cli.view import viewer_of
from airsim_seg.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from airsim_seg.builtin.rendering.paint import Paint
    from airsim_seg.builtin.scene import Renderer, Scene
    from airsim_seg.builtin.settings import Settings, SimMode
    from airsim_seg.builtin.switches import Switches

EPILOG = """\b
Examples:
  airsim-seg sim --env Neighborhood
  airsim-seg sim --env Lakeside --view
  airsim-seg sim --env City --world-seed 7 --vehicle car --port 41452
  airsim-seg sim --vehicle camera --settings ~/Documents/AirSim/settings.json --strict
  airsim-seg sim --list --sheet environments.png
Then, in Python:
  client = airsim.MultirotorClient(); client.confirmConnection()

\b
Faults, N counting calls, or answers of simGetImages:
  die-after=N       end at once, as in a crash, at the call after the N-th
  hang-after=N      answer no call after the N-th
  delay=N           answer every call N milliseconds later
  truncate-image=N  send half of the bytes of the N-th answer's pictures
  wrong-size=N      send the N-th answer's pictures with half the height and width
  off-palette=N     give every 50th pixel of the N-th answer's Segmentation a colour of no id
"""
PALETTES = ("plain", "srgb", "calibrated")  # builtin.segmentation_palettes, without its imports
PALETTE_HELP = "Colours of the ids: AirSim's since 1.6, up to 1.3.1, or 1.4 to 1.5."
RENDERER_HELP = "What draws: cpu, or gl for a graphics card (docs/gpu.md)."
MODES: "dict[str, SimMode]" = {"drone": "Multirotor", "car": "Car", "camera": "ComputerVision"}


@click.command("sim", epilog=EPILOG)
@click.option("--env", "environment", default="Neighborhood", show_default=True, help="The world to build.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.  [default: 41451]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Interface to listen on; 0.0.0.0 is all of them.")
@click.option("--vehicle", type=click.Choice(list(MODES)), help="What is in it.  [default: drone]")
@click.option("--world-seed", type=click.IntRange(0), default=0, show_default=True, help="Which world of its kind.")
@click.option("--settings", "given", metavar="FILE|JSON", help="An AirSim settings.json.  [default: as AirSim]")
@click.option("--threads", type=click.IntRange(1), help="Threads that draw.  [default: all cores]")
@click.option("--renderer", type=click.Choice(["cpu", "gl"]), default="cpu", show_default=True, help=RENDERER_HELP)
@click.option("--epoch", "epoch_s", type=click.IntRange(0, 2**33), help="Second since 1970 at which its clock starts.")
@click.option("--paused", is_flag=True, help="Let the clock stand until a client continues it.")
@click.option("--strict", is_flag=True, help="AirSim's awkward sides too: docs/rpc.md lists them.")
@click.option("--palette", type=click.Choice(PALETTES), default="plain", show_default=True, help=PALETTE_HELP)
@click.option("--fault", "faults", multiple=True, metavar="NAME=N", help="Misbehave, for tests: see below. Repeatable.")
@click.option("--list", "lists", is_flag=True, help="Show the environments, and serve nothing.")
@click.option("--sheet", type=click.Path(path_type=Path), metavar="FILE", help="With --list: pictures of them, a PNG.")
@click.option("--view", "with_viewer", is_flag=True, help="Show it in the browser: camera, ids, map, keyboard.")
@click.option("--parent-pid", type=click.IntRange(1), hidden=True, help="End when this process does.")
def sim(
    environment: str,
    port: int | None,
    host: str,
    vehicle: str | None,
    world_seed: int,
    given: str | None,
    threads: int | None,
    renderer: str,
    epoch_s: int | None,
    paused: bool,
    strict: bool,
    palette: str,
    faults: tuple[str, ...],
    lists: bool,
    sheet: Path | None,
    with_viewer: bool,
    parent_pid: int | None,
) -> None:
    """Serve AirSim's RPC API without Unreal: any AirSim client can connect.

    Only programs of this machine reach it, unless --host says otherwise. Prints a line that begins with "ready" once
    calls are answered; Ctrl-C or SIGTERM ends it. The clock starts at the same instant in every run, and follows real
    time unless a client pauses it. The same --env and --world-seed make the same world everywhere.

    Without --settings it takes settings.json of this folder, or else ~/Documents/AirSim/settings.json, as AirSim does.
    docs/settings.md says which of its keys do what.
    """
    if sheet is not None and not lists:
        raise UsageError("--sheet draws what --list shows: give both, or neither.")
    if lists:
        show_environments(sheet, world_seed)
        return
    import asyncio
    import contextlib
    import os
    import signal

    from airsim_seg.builtin.bodies import with_bodies
    from airsim_seg.builtin.clock import DEFAULT_EPOCH_NS
    from airsim_seg.builtin.environments import ENVIRONMENTS, build
    from airsim_seg.builtin.kept import kept_paint, kept_scene
    from airsim_seg.builtin.precompiling import PARTS, Precompiling
    from airsim_seg.builtin.rendering.compiling import announced, without_scipy
    from airsim_seg.builtin.server import bind, is_loopback
    from airsim_seg.builtin.serving import serve_until_stopped
    from airsim_seg.builtin.shelf import user_shelf
    from airsim_seg.builtin.strict_world import StrictWorld
    from airsim_seg.builtin.world import World

    if environment not in ENVIRONMENTS:
        raise UsageError(f"There is no environment {environment!r}: --env takes {', '.join(ENVIRONMENTS)}.")
    if renderer == "gl":
        from airsim_seg.builtin.rendering.gl.context import open_context

        open_context().release()  # what is missing is told before anything is built
    settings, switches = _settings(given, vehicle, strict), _switches(palette, faults)
    for warning in settings.warnings:
        click.echo(f"warning: {warning}", err=True)
    sock = bind(settings.port if port is None else port, host)
    if not is_loopback(sock):
        click.echo(f"warning: whoever reaches {host} can steer this simulator and have it write files", err=True)
    click.echo(f"building {environment}, seed {world_seed} ...")
    shelf = user_shelf(os.environ, Path.home())

    def compiling(kernel: str) -> None:
        click.echo(f"compiling {kernel}, once after an install ...")

    with Precompiling(compiling, [name for name in PARTS if renderer == "cpu" or name != "shading"]) as others:
        world_scene = kept_scene(environment, world_seed, shelf, build)
        scene = with_bodies(world_scene, settings.mode, settings.vehicles)
        click.echo(f"{len(scene.objects)} objects, {len(scene.triangles_m):,} triangles; painting ...")
        paint = kept_paint(shelf)
        others.wait("shading", "stage")
        with announced(compiling), without_scipy():
            eye = _renderer(renderer, scene, threads, paint, parallel_too=settings.has_orthographic)
        others.wait()
    click.echo(f"drawn by {eye.name}")

    kind = next(name for name, mode in MODES.items() if mode == settings.mode)

    def announce(served_port: int) -> None:
        click.echo(f"serving AirSim's RPC on {host}:{served_port}, vehicle {kind}; Ctrl-C ends it")
        click.echo(f"ready {host}:{served_port}")
        if with_viewer:
            viewer.enter_context(viewer_of(host, served_port))

    async def serve() -> signal.Signals | None:
        epoch_ns = DEFAULT_EPOCH_NS if epoch_s is None else epoch_s * 10**9
        world = (StrictWorld if strict else World)(scene, settings, epoch_ns, paused=paused)
        return await serve_until_stopped(world, eye, sock, announce, parent_pid, switches)

    with contextlib.ExitStack() as viewer:
        ended_by = asyncio.run(serve())
    if ended_by == signal.SIGINT:
        raise Interrupted("interrupted; the simulator has stopped.")
    click.echo("stopped")


def _renderer(kind: str, scene: "Scene", threads: int | None, paint: "Paint", *, parallel_too: bool) -> "Renderer":
    """Made and warmed up, for orthographic cameras only where there are any: their kernels take as long again."""
    if kind == "gl":
        from airsim_seg.builtin.rendering.gl.renderer import GlRenderer

        device = GlRenderer(scene, threads, paint=paint)
        device.warm_up()
        if parallel_too:
            device.warm_up_parallel()
        return device
    from airsim_seg.builtin.rendering.rasteriser import Rasteriser

    renderer = Rasteriser(scene, threads, paint=paint)
    renderer.warm_up()
    if parallel_too:
        renderer.warm_up_parallel()
    return renderer


def _settings(given: str | None, vehicle: str | None, strict: bool) -> "Settings":
    from airsim_seg.builtin.strictness import small_pictures

    settings = _found_settings(given, MODES[vehicle] if vehicle else None)
    return small_pictures(settings) if strict else settings


def _found_settings(given: str | None, mode: "SimMode | None") -> "Settings":
    """What the command line gives, a path or JSON; or else the first file where AirSim looks; or else AirSim's own."""
    from airsim_seg.builtin.settings import default_settings, find_settings, load_settings, read_settings

    if given is not None and given.lstrip().startswith("{"):
        return read_settings(given, "--settings", mode)
    path = find_settings(Path.cwd(), Path.home()) if given is None else Path(given).expanduser()
    if path is None:
        return default_settings(mode or "Multirotor")
    if given is None:
        click.echo(f"settings from {path}")
    return load_settings(path, mode)


def _switches(palette: str, faults: tuple[str, ...]) -> "Switches":
    from airsim_seg.builtin.faults import parse_fault
    from airsim_seg.builtin.segmentation_palettes import PALETTE_NAMES
    from airsim_seg.builtin.switches import Switches

    known = next(name for name in PALETTE_NAMES if name == palette)
    return Switches(known, tuple(parse_fault(text) for text in faults))
