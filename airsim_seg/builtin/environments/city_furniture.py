"""What stands on pavements. Frames as in meshes.py: foot at the origin; what has a front turns it along x."""

from functools import cache

import numpy as np

from airsim_seg.builtin.environments.meshes import Mesh, Point, box, cylinder, flat, joined, quad, rectangle_uv
from airsim_seg.builtin.rendering.facade_textures import SIGN_COLUMNS, SIGN_ROWS, SWATCH_CELLS
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.types import Float64Array

# Numbers of facade_textures.SWATCHES.
RED_ON, AMBER_ON, GREEN_ON, RED_OFF, AMBER_OFF, GREEN_OFF, HOUSING, LAMP = 24, 25, 26, 27, 28, 29, 30, 31
SIGN_RED, SIGN_BLUE, SIGN_YELLOW, SIGN_WHITE, SIGN_GREEN, SIGN_BROWN, BLACK, GREY = 32, 33, 34, 35, 36, 37, 38, 39
DARK_GREEN, POST_RED, IRON = 56, 57, 60


def painted(mesh: Mesh, swatch: int) -> Mesh:
    """The same in one colour of facade_textures.SWATCHES."""
    row, column = divmod(swatch, SWATCH_CELLS)
    uv = np.empty_like(mesh.uv)
    uv[...] = (column + 0.5) / SWATCH_CELLS, (row + 0.5) / SWATCH_CELLS
    return Mesh(mesh.corners, mesh.normals, uv, np.full_like(mesh.materials, int(Material.SWATCHES)))


def disc(centre: Point, radius_m: float, swatch: int, *, sides: int = 8) -> Mesh:
    """A disc that faces along x."""
    angle = np.arange(sides + 1) * 2 * np.pi / sides
    middle = np.asarray(centre, np.float64)
    rim = middle + radius_m * np.stack([0 * angle, np.cos(angle), np.sin(angle)], 1)
    fan = np.stack([np.broadcast_to(middle, (sides, 3)), rim[:-1], rim[1:]], 1)
    return painted(flat(fan, Material.PAINT), swatch)


@cache
def avenue_lamp() -> Mesh:
    """A slim mast, 8 m high, with one arm along x."""
    mast = cylinder((0, 0, -0.3), (0, 0, 7.6), (0.12, 0.06), Material.METAL, sides=6)
    foot = cylinder((0, 0, -0.1), (0, 0, 1.0), (0.19, 0.15), Material.METAL, sides=6, cap=True)
    arm = cylinder((0, 0, 7.5), (1.2, 0, 7.95), (0.055, 0.04), Material.METAL, sides=4)
    head = box((1.0, -0.16, 7.9), (1.75, 0.16, 8.02), Material.METAL, bottom=True)
    light = painted(box((1.05, -0.13, 7.86), (1.7, 0.13, 7.9), Material.PAINT, bottom=True), LAMP)
    return joined([mast, foot, arm, head, light])


@cache
def park_lamp() -> Mesh:
    """A cast-iron post with a lantern, 4 m high."""
    post = cylinder((0, 0, -0.2), (0, 0, 3.2), (0.09, 0.05), Material.METAL, sides=8)
    foot = cylinder((0, 0, -0.1), (0, 0, 0.7), (0.16, 0.10), Material.METAL, sides=8, cap=True)
    glass = painted(cylinder((0, 0, 3.2), (0, 0, 3.7), (0.12, 0.22), Material.PAINT, sides=6), LAMP)
    hat = cylinder((0, 0, 3.7), (0, 0, 4.0), (0.26, 0.03), Material.METAL, sides=6)
    return joined([post, foot, glass, hat])


def lettered(low: Point, high: Point, column: int, row: int) -> Mesh:
    """A cell of SIGN_BOARD on an upright rectangle at constant x that faces along x."""
    (x, y0, z0), (_, y1, z1) = low, high
    picture = rectangle_uv(0.96, 0.92) + np.array((column + 0.02, row + 0.04))
    corners = np.array((((x, y0, z0), (x, y1, z0), (x, y1, z1)), ((x, y0, z0), (x, y1, z1), (x, y0, z1))))
    return flat(corners, Material.SIGN_BOARD, uv=picture / np.array((SIGN_COLUMNS, SIGN_ROWS)))


@cache
def bus_shelter(column: int, row: int) -> Mesh:
    """Glass on three sides, a roof, a bench and a board with the name of the stop; open along x."""
    parts = [
        box((-0.7, -2.0, 2.35), (0.8, 2.0, 2.47), Material.METAL, bottom=True),
        box((-0.45, -1.2, 0.42), (-0.1, 1.2, 0.48), Material.WOOD, bottom=True),
        box((-0.3, -1.0, 0.0), (-0.25, -0.9, 0.42), Material.METAL),
        box((-0.3, 0.9, 0.0), (-0.25, 1.0, 0.42), Material.METAL),
        lettered((0.81, -1.0, 2.28), (0.81, 1.0, 2.6), column, row),
    ]
    parts += [
        box((x - 0.04, y - 0.04, -0.1), (x + 0.04, y + 0.04, 2.4), Material.METAL)
        for x in (-0.6, 0.5)
        for y in (-1.9, 1.9)
    ]
    back = [(-0.6, -1.9, 0.2), (-0.6, 1.9, 0.2), (-0.6, 1.9, 2.2), (-0.6, -1.9, 2.2)]
    parts += [quad(*back, material=Material.GLASS), quad(*back[::-1], material=Material.GLASS)]
    side = [(-0.6, 1.9, 0.2), (0.5, 1.9, 0.2), (0.5, 1.9, 2.2), (-0.6, 1.9, 2.2)]
    parts += [quad(*side, material=Material.SHOP_WINDOW, uv_scale=0.11), quad(*side[::-1], material=Material.GLASS)]
    return joined(parts)


@cache
def bollards(count: int) -> Mesh:
    """A row of iron posts along x, 1.4 m apart."""
    posts = []
    for k in range(count):
        posts.append(cylinder((1.4 * k, 0, -0.1), (1.4 * k, 0, 0.85), (0.09, 0.07), Material.METAL, sides=6, cap=True))
    return joined(posts)


@cache
def bench() -> Mesh:
    """Slats on stone feet, 1.8 m along y; who sits looks along x."""
    feet = [box((-0.24, y - 0.08, -0.1), (0.24, y + 0.08, 0.40), Material.CONCRETE, tile_m=1.5) for y in (-0.7, 0.7)]
    slats = [
        box((x, -0.9, 0.40), (x + 0.13, 0.9, 0.46), Material.WOOD, bottom=True, tile_m=1.2)
        for x in (-0.25, -0.07, 0.11)
    ]
    back = [box((-0.30, -0.9, z), (-0.25, 0.9, z + 0.13), Material.WOOD, bottom=True, tile_m=1.2) for z in (0.58, 0.78)]
    return joined([*feet, *slats, *back])


@cache
def planter(long_m: float, wide_m: float) -> Mesh:
    """A stone trough with soil, 0.6 m high; x along its length."""
    x, y = long_m / 2, wide_m / 2
    sides = box((-x, -y, -0.1), (x, y, 0.55), Material.CONCRETE, tile_m=1.5)
    u, v = x - 0.1, y - 0.1
    soil = quad((-u, -v, 0.56), (u, -v, 0.56), (u, v, 0.56), (-u, v, 0.56), material=Material.RUBBER)
    return joined([sides, soil])


@cache
def street_bin() -> Mesh:
    """A litter bin."""
    body = painted(cylinder((0, 0, -0.05), (0, 0, 0.85), (0.24, 0.27), Material.PAINT, sides=8, cap=True), IRON)
    band = painted(cylinder((0, 0, 0.6), (0, 0, 0.72), (0.27, 0.28), Material.PAINT, sides=8), SIGN_YELLOW)
    return joined([body, band])


@cache
def post_box() -> Mesh:
    """A pillar box."""
    body = painted(cylinder((0, 0, -0.05), (0, 0, 1.35), (0.24, 0.24), Material.PAINT, sides=10), POST_RED)
    hat = painted(cylinder((0, 0, 1.35), (0, 0, 1.52), (0.28, 0.12), Material.PAINT, sides=10, cap=True), POST_RED)
    foot = painted(cylinder((0, 0, -0.05), (0, 0, 0.12), (0.27, 0.27), Material.PAINT, sides=10, cap=True), BLACK)
    return joined([body, hat, foot])


@cache
def hydrant() -> Mesh:
    """A fire hydrant."""
    body = painted(cylinder((0, 0, -0.05), (0, 0, 0.6), (0.11, 0.10), Material.PAINT, sides=8), POST_RED)
    dome = painted(cylinder((0, 0, 0.6), (0, 0, 0.75), (0.13, 0.04), Material.PAINT, sides=8, cap=True), POST_RED)
    arms = painted(cylinder((0, -0.2, 0.42), (0, 0.2, 0.42), (0.06, 0.06), Material.PAINT, sides=6, cap=True), GREY)
    return joined([body, dome, arms])


@cache
def cafe_table(swatch: int) -> Mesh:
    """A round table, two chairs and a parasol."""
    top = cylinder((0, 0, 0.70), (0, 0, 0.74), (0.38, 0.38), Material.METAL, sides=8, cap=True)
    pole = cylinder((0, 0, 0.0), (0, 0, 2.35), (0.035, 0.03), Material.METAL, sides=5)
    shade = painted(cylinder((0, 0, 2.05), (0, 0, 2.55), (1.25, 0.04), Material.PAINT, sides=8), swatch)
    under = painted(cylinder((0, 0, 2.55), (0, 0, 2.05), (0.04, 1.25), Material.PAINT, sides=8), swatch)
    chairs = []
    for sign in (-1.0, 1.0):
        chairs.append(
            painted(
                box((-0.2, sign * 0.75 - 0.2, 0.42), (0.2, sign * 0.75 + 0.2, 0.46), Material.PAINT, bottom=True), IRON
            )
        )
        chairs.append(
            painted(box((-0.2, sign * 0.93 - 0.02, 0.0), (0.2, sign * 0.93 + 0.02, 0.85), Material.PAINT), IRON)
        )
    return joined([top, pole, shade, flipped(under), *chairs])


def flipped(mesh: Mesh) -> Mesh:
    """The same seen from the other side."""
    return Mesh(mesh.corners[:, ::-1], -mesh.normals[:, ::-1], mesh.uv[:, ::-1], mesh.materials)


def fence(start: Point, end: Point, height_m: float, material: Material, post_every_m: float) -> Mesh:
    """See-through panels between posts, from one point to another.

    Args:
        start: on the ground, own frame.
        end: on the ground.
        height_m: of the panels.
        material: RAILINGS or WIRE_MESH.
        post_every_m: distance of the posts.
    """
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    long, up = float(np.linalg.norm(b - a)), np.array((0.0, 0.0, height_m))
    panel = flat(np.array(((a, b, b + up), (a, b + up, a + up))), material, uv=rectangle_uv(long, 1.0))
    return joined([panel, _posts(a, b, height_m + 0.06, max(2, round(long / post_every_m) + 1))])


def _posts(a: Float64Array, b: Float64Array, height_m: float, count: int) -> Mesh:
    half = np.array((0.04, 0.04, 0.0))
    feet = a + (b - a) * np.linspace(0, 1, count)[:, None]
    return joined([box(f - half - (0, 0, 0.2), f + half + (0, 0, height_m), Material.METAL) for f in feet])


def hoarding(start: Point, end: Point, height_m: float) -> Mesh:
    """A closed fence of boards around a building site."""
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    up, along = np.array((0.0, 0.0, height_m)), (b - a) / np.linalg.norm(b - a)
    out = 0.04 * np.array((along[1], -along[0], 0.0))
    return joined(
        [
            quad(a + out, b + out, b + out + up, a + out + up, material=Material.CLADDING, uv_scale=0.4),
            quad(b - out, a - out, a - out + up, b - out + up, material=Material.CLADDING, uv_scale=0.4),
            quad(a + out + up, b + out + up, b - out + up, a - out + up, material=Material.CLADDING, uv_scale=0.4),
        ]
    )
