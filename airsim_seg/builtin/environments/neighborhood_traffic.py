"""Who is about in the Neighborhood: cars around each block, and people with and without dogs on its pavement."""

from collections.abc import Sequence
from itertools import pairwise, product

import numpy as np

from airsim_seg.builtin.environments import animals, colours, streets, vehicles
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.people import pedestrian
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.traffic import Way, rounded_block

LANE_M, TURN_RADIUS_M = 1.8, 5.0  # from the middle of the road; parked cars take what is beyond 3.1
CARS_A_BLOCK = 4
WALK_M = (streets.WALK_NEAR_M + streets.WALK_FAR_M) / 2
PEOPLE_A_BLOCK = 4
LEAD_M = 1.3  # a dog is so far ahead of whoever walks it
_DOGS: tuple[colours.Tint, ...] = ((0.32, 0.2, 0.1), (0.05, 0.05, 0.05), (0.8, 0.72, 0.58))


def add_traffic(
    builder: SceneBuilder, streets_north_m: Sequence[float], streets_east_m: Sequence[float], rng: np.random.Generator
) -> None:
    """Let cars and people go around each block, clockwise: ways that turn right alone never cross.

    Args:
        builder: of the world.
        streets_north_m: where the streets are that run east-west, in order.
        streets_east_m: where those are that run north-south.
        rng: of its own: what stands does not depend on what moves.
    """
    for (south, north), (west, east) in product(pairwise(streets_north_m), pairwise(streets_east_m)):
        _add_cars(builder, _around((south, west), (north, east), LANE_M, TURN_RADIUS_M, streets.ROAD_UP_M), rng)
        _add_people(builder, _around((south, west), (north, east), WALK_M, 1.0, streets.WALK_UP_M), rng)


def _around(low: tuple[float, float], high: tuple[float, float], inset_m: float, radius_m: float, up_m: float) -> Way:
    (south, west), (north, east) = low, high
    inner = (south + inset_m, west + inset_m), (north - inset_m, east - inset_m)
    return rounded_block(*inner, radius_m, -up_m)


def _add_cars(builder: SceneBuilder, way: Way, rng: np.random.Generator) -> None:
    """At one pace, so that none runs into the next."""
    pace_mps, phase_m = rng.uniform(6.0, 9.0), rng.uniform(0, way.length_m)
    for k in range(CARS_A_BLOCK):
        start_m = phase_m + way.length_m * (k + rng.uniform(-0.25, 0.25)) / CARS_A_BLOCK
        builder.add_mover("Car", vehicles.car(rng), way, pace_mps, start_m, mixed(colours.CARS, rng))


def _add_people(builder: SceneBuilder, way: Way, rng: np.random.Generator) -> None:
    """Each at a pace of their own: whoever overtakes walks through the other for a moment."""
    for k in range(PEOPLE_A_BLOCK):
        pace_mps, start_m = rng.uniform(1.1, 1.6), way.length_m * (k + rng.uniform(0, 0.8)) / PEOPLE_A_BLOCK
        builder.add_mover("Pedestrian", pedestrian(rng), way, pace_mps, start_m)
        if rng.random() < 0.4:
            tint = varied(_DOGS[int(rng.integers(len(_DOGS)))], rng, 0.1)
            builder.add_mover("Dog", animals.dog(), way, pace_mps, start_m + LEAD_M, tint)
