"""The worlds of the built-in simulator."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from airsim_seg.builtin.environments import city_names, country_names, lakeside_names
from airsim_seg.builtin.environments.names import CLASS_OF_PREFIX, prefix_of
from airsim_seg.builtin.scene import Scene, Terrain
from airsim_seg.errors import UsageError

__all__ = ["CLASS_OF_PREFIX", "ENVIRONMENTS", "Environment", "build", "prefix_of"]


@dataclass(frozen=True)
class Environment:
    """One kind of world.

    Attributes:
        build: makes the world of a seed.
        ground_of: makes the ground of a seed's world alone; the world's own is rounded (scene_builder.gridded).
        class_of_prefix: object-name prefix -> class of airsim_seg.taxonomy, or "ignore"; the label map of the same name
            says the same of ids.
        description: a line for lists.
    """

    build: Callable[[int], Scene]
    ground_of: Callable[[int], Terrain]
    class_of_prefix: Mapping[str, str]
    description: str


def _later(module: str, function: str) -> Callable[[int], Any]:
    """A function of a module that is imported with the first call: worlds are many files, and often on the shelf."""

    def call(seed: int) -> Any:
        return getattr(import_module(f"{__name__}.{module}"), function)(seed)

    return call


ENVIRONMENTS: Mapping[str, Environment] = {
    "Neighborhood": Environment(
        _later("neighborhood", "build_neighborhood"),
        _later("terrain", "neighborhood_ground"),
        CLASS_OF_PREFIX,
        "suburban houses, gardens and woods, after AirSim's own Neighborhood",
    ),
    "City": Environment(
        _later("city", "build_city"),
        _later("city_grid", "city_ground"),
        city_names.CLASS_OF_PREFIX,
        "streets of houses and shops, a park, traffic; objects with own ids",
    ),
    "Lakeside": Environment(
        _later("lakeside", "build_lakeside"),
        _later("lakeside", "lakeside_ground"),
        lakeside_names.CLASS_OF_PREFIX,
        "a village at a lake: quay, boats, steep roofs, wooded hills",
    ),
    "Country": Environment(
        _later("country", "build_country"),
        _later("country_land", "country_ground"),
        country_names.CLASS_OF_PREFIX,
        "winding roads over hills, fields, farms, cattle, ponds",
    ),
}


def build(name: str, seed: int) -> Scene:
    """Make a world.

    Args:
        name: one of ENVIRONMENTS.
        seed: the same seed makes the same world, byte for byte; not negative.

    Raises:
        UsageError: there is no such environment, or the seed is negative.
    """
    if name not in ENVIRONMENTS:
        raise UsageError(f"There is no built-in environment {name!r}: use one of {', '.join(ENVIRONMENTS)}.")
    if seed < 0:
        raise UsageError(f"The world seed {seed} is negative: use 0 or more.")
    return ENVIRONMENTS[name].build(seed)
