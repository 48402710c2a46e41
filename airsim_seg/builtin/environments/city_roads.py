"""Lays the City's roads and puts what stands along them: lights, lamps, signs, trees, parked cars."""

import numpy as np

from airsim_seg.builtin.environments import (
    city_colours,
    city_furniture,
    city_signals,
    city_streets,
    city_vehicles,
    streets,
)
from airsim_seg.builtin.environments.city_builder import CityBuilder, Place
from airsim_seg.builtin.environments.city_grid import (
    AVENUES,
    LANE_M,
    PARKED_M,
    ROAD_UP_M,
    STREETS,
    WALK_UP_M,
    Rectangle,
    Stretch,
    blocks,
    crossings,
    outline,
    stretches,
)
from airsim_seg.builtin.environments.colours import WHITE, Tint, mixed, varied
from airsim_seg.builtin.environments.meshes import Mesh, joined, placed
from airsim_seg.builtin.rendering.materials import Material

_KERB_ZONE_M = 0.9  # from the kerb to the middle of posts and trunks
_METAL: Tint = (0.20, 0.21, 0.22)
_KERB_THINGS = ("", "Bench", "Street_Bin", "Planter", "Hydrant", "Post_Box")
_KERB_CHANCES = (0.42, 0.18, 0.14, 0.14, 0.07, 0.05)


def add_roads(builder: CityBuilder) -> None:
    """Asphalt and paint of every stretch and crossing."""
    for stretch in stretches():
        meshes = city_streets.carriageway(stretch.length_m, stretch.half_m)
        meshes.append(_paint(stretch, builder.rng))
        at, yaw = (*stretch.start, 0.0), _yaw(stretch)
        builder.add("Street", at, [placed(mesh, at, yaw) for mesh in meshes], _asphalt(builder.rng))
    for area in crossings():
        lid = city_streets.manhole(area.middle[0] + float(builder.rng.uniform(-3, 3)), -area.middle[1] + 1.0)
        mesh = joined([city_streets.ground(area, ROAD_UP_M, Material.ASPHALT, 6.0), lid])
        builder.lay("Crossing", mesh, area.middle, _asphalt(builder.rng))


def _paint(stretch: Stretch, rng: np.random.Generator) -> Mesh:
    long, lane = stretch.length_m, LANE_M
    parts = [city_streets.markings(long, stretch.half_m)]
    parts += [city_streets.lane_arrow(long - 13.0, -lane, 1.0), city_streets.lane_arrow(13.0, lane, -1.0)]
    for share in (0.3, 0.5, 0.75):
        parts.append(city_streets.manhole(share * long + float(rng.uniform(-3, 3)), float(rng.uniform(-lane, lane))))
    return joined(parts)


def _asphalt(rng: np.random.Generator) -> Tint:
    worn = float(rng.uniform(0.5, 1.0))
    return varied((worn, worn, worn), rng, 0.06)


def _yaw(stretch: Stretch) -> float:
    return 0.0 if stretch.is_avenue else np.pi / 2


def along(stretch: Stretch, x: float, y: float) -> Place:
    """North and east of a point x metres along a stretch and y metres left of its middle."""
    north, east = stretch.start
    return (north + x, east - y) if stretch.is_avenue else (north + y, east + x)


def add_pavements(builder: CityBuilder) -> None:
    """Around each block, and outside the roads around the city."""
    for block in blocks():
        tint = mixed(city_colours.PAVINGS, builder.rng, 0.1)
        for mesh, middle in city_streets.pavements(block):
            builder.lay("Pavement", mesh, middle, varied(tint, builder.rng, 0.06))
    for mesh, middle in city_streets.outer_pavements(outline()):
        builder.lay("Pavement", mesh, middle, mixed(city_colours.PAVINGS, builder.rng, 0.1))


def furnish(builder: CityBuilder) -> None:
    """Everything beside and on the stretches."""
    for stretch in stretches():
        _lights(builder, stretch)
        _lamps_and_trees(builder, stretch)
        _signs(builder, stretch)
        _small_things(builder, stretch)
        _parked(builder, stretch)
    for north, half in STREETS:
        for east, across in AVENUES:
            n, e = half + 1.9, across + 1.9
            if (north, half) != STREETS[0] and (east, across) != AVENUES[0]:
                builder.stand("Name_Plate", streets.name_plates(), (north - n, east - e), 0.0, (0.02, 0.10, 0.35))


def _stand(
    builder: CityBuilder,
    prefix: str,
    mesh: Mesh,
    stretch: Stretch,
    spot: tuple[float, float, float],
    tint: Tint = _METAL,
) -> None:
    """Put something at (x, y) of a stretch, turned counter-clockwise."""
    x, y, turn = spot
    builder.stand(prefix, mesh, along(stretch, x, y), _yaw(stretch) - turn, tint)


def _lights(builder: CityBuilder, stretch: Stretch) -> None:
    """On the right of who comes to either end, facing him. Avenues have green, streets red."""
    lit = "green" if stretch.is_avenue else "red"
    y = stretch.half_m + 0.7
    for x, side, turn in ((city_streets.STOP_M, y, 0.0), (stretch.length_m - city_streets.STOP_M, -y, np.pi)):
        colour = "amber" if builder.rng.random() < 0.1 else lit
        _stand(builder, "Traffic_Light", city_signals.traffic_light(colour), stretch, (x, side, turn))


def _lamps_and_trees(builder: CityBuilder, stretch: Stretch) -> None:
    """Both kerbs: lamps every 22 m, trees in pits between them."""
    y = stretch.half_m + _KERB_ZONE_M
    for side in (-1.0, 1.0):
        outside = not _is_inside(along(stretch, stretch.length_m / 2, side * y))
        share = 0.6 if outside else 0.8
        first = 9.0 if side > 0 else 14.0
        for k, x in enumerate(np.arange(first, stretch.length_m - 8.0, 7.4)):
            if k % 3 == 0:
                turn = -side * np.pi / 2
                _stand(builder, "Lamp_Post", city_furniture.avenue_lamp(), stretch, (float(x), side * y, turn))
            elif builder.rng.random() < share:
                place = along(stretch, float(x), side * y)
                pit = Rectangle(place[0] - 0.6, place[1] - 0.6, place[0] + 0.6, place[1] + 0.6)
                soil = city_streets.ground(pit, WALK_UP_M + 0.012, Material.THICKET, 2.0)
                builder.lay("Tree_Pit", soil, place, varied((0.55, 0.36, 0.24), builder.rng, 0.3))
                builder.street_tree(place)


def _is_inside(place: Place) -> bool:
    area = outline()
    return area.south < place[0] < area.north and area.west < place[1] < area.east


def _signs(builder: CityBuilder, stretch: Stretch) -> None:
    rng, long, y = builder.rng, stretch.length_m, stretch.half_m + 0.6
    for x, side, turn in ((11.5, -y, np.pi), (long - 11.5, y, 0.0), (long * 0.55, -y, np.pi)):
        kind = str(rng.choice(("speed", "no parking", "ahead", "no entry", "square", "warning")))
        if kind == "square":
            mesh = city_signals.square_sign(int(rng.choice((33, 36))))
        elif kind == "warning":
            mesh = streets.sign("warning")
        else:
            mesh = city_signals.round_sign(kind)
        tint = streets.SIGN_TINTS["warning"] if kind == "warning" else (0.45, 0.46, 0.47)
        _stand(builder, "Road_Sign", mesh, stretch, (x, side, turn), tint)
    if rng.random() < 0.3:
        board = city_signals.direction_board(int(rng.integers(2)), int(rng.integers(8)))
        _stand(builder, "Road_Sign", board, stretch, (long - 18.0, -stretch.half_m - 1.0, np.pi), (0.4, 0.4, 0.4))


def _small_things(builder: CityBuilder, stretch: Stretch) -> None:
    """What stands between the trees of the inner pavements; bollards and a bus shelter here and there."""
    rng, long, y = builder.rng, stretch.length_m, stretch.half_m + _KERB_ZONE_M
    for side in (-1.0, 1.0):
        if not _is_inside(along(stretch, long / 2, side * (y + 1))):
            continue
        for x in np.arange(12.5, long - 12, 7.4):
            kind = str(rng.choice(_KERB_THINGS, p=_KERB_CHANCES))
            if kind == "Planter":
                _planter(builder, stretch, float(x), side * y)
            elif kind:
                mesh = {
                    "Bench": city_furniture.bench, "Street_Bin": city_furniture.street_bin,
                    "Post_Box": city_furniture.post_box, "Hydrant": city_furniture.hydrant,
                }[kind]()  # fmt: skip
                _stand(builder, kind, mesh, stretch, (float(x), side * y, side * np.pi / 2), WHITE)
        if rng.random() < 0.25:
            _stand(builder, "Bollard", city_furniture.bollards(5), stretch, (long / 2, side * (y - 0.4), 0.0))
    if not stretch.at_edge and rng.random() < 0.5:
        shelter = city_furniture.bus_shelter(int(rng.integers(2)), int(rng.integers(8)))
        spot = (long - 24.0, -stretch.half_m - 1.1, np.pi / 2)
        _stand(builder, "Bus_Shelter", shelter, stretch, spot, (0.3, 0.31, 0.33))


def _planter(builder: CityBuilder, stretch: Stretch, x: float, y: float) -> None:
    """A trough with flowers or a bush."""
    _stand(builder, "Planter", city_furniture.planter(2.0, 0.8), stretch, (x, y, 0.0), WHITE)
    if builder.rng.random() < 0.5:
        builder.flowers(along(stretch, x, y), 0.6, up_m=WALK_UP_M + 0.5)
    else:
        builder.shrub(along(stretch, x, y), 0.5, up_m=WALK_UP_M + 0.5)


def _parked(builder: CityBuilder, stretch: Stretch) -> None:
    """Cars in the slots along both kerbs, about half of them taken, fewer at the edge of the city."""
    rng, taken = builder.rng, 0.3 if stretch.at_edge else 0.5
    slots = np.arange(city_streets.STOP_M + 6.0, stretch.length_m - 13.0, city_streets.SLOT_M)
    for side, yaw in ((1.0, np.pi), (-1.0, 0.0)):
        for x in slots:
            if rng.random() > taken:
                continue
            place = along(stretch, float(x + rng.uniform(-0.4, 0.4)), side * (stretch.half_m - PARKED_M))
            turn = _yaw(stretch) - yaw + float(rng.uniform(-0.03, 0.03))
            if rng.random() < 0.15:
                builder.stand(
                    "Parked_Van", city_vehicles.van(), place, turn, mixed(city_colours.VANS, rng), up_m=ROAD_UP_M
                )
            else:
                car, tint = builder.car()
                builder.stand("Parked_Car", car, place, turn, tint, up_m=ROAD_UP_M)
