"""The farms of Country: a yard with a house, a barn, sheds, a silo, and what stands about."""

import numpy as np

from airsim_seg.builtin.environments import animals, colours, cottages, farms, vehicles, walls, wild_plants, yards
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.cottages import STONES, WOODS
from airsim_seg.builtin.environments.country_fields import add_orchard, add_tree
from airsim_seg.builtin.environments.country_land import Plan
from airsim_seg.builtin.environments.country_places import YARD_HALF_M
from airsim_seg.builtin.environments.courses import loop
from airsim_seg.builtin.environments.meshes import joined, moved
from airsim_seg.builtin.environments.roads import Pad, Road
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

YARD_UP_M = 0.045
_LONG_M, _WIDE_M = YARD_HALF_M
_BARNS: tuple[colours.Tint, ...] = (*WOODS, (1.1, 0.32, 0.22))
_HAY: colours.Tint = (0.95, 0.92, 0.85)
TRACTORS: tuple[colours.Tint, ...] = ((0.02, 0.22, 0.05), (0.55, 0.03, 0.02), (0.03, 0.12, 0.42), (0.70, 0.30, 0.02))


class Farm:
    """One farm. Its frame: x along the road, y away from the road, origin in the middle of the yard."""

    def __init__(self, plan: Plan, yard: Pad, track: Road) -> None:
        """Find out on which side of the yard the road is."""
        self.yard = yard
        road_x, road_y, _ = track.course.at(0.0)
        left = np.cos(yard.turn_rad) * (road_y - yard.y) - np.sin(yard.turn_rad) * (road_x - yard.x)
        self._away = -1.0 if left > 0 else 1.0
        self.plan = plan

    def place(self, along_m: float, away_m: float) -> tuple[float, float]:
        """A point of the farm on the map."""
        cos, sin, left = float(np.cos(self.yard.turn_rad)), float(np.sin(self.yard.turn_rad)), self._away * away_m
        return self.yard.x + cos * along_m - sin * left, self.yard.y + sin * along_m + cos * left

    def turn(self, along: float, away: float) -> float:
        """Direction on the map of one in the farm's frame, radians counter-clockwise from north."""
        (ox, oy), (x, y) = self.place(0.0, 0.0), self.place(along, away)
        return float(np.arctan2(y - oy, x - ox))

    def line(self, start: tuple[float, float], end: tuple[float, float], step_m: float = 2.5) -> Float64Array:
        """float64 [K,2], on the map: points from one place to another."""
        a, b = np.array(self.place(*start)), np.array(self.place(*end))
        count = max(2, round(float(np.linalg.norm(b - a)) / step_m) + 1)
        return np.asarray(a + (b - a) * np.linspace(0, 1, count)[:, None], np.float64)


def add_farm(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    """Add everything of one farm."""
    x, y = farm.plan.lattice.nodes_m
    paved = Material.GRAVEL if rng.random() < 0.6 else Material.COBBLES
    yard = site.land.near.mesh(paved, 1.0 - farm.yard.outside_m(x, y), up_m=YARD_UP_M, tile_m=4.0)
    site.add("Farmyard", [yard], site.point_m(farm.yard.x, farm.yard.y), tint=mixed(colours.PAVING, rng))
    _add_house(site, farm, rng)
    _add_barn(site, farm, rng)
    _add_silo_and_shed(site, farm, rng)
    _add_machines(site, farm, rng)
    _add_surroundings(site, farm, rng)


def _add_house(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    base = (cottages.STONE, cottages.PLASTERED, cottages.PLASTERED)[int(rng.integers(3))]
    house = cottages.random_house(rng, storeys=2)
    style = cottages.random_style(rng, base, house)
    at = (*farm.place(-12.5, 2.0), farm.turn(1.0, 0.0))
    site.put("Farmhouse", cottages.walls(house, style), *at, tint=cottages.wall_tint(style, rng))
    site.put("Roof", cottages.roof(house, style), *at, tint=mixed(colours.ROOFS, rng))
    site.put("Chimney", cottages.chimney(house, rng.uniform(-0.3, 0.3) * house.wide_m), *at, tint=mixed(STONES, rng))
    if style.shutters:
        site.put("Shutters", cottages.shutters(house), *at, tint=mixed(colours.SHUTTERS, rng))
    beds = []
    for y in np.arange(1.6, house.wide_m / 2, 0.9):
        bush = wild_plants.bush(rng, radius_m=0.5, height_m=0.7, count=16, card_m=0.4)
        beds.append(moved(bush, (house.deep_m / 2 + 0.7, float(y), 0.0)))
    if beds:
        site.put("Bush", joined(beds), *at, tint=mixed(colours.HEDGES, rng, 0.3))


def _add_barn(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    deep, long, wall = rng.uniform(9, 11.5), rng.uniform(16, 21), rng.uniform(4.2, 5.4)
    rise = deep * rng.uniform(0.36, 0.5)
    at = (*farm.place(5.0, _WIDE_M - deep / 2 + 2.0), farm.turn(0.0, -1.0))
    site.put("Barn", farms.barn_walls(deep, long, wall, rise), *at, tint=mixed(_BARNS, rng))
    material = Material.RIBBED if rng.random() < 0.5 else Material.SHINGLES
    site.put("Roof", farms.barn_roof(deep, long, wall, rise, material), *at, tint=mixed(colours.ROOFS, rng))


def _add_silo_and_shed(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    for k in range(int(rng.integers(1, 3))):
        place = farm.place(_LONG_M + 1.8, 10.0 - 5.2 * k)
        tint = varied((0.85, 0.88, 0.9) if rng.random() < 0.6 else (0.35, 0.5, 0.4), rng, 0.15)
        site.put("Silo", farms.silo(), *place, farm.turn(-1.0, 0.0), tint=tint)
        site.put("Silo_Dome", farms.silo_roof(), *place, tint=varied((0.75, 0.78, 0.8), rng, 0.2))
    body, lid = cottages.shed(rng.uniform(7, 10), rng.uniform(4.5, 6), rng.uniform(2.6, 3.2), Material.WOOD)
    at = (*farm.place(_LONG_M - 2.5, -6.5), farm.turn(-1.0, 0.0))
    site.put("Shed", body, *at, tint=mixed(_BARNS, rng))
    site.put("Roof", lid, *at, tint=mixed(colours.ROOFS, rng))


def _add_machines(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    """Tractor and trailer in the yard, a car by the house, bales, a trough, a dog that runs about."""
    turn = farm.turn(1.0, 0.0)
    place = farm.place(rng.uniform(1, 4), rng.uniform(-3, 0))
    heading = turn + rng.uniform(-0.35, 0.35)
    site.put("Tractor", farms.tractor(), *place, heading, tint=mixed(TRACTORS, rng, 0.1), up_m=YARD_UP_M)
    behind = place[0] - 4.6 * np.cos(heading), place[1] - 4.6 * np.sin(heading)
    site.put("Trailer", farms.trailer(), *behind, heading, tint=mixed(colours.CARS, rng), up_m=YARD_UP_M)
    if rng.random() < 0.6:
        site.put("Hay_Bale", farms.hay_load(), *behind, heading, tint=_HAY, up_m=YARD_UP_M)
    car = farm.place(-6.0 + rng.uniform(-1, 1), -9.0 + rng.uniform(-1, 1))
    site.put(
        "Car", vehicles.car(rng), *car, turn + rng.uniform(-0.3, 0.3), tint=mixed(colours.CARS, rng), up_m=YARD_UP_M
    )
    for k in range(5):
        spot = farm.place(-4.0 + 1.65 * (k % 3), _WIDE_M + 1.0 + 1.4 * (k // 3))
        site.put("Hay_Bale", walls.hay_bale(), *spot, turn + np.pi / 2, tint=varied(_HAY, rng, 0.2))
    site.put("Trough", farms.trough(), *farm.place(9.0, -11.0), turn, tint=mixed(STONES, rng))
    ring = np.array([farm.place(*spot) for spot in ((-3, -7), (6, -8), (9, -6.5), (8, -5), (0, -5.8))])
    way = site.way_m(loop(ring, rounds=2, step_m=1.0), YARD_UP_M)
    site.send(
        "Dog", animals.dog(), way, rng.uniform(1.2, 2.5), float(rng.random()), tint=mixed(colours.BOARD_FENCES, rng)
    )


def _add_surroundings(site: Site, farm: Farm, rng: np.random.Generator) -> None:
    """Trees behind, a wall or fence towards the road with a gate, an orchard to one side."""
    for along, away in (
        (-_LONG_M - 3, _WIDE_M + 3),
        (-6.0, _WIDE_M + 5),
        (_LONG_M + 6, -_WIDE_M + 3),
        (-_LONG_M - 4, -8.0),
    ):
        x, y = farm.place(along + rng.uniform(-2, 2), away + rng.uniform(-1, 2))
        if rng.random() < 0.75 and farm.plan.free_m(x, y) > -2.0:
            add_tree(site, x, y, rng, "Poplar" if rng.random() < 0.3 else None)
    stone = rng.random() < 0.5
    for low, high in ((-_LONG_M - 1.5, -4.5), (4.5, _LONG_M + 1.5)):
        path = walls.on_ground(site.land.near, farm.line((low, -_WIDE_M - 2.0), (high, -_WIDE_M - 2.0)))
        if stone:
            site.add("Dry_Stone_Wall", [walls.stone_wall(path, rng)], path[0], tint=mixed(STONES, rng))
        else:
            fence = walls.rail_fence(path, height_m=1.25)
            site.add("Fence", [fence], path[0], tint=mixed(colours.BOARD_FENCES, rng))
    gate = farm.place(6.0, -_WIDE_M - 2.6)
    site.put("Gate", walls.gate(3.4), *gate, farm.turn(0.6, -1.0), tint=mixed(colours.BOARD_FENCES, rng))
    orchard = farm.place(-_LONG_M - 17.0, 2.0)
    add_orchard(site, farm.plan, *orchard, farm.yard.turn_rad, rng)
    for _ in range(3):
        spot = farm.place(rng.uniform(-_LONG_M, _LONG_M), _WIDE_M + rng.uniform(4, 8))
        site.put("Rock", yards.rock(rng, rng.uniform(0.3, 0.7)), *spot, tint=mixed(colours.ROCKS, rng))


def add_cottage(site: Site, plan: Plan, garden: Pad, rng: np.random.Generator) -> None:
    """A house beside the road with a wall or hedge before it, a shed, a tree, a car."""
    nearest = min(plan.roads, key=lambda road: road.course.distance_m(garden.x, garden.y)).course
    towards = nearest.points_m[nearest.nearest(garden.x, garden.y)] - (garden.x, garden.y)
    turn, off = float(np.arctan2(towards[1], towards[0])), float(np.linalg.norm(towards)) - plan.main.half_m
    cos, sin = np.cos(turn), np.sin(turn)

    def place(ahead_m: float, left_m: float) -> tuple[float, float]:
        return float(garden.x + cos * ahead_m - sin * left_m), float(garden.y + sin * ahead_m + cos * left_m)

    base = (cottages.STONE, cottages.PLASTERED, cottages.BOARDED)[int(rng.integers(3))]
    house = cottages.random_house(rng, storeys=int(rng.integers(1, 3)))
    style = cottages.random_style(rng, base, house)
    at = (garden.x, garden.y, turn)
    site.put("Farmhouse", cottages.walls(house, style), *at, tint=cottages.wall_tint(style, rng))
    site.put("Roof", cottages.roof(house, style), *at, tint=mixed(colours.ROOFS, rng))
    site.put("Chimney", cottages.chimney(house, rng.uniform(-0.3, 0.3) * house.wide_m), *at, tint=mixed(STONES, rng))
    site.put("Shutters", cottages.shutters(house), *at, tint=mixed(colours.SHUTTERS, rng))
    kind = int(rng.integers(3))
    for low, high in ((-8.5, -1.0), (1.0, 8.5)):
        stops = np.linspace(low, high, 4)
        path = walls.on_ground(site.land.near, np.array([place(off - 4.4, float(left)) for left in stops]))
        if kind == 0:
            site.add("Dry_Stone_Wall", [walls.stone_wall(path, rng, height_m=0.9)], path[0], tint=mixed(STONES, rng))
        elif kind == 1:
            site.add("Fence", [walls.picket_fence(path)], path[0], tint=mixed(colours.FENCES, rng))
        else:
            hedge = walls.hedgerow(path, rng, height_m=1.2, wide_m=0.9, density=3.5, leaf_m=0.6)
            site.add("Hedgerow", [hedge], path[0], tint=mixed(colours.HEDGES, rng, 0.3))
    side = float(rng.choice((-1.0, 1.0)))
    body, lid = cottages.shed(4.0, 3.0, 2.2, Material.WOOD)
    site.put("Shed", body, *place(-7.5, 3.0 * side), turn, tint=mixed(_BARNS, rng))
    site.put("Roof", lid, *place(-7.5, 3.0 * side), turn, tint=mixed(colours.ROOFS, rng))
    if rng.random() < 0.6:
        car = place(2.5, side * (house.wide_m / 2 + 1.7))
        site.put("Car", vehicles.car(rng), *car, turn, tint=mixed(colours.CARS, rng))
    add_tree(site, *place(-6.5, -6.0 * side), rng, None if rng.random() < 0.5 else "Apple_Tree")
