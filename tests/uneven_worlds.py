"""What Lakeside and Country promise alike: names and ids, and a ground that is where the terrain function says."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.testing import assert_allclose
from ray_caster import disagreements
from small_scenes import looking

from airsim_seg.builtin.environments import ENVIRONMENTS, build, prefix_of
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.rendering.stage import world_extent_m
from airsim_seg.builtin.scene import STILL, Moment, Scene, View
from airsim_seg.builtin.traffic import Traffic
from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import id_from_name
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF
from airsim_seg.types import Float64Array

LYING_UP_M = 0.16  # the thickest thing that lies on the ground: a pavement
LYING = ("Landscape", "Field", "Road", "Lane", "Cart_Track", "Farmyard", "Promenade", "Beach", "Lake", "Pond")


def table_of(scene: Scene) -> Mapping[str, str]:
    """Class of each prefix."""
    return ENVIRONMENTS[scene.environment].class_of_prefix


def check_names(scene: Scene) -> None:
    """Every name stands in the table, and every row of the table is used."""
    assert {prefix_of(o.name) for o in scene.objects} == set(table_of(scene))
    assert len({o.name for o in scene.objects}) == len(scene.objects)
    assert all(o.raw_id is None for o in scene.objects)


def check_ids(scene: Scene) -> None:
    """No two classes share an id, none has the sky's, and the label map says the same of all."""
    classes: dict[int, set[str]] = {}
    for prefix, name in table_of(scene).items():
        classes.setdefault(id_from_name(f"{prefix}_12"), set()).add(name)
    assert {raw_id: names for raw_id, names in classes.items() if len(names) > 1} == {}
    assert 0 not in classes
    shipped = load_label_map(scene.environment)
    assert set(np.flatnonzero(shipped.mapped)) == {0, *classes}
    for raw_id, names in classes.items():
        assert shipped.lut[raw_id] == TRAIN_ID_OF.get(min(names), IGNORE)
    assert shipped.lut[0] == TRAIN_ID_OF["sky"]


def check_size(scene: Scene) -> None:
    """Objects, classes, triangles that near cameras see, and a shadow map that need not reach far."""
    assert len(scene.objects) >= 250
    assert {table_of(scene)[prefix_of(o.name)] for o in scene.objects} == {*CLASS_NAMES, "ignore"} - {"sky"}
    assert scene.ranges_m is not None
    near = scene.ranges_m[:, 0] <= 0
    assert 100_000 < np.diff(scene.chunks[near], axis=1).sum() < 200_000
    assert world_extent_m(scene) <= 205


def highest_down_m(scene: Scene, prefixes: tuple[str, ...], places_m: Float64Array) -> Float64Array:
    """Down coordinate float64 [N] of the highest of some objects at places [N,2], north and east; inf without any."""
    chosen = [k for k, o in enumerate(scene.objects) if prefix_of(o.name) in prefixes]
    a, b, c = np.moveaxis(scene.triangles_m[np.isin(scene.object_index, chosen)].astype(np.float64), 1, 0)
    (bn, be), (cn, ce) = (b - a)[:, :2].T, (c - a)[:, :2].T
    area = bn * ce - be * cn
    upright = np.abs(area) > 1e-9
    found = np.full(len(places_m), np.inf)
    for k, place in enumerate(places_m):
        pn, pe = (place - a[:, :2]).T
        with np.errstate(divide="ignore", invalid="ignore"):
            u, v = (pn * ce - pe * cn) / area, (bn * pe - be * pn) / area
        hit = upright & (u >= -1e-9) & (v >= -1e-9) & (u + v <= 1 + 1e-9)
        down = a[hit, 2] + u[hit] * (b - a)[hit, 2] + v[hit] * (c - a)[hit, 2]
        found[k] = down.min(initial=np.inf)
    return found


def check_ground(scene: Scene) -> None:
    """There is ground everywhere, at the height of the terrain function or a little above it."""
    rng = np.random.default_rng(5)
    places = np.concatenate([rng.uniform(-200, 200, (150, 2)), rng.uniform(-1500, 1500, (50, 2))])
    told = np.array([scene.ground_down_m(float(n), float(e)) for n, e in places])
    above = told - highest_down_m(scene, LYING, places)
    assert above.min() > -2e-3
    assert above.max() < LYING_UP_M
    bare = told - highest_down_m(scene, ("Landscape",), places)
    exact = np.abs(bare) < 2e-3
    assert exact.mean() > 0.3  # the rest lies under fields, roads and water


def check_start(scene: Scene) -> None:
    """The player starts upright on a road, at the height of the ground."""
    place = scene.player_start.position_m
    # The start and the ground lie on grids of their own.
    assert abs(place[2] - scene.ground_down_m(float(place[0]), float(place[1]))) < 2.0**-12
    assert_allclose(scene.player_start.rotation()[:, 2], (0, 0, 1), atol=1e-9)
    road = highest_down_m(scene, ("Road",), place[None, :2])
    assert 0.02 < place[2] - road[0] < 0.1


def check_traffic(scene: Scene) -> None:
    """What drives and walks is on the ground, what drives on a road; no two things on wheels or afloat meet."""
    wheels = [m for m in scene.traffic if prefix_of(scene.objects[m.object_index].name) in ("Car", "Tractor")]
    hulls = [m for m in scene.traffic if prefix_of(scene.objects[m.object_index].name).endswith(("Boat", "boat"))]
    others = [m for m in scene.traffic if m not in wheels and m not in hulls]
    assert len(wheels) >= 5
    assert others
    for second in range(0, 120, 24):
        for movers, prefixes in ((wheels, ("Road",)), (others, LYING)):
            places = np.array([mover.place(second * 10**9)[:, 3] for mover in movers])
            down = highest_down_m(scene, prefixes, places[:, :2])
            assert np.abs(places[:, 2] - down).max() < 0.17
    ways = [id(mover.way) for mover in (*wheels, *hulls)]
    one_way = np.equal.outer(ways, ways)
    for second in range(0, 600, 3):
        poses = np.array([mover.place(second * 10**9) for mover in (*wheels, *hulls)])
        apart = np.linalg.norm(poses[:, None, :, 3] - poses[None, :, :, 3], axis=-1)
        least = np.where(one_way, 7.0, 2.1)  # cars that meet pass at less than their length
        assert (apart + 100 * np.eye(len(apart)) > least).all()


def check_repeats(scene: Scene) -> None:
    """The same seed makes the same bytes."""
    again = build(scene.environment, scene.seed)
    for name in ("triangles_m", "normals", "uv", "materials", "object_index", "tints", "chunks"):
        assert getattr(scene, name).tobytes() == getattr(again, name).tobytes(), name
    assert scene.objects == again.objects
    assert [m.start_m for m in scene.traffic] == [m.start_m for m in again.traffic]


CHECKS = (check_names, check_ids, check_size, check_ground, check_start, check_traffic, check_repeats)  # of a scene


def at(scene: Scene, moment: Moment) -> Scene:
    """The scene with everything where the moment has it."""
    corners = scene.triangles_m.copy()
    for index, matrix in moment.placements.items():
        own = scene.object_index == index
        corners[own] = scene.triangles_m[own].astype(np.float64) @ matrix[:, :3].T + matrix[:, 3]
    return replace(scene, triangles_m=corners)


def view_from(scene: Scene, north_m: float, east_m: float, up_m: float, **angles: Any) -> View:
    """A view from so far above the ground."""
    return looking((north_m, east_m, scene.ground_down_m(north_m, east_m) - up_m), **{"size_hw": (480, 640), **angles})


def views_of(scene: Scene) -> list[View]:
    """As a drone has it, a car, a surveyor, and somebody who tumbles."""
    north, east, _ = (float(v) for v in scene.player_start.position_m)
    ahead = scene.player_start.rotation()[:, 0]
    yaw = float(np.degrees(np.arctan2(ahead[1], ahead[0])))
    return [
        view_from(scene, north, east, 10.0, yaw_deg=yaw, pitch_deg=-8),
        view_from(scene, north, east, 1.5, yaw_deg=yaw),
        view_from(scene, 0.0, 0.0, 75.0, pitch_deg=-90),
        view_from(scene, -70.0, 20.0, 30.0, yaw_deg=70, pitch_deg=-20, roll_deg=35),
    ]


def check_pictures(scene: Scene, renderer: Rasteriser) -> None:
    """Ids and depths equal brute force, at the start and when everybody has moved on."""
    for moment in (STILL, Moment(Traffic(scene.traffic).placements(23 * 10**9))):
        stands = at(scene, moment)
        for view in views_of(scene):
            assert disagreements(stands, view, renderer.render(view, moment), 60, seed=4) == []


def check_classes_in_sight(scene: Scene, renderer: Rasteriser) -> None:
    """Level views from 10 m along the roads show seven classes and more; together they show all, none too rarely."""
    classes = table_of(scene)
    of_object = [TRAIN_ID_OF.get(classes[prefix_of(o.name)], IGNORE) for o in scene.objects] + [TRAIN_ID_OF["sky"]]
    shares = []
    for mover in [m for m in scene.traffic if prefix_of(scene.objects[m.object_index].name) == "Car"]:
        for second in (0, 20, 40):
            placement = mover.place(second * 10**9)
            yaw = float(np.degrees(np.arctan2(placement[1, 0], placement[0, 0])))
            view = view_from(
                scene, placement[0, 3], placement[1, 3], 10.0, yaw_deg=yaw, pitch_deg=-8, size_hw=(240, 320)
            )
            labels = np.array(of_object)[renderer.render(view).object_index]
            shares.append(np.bincount(labels.ravel(), minlength=256)[:11] / labels.size)
    assert min((share > 0).sum() for share in shares) >= 7
    assert np.median([(share > 5e-4).sum() for share in shares]) >= 8
    mean = np.mean(shares, 0)
    assert {name for name, share in zip(CLASS_NAMES, mean, strict=True) if share < 4e-4} == set()


PICTURE_CHECKS = (check_pictures, check_classes_in_sight)  # of a scene and its renderer
