"""One lot: a house with what belongs to it. Its frame: x towards the street, y left, origin under the house."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments import colours, houses, streets, trees, vehicles, yards
from airsim_seg.builtin.environments.colours import Tint, mixed, varied
from airsim_seg.builtin.environments.meshes import Mesh, joined, moved, placed
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.rendering.materials import Material

WIDE_M = 21.0
TO_STREET_M = 18.8  # from the house's middle to the middle of the road
TO_BACK_M = 18.7
_FRONT_LINE_M = TO_STREET_M - streets.STRIP_HALF_M - 0.3
_GARAGE_Y_M, _GARAGE_WIDE_M, _GARAGE_DEEP_M = 7.7, 4.4, 6.0
_BACK_GARDEN_M = -11.3


@dataclass(frozen=True)
class Lot:
    """Where a lot lies.

    Attributes:
        north_m: of its origin.
        east_m: of its origin.
        yaw_rad: direction of its x axis, clockwise from north.
        mirror: +1 or -1: the garage is on the left or on the right.
        owns_back: it builds the fence at its far end (else the neighbour behind does).
    """

    north_m: float
    east_m: float
    yaw_rad: float
    mirror: float
    owns_back: bool

    def position_m(self, x: float, y: float) -> tuple[float, float, float]:
        """World NED of a point of the lot; y is mirrored with it."""
        y *= self.mirror
        cos, sin = np.cos(self.yaw_rad), np.sin(self.yaw_rad)
        return float(self.north_m + cos * x + sin * y), float(self.east_m + sin * x - cos * y), 0.0

    def put(self, mesh: Mesh, x: float, y: float, turn_rad: float = 0.0) -> Mesh:
        """A mesh at a point of the lot, turned counter-clockwise, in NED."""
        return placed(moved(mesh, (0.0, 0.0, 0.0), turn_rad), self.position_m(x, y), self.yaw_rad)


def build_lot(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> None:
    """Add a house, its drive, its gardens and what stands in them."""
    house = houses.random_house(rng)
    _add_house(builder, lot, house, rng)
    drive_from_m = _add_drive(builder, lot, rng)
    _add_front(builder, lot, house, drive_from_m, rng)
    _add_sides(builder, lot, rng)
    _add_back(builder, lot, rng)


def build_pool_garden(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> None:
    """An open garden by the street instead of a house: a large pool, lawn, a low fence, trees behind."""
    x = 4.5
    surround = lot.put(yards.terrace(17.0, 11.5), x, 0.0, np.pi / 2)
    builder.add("Garden_Pavers", lot.position_m(x, 0.0), [surround], mixed(colours.PAVING, rng))
    pool = lot.put(yards.pool(14.0, 8.0), x, 0.0, np.pi / 2)
    builder.add("Sunken_Pool", lot.position_m(x, 0.0), [pool], mixed(colours.WATERS, rng))
    fence = lot.put(yards.picket_fence((0, -9.5, 0), (0, 9.5, 0), 1.0), _FRONT_LINE_M, 0.0)
    builder.add("Fence", lot.position_m(_FRONT_LINE_M, 0.0), [fence], mixed(colours.FENCES, rng))
    for y in (-3.0, 3.0):
        builder.add("Bench", lot.position_m(-3.2, y), [lot.put(yards.bench(), -3.2, y)])
    for y in (-9.6, 9.6):
        _add_hedge(builder, lot, 0.0, y, 17.0, 0.0, rng)
    for y in (-6.5, 5.5):
        add_tree(builder, lot, -9.0, y, rng)


def _add_house(builder: SceneBuilder, lot: Lot, house: houses.House, rng: np.random.Generator) -> None:
    y = -2.6
    at = lot.position_m(0.0, y)
    wall_tint, roof_tint = _house_tints(house, rng)
    builder.add("Small_House", at, [lot.put(houses.walls(house), 0.0, y)], varied(wall_tint, rng, 0.1))
    # The bungalows of AirSimNH are one mesh with their roofs; its taller houses have roofs of their own.
    cover = "Small_House" if house.storeys == 1 else "Roof"
    builder.add(cover, at, [lot.put(houses.roof(house), 0.0, y)], varied(roof_tint, rng, 0.15))
    if rng.random() < 0.6:
        builder.add("Chimney", at, [lot.put(houses.chimney(house, rng.uniform(-2, 2)), 0.0, y)])
    if rng.random() < 0.55:
        builder.add("Shutters", at, [lot.put(houses.shutters(house), 0.0, y)], mixed(colours.SHUTTERS, rng))
    if rng.random() < 0.6:
        wide = rng.uniform(5.0, house.wide_m - 1.0)
        builder.add("Veranda", at, [lot.put(houses.veranda(house, wide), 0.0, y)], varied(roof_tint, rng, 0.1))
    at = lot.position_m(2.0, _GARAGE_Y_M)
    garage = houses.garage(_GARAGE_DEEP_M, _GARAGE_WIDE_M)
    builder.add("Garage_House", at, [lot.put(garage, 2.0, _GARAGE_Y_M)], varied(wall_tint, rng, 0.1))
    flat = houses.garage_roof(_GARAGE_DEEP_M, _GARAGE_WIDE_M)
    builder.add("Flat_Roof", at, [lot.put(flat, 2.0, _GARAGE_Y_M)], roof_tint)


def _house_tints(house: houses.House, rng: np.random.Generator) -> tuple[Tint, Tint]:
    """Of walls and roof: mostly what bungalows and taller houses of AirSimNH have, else anything."""
    walls, roofs = colours.BUNGALOW if house.storeys == 1 else colours.TALL_HOUSE
    if rng.random() < 0.3:
        walls, roofs = colours.WALLS, colours.ROOFS
    wall_tint = varied((1.0, 0.95, 0.9), rng, 0.4) if house.brick else mixed(walls, rng)
    return wall_tint, mixed(roofs, rng)


def _add_drive(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> float:
    """A drive from the garage to the street, sometimes as wide as a yard; gives the y of its inner edge."""
    length = TO_STREET_M - streets.STRIP_HALF_M - 2.0
    outer = _GARAGE_Y_M + 2.6
    inner = rng.uniform(1.2, 3.0) if rng.random() < 0.45 else rng.uniform(4.6, 5.4)
    middle, tint = (outer + inner) / 2, mixed(colours.DRIVES, rng)
    drive = lot.put(streets.driveway(length, outer - inner), 2.0, middle)
    if inner < 4.0:  # a yard begins in front of the house
        drive = lot.put(streets.driveway(length - 5.0, outer - inner), 7.0, middle)
        lane = lot.put(streets.driveway(5.0, 4.4), 2.0, _GARAGE_Y_M)
        drive = joined([drive, lane])
    builder.add("Driveway", lot.position_m(2.0, _GARAGE_Y_M), [drive], tint)
    # Where it crosses verge and pavement, it is the street's.
    across = streets.driveway(streets.STRIP_HALF_M - streets.ROAD_HALF_M, 5.0)
    x = TO_STREET_M - streets.STRIP_HALF_M
    builder.add("Road", lot.position_m(x, _GARAGE_Y_M), [lot.put(across, x, _GARAGE_Y_M)], varied(tint, rng, 0.1))
    if rng.random() < 0.65:
        x, turn = rng.uniform(5.5, 8.2), (0.0 if rng.random() < 0.5 else np.pi)
        car = lot.put(vehicles.car(rng), x, _GARAGE_Y_M, turn + rng.uniform(-0.06, 0.06))
        builder.add("Car", lot.position_m(x, _GARAGE_Y_M), [car], mixed(colours.CARS, rng))
    return inner


def _add_front(
    builder: SceneBuilder, lot: Lot, house: houses.House, drive_from_m: float, rng: np.random.Generator
) -> None:
    path = yards.terrace(_FRONT_LINE_M - house.deep_m / 2 - 1.0, 1.4, 0.06)
    middle = (_FRONT_LINE_M + house.deep_m / 2 + 1.0) / 2
    builder.add("Walkway", lot.position_m(middle, -2.6), [lot.put(path, middle, -2.6)], mixed(colours.DRIVES, rng))
    kind = rng.random()
    stretches = ((-10.2, -3.8), (-1.4, drive_from_m - 0.4))
    if kind < 0.45:
        for low, high in stretches:
            _add_hedge(builder, lot, _FRONT_LINE_M - 0.5, (low + high) / 2, high - low, np.pi / 2, rng)
    elif kind < 0.6:
        walls = [lot.put(yards.low_wall(high - low), _FRONT_LINE_M, (low + high) / 2) for low, high in stretches]
        builder.add("Low_Wall", lot.position_m(_FRONT_LINE_M, -7.0), walls, mixed(colours.ROCKS, rng))
    elif kind < 0.85:
        panels = [
            lot.put(yards.picket_fence((0, low * lot.mirror, 0), (0, high * lot.mirror, 0), 1.15), _FRONT_LINE_M, 0.0)
            for low, high in stretches
        ]
        builder.add("Fence", lot.position_m(_FRONT_LINE_M, -7.0), panels, mixed(colours.FENCES, rng))
    for y in (-8.0, 3.6):
        if y < drive_from_m and rng.random() < 0.6:
            add_tree(builder, lot, rng.uniform(8.0, 10.5), y + rng.uniform(-1, 1), rng)
    for _ in range(int(rng.integers(0, 3))):
        x, y = house.deep_m / 2 + 1.0, rng.choice((-1.0, 1.0)) * rng.uniform(3.2, 4.5) - 2.6
        plant = trees.fern(rng, radius_m=rng.uniform(0.5, 0.9), count=60)
        builder.add("Fern", lot.position_m(x, y), [lot.put(plant, x, y)], mixed(colours.HEDGES, rng, 0.3))


def _add_hedge(
    builder: SceneBuilder, lot: Lot, x: float, y: float, long_m: float, turn_rad: float, rng: np.random.Generator
) -> None:
    mesh = trees.hedge(rng, length_m=long_m, height_m=rng.uniform(1.1, 2.0), width_m=1.3, density=7.0)
    at = lot.position_m(x, y)
    builder.add("Hedge", at, [trees.with_levels(lot.put(mesh, x, y, turn_rad), at)], mixed(colours.HEDGES, rng, 0.3))


def add_tree(builder: SceneBuilder, lot: Lot, x: float, y: float, rng: np.random.Generator) -> None:
    """Plant one tree of a random kind and size at (x, y) of the lot, metres."""
    kind = rng.choice(("Tree", "Oak", "Birch", "Fir"), p=(0.42, 0.22, 0.2, 0.16))
    tint = mixed(colours.TREES, rng, 0.3)
    if kind == "Fir":
        mesh = trees.fir(rng, height_m=rng.uniform(12, 19), spread_m=rng.uniform(2.8, 4), count=620)
        tint = mixed(colours.FIRS, rng, 0.3)
    elif kind == "Oak":
        mesh = trees.broadleaf(rng, height_m=rng.uniform(14, 19), spread_m=rng.uniform(6, 8.5), count=1400, card_m=1.3)
    elif kind == "Birch":
        mesh = trees.broadleaf(
            rng, height_m=rng.uniform(11, 15), spread_m=rng.uniform(2.8, 3.8), count=420, card_m=0.8,
            bark=Material.BIRCH_BARK, lobes=14,
        )  # fmt: skip
        tint = mixed(colours.BIRCHES, rng, 0.3)
    else:
        mesh = trees.broadleaf(rng, height_m=rng.uniform(11, 15), spread_m=rng.uniform(4, 5.5), count=900, card_m=1.0)
    at = lot.position_m(x, y)
    builder.add(str(kind), at, [trees.with_levels(lot.put(mesh, x, y, rng.uniform(0, 6)), at)], tint)


def _add_sides(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> None:
    """The boundary on the side away from the garage, and at the back."""
    y = -WIDE_M / 2 + 0.1
    kind = rng.random()
    if kind < 0.3:
        fence = yards.board_fence((-TO_BACK_M, 0, 0), (2.0, 0, 0), 1.7)
        builder.add("Fence", lot.position_m(-8.0, y), [lot.put(fence, 0.0, y)], mixed(colours.FENCES, rng))
    elif kind < 0.85:
        _add_hedge(builder, lot, -4.0, y, 24.0, 0.0, rng)
    if lot.owns_back:
        fence = yards.board_fence((0, -WIDE_M / 2, 0), (0, WIDE_M / 2, 0), 1.8)
        builder.add(
            "Fence", lot.position_m(-TO_BACK_M, 0), [lot.put(fence, -TO_BACK_M, 0.0)], mixed(colours.BOARD_FENCES, rng)
        )


def _add_back(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        x, y = _BACK_GARDEN_M, rng.uniform(-3.5, 3.5)
        surround = lot.put(yards.terrace(11.5, 7.4), x, y, np.pi / 2)
        builder.add("Garden_Pavers", lot.position_m(x, y), [surround], mixed(colours.PAVING, rng))
        pool = lot.put(yards.pool(9.0, 4.6), x, y, np.pi / 2)
        builder.add("Sunken_Pool", lot.position_m(x, y), [pool], mixed(colours.WATERS, rng))
    if rng.random() < 0.4:
        x, y = rng.uniform(-14, -8), rng.choice((-8.5, 8.5))
        mesh = yards.rock(rng, rng.uniform(0.5, 1.1))
        builder.add("Rock", lot.position_m(x, y), [lot.put(mesh, x, y)], mixed(colours.ROCKS, rng))
