"""Woods: many trees that are one object, from a few shapes. Places as in ground.py."""

from collections.abc import Callable

import numpy as np

from airsim_seg.builtin.environments import trees, wild_plants
from airsim_seg.builtin.environments.ground import Ground, areas_m2
from airsim_seg.builtin.environments.meshes import Levels, Mesh, joined
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

_SHAPES = 7  # of each kind; turned about and scaled, none is recognised again


def scattered(
    rng: np.random.Generator, count: int, half_m: float, least_m: float, free: Callable[[float, float], bool]
) -> list[tuple[float, float]]:
    """Places at least so far apart.

    Args:
        rng: draws them.
        count: at most so many; fewer where there is no room after twelve attempts for each.
        half_m: half the side of the square that they lie in.
        least_m: between two of them.
        free: says of a place (x, y) whether something may stand there.
    """
    found = np.empty((0, 2))
    for place in rng.uniform(-half_m, half_m, (12 * count, 2)):
        if len(found) == count:
            break
        if ((found - place) ** 2).sum(1).min(initial=np.inf) > least_m**2 and free(float(place[0]), float(place[1])):
            found = np.concatenate([found, place[None]])
    return [(float(x), float(y)) for x, y in found]


def tree_shapes(rng: np.random.Generator, firs: float) -> list[Mesh]:
    """Some trees to copy.

    Args:
        rng: of their shapes.
        firs: share of firs.
    """
    shapes = []
    for k in range(2 * _SHAPES):
        if k < firs * 2 * _SHAPES:
            mesh = trees.fir(rng, height_m=rng.uniform(13, 21), spread_m=rng.uniform(2.8, 4.2), count=135)
        else:
            mesh = wild_plants.wood_tree(rng, height_m=rng.uniform(11, 18), spread_m=rng.uniform(3.8, 5.6), count=135)
        shapes.append(mesh)
    return shapes


def planted(
    site: Site, shapes: list[Mesh], places: list[tuple[float, float]], rng: np.random.Generator
) -> list[Levels]:
    """A copy of one of the shapes at each of the places, in NED."""
    plants = []
    for x, y in places:
        shape, scale = shapes[int(rng.integers(len(shapes)))], rng.uniform(0.75, 1.15)
        copy = Mesh(shape.corners * scale, shape.normals, shape.uv, shape.materials)
        plants.append(site.in_levels(copy, x, y, float(rng.uniform(0, 2 * np.pi))))
    return plants


def canopy(
    ground: Ground, inside_m: Float64Array, rng: np.random.Generator, *, high_m: float = 11.0, cards_a_m2: float = 0.13
) -> Mesh:
    """The roof of a wood as one bumpy sheet down to the ground at its edge, with leaves on it; in map coordinates.

    Args:
        ground: under it.
        inside_m: float64 [M,M], at the nodes: distance inside the edge of the wood, negative outside.
        rng: of its bumps.
        high_m: of the trees.
        cards_a_m2: how many leaf cards on its roof; five times as many at its edge.
    """
    x, y = ground.lattice.nodes_m
    a, b, c, d = rng.uniform(0, 2 * np.pi, 4)
    bumps = (
        np.sin(x / 2.9 + a) * np.sin(y / 3.3 + b) + np.sin(x / 4.7 + y / 5.9 + c) + 0.8 * np.sin(y / 2.1 - x / 7.7 + d)
    )
    lift = (high_m + 1.5 * bumps) * np.sqrt(np.clip(inside_m / 7.0, 0, 1))
    top = Ground(ground.lattice, ground.heights_m + lift)
    sheet = top.mesh(Material.THICKET, inside_m, tile_m=9.0)
    # The steep edge is what people see from the side.
    weights = areas_m2(sheet.corners) * np.where(sheet.normals[:, 0, 2] < 0.75, 5.0, 1.0)
    count = int(weights.sum() * cards_a_m2)
    chosen = rng.choice(len(weights), count, p=weights / weights.sum())
    shares = rng.dirichlet((1.0, 1.0, 1.0), count)
    places = (sheet.corners[chosen] * shares[..., None]).sum(1)
    outward = sheet.normals[chosen, 0]
    leaves = trees.cards(places + 0.3 * outward, outward, rng.uniform(1.3, 2.6, count), Material.LEAVES, rng)
    return joined([sheet, leaves])
