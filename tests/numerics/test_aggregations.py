"""Every memory: batched = streaming = loops that recompute each frame from its definition; float64, gradients too."""

import itertools
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from memory_oracle import NAIVE_MIXES, oracle, remembered
from torch import Tensor, nn

from fanet import Aggregation, FANet, Memory
from fanet.aggregations import Channels, Decay, Gate, Lags, Mean, Sum
from fanet.attention import FastAttention
from fanet.backbone import Backbone
from fanet.memory import MEMORIES, parse_memory
from fanet.temporal import Recall

TOLERANCE = 1e-12
NAMES = [
    *MEMORIES,
    "gate,tiles=2",
    "sum,tiles=3",
    "mean,stride=2",
    "lags,scales=8+64",
    "warped,stride=2",
    "netwarp,stride=2",
    "local,stride=3",
]
ONE_CLIP, TWO_CLIPS = [10], [3, 7]
BATCHED, STREAMING, IN_THREE_CALLS = [10], [1] * 10, [4, 1, 5]
CASES = {
    "N=1, a clip": (1, ONE_CLIP, BATCHED),
    "N=2, two clips": (2, TWO_CLIPS, BATCHED),
    "N=2, in three calls": (2, ONE_CLIP, IN_THREE_CALLS),
    "N=4, two clips": (4, TWO_CLIPS, BATCHED),
    "N=4, streaming": (4, TWO_CLIPS, STREAMING),
    "N=6, streaming": (6, ONE_CLIP, STREAMING),
}


def make_net(depth: int, aggregation: str | Memory) -> FANet:
    """A small network with BatchNorm statistics and memory parameters that matter."""
    net = FANet(num_classes=3, width=1 / 16, tca_depth=depth, aggregation=aggregation)
    net.backbone = Backbone((1, 1, 1, 1), (4, 8, 16, 32))
    net = net.double().eval()
    generator = torch.Generator().manual_seed(1)
    net.reset_parameters(generator)
    for layer in net.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for tensor in (layer.running_mean, layer.bias):
                tensor.data = torch.rand(tensor.shape, generator=generator, dtype=torch.float64) - 0.4
            for tensor in (layer.running_var, layer.weight):
                tensor.data = torch.rand(tensor.shape, generator=generator, dtype=torch.float64) + 0.5
    for name, parameter in net.recall.named_parameters():
        spread = 0.1 if name.startswith("refinement") else 1.0  # a wilder correction leaves nothing in view
        parameter.data += spread * (torch.rand(parameter.shape, generator=generator, dtype=torch.float64) - 0.5)
    return net


def make_frames() -> Tensor:
    return torch.randn(10, 3, 19, 26, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_()


def make_motion() -> Tensor:
    """A pan of its own for each frame, uneven, unknown in a corner that wanders."""
    generator = torch.Generator().manual_seed(4)
    pan = 8 * torch.randn(10, 2, 1, 1, generator=generator, dtype=torch.float64)
    motion = pan + torch.randn(10, 2, 19, 26, generator=generator, dtype=torch.float64)
    for t in range(10):
        motion[t, :, : 3 * (t % 4), : 2 * t] = torch.nan
    return motion


def starts(lengths: list[int]) -> Tensor:
    return torch.cat([torch.arange(n) == 0 for n in lengths])


def run(net: FANet, frames: Tensor, segment_start: Tensor, motion: Tensor, calls: list[int]) -> Tensor:
    state, logits = None, []
    parts = zip(frames.split(calls), segment_start.split(calls), motion.split(calls), strict=True)
    for part, part_start, part_motion in parts:
        out, state = net(part, state, part_start, part_motion)
        logits.append(out)
    return torch.cat(logits)


def gradients(net: FANet, frames: Tensor, logits: Tensor) -> dict[str, Tensor]:
    direction = torch.randn(logits.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    names = ["frames", *(name for name, _ in net.named_parameters())]
    found = torch.autograd.grad((logits * direction).sum(), [frames, *net.parameters()], allow_unused=True)
    return {name: gradient for name, gradient in zip(names, found, strict=True) if gradient is not None}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("name", NAMES)
def test_forward_and_gradient_equal_the_oracle(name: str, case: str) -> None:
    depth, segments, calls = CASES[case]
    net, frames, motion, segment_start = make_net(depth, name), make_frames(), make_motion(), starts(segments)
    expected = oracle(net, frames, segment_start.tolist(), motion, calls)
    actual = run(net, frames, segment_start, motion, calls)
    assert (actual - expected).abs().max() <= TOLERANCE * expected.abs().max()
    wanted, found = gradients(net, frames, expected), gradients(net, frames, actual)
    largest = max(g.abs().max() for g in wanted.values())
    assert wanted.keys() <= found.keys()
    for key, gradient in found.items():
        assert (gradient - wanted.get(key, torch.zeros(()))).abs().max() <= TOLERANCE * largest, key


@pytest.mark.parametrize("name", NAMES)
def test_memory_matters_and_every_parameter_of_it_learns(name: str) -> None:
    net, frames, motion = make_net(2, name), make_frames(), make_motion()
    logits, _ = net(frames, None, starts([10]), motion)
    plain = make_net(0, name)(frames, None, starts([10]), motion)[0]
    assert not torch.allclose(logits[-1], plain[-1])
    found = gradients(net, frames, logits)
    learned = [key for key, _ in net.named_parameters() if key.startswith("recall")]
    assert all(found[key].count_nonzero() > 0 for key in learned)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_comes_from_the_remembered_frames_and_from_no_other(name: str) -> None:
    net, frames = make_net(2, name), make_frames()
    begins, memory = starts([4, 6]), parse_memory(name)
    motion = torch.full((10, 2, 19, 26), 2.0, dtype=torch.float64)
    logits, _ = net(frames, None, begins, motion)
    for i in range(len(frames)):
        (gradient,) = torch.autograd.grad(logits[i].square().sum(), frames, retain_graph=True)
        touched = [j for j in range(len(frames)) if gradient[j].count_nonzero() > 0]
        past = [j for _, j in remembered(i, 2, memory.stride, begins.tolist())]
        between = range(min(past, default=i), i) if memory.refined else []  # motion goes through all their pictures
        assert touched == sorted({i, *past, *between})


@pytest.mark.parametrize("name", [name for name in NAMES if "tiles" not in name])  # tiles change the network itself
def test_depth_0_is_plain_fanet_to_the_bit(name: str) -> None:
    plain, net, frames = make_net(0, "sum"), make_net(0, name), make_frames()
    logits, state = net(frames, None, starts([3, 7]))
    assert torch.equal(logits, plain(frames, None, starts([3, 7]))[0])
    assert state.num_bytes == 0


@pytest.mark.parametrize("name", NAMES)
def test_initial_weights_do_not_depend_on_memory(name: str) -> None:
    nets = [FANet(width=1 / 8, tca_depth=depth, aggregation=agg) for depth, agg in ((0, "sum"), (3, name))]
    for net in nets:
        net.reset_parameters(torch.Generator().manual_seed(5))
    shared = nets[0].state_dict()
    assert all(torch.equal(shared[key], value) for key, value in nets[1].state_dict().items() if key in shared)
    assert all(key.startswith("recall") for key in nets[1].state_dict().keys() - shared.keys())


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(("sum", "propagate", "netwarp"))])
def test_a_still_scene_looks_to_a_mean_as_it_does_without_memory(name: str) -> None:
    """Weights that sum to 1: what is remembered of a scene that does not change changes nothing."""
    frames = make_frames()[:1].detach().repeat(6, 1, 1, 1)
    still = torch.zeros(6, 2, 19, 26, dtype=torch.float64)
    with_memory, without = (make_net(depth, name)(frames, None, starts([6]), still)[0] for depth in (2, 0))
    torch.testing.assert_close(with_memory, without, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("size_hw", [(7, 5), (2, 9), (1, 1)])
def test_attention_in_tiles_is_attention_to_each_tile_alone(size_hw: tuple[int, int]) -> None:
    torch.manual_seed(0)
    tiled, whole = FastAttention(6, 4, tiles=3).double().eval(), FastAttention(6, 4).double().eval()
    whole.load_state_dict(tiled.state_dict())
    feature = torch.randn(2, 6, *size_hw, dtype=torch.float64)
    expected = torch.empty_like(feature)
    sides = [np.array_split(np.arange(side), min(3, side)) for side in size_hw]
    for rows, columns in itertools.product(*sides):
        tile = feature[:, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        expected[:, :, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1] = whole(tile, whole.context(tile))
    torch.testing.assert_close(tiled(feature, tiled.context(feature)), expected, rtol=1e-12, atol=1e-12)


def test_a_warped_memory_finds_things_where_they_are_now() -> None:
    """A map that moves by whole places equals itself, moved: the mean of all is the present where it was in view."""
    recall = Recall(Memory(MEMORIES["mean"].mix, "map", warped=True), 3, [5])
    scene = torch.randn(5, 6, 12, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    maps = torch.stack([scene[:, :, t : t + 8] for t in range(4)])  # the camera pans right by one place a frame
    motion = torch.zeros(4, 2, 48, 64, dtype=torch.float64)
    motion[:, 0] = 8.0  # what is here now was one place (8 pixels) further right before
    (mixed,), _ = recall([maps], None, starts([4]), motion)
    torch.testing.assert_close(mixed, maps, rtol=1e-12, atol=1e-12)
    (unwarped,), _ = Recall(Memory(MEMORIES["mean"].mix, "map"), 3, [5])([maps], None, starts([4]))
    assert not torch.allclose(unwarped[-1], maps[-1])


def test_unknown_motion_is_no_memory() -> None:
    net, frames = make_net(2, "warped"), make_frames()
    unknown = torch.full((10, 2, 19, 26), torch.nan, dtype=torch.float64)
    logits, _ = net(frames, None, starts([10]), unknown)
    torch.testing.assert_close(logits, make_net(0, "warped")(frames)[0], rtol=1e-12, atol=1e-12)


def test_a_warped_memory_without_motion_is_refused() -> None:
    with pytest.raises(ValueError, match="give motion"):
        make_net(2, "warped")(make_frames())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("cut", [False, True])
def test_a_poisoned_frame_is_forgotten_with_the_others(name: str, cut: bool) -> None:
    stride = parse_memory(name).stride
    net, frames, motion = make_net(1, name), make_frames().detach(), make_motion()
    frames[1] = torch.nan
    segment_start = torch.zeros(10, dtype=torch.bool)
    segment_start[[0, 2] if cut else [0]] = True
    logits = run(net, frames, segment_start, motion, [1] * 10)
    finite = logits.isfinite().all(dim=(1, 2, 3)).tolist()
    assert not finite[1]
    assert all(finite[2:] if cut else finite[2 + stride :])


@settings(max_examples=60, deadline=None)
@given(
    begins=st.lists(st.booleans(), min_size=1, max_size=14),
    depth=st.integers(1, 5),
    stride=st.integers(1, 4),
    mix=st.sampled_from([Sum, Mean, Decay, Lags, Gate, Channels]),
    calls=st.lists(st.integers(1, 6), max_size=14),
)
def test_any_cut_of_any_video_into_calls_mixes_the_same(
    begins: list[bool], depth: int, stride: int, mix: type[Aggregation], calls: list[int]
) -> None:
    items = torch.randn(len(begins), 6, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    recall = Recall(Memory(mix, stride=stride), depth, [6]).double()
    rows = []
    for i in range(len(begins)):
        past = [(lag, items[j], True) for lag, j in remembered(i, depth, stride, begins)]
        rows.append(NAIVE_MIXES[mix.__name__](items[i], past, recall.mixes[0]))
    state, done, found = None, 0, []
    for size in [*calls, *[1] * len(begins)]:
        if done < len(begins):
            chosen = slice(done, done + size)
            (part,), state = recall([items[chosen]], state, torch.tensor(begins[chosen]))
            found.append(part)
            done += size
    torch.testing.assert_close(torch.cat(found), torch.stack(rows), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("tap", ["contexts", "map", "logits"])
def test_another_one_is_a_class_of_a_few_lines(tap: str) -> None:
    """The one that docs/adding-an-aggregation.md adds, word for word."""
    page = (Path(__file__).parents[2] / "docs/adding-an-aggregation.md").read_text()
    known: dict[str, object] = {"Aggregation": Aggregation, "Tensor": Tensor, "torch": torch}
    exec(page.split("```python")[1].split("```")[0], known)
    net, frames = make_net(2, Memory(known["Median"], tap)), make_frames()  # type: ignore[arg-type]
    batched = run(net, frames, starts([3, 7]), make_motion(), [10])
    streamed = run(net, frames, starts([3, 7]), make_motion(), [1] * 10)
    torch.testing.assert_close(streamed, batched, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(batched[-1], make_net(0, "sum")(frames)[0][-1])
    assert "aggregation=median" in repr(net)


@pytest.mark.parametrize("text", NAMES)
def test_names_read_back(text: str) -> None:
    assert str(parse_memory(text)) == text
    assert parse_memory(str(parse_memory(text))) == parse_memory(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("some", "one of sum, mean"), ("", "one of sum"), ("sum,stride=0", "at least 1"), ("sum,stride=-1", "none of"),
        ("sum,tiles=1000", "between 1 and 64"), ("sum,scales=7", "scales are some of"),
        ("sum,stride=2+3", "one number"), ("local,tiles=2", "of contexts"),
        ("propagate,scales=8", "of contexts"), ("sum,warped=1", "none of"),
    ],
)  # fmt: skip
def test_a_wrong_name_is_refused_with_the_right_ones(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_memory(text)


def test_contexts_cannot_be_warped() -> None:
    with pytest.raises(ValueError, match="no place"):
        Memory(MEMORIES["mean"].mix, warped=True)


def test_a_state_of_another_frame_size_is_refused() -> None:
    net = make_net(2, "local")
    _, state = net(make_frames())
    with pytest.raises(ValueError, match="another network or frame size"):
        net(torch.zeros(1, 3, 40, 40, dtype=torch.float64), state)
