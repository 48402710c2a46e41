"""A process that serves the tests' small world as `airsim-seg sim` serves its own.

Arguments: its parent's pid, or -; and a fault, NAME=N.
"""

import asyncio
import sys

from served_world import FormulaRenderer, tiny_scene

from airsim_seg.builtin.faults import parse_fault
from airsim_seg.builtin.server import bind
from airsim_seg.builtin.serving import serve_until_stopped
from airsim_seg.builtin.settings import default_settings
from airsim_seg.builtin.switches import Switches
from airsim_seg.builtin.world import World


async def main() -> None:
    world = World(tiny_scene(), default_settings("ComputerVision"), paused=True)
    parent_pid = int(sys.argv[1]) if len(sys.argv) > 1 and sys.argv[1] != "-" else None
    switches = Switches(faults=tuple(parse_fault(text) for text in sys.argv[2:]))
    ended_by = await serve_until_stopped(
        world, FormulaRenderer(), bind(0), lambda port: print("ready", port, flush=True), parent_pid, switches
    )
    print("ended by", ended_by.name if ended_by else "the parent's end", flush=True)


asyncio.run(main())
