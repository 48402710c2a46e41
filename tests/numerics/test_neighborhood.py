"""The built-in Neighborhood: what its objects are called, and that its triangles are sound."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from sound_scenes import check_arrays, check_chunks, check_triangles

from airsim_seg.builtin.environments import CLASS_OF_PREFIX, build, prefix_of
from airsim_seg.builtin.rendering.camera import chunks_at
from airsim_seg.builtin.scene import Scene
from airsim_seg.errors import UsageError
from airsim_seg.palette import id_from_name
from airsim_seg.taxonomy import CLASS_NAMES

RAW_ID_TABLE = Path(__file__).parents[3] / "shared/data/airsim_neighborhood/raw_id_table.csv"


@pytest.fixture(scope="module")
def scene() -> Scene:
    return build("Neighborhood", 1)


def test_every_name_stands_in_the_table_and_every_row_of_the_table_is_used(scene: Scene) -> None:
    assert {prefix_of(o.name) for o in scene.objects} == set(CLASS_OF_PREFIX)
    assert len({o.name for o in scene.objects}) == len(scene.objects)


def test_the_table_reaches_every_class_but_the_sky_and_no_two_classes_share_an_id() -> None:
    assert set(CLASS_OF_PREFIX.values()) == set(CLASS_NAMES) - {"sky"}
    classes_of_id: dict[int, set[str]] = {}
    for prefix, name in CLASS_OF_PREFIX.items():
        classes_of_id.setdefault(id_from_name(f"{prefix}_1"), set()).add(name)
    assert {raw_id: names for raw_id, names in classes_of_id.items() if len(names) > 1} == {}
    assert 0 not in classes_of_id, "id 0 is the sky"


@pytest.mark.skipif(not RAW_ID_TABLE.exists(), reason=f"the table of the real captures is not at {RAW_ID_TABLE}")
def test_every_id_means_in_real_captures_what_the_object_is() -> None:
    with RAW_ID_TABLE.open(newline="") as file:
        seen = {row["raw_id"]: row["class11_by_eye"] for row in csv.DictReader(file)}
    wrong = {
        prefix: (id_from_name(prefix), name, seen.get(str(id_from_name(prefix))))
        for prefix, name in CLASS_OF_PREFIX.items()
        if seen.get(str(id_from_name(prefix))) != name
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
