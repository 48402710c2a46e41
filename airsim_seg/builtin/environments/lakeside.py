"""Lakeside: a village between a lake and wooded hills. The seed sets the shore, the roads, the houses and the rest."""

from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import church, colours, lakeside_boats, lakeside_hills, lakeside_shore, walls
from airsim_seg.builtin.environments.colours import mixed
from airsim_seg.builtin.environments.cottages import STONES
from airsim_seg.builtin.environments.lakeside_land import Plan, make_land, make_plan
from airsim_seg.builtin.environments.lakeside_streets import add_furniture, add_roads, add_traffic
from airsim_seg.builtin.environments.lakeside_village import CHURCH_PAD_M, Plot, build_plot, choose_plots, pad_of
from airsim_seg.builtin.environments.land import Land
from airsim_seg.builtin.environments.meshes import box, joined, moved
from airsim_seg.builtin.environments.roads import Pad
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene, Terrain
from airsim_seg.types import Pose

NAME = "Lakeside"
_START_NORTH_M, _LANE_M = -40.0, 1.5


def build_lakeside(seed: int) -> Scene:
    """Make the world of a seed."""
    rng = np.random.default_rng(seed)
    plan, yard, plots, land = _laid_out(rng)
    site = Site(land)
    lakeside_hills.add_ground(site, plan, rng)
    lakeside_shore.add_water(site, plan, rng)
    add_roads(site, plan, rng)
    lakeside_shore.add_quay(site, plan, rng)
    lakeside_shore.add_mole(site, plan, rng)
    lakeside_boats.add_jetties(site, plan, rng)
    lakeside_boats.add_boat_houses(site, plan, rng)
    lakeside_boats.add_moving(site, plan, rng)
    lakeside_shore.add_beaches(site, plan, rng)
    for plot in plots:
        build_plot(site, plot, rng)
    _add_church(site, yard, rng)
    add_furniture(site, plan, rng)
    lakeside_hills.add_meadow_things(site, plan, plots, yard, rng)
    lakeside_hills.add_woods(site, plan, rng)
    add_traffic(site, plan, rng)
    return _scene(site, plan, seed)


def lakeside_ground(seed: int) -> Terrain:
    """The ground of a seed's world, without the world: a tenth of a second."""
    return _laid_out(np.random.default_rng(seed))[-1].ground_down_m


def _laid_out(rng: np.random.Generator) -> tuple[Plan, Pad, list[Plot], Land]:
    """Roads, the church's yard, plots, and the ground that was shaped for them."""
    plan = make_plan(rng)
    yard = _church_pad(plan)
    plots = choose_plots(plan, yard, rng)
    return plan, yard, plots, make_land(plan, [*(pad_of(plot, plan) for plot in plots), yard])


def _scene(site: Site, plan: Plan, seed: int) -> Scene:
    course = plan.main.course
    x, y, turn = course.at(course.along_m(_START_NORTH_M), -_LANE_M)
    start = Pose.from_euler((x, -y, site.land.ground_down_m(x, -y)), yaw_rad=-turn)
    return site.builder.scene(environment=NAME, seed=seed, player_start=start, ground_down_m=site.land.ground_down_m)


def _church_pad(plan: Plan) -> Pad:
    """Beside the upper end of the lane, a little higher than the ground there."""
    course = plan.lane.course
    x, y, turn = course.at(0.62 * course.length_m, -17.0)
    return Pad(x, y, turn, *CHURCH_PAD_M, plan.shore.up_at(x, y) + 1.1, blend_m=9.0)


def _add_church(site: Site, yard: Pad, rng: np.random.Generator) -> None:
    """The church, the wall around its yard, graves."""
    at = (yard.x, yard.y, yard.turn_rad)
    material = Material.PLASTER if rng.random() < 0.5 else Material.RUBBLE
    site.put("Church", church.church_walls(material), *at, tint=mixed(STONES, rng, 0.1))
    site.put("Spire", church.church_roof(), *at, tint=mixed(colours.ROOFS, rng))
    long, wide = yard.half_long_m - 0.6, yard.half_wide_m - 0.6
    ring = np.array(((-long, 2.0), (-long, wide), (long, wide), (long, -wide), (-long, -wide), (-long, -2.0)))
    cos, sin = np.cos(yard.turn_rad), np.sin(yard.turn_rad)
    for a, b in pairwise(ring):
        line = a + (b - a) * np.linspace(0, 1, max(2, int(np.linalg.norm(b - a) / 2.5)))[:, None]
        places = line @ np.array(((cos, sin), (-sin, cos))) + (yard.x, yard.y)
        path = walls.on_ground(site.land.near, places)
        site.add("Stone_Wall", [walls.stone_wall(path, rng, height_m=1.2)], path[0], tint=mixed(STONES, rng))
    graves = []
    for k in range(14):
        stone = box((-0.08, -0.3, -0.2), (0.08, 0.3, rng.uniform(0.6, 1.0)), Material.CONCRETE)
        graves.append(moved(stone, (-6.8 + 1.6 * (k % 2), -13.0 + 1.9 * (k // 2), 0.0)))
    site.put("Rock", joined(graves), *at, tint=mixed(STONES, rng))
