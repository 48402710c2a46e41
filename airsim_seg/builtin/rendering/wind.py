"""Wind in the leaves: how far each leaf card is from where the scene has it.

A card never turns: it is carried along, as its branch leans with the wind, and trembles about that, as leaves do. The
cards of a plant lean together, each trembles in its own way; trunks, and what has no leaves, stand. Everything is a
function of wind and time alone, on a grid, so that ids and depths are exact and equal on every machine: they are those
of the swayed triangles. Shadows, and what feels instead of seeing (lidar, collisions), know the leaves at rest.

Sizes and paces are tuned by eye; no figure of a network rests on them.
"""

import math

import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.geometry import on_grid
from airsim_seg.builtin.scene import Scene, Wind
from airsim_seg.types import BoolArray, Float32Array, Int64Array, UInt8Array

PLANTS, CARDS = 8, 16  # ways of leaning, and for each of them ways of trembling
SWAYS = 1 + PLANTS * CARDS  # number 0 stands still
OFFSET_GRID_M = 2.0**-12
LEAN_S, MOST_LEAN_M = 0.018, 0.25  # metres of lean a metre a second of wind, and at most
TREMBLE_S, MOST_TREMBLE_M = 0.006, 0.06
LEAN_PERIODS_NS = (2_300_000_000, 2_700_000_000, 3_100_000_000, 1_900_000_000)  # so that no two neighbours keep step
TREMBLE_PERIODS_NS = (430_000_000, 510_000_000, 370_000_000, 610_000_000)
GUST_PERIOD_NS = 11_000_000_000


def sways_of(scene: Scene, leafy: BoolArray) -> UInt8Array:
    """How each triangle sways: uint8 [T], 0 for not at all.

    A plant is known by its anchor, or else by its object; a card by its first corner, so that copies sway alike.

    Args:
        scene: the world.
        leafy: bool [T], the leaf cards.
    """
    counts = np.diff(scene.chunks, axis=1)[:, 0]
    plants = _scattered(scene.object_index[scene.chunks[:, 0]].astype(np.int64))
    if scene.anchors_m is not None:
        anchored = scene.anchors_m.any(1)
        plants[anchored] = _scattered(_whole(scene.anchors_m[anchored], 16))
    cards = _scattered(_whole(scene.triangles_m[:, 0], 64))
    numbers = 1 + (np.repeat(plants, counts) % PLANTS) * CARDS + cards % CARDS
    return np.where(leafy, numbers, 0).astype(np.uint8)


def _whole(points_m: Float32Array, parts: int) -> Int64Array:
    """Points [N,3] as whole numbers [N]: equal where they share a cell of a grid, scattered where they do not."""
    north, east, down = np.rint(points_m.astype(np.float64).T * parts).astype(np.int64)
    number: Int64Array = np.abs(north * 8191 + east * 131 + down)
    return number


def _scattered(numbers: Int64Array) -> Int64Array:
    """Numbers 0..255 without an order: Knuth's multiplicative hash."""
    scattered: Int64Array = (numbers * 2654435761 >> 8) & 255
    return scattered


def offsets_m(wind_mps: Wind, time_ns: int) -> Float32Array:
    """Where the wind has put the cards: float32 [SWAYS,3], NED, to be added to their corners in single precision.

    Args:
        wind_mps: (north, east, down), finite.
        time_ns: since the world began.
    """
    offsets = np.zeros((SWAYS, 3))
    speed_mps = math.sqrt(sum(part * part for part in wind_mps))
    if speed_mps > 0:
        along = np.array(wind_mps) / speed_mps
        gust = 0.75 + 0.25 * _swing(time_ns, GUST_PERIOD_NS, 0.0)
        lean_m = min(LEAN_S * speed_mps, MOST_LEAN_M) * gust
        tremble_m = min(TREMBLE_S * speed_mps, MOST_TREMBLE_M) * gust
        leans = [
            lean_m * (0.5 + 0.5 * _swing(time_ns, LEAN_PERIODS_NS[k % 4], k / PLANTS)) * along for k in range(PLANTS)
        ]
        trembles = [tremble_m * _tremble(time_ns, k) for k in range(CARDS)]
        offsets[1:] = (np.array(leans)[:, None] + np.array(trembles)).reshape(-1, 3)
    return on_grid(offsets, OFFSET_GRID_M).astype(np.float32)


def _tremble(time_ns: int, card: int) -> Float32Array:
    """A direction and how far along it, -1 to 1 each: cards swing across one another."""
    period_ns, turn = TREMBLE_PERIODS_NS[card % 4], card / CARDS
    swing, second = _swing(time_ns, period_ns, turn), _swing(time_ns, period_ns, 3 * turn)
    angle_rad = math.tau * turn
    return np.array([elementary.cos(angle_rad) * swing, elementary.sin(angle_rad) * swing, 0.7 * second])


def _swing(time_ns: int, period_ns: int, turn: float) -> float:
    """A sine with a period, `turn` of it ahead. Whole periods are taken off in integers: exact after any time."""
    return elementary.sin(math.tau * ((time_ns % period_ns) / period_ns + turn))


def swayed(corners_m: Float32Array, sways: UInt8Array, offsets: Float32Array) -> Float32Array:
    """Corners where the wind has put them, float32 [T,3,3]: what is drawn, rounded as it is drawn.

    Args:
        corners_m: float32 [T,3,3].
        sways: uint8 [T] of sways_of.
        offsets: float32 [SWAYS,3] of offsets_m.
    """
    return corners_m + offsets[sways][:, None]
