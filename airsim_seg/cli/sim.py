"""`airsim-seg sim`: AirSim's RPC, served by the built-in simulator."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from airsim_seg.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from airsim_seg.builtin.settings import Settings, SimMode

EPILOG = """\b
Examples:
  airsim-seg sim --env Neighborhood
  airsim-seg sim --env Neighborhood --vehicle camera --port 41452 --settings ~/Documents/AirSim/settings.json
Then, in Python:
  client = airsim.MultirotorClient(); client.confirmConnection()
"""
MODES: "dict[str, SimMode]" = {"drone": "Multirotor", "car": "Car", "camera": "ComputerVision"}


@click.command("sim", epilog=EPILOG)
@click.option("--env", "environment", default="Neighborhood", show_default=True, help="The world to build.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port on 127.0.0.1; 0 takes a free one.  [default: 41451]")
@click.option("--vehicle", type=click.Choice(list(MODES)), help="What is in it.  [default: drone]")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which world of its kind.")
@click.option("--settings", "settings_file", type=click.Path(path_type=Path), help="An AirSim settings.json.")
@click.option("--threads", type=click.IntRange(1), help="Threads that draw.  [default: all cores]")
@click.option("--epoch", "epoch_s", type=click.IntRange(0, 2**33), help="Second since 1970 at which its clock starts.")
@click.option("--paused", is_flag=True, help="Let the clock stand until a client continues it.")
@click.option("--parent-pid", type=click.IntRange(1), hidden=True, help="End when this process does.")
def sim(
    environment: str,
    port: int | None,
    vehicle: str | None,
    seed: int,
    settings_file: Path | None,
    threads: int | None,
    epoch_s: int | None,
    paused: bool,
    parent_pid: int | None,
) -> None:
    """Serve AirSim's RPC API without Unreal: any AirSim client can connect.

    Listens on 127.0.0.1 only. Prints a line that begins with "ready" once calls are answered; Ctrl-C or SIGTERM ends
    it. The clock starts at the same instant in every run, and follows real time unless a client pauses it.
    """
    import asyncio
    import signal

    from airsim_seg.builtin.environments import ENVIRONMENTS, build
    from airsim_seg.builtin.rendering.rasteriser import Rasteriser
    from airsim_seg.builtin.server import bind
    from airsim_seg.builtin.serving import serve_until_stopped
    from airsim_seg.builtin.world import DEFAULT_EPOCH_NS, World

    if environment not in ENVIRONMENTS:
        raise UsageError(f"There is no environment {environment!r}: --env takes {', '.join(ENVIRONMENTS)}.")
    settings = _settings(settings_file, vehicle)
    sock = bind(settings.port if port is None else port)
    click.echo(f"building {environment}, seed {seed} ...")
    scene = build(environment, seed)
    click.echo(f"{len(scene.objects)} objects, {len(scene.triangles_m):,} triangles; compiling kernels ...")
    renderer = Rasteriser(scene, threads)
    renderer.warm_up()

    kind = next(name for name, mode in MODES.items() if mode == settings.mode)

    def announce(served_port: int) -> None:
        click.echo(f"serving AirSim's RPC on 127.0.0.1:{served_port}, vehicle {kind}; Ctrl-C ends it")
        click.echo(f"ready 127.0.0.1:{served_port}")

    async def serve() -> signal.Signals | None:
        world = World(scene, settings, DEFAULT_EPOCH_NS if epoch_s is None else epoch_s * 10**9, paused=paused)
        return await serve_until_stopped(world, renderer, sock, announce, parent_pid)

    ended_by = asyncio.run(serve())
    if ended_by == signal.SIGINT:
        raise Interrupted("interrupted; the simulator has stopped.")
    click.echo("stopped")


def _settings(settings_file: Path | None, vehicle: str | None) -> "Settings":
    from airsim_seg.builtin.settings import default_settings, load_settings

    if settings_file is not None:
        return load_settings(settings_file, MODES[vehicle] if vehicle else None)
    return default_settings(MODES[vehicle or "drone"])
