"""A built-in server for each test that asks."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from served_world import FormulaRenderer, Host, Running, Serve

from airsim_seg.builtin.scene import Renderer, Scene
from airsim_seg.builtin.settings import Settings, SimMode, default_settings
from airsim_seg.builtin.strictness import LENIENT, Strictness
from airsim_seg.builtin.switches import Switches


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """serve(mode_or_settings, paused=True, scene, renderer, strictness, switches): starts a server and gives a Running.

    Its home, where recordings go, is the test's own folder.
    """
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path))
    hosts: list[Host] = []

    def start(
        settings: Settings | SimMode = "ComputerVision",
        *,
        paused: bool = True,
        scene: Scene | None = None,
        renderer: Renderer | None = None,
        strictness: Strictness = LENIENT,
        switches: Switches | None = None,
    ) -> Running:
        own = default_settings(settings) if isinstance(settings, str) else settings
        painter = FormulaRenderer() if renderer is None else renderer
        hosts.append(Host(own, painter, paused=paused, scene=scene, strictness=strictness, switches=switches))
        return hosts[-1].running

    yield start
    for host in hosts:
        if isinstance(host.running.renderer, FormulaRenderer):
            host.running.renderer.open.set()
        host.close()
