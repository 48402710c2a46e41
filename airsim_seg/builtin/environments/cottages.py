"""Village houses: stone, plaster or wood under a steep roof. Frame: x out of the front door, y left, z up, foot in the
middle; the ridge runs along y. Sizes are houses.House's."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from airsim_seg.builtin.environments import colours, houses
from airsim_seg.builtin.environments.colours import Tint, mixed
from airsim_seg.builtin.environments.houses import STOREY_M, House
from airsim_seg.builtin.environments.meshes import Mesh, box, cylinder, flat, joined, moved, quad
from airsim_seg.builtin.rendering.materials import Material

STONES: tuple[Tint, ...] = (
    (1.0, 0.97, 0.90), (0.75, 0.72, 0.70), (1.15, 1.05, 0.88), (0.62, 0.60, 0.58), (0.95, 0.85, 0.72),
)  # fmt: skip
PLASTERS: tuple[Tint, ...] = (
    (1.0, 0.99, 0.95), (0.95, 0.85, 0.62), (0.88, 0.62, 0.45), (0.72, 0.80, 0.88), (0.92, 0.72, 0.68),
    (0.75, 0.82, 0.62),
)  # fmt: skip
WOODS: tuple[Tint, ...] = (
    (1.0, 0.9, 0.8), (0.55, 0.45, 0.38), (1.4, 1.1, 0.8), (0.7, 0.68, 0.66), (0.85, 0.35, 0.25), (0.35, 0.30, 0.28),
)  # fmt: skip
_FOOT_M = 1.6  # foundations reach so deep, for slopes
_DORMER_WIDE_M = 1.9


@dataclass(frozen=True)
class Style:
    """What a house is built of.

    Attributes:
        lower: walls of the ground floor.
        upper: walls above.
        roof: of the slopes.
        shutters: has them.
        balcony: along the front, below the upper windows.
        dormers: how many on each slope.
    """

    lower: Material
    upper: Material
    roof: Material = Material.SHINGLES
    shutters: bool = False
    balcony: bool = False
    dormers: int = 0


STONE = Style(Material.RUBBLE, Material.RUBBLE)
PLASTERED = Style(Material.PLASTER, Material.PLASTER)
CHALET = Style(Material.PLASTER, Material.WOOD)
BOARDED = Style(Material.SIDING, Material.SIDING)


def random_house(rng: np.random.Generator, *, storeys: int) -> House:
    """A cottage with a steep gable roof."""
    deep = rng.uniform(6.4, 8.2)
    return House(deep, rng.uniform(8.0, 11.5), storeys, deep * rng.uniform(0.46, 0.62), False, False)


def random_style(rng: np.random.Generator, base: Style, house: House) -> Style:
    """The base with details of one house."""
    return replace(
        base,
        shutters=bool(rng.random() < 0.6),
        balcony=bool(base.upper == Material.WOOD and house.storeys > 1),
        dormers=int(rng.integers(0, 3)) if house.wide_m > 8.5 else 0,
    )


def wall_tint(style: Style, rng: np.random.Generator) -> Tint:
    """A colour for its walls."""
    tables = {Material.RUBBLE: STONES, Material.PLASTER: PLASTERS, Material.WOOD: WOODS, Material.SIDING: colours.WALLS}
    return mixed(tables[style.upper], rng)


def walls(house: House, style: Style) -> Mesh:
    """Walls with gables, windows, a door and deep foundations."""
    x, y, top = house.deep_m / 2, house.wide_m / 2, house.wall_m
    knee = 0.35 + STOREY_M if house.storeys > 1 else top
    parts = [
        box((-x - 0.07, -y - 0.07, -_FOOT_M), (x + 0.07, y + 0.07, 0.34), Material.RUBBLE, tile_m=2.2),
        _shell(x, y, 0.3, knee, style.lower),
    ]
    if top > knee:
        parts.append(_shell(x, y, knee, top, style.upper))
    gable = [((x, -y, top), (0, -y, top + house.rise_m), (-x, -y, top)),
             ((-x, y, top), (0, y, top + house.rise_m), (x, y, top))]  # fmt: skip
    parts.append(flat(gable, style.upper, tile_m=tile_m(style.upper)))
    parts.append(_door(x))
    parts.extend(moved(window(), place, turn) for place, turn in houses.window_places(house))
    attic = top + 0.3 * house.rise_m
    parts.extend(moved(window(0.42, 0.5), (0.0, side * y, attic), side * np.pi / 2) for side in (-1.0, 1.0))
    parts.extend(_dormer_walls(house, place, style) for place in _dormer_places(house, style))
    return joined(parts)


def tile_m(material: Material) -> float:
    """How many metres the picture of a wall spans."""
    return 1.7 if material == Material.RUBBLE else 2.6


def _shell(x: float, y: float, low: float, high: float, material: Material) -> Mesh:
    """Four walls without a lid."""
    ring = [(x, -y), (x, y), (-x, y), (-x, -y)]
    corners = []
    for (ax, ay), (bx, by) in zip(ring, [*ring[1:], ring[0]], strict=True):
        corners += [((ax, ay, low), (bx, by, low), (bx, by, high)), ((ax, ay, low), (bx, by, high), (ax, ay, high))]
    return flat(corners, material, tile_m=tile_m(material))


@cache
def window(half_wide_m: float = 0.5, half_high_m: float = 0.62) -> Mesh:
    """A casement of two panes and a bar, facing x."""
    w, h = half_wide_m, half_high_m
    frame = box((-0.05, -w - 0.1, -h - 0.1), (0.05, w + 0.1, h + 0.1), Material.TRIM)
    sill = box((0.0, -w - 0.16, -h - 0.17), (0.14, w + 0.16, -h - 0.1), Material.CONCRETE, bottom=True)
    panes = [quad((0.055, a, -h), (0.055, a + w - 0.05, -h), (0.055, a + w - 0.05, h), (0.055, a, h),
                  material=Material.GLASS) for a in (-w, 0.05)]  # fmt: skip
    return joined([frame, sill, *panes])


@cache
def _door(x: float) -> Mesh:
    frame = box((x - 0.05, -0.65, 0.3), (x + 0.06, 0.65, 2.6), Material.CONCRETE)
    leaf = box((x, -0.5, 0.32), (x + 0.09, 0.5, 2.42), Material.WOOD)
    step = box((x, -0.9, -1.0), (x + 0.8, 0.9, 0.2), Material.CONCRETE)
    return joined([frame, leaf, step])


def roof(house: House, style: Style) -> Mesh:
    """The slopes, and those of the dormers."""
    parts = [houses.roof(house)]
    for along, side in _dormer_places(house, style):
        lid = houses.roof_slab(0.5 * _DORMER_WIDE_M + 0.18, 1.3, 0.0, 0.75, hipped=False)
        reach, low = _dormer_reach(house)
        turned = moved(lid, (0.0, 0.0, 0.0), np.pi / 2)  # its ridge along x
        parts.append(moved(turned, (side * (reach - 1.0), along, low + 1.3)))
    mesh = joined(parts)
    return replace(mesh, materials=np.where(mesh.materials == Material.SHINGLES, int(style.roof), mesh.materials))


def _dormer_places(house: House, style: Style) -> list[tuple[float, float]]:
    """(along y, side of x) of each."""
    if style.dormers == 0:
        return []
    stops = (np.arange(style.dormers) - (style.dormers - 1) / 2) * (house.wide_m / (style.dormers + 0.4))
    return [(float(along), side) for along in stops for side in (1.0, -1.0)]


def _dormer_reach(house: House) -> tuple[float, float]:
    """Half the depth of the house at a dormer's front, and the height of its foot."""
    reach = house.deep_m / 2 - 0.55
    return reach, house.wall_m + house.rise_m * (1 - 2 * reach / house.deep_m)


def _dormer_walls(house: House, place: tuple[float, float], style: Style) -> Mesh:
    along, side = place
    reach, low = _dormer_reach(house)
    half, back = _DORMER_WIDE_M / 2, reach - 2.0
    body = box((back, -half, low), (reach, half, low + 1.35), style.upper, tile_m=2.6)
    gable = flat([(reach, -half, low + 1.35), (reach, half, low + 1.35), (reach, 0.0, low + 2.0)], style.upper)
    pane = moved(window(0.45, 0.45), (reach, 0.0, low + 0.7))
    return moved(joined([body, gable, pane]), (0.0, along, 0.0), 0.0 if side > 0 else np.pi)


def shutters(house: House) -> Mesh:
    """A pair beside every window of the front and the back."""
    parts = []
    for place, turn in houses.window_places(house):
        if abs(np.sin(turn)) < 0.1:
            for side in (-0.84, 0.84):
                leaf = box((0.0, side - 0.24, -0.72), (0.08, side + 0.24, 0.72), Material.SIDING, tile_m=0.9)
                parts.append(moved(leaf, place, turn))
    return joined(parts)


def balcony(house: House) -> Mesh:
    """A wooden balcony along the front under the upper windows, on posts."""
    front, half, up = house.deep_m / 2, house.wide_m / 2 - 0.3, 0.35 + STOREY_M
    reach = front + 1.25
    deck = box((front, -half, up - 0.12), (reach, half, up), Material.WOOD, bottom=True)
    posts = [box((reach - 0.14, y - 0.07, -0.6), (reach, y + 0.07, up), Material.BOARDS)
             for y in np.linspace(-half + 0.1, half - 0.1, 4)]  # fmt: skip
    rails = [
        houses.railing((reach - 0.05, -half, up), (reach - 0.05, half, up), 0.95),
        houses.railing((front, -half, up), (reach, -half, up), 0.95),
        houses.railing((front, half, up), (reach, half, up), 0.95),
    ]
    return joined([deck, *posts, *rails])


def chimney(house: House, y: float) -> Mesh:
    """A stack of stone through the ridge."""
    top, low = house.wall_m + house.rise_m + 0.8, house.wall_m + house.rise_m * 0.6
    stack = box((-0.35, y - 0.42, low), (0.35, y + 0.42, top), Material.RUBBLE, tile_m=1.8)
    cap = box((-0.43, y - 0.5, top), (0.43, y + 0.5, top + 0.12), Material.CONCRETE, bottom=True)
    pots = [cylinder((0, y + s, top), (0, y + s, top + 0.4), (0.12, 0.1), Material.BRICK, sides=6) for s in (-0.2, 0.2)]
    return joined([stack, cap, *pots])


def shed(long_m: float, deep_m: float, high_m: float, material: Material) -> tuple[Mesh, Mesh]:
    """Walls and roof of a shed with a wide door in its front, the long side along y."""
    house = House(deep_m, long_m, 1, 0.38 * deep_m, False, False)
    x, y, top = deep_m / 2, long_m / 2, high_m
    gable = [((x, -y, top), (0, -y, top + house.rise_m), (-x, -y, top)),
             ((-x, y, top), (0, y, top + house.rise_m), (x, y, top))]  # fmt: skip
    door = box((x, -1.3, 0.0), (x + 0.06, 1.3, min(2.3, 0.85 * top)), Material.WOOD, tile_m=2.0)
    body = [_shell(x, y, -1.0, top, material), flat(gable, material, tile_m=tile_m(material)), door]
    drop = house.rise_m * 0.4 / x
    lid = houses.roof_slab(x + 0.4, y + 0.4, top - drop, house.rise_m + drop, hipped=False)
    return joined(body), lid
