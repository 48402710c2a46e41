"""Small pictures of worlds side by side, each with a line below it: for `sim --list --sheet` and the documentation."""

import math
from collections.abc import Sequence

import cv2
import numpy as np

from airsim_seg.builtin.scene import Scene, View
from airsim_seg.types import Pose, UInt8Array

CAPTION_PX, GAP_PX = 18, 4
PAPER, INK = 255, (40, 40, 40)
EYE_M, ABOVE_M, BEHIND_M = 1.8, 38.0, 45.0


def start_views(scene: Scene, size_hw: tuple[int, int]) -> tuple[View, View]:
    """What a visitor sees first, and the place from above.

    Args:
        scene: the world.
        size_hw: (height, width), pixels.

    Returns:
        From eye level at the player start, and from 38 m above and 45 m behind it.
    """
    start = scene.player_start
    north, east, down = (float(v) for v in start.position_m)
    ahead = start.rotation()[:, 0]
    yaw_rad = math.atan2(float(ahead[1]), float(ahead[0]))
    back_m = (north - BEHIND_M * math.cos(yaw_rad), east - BEHIND_M * math.sin(yaw_rad), down - ABOVE_M)
    ground_down_m = scene.ground_down_m(north, east)
    eye = Pose.from_euler((north, east, ground_down_m - EYE_M), yaw_rad=yaw_rad)
    above = Pose.from_euler(back_m, yaw_rad=yaw_rad, pitch_rad=-math.radians(35))
    return View(eye, size_hw, 90.0), View(above, size_hw, 90.0)


def contact_sheet(tiles: Sequence[tuple[UInt8Array, str]], columns: int) -> UInt8Array:
    """Tiles in rows, from left to right.

    Args:
        tiles: at least one picture, uint8 [H,W,3], RGB, all of one size, with its line of ASCII.
        columns: how many in a row; the last row may have fewer.

    Returns:
        uint8 [*,*,3], RGB, on white.
    """
    height, width = tiles[0][0].shape[:2]
    pitch_hw = (height + CAPTION_PX + GAP_PX, width + GAP_PX)
    rows = -(-len(tiles) // columns)
    sheet = np.full((rows * pitch_hw[0] + GAP_PX, columns * pitch_hw[1] + GAP_PX, 3), PAPER, np.uint8)
    for index, (picture, caption) in enumerate(tiles):
        top, left = (GAP_PX + step * pitch for step, pitch in zip(divmod(index, columns), pitch_hw, strict=True))
        sheet[top : top + height, left : left + width] = picture
        foot = (left + 2, top + height + CAPTION_PX - 5)
        cv2.putText(sheet, caption, foot, cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
    return sheet
