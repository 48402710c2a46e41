"""The City: avenues and streets with traffic, blocks of houses and shops, a park, baths. The seed sets the rest."""

from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import city_blocks, city_parks, city_roads, city_traffic
from airsim_seg.builtin.environments.city_builder import CityBuilder
from airsim_seg.builtin.environments.city_grid import AVENUES, LANE_M, blocks, ground_down_m, outline
from airsim_seg.builtin.environments.city_streets import flat_rectangles
from airsim_seg.builtin.environments.colours import varied
from airsim_seg.builtin.environments.meshes import placed
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene
from airsim_seg.types import Pose

NAME = "City"
_GRASS_M, _CELL_M, _PLAIN_M = 168.0, 28.0, 1500.0
_START_AVENUE = 2
_SHELTER_M = 6.0  # a shop front keeps half of the sky away from the pavement before it
_GRASS = (0.72, 0.85, 0.80)


def build_city(seed: int) -> Scene:
    """Make the world of a seed."""
    builder = CityBuilder(np.random.default_rng(seed))
    _add_ground(builder)
    city_roads.add_roads(builder)
    city_roads.add_pavements(builder)
    kinds = builder.rng.permutation(["houses"] * 3 + ["terraces"] * 2 + ["tower", "park", "baths", "market"])
    for kind, block in zip(kinds, blocks(), strict=True):
        if kind == "houses":
            city_blocks.perimeter_block(builder, block, int(builder.rng.integers(6, 10)))
        elif kind == "terraces":
            city_blocks.terraces(builder, block)
        elif kind == "tower":
            city_blocks.tower_square(builder, block)
        else:
            {"park": city_parks.park, "baths": city_parks.baths, "market": city_parks.market}[str(kind)](builder, block)
    city_blocks.outer_rows(builder, outline())
    city_blocks.skyline(builder)
    city_roads.furnish(builder)
    city_traffic.add_traffic(builder)
    return builder.scene(
        environment=NAME,
        seed=seed,
        player_start=Pose.from_euler((-6.0, AVENUES[_START_AVENUE][0] + LANE_M, 0.0), yaw_rad=0.0),
        ground_down_m=ground_down_m,
        shelter_m=_SHELTER_M,
    )


def _add_ground(builder: CityBuilder) -> None:
    """Grass under and around the city, in patches, and fields to the horizon.

    Every triangle of a field reaches far out: the near ones set how large a square shadows are drawn for.
    """
    lines = np.arange(-_GRASS_M, _GRASS_M, _CELL_M)
    patches = [(x, y, x + _CELL_M, y + _CELL_M) for x in lines for y in lines]
    meshes = [placed(flat_rectangles(np.array([r]), 0.0, Material.MEADOW, 3.5), (0.0, 0.0, 0.0)) for r in patches]
    builder.add("Outskirts", (0.0, 0.0, 0.0), meshes, _GRASS)
    for low_x, low_y, high_x, high_y in _fields():
        mesh = flat_rectangles(np.array([(low_x, low_y, high_x, high_y)]), 0.0, Material.MEADOW, 3.5)
        middle = (low_x + high_x) / 2, -(low_y + high_y) / 2
        builder.lay("Outskirts", mesh, middle, varied(_GRASS, builder.rng, 0.25))


def _fields() -> list[tuple[float, float, float, float]]:
    """Low x, low y, high x and high y of the fields, in the frame of the plan."""
    near, far = _GRASS_M, _PLAIN_M
    inner = [float(v) for v in np.linspace(-near, near, 4)]
    found = []
    for low, high in pairwise([-far, *inner, far]):
        found += [(near, low, far, high), (-far, low, -near, high)]
    for low, high in pairwise(inner):
        found += [(low, near, high, far), (low, -far, high, -near)]
    return found
