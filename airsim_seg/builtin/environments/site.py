"""A SceneBuilder for uneven ground: everything is put down at its place on the map, at the ground's height."""

from collections.abc import Sequence

import numpy as np

from airsim_seg.builtin.environments.colours import WHITE, Tint
from airsim_seg.builtin.environments.land import Land
from airsim_seg.builtin.environments.meshes import Levels, Mesh, Point, moved, placed
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.environments.wild_plants import with_levels
from airsim_seg.builtin.traffic import Way
from airsim_seg.types import Float64Array

_ORIGIN = (0.0, 0.0, 0.0)


def ned(point_m: Point) -> tuple[float, float, float]:
    """A point of the map (north, west, up) in NED."""
    x, y, z = (float(v) for v in point_m)
    return x, -y, -z


class Site:
    """Objects on a land.

    Attributes:
        land: the ground.
        builder: collects the objects.
    """

    def __init__(self, land: Land) -> None:
        """Start with nothing on it."""
        self.land = land
        self.builder = SceneBuilder()

    def point_m(self, x: float, y: float, up_m: float = 0.0) -> Float64Array:
        """float64 [3]: a point so far above the ground, in map coordinates."""
        return np.array((x, y, float(self.land.up_m(np.array(x), np.array(y))) + up_m))

    def put(
        self,
        prefix: str,
        mesh: Mesh,
        x: float,
        y: float,
        turn_rad: float = 0.0,
        *,
        tint: Tint = WHITE,
        up_m: float = 0.0,
        level_m: float | None = None,
    ) -> None:
        """Put a thing down.

        Args:
            prefix: of its name.
            mesh: in its own frame, its foot at the origin.
            x, y: where, on the map.
            turn_rad: of its x axis, counter-clockwise from north.
            tint: linear RGB factor of its tinted materials.
            up_m: above the ground.
            level_m: height that counts instead of the ground's, as for boats.
        """
        point = self.point_m(x, y, up_m) if level_m is None else np.array((x, y, level_m + up_m))
        self.add(prefix, [moved(mesh, point, turn_rad)], point, tint=tint)

    def plant(self, prefix: str, mesh: Mesh, x: float, y: float, turn_rad: float, tint: Tint) -> None:
        """Put down a plant, which has a coarse form for far cameras."""
        self.builder.add(prefix, ned(self.point_m(x, y)), [self.in_levels(mesh, x, y, turn_rad)], tint)

    def in_levels(self, mesh: Mesh, x: float, y: float, turn_rad: float) -> Levels:
        """A plant at its place, in NED, for objects of many plants."""
        point = self.point_m(x, y)
        return with_levels(placed(moved(mesh, point, turn_rad), _ORIGIN), ned(point))

    def add(self, prefix: str, meshes: Sequence[Mesh], at_m: Point, *, tint: Tint = WHITE) -> None:
        """Make an object of meshes in map coordinates whose foot is at at_m [3]."""
        self.builder.add(prefix, ned(at_m), [placed(mesh, _ORIGIN) for mesh in meshes], tint)

    def add_foliage(self, prefix: str, plants: Sequence[Levels | Mesh], tint: Tint) -> None:
        """Make one object of many plants, in NED."""
        self.builder.add(prefix, _ORIGIN, plants, tint)

    def send(
        self, prefix: str, mesh: Mesh, way_m: Float64Array, speed_mps: float, share: float, *, tint: Tint = WHITE
    ) -> None:
        """Make an object that goes along a closed way.

        Args:
            prefix: of its name.
            mesh: in its own frame.
            way_m: float64 [K,3], in map coordinates.
            speed_mps: its pace.
            share: where it starts, 0..1 of the way.
            tint: linear RGB factor of its tinted materials.
        """
        way = Way(way_m * (1.0, -1.0, -1.0))
        self.builder.add_mover(prefix, mesh, way, speed_mps, share * way.length_m, tint)

    def way_m(self, places_m: Float64Array, up_m: float) -> Float64Array:
        """Places float64 [K,2] as a way on the ground, float64 [K,3], in map coordinates."""
        up = self.land.up_m(places_m[:, 0], places_m[:, 1]) + up_m
        return np.column_stack([places_m, up])
