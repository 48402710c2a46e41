"""Pictures of what cities are made of: brick, panes, shop windows, signs, paving. Painted as in textures.py.

Some are atlases: a square cut into equal cells, of which a mesh's texture coordinates choose one. PANES has 4 x 4
windows (the first two rows with pale frames, the last two with dark ones), SHOP_WINDOW 4 x 4, SIGN_BOARD 2 columns x 8
rows, AWNING 8 rows of stripes, and SWATCHES 8 x 8 plain colours.
"""

from collections.abc import Callable

import numpy as np

from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.types import BoolArray, Float64Array

SIZE = 256
PANE_CELLS = 4
SWATCH_CELLS = 8
SIGN_COLUMNS, SIGN_ROWS = 2, 8
AWNING_ROWS = 8

# Linear RGB. The order is a contract with those who put Material.SWATCHES on a mesh (city_furniture.painted).
SWATCHES: tuple[tuple[float, float, float], ...] = (
    # skin and hair
    (0.62, 0.38, 0.26), (0.45, 0.24, 0.14), (0.22, 0.11, 0.06), (0.09, 0.045, 0.025),
    (0.02, 0.015, 0.012), (0.10, 0.05, 0.02), (0.38, 0.26, 0.10), (0.45, 0.44, 0.42),
    # clothes, dark
    (0.02, 0.02, 0.025), (0.03, 0.05, 0.12), (0.06, 0.07, 0.09), (0.10, 0.08, 0.06),
    (0.05, 0.08, 0.05), (0.12, 0.03, 0.04), (0.14, 0.14, 0.15), (0.06, 0.10, 0.20),
    # clothes, light
    (0.75, 0.75, 0.72), (0.50, 0.12, 0.10), (0.65, 0.50, 0.12), (0.15, 0.32, 0.50),
    (0.20, 0.38, 0.22), (0.55, 0.32, 0.18), (0.42, 0.20, 0.36), (0.60, 0.52, 0.40),
    # signals: red, amber, green, lit and not; then the housing and a white light
    (1.0, 0.05, 0.03), (1.0, 0.55, 0.03), (0.06, 0.95, 0.40), (0.10, 0.015, 0.01),
    (0.10, 0.06, 0.01), (0.01, 0.07, 0.04), (0.015, 0.018, 0.016), (1.0, 0.98, 0.85),
    # road signs: red, blue, yellow, white, green, brown, black, grey
    (0.55, 0.02, 0.03), (0.02, 0.10, 0.45), (0.85, 0.52, 0.02), (0.88, 0.88, 0.88),
    (0.02, 0.18, 0.08), (0.20, 0.09, 0.04), (0.015, 0.015, 0.015), (0.32, 0.33, 0.34),
    # goods, flags, flowers
    (0.80, 0.10, 0.20), (0.90, 0.35, 0.05), (0.95, 0.80, 0.15), (0.55, 0.80, 0.20),
    (0.10, 0.60, 0.55), (0.15, 0.35, 0.85), (0.50, 0.20, 0.70), (0.90, 0.55, 0.65),
    # cars: head lamps, tail lamps, plates, taxi signs, trim
    (0.80, 0.82, 0.84), (0.45, 0.01, 0.01), (0.70, 0.70, 0.66), (0.95, 0.70, 0.05),
    (0.05, 0.05, 0.05), (0.25, 0.26, 0.27), (0.50, 0.51, 0.52), (0.02, 0.03, 0.04),
    # street furniture: dark green, oxide red, post yellow, granite, cast iron, rust, tar, sand
    (0.02, 0.07, 0.045), (0.25, 0.05, 0.03), (0.80, 0.55, 0.02), (0.30, 0.29, 0.28),
    (0.05, 0.055, 0.06), (0.22, 0.10, 0.05), (0.04, 0.04, 0.04), (0.60, 0.50, 0.36),
)  # fmt: skip


def noise(rng: np.random.Generator, cells: int = 4, octaves: int = 6, persistence: float = 0.6) -> Float64Array:
    """Tileable noise as [256,256,1]."""
    return fractal_noise(SIZE, rng, cells=cells, octaves=octaves, persistence=persistence)[..., None]


def _axes() -> tuple[Float64Array, Float64Array]:
    rows, columns = np.mgrid[0:SIZE, 0:SIZE].astype(np.float64)
    return columns, rows


def _clinker(rng: np.random.Generator) -> Float64Array:
    """Bricks in stretcher bond, pale: the tint is their colour."""
    column, row = _axes()
    course = (row // 8).astype(int)
    shift = (course % 2) * 12
    joint = ((row % 8) < 1) | (((column + shift) % 32) < 1)
    tone = rng.random((32, 8))[course, (((column + shift) // 32) % 8).astype(int)]
    bricks = (0.70 + 0.30 * tone)[..., None] * np.array((0.96, 0.92, 0.88)) * (0.8 + 0.3 * noise(rng, 16, 4))
    return np.where(joint[..., None], np.array((0.36, 0.38, 0.40)), bricks)


def _plaster(rng: np.random.Generator) -> Float64Array:
    return np.ones(3) * 0.82 * (0.86 + 0.2 * noise(rng, 3, 7, 0.65)) * (1 + 0.1 * (rng.random((SIZE, SIZE, 1)) - 0.5))


def _ashlar(rng: np.random.Generator) -> Float64Array:
    """Cut stone: four courses, blocks twice as long as high."""
    column, row = _axes()
    course = (row // 64).astype(int)
    shift = (course % 2) * 64
    joint = ((row % 64) < 3) | (((column + shift) % 128) < 3)
    tone = rng.random((4, 2))[course, (((column + shift) // 128) % 2).astype(int)]
    stone = np.ones(3) * (0.70 + 0.12 * tone)[..., None] * (0.78 + 0.36 * noise(rng, 6, 6, 0.7))
    ashlar: Float64Array = np.where(joint[..., None], 0.42 * stone, stone)
    return ashlar


def _cladding(rng: np.random.Generator) -> Float64Array:
    """Ribbed metal sheets, the ribs upright."""
    column, _ = _axes()
    rib = 0.78 + 0.2 * np.sin(column * 2 * np.pi * 16 / SIZE)
    return np.ones(3) * rib[..., None] * (0.9 + 0.14 * noise(rng, 4, 5))


def _roofing(rng: np.random.Generator) -> Float64Array:
    """Bitumen felt in lanes, with blisters and lighter grit."""
    column, _ = _axes()
    seam = np.where((column % 64) < 2, 0.7, 1.0)[..., None]
    grit = 1 + 0.35 * (rng.random((SIZE, SIZE, 1)) - 0.5)
    return np.ones(3) * 0.62 * seam * grit * (0.7 + 0.5 * noise(rng, 5, 6, 0.7))


def _slabs(rng: np.random.Generator) -> Float64Array:
    """Pavement slabs, eight a side, each laid in another year."""
    column, row = _axes()
    i, j = (row // 32).astype(int), (column // 32).astype(int)
    joint = ((row % 32) < 1) | ((column % 32) < 1)
    tone = rng.random((8, 8))[i, j][..., None]
    slabs = np.array((0.60, 0.585, 0.555)) * (0.82 + 0.22 * tone) * (0.82 + 0.3 * noise(rng, 6, 7, 0.75))
    gum = rng.random((SIZE, SIZE, 1)) < 0.002
    spotted: Float64Array = np.where(joint[..., None], slabs * 0.62, np.where(gum, slabs * 0.75, slabs))
    return spotted


def _marking(rng: np.random.Generator) -> Float64Array:
    """Road paint, worn through to the asphalt in places."""
    worn = np.clip((noise(rng, 6, 6, 0.8) - 0.58) * 6, 0, 1) * 0.8
    paint = np.array((0.74, 0.74, 0.71)) * (0.85 + 0.2 * noise(rng, 8, 5))
    marking: Float64Array = paint * (1 - worn) + np.array((0.17, 0.17, 0.17)) * worn
    return marking


def _bars(rng: np.random.Generator) -> Float64Array:
    return np.ones(3) * 0.72 * (0.9 + 0.2 * noise(rng, 8, 4))


def _panes(rng: np.random.Generator) -> Float64Array:
    picture = np.empty((SIZE, SIZE, 3))
    side = SIZE // PANE_CELLS
    for i in range(PANE_CELLS):
        frame = np.array((0.78, 0.78, 0.76) if i < PANE_CELLS // 2 else (0.035, 0.037, 0.04))
        for j in range(PANE_CELLS):
            picture[i * side : (i + 1) * side, j * side : (j + 1) * side] = _pane(rng, frame, side)
    return picture


def _pane(rng: np.random.Generator, frame: Float64Array, side: int) -> Float64Array:
    """One window, row 0 at its foot: dark room, curtains or a blind, a frame with bars."""
    row, column = np.mgrid[0:side, 0:side] / side
    glass = np.array((0.030, 0.042, 0.055)) * (0.5 + 1.1 * row[..., None])
    if rng.random() < 0.55:  # curtains
        reach = rng.uniform(0.1, 0.3)
        folds = 0.75 + 0.25 * np.sin(column * 60)
        cloth = rng.uniform(0.14, 0.42) * np.array((1.0, rng.uniform(0.85, 1), rng.uniform(0.7, 0.95)))
        glass = np.where((np.abs(column - 0.5) > 0.5 - reach)[..., None], cloth * folds[..., None], glass)
    if rng.random() < 0.45:  # a blind
        drop = rng.uniform(0.15, 0.7)
        slats = 0.85 + 0.15 * np.sin(row * 110)
        glass = np.where((row > 1 - drop)[..., None], rng.uniform(0.2, 0.5) * slats[..., None] * np.ones(3), glass)
    if rng.random() < 0.15:  # somebody is at home
        glass = glass + np.array((0.16, 0.11, 0.05)) * np.exp(-8 * ((row - 0.7) ** 2 + (column - 0.5) ** 2))[..., None]
    bars = _frame(row, column, 0.075)
    bars |= np.abs(column - 0.5) < 0.03 if rng.random() < 0.7 else np.abs(row - 0.68) < 0.03
    picture = np.where(bars[..., None], frame, glass)
    shade = 1 - 0.55 * np.clip((row - 0.86) / 0.14, 0, 1)  # under the lintel
    pane: Float64Array = picture * shade[..., None]
    return pane


def _frame(row: Float64Array, column: Float64Array, wide: float) -> BoolArray:
    edge: BoolArray = np.minimum(np.minimum(row, 1 - row), np.minimum(column, 1 - column)) < wide
    return edge


def _curtain_wall(rng: np.random.Generator) -> Float64Array:
    """Four storeys of four panels: dark glass above a spandrel, in thin frames. The tint is the colour of the glass."""
    column, row = _axes()
    i, j = (row // 64).astype(int), (column // 64).astype(int)
    v, u = (row % 64) / 64, (column % 64) / 64
    tone = (0.10 + 0.10 * rng.random((4, 4)))[i, j]
    blind = rng.uniform(0.0, 1.0, (4, 4))[i, j]
    glass = np.where((v > 0.45 + 0.8 * blind) & (v < 0.97), tone + 0.16, tone) * (0.75 + 0.4 * v)
    panel = np.where(v < 0.22, 0.30, glass)
    mullion = (u < 0.045) | (v < 0.03) | (np.abs(v - 0.22) < 0.02)
    picture: Float64Array = np.where(mullion, 0.55, panel)[..., None] * np.ones(3) * (0.94 + 0.1 * noise(rng, 4, 4))
    return picture


def _shop_window(rng: np.random.Generator) -> Float64Array:
    picture = np.empty((SIZE, SIZE, 3))
    side = SIZE // 4
    for i in range(4):
        for j in range(4):
            door = (i + j) % 4 == 3
            picture[i * side : (i + 1) * side, j * side : (j + 1) * side] = _shop(rng, side, door=door)
    return picture


def _shop(rng: np.random.Generator, side: int, *, door: bool) -> Float64Array:
    """One bay, row 0 at its foot: a lit room with goods on shelves behind glass, or a glazed door."""
    row, column = np.mgrid[0:side, 0:side] / side
    warm = np.array((1.0, rng.uniform(0.8, 0.95), rng.uniform(0.55, 0.85)))
    room = warm * (0.05 + 0.16 * row[..., None] ** 2)
    room = np.where(((row > 0.83) & (row < 0.87))[..., None], warm * 0.8, room)  # lamps
    for shelf in np.arange(0.12, 0.72, rng.choice((0.2, 0.3, 0.6))):
        at = 0.08
        while at < 0.9 and not door:
            wide, high = rng.uniform(0.04, 0.14), rng.uniform(0.06, 0.2)
            inside = (column > at) & (column < at + wide) & (row > shelf) & (row < shelf + high)
            room = np.where(inside[..., None], np.array(SWATCHES[int(rng.integers(16, 48))]) * 0.7, room)
            at += wide + rng.uniform(0.01, 0.12)
        room = np.where((np.abs(row - shelf) < 0.012)[..., None], 0.12, room)
    frame = np.array(SWATCHES[int(rng.choice((8, 10, 30, 35, 54, 56)))])
    bars = _frame(row, column, 0.045)
    if door:
        bars |= (row < 0.12) | (np.abs(row - 0.74) < 0.025) | (np.abs(column - 0.5) < 0.03)
    shade = np.where(row > 0.9, 0.6, 1.0)[..., None]  # under the lintel
    picture: Float64Array = np.where(bars[..., None], frame, room) * shade
    return picture


def _sign_board(rng: np.random.Generator) -> Float64Array:
    picture = np.empty((SIZE, SIZE, 3))
    high, wide = SIZE // SIGN_ROWS, SIZE // SIGN_COLUMNS
    for i in range(SIGN_ROWS):
        for j in range(SIGN_COLUMNS):
            picture[i * high : (i + 1) * high, j * wide : (j + 1) * wide] = _lettering(rng, high, wide)
    return picture


def _lettering(rng: np.random.Generator, high: int, wide: int) -> Float64Array:
    """A board with strokes that look like a word from afar and say nothing from near by."""
    dark = rng.random() < 0.65
    ground = np.array(SWATCHES[int(rng.choice((8, 9, 13, 32, 33, 36, 38, 46, 57)))])
    ink = np.array(SWATCHES[int(rng.choice((16, 35, 42, 18)))])
    if not dark:
        ground, ink = ink * 0.9, ground
    board: Float64Array = np.ones((high, wide, 3)) * ground
    at, low, top = int(wide * 0.1), int(high * 0.28), int(high * 0.74)
    while at < wide * 0.86:
        letter = int(rng.integers(6, 10))
        board[low:top, at : at + 2] = ink
        for stroke in rng.choice(3, size=int(rng.integers(1, 3)), replace=False):
            level = (low, (low + top) // 2, top - 2)[int(stroke)]
            board[level : level + 2, at : at + letter - 2] = ink
        if rng.random() < 0.5:
            board[low:top, at + letter - 4 : at + letter - 2] = ink
        at += letter + (5 if rng.random() < 0.15 else 0)
    return board


def _awning(rng: np.random.Generator) -> Float64Array:
    column, row = _axes()
    scheme = (row // (SIZE // AWNING_ROWS)).astype(int)
    colours = np.array([SWATCHES[k] for k in (40, 36, 33, 42, 13, 44, 57, 8)])[scheme]
    pale = np.array((0.80, 0.78, 0.72))
    plain = np.isin(scheme, (4, 7))
    stripe = ((column // 32).astype(int) % 2 == 0) & ~plain
    awning: Float64Array = np.where(stripe[..., None], pale, colours) * (0.85 + 0.2 * noise(rng, 4, 5))
    return awning


def _swatches(_: np.random.Generator) -> Float64Array:
    side = SIZE // SWATCH_CELLS
    table = np.array(SWATCHES).reshape(SWATCH_CELLS, SWATCH_CELLS, 3)
    return np.repeat(np.repeat(table, side, 0), side, 1)


FACADE_PAINTERS: dict[Material, Callable[[np.random.Generator], Float64Array]] = {
    Material.CLINKER: _clinker,
    Material.PLASTER: _plaster,
    Material.ASHLAR: _ashlar,
    Material.PANES: _panes,
    Material.CURTAIN_WALL: _curtain_wall,
    Material.SHOP_WINDOW: _shop_window,
    Material.SIGN_BOARD: _sign_board,
    Material.AWNING: _awning,
    Material.SWATCHES: _swatches,
    Material.ROOFING: _roofing,
    Material.SLABS: _slabs,
    Material.MARKING: _marking,
    Material.CLADDING: _cladding,
    Material.RAILINGS: _bars,
    Material.WIRE_MESH: _bars,
}
