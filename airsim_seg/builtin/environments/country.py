"""Country: farms and fields in rolling hills, and winding roads between them. The seed sets all of it."""

import numpy as np

from airsim_seg.builtin.environments import roads
from airsim_seg.builtin.environments.colours import Tint, varied
from airsim_seg.builtin.environments.country_farms import Farm, add_cottage, add_farm
from airsim_seg.builtin.environments.country_fields import (
    add_boundaries,
    add_fields,
    add_tree,
    bare_ground,
    choose_fields,
)
from airsim_seg.builtin.environments.country_hills import SHORE_M, Pond
from airsim_seg.builtin.environments.country_land import Plan, make_land, make_plan
from airsim_seg.builtin.environments.country_roadside import add_poplars, add_power_lines, add_roadside, add_traffic
from airsim_seg.builtin.environments.outdoors import (
    add_asphalt,
    add_bush,
    add_meadows,
    add_reeds,
    add_rock,
    levelled,
)
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.environments.woods import scattered
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene
from airsim_seg.types import Pose

NAME = "Country"
_LONE_THINGS, _STALKS = 46, 90
_WATER: Tint = (0.06, 0.085, 0.06)
_FAR = (0.0, 700.0, 0.0)
# What the cells of the far ground are: share, name, material, tint, height above the ground.
_FAR_LOOKS: tuple[tuple[float, str, Material, Tint, float], ...] = (
    (0.42, "Landscape", Material.MEADOW, (0.9, 0.95, 0.85), 0.0),
    (0.20, "Landscape", Material.GRASS, (0.85, 1.0, 0.8), 0.0),
    (0.12, "Field", Material.GRAIN, (1.0, 0.95, 0.8), 0.0),
    (0.10, "Field", Material.CROP, (0.9, 1.0, 0.8), 0.0),
    (0.16, "Far_Woods", Material.THICKET, (0.34, 0.36, 0.25), 4.0),
)
_START_SHARE, _LANE_M = 0.44, 1.5


def build_country(seed: int) -> Scene:
    """Make the world of a seed."""
    rng = np.random.default_rng(seed)
    plan = make_plan(rng)
    site = Site(make_land(plan))
    fields, grid = choose_fields(plan, rng)
    add_meadows(site, rng, chosen=bare_ground(site.land.near, fields))
    _add_far_ground(site, rng)
    _add_roads(site, plan, rng)
    add_fields(site, plan, fields, rng)
    add_boundaries(site, plan, grid, rng)
    for pond in plan.ponds:
        _add_pond(site, plan, pond, rng)
    for garden in plan.gardens:
        add_cottage(site, plan, garden, rng)
    for yard, track in zip(plan.yards, plan.tracks, strict=True):
        add_farm(site, Farm(plan, yard, track), rng)
    add_power_lines(site, plan, rng)
    for road in plan.roads:
        add_roadside(site, plan, road, rng)
    add_poplars(site, plan, rng)
    _add_lone_things(site, plan, rng)
    add_traffic(site, plan, rng)
    return _scene(site, plan, seed)


def _scene(site: Site, plan: Plan, seed: int) -> Scene:
    x, y, turn = plan.main.course.at(_START_SHARE * plan.main.course.length_m, -_LANE_M)
    start = Pose.from_euler((x, -y, site.land.ground_down_m(x, -y)), yaw_rad=-turn)
    return site.builder.scene(environment=NAME, seed=seed, player_start=start, ground_down_m=site.land.ground_down_m)


def _add_far_ground(site: Site, rng: np.random.Generator) -> None:
    """A patchwork to the horizon."""
    far = site.land.far
    cells = len(far.lattice.triangles) // 2  # the two triangles of a cell are half the list apart
    kinds = np.tile(rng.choice(len(_FAR_LOOKS), cells, p=[look[0] for look in _FAR_LOOKS]), 2)
    x, y = far.lattice.nodes_m
    ring = far.lattice.touching(np.maximum(np.abs(x), np.abs(y)) < 399.0)
    kinds[ring & (kinds == len(_FAR_LOOKS) - 1)] = 0  # so near, it would show that far woods are flat
    for k, (_, name, material, tint, up_m) in enumerate(_FAR_LOOKS):
        mesh = far.mesh(material, chosen=kinds == k, up_m=up_m, tile_m=12.0)
        site.add(name, [mesh], _FAR, tint=varied(tint, rng, 0.1))
        if up_m > 0:  # no hole under the trees
            site.add("Landscape", [far.mesh(Material.MEADOW, chosen=kinds == k)], _FAR)


def _add_roads(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Asphalt, paint, tracks of gravel."""
    ground = site.land.near
    add_asphalt(site, plan.roads, rng)
    paint = [roads.markings(ground, road, [other for other in plan.roads if other is not road]) for road in plan.roads]
    site.add("Road", paint, site.point_m(*plan.main.course.at(200.0)[:2]))
    for track in plan.tracks:
        gravel = roads.asphalt(ground, track, up_m=roads.ROAD_UP_M - 0.035, material=Material.GRAVEL)
        tint = varied((0.95, 0.9, 0.8), rng, 0.2)
        site.add("Cart_Track", [gravel], site.point_m(*track.course.at(6.0)[:2]), tint=tint)


def _add_pond(site: Site, plan: Plan, pond: Pond, rng: np.random.Generator) -> None:
    """Water in its hollow, reeds, rocks and trees around."""
    ground = site.land.near
    x, y = ground.lattice.nodes_m
    sheet = ground.mesh(Material.WATER, SHORE_M - pond.outside_m(x, y), tile_m=4.0)
    site.add("Pond", [levelled(sheet, pond.up_m)], (pond.x, pond.y, pond.up_m), tint=varied(_WATER, rng, 0.3))
    for _ in range(3):
        turn = rng.uniform(0, 2 * np.pi) + rng.normal(0, 0.25, _STALKS)
        away = pond.radius_at(turn) + rng.uniform(-1.8, 0.8, _STALKS)
        stalks = np.stack([pond.x + away * np.cos(turn), pond.y + away * np.sin(turn)], 1)
        add_reeds(site, ground, stalks, pond.up_m - 0.4, rng)
    for angle in np.arange(7) * 0.9 + rng.uniform(0, 1):
        off = pond.radius_m + rng.uniform(3.5, 8)
        px, py = float(pond.x + off * np.cos(angle)), float(pond.y + off * np.sin(angle))
        if rng.random() < 0.5:
            add_rock(site, px, py, rng.uniform(0.3, 0.9), rng)
        elif plan.free_m(px, py) > 2:
            add_tree(site, px, py, rng)


def _add_lone_things(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Single trees, bushes and rocks on the verges and in the fields."""
    for x, y in scattered(rng, _LONE_THINGS, 185.0, 9.0, lambda x, y: 3.4 < plan.free_m(x, y) < 12.0):
        kind = rng.random()
        if kind < 0.2:
            add_rock(site, x, y, rng.uniform(0.3, 1.0), rng)
        elif kind < 0.62:
            add_bush(site, x, y, rng)
        else:
            add_tree(site, x, y, rng)
