"""A built-in server for each test that asks."""

from collections.abc import Iterator

import pytest
from served_world import FormulaRenderer, Host, Running, Serve

from airsim_seg.builtin.settings import Settings, SimMode, default_settings


@pytest.fixture
def serve() -> Iterator[Serve]:
    """serve(mode_or_settings, paused=True): starts a server and gives a Running."""
    hosts: list[Host] = []

    def start(settings: Settings | SimMode = "ComputerVision", *, paused: bool = True) -> Running:
        own = default_settings(settings) if isinstance(settings, str) else settings
        hosts.append(Host(own, FormulaRenderer(), paused=paused))
        return hosts[-1].running

    yield start
    for host in hosts:
        host.running.renderer.open.set()
        host.close()
