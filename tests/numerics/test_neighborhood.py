"""The built-in Neighborhood: what its objects are called, and that its triangles are sound."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sound_scenes import check_arrays, check_chunks, check_triangles

from airsim_seg.builtin.environments import CLASS_OF_PREFIX, build, prefix_of, streets
from airsim_seg.builtin.environments.neighborhood import STREETS_EAST_M
from airsim_seg.builtin.rendering.camera import chunks_at
from airsim_seg.builtin.rendering.materials import Material
from airsim_seg.builtin.scene import Scene
from airsim_seg.errors import UsageError
from airsim_seg.palette import id_from_name
from airsim_seg.taxonomy import CLASS_NAMES

LEAVES = (Material.LEAVES, Material.NEEDLES, Material.LITTER)
RAW_ID_TABLE = Path(__file__).parents[3] / "shared/data/airsim_neighborhood/raw_id_table.csv"


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("Neighborhood", 1)


def test_every_name_stands_in_the_table_and_every_row_of_the_table_is_used(scene: Scene) -> None:
    assert {prefix_of(o.name) for o in scene.objects} == set(CLASS_OF_PREFIX)
    assert len({o.name for o in scene.objects}) == len(scene.objects)


def test_the_table_reaches_every_class_but_the_sky_and_no_two_classes_share_an_id() -> None:
    assert set(CLASS_OF_PREFIX.values()) == {*CLASS_NAMES, "ignore"} - {"sky"}
    classes_of_id: dict[int, set[str]] = {}
    for prefix, name in CLASS_OF_PREFIX.items():
        classes_of_id.setdefault(id_from_name(f"{prefix}_1"), set()).add(name)
    assert {raw_id: names for raw_id, names in classes_of_id.items() if len(names) > 1} == {}
    assert 0 not in classes_of_id, "id 0 is the sky"


@pytest.mark.skipif(not RAW_ID_TABLE.exists(), reason=f"the table of the real captures is not at {RAW_ID_TABLE}")
def test_every_id_means_in_real_captures_what_the_object_is() -> None:
    with RAW_ID_TABLE.open(newline="") as file:
        rows = [(row["raw_id"], row["class11_by_eye"]) for row in csv.DictReader(file)]
    seen = {raw_id: "ignore" if name.startswith("(unassigned") else name for raw_id, name in rows}
    wrong = {
        prefix: (id_from_name(prefix), name, seen.get(str(id_from_name(prefix))))
        for prefix, name in CLASS_OF_PREFIX.items()
        if seen.get(str(id_from_name(prefix)), "ignore") != name
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("prefix", "raw_id"),
    [("Road", 171), ("Tree", 181), ("Fir", 70), ("Hedge", 2), ("Landscape", 176), ("InstancedFoliageActor", 174),
     ("Driveway", 112), ("Birch", 13), ("Power_Line", 218), ("Small_House", 66), ("Car", 59)],
)  # fmt: skip
def test_names_of_the_real_environment_have_the_ids_of_its_captures(prefix: str, raw_id: int) -> None:
    assert prefix in CLASS_OF_PREFIX
    assert id_from_name(f"{prefix}_12") == raw_id


def test_the_world_is_as_large_as_promised(scene: Scene) -> None:
    assert len(scene.objects) >= 250
    assert len(scene.triangles_m) >= 170_000
    roads = np.array([o.position_m for o in scene.objects if o.name.startswith("Road")])
    assert np.ptp(roads[:, 0]) >= 140
    counts = Counter(CLASS_OF_PREFIX[prefix_of(o.name)] for o in scene.objects)
    assert min(counts[name] for name in ("pool", "fence", "traffic fixture", "vehicle")) >= 10


@pytest.mark.parametrize("check", [check_arrays, check_chunks, check_triangles])
def test_triangles_are_sound(scene: Scene, check: Callable[[Scene], None]) -> None:
    check(scene)


def test_a_crown_is_coarse_from_afar_and_fine_nearby_never_both(scene: Scene) -> None:
    assert scene.anchors_m is not None
    assert scene.ranges_m is not None
    two_forms = np.isfinite(scene.ranges_m[:, 1]) | (scene.ranges_m[:, 0] > 0)
    anchor = scene.anchors_m[np.flatnonzero(two_forms)[0]].astype(np.float64)
    same = (scene.anchors_m == anchor).all(1) & two_forms
    sizes = scene.chunks[:, 1] - scene.chunks[:, 0]
    near, far = (chunks_at(scene, anchor - np.array((0, 0, h))) & same for h in (30.0, 60.0))
    assert not (near & far).any()
    assert 0 < sizes[far].sum() < 0.7 * sizes[near].sum()
    assert (chunks_at(scene, anchor) | chunks_at(scene, anchor + 1e4)).sum() >= len(sizes) - two_forms.sum()


def test_the_player_starts_upright_on_the_ground_of_a_road(scene: Scene) -> None:
    north, east, down = scene.player_start.position_m
    assert down == scene.ground_down_m(north, east) == 0.0
    np.testing.assert_allclose(scene.player_start.rotation()[:, 2], (0, 0, 1), atol=1e-9)
    road = np.isin(scene.object_index, [k for k, o in enumerate(scene.objects) if o.name.startswith("Road")])
    corners = scene.triangles_m[road]
    low, high = corners.min(1), corners.max(1)
    over = (low[:, 0] <= north) & (north <= high[:, 0]) & (low[:, 1] <= east) & (east <= high[:, 1])
    assert over.any()


@pytest.fixture(scope="module")
def ground(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Solid triangles within 20 cm of the level ground [N,3,3], and the prefixes of their objects [N]."""
    up = -scene.triangles_m[..., 2]
    low = (up < 0.2).all(1) & (up > -0.05).all(1) & ~np.isin(scene.materials, LEAVES)
    prefixes = np.array([prefix_of(o.name) for o in scene.objects])
    return scene.triangles_m[low].astype(np.float64), prefixes[scene.object_index[low]]


def ground_object(ground: tuple[np.ndarray, np.ndarray], north: float, east: float) -> str:
    """Prefix of what lies on top at a place, by barycentric shares."""
    corners, prefixes = ground
    place = np.array((north, east))
    a, b, c = np.moveaxis(corners[..., :2], 1, 0)
    sides = [(v - u)[:, 0] * (place - u)[:, 1] - (v - u)[:, 1] * (place - u)[:, 0] for u, v in ((b, c), (c, a), (a, b))]
    shares = np.stack(sides, 1)
    over = (shares >= 0).all(1) | (shares <= 0).all(1)
    over &= np.abs(shares.sum(1)) > 1e-9  # upright walls
    up = -(corners[over][..., 2] * shares[over] / shares[over].sum(1, keepdims=True)).sum(1)
    return str(prefixes[over][np.argmax(up)])


@pytest.mark.parametrize("street", [0, 1, 2])
def test_a_street_is_road_from_garden_to_garden_as_in_real_captures(
    ground: tuple[np.ndarray, np.ndarray], street: int
) -> None:
    """Carriageway, verges and pavements of AirSimNH are one mesh; behind them gardens or their drives begin."""
    east = STREETS_EAST_M[street]
    for north in (-61.7, -38.9, 33.3, 66.1):
        for side in (-1, 1):
            for off in (1.0, streets.ROAD_HALF_M + 0.6, (streets.WALK_NEAR_M + streets.WALK_FAR_M) / 2):
                found = ground_object(ground, north, east + side * off)
                assert found == "Road", (north, side, off)
            assert ground_object(ground, north, east + side * (streets.STRIP_HALF_M + 2.5)) != "Road"


def test_crossings_have_no_holes_in_their_corners(ground: tuple[np.ndarray, np.ndarray]) -> None:
    corner = (streets.ROAD_HALF_M + streets.STRIP_HALF_M) / 2
    for north in (corner, -corner):
        for east in (corner, -corner):
            assert ground_object(ground, north, east) == "Road"


def test_bungalows_are_one_thing_with_their_roofs_and_taller_houses_are_not(scene: Scene) -> None:
    places: dict[tuple[float, float, float], Counter[str]] = {}
    heights: dict[tuple[float, float, float], float] = {}
    glass = scene.materials == Material.GLASS
    indices, tops_up_m = scene.object_index[glass], -scene.triangles_m[glass][..., 2].min(1)
    for k, thing in enumerate(scene.objects):
        if (prefix := prefix_of(thing.name)) in ("Small_House", "Roof"):
            places.setdefault(thing.position_m, Counter())[prefix] += 1
            if (indices == k).any():
                heights[thing.position_m] = float(tops_up_m[indices == k].max())
    assert {tuple(sorted(kinds.items())) for kinds in places.values()} == {
        (("Small_House", 2),), (("Roof", 1), ("Small_House", 1)),
    }  # fmt: skip
    for place, kinds in places.items():
        assert (kinds["Roof"] == 1) == (heights[place] > 4.0)


def test_hills_surround_a_level_settlement(scene: Scene) -> None:
    assert scene.ground_down_m(30.0, -70.0) == 0.0
    assert scene.ground_down_m(140.0, 0.0) < -1.0
    assert scene.ground_down_m(1000.0, 0.0) == 0.0


def test_an_unknown_environment_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(UsageError, match=r"'Mars'.*Neighborhood"):
        build("Mars", 1)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="-1"):
        build("Neighborhood", -1)
