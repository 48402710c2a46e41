"""Who moves in the City: cars around blocks, people on the pavements.

Cars keep right and only turn right, so that no two ways cross: each goes round one block, on the half of the road that
is the block's own. All on one way have one pace. Around the whole city others go the other way, on the outer half.
"""

from collections.abc import Sequence

import numpy as np

from airsim_seg.builtin.environments import city_colours, city_vehicles
from airsim_seg.builtin.environments.city_builder import CityBuilder
from airsim_seg.builtin.environments.city_grid import (
    AVENUES,
    CORNER_M,
    LANE_M,
    ROAD_UP_M,
    STREETS,
    WALK_UP_M,
    Rectangle,
    blocks,
)
from airsim_seg.builtin.environments.colours import Tint, mixed
from airsim_seg.builtin.environments.meshes import Mesh
from airsim_seg.builtin.traffic import Way, rounded_block
from airsim_seg.types import Float64Array

START_BLOCK = 5  # its western road is where the player starts: nobody drives there
_LANE_RADIUS_M = 8.0
_KINDS, _CHANCES = ("Moving_Car", "Taxi", "Delivery_Van", "City_Bus"), (0.6, 0.15, 0.13, 0.12)
_LEADS_M = (0.8, 2.5)  # extra corners on straights before and after a bend
_FOOT_LINES_M = ((2.35, False), (3.0, True))  # from the kerb; whether they go the other way round


def add_traffic(builder: CityBuilder) -> None:
    """Cars, vans, taxis and buses on their ways, and people on theirs."""
    for number in range(9):
        if number != START_BLOCK:
            kinds = builder.rng.choice(_KINDS, int(builder.rng.integers(1, 4)), p=_CHANCES)
            _drivers(builder, lane_around(number), [str(kind) for kind in kinds])
    _drivers(builder, _lane_around_all(), ("City_Bus", "Moving_Car", "Delivery_Van", "Moving_Car", "Taxi"))
    for block in blocks():
        for inset, reverse in _FOOT_LINES_M:
            way = _round(block.inset(inset), max(CORNER_M - inset, 1.0), WALK_UP_M, reverse=reverse)
            _walkers(builder, way, int(builder.rng.integers(1, 4)))


def lane_around(number: int) -> Way:
    """The lane around a block, clockwise."""
    row, column = divmod(number, len(AVENUES) - 1)
    (south, _), (north, _) = STREETS[row], STREETS[row + 1]
    (west, _), (east, _) = AVENUES[column], AVENUES[column + 1]
    area = Rectangle(south + LANE_M, west + LANE_M, north - LANE_M, east - LANE_M)
    return _round(area, _LANE_RADIUS_M, ROAD_UP_M, reverse=False)


def _lane_around_all() -> Way:
    """The outer lane of the outer roads, counter-clockwise."""
    (south, _), (north, _) = STREETS[0], STREETS[-1]
    (west, _), (east, _) = AVENUES[0], AVENUES[-1]
    area = Rectangle(south - LANE_M, west - LANE_M, north + LANE_M, east + LANE_M)
    return _round(area, _LANE_RADIUS_M, ROAD_UP_M, reverse=True)


def _round(area: Rectangle, radius_m: float, up_m: float, *, reverse: bool) -> Way:
    way = rounded_block((area.south, area.west), (area.north, area.east), radius_m, -up_m)
    corners = with_leads(way.corners_m)
    return Way(corners[::-1].copy() if reverse else corners)


def with_leads(corners_m: Float64Array) -> Float64Array:
    """The same line with more corners near the ends of its long sides.

    What follows a Way turns from the middle of a side to the middle of the next: on a long straight it would begin to
    turn far before the bend.
    """
    found = []
    for a, b in zip(corners_m, np.roll(corners_m, -1, 0), strict=True):
        found.append(a)
        long = float(np.sqrt(((b - a) ** 2).sum()))
        if long > 4 * _LEADS_M[-1]:
            shares = [lead / long for lead in _LEADS_M]
            found += [a + (b - a) * share for share in (*shares, *(1 - share for share in reversed(shares)))]
    return np.array(found)


def _drivers(builder: CityBuilder, way: Way, kinds: Sequence[str]) -> None:
    rng, count = builder.rng, len(kinds)
    speed = float(rng.uniform(5.0, 9.0))
    starts = (np.arange(count) + rng.uniform(0.1, 0.8, count)) * way.length_m / count
    for kind, start in zip(kinds, starts, strict=True):
        mesh, tint = _vehicle(builder, kind)
        builder.add_mover(kind, mesh, way, speed, float(start), tint)


def _vehicle(builder: CityBuilder, kind: str) -> tuple[Mesh, Tint]:
    rng = builder.rng
    if kind == "City_Bus":
        return city_vehicles.bus(int(rng.integers(2)), int(rng.integers(8))), mixed(city_colours.BUSES, rng)
    if kind == "Delivery_Van":
        return city_vehicles.van(), mixed(city_colours.VANS, rng)
    if kind == "Taxi":
        return city_vehicles.taxi(rng), (0.75, 0.48, 0.03)
    return builder.car()


def _walkers(builder: CityBuilder, way: Way, count: int) -> None:
    rng = builder.rng
    for start in rng.uniform(0, way.length_m, count):
        builder.add_mover("Pedestrian", builder.walker(), way, float(rng.uniform(0.9, 1.6)), float(start))
