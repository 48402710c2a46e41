"""Contact sheets of the built-in worlds, for docs/pictures: every environment in every weather and at every hour.

Everything on them is drawn by airsim-seg. Two minutes a world on one core.

python benchmarks/pictures/contact_sheets.py docs/pictures [--env NAME] [--world-seed N]
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from airsim_seg.builtin.contact_sheet import contact_sheet, start_views
from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.geometry import HOME
from airsim_seg.builtin.objects import ObjectTable
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, Scene
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.builtin.weather import Sky, Weather
from airsim_seg.palette import palette
from airsim_seg.types import UInt8Array

SIZE_HW = (225, 300)
COLUMNS = 4
JPEG_QUALITY = 82
# Traffic has spread out by then; the first second from there on at which nothing drives so near to the camera is taken.
FROM_S, UNTIL_S, NEAR_M = 40, 160, 18.0
# Strong enough to be seen in a small picture.
WEATHERS = {
    "clear": Weather(),
    "rain": Weather(rain=0.8, road_wetness=0.8),
    "wet roads": Weather(road_wetness=1.0),
    "snowfall": Weather(snow=0.8, road_snow=0.5),
    "snow": Weather(road_snow=1.0),
    "falling leaves": Weather(maple_leaf=0.8, road_leaf=0.4),
    "fallen leaves": Weather(road_leaf=1.0),
    "dust": Weather(dust=0.5),
    "fog": Weather(fog=0.5),
}
HOURS = ("05:30", "07:00", "10:00", "13:00", "16:00", "18:30", "20:00", "20:45", "23:00")
DATE = "2026-06-21"


def moments(scene: Scene) -> Iterator[tuple[str, Moment]]:
    """Each weather by day, then each hour of a clear day, with the line to write below it."""
    traffic = Traffic(scene.traffic)
    time_ns = quiet_time_ns(scene, traffic)
    placed = replace(STILL, placements=traffic.placements(time_ns) if scene.traffic else {})
    sky = Sky(HOME.latitude_deg, HOME.longitude_deg)
    day = sky.sun(0)
    for name, weather in WEATHERS.items():
        yield name, placed.under(weather, day, time_ns)
    for hour in HOURS:
        sky.set_time_of_day(True, f"{DATE} {hour}:00", True, 1.0, 60.0, True, 0)
        yield f"{hour}, 21 June", placed.under(WEATHERS["clear"], sky.sun(0), time_ns)


def quiet_time_ns(scene: Scene, traffic: Traffic) -> int:
    """A time at which the camera at the start does not stand behind a bus; the last one where it always does."""
    start_m = scene.player_start.position_m
    for second in range(FROM_S, UNTIL_S):
        time_ns = second * 1_000_000_000
        places_m = traffic.places(time_ns)[..., 3] if scene.traffic else np.full((1, 3), np.inf)
        if np.hypot(*(places_m - start_m)[:, :2].T).min() > NEAR_M:
            break
    return time_ns


def ids_as_colours(scene: Scene, object_index: np.ndarray) -> UInt8Array:
    """What the Segmentation image shows, uint8 [H,W,3], RGB."""
    return palette()[ObjectTable(scene).table()[object_index]]


def sheet_of(name: str, world_seed: int) -> UInt8Array:
    """All moments of one world: even rows from eye level, odd ones from above, ids last."""
    scene = build(name, world_seed)
    renderer = Rasteriser(scene)
    eye, above = start_views(scene, SIZE_HW)
    tiles = []
    for index, (caption, moment) in enumerate(moments(scene)):
        view = (eye, above)[index // COLUMNS % 2]
        tiles.append((renderer.render(view, moment).rgb, f"{name}: {caption}"))
    for view in (eye, above):
        tiles.append((ids_as_colours(scene, renderer.render(view).object_index), f"{name}: object ids"))
    return contact_sheet(tiles, COLUMNS)


def main() -> None:
    """Write one JPEG a world."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--env", choices=ENVIRONMENTS)
    parser.add_argument("--world-seed", type=int, default=0)
    wanted = parser.parse_args()
    wanted.folder.mkdir(parents=True, exist_ok=True)
    for name in [wanted.env] if wanted.env else ENVIRONMENTS:
        path = wanted.folder / f"sheet_{name.lower()}.jpg"
        sheet = sheet_of(name, wanted.world_seed)
        cv2.imwrite(str(path), sheet[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        print(f"{path}: {sheet.shape[1]}x{sheet.shape[0]}, {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
