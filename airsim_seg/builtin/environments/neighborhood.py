"""The Neighborhood: three streets north-south, three east-west, 48 lots, woods around. The seed sets the rest."""

from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import colours, lots, streets, terrain, trees, vehicles, yards
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.lots import Lot, build_lot, build_pool_garden
from airsim_seg.builtin.environments.meshes import Levels, Mesh, moved, placed
from airsim_seg.builtin.environments.neighborhood_traffic import add_traffic
from airsim_seg.builtin.environments.scene_builder import SceneBuilder
from airsim_seg.builtin.scene import Scene
from airsim_seg.types import Pose

NAME = "Neighborhood"
STREETS_EAST_M = (-75.0, 0.0, 75.0)  # run north-south
STREETS_NORTH_M = (-100.0, 0.0, 100.0)  # run east-west
_LOTS_A_STRETCH = 4
_NORTH, _EAST = 0.0, np.pi / 2
_WOODS_FROM_M, _WOODS_TO_M = 115.0, 143.0
_WOODS_TREES = 250


def build_neighborhood(seed: int) -> Scene:
    """Make the world of a seed."""
    rng = np.random.default_rng(seed)
    builder = SceneBuilder()
    builder.add("Landscape", (0.0, 0.0, 0.0), terrain.ground_meshes(), (1.0, 1.0, 1.0))
    _add_roads(builder, rng)
    _add_pavements(builder, rng)
    places = _lots(rng)
    # Every eighth lot is no house but a garden with a pool by the street, where drones can see it; some are parks.
    kinds = np.full(len(places), "house", object)
    kinds[rng.integers(0, 8) :: 8] = "pool"
    kinds[rng.choice(np.flatnonzero(kinds == "house"), 5, replace=False)] = "park"
    make = {"house": build_lot, "pool": build_pool_garden, "park": _add_park}
    for kind, lot in zip(kinds, places, strict=True):
        make[kind](builder, lot, rng)
    _add_street_furniture(builder, rng)
    _add_parked_cars(builder, rng)
    _add_woods(builder, places, rng)
    add_traffic(builder, STREETS_NORTH_M, STREETS_EAST_M, np.random.default_rng((seed, 1)))
    return builder.scene(
        environment=NAME,
        seed=seed,
        player_start=Pose.from_euler((-62.0, 2.0, 0.0), yaw_rad=0.0),
        ground_down_m=terrain.ground_down_m,
    )


def _stretches() -> list[tuple[float, float, float, float]]:
    """(north, east, yaw, length) of every road between two crossings, from crossing edge to crossing edge."""
    half = streets.ROAD_HALF_M
    found = []
    for east in STREETS_EAST_M:
        for low, high in pairwise(STREETS_NORTH_M):
            found.append((low + half, east, _NORTH, high - low - 2 * half))
    for north in STREETS_NORTH_M:
        for low, high in pairwise(STREETS_EAST_M):
            found.append((north, low + half, _EAST, high - low - 2 * half))
    return found


def _add_roads(builder: SceneBuilder, rng: np.random.Generator) -> None:
    half = streets.ROAD_HALF_M
    for north, east, yaw, length in _stretches():
        at = (north, east, 0.0)
        builder.add("Road", at, [placed(m, at, yaw) for m in streets.carriageway(length, half)], _asphalt(rng))
    for north in STREETS_NORTH_M:
        for east in STREETS_EAST_M:
            crossing = streets.carriageway(2 * half, half)
            builder.add(
                "Road", (north, east, 0.0), [placed(m, (north - half, east, 0.0)) for m in crossing], _asphalt(rng)
            )


def _asphalt(rng: np.random.Generator) -> colours.Tint:
    """Each stretch was laid in another year: nearly black to worn and pale, always grey."""
    return varied((worn := rng.uniform(0.65, 1.1), worn, worn), rng, 0.06)


def _add_pavements(builder: SceneBuilder, rng: np.random.Generator) -> None:
    """Kerbs, verges and pavements. As in AirSimNH, whose road is one mesh from garden to garden, they are road."""
    corner = streets.STRIP_HALF_M - streets.ROAD_HALF_M
    for north, east, yaw, length in _stretches():
        # Where two cross at a corner, one lies on top: in one plane they would flicker.
        up, first = (0.01, corner) if yaw == _EAST else (0.0, 0.0)
        at = (north, east, -up)
        for side in (-1.0, 1.0):
            grass = streets.verge(first, length - first, side)
            builder.add("Road", at, [placed(m, at, yaw) for m in grass], varied(colours.WHITE, rng, 0.15))
            walk = [moved(m, (corner - 1.7, 0, 0)) for m in streets.pavement(length - 2 * corner + 3.4, side)]
            builder.add("Road", at, [placed(m, at, yaw) for m in walk], varied(colours.WALKS, rng, 0.25))


def _lots(rng: np.random.Generator) -> list[Lot]:
    found = []
    margin = (STREETS_NORTH_M[1] - STREETS_NORTH_M[0] - _LOTS_A_STRETCH * lots.WIDE_M) / 2
    for east in STREETS_EAST_M:
        for start in STREETS_NORTH_M[:-1]:
            for k in range(_LOTS_A_STRETCH):
                north = start + margin + (k + 0.5) * lots.WIDE_M
                for side in (-1.0, 1.0):
                    outer = abs(east + side * lots.TO_STREET_M) > max(STREETS_EAST_M)
                    found.append(
                        Lot(
                            north_m=north,
                            east_m=east + side * lots.TO_STREET_M,
                            yaw_rad=-side * np.pi / 2,
                            mirror=float(rng.choice((-1.0, 1.0))),
                            owns_back=bool(outer or side > 0),
                        )
                    )
    return found


def _add_park(builder: SceneBuilder, lot: Lot, rng: np.random.Generator) -> None:
    """Benches, rocks and trees in the place of a house."""
    for x, y, turn in ((5.0, -3.0, 0.0), (5.0, 3.0, 0.0), (-4.0, 0.0, np.pi)):
        builder.add("Bench", lot.position_m(x, y), [lot.put(yards.bench(), x, y, turn)])
    path = lot.put(yards.terrace(16.0, 2.0, 0.05), 5.0, 0.0)
    builder.add("Garden_Pavers", lot.position_m(5.0, 0.0), [path], mixed(colours.PAVING, rng))
    for _ in range(5):
        x, y = rng.uniform(-12, 8), rng.uniform(-9, 9)
        mesh = lot.put(yards.rock(rng, rng.uniform(0.5, 1.3)), x, y)
        builder.add("Rock", lot.position_m(x, y), [mesh], mixed(colours.ROCKS, rng))
    for x, y in ((8.5, -8.0), (-9.0, -6.0), (-10.0, 6.0), (0.0, 8.5)):
        lots.add_tree(builder, lot, x, y, rng)


def _add_street_furniture(builder: SceneBuilder, rng: np.random.Generator) -> None:
    for north, east, yaw, length in _stretches():
        at = (north, east, 0.0)
        count = max(2, round(length / 31))
        gap = length / count
        for k in range(count):
            x = (k + 0.5) * gap
            line = [moved(streets.pole(), (x, -5.95, 0.0))]
            if k + 1 < count:
                line.append(moved(streets.wires(gap), (x, -5.95, 0.0)))
            builder.add("Power_Line", _along(at, yaw, x, -5.95), [placed(m, at, yaw) for m in line], (0.6, 0.6, 0.62))
            lamp = moved(streets.lantern(), (x + gap * 0.35, 5.9, 0.0), -np.pi / 2)
            builder.add(
                "Sidewalk_Lantern", _along(at, yaw, x + gap * 0.35, 5.9), [placed(lamp, at, yaw)], (0.5, 0.5, 0.5)
            )
        for x, y, turn, kind in (
            (4.5, 5.9, 0.0, "stop"), (length - 4.5, -5.9, np.pi, "stop"),
            (length * 0.3, -5.9, np.pi, "limit"), (length * 0.7, 5.9, 0.0, str(rng.choice(streets.SIGN_KINDS[1:]))),
        ):  # fmt: skip
            mesh = placed(moved(streets.sign(kind), (x, y, 0.0), turn), at, yaw)
            builder.add("Street_Sign", _along(at, yaw, x, y), [mesh], streets.SIGN_TINTS[kind])
    for north in STREETS_NORTH_M:
        for east in STREETS_EAST_M:
            at = (north + 6.2, east - 6.2, 0.0)
            builder.add("Street_Sign", at, [placed(streets.name_plates(), at)], (0.02, 0.16, 0.09))


def _along(start: tuple[float, float, float], yaw: float, x: float, y: float) -> tuple[float, float, float]:
    """World point x metres along and y metres left of a street."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    return float(start[0] + cos * x + sin * y), float(start[1] + sin * x - cos * y), start[2]


def _add_parked_cars(builder: SceneBuilder, rng: np.random.Generator) -> None:
    """At both kerbs of each stretch, more on the left, so that the middle of the road stays free."""
    for north, east, yaw, length in _stretches():
        slots = np.arange(12, length - 12, 7.5)
        for k, slot in enumerate(rng.choice(slots, 4, replace=False)):
            side = -1.0 if k == 0 else 1.0
            x, y = float(slot + rng.uniform(-1, 1)), side * (streets.ROAD_HALF_M - 1.0)
            turn = np.pi if (rng.random() < 0.85) == (side > 0) else 0.0
            at = (north, east, -streets.ROAD_UP_M)
            mesh = placed(moved(vehicles.car(rng), (x, y, 0.0), turn), at, yaw)
            builder.add("Car", _along(at, yaw, x, y), [mesh], mixed(colours.CARS, rng))


def _add_woods(builder: SceneBuilder, places: list[Lot], rng: np.random.Generator) -> None:
    """The one object of all painted foliage: woods around, trees in back gardens, fallen leaves on the roads."""
    meshes: list[Mesh | Levels] = [_wood_tree(rng, north, east) for north, east in _wood_places(rng)]
    for lot in places:
        for x, y in ((-15.5, -8.4), (-15.5, 7.8), (-3.0, -10.3)):
            if rng.random() < 0.6:
                mesh = trees.broadleaf(
                    rng, height_m=rng.uniform(15, 21), spread_m=rng.uniform(5, 7.5), count=460, card_m=1.8
                )
                x += rng.uniform(-1, 1)
                meshes.append(trees.with_levels(lot.put(mesh, x, y), lot.position_m(x, y)))
    for north, east, yaw, length in _stretches():
        places_m = np.stack(
            [rng.uniform(0, length, 240), rng.normal(0, 3.0, 240).clip(-4.3, 4.3), np.full(240, 0.045)], 1
        )
        meshes.append(placed(trees.fallen_leaves(rng, places_m), (north, east, 0.0), yaw))
    builder.add("InstancedFoliageActor", (0.0, 0.0, 0.0), meshes, (0.105, 0.14, 0.14))


def _wood_places(rng: np.random.Generator) -> list[tuple[float, float]]:
    """Places at least 6 m apart between the settlement and the edge of the hills."""
    found: list[tuple[float, float]] = []
    while len(found) < _WOODS_TREES:
        north, east = rng.uniform(-_WOODS_TO_M, _WOODS_TO_M, 2)
        if max(abs(north), abs(east)) < _WOODS_FROM_M:
            continue
        if all((north - n) ** 2 + (east - e) ** 2 > 36 for n, e in found):
            found.append((float(north), float(east)))
    return found


def _wood_tree(rng: np.random.Generator, north: float, east: float) -> Levels:
    down = terrain.ground_down_m(north, east)
    if rng.random() < 0.3:
        mesh = trees.fir(rng, height_m=rng.uniform(15, 24), spread_m=rng.uniform(3.2, 4.5), count=200)
    else:
        mesh = trees.broadleaf(
            rng, height_m=rng.uniform(15, 23), spread_m=rng.uniform(6, 8.5), count=240, card_m=2.6, lobes=8
        )
    return trees.with_levels(placed(mesh, (north, east, down), rng.uniform(0, 6)), (north, east, down))
