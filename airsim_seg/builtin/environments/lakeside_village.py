"""Where the houses of Lakeside stand, and what belongs to each: walls, hedges, trees, flowers, a car."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments import colours, cottages, trees, vehicles, walls, wild_plants, yards
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.cottages import STONES, WOODS, Style
from airsim_seg.builtin.environments.houses import House
from airsim_seg.builtin.environments.lakeside_land import Plan
from airsim_seg.builtin.environments.meshes import joined, moved
from airsim_seg.builtin.environments.roads import Pad, Road
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

FLOWERS: tuple[colours.Tint, ...] = (
    (1.3, 0.10, 0.25), (1.3, 0.75, 0.10), (0.9, 0.25, 1.4), (1.3, 0.35, 0.10), (1.4, 1.0, 1.6), (0.35, 0.30, 1.6),
)  # fmt: skip
CHURCH_PAD_M = (9.0, 19.0)


@dataclass(frozen=True)
class Plot:
    """A house and its garden. Its frame: x towards the road, y left, origin under the house.

    Attributes:
        x, y: where, on the map.
        turn_rad: of its x axis, counter-clockwise from north.
        to_road_m: from the origin to the edge of the road.
        house: its sizes.
        style: what it is built of.
        kind: "stone" or "wood".
    """

    x: float
    y: float
    turn_rad: float
    to_road_m: float
    house: House
    style: Style
    kind: str

    def place(self, ahead_m: float, left_m: float) -> tuple[float, float]:
        """A point of the plot on the map."""
        cos, sin = float(np.cos(self.turn_rad)), float(np.sin(self.turn_rad))
        return self.x + cos * ahead_m - sin * left_m, self.y + sin * ahead_m + cos * left_m

    def line(self, start: tuple[float, float], end: tuple[float, float], step_m: float) -> Float64Array:
        """float64 [K,2], on the map: points from one point of the plot to another."""
        a, b = np.array(self.place(*start)), np.array(self.place(*end))
        count = max(2, round(float(np.linalg.norm(b - a)) / step_m) + 1)
        return np.asarray(a + (b - a) * np.linspace(0, 1, count)[:, None], np.float64)


def choose_plots(plan: Plan, church: Pad, rng: np.random.Generator) -> list[Plot]:
    """Plots along the roads, apart from one another, from the church and from every other road."""
    found: list[Plot] = []
    rows = (
        (plan.main, -1.0, 8.6),
        (plan.back, 1.0, 9.4),
        (plan.back, -1.0, 9.4),
        (plan.lane, 1.0, 7.6),
        (plan.lane, -1.0, 7.6),
    )
    for road, side, off_m in rows:
        along = rng.uniform(6, 14)
        while along < road.course.length_m - 8:
            plot = _plot(road, side, float(along), off_m + rng.uniform(-0.5, 1.8), rng)
            if _fits(plot, road, plan, church, found):
                found.append(plot)
                along += rng.uniform(15.5, 19.5)
            else:
                along += 3.0
    return found


def _plot(road: Road, side: float, along_m: float, off_m: float, rng: np.random.Generator) -> Plot:
    x, y, turn = road.course.at(along_m, side * (road.half_m + off_m))
    storeys = 2 if rng.random() < 0.55 else 1
    house = cottages.random_house(rng, storeys=storeys)
    base = (cottages.STONE, cottages.PLASTERED, cottages.CHALET, cottages.BOARDED)[
        int(rng.choice(4, p=(0.3, 0.25, 0.28, 0.17)))
    ]
    kind = "stone" if base in (cottages.STONE, cottages.PLASTERED) else "wood"
    heading = turn - side * np.pi / 2 + rng.normal(0, 0.05)
    return Plot(x, y, float(heading), off_m, house, cottages.random_style(rng, base, house), kind)


def _fits(plot: Plot, own: Road, plan: Plan, church: Pad, others: list[Plot]) -> bool:
    if max(abs(plot.x), abs(plot.y)) > 165:
        return False
    at = np.array(plot.x), np.array(plot.y)
    if church.outside_m(*at) < 9.0 or plan.shore.inland_at(plot.x, plot.y) < 20.0:
        return False
    clear = all(road.course.distance_m(plot.x, plot.y) > road.half_m + 8.5 for road in plan.roads if road is not own)
    return clear and all(np.hypot(plot.x - o.x, plot.y - o.y) > 15.0 for o in others)


def pad_of(plot: Plot, plan: Plan) -> Pad:
    """The level ground that its house stands on."""
    up = plan.shore.up_at(plot.x, plot.y)
    return Pad(plot.x, plot.y, plot.turn_rad, plot.house.deep_m / 2 + 1.5, plot.house.wide_m / 2 + 1.5, up)


def build_plot(site: Site, plot: Plot, rng: np.random.Generator) -> None:
    """Add a house and everything in its garden."""
    _add_house(site, plot, rng)
    _add_front(site, plot, rng)
    _add_side(site, plot, rng)
    _add_plants(site, plot, rng)


def _add_house(site: Site, plot: Plot, rng: np.random.Generator) -> None:
    at, house, style = (plot.x, plot.y, plot.turn_rad), plot.house, plot.style
    name = "Stone_House" if plot.kind == "stone" else "Wooden_House"
    site.put(name, cottages.walls(house, style), *at, tint=cottages.wall_tint(style, rng))
    site.put("Roof", cottages.roof(house, style), *at, tint=mixed(colours.ROOFS, rng))
    if rng.random() < 0.8:
        chimney = cottages.chimney(house, rng.uniform(-0.3, 0.3) * house.wide_m)
        site.put("Chimney", chimney, *at, tint=mixed(STONES, rng))
    if style.shutters:
        site.put("Shutters", cottages.shutters(house), *at, tint=mixed(colours.SHUTTERS, rng))
    if style.balcony:
        site.put("Balcony", cottages.balcony(house), *at, tint=mixed(WOODS, rng))


def _add_front(site: Site, plot: Plot, rng: np.random.Generator) -> None:
    """What stands between garden and road, with a gap for the path."""
    x, half = plot.to_road_m - 1.5, plot.house.wide_m / 2 + 2.4
    ground, kind = site.land.near, rng.random()
    lines = [plot.line((x, low), (x, high), 2.4) for low, high in ((-half, -0.9), (0.9, half))]
    paths = [walls.on_ground(ground, line) for line in lines]
    at = paths[0][0]
    if kind < 0.4:
        meshes = [walls.stone_wall(path, rng, height_m=rng.uniform(0.7, 1.1)) for path in paths]
        site.add("Stone_Wall", meshes, at, tint=mixed(STONES, rng))
    elif kind < 0.65:
        site.add("Fence", [walls.picket_fence(path) for path in paths], at, tint=mixed(colours.FENCES, rng))
    elif kind < 0.9:
        meshes = [walls.hedgerow(p, rng, height_m=rng.uniform(0.9, 1.4), wide_m=0.9, density=3.6) for p in paths]
        site.add("Hedge", meshes, at, tint=mixed(colours.HEDGES, rng, 0.3))
    path = yards.terrace(plot.to_road_m - plot.house.deep_m / 2 - 1.2, 1.3, 0.05)
    middle = (plot.to_road_m + plot.house.deep_m / 2 - 0.2) / 2
    slab = walls.draped(moved(path, (*plot.place(middle, 0.0), 0.0), plot.turn_rad), ground)
    site.add("Garden_Path", [slab], site.point_m(*plot.place(middle, 0.0)), tint=mixed(colours.PAVING, rng))


def _add_side(site: Site, plot: Plot, rng: np.random.Generator) -> None:
    """The boundary on one side, and a car or a drive on the other."""
    side = float(rng.choice((-1.0, 1.0)))
    edge, back = side * (plot.house.wide_m / 2 + 2.6), -plot.house.deep_m / 2 - rng.uniform(3, 7)
    path = walls.on_ground(site.land.near, plot.line((plot.to_road_m - 2.0, edge), (back, edge), 2.4))
    kind = rng.random()
    if kind < 0.3:
        site.add("Stone_Wall", [walls.stone_wall(path, rng)], path[0], tint=mixed(STONES, rng))
    elif kind < 0.6:
        fence = walls.rail_fence(path)
        site.add("Fence", [fence], path[0], tint=mixed(colours.FENCES, rng))
    elif kind < 0.85:
        hedge = walls.hedgerow(path, rng, height_m=rng.uniform(1.1, 1.8), wide_m=1.0, density=3.2)
        site.add("Hedge", [hedge], path[0], tint=mixed(colours.HEDGES, rng, 0.3))
    if rng.random() < 0.45:
        x, y = plot.place(plot.to_road_m - 3.6, -side * (plot.house.wide_m / 2 + 0.2))
        turn = plot.turn_rad + (np.pi if rng.random() < 0.6 else 0.0) + rng.normal(0, 0.05)
        site.put("Car", vehicles.car(rng), x, y, turn, tint=mixed(colours.CARS, rng), up_m=0.03)


def _add_plants(site: Site, plot: Plot, rng: np.random.Generator) -> None:
    """A tree or two behind and beside the house, bushes, flowers along its front."""
    deep, wide = plot.house.deep_m / 2, plot.house.wide_m / 2
    for ahead, left in (
        (-deep - 4.5, rng.uniform(-wide, wide)),
        (rng.uniform(-deep, deep), rng.choice((-1, 1)) * (wide + 4.5)),
    ):
        if rng.random() < 0.75:
            add_tree(site, *plot.place(ahead, left), rng)
    for side in (-1.0, 1.0):
        if rng.random() < 0.7:
            beds = [
                moved(wild_plants.bush(rng, radius_m=0.45, height_m=0.55, count=14, card_m=0.35),
                      (0.0, side * left, 0.0)) for left in np.arange(1.4, wide, 0.75)
            ]  # fmt: skip
            at = plot.place(deep + 0.6, 0.0)
            if beds:
                site.put("Flower_Bed", joined(beds), *at, plot.turn_rad, tint=varied(mixed(FLOWERS, rng), rng, 0.2))
    for _ in range(int(rng.integers(0, 3))):
        at = plot.place(
            rng.uniform(-deep - 5, plot.to_road_m - 2.5), rng.choice((-1, 1)) * (wide + rng.uniform(1.2, 2.2))
        )
        mesh = wild_plants.bush(rng, radius_m=rng.uniform(0.6, 1.1), height_m=rng.uniform(0.8, 1.5), count=50)
        site.plant("Bush", mesh, *at, 0.0, mixed(colours.HEDGES, rng, 0.3))


def add_tree(site: Site, x: float, y: float, rng: np.random.Generator) -> None:
    """Plant one tree of a kind and size that is usual in gardens by a lake."""
    kind = str(rng.choice(("Oak", "Birch", "Pine"), p=(0.4, 0.36, 0.24)))
    if kind == "Oak":
        mesh = trees.broadleaf(rng, height_m=rng.uniform(8, 12), spread_m=rng.uniform(3, 4.5), count=280, card_m=1.3)
        tint = mixed(colours.TREES, rng, 0.35)
    elif kind == "Birch":
        mesh = trees.broadleaf(
            rng, height_m=rng.uniform(9, 14), spread_m=rng.uniform(2.2, 3.2), count=210, card_m=1.05,
            bark=Material.BIRCH_BARK, lobes=13,
        )  # fmt: skip
        tint = mixed(colours.BIRCHES, rng, 0.3)
    else:
        mesh = wild_plants.pine(rng, height_m=rng.uniform(11, 16), spread_m=rng.uniform(3, 4), count=220)
        tint = mixed(colours.FIRS, rng, 0.3)
    site.plant(kind, mesh, x, y, float(rng.uniform(0, 6)), tint)
