"""Makes map_neighborhood.jpg: a world straight from above through an orthographic camera: picture, raw ids, heights.

python docs/pictures/map.py docs/pictures/map_neighborhood.jpg
"""

import sys
from pathlib import Path

import cv2
import numpy as np

from airsim_seg.builtin.environments import build
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.palette import palette
from airsim_seg.types import Pose

UP_M, WIDTH_M, SIZE_HW, PANEL_HW = 60.0, 200.0, (600, 800), (360, 480)


def main(target: Path) -> None:
    """Write one strip of three panels."""
    scene = build("Neighborhood", 0)
    north, east, down = scene.player_start.position_m
    above = Pose.from_euler((north, east, down - UP_M), pitch_rad=-np.pi / 2)
    moment = Moment(Traffic(scene.traffic).placements(0)) if scene.traffic else STILL
    picture = Rasteriser(scene).render(View(above, SIZE_HW, 90.0, WIDTH_M), moment)
    up = np.clip((UP_M - picture.depth_m) / 20 * 255, 0, 255).astype(np.uint8)
    size = PANEL_HW[::-1]
    panels = [
        cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA),
        cv2.resize(
            palette()[ObjectTable(scene).table()[picture.object_index]], size, interpolation=cv2.INTER_NEAREST_EXACT
        ),
        cv2.resize(np.repeat(up[..., None], 3, 2), size, interpolation=cv2.INTER_AREA),
    ]
    cv2.imwrite(str(target), np.hstack(panels)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
