"""The water's edge of Lakeside: lake, quay and promenade, mole and lighthouse, beaches, reeds, willows."""

import numpy as np

from airsim_seg.builtin.environments import church, colours, roadside, trees, walls, wild_plants, yards
from airsim_seg.builtin.environments.colours import mixed, varied
from airsim_seg.builtin.environments.cottages import STONES
from airsim_seg.builtin.environments.courses import Course, winding
from airsim_seg.builtin.environments.lakeside_land import QUAY_HALF_M, Plan
from airsim_seg.builtin.environments.meshes import blob, moved, quad
from airsim_seg.builtin.environments.outdoors import LAMP_TINT, add_reeds, add_rock, levelled
from airsim_seg.builtin.environments.roads import joint_m
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

QUAY_UP_M = 1.08
_LAKE_M = 1600.0
_STALKS = 200  # of a bed of reeds
_WILLOW_TINT = (0.15, 0.19, 0.07)
_DEEP, _SHALLOW = (0.035, 0.075, 0.085), (0.10, 0.145, 0.12)


def add_water(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """The lake: one sheet to the horizon, paler where the ground is near."""
    ground, far = site.land.near, _LAKE_M
    tint = varied(_DEEP, rng, 0.25)
    low = float(plan.shore.west_m(ground.lattice.axis_m).min()) - 14
    sheet = [quad((-far, low, 0), (far, low, 0), (far, far, 0), (-far, far, 0), material=Material.LAKE, uv_scale=0.09)]
    site.add("Lake", sheet, (0.0, 90.0, 0.0), tint=tint)
    for depth_m, up_m in ((1.6, 0.004), (0.7, 0.008)):
        mesh = ground.mesh(Material.LAKE, ground.heights_m + depth_m, 0.1 - ground.heights_m, tile_m=11.0)
        share = depth_m / 2.4
        red, green, blue = (float(d * share + p * (1 - share)) for d, p in zip(tint, _SHALLOW, strict=True))
        site.add("Lake", [levelled(mesh, up_m)], (0.0, 60.0, 0.0), tint=(red, green, blue))


def add_quay(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """The wall along the water, the promenade on it, lamps, benches and trees."""
    ground, shore = site.land.near, plan.shore.course()
    start, end = (shore.along_m(side * QUAY_HALF_M) for side in (-1.0, 1.0))
    line = shore.beside(1.4, start, end)
    path = np.column_stack([line.points_m, np.zeros(len(line.points_m))])
    profile = ((1.2, -2.6), (1.2, QUAY_UP_M), (-1.2, QUAY_UP_M), (-1.2, -0.6))
    for part in _pieces(path, 14):
        site.add(
            "Quay", [walls.swept(part, profile, Material.RUBBLE, tile_m=2.6)], part[0], tint=mixed(STONES, rng, 0.1)
        )
    x, y = ground.lattice.nodes_m
    inland = plan.shore.inland_m(x, y)
    tint, corners = mixed(colours.PAVING, rng), joint_m((plan.main, plan.back, plan.lane))
    for low, high in ((-QUAY_HALF_M, -26.0), (-26.0, 26.0), (26.0, QUAY_HALF_M)):
        part_of = (x - low, high - x)
        paving = ground.mesh(
            Material.PAVERS, inland + 0.6, 5.6 - inland, plan.main.beside_m - 0.7, *part_of, up_m=0.07, tile_m=3.0
        )
        walk = ground.mesh(Material.CONCRETE, plan.main.beside_m, 1.7 - plan.main.beside_m, -plan.main.left_m, corners,
                           *part_of, up_m=0.14, tile_m=3.0)  # fmt: skip
        middle = site.point_m((low + high) / 2, plan.shore.west_at((low + high) / 2) - 3.0)
        site.add("Promenade", [paving], middle, tint=tint)
        if len(walk):
            site.add("Promenade", [walk], middle, tint=mixed(colours.PAVING, rng))
    _furnish(site, shore, start, end, rng)


def _pieces(path: Float64Array, size: int) -> list[Float64Array]:
    """A line in overlapping pieces of so many points."""
    return [path[k : k + size + 1] for k in range(0, len(path) - 1, size)]


def _furnish(site: Site, shore: Course, start_m: float, end_m: float, rng: np.random.Generator) -> None:
    """Lamps, benches, a railing and a row of trees."""
    for k, along in enumerate(np.arange(start_m + 8, end_m - 5, 19.0)):
        x, y, turn = shore.at(float(along), -5.2)
        site.put("Quay_Lamp", roadside.lamp(), x, y, turn, tint=LAMP_TINT)
        x, y, turn = shore.at(float(along) + 6.0, -4.3)
        site.put("Bench", yards.bench(), x, y, turn + np.pi / 2, tint=mixed(STONES, rng), up_m=0.06)
        if k % 2 == 0:
            x, y, turn = shore.at(float(along) + 11.0, -4.4)
            mesh = trees.broadleaf(
                rng, height_m=rng.uniform(6, 8.5), spread_m=rng.uniform(2.2, 3.0), count=260, card_m=0.95
            )
            site.plant("Oak", mesh, x, y, turn, mixed(colours.TREES, rng, 0.3))
    for along in np.arange(start_m + 4, end_m - 22, 26.0):
        line = shore.beside(0.5, float(along), float(along) + 15.0)
        path = np.column_stack([line.points_m, np.full(len(line.points_m), QUAY_UP_M)])
        site.add("Railing", [walls.railing(path)], path[0], tint=mixed(colours.FENCES, rng))


def add_mole(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """A curved mole of masonry and boulders, a lighthouse at its end."""
    x = float(rng.uniform(48, 66))
    west = plan.shore.west_at(x)
    line = winding([(x, west - 1.0), (x + 3, west + 18), (x - 4, west + 36), (x - 20, west + 46)])
    path = np.column_stack([line.points_m, np.zeros(len(line.points_m))])
    body = walls.swept(path, ((2.6, -3.5), (1.9, 1.15), (-1.9, 1.15), (-2.6, -3.5)), Material.RUBBLE, tile_m=2.6)
    parapet = [walls.swept(path[1:-2], ((side + 0.2, 1.1), (side + 0.2, 1.65), (side - 0.2, 1.65), (side - 0.2, 1.1)),
                           Material.RUBBLE, tile_m=2.0) for side in (1.6,)]  # fmt: skip
    end_x, end_y, turn = line.at(line.length_m)
    head = [blob((end_x, end_y, -1.2), (4.2, 4.2, 2.55), Material.ROCK, rng, roughness=0.1)]
    site.add("Mole", [body, *parapet, *head], (x, west, 0.0), tint=mixed(STONES, rng, 0.1))
    plinth = np.array((end_x, end_y, 1.15))
    site.add("Lighthouse", [moved(church.lighthouse(), plinth, turn + np.pi)], plinth, tint=(0.55, 0.03, 0.03))
    site.add("Roof", [moved(church.lantern_roof(), plinth, turn)], plinth, tint=(0.45, 0.04, 0.04))
    for side in (-1.0, 1.0):
        boulders = []
        for along in np.arange(3.0, line.length_m, 2.6):
            bx, by, _ = line.at(float(along), side * rng.uniform(2.6, 3.6))
            boulders.append(
                moved(yards.rock(rng, rng.uniform(0.7, 1.1)), (bx, by, rng.uniform(-0.6, 0.0)), rng.uniform(0, 6))
            )
        site.add("Rock", boulders, (x, west, 0.0), tint=mixed(colours.ROCKS, rng))
    for along in (10.0, 28.0, line.length_m - 7.0):
        lx, ly, lt = line.at(along, -1.4)
        site.put("Quay_Lamp", roadside.lamp(), lx, ly, lt, tint=LAMP_TINT, level_m=1.15)


def add_beaches(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Pebbles, rocks, reeds and willows where the shore is natural."""
    ground = site.land.near
    x, _ = ground.lattice.nodes_m
    h = ground.heights_m
    for side in (-1.0, 1.0):
        pebbles = ground.mesh(Material.GRAVEL, side * x - QUAY_HALF_M - 1.0, 0.42 - h, h + 0.8, up_m=0.02, tile_m=2.5)
        at = (side * 120.0, plan.shore.west_at(side * 120.0), 0.0)
        site.add("Beach", [pebbles], at, tint=mixed(colours.ROCKS, rng))
    shore = plan.shore.course()
    for side in (-1.0, 1.0):
        for _ in range(8):
            along = shore.along_m(side * rng.uniform(QUAY_HALF_M + 8, 180))
            if rng.random() < 0.6:
                places = zip(rng.normal(along, 5, _STALKS), rng.uniform(0.5, 5.5, _STALKS), strict=True)
                stalks = np.array([shore.at(float(s), float(off))[:2] for s, off in places])
                add_reeds(site, ground, stalks, -0.3, rng)
            else:
                for _ in range(2):
                    px, py, _ = shore.at(along + rng.normal(0, 1.6), rng.uniform(-3, 4))
                    add_rock(site, px, py, rng.uniform(0.3, 0.9), rng)
        for north in np.arange(QUAY_HALF_M + 12, 185, 17.0):
            along = shore.along_m(side * (north + rng.uniform(-5, 5)))
            px, py, turn = shore.at(along, rng.uniform(-6.5, -4.0))
            mesh = wild_plants.willow(rng, height_m=rng.uniform(7, 11), spread_m=rng.uniform(3.2, 4.6), count=330)
            site.plant("Willow", mesh, px, py, turn, varied(_WILLOW_TINT, rng, 0.3))
