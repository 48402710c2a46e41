"""Behind the village of Lakeside: lawns and meadows, fences and flocks, the woods and the far hills."""

import numpy as np

from airsim_seg.builtin.environments import colours, walls
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.lakeside_land import HALF_M, Plan
from airsim_seg.builtin.environments.lakeside_village import Plot, add_tree
from airsim_seg.builtin.environments.meshes import placed
from airsim_seg.builtin.environments.outdoors import add_bush, add_meadows, add_rock, add_sheep
from airsim_seg.builtin.environments.roads import Pad
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.environments.woods import canopy, planted, scattered, tree_shapes
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_THINGS, _EDGE_TREES, _WOOD_FIRS = 70, 130, 35
_ORIGIN, _FAR = (0.0, 0.0, 0.0), (0.0, -500.0, 0.0)
_WOOD_TINT = (0.09, 0.12, 0.085)
_BED_M = 2.7  # nobody sees deeper into the lake


def add_ground(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Lawns in the village, meadows around it, hills with woods on them."""
    near, far = site.land.near, site.land.far
    x, y = near.lattice.nodes_m
    lawn = 105.3 - np.maximum(np.abs(x), 45.0 - y)  # 0 at no node: that would be on no side
    above = near.heights_m + _BED_M
    lawns = [near.mesh(Material.GRASS, lawn, above)]
    site.add("Landscape", lawns, _ORIGIN, tint=varied((1.0, 1.0, 1.0), rng, 0.1))
    add_meadows(site, rng, -lawn, above)
    slopes = [far.mesh(Material.MEADOW, chosen=far.lattice.touching(far.heights_m > -_BED_M))]
    site.add("Landscape", slopes, _FAR, tint=(0.85, 0.92, 0.85))
    fx, fy = far.lattice.nodes_m
    distance, (a, b) = np.maximum(np.abs(fx), np.abs(fy)), rng.uniform(0, 6, 2)
    wooded = np.sin(fx / 130 + a) + np.sin(fy / 150 + b) + 0.02 * far.heights_m + 0.5
    # What is not 400 m away must be whole triangles of the lattice: see far_lattice.
    behind = (distance < 420) & (plan.shore.inland_m(fx, fy) > 190.0)
    woods = [
        far.mesh(Material.THICKET, wooded, far.heights_m - 3.0, distance - 400.0, up_m=2.0, tile_m=16.0),
        far.mesh(Material.THICKET, chosen=far.lattice.touching(behind), up_m=9.0, tile_m=16.0),
    ]
    site.add("Far_Woods", woods, _FAR, tint=(0.32, 0.34, 0.26))


def add_meadow_things(site: Site, plan: Plan, plots: list[Plot], yard: Pad, rng: np.random.Generator) -> None:
    """Fences up the slope; bushes, rocks, single trees and sheep."""
    for north in np.arange(-150.0, 151.0, 43.0):
        west = plan.shore.west_at(float(north))
        if plan.track.course.distance_m(float(north), west - 115) > 14:
            up_hill = np.linspace(west - 97, west - 128, 12)
            places = np.stack([north + 2.0 * np.sin(up_hill / 9), up_hill], 1)
            path = walls.on_ground(site.land.near, places)
            site.add("Fence", [walls.rail_fence(path)], path[0], tint=mixed(colours.FENCES, rng))
    houses = np.array([(plot.x, plot.y) for plot in plots])

    def free(x: float, y: float) -> bool:
        beside = min(road.course.distance_m(x, y) - road.half_m for road in plan.roads)
        apart = float(np.hypot(*(houses - (x, y)).T).min())
        from_yard = float(yard.outside_m(np.array(x), np.array(y)))
        return 20 < plan.shore.inland_at(x, y) < 125 and beside > 3.5 and apart > 10 and from_yard > 2

    for x, y in scattered(rng, _THINGS, 178.0, 5.0, free):
        kind = rng.random()
        if kind < 0.14 and plan.shore.inland_at(x, y) > 88:
            for off_x, off_y in rng.normal(0, 3.0, (int(rng.integers(3, 6)), 2)):
                add_sheep(site, x + float(off_x), y + float(off_y), rng)
        elif kind < 0.22:
            add_rock(site, x, y, rng.uniform(0.4, 1.3), rng)
        elif kind < 0.5:
            add_bush(site, x, y, rng)
        else:
            add_tree(site, x, y, rng)


def _inside_m(plan: Plan, x: Float64Array, y: Float64Array) -> Float64Array:
    """Distance of places inside the edge of the woods, about; negative outside."""
    clearing = np.maximum(0.0, 26.0 - np.hypot(x + 70.0, y + 135.0))
    inside = plan.shore.inland_m(x, y) - 142 - 9 * np.sin(x / 19 + 1.0) - 5 * np.sin(x / 7.3) - clearing
    return np.asarray(inside, np.float64)


def add_woods(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """The one object of all painted foliage: the roof of the woods, firs above it, trees along their edge."""
    near = site.land.near
    x, y = near.lattice.nodes_m
    roof = canopy(near, np.minimum(_inside_m(plan, x, y), np.abs(plan.track.left_m) - 6.0), rng)

    def inside_m(x: float, y: float) -> float:
        return float(_inside_m(plan, np.array(x), np.array(y)))

    def at_the_edge(x: float, y: float) -> bool:
        """Of the woods, or of the map."""
        at_end = abs(x) > 172 and plan.shore.inland_at(x, y) > 40
        clear = plan.track.course.distance_m(x, y) > 5 and plan.main.course.distance_m(x, y) > 9
        return clear and (-7 < inside_m(x, y) < 6 or (at_end and inside_m(x, y) < 0))

    def within(x: float, y: float) -> bool:
        return inside_m(x, y) > 9 and plan.track.course.distance_m(x, y) > 9

    edge = scattered(rng, _EDGE_TREES, HALF_M - 4, 4.5, at_the_edge)
    firs = scattered(rng, _WOOD_FIRS, HALF_M - 4, 8.0, within)
    plants = planted(site, tree_shapes(rng, 0.4), edge, rng) + planted(site, tree_shapes(rng, 1.0), firs, rng)
    site.add_foliage("InstancedFoliageActor", [*plants, placed(roof, _ORIGIN)], _WOOD_TINT)
