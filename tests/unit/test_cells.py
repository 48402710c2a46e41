"""The grid of an experiment: which cells there are, what each is compared with, and what it is called."""

import pytest

from airsim_seg.benchmark.cells import Arm, arm_label, baseline_arm, grid_cells


def names(models=("fanet18",), depths=(0, 2), aggregations=("sum",), seeds=(0,)):
    return [cell.name for cell in grid_cells(models, depths, aggregations, "mixed", seeds)]


def test_one_aggregation_gives_one_cell_a_depth_and_seed():
    assert names(seeds=(0, 1)) == [
        "fanet18-n0-sum-mixed-s0",
        "fanet18-n2-sum-mixed-s0",
        "fanet18-n0-sum-mixed-s1",
        "fanet18-n2-sum-mixed-s1",
    ]


def test_there_is_one_cell_without_memory_whatever_the_aggregations():
    assert names(aggregations=("mean", "gate", "warped")) == [
        "fanet18-n0-mean-mixed-s0",
        "fanet18-n2-mean-mixed-s0",
        "fanet18-n2-gate-mixed-s0",
        "fanet18-n2-warped-mixed-s0",
    ]


def test_tiles_change_the_network_and_have_a_cell_without_memory_of_their_own():
    assert names(aggregations=("sum", "gate,tiles=4", "mean,tiles=4")) == [
        "fanet18-n0-sum-mixed-s0",
        "fanet18-n0-gate,tiles=4-mixed-s0",
        "fanet18-n2-sum-mixed-s0",
        "fanet18-n2-gate,tiles=4-mixed-s0",
        "fanet18-n2-mean,tiles=4-mixed-s0",
    ]


def test_a_peer_without_contexts_remembers_only_what_it_has():
    assert names(models=("enet", "enet+fa"), aggregations=("sum", "local")) == [
        "enet-n0-sum-mixed-s0",
        "enet-n2-local-mixed-s0",
        "enet+fa-n0-sum-mixed-s0",
        "enet+fa-n2-sum-mixed-s0",
        "enet+fa-n2-local-mixed-s0",
    ]


def test_an_answer_reaches_back_depth_times_stride_frames():
    (cell,) = grid_cells(["fanet18"], [3], ["mean,stride=5"], "mixed", [0])
    assert cell.reach == 15
    assert not cell.needs_motion
    assert grid_cells(["fanet18"], [3], ["warped"], "mixed", [0])[0].needs_motion
    assert not grid_cells(["fanet18"], [0], ["warped"], "mixed", [0])[0].needs_motion


@pytest.mark.parametrize(
    ("arm", "base"),
    [
        (Arm("fanet18", 2, "sum"), Arm("fanet18", 0, "sum")),
        (Arm("fanet18", 2, "gate"), Arm("fanet18", 0, "sum")),
        (Arm("fanet18", 2, "gate,tiles=4"), Arm("fanet18", 0, "gate,tiles=4")),
        (Arm("enet", 2, "local"), Arm("enet", 0, "sum")),
        (Arm("fanet34", 2, "sum"), None),
    ],
)
def test_each_arm_is_compared_with_its_own_network_without_memory(arm, base):
    arms = [
        Arm("fanet18", 0, "sum"), Arm("fanet18", 0, "gate,tiles=4"), Arm("fanet18", 2, "sum"), Arm("enet", 0, "sum"),
    ]  # fmt: skip
    assert baseline_arm(arm, arms) == base


def test_a_label_says_what_differs_and_no_more():
    depths = [Arm("fanet18", 0, "sum"), Arm("fanet18", 4, "sum")]
    assert [arm_label(arm, depths) for arm in depths] == ["N=0", "N=4"]
    memories = [*depths, Arm("fanet18", 4, "gate"), Arm("fanet18", 0, "gate,tiles=4")]
    assert [arm_label(arm, memories) for arm in memories] == ["N=0", "N=4 sum", "N=4 gate", "N=0 tiles=4"]
    models = [*depths, Arm("enet", 0, "sum")]
    assert [arm_label(arm, models) for arm in models] == ["fanet18 N=0", "fanet18 N=4", "enet N=0"]
