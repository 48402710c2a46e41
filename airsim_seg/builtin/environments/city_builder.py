"""Collects the City's objects: gives them their ids and puts them on the plan."""

from collections import Counter
from collections.abc import Callable

import numpy as np

from airsim_seg.builtin.environments import city_colours, city_vehicles, people, trees
from airsim_seg.builtin.environments.buildings import (
    Building,
    awnings,
    balconies,
    ground_floor,
    upper_walls,
)
from airsim_seg.builtin.environments.city_grid import WALK_UP_M
from airsim_seg.builtin.environments.city_names import CLASS_OF_PREFIX, IDS_OF_CLASS
from airsim_seg.builtin.environments.colours import CARS, FIRS, HEDGES, ROOFS, WHITE, Tint, mixed, varied
from airsim_seg.builtin.environments.meshes import Mesh, joined, placed
from airsim_seg.builtin.environments.rooftops import (
    chimneys,
    flat_roof,
    gables,
    roof_works,
    steep_roof,
    water_tank,
)
from airsim_seg.builtin.environments.scene_builder import SceneBuilder

Place = tuple[float, float]  # north and east, metres
_TALL_STOREYS = 6


class RawIds:
    """Deals out ids: the objects of a class take its ids in turn, in the order of their making."""

    def __init__(self) -> None:
        self._count: Counter[str] = Counter()

    def __call__(self, prefix: str) -> int:
        """The id, 1..255, of the next object with a prefix of CLASS_OF_PREFIX."""
        name = CLASS_OF_PREFIX[prefix]
        first, last = IDS_OF_CLASS[name]
        number = self._count[name]
        self._count[name] += 1
        return first + number % (last - first + 1)


class CityBuilder(SceneBuilder):
    """A SceneBuilder that knows the City's ids and heights.

    Args:
        rng: of everything that the seed sets.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        super().__init__(RawIds())
        self.rng = rng
        # A few forms of what there is much of: with their own colours and turns nobody tells twins.
        self._cars = [city_vehicles.car(rng) for _ in range(10)]
        self._small_trees = [_small_tree(rng) for _ in range(24)]
        self._large_trees = [_large_tree(rng) for _ in range(12)]
        self._walkers = [people.pedestrian(rng) for _ in range(20)]

    def stand(
        self,
        prefix: str,
        mesh: Mesh,
        place: Place,
        yaw_rad: float = 0.0,
        tint: Tint = WHITE,
        *,
        up_m: float = WALK_UP_M,
    ) -> None:
        """Put one thing somewhere.

        Args:
            prefix: of its name.
            mesh: in its own frame.
            place: north and east of its origin.
            yaw_rad: where its x axis points, clockwise from north.
            tint: of its tinted materials.
            up_m: height of its origin.
        """
        at = (*place, -up_m)
        self.add(prefix, at, [placed(mesh, at, yaw_rad)], tint)

    def lay(self, prefix: str, mesh: Mesh, place: Place, tint: Tint = WHITE) -> None:
        """Add what is drawn in the frame of the plan (x north, y west, z up).

        Args:
            prefix: of its name.
            mesh: in that frame.
            place: north and east of its foot.
            tint: of its tinted materials.
        """
        self.add(prefix, (*place, -WALK_UP_M), [placed(mesh, (0.0, 0.0, 0.0))], tint)

    def plant(self, prefix: str, mesh: Mesh, place: Place, tint: Tint, *, up_m: float = WALK_UP_M) -> None:
        """Put a plant somewhere, coarser from afar."""
        at = (*place, -up_m)
        grown = placed(mesh, at, float(self.rng.uniform(0, 6)))
        self.add(prefix, at, [trees.with_levels(grown, at)], tint)

    def street_tree(self, place: Place) -> None:
        """A small broadleaf tree whose crown lets buses pass."""
        mesh = self._small_trees[int(self.rng.integers(len(self._small_trees)))]
        self.plant("Street_Tree", mesh, place, mixed(city_colours.STREET_TREES, self.rng, 0.3))

    def park_tree(self, place: Place) -> None:
        """A larger tree, one in five a fir."""
        rng = self.rng
        if rng.random() < 0.2:
            mesh = trees.fir(rng, height_m=float(rng.uniform(9, 14)), spread_m=float(rng.uniform(2.2, 3.2)), count=360)
            self.plant("Park_Fir", mesh, place, mixed(FIRS, rng, 0.2))
            return
        mesh = self._large_trees[int(rng.integers(len(self._large_trees)))]
        self.plant("Park_Tree", mesh, place, mixed(city_colours.STREET_TREES, rng, 0.3))

    def car(self) -> tuple[Mesh, Tint]:
        """Some car and its colour."""
        return self._cars[int(self.rng.integers(len(self._cars)))], mixed(CARS, self.rng)

    def walker(self) -> Mesh:
        """Somebody on foot."""
        return self._walkers[int(self.rng.integers(len(self._walkers)))]

    def hedge(self, place: Place, yaw_rad: float, long_m: float, high_m: float = 1.0) -> None:
        """A clipped hedge along the yaw."""
        rng = self.rng
        mesh = trees.hedge(rng, length_m=long_m, height_m=high_m, width_m=0.8, density=4.5)
        at = (*place, -WALK_UP_M)
        self.add("Hedge", at, [trees.with_levels(placed(mesh, at, yaw_rad), at)], mixed(HEDGES, rng, 0.3))

    def flowers(self, place: Place, radius_m: float, *, up_m: float = WALK_UP_M) -> None:
        """A low bed in one colour."""
        rng = self.rng
        mesh = trees.fern(rng, radius_m=radius_m, count=int(60 * radius_m))
        squashed = Mesh(mesh.corners * (1, 1, 0.45), mesh.normals, mesh.uv, mesh.materials)
        self.stand("Flower_Bed", squashed, place, 0.0, mixed(city_colours.FLOWERS, rng), up_m=up_m)

    def shrub(self, place: Place, radius_m: float, *, up_m: float = WALK_UP_M) -> None:
        """A bush."""
        mesh = trees.fern(self.rng, radius_m=radius_m, count=int(70 * radius_m) + 20)
        self.stand("Shrub", mesh, place, 0.0, mixed(HEDGES, self.rng, 0.3), up_m=up_m)

    def building(self, building: Building, place: Place, yaw_rad: float) -> None:
        """A building with its ground floor, roof and what belongs to them, each an object."""
        rng = self.rng

        def stand(prefix: str, mesh: Mesh, tint: Tint) -> None:
            self.stand(prefix, mesh, place, yaw_rad, tint)

        tint, base = wall_tint(building, rng), mixed(city_colours.BASES, rng, 0.15)
        walls = upper_walls(building, rng)
        if building.steep:
            walls = joined([walls, gables(building)])
        stand("Tower_Block" if building.storeys >= _TALL_STOREYS else "Town_House", walls, tint)
        stand("Shop_Front" if building.shops else "Ground_Floor", ground_floor(building, rng), base)
        for awning in awnings(building, rng):
            stand("Awning", awning, WHITE)
        if building.style == "plaster" and building.sides[0] == "street" and rng.random() < 0.6:
            rails = balconies(building, rng)
            if rails is not None:
                stand("Town_House", rails, varied((0.5, 0.5, 0.5), rng, 0.3))
        self._roof(building, stand)

    def _roof(self, building: Building, stand: Callable[[str, Mesh, Tint], None]) -> None:
        rng = self.rng
        if building.steep:
            stand("Steep_Roof", steep_roof(building, rng), mixed(ROOFS, rng))
            stand("Roof_Works", chimneys(building, rng), WHITE)
            return
        cornice = float(rng.uniform(0.3, 0.6)) if building.style in ("brick", "plaster") else 0.0
        stand("Flat_Roof", flat_roof(building, cornice_m=cornice), mixed(city_colours.FELTS, rng))
        if min(building.deep_m, building.wide_m) > 8:
            stand("Roof_Works", roof_works(building, rng), varied((0.7, 0.7, 0.7), rng, 0.2))
            if building.style in ("brick", "strips") and rng.random() < 0.7:
                stand("Water_Tank", water_tank(building, rng), varied((0.55, 0.45, 0.38), rng, 0.3))


def _small_tree(rng: np.random.Generator) -> Mesh:
    height, spread = float(rng.uniform(6.2, 8.6)), float(rng.uniform(1.7, 2.5))
    return trees.broadleaf(rng, height_m=height, spread_m=spread, count=150, card_m=0.9, lobes=8)


def _large_tree(rng: np.random.Generator) -> Mesh:
    height, spread = float(rng.uniform(8, 13)), float(rng.uniform(2.8, 4.4))
    return trees.broadleaf(rng, height_m=height, spread_m=spread, count=260, card_m=1.24)


def wall_tint(building: Building, rng: np.random.Generator) -> Tint:
    """A colour that such walls have."""
    table = {
        "brick": city_colours.BRICKS,
        "strips": city_colours.BRICKS,
        "plaster": city_colours.PLASTERS,
        "ribbons": city_colours.CONCRETES,
        "glass": city_colours.GLASSES,
    }[building.style]
    return mixed(table, rng, 0.12)
