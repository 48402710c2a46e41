"""Open blocks: a park with a fountain, public baths, a market hall with its car park."""

import numpy as np

from airsim_seg.builtin.environments import (
    city_colours,
    city_furniture,
    city_signals,
    city_streets,
    city_vehicles,
    yards,
)
from airsim_seg.builtin.environments.buildings import STREET, random_building
from airsim_seg.builtin.environments.city_blocks import EAST, NORTH, SOUTH, WEST, lot_of
from airsim_seg.builtin.environments.city_builder import CityBuilder, Place
from airsim_seg.builtin.environments.city_grid import WALK_UP_M, Rectangle
from airsim_seg.builtin.environments.city_streets import ground
from airsim_seg.builtin.environments.colours import ROOFS, WALLS, WATERS, mixed
from airsim_seg.builtin.environments.houses import roof_slab
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, quad
from airsim_seg.builtin.environments.rooftops import pavilion_roof
from airsim_seg.builtin.rendering.materials import Material

_PATH_M = 3.0


def park(builder: CityBuilder, block: Rectangle) -> None:
    """Lawns between crossing paths, a fountain in the middle, trees, hedges and railings around."""
    rng, lot = builder.rng, lot_of(block)
    north, east = lot.middle
    builder.lay(
        "Paving", ground(lot, WALK_UP_M - 0.01, Material.SLABS, 6.0), lot.middle, mixed(city_colours.PAVINGS, rng)
    )
    half = _PATH_M / 2
    lawns = [
        Rectangle(lot.south + 1, lot.west + 1, north - half, east - half),
        Rectangle(lot.south + 1, east + half, north - half, lot.east - 1),
        Rectangle(north + half, lot.west + 1, lot.north - 1, east - half),
        Rectangle(north + half, east + half, lot.north - 1, lot.east - 1),
    ]
    for lawn in lawns:
        builder.lay("Lawn", ground(lawn, WALK_UP_M + 0.03, Material.GRASS, 3.5), lawn.middle)
        _quarter(builder, lawn, lot.middle)
    _fountain(builder, lot.middle)
    _park_fence(builder, lot)


def _quarter(builder: CityBuilder, lawn: Rectangle, centre: Place) -> None:
    """One lawn: trees, a hedge along its path, a bench, a lamp."""
    rng, (north, east) = builder.rng, lawn.middle
    away = np.sign(north - centre[0]), np.sign(east - centre[1])
    for shift in ((0.28, -0.25), (-0.2, 0.3), (0.3, 0.3)):
        place = north + away[0] * shift[0] * lawn.size[0], east + away[1] * shift[1] * lawn.size[1]
        builder.park_tree(place)
    inner = centre[0] + away[0] * (_PATH_M / 2 + 0.6), centre[1] + away[1] * (_PATH_M / 2 + 0.6)
    builder.hedge((north + away[0] * 3.5, inner[1]), NORTH, lawn.size[0] * 0.45, 0.9)
    builder.hedge((inner[0], east + away[1] * 3.5), EAST, lawn.size[1] * 0.45, 0.9)
    bench = city_furniture.bench()
    side = float(centre[0] + away[0] * (_PATH_M / 2 - 0.4))
    builder.stand("Bench", bench, (side, float(east + away[1] * 3.0)), NORTH if away[0] < 0 else SOUTH)
    builder.stand(
        "Lamp_Post",
        city_furniture.park_lamp(),
        (inner[0] - away[0] * 0.5, inner[1] + away[1] * 4),
        NORTH,
        (0.06, 0.07, 0.07),
    )
    for k in range(3):
        turn = rng.uniform(0, 2 * np.pi)
        builder.flowers((north + 4.5 * float(np.cos(turn + 2 * k)), east + 4.5 * float(np.sin(turn + 2 * k))), 0.9)


def _fountain(builder: CityBuilder, place: Place) -> None:
    """A round basin, 11 m wide, and a column with a bowl."""
    rng, radius = builder.rng, 5.5
    square = level_disc(radius + 3.2, 0.035, Material.PAVERS, 3.0)
    builder.stand("Paving", square, place, NORTH, mixed(city_colours.PAVINGS, rng))
    rim = joined([_ring_wall(radius, radius - 0.45, 0.55), _column()])
    builder.stand("Fountain", rim, place, NORTH, mixed(city_colours.PAVINGS, rng))
    water = level_disc(radius - 0.4, 0.38, Material.WATER, 3.3)
    builder.stand("Basin", water, place, NORTH, mixed(WATERS, rng))


def level_disc(radius_m: float, up_m: float, material: Material, tile_m: float) -> Mesh:
    """A level disc that faces up."""
    angle = np.arange(25) * np.pi / 12
    rim = np.stack([radius_m * np.cos(angle), radius_m * np.sin(angle), np.full(25, up_m)], 1)
    centre = np.broadcast_to(np.array((0.0, 0.0, up_m)), (24, 3))
    fan = np.stack([centre, rim[:-1], rim[1:]], 1)
    return flat(fan, material, uv=fan[..., :2] / tile_m)


def _ring_wall(outer: float, inner: float, high: float) -> Mesh:
    """A low round wall."""
    angle = np.arange(25) * np.pi / 12
    rim = np.stack([np.cos(angle), np.sin(angle)], 1)
    a, b = rim[:-1], rim[1:]

    def at(points: np.ndarray, radius: float, z: float) -> np.ndarray:
        return np.column_stack([points * radius, np.full(len(points), z)])

    faces = []
    for low, top in (
        ((outer, -0.1), (outer, high)), ((outer, high), (inner, high)), ((inner, high), (inner, 0.0)),
    ):  # fmt: skip
        p, q, r, s = at(a, *low), at(b, *low), at(b, *top), at(a, *top)
        faces += [np.stack([p, q, r], 1), np.stack([p, r, s], 1)]
    return flat(np.concatenate(faces), Material.ASHLAR, tile_m=2.0)


def _column() -> Mesh:
    shaft = cylinder((0, 0, 0), (0, 0, 2.1), (0.5, 0.3), Material.PLASTER, sides=10)
    bowl = cylinder((0, 0, 1.9), (0, 0, 2.3), (0.4, 1.4), Material.PLASTER, sides=12)
    top = cylinder((0, 0, 2.28), (0, 0, 2.3), (1.4, 1.35), Material.PLASTER, sides=12, cap=True)
    finial = cylinder((0, 0, 2.3), (0, 0, 3.3), (0.28, 0.08), Material.PLASTER, sides=8, cap=True)
    return joined([shaft, bowl, top, finial])


def _park_fence(builder: CityBuilder, lot: Rectangle) -> None:
    """Railings on all sides, open where the paths come in."""
    tint = mixed(city_colours.IRON, builder.rng)
    (north, east), gap = lot.middle, 3.0
    for side in (lot.south + 0.5, lot.north - 0.5):
        half = (lot.size[1] / 2 - gap - 0.5) / 2
        for sign in (-1, 1):
            rail = city_furniture.fence((-half, 0, 0), (half, 0, 0), 1.3, Material.RAILINGS, 2.4)
            builder.stand("Iron_Railing", rail, (side, east + sign * (gap + half)), EAST, tint)
    for side in (lot.west + 0.5, lot.east - 0.5):
        half = (lot.size[0] / 2 - gap - 0.5) / 2
        for sign in (-1, 1):
            rail = city_furniture.fence((-half, 0, 0), (half, 0, 0), 1.3, Material.RAILINGS, 2.4)
            builder.stand("Iron_Railing", rail, (north + sign * (gap + half), side), NORTH, tint)


def baths(builder: CityBuilder, block: Rectangle) -> None:
    """A swimming pool and a paddling pool on a deck, cabins with pitched roofs, lawns, a fence."""
    rng, lot = builder.rng, lot_of(block)
    north, east = lot.middle
    builder.lay("Lawn", ground(lot, WALK_UP_M - 0.01, Material.GRASS, 3.5), lot.middle)
    deck = Rectangle(north - 13, east - 19, north + 13, east + 19)
    builder.lay(
        "Paving", ground(deck, WALK_UP_M + 0.02, Material.PAVERS, 3.0), deck.middle, mixed(city_colours.PAVINGS, rng)
    )
    tint = mixed(WATERS[:2], rng)
    builder.stand("Basin", yards.pool(25.0, 10.0), (north - 3, east - 2), EAST, tint)
    builder.stand("Basin", yards.pool(8.0, 5.0), (north + 8.5, east + 10), EAST, tint)
    for k in range(5):
        place = (lot.north - 3.5, lot.west + 6.0 + 6.2 * k)
        hut = box((-2.2, -2.7, -0.1), (2.2, 2.7, 2.6), Material.BOARDS, tile_m=2.0)
        builder.stand("Pavilion", hut, place, SOUTH, mixed(WALLS, rng))
        builder.stand("Steep_Roof", roof_slab(2.7, 3.0, 2.55, 1.3, hipped=True), place, SOUTH, mixed(ROOFS, rng))
    hall = random_building(rng, 8.0, 18.0, 2, (STREET, STREET, STREET, STREET), styles=("plaster", "ribbons"))
    builder.building(hall, (north, lot.east - 4.5), EAST)
    for k in range(6):
        builder.stand("Bench", city_furniture.bench(), (north - 10.5, east - 15.0 + 5.0 * k), NORTH)
        builder.park_tree((lot.south + 3.5, lot.west + 4.0 + (lot.size[1] - 16.0) / 5 * k))
    for k in range(3):
        table = city_furniture.cafe_table(int(rng.choice((40, 42, 45))))
        builder.stand("Cafe_Table", table, (north + 8.0, east - 14.0 + 6.0 * k), NORTH)
    builder.hedge((lot.south + 1.4, east), EAST, lot.size[1] * 0.9, 1.3)
    _wire(builder, lot, (SOUTH, NORTH, WEST))


def _wire(builder: CityBuilder, lot: Rectangle, sides: tuple[float, ...]) -> None:
    """Mesh fences along some sides of a lot."""
    (north, east), (deep, wide) = lot.middle, lot.size
    tint = mixed(city_colours.IRON, builder.rng)
    places = {
        NORTH: ((lot.north - 0.3, east), wide, EAST), SOUTH: ((lot.south + 0.3, east), wide, EAST),
        WEST: ((north, lot.west + 0.3), deep, NORTH), EAST: ((north, lot.east - 0.3), deep, NORTH),
    }  # fmt: skip
    for side in sides:
        place, long, yaw = places[side]
        for half in (-1.0, 1.0):
            x0, x1 = sorted((half * 0.05, half * (long / 2 - 0.3)))
            mesh = city_furniture.fence((x0, 0, 0), (x1, 0, 0), 2.0, Material.WIRE_MESH, 3.0)
            builder.stand("Wire_Fence", mesh, place, yaw, tint)


def market(builder: CityBuilder, block: Rectangle) -> None:
    """A hall of one storey, flats beside it, and a car park in front."""
    rng, lot = builder.rng, lot_of(block)
    north, _ = lot.middle
    builder.lay("Car_Park", ground(lot, WALK_UP_M - 0.01, Material.ASPHALT, 6.0), lot.middle, (0.8, 0.8, 0.8))
    hall = box((-8.0, -15.0, -0.3), (8.0, 15.0, 5.2), Material.CLADDING, tile_m=3.0)
    front = _hall_front()
    place = (lot.north - 9.0, lot.west + 17.0)
    builder.stand("Pavilion", hall, place, SOUTH, mixed(WALLS, rng))
    builder.stand("Shop_Front", front, place, SOUTH)
    builder.stand("Flat_Roof", pavilion_roof(17.5, 31.5, 5.2), place, SOUTH, mixed(city_colours.FELTS, rng))
    flats = random_building(rng, 13.0, 16.0, 6, (STREET, STREET, STREET, STREET), styles=("brick", "plaster"))
    builder.building(flats, (lot.north - 9.0, lot.east - 8.0), EAST)
    _parking_rows(builder, lot)
    _wire(builder, lot, (SOUTH, EAST))
    for k in range(5):
        builder.hedge((lot.south + 1.2, lot.west + 4.5 + 9.0 * k), EAST, 8.0, 0.8)
    builder.stand(
        "Road_Sign",
        city_signals.square_sign(city_furniture.SIGN_BLUE),
        (north - 1.0, lot.west + 0.8),
        WEST,
        (0.5, 0.5, 0.5),
    )


def _hall_front() -> Mesh:
    """Windows and a name on the front of the hall."""
    windows = [
        quad(
            (8.02, y, 0.3),
            (8.02, y + 2.6, 0.3),
            (8.02, y + 2.6, 3.0),
            (8.02, y, 3.0),
            material=Material.SHOP_WINDOW,
            uv_scale=0.094,
        )
        for y in np.arange(-13.0, 11.0, 2.9)
    ]
    board = city_furniture.lettered((8.25, -5.0, 3.3), (8.25, 5.0, 5.6), 1, 5)
    backing = box((7.9, -5.2, 3.2), (8.24, 5.2, 5.7), Material.METAL, bottom=True)
    canopy = box((8.0, -13.5, 3.05), (10.0, 13.5, 3.2), Material.METAL, bottom=True)
    return joined([*windows, board, backing, canopy])


def _parking_rows(builder: CityBuilder, lot: Rectangle) -> None:
    """Three rows of bays, two thirds of them taken."""
    rng = builder.rng
    start, bay, deep = lot.west + 4.0, 2.6, 4.8
    count = int((lot.size[1] - 8.0) / bay)
    for low in (lot.south + 2.0, lot.south + 13.0, lot.south + 17.9):
        y_east, y_west = -(start + count * bay), -start
        lines = [(low, y, low + deep, y + 0.1) for y in np.arange(y_east, y_west + 0.01, bay)]
        paint = city_streets.flat_rectangles(np.array(lines), WALK_UP_M + 0.005, Material.MARKING, 5.0)
        builder.lay("Car_Park", paint, (low, start))
        for k in range(count):
            if rng.random() < 0.6:
                place = (low + deep / 2 + float(rng.uniform(-0.2, 0.2)), start + (k + 0.5) * bay)
                yaw = (NORTH if rng.random() < 0.5 else SOUTH) + float(rng.uniform(-0.04, 0.04))
                if rng.random() < 0.12:
                    builder.stand("Parked_Van", city_vehicles.van(), place, yaw, mixed(city_colours.VANS, rng))
                else:
                    car, tint = builder.car()
                    builder.stand("Parked_Car", car, place, yaw, tint)
