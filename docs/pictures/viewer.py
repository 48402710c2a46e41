"""Makes viewer.jpg: `sim --view` over Lakeside in a headless Chromium, after a short flight along the shore.

python docs/pictures/viewer.py docs/pictures/viewer.jpg [further switches of sim, as --strict]

The frames a second in it are the machine's: take it on one that does nothing else.
"""

import asyncio
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import airsim
import cv2

sys.path.append(str(Path(__file__).parents[2] / "tests" / "browser"))
from devtools import Page

SIZE_WH = (1440, 625)
QUALITY = 85
FLY_S, SETTLE_S = 12, 8
SETTLED = "parseFloat(document.querySelector('#speed').textContent) < 0.5"


async def photograph(url: str, client: airsim.MultirotorClient, target: Path) -> None:
    """Fly with the page open, so that the map has a trail, and press the shutter in hovering flight."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with Page(Path(profile), SIZE_WH) as page:
            await page.open(url)
            await page.until("document.querySelector('#fps').textContent !== '–'")
            await page.click("[data-mode='both']")
            client.moveByVelocityAsync(3, 1, 0, FLY_S, yaw_mode=airsim.YawMode(False, 136))
            await asyncio.sleep(FLY_S)
            client.hoverAsync()
            await page.until(SETTLED)
            await asyncio.sleep(SETTLE_S)
            box = await page.value(
                "(b => [b.left + b.width * 0.37, b.top + b.height * 0.62])(ids.getBoundingClientRect())"
            )
            await page.command("Input.dispatchMouseEvent", type="mouseMoved", x=box[0], y=box[1])
            await page.until("!tip.hidden")
            png = Path(profile) / "viewer.png"
            await page.screenshot(png)
            cv2.imwrite(str(target), cv2.imread(str(png)), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
            print("errors:", page.errors)


def main(target: Path, switches: list[str]) -> None:
    """Serve, fly up, photograph."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "airsim_seg", "sim", "--env", "Lakeside", "--view", f"--port={port}", *switches]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as simulator:
        try:
            url = next(line.split()[1] for line in simulator.stdout or () if line.startswith("viewer: "))
            client = airsim.MultirotorClient(port=port)
            client.enableApiControl(True)
            client.moveToPositionAsync(0, 0, -30, 5).join()
            asyncio.run(photograph(url, client, target))
        finally:
            simulator.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
