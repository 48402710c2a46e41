"""`airsim-seg view`: a running simulator in the browser."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from airsim_seg.errors import Interrupted, UsageError

EPILOG = """\b
Examples:
  airsim-seg sim --env Neighborhood --view         simulator and viewer together
  airsim-seg view                                  whatever AirSim answers on this machine
  airsim-seg view --sim 192.168.1.7:41451 --env Neighborhood
"""
STOP_TIMEOUT_S = 5.0


@click.command("view", epilog=EPILOG)
@click.option("--sim", "address", metavar="HOST:PORT", help="The AirSim to look at.  [default: 127.0.0.1:41451]")
@click.option("--port", type=click.IntRange(1, 65535), help="The same for an AirSim of this machine: its port alone.")
@click.option("--vehicle", default="", metavar="NAME", help="Whose camera.  [default: AirSim's default vehicle]")
@click.option("--env", "environment", help="Whose label map names the classes.  [default: what the simulator tells]")
@click.option(
    "--rate",
    "rate_hz",
    type=click.FloatRange(0.1, 120),
    default=25.0,
    show_default=True,
    help="Frames a second, at most.",
)
@click.option("--page-port", type=click.IntRange(0, 65535), default=0, help="The page's port.  [default: a free one]")
@click.option("--open/--no-open", "opens", default=True, show_default=True, help="Open the page in the browser.")
@click.option("--parent-pid", type=click.IntRange(1), hidden=True, help="End when this process does.")
def view(
    address: str | None,
    port: int | None,
    vehicle: str,
    environment: str | None,
    rate_hz: float,
    page_port: int,
    opens: bool,
    parent_pid: int | None,
) -> None:
    """Show a simulator in the browser: live camera, ids and map; fly or drive with the keyboard.

    Works with the built-in simulator and with a real AirSim, and waits for either. The page is for browsers of this
    machine alone; its address, which holds a secret, is printed.
    """
    if address is not None and port is not None:
        raise UsageError("--sim and --port name the same thing: give one of them.")

    import asyncio
    import signal

    from airsim_seg.simulators.airsim import DEFAULT_PORT
    from airsim_seg.simulators.launch import LOCALHOST, parse_address
    from airsim_seg.viewer.serving import bind, view_until_stopped
    from airsim_seg.viewer.session import Session

    where = (LOCALHOST, port or DEFAULT_PORT) if address is None else parse_address(address)
    sock = bind(page_port)

    def announce(url: str) -> None:
        click.echo(f"viewer: {url}")
        if opens and _has_screen():
            click.launch(url)

    async def serve() -> signal.Signals | None:
        session = Session(*where, vehicle=vehicle, environment=environment, rate_hz=rate_hz)
        return await view_until_stopped(session, sock, announce, parent_pid)

    ended_by = asyncio.run(serve())
    if ended_by == signal.SIGINT:
        raise Interrupted("interrupted; the viewer has stopped.")


@contextmanager
def viewer_of(host: str, port: int, *, opens: bool = True) -> Iterator[None]:
    """Run `airsim-seg view` for a simulator of this machine until the block ends.

    It is a process of its own, so that pictures are encoded beside the simulation and not in its way.

    Args:
        host: the interface that the simulator listens on.
        port: its port.
        opens: show the page in the browser.
    """
    # What listens on every interface is reached through the loopback.
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"[{near}]:{port}" if ":" in near else f"{near}:{port}"
    command = [sys.executable, "-m", "airsim_seg", "view", "--sim", address, "--parent-pid", str(os.getpid())]
    command.append("--open" if opens else "--no-open")
    # Ctrl-C in the terminal is the simulator's to answer; it ends the viewer.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _has_screen() -> bool:
    """Whether a browser can show itself; without a screen, text browsers would be started in the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
