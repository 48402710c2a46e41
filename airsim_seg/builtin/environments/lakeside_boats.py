"""Boats of Lakeside: at jetties, at anchor, under way; ducks among them."""

from dataclasses import dataclass

import numpy as np

from airsim_seg.builtin.environments import animals, boats, colours, cottages
from airsim_seg.builtin.environments.colours import Tint, mixed
from airsim_seg.builtin.environments.cottages import STONES
from airsim_seg.builtin.environments.lakeside_land import QUAY_HALF_M, Plan
from airsim_seg.builtin.environments.meshes import Mesh, box, joined, quad
from airsim_seg.builtin.environments.site import Site
from airsim_seg.builtin.rendering.materials import Material

HULLS: tuple[Tint, ...] = (
    (0.8, 0.8, 0.8), (0.05, 0.10, 0.30), (0.45, 0.05, 0.05), (0.08, 0.25, 0.15), (0.65, 0.45, 0.10), (0.10, 0.30, 0.45),
    (0.25, 0.15, 0.08),
)  # fmt: skip
_DUCK: Tint = (0.55, 0.45, 0.35)
_JETTY_UP_M = 0.75
_JETTIES_NORTH_M = (-128.0, -92.0, -58.0, -30.0, 2.0, 26.0, 98.0, 132.0)
_AT_ANCHOR, _ANCHORAGE_M = 12, (24.0, 54.0)


@dataclass(frozen=True)
class Round:
    """An oval that something swims around.

    Attributes:
        name: prefix of its name.
        mesh: what it looks like.
        pace_mps: its speed.
        radius_m: of the oval, which is 1.7 times as long and 0.8 times as wide.
        x, y: its middle, on the map.
    """

    name: str
    mesh: Mesh
    pace_mps: float
    radius_m: float
    x: float
    y: float


def add_jetties(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Landing stages with boats beside them, boats at anchor."""
    shore = plan.shore.course()
    for north in _JETTIES_NORTH_M:
        along = shore.along_m(north + rng.uniform(-4, 4))
        x, y, turn = shore.at(along, 1.6 if abs(north) < QUAY_HALF_M else -1.5)
        out, long = turn + np.pi / 2, rng.uniform(12, 20)
        jetty = boats.jetty(long, rng.uniform(1.5, 2.1), _JETTY_UP_M)
        site.put("Jetty", jetty, x, y, out, tint=mixed(STONES, rng), level_m=0.0)
        for off, side in ((rng.uniform(6, 8), 1.0), (rng.uniform(8, 10), -1.0), (long - 2.0, 1.0)):
            if rng.random() < 0.75:
                x, y, _ = shore.at(along + side * rng.uniform(2.3, 2.8), off + 1.6)
                _moor(site, x, y, out + (np.pi if rng.random() < 0.5 else 0.0), rng)
    for _ in range(_AT_ANCHOR):
        x, y, turn = shore.at(shore.along_m(rng.uniform(-150, 150)), rng.uniform(*_ANCHORAGE_M))
        turn += rng.uniform(-0.5, 0.5)
        site.put("Sailing_Boat", boats.sailing_boat(False), x, y, turn, tint=mixed(HULLS, rng), level_m=0.0)
        ahead = x + 5.5 * float(np.cos(turn)), y + 5.5 * float(np.sin(turn))
        site.put("Buoy", boats.buoy(), *ahead, tint=(0.7, 0.12, 0.02), level_m=0.0)


def _moor(site: Site, x: float, y: float, turn_rad: float, rng: np.random.Generator) -> None:
    kind = str(rng.choice(("Rowboat", "Motor_Boat", "Sailing_Boat"), p=(0.5, 0.28, 0.22)))
    afloat = {
        "Rowboat": boats.rowing_boat(),
        "Motor_Boat": boats.motor_boat(),
        "Sailing_Boat": boats.sailing_boat(False),
    }
    site.put(kind, afloat[kind], x, y, turn_rad + rng.normal(0, 0.06), tint=mixed(HULLS, rng), level_m=0.0)


def add_boat_houses(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """A shed at both ends of the quay, and beside it a slipway with a boat on it."""
    shore = plan.shore.course()
    for side in (-1.0, 1.0):
        north = side * (QUAY_HALF_M + 9.0)
        x, y, turn = shore.at(shore.along_m(north), -3.4)
        body, lid = cottages.shed(7.0, 5.0, 2.7, Material.WOOD)
        up, out = max(0.4, site.point_m(x, y)[2]), turn + np.pi / 2
        site.put("Boat_House", body, x, y, out, tint=mixed(colours.BOARD_FENCES, rng), level_m=up)
        site.put("Roof", lid, x, y, out, tint=mixed(colours.ROOFS, rng), level_m=up)
        x, y, _ = shore.at(shore.along_m(north + 9.0 * side), -1.0)
        site.put("Slipway", _slipway(), x, y, out, tint=mixed(colours.PAVING, rng), level_m=0.0)
        site.put("Rowboat", boats.rowing_boat(), x, y, out + np.pi, tint=mixed(HULLS, rng), level_m=0.55)


def _slipway() -> Mesh:
    """A ramp of concrete into the water, x outwards."""
    ramp = ((-6.0, -2.2, 1.1), (10.0, -2.2, -1.2), (10.0, 2.2, -1.2), (-6.0, 2.2, 1.1))
    sides = [box((-6.0, y - 0.15, -1.5), (9.0, y + 0.15, -0.15), Material.CONCRETE) for y in (-2.3, 2.3)]
    return joined([quad(*ramp, material=Material.CONCRETE), *sides])


def add_moving(site: Site, plan: Plan, rng: np.random.Generator) -> None:
    """Boats under way, each in waters of its own beyond the anchorage, and ducks near the shore."""
    rounds = [
        Round("Sailing_Boat", boats.sailing_boat(True), 2.2, 19.0, -72.0, 170.0),
        Round("Sailing_Boat", boats.sailing_boat(True), 1.8, 18.0, 74.0, 167.0),
        Round("Motor_Boat", boats.motor_boat(), 4.5, 13.0, 0.0, 130.0),
        Round("Rowboat", boats.rowing_boat(), 0.9, 2.6, -118.0, 120.0),
    ]
    shore = plan.shore.course()
    for _ in range(9):
        radius, off, share = rng.uniform(2.0, 4.5), rng.uniform(9, 15), rng.uniform(0.25, 0.75)
        x, y, _ = shore.at(share * shore.length_m, off)
        rounds.append(Round("Duck", animals.duck(), 0.35, radius, x, y))
    for oval in rounds:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False) * rng.choice((-1.0, 1.0))
        ring = oval.radius_m * np.stack([1.7 * np.cos(angle), 0.8 * np.sin(angle), 0 * angle], 1)
        tint = _DUCK if oval.name == "Duck" else mixed(HULLS, rng)
        way = np.array((oval.x, oval.y, 0.0)) + ring
        site.send(oval.name, oval.mesh, way, oval.pace_mps, float(rng.random()), tint=tint)
