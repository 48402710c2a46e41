"""10,000 random pixels, each against every triangle of its world: all environments, weathers, cameras, all that moves.

2,500 of them in each environment, from five cameras that differ in everything, each at a moment of its own: traffic
somewhere on its way, things moved, turned, scaled, mirrored and hidden, copies of others, one or two weather effects.
"""

from dataclasses import replace

import numpy as np
import pytest
from ray_caster import disagreements, standing

from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.geometry import on_grid, product
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import STILL, Moment, Scene, Spawned, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.builtin.weather import EFFECTS, Weather
from airsim_seg.types import Float64Array, Pose

PIXELS = 500
# Height and width in pixels, field of view in degrees, height above the ground in metres, pitch and roll in degrees.
CAMERAS = (
    ((480, 640), 90.0, 1.6, 0.0, 0.0),
    ((241, 363), 120.0, 12.0, -30.0, 8.0),
    ((700, 300), 35.0, 3.0, 4.0, -75.0),
    ((96, 128), 150.0, 60.0, -89.0, 30.0),
    ((480, 640), 60.0, 25.0, -15.0, 179.0),
)


def in_sight(scene: Scene, eye: Pose, rng: np.random.Generator) -> Float64Array:
    """A place [3] on the ground 5 to 20 metres before a camera, a little to the side."""
    forward, right, _ = eye.rotation().T
    ahead, aside = rng.uniform(5, 20), rng.uniform(-4, 4)
    north, east, _ = eye.position_m + ahead * forward + aside * right
    return np.array([north, east, scene.ground_down_m(float(north), float(east))])


def placement(scene: Scene, index: int, foot_m: Float64Array, rng: np.random.Generator) -> Float64Array:
    """Puts an object somewhere, turned every way, larger or smaller, one in three mirrored."""
    turn = Pose.from_euler((0, 0, 0), yaw_rad=rng.uniform(0, 6), pitch_rad=rng.uniform(-0.5, 0.5), roll_rad=0.2)
    scale = rng.uniform(0.6, 1.5, 3) * (1.0, 1.0, rng.choice([1.0, 1.0, -1.0]))
    matrix = on_grid(turn.rotation() * scale, 2.0**-24)
    return np.column_stack([matrix, foot_m - product(matrix, np.array(scene.objects[index].position_m))])


def moment_of(scene: Scene, eye: Pose, number: int, rng: np.random.Generator) -> Moment:
    """What is where in one picture."""
    small = np.flatnonzero(np.bincount(scene.object_index) < 400)
    moved, hidden = rng.choice(small, 12, replace=False), rng.choice(len(scene.objects), 10, replace=False)
    driven = Traffic(scene.traffic).placements(int(rng.integers(0, 200 * 10**9)))
    put = {int(index): placement(scene, index, in_sight(scene, eye, rng), rng) for index in moved}
    count = len(scene.objects)
    copies = tuple(
        Spawned(count + 2 * k, int(source), placement(scene, int(source), in_sight(scene, eye, rng), rng))
        for k, source in enumerate(small[:: len(small) // 6][:6])  # the same in every picture, elsewhere
    )
    wind = (0.0, 0.0, 0.0) if number == 0 else tuple(rng.normal(0, 6, 3).tolist())
    effects = {EFFECTS[(number + k * 4) % len(EFFECTS)]: float(rng.uniform(0.3, 1)) for k in range(2)}
    return Moment(
        driven | put,
        frozenset(int(k) for k in hidden),
        copies,
        Weather(**effects),
        time_ns=number * 10**9,
        wind_mps=wind,
    )


@pytest.mark.slow
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_ids_and_depths_are_those_of_every_ray_against_every_triangle(environment: str) -> None:
    scene, rng = build(environment, 0), np.random.default_rng(11)
    rasteriser = Rasteriser(scene, shadow_map_size=256)
    moving, wrong = 0, []
    start = scene.player_start.position_m
    for number, (size_hw, fov_deg, up_m, pitch_deg, roll_deg) in enumerate(CAMERAS):
        north, east = start[:2] + rng.uniform(-60, 60, 2) * (number > 0)
        place = (north, east, scene.ground_down_m(float(north), float(east)) - up_m)
        angles = {"pitch_rad": np.radians(pitch_deg), "roll_rad": np.radians(roll_deg)}
        view = View(Pose.from_euler(place, yaw_rad=rng.uniform(0, 6.3), **angles), size_hw, fov_deg)
        moment = moment_of(scene, view.pose, number, rng)
        picture = rasteriser.render(view, moment)
        special = [*moment.placements, *(copy.index for copy in moment.spawned)]
        moving += int(np.isin(picture.object_index, special).sum())
        assert not np.isin(picture.object_index, list(moment.hidden)).any()
        wrong += disagreements(standing(scene, moment), view, picture, PIXELS, seed=number)
    assert wrong == []
    assert moving > 5000, "what moves is in sight"


def test_the_oracle_sees_a_thing_that_is_a_centimetre_away() -> None:
    scene, rng = build("City", 0), np.random.default_rng(2)
    start = scene.player_start
    view = View(Pose(start.position_m - (0, 0, 1.6), start.orientation_wxyz), (120, 160), 90.0)
    moment = replace(moment_of(scene, view.pose, 0, rng), hidden=frozenset())
    off = {index: matrix + 0.01 * (np.arange(4) == 3) for index, matrix in moment.placements.items()}
    picture = Rasteriser(scene, shadow_map_size=256).render(view, replace(moment, placements=off))
    assert disagreements(standing(scene, moment), view, picture, 400, seed=0)
    assert STILL.placements == {}
