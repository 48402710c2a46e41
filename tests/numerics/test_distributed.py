"""Two processes do the steps of one, stop together, and tell of an error once."""

import pytest
import torch
from two_ranks import RECIPES, TROUBLES, start_two, train_case

from airsim_seg.benchmark import checkpoints, distributed
from airsim_seg.benchmark.distributed import FirstRankFailed, join_team
from airsim_seg.errors import UsageError


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """Both ranks have done everything; starting them costs seconds, so it happens once."""
    folder = tmp_path_factory.mktemp("two")
    return folder, start_two(folder)


@pytest.mark.parametrize("name", RECIPES)
def test_two_ranks_do_the_steps_of_one_process(two, tmp_path, name):
    """The same losses and, after three steps, the same weights: so the gradients were the same."""
    folder, outcomes = two
    history = train_case(name, tmp_path)
    one, of_two = (checkpoints.read(place / "checkpoint.pt")["net"] for place in (tmp_path, folder / name))
    for outcome in outcomes:
        assert outcome[name] == pytest.approx(history.loss.tolist(), rel=1e-12)
    assert one.keys() == of_two.keys()
    for key in one:
        torch.testing.assert_close(of_two[key], one[key], rtol=1e-9, atol=1e-12)


def test_only_the_first_rank_writes(two):
    folder, _ = two
    assert {path.name for path in (folder / "defaults").iterdir()} == {"checkpoint.pt", "history.csv"}


def test_what_the_first_rank_made_all_have(two):
    _, outcomes = two
    assert [outcome["told"] for outcome in outcomes] == ["by rank 0"] * 2


def test_ctrl_c_on_one_rank_stops_both_after_the_same_step(two):
    folder, outcomes = two
    stopped = [outcome["interrupted_on_the_second"] for outcome in outcomes]
    assert stopped[0] == stopped[1]
    assert stopped[0][:2] == ["Interrupted", 130]
    assert "stopped in step 3 of 9; step 3 is kept" in stopped[0][2]
    assert checkpoints.read(folder / "interrupted_on_the_second" / "checkpoint.pt")["step"] == 3


def test_nan_on_one_rank_stops_both_and_the_whole_batch_is_kept(two):
    folder, outcomes = two
    stopped = [outcome["poisoned_on_the_second"] for outcome in outcomes]
    assert stopped[0] == stopped[1]
    assert stopped[0][0] == "TrainingError"
    assert "not finite at step 3 of 3" in stopped[0][2]
    saved = torch.load(folder / "poisoned_on_the_second" / "bad_batch.pt", weights_only=True)
    assert len(saved["images"]) == 8


def test_an_error_of_the_first_rank_ends_the_others_with_its_code(two):
    _, outcomes = two
    assert len(TROUBLES) == 3
    first, second = (outcome["refused_by_the_first"] for outcome in outcomes)
    assert first[:2] == ["MissingData", 1]
    assert "says rank 0" in first[2]
    assert second[:2] == [FirstRankFailed.__name__, 1]


@pytest.mark.parametrize("environ", [{}, {"WORLD_SIZE": "1", "RANK": "0", "LOCAL_RANK": "0"}])
def test_a_process_alone_is_a_team_of_one(environ):
    with join_team(environ) as team:
        assert (team.rank, team.size, team.is_first) == (0, 1, True)
        assert not torch.distributed.is_initialized()
        assert team.any(True)
        assert not team.any(False)
        assert team.ask_first(lambda: 3) == 3
        assert team.sum(torch.tensor(2.0)) == 2
        net = torch.nn.Linear(1, 1)
        assert team.wrap(net) is net


@pytest.mark.parametrize(
    ("environ", "named"),
    [({"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two'"), ({"WORLD_SIZE": "2", "LOCAL_RANK": "0"}, "RANK is ''")],
)
def test_half_an_environment_is_refused_by_name(environ, named):
    with pytest.raises(UsageError, match=f"{named} in the environment, no number: .* torchrun"), join_team(environ):
        pass


def test_more_processes_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr(distributed, "choose_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    environ = {"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"}
    with pytest.raises(UsageError, match=r"There are 1 GPUs here, too few for process 2"), join_team(environ):
        pass
