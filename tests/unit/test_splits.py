"""Splits keep videos whole, balance strata and say what they cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airsim_seg.errors import MissingData, UsageError
from airsim_seg.splits import PARTS, explicit_split, split_by_video, vehicle_of


def fleet(drones, cars):
    return {f"drone-s0-{i:02d}": "N/drone" for i in range(drones)} | {f"car-s0-{i:02d}": "N/car" for i in range(cars)}


def test_demo_fleet_has_both_vehicles_everywhere():
    split = split_by_video(fleet(5, 4), seed=0)
    for part in PARTS:
        assert {vehicle_of(name) for name in split.part(part)} == {"drone", "car"}
    assert len(split.train) == 5


def test_same_seed_same_split_whatever_the_order_and_seeds_matter():
    names = fleet(8, 8)
    backwards = dict(reversed(list(names.items())))
    assert split_by_video(names, seed=1) == split_by_video(backwards, seed=1)
    assert len({split_by_video(names, seed=s) for s in range(8)}) > 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(0, 99), st.floats(0.05, 0.4))
def test_every_video_lands_in_exactly_one_part(sizes, seed, share):
    names = {f"v{k}-{i}": f"stratum{k}" for k, size in enumerate(sizes) for i in range(size)}
    if len(names) < 3:
        with pytest.raises(MissingData, match="at least 3"):
            split_by_video(names, seed=seed)
        return
    split = split_by_video(names, seed=seed, val_share=share, test_share=share)
    together = [*split.train, *split.val, *split.test]
    assert sorted(together) == sorted(names)
    assert all(split.part(part) for part in PARTS)
    for k, size in enumerate(sizes):
        if size >= 3:
            assert all(any(names[n] == f"stratum{k}" for n in split.part(part)) for part in PARTS)


def test_three_lone_videos_fill_three_parts():
    split = split_by_video({"front_leg0": "a", "front_leg1": "b", "front_leg2": "c"}, seed=0)
    assert [len(split.part(part)) for part in PARTS] == [1, 1, 1]


def test_shares_are_respected():
    split = split_by_video({f"drone-{i}": "d" for i in range(20)}, seed=0, val_share=0.2, test_share=0.3)
    assert [len(split.part(part)) for part in PARTS] == [10, 4, 6]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_videos_is_a_sentence(count):
    with pytest.raises(MissingData, match=f"^{count} video"):
        split_by_video(fleet(count, 0), seed=0)


def test_explicit_lists_win_and_leave_the_rest_out():
    split = explicit_split(["a", "b", "c", "d"], train=["c"], val=["a"], test=["b"], source="x.toml")
    assert split.as_dict() == {"train": ["c"], "val": ["a"], "test": ["b"]}


@pytest.mark.parametrize(
    ("train", "val", "test", "word"),
    [
        (["nowhere"], ["a"], ["b"], "nowhere"),
        (["a"], ["a"], ["b"], "more than once"),
        (["a", "a"], ["c"], ["b"], "more than once"),
        (["a"], [], ["b"], "val is empty"),
    ],
)
def test_explicit_faults_name_file_and_video(train, val, test, word):
    with pytest.raises(UsageError, match=word) as caught:
        explicit_split(["a", "b", "c"], train=train, val=val, test=test, source="x.toml")
    assert "x.toml" in str(caught.value)
