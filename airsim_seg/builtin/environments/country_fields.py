"""The fields of Country: a crooked patchwork, what grows on each, and what stands between them."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments import animals, colours, trees, walls, wild_plants
from airsim_seg.builtin.environments.colours import Tint, mixed, varied
from airsim_seg.builtin.environments.country_land import HALF_M, Plan
from airsim_seg.builtin.environments.ground import Ground
from airsim_seg.builtin.environments.meshes import Levels, Mesh, placed
from airsim_seg.builtin.environments.outdoors import add_sheep
from airsim_seg.builtin.environments.site import Site, ned
from airsim_seg.builtin.environments.wild_plants import with_levels
from airsim_seg.builtin.environments.woods import canopy, planted, scattered, tree_shapes
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import BoolArray, Float64Array

FIELD_UP_M = 0.02
_COUNT = 6
_SIDE_M, _JITTER_M, _INSET_M = 66.0, 9.0, 1.8
_VERGE_M = 4.5  # the ditch of a road
WOOD_TINT: Tint = (0.095, 0.12, 0.075)
# kind -> material, metres that its picture spans, tints.
KINDS: dict[str, tuple[Material, float, tuple[Tint, ...]]] = {
    "corn": (Material.GRAIN, 12.0, ((1.0, 1.0, 1.0), (1.15, 1.0, 0.8), (0.85, 0.9, 0.75))),
    "stubble": (Material.GRAIN, 9.0, ((1.25, 1.25, 1.2), (1.1, 1.15, 1.1))),
    "crop": (Material.CROP, 4.0, ((1.0, 1.0, 1.0), (0.75, 0.9, 0.9), (1.25, 1.05, 0.7), (0.8, 1.1, 0.7))),
    "soil": (Material.SOIL, 4.5, ((1.0, 1.0, 1.0), (1.35, 1.2, 1.1), (0.75, 0.72, 0.7))),
    "rape": (Material.MEADOW, 5.0, ((3.6, 2.4, 0.5), (3.2, 2.4, 0.6))),
    "pasture": (Material.GRASS, 3.5, ((0.85, 1.0, 0.8), (1.05, 1.05, 0.85), (0.75, 0.95, 0.75))),
    "hay": (Material.MEADOW, 4.0, ((1.5, 1.35, 0.9), (1.3, 1.2, 0.9))),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Field:
    """One field.

    Attributes:
        corners_m: float64 [4,2], counter-clockwise seen from above.
        kind: of KINDS, or "wood".
        inside_m: float64 [M,M], at the nodes: distance inside its edge, negative outside.
    """

    corners_m: Float64Array
    kind: str
    inside_m: Float64Array

    @property
    def middle_m(self) -> tuple[float, float]:
        """Of its corners."""
        x, y = self.corners_m.mean(0)
        return float(x), float(y)

    @property
    def turn_rad(self) -> float:
        """Direction of its rows."""
        along = self.corners_m[1] - self.corners_m[0]
        return float(np.arctan2(along[1], along[0]))


def choose_fields(plan: Plan, rng: np.random.Generator) -> tuple[list[Field], Float64Array]:
    """Fields, and the corners float64 [N,N,2] of the patchwork."""
    turn, half = rng.uniform(-0.25, 0.25), _COUNT * _SIDE_M / 2
    steps = np.linspace(-half, half, _COUNT + 1)
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij"), -1) + rng.uniform(
        -_JITTER_M, _JITTER_M, (_COUNT + 1, _COUNT + 1, 2)
    )
    cos, sin = np.cos(turn), np.sin(turn)
    grid = grid @ np.array(((cos, sin), (-sin, cos)))
    x, y = plan.lattice.nodes_m
    free, kinds = _free_m(plan, x, y), _kinds(rng)
    fields = []
    for i in range(_COUNT):
        for j in range(_COUNT):
            corners = np.array((grid[i, j], grid[i + 1, j], grid[i + 1, j + 1], grid[i, j + 1]))
            outer = i in (0, _COUNT - 1) or j in (0, _COUNT - 1)
            inside = np.minimum(_inside_m(corners, x, y) - _INSET_M, free)
            fields.append(Field(corners, kinds[outer].pop(), inside))
    return fields, grid


def _kinds(rng: np.random.Generator) -> dict[bool, list[str]]:
    """What grows on the fields at the edge of the patchwork (True) and on the others, in random order."""
    rim = ["wood"] * 6 + ["corn"] * 4 + ["crop"] * 2 + ["soil"] * 2 + ["stubble"] * 2 + ["pasture"] * 3 + ["hay"]
    heart = ["wood", "rape", "stubble", "hay", "crop", "crop", "crop", "soil", "soil", "corn", "corn"] + ["pasture"] * 5
    return {True: [str(kind) for kind in rng.permutation(rim)], False: [str(kind) for kind in rng.permutation(heart)]}


def _inside_m(corners: Float64Array, x: Float64Array, y: Float64Array) -> Float64Array:
    """Distance inside the nearest of four lines, negative outside."""
    found = np.full(x.shape, np.inf)
    for a, b in zip(corners, np.roll(corners, -1, 0), strict=True):
        (dx, dy), long = b - a, float(np.linalg.norm(b - a))
        found = np.minimum(found, (dx * (y - a[1]) - dy * (x - a[0])) / long)
    return found


def _free_m(plan: Plan, x: Float64Array, y: Float64Array) -> Float64Array:
    """Room for fields at the nodes: metres beyond verges, yards, the pond and the map's edge."""
    rooms = [road.beside_m - _VERGE_M for road in plan.roads] + [track.beside_m - 0.8 for track in plan.tracks]
    rooms += [yard.outside_m(x, y) - 3.0 for yard in plan.yards]
    rooms += [garden.outside_m(x, y) - 3.5 for garden in plan.gardens]
    rooms += [pond.outside_m(x, y) - 5.0 for pond in plan.ponds]
    rooms += [HALF_M - 4.0 - np.maximum(np.abs(x), np.abs(y))]
    return np.asarray(np.min(rooms, 0), np.float64)


def bare_ground(ground: Ground, fields: list[Field]) -> BoolArray:
    """bool [T]: triangles of the ground that no field covers wholly; the others nobody sees."""
    owner = np.full(ground.heights_m.shape, -1)
    for k, field in enumerate(fields):
        if field.kind != "wood":
            owner[field.inside_m > 0] = k
    rows = owner.reshape(-1)[ground.lattice.triangles]
    return np.asarray((rows[:, 0] < 0) | (rows != rows[:, :1]).any(1), np.bool_)


def add_fields(site: Site, plan: Plan, fields: list[Field], rng: np.random.Generator) -> None:
    """What grows on each, and who grazes there."""
    ground = site.land.near
    foliage: list[Levels] = []
    herds = 0
    shapes = tree_shapes(rng, 0.3)
    roofs = []
    for field in fields:
        if field.kind == "wood":
            roofs.append(placed(canopy(ground, field.inside_m - 3.0, rng, high_m=rng.uniform(9, 13)), (0.0, 0.0, 0.0)))
            foliage += _edge_trees(site, plan, field, shapes, rng)
            continue
        material, tile_m, tints = KINDS[field.kind]
        mesh = ground.mesh(material, field.inside_m, up_m=FIELD_UP_M, tile_m=tile_m, turn_rad=field.turn_rad)
        if len(mesh):
            site.add("Field", [mesh], site.point_m(*field.middle_m), tint=varied(mixed(tints, rng, 0.1), rng, 0.1))
        if field.kind == "pasture":
            herds += 1
            _add_herd(site, plan, field, ("Cow", "Sheep")[herds % 2], rng)
        if field.kind in ("stubble", "hay"):
            _add_bales(site, plan, field, rng)
    site.add_foliage("InstancedFoliageActor", [*foliage, *roofs], WOOD_TINT)


def _value_at(plan: Plan, field: Field, x: float, y: float) -> float:
    """inside_m of a place."""
    return plan.lattice.sample(field.inside_m, x, y)


def _edge_trees(site: Site, plan: Plan, field: Field, shapes: list[Mesh], rng: np.random.Generator) -> list[Levels]:
    def at_edge(x: float, y: float) -> bool:
        """Closer together where people pass."""
        near_edge = 0.5 < _value_at(plan, field, x, y) < 5.5 and max(abs(x), abs(y)) < HALF_M - 5
        return near_edge and (rng.random() < 0.3 or plan.free_m(x, y) < 16)

    mx, my = field.middle_m
    places = scattered(rng, 22, _SIDE_M * 0.7, 4.2, lambda x, y: at_edge(x + mx, y + my))
    return planted(site, shapes, [(x + mx, y + my) for x, y in places], rng)


def _inside_places(
    plan: Plan, field: Field, count: int, least_m: float, room_m: float, rng: np.random.Generator
) -> list[tuple[float, float]]:
    mx, my = field.middle_m
    found = scattered(rng, count, _SIDE_M * 0.6, least_m, lambda x, y: _value_at(plan, field, x + mx, y + my) > room_m)
    return [(x + mx, y + my) for x, y in found]


def _add_herd(site: Site, plan: Plan, field: Field, kind: str, rng: np.random.Generator) -> None:
    brown = rng.random() < 0.4
    for x, y in _inside_places(plan, field, int(rng.integers(5, 11)), 3.2, 3.0, rng):
        if kind == "Sheep":
            add_sheep(site, x, y, rng)
            continue
        tint = varied((0.75, 0.42, 0.22) if brown else (1.0, 1.0, 1.0), rng, 0.2)
        site.put("Cow", animals.cow(bool(rng.random() < 0.6)), x, y, float(rng.uniform(0, 2 * np.pi)), tint=tint)


def _add_bales(site: Site, plan: Plan, field: Field, rng: np.random.Generator) -> None:
    for x, y in _inside_places(plan, field, int(rng.integers(5, 10)), 9.0, 3.0, rng):
        turn = field.turn_rad + rng.normal(0, 0.3)
        site.put("Hay_Bale", walls.hay_bale(), x, y, turn, tint=varied((0.95, 0.92, 0.85), rng, 0.2), up_m=FIELD_UP_M)


def add_boundaries(site: Site, plan: Plan, grid: Float64Array, rng: np.random.Generator) -> None:
    """Hedgerows, walls and fences along the edges of the patchwork, and trees in the hedges."""
    count = len(grid)
    edges = [(grid[i, j], grid[i + 1, j]) for i in range(count - 1) for j in range(count)]
    edges += [(grid[i, j], grid[i, j + 1]) for i in range(count) for j in range(count - 1)]
    for a, b in edges:
        kind = str(rng.choice(("hedge", "wall", "rails", "wire", "none"), p=(0.34, 0.17, 0.15, 0.12, 0.22)))
        for places in _runs(plan, a, b):
            _add_boundary(site, kind, walls.on_ground(site.land.near, places), rng)


def _runs(plan: Plan, a: Float64Array, b: Float64Array) -> list[Float64Array]:
    """The stretches of a line that are clear of everything, each float64 [K,2] and at most 25 m long."""
    places = a + (b - a) * np.linspace(0.02, 0.98, max(2, round(float(np.linalg.norm(b - a)) / 2.5)))[:, None]
    clear = np.array([plan.free_m(float(x), float(y)) > 4.3 and max(abs(x), abs(y)) < HALF_M - 5 for x, y in places])
    found: list[list[int]] = [[]]
    for k in np.arange(len(places)):
        if not clear[k]:
            found.append([])
            continue
        found[-1].append(int(k))
        if len(found[-1]) > 10:
            found.append([int(k)])
    return [places[run] for run in found if len(run) > 2]


def _add_boundary(site: Site, kind: str, path: Float64Array, rng: np.random.Generator) -> None:
    if kind == "hedge":
        mesh = walls.hedgerow(path, rng, height_m=rng.uniform(1.4, 2.3), wide_m=1.7, density=1.35, leaf_m=1.2)
        middle = path[len(path) // 2]
        plant = with_levels(placed(mesh, (0.0, 0.0, 0.0)), ned(middle))
        site.builder.add("Hedgerow", ned(middle), [plant], mixed(colours.HEDGES, rng, 0.3))
        if rng.random() < 0.4:
            add_tree(site, float(middle[0]), float(middle[1]), rng)
    elif kind == "wall":
        mesh = walls.stone_wall(path, rng, height_m=rng.uniform(0.9, 1.3))
        site.add("Dry_Stone_Wall", [mesh], path[0], tint=mixed(colours.ROCKS, rng))
    elif kind == "rails":
        site.add("Fence", [walls.rail_fence(path, height_m=1.25)], path[0], tint=mixed(colours.BOARD_FENCES, rng))
    elif kind == "wire":
        site.add("Fence", [walls.wire_fence(path)], path[0], tint=mixed(colours.BOARD_FENCES, rng))


def add_tree(site: Site, x: float, y: float, rng: np.random.Generator, kind: str | None = None) -> None:
    """Plant one tree of a kind that stands alone in fields."""
    kind = str(rng.choice(("Oak", "Birch", "Pine"), p=(0.62, 0.25, 0.13))) if kind is None else kind
    if kind == "Oak":
        mesh = trees.broadleaf(rng, height_m=rng.uniform(9, 14), spread_m=rng.uniform(4, 6), count=280, card_m=1.6)
        tint = mixed(colours.TREES, rng, 0.35)
    elif kind == "Birch":
        mesh = trees.broadleaf(
            rng, height_m=rng.uniform(9, 13), spread_m=rng.uniform(2.2, 3.2), count=210, card_m=1.05,
            bark=Material.BIRCH_BARK, lobes=13,
        )  # fmt: skip
        tint = mixed(colours.BIRCHES, rng, 0.3)
    elif kind == "Poplar":
        mesh, tint = wild_plants.poplar(rng, height_m=rng.uniform(13, 18), count=280), mixed(colours.BIRCHES, rng, 0.25)
    elif kind == "Apple_Tree":
        mesh = wild_plants.wood_tree(rng, height_m=rng.uniform(3.8, 5), spread_m=rng.uniform(1.7, 2.3), count=80)
        tint = mixed(colours.HEDGES, rng, 0.25)
    else:
        mesh = wild_plants.pine(rng, height_m=rng.uniform(10, 15), spread_m=rng.uniform(3, 4), count=220)
        tint = mixed(colours.FIRS, rng, 0.3)
    site.plant(kind, mesh, x, y, float(rng.uniform(0, 6)), tint)


def add_orchard(site: Site, plan: Plan, x: float, y: float, turn_rad: float, rng: np.random.Generator) -> None:
    """Apple trees in rows, where there is room."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    for i in range(3):
        for j in range(3):
            along, across = 6.0 * (i - 1.0) + rng.normal(0, 0.3), 6.0 * (j - 1.0) + rng.normal(0, 0.3)
            px, py = float(x + cos * along - sin * across), float(y + sin * along + cos * across)
            if plan.free_m(px, py) > 5.0:
                add_tree(site, px, py, rng, "Apple_Tree")
