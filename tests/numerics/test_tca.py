"""Temporal context aggregation: batched = streaming = an oracle that recomputes every frame from its definition.

All in float64 and, where single frames are compared with batches, in eval mode: in training mode BatchNorm's statistics
are those of the batch, so no two ways of cutting a video into batches can agree.
"""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

from fanet import FANet
from fanet.aggregations import Sum
from fanet.backbone import Backbone
from fanet.memory import Memory
from fanet.temporal import Recall, TemporalState

DEPTHS = [0, 1, 2, 4, 6]
# Frames of each segment of a batch of ten: homogeneous, mixed, mixed with unequal segments.
BATCHES = {"1x10": [10], "2x5": [5, 5], "3+7": [3, 7]}
CALLS = {"batched": [10], "streaming": [1] * 10, "in three calls": [4, 1, 5]}
CASES = [(batch, calls) for batch in BATCHES for calls in ("batched", "streaming")] + [("3+7", "in three calls")]
TOLERANCE = 1e-12


def make_net(depth: int) -> FANet:
    """A small network, one residual block a stage, with BatchNorm statistics that matter."""
    net = FANet(num_classes=3, width=1 / 16, tca_depth=depth)
    net.backbone = Backbone((1, 1, 1, 1), (4, 8, 16, 32))
    net = net.double().eval()
    generator = torch.Generator().manual_seed(1)
    net.reset_parameters(generator)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor, low in (
                (layer.running_mean, -0.2),
                (layer.running_var, 0.5),
                (layer.weight, 0.5),
                (layer.bias, -0.2),
            ):
                tensor.data = low + torch.rand(tensor.shape, generator=generator, dtype=torch.float64)
    return net


def make_frames(num_frames: int = 10) -> Tensor:
    generator = torch.Generator().manual_seed(2)
    return torch.randn(num_frames, 3, 19, 26, generator=generator, dtype=torch.float64).requires_grad_()


def starts(lengths: list[int]) -> Tensor:
    return torch.cat([torch.arange(n) == 0 for n in lengths])


def remembered(i: int, depth: int, segment_start: list[bool]) -> list[int]:
    """The frames whose contexts frame i sums up: walk back until a segment start or until N are found."""
    frames = [i]
    while len(frames) <= depth and not segment_start[frames[-1]] and frames[-1] > 0:
        frames.append(frames[-1] - 1)
    return frames


def oracle(net: FANet, frames: Tensor, segment_start: Tensor, calls: list[int]) -> Tensor:
    """Logits frame by frame, everything recomputed from its definition; contexts of earlier calls carry no gradient."""
    begins = segment_start.tolist()
    call_of = [number for number, size in enumerate(calls) for _ in range(size)]
    features = [net.backbone(frame[None]) for frame in frames]
    contexts = [[naive_context(a, x) for a, x in zip(net.attention, maps, strict=True)] for maps in features]
    logits = []
    for i, maps in enumerate(features):
        past = remembered(i, net.tca_depth, begins)
        attended = []
        for s, (attention, feature) in enumerate(zip(net.attention, maps, strict=True)):
            total = sum(contexts[j][s] if call_of[j] == call_of[i] else contexts[j][s].detach() for j in past)
            query = attention.query(feature)[0]
            query = query / query.square().sum(0).sqrt()
            y = torch.einsum("khw,kc->chw", query, total * (net.tca_depth + 1) / len(past))
            attended.append(feature + attention.lateral(y[None]))
        logits.append(nn.functional.interpolate(net.decoder(attended), size=frames.shape[2:], mode="bilinear"))
    return torch.cat(logits)


def naive_context(attention: nn.Module, feature: Tensor) -> Tensor:
    """f = 1/n sum over pixels p of k_p v_p^T, k_p of length 1."""
    key = attention.key(feature)[0].flatten(1)  # [key, n]
    value = attention.value(feature)[0].flatten(1)  # [C, n]
    num_pixels = key.shape[1]
    pixels = (torch.outer(key[:, p] / key[:, p].square().sum().sqrt(), value[:, p]) for p in range(num_pixels))
    return sum(pixels) / num_pixels


def run(net: FANet, frames: Tensor, segment_start: Tensor, calls: list[int]) -> Tensor:
    """The network over the frames, in calls of the given sizes with the state carried."""
    state, logits = None, []
    for part, part_start in zip(frames.split(calls), segment_start.split(calls), strict=True):
        out, state = net(part, state, part_start)
        logits.append(out)
    return torch.cat(logits)


def gradients(net: FANet, frames: Tensor, logits: Tensor) -> dict[str, Tensor]:
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    names = ["frames", *(name for name, _ in net.named_parameters())]
    found = torch.autograd.grad((logits * direction).sum(), [frames, *net.parameters()])
    return dict(zip(names, found, strict=True))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("batch", "calls"), CASES)
def test_forward_and_gradient_equal_the_oracle(depth, batch, calls):
    calls = CALLS[calls]
    net, frames, segment_start = make_net(depth), make_frames(), starts(BATCHES[batch])
    expected = oracle(net, frames, segment_start, calls)
    actual = run(net, frames, segment_start, calls)
    assert (actual - expected).abs().max() <= TOLERANCE * expected.abs().max()
    wanted, found = gradients(net, frames, expected), gradients(net, frames, actual)
    largest = max(g.abs().max() for g in wanted.values())
    for name in wanted:
        assert (found[name] - wanted[name]).abs().max() <= TOLERANCE * largest, name


@pytest.mark.parametrize("depth", [2, 4])
@pytest.mark.parametrize("batch", BATCHES)
def test_training_mode_equals_loops_over_the_batch(depth, batch):
    """In training mode the batch's own statistics hold: the sum over time is redone by loops over its contexts."""
    net, frames, segment_start = make_net(depth).train(), make_frames(), starts(BATCHES[batch])
    features = net.backbone(frames)
    attended = []
    for feature, attention in zip(features, net.attention, strict=True):
        context = attention.context(feature)
        rows = []
        for i in range(len(frames)):
            past = remembered(i, depth, segment_start.tolist())
            rows.append(sum(context[j] for j in past) * (depth + 1) / len(past))
        attended.append(attention(feature, torch.stack(rows)))
    expected = nn.functional.interpolate(net.decoder(attended), size=frames.shape[2:], mode="bilinear")
    actual, _ = net(frames, None, segment_start)
    assert (actual - expected).abs().max() <= TOLERANCE * expected.abs().max()
    wanted, found = gradients(net, frames, expected), gradients(net, frames, actual)
    largest = max(g.abs().max() for g in wanted.values())
    assert all((found[name] - wanted[name]).abs().max() <= TOLERANCE * largest for name in wanted)


@pytest.mark.parametrize("depth", [1, 4])
def test_gradient_comes_from_the_remembered_frames_and_from_no_other(depth):
    net, frames, segment_start = make_net(depth), make_frames(), starts([3, 7])
    logits, _ = net(frames, None, segment_start)
    for i in range(len(frames)):
        (gradient,) = torch.autograd.grad(logits[i].square().sum(), frames, retain_graph=True)
        touched = [j for j in range(len(frames)) if gradient[j].count_nonzero() > 0]
        assert touched == sorted(remembered(i, depth, segment_start.tolist()))


def test_depth_0_is_plain_fanet_to_the_bit():
    net, frames = make_net(0), make_frames()
    features = net.backbone(frames)
    attended = [a(x, a.context(x)) for a, x in zip(net.attention, features, strict=True)]
    plain = nn.functional.interpolate(net.decoder(attended), size=frames.shape[2:], mode="bilinear")
    logits, state = net(frames, None, starts([3, 7]))
    assert torch.equal(logits, plain)
    assert state.num_bytes == 0
    assert torch.equal(net(frames, state)[0], plain)


def test_a_still_scene_has_a_context_of_the_same_size_from_the_first_frame_on():
    """(N+1)/(k+1): a young memory is scaled up, so a network does not see the scale jump after a cut."""
    net = make_net(4)
    frames = make_frames(1).detach().repeat(8, 1, 1, 1)
    logits, _ = net(frames, None, starts([8]))
    torch.testing.assert_close(logits[1:], logits[:1].repeat(7, 1, 1, 1), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("cut", [False, True])
def test_a_poisoned_frame_is_forgotten_after_n_frames_or_at_a_cut(cut):
    net, frames = make_net(2), make_frames(6).detach()
    frames[1] = torch.nan
    segment_start = torch.tensor([True, False, cut, False, False, False])
    finite = run(net, frames, segment_start, [1] * 6).isfinite().all(dim=(1, 2, 3)).tolist()
    assert finite == ([True, False, True, True, True, True] if cut else [True, False, False, False, True, True])


def naive_sum(contexts: Tensor, segment_start: list[bool], depth: int) -> Tensor:
    rows = []
    for i in range(len(contexts)):
        past = remembered(i, depth, segment_start)
        rows.append(sum(contexts[j] for j in past) * (depth + 1) / len(past))
    return torch.stack(rows)


@settings(max_examples=60, deadline=None)
@given(
    begins=st.lists(st.booleans(), min_size=1, max_size=14),
    depth=st.integers(0, 8),
    calls=st.lists(st.integers(1, 6), max_size=14),
)
def test_any_cut_of_any_video_into_calls_sums_the_same(begins, depth, calls):
    contexts = torch.randn(len(begins), 2, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    expected = naive_sum(contexts, begins, depth)
    recall = Recall(Memory(Sum), depth, [2])
    state: TemporalState | None = None
    done, found = 0, []
    for size in [*calls, *[1] * len(begins)]:
        if done < len(begins):
            chosen = slice(done, done + size)
            (part,), state = recall([contexts[chosen]], state, torch.tensor(begins[chosen]))
            found.append(part)
            done += size
    torch.testing.assert_close(torch.cat(found), expected, rtol=1e-12, atol=1e-12)
    if depth:
        assert state.num_valid == len(remembered(len(begins) - 1, depth - 1, begins))
        empty, kept = state.remembered[0].split([depth - int(state.num_valid), int(state.num_valid)])
        assert torch.equal(kept, contexts[len(begins) - state.num_valid :])
        assert not empty.any()
