"""What stands on built-up blocks: perimeter blocks, terraces, a tower on its square, the rows around the city."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import city_colours, city_furniture, yards
from airsim_seg.builtin.environments.buildings import PARTY, REAR, STREET, Sides, random_building
from airsim_seg.builtin.environments.city_builder import CityBuilder
from airsim_seg.builtin.environments.city_grid import WALK_M, WALK_UP_M, Rectangle
from airsim_seg.builtin.environments.city_streets import ground
from airsim_seg.builtin.environments.colours import WATERS, mixed
from airsim_seg.builtin.environments.meshes import box, joined, placed
from airsim_seg.builtin.environments.rooftops import pavilion_roof
from airsim_seg.builtin.rendering.materials import Material

NORTH, EAST, SOUTH, WEST = 0.0, np.pi / 2, np.pi, -np.pi / 2
_DEEP_M = 14.0
_LOW_STYLES = ("brick", "plaster", "strips", "ribbons")


def lot_of(block: Rectangle) -> Rectangle:
    """What the pavements enclose."""
    return block.inset(WALK_M)


def perimeter_block(builder: CityBuilder, block: Rectangle, tallest: int) -> None:
    """Rows along the northern and southern streets, a building or a gap on the sides, a yard within."""
    rng, lot = builder.rng, lot_of(block)
    builder.lay(
        "Paving", ground(lot, WALK_UP_M - 0.01, Material.SLABS, 7.0), lot.middle, mixed(city_colours.PAVINGS, rng)
    )
    for yaw in (NORTH, SOUTH):
        _row(builder, lot, yaw, int(rng.integers(2, 4)), tallest)
    middle, _ = lot.middle
    free = lot.size[0] - 2 * _DEEP_M
    for yaw in (WEST, EAST):
        if rng.random() < 0.6:
            edge = lot.east if yaw == EAST else lot.west
            east = edge - np.sign(yaw) * _DEEP_M / 2
            sides: Sides = (STREET, REAR, REAR, REAR)
            house = random_building(rng, _DEEP_M - 2, free - 5.0, int(rng.integers(3, 7)), sides, styles=_LOW_STYLES)
            builder.building(house, (middle, float(east + np.sign(yaw))), yaw)
        else:
            _open_side(builder, lot, yaw, free)
    _yard(builder, lot)


def _row(builder: CityBuilder, lot: Rectangle, yaw: float, count: int, tallest: int) -> None:
    """Buildings side by side, facing north or south."""
    rng = builder.rng
    shares = rng.uniform(0.8, 1.3, count)
    edges = lot.west + lot.size[1] * np.concatenate([[0], np.cumsum(shares) / shares.sum()])
    north = lot.north - _DEEP_M / 2 if yaw == NORTH else lot.south + _DEEP_M / 2
    for k, (west, east) in enumerate(pairwise(edges)):
        outer_west, outer_east = (STREET if k == 0 else PARTY), (STREET if k == count - 1 else PARTY)
        left, right = (outer_west, outer_east) if yaw == NORTH else (outer_east, outer_west)
        storeys = int(rng.integers(4, tallest + 1))
        house = random_building(rng, _DEEP_M, float(east - west), storeys, (STREET, left, REAR, right))
        builder.building(house, (north, float(west + east) / 2), yaw)


def _open_side(builder: CityBuilder, lot: Rectangle, yaw: float, free: float) -> None:
    """A gap in the block's side: railings or boards, a tree or two behind."""
    rng, middle = builder.rng, lot.middle[0]
    east = (lot.east - 0.4) if yaw == EAST else (lot.west + 0.4)
    half = free / 2 - 0.2
    if rng.random() < 0.5:
        mesh = city_furniture.fence((-half, 0, 0), (half, 0, 0), 1.7, Material.RAILINGS, 2.4)
        builder.stand("Iron_Railing", mesh, (middle, east), NORTH, mixed(city_colours.IRON, rng))
    else:
        mesh = city_furniture.hoarding((-half, 0, 0), (half, 0, 0), 2.2)
        builder.stand("Hoarding", mesh, (middle, east), NORTH, mixed(city_colours.HOARDINGS, rng))
    inwards = -4.5 if yaw == EAST else 4.5
    for shift in (-4.0, 4.0):
        builder.street_tree((middle + shift, east + inwards))


def _yard(builder: CityBuilder, lot: Rectangle) -> None:
    """Lawn, cars and trees behind the houses."""
    rng, (north, east) = builder.rng, lot.middle
    lawn = Rectangle(north - 5, east - 5, north + 5, east + 5)
    builder.lay("Lawn", ground(lawn, WALK_UP_M + 0.02, Material.GRASS, 3.5), lawn.middle)
    for shift in ((-3.0, -3.0), (3.2, 2.6)):
        builder.park_tree((north + shift[0], east + shift[1]))
    builder.hedge((north - 5.2, east), EAST, 9.0)
    for k in range(3):
        if rng.random() < 0.7:
            place = (north + 7.6, east - 3.2 + 3.0 * k)
            car, tint = builder.car()
            builder.stand("Parked_Car", car, place, SOUTH, tint)
    for beside, yaw in ((-6.5, EAST), (6.5, WEST)):
        builder.stand("Bench", city_furniture.bench(), (north, east + beside), yaw)


def terraces(builder: CityBuilder, block: Rectangle) -> None:
    """Town houses in two rows with front gardens, long gardens between."""
    rng, lot = builder.rng, lot_of(block)
    builder.lay("Lawn", ground(lot, WALK_UP_M - 0.01, Material.GRASS, 3.5), lot.middle)
    for yaw in (NORTH, SOUTH):
        _terrace(builder, lot, yaw)
    north, _ = lot.middle
    for side in (lot.west + 0.5, lot.east - 0.5):
        rail = city_furniture.fence(
            (-lot.size[0] / 2 + 13, 0, 0), (lot.size[0] / 2 - 13, 0, 0), 1.3, Material.RAILINGS, 2.4
        )
        builder.stand("Iron_Railing", rail, (north, side), NORTH, mixed(city_colours.IRON, rng))
    for k in range(4):
        builder.park_tree((north + float(rng.uniform(-6, 6)), lot.west + (k + 0.5) * lot.size[1] / 4))
    for k in range(3):
        builder.hedge((north, lot.west + (k + 1) * lot.size[1] / 4), NORTH, 16.0, 1.4)
    pool = joined([yards.pool(7.0, 3.6), yards.terrace(9.0, 5.4)])
    place = (north + 3.5, lot.west + lot.size[1] * 0.875)
    builder.stand("Basin", pool, place, NORTH, mixed(WATERS, rng))


def _terrace(builder: CityBuilder, lot: Rectangle, yaw: float) -> None:
    rng, deep, garden, count = builder.rng, 9.5, 3.0, 6
    wide = lot.size[1] / count
    outwards = 1.0 if yaw == NORTH else -1.0
    line = lot.north if yaw == NORTH else lot.south
    storeys = int(rng.integers(3, 5))
    for k in range(count):
        east = lot.west + (k + 0.5) * wide
        ends = (STREET if k == 0 else PARTY, STREET if k == count - 1 else PARTY)
        left, right = ends if yaw == NORTH else ends[::-1]
        house = random_building(rng, deep, wide, storeys, (STREET, left, REAR, right), styles=("brick", "plaster"))
        house = replace(house, steep=True, shops=False, storey_m=3.1)
        builder.building(house, (line - outwards * (garden + deep / 2), east), yaw)
        path = Rectangle(*sorted_box(line, line - outwards * garden, east - 0.7, east + 0.7))
        builder.lay("Paving", ground(path, WALK_UP_M + 0.01, Material.PAVERS, 3.0), path.middle)
        front = line - outwards * 0.3
        for side in (-1.0, 1.0):
            reach = (wide / 2 - 0.9) / 2
            middle = east + side * (0.9 + reach)
            if rng.random() < 0.6:
                rail = city_furniture.fence((0, -reach, 0), (0, reach, 0), 1.05, Material.RAILINGS, 2.0)
                builder.stand("Iron_Railing", rail, (front, middle), NORTH, mixed(city_colours.IRON, rng))
            else:
                builder.hedge((front - outwards * 0.2, middle), EAST, 2 * reach, 0.9)
            if rng.random() < 0.6:
                builder.shrub((line - outwards * 1.7, middle), float(rng.uniform(0.5, 0.8)))
            else:
                builder.flowers((line - outwards * 1.7, middle), 0.8)


def sorted_box(north_a: float, north_b: float, east_a: float, east_b: float) -> tuple[float, float, float, float]:
    """South, west, north and east of a rectangle given by any two opposite corners."""
    return min(north_a, north_b), min(east_a, east_b), max(north_a, north_b), max(east_a, east_b)


def tower_square(builder: CityBuilder, block: Rectangle) -> None:
    """A glass tower, a slab of flats, a cafe, and water on the square between."""
    rng, lot = builder.rng, lot_of(block)
    north, east = lot.middle
    builder.lay(
        "Paving", ground(lot, WALK_UP_M - 0.01, Material.PAVERS, 3.6), lot.middle, mixed(city_colours.PAVINGS, rng)
    )
    around: Sides = (STREET, STREET, STREET, STREET)
    tower = random_building(rng, 19.0, 19.0, 12, around, styles=("glass",))
    builder.building(tower, (lot.north - 10.5, lot.west + 10.5), SOUTH)
    slab = random_building(rng, 13.0, 26.0, 8, around, styles=("ribbons", "strips"))
    builder.building(slab, (lot.south + 14.0, lot.east - 7.5), EAST)
    for shift, (long_m, wide_m) in ((6.0, (15.0, 5.0)), (-9.0, (9.0, 4.0))):
        place = (north + shift - 2, east + 9.0 if shift > 0 else east - 12.0)
        basin = joined([yards.pool(long_m, wide_m)])
        builder.stand("Basin", basin, place, EAST, mixed(WATERS, rng))
    _cafe(builder, (lot.south + 8.0, lot.west + 9.0))
    for k in range(4):
        place = (north - 4.0 - 0.5 * k, lot.west + 5.0 + 7.0 * k)
        builder.stand("Planter", city_furniture.planter(3.0, 1.6), place, EAST)
        builder.shrub(place, 0.75, up_m=WALK_UP_M + 0.5)
    for k in range(5):
        builder.street_tree((lot.north - 4.5, lot.west + 25.0 + 5.6 * k))
        builder.stand("Bench", city_furniture.bench(), (lot.north - 7.5, lot.west + 25.0 + 5.6 * k), SOUTH)
    posts = city_furniture.bollards(12)
    builder.stand("Bollard", posts, (lot.south + 0.6, lot.west + 2.0), EAST, (0.2, 0.2, 0.22))


def _cafe(builder: CityBuilder, place: tuple[float, float]) -> None:
    """A pavilion of glass under a roof that reaches far out, with tables."""
    rng = builder.rng
    walls = box((-3.5, -5.0, -0.2), (3.5, 5.0, 3.2), Material.CURTAIN_WALL, tile_m=6.0)
    builder.stand("Pavilion", walls, place, NORTH, mixed(city_colours.GLASSES, rng))
    builder.stand("Flat_Roof", pavilion_roof(9.0, 12.0, 3.2), place, NORTH, mixed(city_colours.FELTS, rng))
    swatch = int(rng.choice((40, 41, 42, 45, 16)))
    for k in range(4):
        builder.stand(
            "Cafe_Table", city_furniture.cafe_table(swatch), (place[0] + 7.2, place[1] - 6.0 + 4.0 * k), NORTH
        )


def outer_rows(builder: CityBuilder, outline: Rectangle) -> None:
    """Buildings across the roads around the city, so that every street ends in a front."""
    rng = builder.rng
    line = outline.inset(-WALK_M)
    for yaw in (NORTH, EAST, SOUTH, WEST):
        along_east = yaw in (NORTH, SOUTH)
        low, high = (line.west - _DEEP_M, line.east + _DEEP_M) if along_east else (line.south, line.north)
        at = low
        while high - at > 9.0:
            wide = float(min(rng.uniform(15, 27), high - at))
            if high - at - wide < 9.0:
                wide = float(high - at)
            middle = at + wide / 2
            at += wide
            if rng.random() < 0.12 and abs(middle) < 100:
                _gap(builder, line, yaw, middle, wide)
                continue
            side: Sides = (STREET, PARTY, PARTY, PARTY)
            house = random_building(rng, _DEEP_M, wide, int(rng.integers(3, 8)), side, styles=_LOW_STYLES)
            builder.building(house, _outside(line, yaw, middle, _DEEP_M / 2), yaw)


def _outside(line: Rectangle, yaw: float, middle: float, behind: float) -> tuple[float, float]:
    """A place behind the pavement around the city; who stands there and looks along yaw sees the city."""
    return {
        NORTH: (line.south - behind, middle),
        SOUTH: (line.north + behind, middle),
        EAST: (middle, line.west - behind),
        WEST: (middle, line.east + behind),
    }[yaw]


def _gap(builder: CityBuilder, line: Rectangle, yaw: float, middle: float, wide: float) -> None:
    """A building site or a green corner between two houses."""
    rng = builder.rng
    across = yaw + np.pi / 2
    boards = city_furniture.hoarding((-wide / 2, 0, 0), (wide / 2, 0, 0), 2.3)
    builder.stand("Hoarding", boards, _outside(line, yaw, middle, 0.5), across, mixed(city_colours.HOARDINGS, rng))
    for shift in np.arange(-wide / 2 + 3, wide / 2 - 2, 5.0):
        builder.park_tree(_outside(line, yaw, middle + float(shift), 7.0))


def skyline(builder: CityBuilder) -> None:
    """Towers in the haze, 430 to 900 m away: beyond what the sun's shadows are drawn for (stage.world_extent_m)."""
    rng = builder.rng
    for sector in range(12):
        meshes = []
        for _ in range(6):
            turn = (sector + rng.uniform(0, 1)) * np.pi / 6
            far = rng.uniform(470, 900) / max(abs(np.cos(turn)), abs(np.sin(turn)))
            x, y, half = far * np.cos(turn), far * np.sin(turn), rng.uniform(12, 26)
            tower = box((-half, -half, -1), (half, half, rng.uniform(20, 95)), Material.CURTAIN_WALL, tile_m=14.0)
            meshes.append(placed(tower, (float(x), float(y), 0.0), float(rng.uniform(0, 1.5))))
        at = (600.0 * np.cos((sector + 0.5) * np.pi / 6), 600.0 * np.sin((sector + 0.5) * np.pi / 6), 0.0)
        builder.add("Skyline", at, meshes, mixed(city_colours.CONCRETES + city_colours.GLASSES, rng))
