"""The built-in City: ids of its own, names, sound triangles, and traffic that keeps right and hits nobody."""

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from sound_scenes import check_arrays, check_chunks, check_triangles

from airsim_seg.builtin.environments import ENVIRONMENTS, build, prefix_of
from airsim_seg.builtin.environments.city_builder import RawIds
from airsim_seg.builtin.environments.city_grid import WALK_M, WALK_UP_M, blocks, outline
from airsim_seg.builtin.environments.city_names import CLASS_OF_PREFIX, IDS_OF_CLASS
from airsim_seg.builtin.environments.city_traffic import lane_around
from airsim_seg.builtin.objects import SKY_ID, ObjectTable
from airsim_seg.builtin.scene import Scene
from airsim_seg.label_maps import IGNORE_CLASS, load_label_map
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF
from airsim_seg.types import Float64Array

SECOND_NS = 10**9
# The longest thing on wheels is 10.7 m, the narrowest gap between two lanes' middles 5 m.
APART_ON_ONE_WAY_M, APART_M = 11.0, 4.0


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("City", 1)


def test_it_is_one_of_the_environments() -> None:
    assert ENVIRONMENTS["City"].class_of_prefix is CLASS_OF_PREFIX


def test_every_name_stands_in_the_table_and_every_row_of_the_table_is_used(scene: Scene) -> None:
    assert {prefix_of(o.name) for o in scene.objects} == set(CLASS_OF_PREFIX)
    assert len({o.name for o in scene.objects}) == len(scene.objects)


def test_all_classes_are_there_and_something_without_one() -> None:
    assert set(CLASS_OF_PREFIX.values()) == set(CLASS_NAMES) - {"sky"} | {IGNORE_CLASS}


def test_each_class_owns_a_range_of_ids_and_together_they_are_all_but_the_sky() -> None:
    assert set(IDS_OF_CLASS) == set(CLASS_OF_PREFIX.values())
    owned = [raw_id for first, last in IDS_OF_CLASS.values() for raw_id in range(first, last + 1)]
    assert sorted(owned) == list(range(SKY_ID + 1, 256))


@pytest.mark.parametrize("seed", [1, 2])
def test_more_than_two_hundred_ids_are_in_use_each_in_its_class(seed: int) -> None:
    objects = build("City", seed).objects
    for thing in objects:
        first, last = IDS_OF_CLASS[CLASS_OF_PREFIX[prefix_of(thing.name)]]
        assert thing.raw_id is not None
        assert first <= thing.raw_id <= last, thing
    assert len({thing.raw_id for thing in objects}) >= 250


def test_objects_of_a_class_take_turns() -> None:
    deal = RawIds()
    first, last = IDS_OF_CLASS["pool"]
    dealt = [deal("Basin") for _ in range(last - first + 2)]
    assert dealt == [*range(first, last + 1), first]
    assert deal("Street") == IDS_OF_CLASS["road"][0]


def test_the_server_draws_the_ids_that_the_environment_gave(scene: Scene) -> None:
    table = ObjectTable(scene)
    assert table.table()[:-1].tolist() == [thing.raw_id for thing in scene.objects]
    assert table.table()[-1] == SKY_ID
    assert table.get_id(scene.objects[7].name) == scene.objects[7].raw_id


def test_the_label_map_says_the_same_of_every_id() -> None:
    shipped = load_label_map("City")
    assert shipped.mapped.all()
    assert shipped.lut[SKY_ID] == TRAIN_ID_OF["sky"]
    for name, (first, last) in IDS_OF_CLASS.items():
        assert set(shipped.lut[first : last + 1]) == {TRAIN_ID_OF.get(name, IGNORE)}, name


@pytest.mark.parametrize("check", [check_arrays, check_chunks, check_triangles])
def test_triangles_are_sound(scene: Scene, check: Callable[[Scene], None]) -> None:
    check(scene)


def test_the_world_is_as_large_as_promised(scene: Scene) -> None:
    near = scene.ranges_m[:, 0] <= 0 if scene.ranges_m is not None else np.ones(len(scene.chunks), bool)
    assert np.diff(scene.chunks[near], axis=1).sum() < 210_000
    counts = Counter(CLASS_OF_PREFIX[prefix_of(o.name)] for o in scene.objects)
    assert sum(counts.values()) >= 250
    assert min(count for name, count in counts.items() if name != "pool") >= 30
    assert counts["pool"] >= 4
    towers = sum(prefix_of(o.name) in ("Tower_Block", "Town_House") for o in scene.objects)
    assert towers >= 40


def corners_of(scene: Scene, prefix: str) -> Float64Array:
    """All corners [N,3] of the objects with a prefix."""
    chosen = [k for k, o in enumerate(scene.objects) if prefix_of(o.name) == prefix]
    return scene.triangles_m[np.isin(scene.object_index, chosen)].reshape(-1, 3).astype(np.float64)


def test_nothing_stands_on_the_roads_but_cars_at_the_kerb(scene: Scene) -> None:
    for prefix in ("Tower_Block", "Traffic_Light", "Road_Sign", "Bench", "Planter", "Pedestrian", "Post_Box"):
        places = corners_of(scene, prefix)
        low = places[places[:, 2] > -2.0]  # awnings and lamps may reach out further up
        inside = np.zeros(len(low), bool)
        for block in blocks():
            within = (low[:, 0] > block.south) & (low[:, 0] < block.north)
            inside |= within & (low[:, 1] > block.west) & (low[:, 1] < block.east)
        area = outline()
        outside = (
            (low[:, 0] < area.south) | (low[:, 0] > area.north) | (low[:, 1] < area.west) | (low[:, 1] > area.east)
        )
        assert (inside | outside).all(), prefix


def test_the_player_starts_on_a_free_lane(scene: Scene) -> None:
    north, east, down = scene.player_start.position_m
    assert down == scene.ground_down_m(north, east) == 0.0
    for prefix in (
        "Parked_Car",
        "Parked_Van",
        "Moving_Car",
        "City_Bus",
        "Delivery_Van",
        "Traffic_Light",
        "Street_Tree",
    ):
        places = corners_of(scene, prefix)
        low = places[places[:, 2] > -2.0]
        assert np.abs(low[:, :2] - (north, east)).max(1).min() > 1.2, prefix


def drivers(scene: Scene) -> list[int]:
    """Movers that are not on foot."""
    return [k for k, m in enumerate(scene.traffic) if scene.objects[m.object_index].name[:3] != "Ped"]


def test_cars_never_meet(scene: Scene) -> None:
    chosen = drivers(scene)
    assert len(chosen) >= 8
    ways = [id(scene.traffic[k].way) for k in chosen]
    same = np.equal.outer(ways, ways)
    for second in range(0, 240, 2):
        places = np.array([scene.traffic[k].place(second * SECOND_NS)[:2, 3] for k in chosen])
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1) + 1e9 * np.eye(len(chosen))
        assert gaps.min() > APART_M, second
        assert np.where(same, gaps, np.inf).min() > APART_ON_ONE_WAY_M, second


def test_cars_keep_clear_of_what_is_parked(scene: Scene) -> None:
    parked = np.array([o.position_m[:2] for o in scene.objects if prefix_of(o.name) in ("Parked_Car", "Parked_Van")])
    for k in drivers(scene):
        mover = scene.traffic[k]
        along = np.arange(0, mover.way.length_m, 1.0)
        places = np.array([mover.way.placement(float(x))[:2, 3] for x in along])
        assert np.linalg.norm(places[:, None] - parked[None], axis=-1).min() > 2.1


def test_cars_drive_on_the_right_of_the_road() -> None:
    """The block that a lane goes round is on its right, nearer than the road's middle."""
    for number, block in enumerate(blocks()):
        way = lane_around(number)
        north, east = block.middle
        for x in np.linspace(0, way.length_m, 40):
            placement = way.placement(float(x))
            ahead, right = placement[:2, 0], np.array((-placement[1, 0], placement[0, 0]))
            assert right @ (np.array((north, east)) - placement[:2, 3]) > 20
            assert np.linalg.norm(ahead) == pytest.approx(1, abs=1e-5)


def test_a_car_drives_straight_until_the_bend() -> None:
    way = lane_around(0)
    area = blocks()[0]
    for x in np.linspace(0, way.length_m, 200):
        placement = way.placement(float(x))
        if area.south + 7 < placement[0, 3] < area.north - 7:
            assert abs(placement[1, 0]) < 1e-5


def test_people_walk_on_pavements(scene: Scene) -> None:
    walkers = [m for k, m in enumerate(scene.traffic) if k not in drivers(scene)]
    assert len(walkers) >= 9
    for mover in walkers:
        for second in range(0, 300, 20):
            north, east, down = mover.place(second * SECOND_NS)[:, 3]
            assert down == pytest.approx(-WALK_UP_M, abs=1e-3)
            kerbs = [
                min(north - b.south, b.north - north, east - b.west, b.east - east)
                for b in blocks()
                if b.south < north < b.north and b.west < east < b.east
            ]
            assert len(kerbs) == 1
            assert 2.0 < kerbs[0] < WALK_M - 0.3
