"""What Lakeside and Country have in common: meadows, roads, power lines, what lies and grows about."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import animals, colours, roads, roadside, wild_plants, yards
from airsim_seg.builtin.environments.colours import Tint, mixed, varied
from airsim_seg.builtin.environments.ground import Ground
from airsim_seg.builtin.environments.meshes import Mesh, moved
from airsim_seg.builtin.environments.roads import Road
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import BoolArray, Float64Array

LAMP_TINT: Tint = (0.12, 0.14, 0.13)
REED_TINT: Tint = (0.42, 0.38, 0.16)
WOOL_TINT: Tint = (0.85, 0.80, 0.68)
# From dry to lush, and where each ends on the scale of _hue.
_MEADOWS: tuple[tuple[float, float, Tint], ...] = (
    (-9.0, -0.5, (1.07, 1.0, 0.84)),
    (-0.5, 0.7, (0.97, 1.0, 0.92)),
    (0.7, 9.0, (0.86, 0.95, 0.88)),
)
_STRETCH_M = 85.0


def add_meadows(site: Site, rng: np.random.Generator, *values: Float64Array, chosen: BoolArray | None = None) -> None:
    """The near ground where all values are above 0, in three greens, so that the eye finds no pattern."""
    ground = site.land.near
    x, y = ground.lattice.nodes_m
    a, b, c = rng.uniform(0, 6, 3)
    hue = np.sin(x / 21 + a) + np.sin(y / 17 + b) + np.sin((x - y) / 31 + c)
    for low, high, tint in _MEADOWS:
        mesh = ground.mesh(Material.MEADOW, *values, hue - low, high - hue, chosen=chosen)
        site.add("Landscape", [mesh], (0.0, 0.0, 0.0), tint=varied(tint, rng, 0.1))


def add_asphalt(site: Site, all_roads: Sequence[Road], rng: np.random.Generator) -> None:
    """The roads in stretches that were laid in different years, nearly black to worn and pale, and their corners."""
    ground = site.land.near
    for k, road in enumerate(all_roads):
        count = max(1, round(road.course.length_m / _STRETCH_M))
        stops = np.linspace(-1.0, road.course.length_m + 1.0, count + 1)
        for low, high in pairwise(stops):
            within = road.along_m - low, high - road.along_m
            part = ground.mesh(Material.ASPHALT, -road.beside_m, *within, up_m=roads.ROAD_UP_M - 0.008 * k, tile_m=6.0)
            worn = rng.uniform(0.6, 1.3)
            middle = site.point_m(*road.course.at(float((low + high) / 2))[:2])
            site.add("Road", [part], middle, tint=varied((worn, worn, worn), rng, 0.06))
    corners = roads.corners(ground, all_roads, up_m=roads.ROAD_UP_M - 0.03)
    end = all_roads[1].course.at(0.0)
    site.add("Road", [corners], site.point_m(*end[:2]), tint=varied((0.9, 0.9, 0.9), rng, 0.1))


def add_power_line(site: Site, feet: Sequence[tuple[float, float, float]]) -> None:
    """Poles at (x, y, heading of the line), and wires from each to the next."""
    hooks = [roadside.hooks_m(site.point_m(x, y), turn) for x, y, turn in feet]
    for k, (x, y, turn) in enumerate(feet):
        meshes = [moved(roadside.pole(), site.point_m(x, y), turn)]
        if k + 1 < len(feet):
            meshes.append(roadside.span(hooks[k], hooks[k + 1]))
        site.add("Power_Line", meshes, site.point_m(x, y), tint=(0.6, 0.6, 0.62))


def add_rock(site: Site, x: float, y: float, radius_m: float, rng: np.random.Generator) -> None:
    """A boulder."""
    turn = float(rng.uniform(0, 2 * np.pi))
    site.put("Rock", yards.rock(rng, radius_m), x, y, turn, tint=mixed(colours.ROCKS, rng))


def add_bush(site: Site, x: float, y: float, rng: np.random.Generator) -> None:
    """A wild bush of two metres or three."""
    radius, high = rng.uniform(0.9, 1.8), rng.uniform(1.0, 2.3)
    mesh = wild_plants.bush(rng, radius_m=radius, height_m=high, count=70, card_m=0.95)
    site.plant("Bush", mesh, x, y, 0.0, mixed(colours.HEDGES, rng, 0.3))


def add_sheep(site: Site, x: float, y: float, rng: np.random.Generator) -> None:
    """A sheep that stands and looks somewhere."""
    site.put("Sheep", animals.sheep(), x, y, float(rng.uniform(0, 2 * np.pi)), tint=varied(WOOL_TINT, rng, 0.2))


def levelled(mesh: Mesh, up_m: float) -> Mesh:
    """A piece of ground made a level sheet of water, in map coordinates."""
    up = np.broadcast_to((0.0, 0.0, 1.0), mesh.normals.shape)
    return Mesh(mesh.corners * (1.0, 1.0, 0.0) + (0.0, 0.0, up_m), np.array(up), mesh.uv, mesh.materials)


def add_reeds(site: Site, ground: Ground, places_m: Float64Array, least_up_m: float, rng: np.random.Generator) -> None:
    """A bed of reeds at places float64 [N,2], rooted in the ground, but not deeper than that."""
    up = ground.up_m(places_m[:, 0], places_m[:, 1])
    feet = np.column_stack([places_m, np.maximum(up, least_up_m)])
    mesh = wild_plants.reeds(rng, feet, height_m=rng.uniform(1.4, 2.1))
    site.add("Reeds", [mesh], feet[0], tint=varied(REED_TINT, rng, 0.3))
