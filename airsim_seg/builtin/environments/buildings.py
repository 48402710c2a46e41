"""Blocks of flats, offices and town houses. Frame: x out of the front, y left, z up, foot in the middle."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from airsim_seg.builtin.environments import facades
from airsim_seg.builtin.environments.facades import Wall, ledges, rectangles
from airsim_seg.builtin.environments.meshes import Mesh, box, joined, moved, quad
from airsim_seg.builtin.environments.shopfronts import (
    FOUNDATION_M,
    GROUND_M,
    awning,
    door,
    plain_ground,
    shop_edges_m,
    shops,
)
from airsim_seg.builtin.rendering.facade_textures import AWNING_ROWS
from airsim_seg.builtin.rendering.materials import Material

PARAPET_M = 0.9
STYLES = ("brick", "plaster", "strips", "ribbons", "glass")
_CORE_M = 0.7  # so far behind the walls stands a dark core: no crack between two rectangles shows the sky
# What a side of a building looks at.
STREET, REAR, PARTY = "street", "rear", "party"
Sides = tuple[str, str, str, str]


@dataclass(frozen=True)
class Building:
    """One building.

    Attributes:
        deep_m: along x.
        wide_m: along y.
        storeys: with the ground floor.
        style: of STYLES.
        sides: what front, left, back and right look at.
        storey_m: height of a storey above the ground floor.
        bay_m: from window to window.
        window_m: width and height of a window.
        pane_row: of PANES.
        steep: a roof with slopes instead of a flat one.
        shops: a ground floor of shops instead of flats.
    """

    deep_m: float
    wide_m: float
    storeys: int
    style: str
    sides: Sides
    storey_m: float
    bay_m: float
    window_m: tuple[float, float]
    pane_row: int
    steep: bool
    shops: bool

    @property
    def wall_m(self) -> float:
        """Height of the walls, without the parapet."""
        return GROUND_M + (self.storeys - 1) * self.storey_m

    @property
    def material(self) -> Material:
        """Of the walls."""
        return {"brick": Material.CLINKER, "plaster": Material.PLASTER, "strips": Material.CLINKER}.get(
            self.style, Material.PLASTER
        )

    def faces(self) -> list[tuple[float, float, float, str]]:
        """Direction (radians from x), width, distance and outlook of each side."""
        x, y = self.deep_m / 2, self.wide_m / 2
        places = [(0.0, y, x), (np.pi / 2, x, y), (np.pi, y, x), (-np.pi / 2, x, y)]
        return [(turn, 2 * half, reach, side) for (turn, half, reach), side in zip(places, self.sides, strict=True)]


def random_building(
    rng: np.random.Generator,
    deep_m: float,
    wide_m: float,
    storeys: int,
    sides: Sides,
    *,
    styles: tuple[str, ...] = STYLES,
) -> Building:
    """A building of a given size and place."""
    style = str(rng.choice(styles))
    wide_window = {"brick": (1.0, 1.5), "plaster": (1.0, 1.4), "strips": (1.4, 1.9)}.get(style, (1.2, 1.6))
    return Building(
        deep_m=deep_m,
        wide_m=wide_m,
        storeys=storeys,
        style=style,
        sides=sides,
        storey_m=float(rng.uniform(3.1, 3.6)),
        bay_m=float(rng.uniform(2.5, 3.4)),
        window_m=(float(rng.uniform(*wide_window)), float(rng.uniform(1.6, 2.0))),
        pane_row=int(rng.integers(4)),
        steep=bool(style in ("brick", "plaster") and storeys <= 6 and rng.random() < 0.5),
        shops=bool(rng.random() < 0.7),
    )


def upper_walls(building: Building, rng: np.random.Generator) -> Mesh:
    """All above the ground floor, with the parapet's outside and the core."""
    parts = [_core(building)]
    for turn, wide, reach, side in building.faces():
        wall = _wall(building, wide)
        parts.append(moved(_side(building, wall, side, rng), _out(turn, reach), turn))
        if not building.steep:
            half, top = wide / 2, wall.top_m
            crown = rectangles(np.array([(-half, top, half, top + PARAPET_M)]), 0.0, building.material)
            parts.append(moved(crown, _out(turn, reach), turn))
    return joined(parts)


def _wall(building: Building, wide: float) -> Wall:
    """One side above the ground floor."""
    sill = 0.95 if building.style == "ribbons" else 0.85
    return Wall(
        wide, GROUND_M, building.storeys - 1, building.storey_m, building.material, building.bay_m, building.window_m,
        sill, building.pane_row,
    )  # fmt: skip


def _side(building: Building, wall: Wall, side: str, rng: np.random.Generator) -> Mesh:
    if side == PARTY or not wall.storeys:
        return facades.blank(wall)
    if building.style == "glass":
        return facades.curtain(wall)
    if building.style == "ribbons":
        return facades.ribbons(wall, rng)
    if side == REAR:
        return facades.flush(wall, rng)
    if building.style == "strips":
        return facades.strips(wall, rng)
    return facades.punched(wall, rng)


def _core(building: Building) -> Mesh:
    x, y = building.deep_m / 2 - _CORE_M, building.wide_m / 2 - _CORE_M
    return box((-x, -y, FOUNDATION_M), (x, y, building.wall_m - 0.05), Material.RUBBER)


def _out(turn: float, reach: float) -> tuple[float, float, float]:
    return float(reach * np.cos(turn)), float(reach * np.sin(turn)), 0.0


def ground_floor(building: Building, rng: np.random.Generator) -> Mesh:
    """Shops or flats at street level, blank walls elsewhere."""
    parts = []
    for turn, wide, reach, side in building.faces():
        if side != STREET:
            front = plain_ground(wide)
        else:
            front = shops(wide, rng) if building.shops else _flats(building, wide, rng)
        parts.append(moved(front, _out(turn, reach), turn))
    return joined(parts)


def _flats(building: Building, wide: float, rng: np.random.Generator) -> Mesh:
    """Windows, a course above them, and a door with a canopy in the middle."""
    wall = Wall(wide, 0.0, 1, GROUND_M, Material.ASHLAR, building.bay_m, building.window_m, 1.25, building.pane_row)
    foot = rectangles(np.array([(-wide / 2, FOUNDATION_M, wide / 2, 0.0)]), 0.0, Material.ASHLAR)
    course = ledges(np.array([(-wide / 2, GROUND_M - 0.22, wide / 2, GROUND_M)]), 0.12, Material.ASHLAR)
    parts = [foot, facades.punched(wall, rng), course]
    if wide > 6:
        y = float(wall.columns_m[len(wall.columns_m) // 2]) if len(wall.columns_m) else 0.0
        parts.append(moved(door(), (0.0, y, 0.0)))
    return joined(parts)


def awnings(building: Building, rng: np.random.Generator) -> list[Mesh]:
    """Awnings over some of the shops, one mesh a shop."""
    found = []
    for turn, wide, reach, side in building.faces():
        if side != STREET or not building.shops:
            continue
        for a, b in pairwise(shop_edges_m(wide)):
            if rng.random() < 0.5:
                cloth = awning(float(a) + 0.35, float(b) - 0.35, int(rng.integers(AWNING_ROWS)))
                found.append(moved(cloth, _out(turn, reach), turn))
    return found


def balconies(building: Building, rng: np.random.Generator) -> Mesh | None:
    """Slabs with railings before every other window of the front."""
    columns = _wall(building, building.wide_m).columns_m[int(rng.integers(2)) :: 2]
    parts = []
    for storey in range(1, building.storeys):
        z = GROUND_M + (storey - 1) * building.storey_m
        for y in columns:
            parts.append(_balcony(building.deep_m / 2, float(y), z, min(1.1, building.bay_m / 2 - 0.15)))
    return joined(parts) if parts else None


def _balcony(x: float, y: float, z: float, half: float) -> Mesh:
    out, high = 1.15, 1.05
    slab = box((x, y - half, z - 0.12), (x + out, y + half, z + 0.05), Material.CONCRETE, bottom=True)
    corners = [(x, y - half), (x + out, y - half), (x + out, y + half), (x, y + half)]
    rails = [
        quad((*a, z), (*b, z), (*b, z + high), (*a, z + high), material=Material.RAILINGS, uv_scale=1 / high)
        for a, b in pairwise(corners)
    ]
    return joined([slab, *rails])
