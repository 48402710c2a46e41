"""The viewer in a real browser: it shows what the simulator sends, flies by keyboard, and complains of nothing."""

from pathlib import Path

import numpy as np
import pytest
from devtools import BROWSER, Page
from own_loop import run
from toy_simulator import ToyRenderer
from toy_simulator import scene as toy_scene
from toy_world import ROAD, SKY
from watching import TOKEN, viewer

from airsim_seg.builtin.scene import Scene
from airsim_seg.builtin.server import bind
from airsim_seg.builtin.serving import Simulator
from airsim_seg.builtin.settings import CaptureSettings, Settings, SimMode, VehicleSettings
from airsim_seg.builtin.world import World
from airsim_seg.palette import palette

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no chromium or chrome on this machine")
SIZE_HW = (48, 64)
SHOWN = "document.querySelector('#fps').textContent !== '–'"
# The colour of the ids canvas at (x, y), as the person sees it.
PIXEL = "[...document.querySelector('#ids').getContext('2d').getImageData({x}, {y}, 1, 1).data].slice(0, 3)"
POSITION = "document.querySelector('#position').textContent"


def world(mode: SimMode, *, paused: bool) -> World:
    settings = Settings(mode, {mode: VehicleSettings()}, {kind: CaptureSettings(SIZE_HW) for kind in range(10)})
    scene: Scene = toy_scene()
    return World(scene, settings, paused=paused)


def test_it_shows_everything_flies_by_keyboard_and_complains_of_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        sock = bind(0)
        port = sock.getsockname()[1]
        async with (
            Simulator(world("Multirotor", paused=False), ToyRenderer(), sock),
            viewer(port) as server,
            Page(tmp_path) as page,
        ):
            await page.open(server.url)
            await page.until(SHOWN)
            await page.click("[data-mode='both']")
            await page.until("document.querySelectorAll('#legend li').length >= 3")
            # Ids are exact: the ground ahead is road, the picture's top is sky.
            colours = palette()
            await page.until(f"({PIXEL.format(x=32, y=47)}).join() === '{','.join(map(str, colours[ROAD]))}'")
            assert await page.value(PIXEL.format(x=32, y=0)) == colours[SKY].tolist()
            # The mouse names what it points at, with its class.
            box = await page.value("(b => [b.left + b.width / 2, b.bottom - 3])(ids.getBoundingClientRect())")
            await page.command("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
            tip = await page.until("!tip.hidden && tip.textContent")
            assert "Road" in tip
            assert f"id {ROAD}" in tip
            # Space lifts the drone, W flies it ahead, and without them it stands.
            start = await height(page)
            await page.key("Space", down=True)
            await page.until("parseFloat(document.querySelector('#height').textContent) > 2")
            await page.key("Space", down=False)
            await page.key("KeyW", down=True)
            await page.until(f"parseFloat({POSITION}) > 2")
            await page.key("KeyW", down=False)
            await page.until("parseFloat(document.querySelector('#speed').textContent) < 0.2")
            assert await height(page) > start + 1
            # The map is drawn, with the vehicle in its middle.
            await page.until(MAP_IS_DRAWN)
            assert page.errors == []
            assert all(url.startswith(f"http://127.0.0.1:{server.port}/") for url in page.fetched)

    run(story())


MAP_IS_DRAWN = """(() => {
  const data = map.getContext('2d').getImageData(0, 0, map.width, map.height).data;
  const seen = new Set();
  for (let i = 0; i < data.length; i += 400) seen.add(data.slice(i, i + 3).join());
  return seen.size > 3;
})()"""


async def height(page: Page) -> float:
    return float(await page.value("parseFloat(document.querySelector('#height').textContent)"))


def test_a_lost_simulator_is_plain_to_see_and_buttons_work(tmp_path: Path) -> None:
    async def story() -> None:
        sock = bind(0)
        port = sock.getsockname()[1]
        async with viewer(port) as server, Page(tmp_path, (390, 800)) as page:
            served = world("ComputerVision", paused=True)
            async with Simulator(served, ToyRenderer(), sock):
                await page.open(server.url)
                await page.until("lost.hidden && !paused.hidden")
                await page.click("#pause")
                await page.until("paused.hidden")
                assert not served.is_paused
                await page.key("KeyP", down=True)
                await page.until("!paused.hidden")
                # A phone's width is enough.
                assert await page.value("document.documentElement.scrollWidth") <= 390
            await page.until("!lost.hidden")
            assert str(port) in await page.value("document.querySelector('#lost-text').textContent")
            async with Simulator(served, ToyRenderer(), bind(port)):
                await page.until("lost.hidden")
            assert page.errors == []

    run(story())


def test_the_page_stays_shut_without_its_token(tmp_path: Path) -> None:
    async def story() -> None:
        async with viewer(1) as server, Page(tmp_path) as page:
            await page.open(server.url.replace(TOKEN, "guess"))
            assert "terminal" in await page.until("document.body.textContent")
            assert not await page.value("document.querySelector('canvas')")

    run(story())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_by_day_and_by_night(tmp_path: Path, scheme: str) -> None:
    async def story() -> None:
        async with viewer(1) as server, Page(tmp_path) as page:
            await page.command(
                "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
            )
            await page.open(server.url)
            await page.until("getComputedStyle(document.body).color")
            ink, paper = [
                np.array(await page.value(f"getComputedStyle(document.body).{name}.match(/\\d+/g).map(Number)"))
                for name in ("color", "backgroundColor")
            ]
            assert abs(ink - paper).min() > 150
            assert bool(paper.mean() < 60) is (scheme == "dark")

    run(story())
