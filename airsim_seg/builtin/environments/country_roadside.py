"""Beside and on the roads of Country: posts, guard rails, signs, power lines, poplars; who drives and walks."""

import numpy as np

from airsim_seg.builtin.environments import colours, farms, roadside, streets, vehicles, walls
from airsim_seg.builtin.environments.colours import mixed
from airsim_seg.builtin.environments.country_farms import TRACTORS
from airsim_seg.builtin.environments.country_fields import add_tree
from airsim_seg.builtin.environments.country_land import HALF_M, Plan
from airsim_seg.builtin.environments.courses import round_trip, there_and_back
from airsim_seg.builtin.environments.outdoors import add_power_line
from airsim_seg.builtin.environments.people import pedestrian
from airsim_seg.builtin.environments.roads import ROAD_UP_M, Road
from airsim_seg.builtin.environments.site import Site
from airsim_seg.types import Float64Array

_LANE_M = 1.5  # from the middle of a road to the middle of a car
_RAIL_BEND, _CHEVRON_BEND = 0.009, 0.016  # 1/m
_POWER_LINES_M = (((-176.0, 62.0), (176.0, -34.0)), ((18.0, 176.0), (-30.0, -176.0)))


def add_power_lines(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Two lines of poles across the map; where a pole would stand on a road it stands beside it."""
    for start, end in _POWER_LINES_M:
        a, b = np.array(start) + rng.uniform(-6, 6, 2), np.array(end) + rng.uniform(-6, 6, 2)
        along = (b - a) / np.linalg.norm(b - a)
        feet = []
        for share in np.linspace(0, 1, 11):
            for shift in (0.0, 4.0, -4.0, 8.0, -8.0, 12.0, -12.0):
                x, y = (float(v) for v in a + (b - a) * share + shift * along)
                if plan.free_m(x, y) > 2.0:
                    feet.append((x, y, float(np.arctan2(along[1], along[0]))))
                    break
        add_power_line(site, feet)


def _room_m(plan: Plan, road: Road, x: float, y: float) -> float:
    """Distance of a place to the nearest edge of another road or a track, or of the near ground."""
    others = [other for other in (*plan.roads, *plan.tracks) if other is not road]
    return min(HALF_M - 7.0 - max(abs(x), abs(y)), *(o.course.distance_m(x, y) - o.half_m for o in others))


def add_roadside(site: Site, plan: Plan, road: Road, rng: np.random.Generator) -> None:
    """Everything that stands beside one road."""
    _add_posts(site, plan, road)
    for side in (-1.0, 1.0):
        _add_guard_rails(site, plan, road, side)
    _add_signs(site, plan, road, rng)
    if road is not plan.main:
        _add_ends(site, road)


def _add_posts(site: Site, plan: Plan, road: Road) -> None:
    """A reflector post every 24 m on both sides."""
    for along in np.arange(8.0, road.course.length_m - 4.0, 24.0):
        for side in (-1.0, 1.0):
            x, y, turn = road.course.at(float(along), side * (road.half_m + 0.65))
            if _room_m(plan, road, x, y) > 4.0:
                site.put("Reflector_Post", roadside.reflector_post(), x, y, turn, tint=(0.85, 0.85, 0.8))


def _add_guard_rails(site: Site, plan: Plan, road: Road, side: float) -> None:
    """On one side, where that is the outer one of a bend."""
    stops = np.arange(6.0, road.course.length_m - 6.0, 2.0)
    bent = np.array([-side * road.course.curvature(float(s)) > _RAIL_BEND for s in stops])
    run: list[tuple[float, float]] = []
    for along, outer in zip([*stops, stops[-1]], [*bent, False], strict=True):
        x, y, _ = road.course.at(float(along), side * (road.half_m + 0.75))
        if outer and _room_m(plan, road, x, y) > 2.0:
            run.append((x, y))
            continue
        if len(run) > 7:
            path = walls.on_ground(site.land.near, np.array(run))
            site.add("Guard_Rail", [walls.guard_rail(path)], path[0], tint=(0.75, 0.77, 0.8))
        run = []


def _add_signs(site: Site, plan: Plan, road: Road, rng: np.random.Generator) -> None:
    """Boards for both directions, chevrons outside of bends."""
    course = road.course
    for along in np.arange(30.0, course.length_m - 20.0, 58.0):
        for side in (-1.0, 1.0):
            x, y, turn = course.at(float(along + rng.uniform(-9, 9)), side * (road.half_m + 1.0))
            kind, facing = str(rng.choice(streets.SIGN_KINDS[1:])), turn + (np.pi if side < 0 else 0.0)
            if _room_m(plan, road, x, y) > 2.0:
                site.put("Road_Sign", streets.sign(kind), x, y, facing, tint=streets.SIGN_TINTS[kind])
    for along in np.arange(10.0, course.length_m - 10.0, 16.0):
        bend = course.curvature(float(along))
        side = -float(np.sign(bend))
        x, y, turn = course.at(float(along), side * (road.half_m + 1.6))
        if abs(bend) > _CHEVRON_BEND and _room_m(plan, road, x, y) > 2.0:
            site.put("Road_Sign", roadside.chevrons(), x, y, turn - side * (np.pi / 2 + 0.5), tint=(0.6, 0.03, 0.03))


def _add_ends(site: Site, road: Road) -> None:
    """Guide posts and stop signs where a side road meets the main road."""
    for along, facing in ((9.0, np.pi), (road.course.length_m - 9.0, 0.0)):
        place = road.course.at(along, road.half_m + 1.4)
        site.put("Road_Sign", roadside.guide_post(4), *place, tint=(0.78, 0.75, 0.62))
        x, y, turn = road.course.at(along, -road.half_m - 1.0)
        site.put("Road_Sign", streets.sign("stop"), x, y, turn + facing, tint=streets.SIGN_TINTS["stop"])


def add_poplars(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """An avenue along a stretch of the main road."""
    course = plan.main.course
    for along in rng.uniform(0.5, 0.62) * course.length_m + np.arange(7) * 11.0:
        for side in (-1.0, 1.0):
            x, y, _ = course.at(float(along), side * (plan.main.half_m + 4.6))
            if plan.free_m(x, y) > 3.5:
                add_tree(site, x, y, rng, "Poplar")


def add_traffic(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Cars and tractors around both loops of road, keeping to the right; hikers on the verges.

    Each loop has one direction, that of right turns, and one pace: nobody crosses another's way or overtakes.
    """
    for road, left, pace in ((plan.east, _LANE_M, 6.0), (plan.west, -_LANE_M, 8.0)):
        places: Float64Array = round_trip(plan.main.course, road.course, left)
        way = site.way_m(places if left < 0 else places[::-1], ROAD_UP_M)
        for k, share in enumerate(np.linspace(0.05, 0.72, 4) + rng.uniform(-0.06, 0.06, 4)):
            if k == 3 and road is plan.east:
                site.send("Tractor", farms.tractor(), way, pace, float(share), tint=mixed(TRACTORS, rng, 0.1))
            else:
                site.send("Car", vehicles.car(rng), way, pace, float(share), tint=mixed(colours.CARS, rng))
    for road, side in ((plan.main, 1.0), (plan.west, -1.0)):
        lefts = side * (road.half_m + 0.35), side * (road.half_m + 0.75)
        way = site.way_m(there_and_back(road.course, lefts, 40.0, 150.0), 0.0)
        site.send("Pedestrian", pedestrian(rng), way, 1.3, float(rng.random()))
    for track in plan.tracks:
        place = track.course.at(0.55 * track.course.length_m, -track.half_m - 1.3)
        if rng.random() < 0.4:
            site.put("Trailer", farms.trailer(), *place, tint=mixed(colours.CARS, rng))
