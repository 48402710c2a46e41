"""NetWarp: motion that a small network corrects, and a learned mix for each channel.

test_aggregations.py holds it to the oracle, like every memory; here is what it alone promises.
"""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from airsim_seg.benchmark.networks import build_network
from fanet import FANet, Memory
from fanet.aggregations import Channels, Mean
from fanet.alignment import sample
from fanet.memory import MEMORIES
from fanet.refinement import FlowRefinement, shrink_pictures
from fanet.temporal import Recall

SIZE_HW = (19, 26)


def make_net(depth: int, aggregation: str | Memory = "netwarp") -> FANet:
    net = FANet(num_classes=3, width=1 / 16, tca_depth=depth, aggregation=aggregation).double().eval()
    net.reset_parameters(torch.Generator().manual_seed(1))
    return net


def footage(count: int = 6) -> tuple[Tensor, Tensor]:
    """Frames, and motion of some pixels that nobody knows in a corner."""
    generator = torch.Generator().manual_seed(2)
    frames = torch.randn(count, 3, *SIZE_HW, generator=generator, dtype=torch.float64)
    motion = 4 * torch.randn(count, 2, 1, 1, generator=generator, dtype=torch.float64).repeat(1, 1, *SIZE_HW)
    motion[:, :, :9, :9] = torch.nan
    return frames, motion


def maps_and_pictures(count: int = 3) -> tuple[Tensor, Tensor, Tensor]:
    """Motion [B,2,6,9] with a hole, and two pictures for each."""
    generator = torch.Generator().manual_seed(3)
    motion, pictures, before = (torch.randn(count, c, 6, 9, generator=generator) for c in (2, 3, 3))
    motion[1, :, 2:4, 5] = torch.nan
    return motion, pictures, before


def test_layers_are_those_of_the_paper() -> None:
    sizes = [tuple(p.shape) for name, p in FlowRefinement().named_parameters() if name.endswith("weight")]
    assert sizes == [(16, 11, 3, 3), (32, 16, 3, 3), (2, 32, 3, 3), (2, 4, 3, 3)]
    vectors = list(MEMORIES["netwarp"].mix(1, 7).parameters())
    assert [v.tolist() for v in vectors] == [[0.5] * 7, [0.5] * 7]  # not matrices: weight decay is for those


def test_at_first_motion_is_left_as_it_is() -> None:
    motion, pictures, before = maps_and_pictures()
    torch.testing.assert_close(FlowRefinement()(motion, pictures, before), motion, rtol=0, atol=0, equal_nan=True)


def test_what_is_unknown_stays_so_and_spoils_nothing() -> None:
    refinement, (motion, pictures, before) = FlowRefinement(), maps_and_pictures()
    torch.nn.init.constant_(refinement.last.weight, 0.1)
    refined = refinement(motion, pictures, before)
    assert torch.equal(refined.isnan(), motion.isnan())
    assert (refined - motion).nan_to_num().abs().max() > 0.01
    refined.nansum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in refinement.parameters())


def test_learning_begins_in_the_last_layer_and_reaches_all() -> None:
    net, (frames, motion) = make_net(2), footage()
    refinement = net.recall.refinement
    optimiser = torch.optim.SGD(net.recall.parameters(), lr=0.1)
    for touched in ({"last.weight", "last.bias"}, {name for name, _ in refinement.named_parameters()}):
        optimiser.zero_grad()
        net(frames, None, None, motion)[0].square().mean().backward()
        assert {name for name, p in refinement.named_parameters() if p.grad.count_nonzero() > 0} == touched
        optimiser.step()


def test_it_learns_where_flow_is_wrong() -> None:
    """Pictures move by a place; flow says half a place; what is wanted is that maps fall on each other."""
    scenes = F.avg_pool2d(torch.randn(8, 3, 14, 24, generator=torch.Generator().manual_seed(4)), 3, stride=1)
    before, pictures = scenes[..., :-1], scenes[..., 1:]  # what is here now was one place further right before
    flow = torch.tensor([0.5, 0.0]).view(1, 2, 1, 1).expand(8, 2, *pictures.shape[2:])
    refinement = FlowRefinement()
    optimiser = torch.optim.Adam(refinement.parameters(), lr=0.01)
    errors = []
    for _ in range(60):
        refined = refinement(flow, pictures, before)
        found, seen = sample(before, refined)
        errors.append(float((refined - torch.tensor([1.0, 0.0]).view(1, 2, 1, 1)).detach().square().mean()))
        optimiser.zero_grad()
        ((found - pictures).square() * seen).mean().backward()
        optimiser.step()
    assert errors[-1] < errors[0] / 4


def test_untrained_it_is_the_mean_of_two_frames() -> None:
    frames, motion = footage()
    mean = make_net(1, Memory(Mean, "map", warped=True))(frames, None, None, motion)[0]
    torch.testing.assert_close(make_net(1)(frames, None, None, motion)[0], mean, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("depth", [1, 4])
def test_untrained_a_still_scene_looks_as_it_does_without_memory(depth: int) -> None:
    frames = footage(1)[0].repeat(6, 1, 1, 1)
    still = torch.zeros(6, 2, *SIZE_HW, dtype=torch.float64)
    logits, _ = make_net(depth)(frames, None, None, still)
    torch.testing.assert_close(logits, make_net(0)(frames)[0], rtol=1e-6, atol=1e-6)  # weights begin in float32


def test_where_nothing_was_seen_the_present_has_the_weight_of_all() -> None:
    mix = Channels(2, 4).double()
    for number, weight in enumerate(mix.weights, 1):
        weight.data = number * torch.arange(1.0, 5, dtype=torch.float64)
    present, past = torch.ones(1, 4, 2, 2, dtype=torch.float64), torch.zeros(1, 2, 4, 2, 2, dtype=torch.float64)
    valid = torch.tensor([[[True, False], [True, False]], [[True, True], [False, False]]]).view(1, 2, 1, 2, 2)
    total = mix(present, past, valid)[0] / torch.arange(1.0, 5, dtype=torch.float64).view(4, 1, 1)
    assert torch.equal(total, torch.tensor([[1.0, 3.0], [4.0, 6.0]], dtype=torch.float64).expand(4, 2, 2))


def test_a_cut_heals_a_poisoned_picture_and_its_gradient() -> None:
    net, (frames, motion) = make_net(1), footage()
    torch.nn.init.constant_(net.recall.refinement.last.weight, 0.1)
    with torch.no_grad():
        _, state = net(torch.full_like(frames[:1], torch.nan), None, None, motion[:1])
    assert state.picture.isnan().all()
    cut = torch.tensor([True, *[False] * 5])
    logits, after = net(frames, state, cut, motion)
    torch.testing.assert_close(logits, net(frames, None, cut, motion)[0], rtol=0, atol=0)
    torch.testing.assert_close(after.picture, shrink_pictures(frames[-1:], (3, 4)), rtol=0, atol=0)
    logits.square().mean().backward()
    assert all(p.grad.isfinite().all() for p in net.recall.parameters())


@pytest.mark.parametrize("model", ["fanet18", "enet", "enet+fa", "pidnet-s"])
def test_every_network_can_have_it_and_starts_from_the_same_weights(model: str) -> None:
    settings = {"num_classes": 3, "width": 0.125, "seed": 5}
    plain = build_network(model, tca_depth=0, aggregation="local", **settings).double().eval()
    net = build_network(model, tca_depth=2, aggregation="netwarp", **settings).double().eval()
    own = {key: value for key, value in net.state_dict().items() if not key.startswith("recall.")}
    assert own.keys() == plain.state_dict().keys()
    assert all(torch.equal(value, plain.state_dict()[key]) for key, value in own.items())
    for parameter in net.recall.parameters():
        parameter.data += 0.05
    generator = torch.Generator().manual_seed(6)
    frames = torch.randn(5, 3, 64, 96, generator=generator, dtype=torch.float64)
    motion = 3 * torch.randn(5, 2, 64, 96, generator=generator, dtype=torch.float64)
    with torch.no_grad():
        batched, _ = net(frames, None, None, motion)
        state, streamed = None, []
        for index in range(5):
            logits, state = net(frames[index : index + 1], state, None, motion[index : index + 1])
            streamed.append(logits)
        torch.testing.assert_close(torch.cat(streamed), batched, rtol=1e-11, atol=1e-11)
        assert not torch.allclose(batched, plain(frames)[0])


def test_its_start_takes_nothing_from_the_randomness_of_others() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, second = FlowRefinement(), FlowRefinement()
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="so warped, too"):
        Memory(Channels, "map", refined=True)
    recall, item, motion = Recall(MEMORIES["netwarp"], 1, [4]), torch.zeros(1, 4, 3, 4), torch.zeros(1, 2, *SIZE_HW)
    with pytest.raises(ValueError, match="refines motion by the pictures: give frames"):
        recall([item], None, None, motion)
    (frames, motion), warped = footage(1), make_net(1, Memory(Channels, "map", warped=True))
    with pytest.raises(ValueError, match="of another network or frame size"):
        make_net(1)(frames, warped(frames, None, None, motion)[1], None, motion)
