"""Training: the loop learns, resumes to the same bits, stops cleanly, and refuses what is not its own."""

import signal

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from small_training import NUM_CLASSES, SMALL, TIMES, Tiny, make_sampler, make_videos, same_bits, small_fanet
from torch import nn

from airsim_seg.benchmark import checkpoints
from airsim_seg.benchmark.loss import draw_lattice, resize_at, supervised_loss
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.training import train
from airsim_seg.errors import CorruptFile, Interrupted, MissingData, StorageError, TrainingError, UsageError


def run(folder, *, recipe=SMALL, net=None, seed=0, **options):
    net = net or Tiny()
    return net, train(net, make_sampler(recipe, seed), recipe, folder, seed=seed, **options)


def at_step(step, action):
    def on_step(report):
        if report.step == step:
            action()

    return on_step


def fail(error=None):
    raise error or RuntimeError("killed")


def test_initial_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    first = small_fanet(0, seed=0)
    torch.manual_seed(2)
    assert same_bits(first, small_fanet(6, seed=0))
    assert not same_bits(first, small_fanet(0, seed=1))
    mixed, with_heads = (net.state_dict() for net in (small_fanet(4, "gate"), small_fanet(4, "gate", auxiliary=True)))
    assert all(torch.equal(tensor, with_heads[name]) for name, tensor in mixed.items())


@pytest.mark.parametrize("depth", [0, 2])
def test_it_learns_and_reports(tmp_path, depth):
    recipe = Recipe(input_hw=(16, 24), steps=40, clip_length=3, augment=False, threads=1, validate_every=20)
    seen, validated = [], []

    def validate(net, step):
        assert not net.training
        validated.append(step)
        return {"val_miou": step / 100}

    net, history = run(
        tmp_path,
        recipe=recipe,
        net=small_fanet(depth, width=1 / 8),
        on_step=seen.append,
        validate=validate,
    )
    assert history.loss[-5:].mean() < 0.7 * history.loss[:5].mean()
    assert [report.step for report in seen] == list(range(1, 41)) == history.step.tolist()
    assert {report.steps for report in seen} == {40}
    assert seen[0].learning_rate == pytest.approx(recipe.learning_rate)
    assert max(report.learning_rate for report in seen) == pytest.approx(recipe.peak_learning_rate, rel=0.05)
    assert validated == [20, 40]
    assert history.val_miou.dropna().tolist() == [0.2, 0.4]
    assert not net.training
    saved = np.genfromtxt(tmp_path / "history.csv", delimiter=",", names=True)
    np.testing.assert_allclose(saved["loss"], history.loss)


@pytest.mark.parametrize(("died_at", "make"), [(1, Tiny), (3, Tiny), (4, Tiny), (6, Tiny), (3, small_fanet)])
def test_a_killed_run_resumes_to_the_same_bits(tmp_path, died_at, make):
    whole, expected = run(tmp_path / "whole", net=make())
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "cut", net=make(), on_step=at_step(died_at, fail))
    resumed, history = run(tmp_path / "cut", net=make())
    assert same_bits(whole, resumed)
    assert history.drop(columns=TIMES).equals(expected.drop(columns=TIMES))
    first, second = (checkpoints.read(tmp_path / name / "checkpoint.pt") for name in ("whole", "cut"))
    for key, moments in first["optimizer"]["state"].items():
        assert all(torch.equal(moments[name], second["optimizer"]["state"][key][name]) for name in moments)


def test_a_killed_run_that_learns_from_lattices_resumes_to_the_same_bits(tmp_path):
    """The lattices are drawn from torch's randomness, which the checkpoint must hold."""
    recipe = Recipe(**{**vars(SMALL), "loss_stride": 3})
    whole, _ = run(tmp_path / "whole", recipe=recipe, net=small_fanet())
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "cut", recipe=recipe, net=small_fanet(), on_step=at_step(3, fail))
    resumed, _ = run(tmp_path / "cut", recipe=recipe, net=small_fanet())
    assert same_bits(whole, resumed)
    dense, _ = run(tmp_path / "dense", net=small_fanet())
    assert not same_bits(whole, dense)


def test_a_finished_run_is_not_trained_again(tmp_path):
    _, expected = run(tmp_path)
    net, history = run(tmp_path, on_step=lambda _: fail())
    assert history.equals(expected)
    again = Tiny()
    assert checkpoints.load_network(tmp_path / "checkpoint.pt", again) == 6
    assert same_bits(net, again)


class Interrupting(nn.Module):
    """FANet that gets Ctrl-C in the middle of a step."""

    def __init__(self, presses: int) -> None:
        super().__init__()
        self.net, self.num_classes, self.presses, self.calls = Tiny(), NUM_CLASSES, presses, 0

    def forward(self, *inputs):
        self.calls += 1
        if self.calls == 4:
            for _ in range(self.presses):
                signal.raise_signal(signal.SIGINT)
        return self.net(*inputs)


def test_ctrl_c_in_a_step_waits_for_its_end_and_saves(tmp_path):
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(Interrupted, match=r"step 4 is kept in .*checkpoint\.pt: run the same command again"):
        run(tmp_path / "cut", net=Interrupting(presses=1))
    assert signal.getsignal(signal.SIGINT) is handler
    resumed, _ = run(tmp_path / "cut", net=Interrupting(presses=0))
    whole, _ = run(tmp_path / "whole", net=Interrupting(presses=0))
    assert same_bits(resumed, whole)


def test_a_second_ctrl_c_stops_at_once_and_saves_no_half_step(tmp_path):
    with pytest.raises(Interrupted, match="the last checkpoint is kept"):
        run(tmp_path, net=Interrupting(presses=2))
    assert checkpoints.read(tmp_path / "checkpoint.pt")["step"] == 2


def test_ctrl_c_in_the_last_step_is_not_lost(tmp_path):
    with pytest.raises(Interrupted, match="step 6 of 6; step 6 is kept"):
        run(tmp_path, on_step=at_step(6, lambda: signal.raise_signal(signal.SIGINT)))
    run(tmp_path, on_step=lambda _: fail())


def test_ctrl_c_between_steps_saves(tmp_path):
    with pytest.raises(Interrupted, match="stopped in step 3 of 6; step 3 is kept"):
        run(tmp_path, on_step=at_step(3, lambda: fail(KeyboardInterrupt())))
    assert checkpoints.read(tmp_path / "checkpoint.pt")["step"] == 3


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {"recipe": Recipe(**{**vars(SMALL), "peak_learning_rate": 2e-3})},
            "peak_learning_rate is 0.01 there and 0.002 here",
        ),
        ({"net": Tiny(depth=4)}, r"tca_depth=2\)' there and .*tca_depth=4"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
    ],
)
def test_a_checkpoint_of_another_run_is_refused_by_name(tmp_path, changes, named):
    run(tmp_path)
    with pytest.raises(TrainingError, match=f"checkpoint.pt is of another run .*{named}"):
        run(tmp_path, **changes)


def test_a_checkpoint_of_other_data_is_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(TrainingError, match="training data is '3 videos"):
        train(Tiny(), make_sampler(videos=make_videos(2)), SMALL, tmp_path, seed=0)


def test_weights_of_another_network_are_refused(tmp_path):
    run(tmp_path)
    with pytest.raises(TrainingError, match="weights of another network"):
        checkpoints.load_network(tmp_path / "checkpoint.pt", Tiny(num_classes=5))
    with pytest.raises(MissingData, match="train first"):
        checkpoints.load_network(tmp_path / "absent.pt", Tiny())


class Hostile:
    def __reduce__(self):
        return (fail, ())


@pytest.mark.parametrize("damage", ["truncated", "empty", "text", "hostile", "foreign", "newer", "without rng"])
def test_a_damaged_or_hostile_checkpoint_is_one_sentence(tmp_path, damage):
    path = tmp_path / "checkpoint.pt"
    run(tmp_path)
    whole = path.read_bytes()
    if damage in ("truncated", "empty", "text"):
        path.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b"", "text": b"not a checkpoint"}[damage])
    else:
        newer = {"schema": checkpoints.SCHEMA, "schema_version": 99}
        less = {key: value for key, value in checkpoints.read(path).items() if key != "rng"}
        contents = {"hostile": Hostile(), "foreign": {"a": torch.zeros(2)}, "newer": newer, "without rng": less}
        torch.save(contents[damage], path)
    with pytest.raises(CorruptFile, match=r"checkpoint\.pt .*train again"):
        run(tmp_path)


class PoisonedAtThird(nn.Module):
    """A network whose third batch gives NaN, in the loss or only in the gradient."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.net, self.num_classes, self.calls, self.where = Tiny(), NUM_CLASSES, 0, where

    def forward(self, *inputs):
        self.calls += 1
        logits, state = self.net(*inputs)
        if self.calls == 3:
            if self.where == "loss":
                logits = logits * torch.nan
            else:
                logits.register_hook(lambda gradient: gradient * torch.inf)
        return logits, state


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_nan_stops_with_the_step_the_batch_and_untouched_weights(tmp_path, where):
    net = PoisonedAtThird(where)
    with pytest.raises(TrainingError, match=r"not finite at step 3 of 6: lower peak_learning_rate .*bad_batch\.pt"):
        run(tmp_path, net=net)
    saved = torch.load(tmp_path / "bad_batch.pt", weights_only=True)
    expected = make_sampler().sample(2)
    assert torch.equal(saved["images"], expected.images)
    assert torch.equal(saved["labels"], expected.labels)
    assert all(p.isfinite().all() for p in net.parameters())
    assert checkpoints.read(tmp_path / "checkpoint.pt")["step"] == 2


def test_torch_is_left_as_it_was(tmp_path):
    threads = torch.get_num_threads()
    net = Tiny()
    rng = torch.get_rng_state()
    run(tmp_path, net=net)
    assert torch.equal(torch.get_rng_state(), rng)
    assert torch.get_num_threads() == threads


def test_a_full_disk_keeps_the_checkpoint_before(tmp_path, monkeypatch):
    path = tmp_path / "checkpoint.pt"
    checkpoints.save(path, {"step": 1})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(StorageError, match="No space left on device"):
        checkpoints.save(path, {"step": 2})
    monkeypatch.undo()
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_loss_is_the_weighted_mean_over_labelled_pixels():
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, generator=generator)
    labels = torch.randint(0, 3, (2, 4, 5), generator=generator)
    labels[0, :2] = 255
    weights = torch.tensor([1.0, 5.0, 0.5])
    pixels = [
        (weights[labels[b, y, x]], -torch.log_softmax(logits[b, :, y, x], 0)[labels[b, y, x]])
        for b in range(2)
        for y in range(4)
        for x in range(5)
        if labels[b, y, x] != 255
    ]
    naive = sum(w * loss for w, loss in pixels) / sum(w for w, _ in pixels)
    torch.testing.assert_close(supervised_loss(logits, labels, weights), naive)
    torch.testing.assert_close(naive, F.cross_entropy(logits, labels, weight=weights, ignore_index=255))


@pytest.mark.parametrize(
    ("coarse_hw", "size_hw", "stride"), [((3, 5), (24, 40), 4), ((2, 1), (13, 7), 3), ((1, 2), (8, 9), 8)]
)
def test_a_lattice_sees_what_enlarging_everything_would_show_there(
    coarse_hw: tuple[int, int], size_hw: tuple[int, int], stride: int
) -> None:
    torch.manual_seed(0)
    coarse = torch.randn(2, 3, *coarse_hw, dtype=torch.float64)
    rows, columns = draw_lattice(size_hw, stride)
    whole = F.interpolate(coarse, size=size_hw, mode="bilinear", align_corners=False)
    torch.testing.assert_close(resize_at(coarse, size_hw, rows, columns), whole[:, :, rows[:, None], columns])


def test_lattices_reach_every_pixel_equally_often() -> None:
    torch.manual_seed(0)
    hits = torch.zeros(9, 10)
    for _ in range(4000):
        rows, columns = draw_lattice((9, 10), 4)
        hits[rows[:, None], columns] += 1
    assert (hits / 4000 - 1 / 16).abs().max() < 0.02


def test_a_batch_without_a_label_teaches_nothing_and_breaks_nothing():
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    loss = supervised_loss(logits, torch.full((2, 4, 5), 255), torch.ones(3))
    loss.backward()
    assert loss == 0
    assert not logits.grad.any()


@pytest.mark.parametrize(
    "changes",
    [
        {"steps": 0},
        {"clip_length": 0},
        {"clips_per_step": -1},
        {"checkpoint_every": 0},
        {"input_hw": (4, 100)},
        {"input_hw": (100,)},
        {"learning_rate": 0.0},
        {"learning_rate": 0.1},
        {"peak_learning_rate": float("nan")},
        {"weight_decay": -1.0},
        {"clip_gradient_norm": 0.0},
        {"precision": "fp8"},
        {"threads": -1},
        {"optimiser": "adam"},
        {"warm_up_steps": -1},
        {"warm_up_steps": 10},
        {"warm_up_steps": 400, "optimiser": "sgd"},
        {"warm_up_learning_rate": 0.0, "optimiser": "sgd"},
        {"warm_up_learning_rate": 0.1, "optimiser": "sgd"},
        {"peak_learning_rate": float("nan"), "optimiser": "sgd"},
        {"loss": "focal"},
        {"ohem_threshold": 0.0},
        {"ohem_threshold": float("nan")},
        {"ohem_min_share": 1.5},
        {"auxiliary_weight": -0.5},
        {"auxiliary_weight": float("inf")},
        {"early_frames": "dropped"},
    ],
)
def test_a_recipe_that_cannot_be_is_refused_by_name(changes):
    with pytest.raises(UsageError, match=next(iter(changes))):
        Recipe(**changes)
