"""What a recipe can ask for: schedules against their formulas, losses against naive ones, resuming to the same bits."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from small_training import SMALL, TIMES, Tiny, make_sampler, same_bits, small_fanet
from torch import nn

from airsim_seg.benchmark import checkpoints, learning
from airsim_seg.benchmark.distributed import Team, alone
from airsim_seg.benchmark.learning import Learner, reach_of
from airsim_seg.benchmark.loss import draw_lattice, frames_since_start, hard_pixels, supervised_loss
from airsim_seg.benchmark.optimisers import make_optimiser, one_cycle, set_rate, warm_up_and_fall
from airsim_seg.benchmark.recipe import Recipe
from airsim_seg.benchmark.training import train
from airsim_seg.errors import TrainingError, UsageError

RELEASED = replace(
    SMALL,
    optimiser="sgd",
    warm_up_steps=2,
    weight_decay=5e-4,
    decay_norms=True,
    loss="ohem",
    class_weighting=False,
    auxiliary_weight=0.5,
)
"""FANet's authors' recipe, in six steps."""

ONE = alone(torch.device("cpu"))
WEIGHTS = torch.tensor([1.0, 5.0, 0.5])


def run(folder, recipe, net, **options):
    return net, train(net, make_sampler(recipe), recipe, folder, seed=0, **options)


def kill_at(step):
    def on_step(report):
        if report.step == step:
            raise RuntimeError("killed")

    return on_step


# Optimisers.


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 400])
def test_one_cycle_is_torch_s_to_the_bit(steps):
    recipe = Recipe(steps=steps, learning_rate=3.3e-4)
    optimizer = torch.optim.AdamW([nn.Parameter(torch.zeros(1))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, recipe.peak_learning_rate, steps + 1, div_factor=recipe.peak_learning_rate / recipe.learning_rate
    )
    for step in range(steps):
        assert one_cycle(step, recipe) == (schedule.get_last_lr()[0], optimizer.param_groups[0]["betas"][0])
        optimizer.step()
        schedule.step()


def test_one_cycle_is_two_half_cosines():
    recipe = Recipe(steps=99, learning_rate=1e-4, peak_learning_rate=1e-2)
    top = 0.3 * 100 - 1
    for step in range(99):
        if step <= top:
            expected = 1e-2 + (1e-4 - 1e-2) * (1 + math.cos(math.pi * step / top)) / 2
        else:
            expected = 1e-8 + (1e-2 - 1e-8) * (1 + math.cos(math.pi * (step - top) / (99 - top))) / 2
        assert one_cycle(step, recipe)[0] == pytest.approx(expected, rel=1e-9)


def test_sgd_warms_up_exponentially_and_falls_as_a_power():
    recipe = Recipe(optimiser="sgd", steps=50, peak_learning_rate=1e-2, warm_up_steps=10, warm_up_learning_rate=1e-5)
    rates = [warm_up_and_fall(step, recipe) for step in range(50)]
    assert rates[:10] == pytest.approx([1e-5 * 1000 ** (step / 10) for step in range(10)])
    assert rates[10:] == pytest.approx([1e-2 * (1 - (step - 10) / 40) ** 0.9 for step in range(10, 50)])
    assert rates[10] == max(rates) == pytest.approx(1e-2)
    assert all(b > a for a, b in pairwise(rates[:11]))
    assert all(b < a for a, b in pairwise(rates[10:]))
    assert rates[-1] > 0
    plain = replace(recipe, warm_up_steps=0)
    assert warm_up_and_fall(20, plain) == pytest.approx(1e-2 * (1 - 20 / 50) ** 0.9)


@pytest.mark.parametrize("decay_norms", [False, True])
def test_sgd_steps_are_those_of_the_formula(decay_norms):
    """v <- 0.9 v + (g + decay w); w <- w - rate v, norms without decay unless they are to have it."""
    recipe = replace(SMALL, optimiser="sgd", warm_up_steps=2, weight_decay=0.1, decay_norms=decay_norms)
    net = Tiny().double()
    kernels = ("layers.0.weight", "layers.3.weight")
    decayed = (*kernels, "layers.1.weight", "layers.1.bias") if decay_norms else kernels
    expected = {name: p.detach().clone() for name, p in net.named_parameters()}
    velocity = {name: torch.zeros_like(p) for name, p in expected.items()}
    optimiser = make_optimiser(net, recipe)
    torch.manual_seed(0)
    for step in range(4):
        rate = set_rate(optimiser, recipe, step)
        assert rate == warm_up_and_fall(step, recipe)
        for name, p in net.named_parameters():
            p.grad = torch.randn_like(p)
            decay = 0.1 if name in decayed else 0.0
            velocity[name] = 0.9 * velocity[name] + p.grad + decay * expected[name]
            expected[name] -= rate * velocity[name]
        optimiser.step()
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.detach(), expected[name])


def test_a_memory_s_own_numbers_are_never_decayed():
    net = small_fanet(aggregation="gate")
    groups = make_optimiser(net, replace(SMALL, decay_norms=True)).param_groups
    spared = {id(p) for p in groups[1]["params"]}
    assert groups[1]["weight_decay"] == 0
    assert {name for name, p in net.named_parameters() if id(p) in spared} == {
        name for name, _ in net.named_parameters() if name.startswith("recall.")
    }


def test_the_rates_of_a_run_are_those_of_its_schedule(tmp_path):
    recipe = replace(SMALL, optimiser="sgd", warm_up_steps=2)
    _, history = run(tmp_path, recipe, Tiny())
    assert history.learning_rate.tolist() == [warm_up_and_fall(step, recipe) for step in range(6)]
    _, history = run(tmp_path / "adamw", SMALL, Tiny())
    assert history.learning_rate.tolist() == [one_cycle(step, SMALL)[0] for step in range(6)]


# Hard pixels.


def naive_ohem(logits, labels, weights, threshold, min_share):
    """One pixel after the other, sorted as a list."""
    pixels = []
    for b, y, x in torch.cartesian_prod(*(torch.arange(n) for n in labels.shape)).tolist():
        if labels[b, y, x] != 255:
            probability = logits[b, :, y, x].softmax(0)[labels[b, y, x]]
            pixels.append((-probability.log(), weights[labels[b, y, x]]))
    pixels.sort(key=lambda pixel: float(pixel[0].detach()), reverse=True)
    hard = [pixel for pixel in pixels if (-pixel[0]).exp() < threshold]
    least = math.ceil(min_share * len(pixels))
    chosen = hard if len(hard) >= least else pixels[:least]
    return sum(weight * loss for loss, weight in chosen) / sum(weight for _, weight in chosen)


@pytest.mark.parametrize(("sharpness", "min_share"), [(1.0, 1 / 16), (8.0, 1 / 16), (8.0, 0.9), (1.0, 1.0)], ids=str)
def test_ohem_is_the_naive_one(sharpness, min_share):
    """Sharp logits leave few pixels that are hard by themselves: then the least share counts."""
    torch.manual_seed(0)
    labels = torch.randint(0, 3, (2, 5, 6))
    right = F.one_hot(labels, 3).permute(0, 3, 1, 2)
    labels[0, :2], labels[1, :, 3] = 255, 255
    logits = (torch.randn(2, 3, 5, 6, dtype=torch.float64) + sharpness * right).requires_grad_()
    mine = supervised_loss(logits, labels, WEIGHTS.double(), hard=lambda losses: hard_pixels(losses, 0.7, min_share))
    naive = naive_ohem(logits, labels, WEIGHTS.double(), 0.7, min_share)
    torch.testing.assert_close(mine, naive)
    gradients = [torch.autograd.grad(loss, logits)[0] for loss in (mine, naive)]
    torch.testing.assert_close(*gradients)
    assert not gradients[0].movedim(1, 3)[labels == 255].any()


def test_ohem_of_equally_hard_pixels_takes_all_of_them():
    assert hard_pixels(torch.full((40,), 0.1), 0.7, 1 / 16).all()
    assert hard_pixels(torch.tensor([0.1, 0.3, 0.2, 0.3]), 0.7, 0.25).tolist() == [False, True, False, True]


def test_ohem_of_a_batch_without_a_label_is_zero_and_finite():
    logits = torch.randn(2, 3, 4, 5, requires_grad=True)
    labels = torch.full((2, 4, 5), 255)
    loss = supervised_loss(logits, labels, WEIGHTS, hard=lambda losses: hard_pixels(losses, 0.7, 1 / 16))
    loss.backward()
    assert loss == 0
    assert logits.grad is not None
    assert not logits.grad.any()


# Early frames.


def test_frames_are_counted_from_the_last_start():
    start = torch.tensor([True, False, False, True, True, False])
    assert frames_since_start(start).tolist() == [0, 1, 2, 0, 0, 1]
    assert frames_since_start(torch.tensor([False, False, True])).tolist() == [0, 1, 0]


@pytest.mark.parametrize(("depth", "aggregation"), [(2, "sum"), (1, "mean,stride=2"), (0, "sum")])
def test_context_frames_are_not_learnt_from_but_learn(depth, aggregation):
    recipe = replace(SMALL, clip_length=4, clips_per_step=1, early_frames="context")
    net = small_fanet(depth, aggregation)
    batch = make_sampler(recipe).sample(0)
    batch = replace(batch, images=batch.images.requires_grad_())
    loss = Learner(net, recipe, WEIGHTS, ONE).loss(batch)
    seen = 2 if depth else 0
    logits, _ = net.train()(batch.images, None, batch.segment_start)
    expected = F.cross_entropy(logits[seen:], batch.labels[seen:], weight=WEIGHTS, ignore_index=255)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert batch.images.grad is not None
    assert batch.images.grad[0].any()


def test_context_is_what_reaches_into_every_clip():
    """Each clip of a mixed batch loses its own first frames."""
    recipe = replace(SMALL, clip_length=4, clips_per_step=2, early_frames="context")
    _, labels = Learner(small_fanet(), recipe, WEIGHTS, ONE).supervised(make_sampler(recipe).sample(0))
    learnt = (labels != 255).flatten(1).any(1)
    assert learnt.tolist() == [False, False, True, True] * 2


@pytest.mark.parametrize(("depth", "aggregation", "reach"), [(3, "sum", 3), (2, "mean,stride=2", 4)])
def test_a_memory_longer_than_the_clip_is_refused_before_training(tmp_path, depth, aggregation, reach):
    recipe = replace(SMALL, early_frames="context")
    net = small_fanet(depth, aggregation)
    assert reach_of(net) == reach
    with pytest.raises(UsageError, match=f"early_frames .*N longer than the clip: .*looks {reach} frames .*not 3"):
        run(tmp_path / "run", recipe, net)
    assert not (tmp_path / "run").exists()
    run(tmp_path / "fair", replace(recipe, early_frames="supervised", steps=1), net)


# Auxiliary heads.


@pytest.mark.parametrize("loss_stride", [1, 3])
def test_auxiliary_maps_are_learnt_from_at_the_pixels_of_the_logits(loss_stride):
    recipe = replace(SMALL, auxiliary_weight=0.5, loss_stride=loss_stride)
    net = small_fanet(auxiliary=True)
    batch = make_sampler(recipe).sample(0)
    torch.manual_seed(5)
    loss = Learner(net, recipe, WEIGHTS, ONE).loss(batch)
    logits, _, auxiliary = net.train()(batch.images, None, batch.segment_start, auxiliary=True)
    torch.manual_seed(5)
    rows, columns = draw_lattice((16, 24), loss_stride) if loss_stride > 1 else (torch.arange(16), torch.arange(24))

    def cross_entropy(maps):
        whole = F.interpolate(maps, size=(16, 24), mode="bilinear", align_corners=False)
        chosen, labels = (x[..., rows[:, None], columns] for x in (whole, batch.labels))
        return F.cross_entropy(chosen, labels, weight=WEIGHTS, ignore_index=255)

    expected = cross_entropy(logits) + 0.5 * cross_entropy(auxiliary[0]) + 0.5 * cross_entropy(auxiliary[1])
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert all(p.grad is not None and p.grad.any() for p in net.decoder.head_64.parameters())


def test_auxiliary_loss_without_heads_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"auxiliary_weight is 0\.5, but Tiny has no auxiliary heads"):
        run(tmp_path / "run", replace(SMALL, auxiliary_weight=0.5), Tiny())
    assert not (tmp_path / "run").exists()


# Half precision, on the CPU: the loop is the same, and the check that keeps it for GPUs is left out.


def test_fp16_is_for_gpus(tmp_path):
    with pytest.raises(UsageError, match='precision = "fp16" is for a GPU, and training is on cpu'):
        run(tmp_path / "run", replace(SMALL, precision="fp16"), Tiny())
    assert not (tmp_path / "run").exists()


@pytest.fixture
def fp16_anywhere(monkeypatch):
    monkeypatch.setattr(learning, "check_recipe", lambda *_: None)


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_clips_the_gradient_and_not_its_scaled_copy():
    """A step of rate 1 is as long as its gradient: 0.01, where a clipped copy that is unscaled later gives 0.01/128."""
    recipe = replace(SMALL, optimiser="sgd", clip_gradient_norm=0.01, weight_decay=0.0, peak_learning_rate=1.0)
    net = small_fanet()
    before = torch.cat([p.detach().flatten() for p in net.parameters()])
    learner = Learner(net, replace(recipe, precision="fp16"), WEIGHTS, ONE)
    learner.scaler = torch.amp.GradScaler("cpu", init_scale=128.0)
    learner.learn(make_sampler(recipe).sample(0), 0)
    moved = torch.cat([p.detach().flatten() for p in net.parameters()]) - before
    assert float(moved.norm()) == pytest.approx(0.01, rel=0.01)


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_resumes_with_its_scale_to_the_same_bits(tmp_path):
    recipe = replace(SMALL, precision="fp16")
    whole, _ = run(tmp_path / "whole", recipe, small_fanet())
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "cut", recipe, small_fanet(), on_step=kill_at(3))
    resumed, _ = run(tmp_path / "cut", recipe, small_fanet())
    assert same_bits(whole, resumed)
    first, second = (checkpoints.read(tmp_path / name / "checkpoint.pt")["scaler"] for name in ("whole", "cut"))
    assert first == second != {}


class Overflowing(Tiny):
    """Its gradient overflows at some of its calls, as fp16's does where the loss is scaled too much."""

    def __init__(self, at) -> None:
        super().__init__()
        self.at, self.calls, self.seen = at, 0, []

    def forward(self, images, *_):
        self.seen.append(self.layers[0].weight.detach().clone())
        logits, state = super().forward(images)
        self.calls += 1
        if self.calls in self.at:
            logits.register_hook(lambda gradient: gradient * torch.inf)
        return logits, state


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_skips_a_step_that_overflows_and_scales_less(tmp_path):
    net = Overflowing(at=(2,))
    run(tmp_path, replace(SMALL, precision="fp16"), net)
    assert torch.equal(net.seen[1], net.seen[2])
    assert not torch.equal(net.seen[2], net.seen[3])
    assert checkpoints.read(tmp_path / "checkpoint.pt")["scaler"]["scale"] == 2.0**15


@pytest.mark.usefixtures("fp16_anywhere")
def test_fp16_gives_up_on_gradients_that_no_scale_helps(tmp_path):
    recipe = replace(SMALL, precision="fp16", steps=40)
    with pytest.raises(TrainingError, match="not finite at step 17 of 40"):  # 2^16 halved 16 times is 1
        run(tmp_path, recipe, Overflowing(at=range(1, 41)))
    assert (tmp_path / "bad_batch.pt").is_file()


# All together.


@pytest.mark.parametrize(
    ("recipe", "make"),
    [
        (replace(RELEASED, clip_length=4, early_frames="context"), lambda: small_fanet(auxiliary=True)),
        (replace(RELEASED, auxiliary_weight=0), Tiny),
        (
            replace(SMALL, loss="ohem", auxiliary_weight=0.4, loss_stride=3, decay_norms=True),
            lambda: small_fanet(aggregation="gate", auxiliary=True),
        ),
        (replace(SMALL, clip_length=4, early_frames="context", precision="bf16"), small_fanet),
    ],
    ids=["released-context", "sgd-ohem-dropout", "adamw-ohem-auxiliary", "adamw-context-bf16"],
)
def test_a_killed_run_resumes_to_the_same_bits_with_any_recipe(tmp_path, recipe, make):
    whole, expected = run(tmp_path / "whole", recipe, make())
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "cut", recipe, make(), on_step=kill_at(3))
    resumed, history = run(tmp_path / "cut", recipe, make())
    assert same_bits(whole, resumed)
    assert history.drop(columns=TIMES).equals(expected.drop(columns=TIMES))


def test_the_released_recipe_learns(tmp_path):
    """The loss of hard pixels stays high while fewer are hard: pixels that are right tell more."""
    recipe = replace(RELEASED, steps=60, peak_learning_rate=0.1, warm_up_steps=5, augment=False)
    net, _ = run(tmp_path, recipe, small_fanet(width=1 / 8, auxiliary=True))
    batch = make_sampler(recipe).sample(0)
    predicted = net(batch.images, None, batch.segment_start)[0].argmax(1)
    assert (predicted == batch.labels)[batch.labels != 255].float().mean() > 0.7


def test_where_the_weights_came_from_is_kept_and_held_against(tmp_path):
    run(tmp_path, replace(SMALL, steps=1), Tiny(), origin="mine.pt")
    assert checkpoints.read(tmp_path / "checkpoint.pt")["origin"] == "mine.pt"
    run(tmp_path, replace(SMALL, steps=1), Tiny())
    with pytest.raises(TrainingError, match=r"another run \(origin is 'mine.pt' there and 'other.pt' here\)"):
        run(tmp_path, replace(SMALL, steps=1), Tiny(), origin="other.pt")


# One process of several.


def test_clips_that_cannot_be_shared_out_are_refused(tmp_path):
    team = Team(0, 3, torch.device("cpu"))
    with pytest.raises(
        UsageError, match=r"clips_per_step \(2\) cannot be divided among 3 processes: choose a multiple"
    ):
        run(tmp_path / "run", SMALL, Tiny(), team=team)
    assert not (tmp_path / "run").exists()
