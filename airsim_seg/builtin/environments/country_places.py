"""Where people of Country live: yards of farms, gardens of cottages, and the ponds that they keep out of."""

import numpy as np

from airsim_seg.builtin.environments.country_hills import Hills, Pond
from airsim_seg.builtin.environments.courses import Course, winding
from airsim_seg.builtin.environments.roads import Pad

YARD_HALF_M = (17.0, 13.0)
_YARD_OFF_M = 31.0  # from a road's middle to a yard's
GARDEN_HALF_M = (7.5, 6.5)
_GARDEN_OFF_M = 13.5


def yard_spots(courses: list[Course], rng: np.random.Generator) -> list[tuple[float, float, float, int]]:
    """Middle, heading of the road beside it, and number of that road, of each farm."""
    found: list[tuple[float, float, float, int]] = []
    wanted = (
        (0, 0.38, 1.0),
        (1, 0.45, 1.0),
        (2, 0.42, 1.0),
        (1, 0.62, -1.0),
        (0, 0.70, -1.0),
        (2, 0.68, -1.0),
        (1, 0.25, -1.0),
    )
    for k, share, side in wanted:
        along = (share + rng.uniform(-0.05, 0.05)) * courses[k].length_m
        x, y, turn = courses[k].at(along, side * _YARD_OFF_M)
        apart = all(np.hypot(x - a, y - b) > 62 for a, b, _, _ in found)
        clear = all(other.distance_m(x, y) > 25 for other in courses)
        if apart and clear and max(abs(x), abs(y)) < 165:
            found.append((x, y, turn, k))
    return found[:5]


def track_to(course: Course, x: float, y: float) -> Course:
    """From the nearest point of a road into a yard."""
    px, py = (float(v) for v in course.points_m[course.nearest(x, y)])
    return winding(
        [(px, py), (px + 0.35 * (x - px), py + 0.35 * (y - py)), (px + 0.72 * (x - px), py + 0.72 * (y - py))],
        step_m=1.5,
    )


def gardens_beside(
    hills: Hills, courses: list[Course], yards: tuple[Pad, ...], rng: np.random.Generator
) -> tuple[Pad, ...]:
    """Places for cottages beside the roads, two or three in a row."""
    found: list[Pad] = []
    for k, share in ((0, 0.46), (0, 0.58), (0, 0.88), (1, 0.12), (2, 0.14), (0, 0.1), (1, 0.8), (2, 0.88)):
        side, along = float(rng.choice((-1.0, 1.0))), (share + rng.uniform(-0.04, 0.04)) * courses[k].length_m
        for step in (0.0, 20.0):
            x, y, turn = courses[k].at(along + step, side * _GARDEN_OFF_M)
            pad = Pad(x, y, turn, *GARDEN_HALF_M, hills.mean_up_m(x, y), 7.0)
            clear = all(course.distance_m(x, y) > _GARDEN_OFF_M - 0.8 for course in courses)
            apart = all(np.hypot(x - other.x, y - other.y) > 19 for other in found)
            inside = max(abs(x), abs(y)) < 168
            if inside and clear and apart and all(yard.outside_m(np.array(x), np.array(y)) > 16 for yard in yards):
                found.append(pad)
    return tuple(found[:11])


def low_ponds(hills: Hills, courses: list[Course], pads: tuple[Pad, ...]) -> tuple[Pond, ...]:
    """In two low places beside roads, far from each other."""
    grid = np.linspace(-115, 115, 24)
    places = [
        (hills.up_at(x, y), float(x), float(y))
        for x in grid
        for y in grid
        if 17.5 < min(course.distance_m(x, y) for course in courses) < 34
        and all(pad.outside_m(np.array(x), np.array(y)) > 17 for pad in pads)
    ]
    found: list[Pond] = []
    for up, x, y in sorted(places):
        if len(found) < 2 and all(np.hypot(x - pond.x, y - pond.y) > 90 for pond in found):
            found.append(Pond(x, y, 11.0, up - 0.2))
    return tuple(found)
