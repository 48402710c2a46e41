"""The streets of Lakeside: what they are paved with, what stands beside them, who drives and walks."""

import numpy as np

from airsim_seg.builtin.environments import animals, colours, roads, roadside, streets, vehicles
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.courses import round_trip, there_and_back
from airsim_seg.builtin.environments.lakeside_land import Plan
from airsim_seg.builtin.environments.meshes import joined
from airsim_seg.builtin.environments.outdoors import LAMP_TINT, add_asphalt, add_power_line
from airsim_seg.builtin.environments.people import pedestrian
from airsim_seg.builtin.environments.roads import ROAD_UP_M
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material

_PACE_MPS = 6.5
_LANE_M = 1.45  # from the middle of the road to the middle of a car


def add_roads(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Asphalt, a cobbled lane, a track of gravel, paint."""
    ground = site.land.near
    add_asphalt(site, (plan.main, plan.back), rng)
    paint = joined([roads.markings(ground, plan.main, (plan.back, plan.lane)),
                    roads.markings(ground, plan.back, (plan.main, plan.lane, plan.track), edges=False)])  # fmt: skip
    site.add("Road", [paint], site.point_m(*plan.main.course.at(200.0)[:2]))
    cobbles = roads.asphalt(ground, plan.lane, up_m=ROAD_UP_M - 0.035, material=Material.COBBLES)
    site.add("Lane", [cobbles], site.point_m(*plan.lane.course.at(30.0)[:2]), tint=varied((1.0, 0.97, 0.92), rng, 0.15))
    gravel = roads.asphalt(ground, plan.track, up_m=ROAD_UP_M - 0.04, material=Material.GRAVEL)
    site.add("Lane", [gravel], site.point_m(*plan.track.course.at(30.0)[:2]), tint=varied((0.9, 0.85, 0.75), rng, 0.15))


def add_furniture(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """The power line along the back road, lamps, signs."""
    course, off = plan.back.course, plan.back.half_m + 1.6
    add_power_line(site, [course.at(float(s), off) for s in np.linspace(12.0, course.length_m - 12.0, 11)])
    for road, left in ((plan.back, -plan.back.half_m - 1.2), (plan.lane, plan.lane.half_m + 0.8)):
        for along in np.arange(22.0, road.course.length_m - 10, 34.0):
            site.put("Quay_Lamp", roadside.lamp(), *road.course.at(float(along), left), tint=LAMP_TINT)
    _add_signs(site, plan, rng)


def _add_signs(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Boards beside the roads, the village's name at both its ends, guide posts where roads meet."""
    for road, first, gap in ((plan.main, 70.0, 62.0), (plan.back, 25.0, 75.0)):
        for along in np.arange(first, road.course.length_m - first + 10, gap):
            for side in (-1.0, 1.0):
                kind = str(rng.choice(streets.SIGN_KINDS))
                x, y, turn = road.course.at(float(along + rng.uniform(-8, 8)), side * (road.half_m + 1.0))
                facing = turn + (np.pi if side < 0 else 0.0)
                site.put("Road_Sign", streets.sign(kind), x, y, facing, tint=streets.SIGN_TINTS[kind])
    course = plan.main.course
    for north, side, facing in ((-105.0, -1.0, np.pi), (105.0, 1.0, 0.0)):
        x, y, turn = course.at(course.along_m(north), side * (plan.main.half_m + 1.4))
        site.put("Road_Sign", roadside.village_sign(), x, y, turn + facing, tint=(0.85, 0.62, 0.05))
    for road, along in ((plan.lane, 3.5), (plan.back, 5.5), (plan.back, plan.back.course.length_m - 5.5)):
        place = road.course.at(along, road.half_m + 2.0)
        site.put("Road_Sign", roadside.guide_post(4), *place, tint=(0.75, 0.72, 0.60))


def add_traffic(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Cars around the village in both directions, parked ones towards the lake, people and dogs on the promenade."""
    for left, shares in ((-_LANE_M, (0.1, 0.45, 0.8)), (_LANE_M, (0.3, 0.65))):
        places = round_trip(plan.main.course, plan.back.course, left)
        way = site.way_m(places if left < 0 else places[::-1], ROAD_UP_M)
        for share in shares:  # all at one pace: none overtakes
            site.send("Car", vehicles.car(rng), way, _PACE_MPS, share, tint=mixed(colours.CARS, rng))
    course = plan.main.course
    for north in np.arange(-66.0, 70.0, 17.0):
        if rng.random() < 0.6:
            x, y, turn = course.at(course.along_m(float(north + rng.uniform(-3, 3))), plan.main.half_m + 1.15)
            turn += np.pi * float(rng.integers(2))
            site.put("Car", vehicles.car(rng), x, y, turn, tint=mixed(colours.CARS, rng), up_m=0.08)
    shore = plan.shore.course()
    for k in range(9):
        start = shore.along_m(rng.uniform(-72, 30))
        places = there_and_back(shore, (-rng.uniform(1.6, 2.4), -rng.uniform(2.9, 3.6)), start, start + 34)
        name, mesh = ("Dog", animals.dog()) if k < 2 else ("Pedestrian", pedestrian(rng))
        way, tint = site.way_m(places, 0.08), mixed(colours.BOARD_FENCES, rng)
        site.send(name, mesh, way, rng.uniform(1.0, 1.5), float(rng.random()), tint=tint)
