"""FANet as a network: its size, its input sizes, its BatchNorm, and what it refuses."""

import pickle

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from fanet import FANet

SMALL = 1 / 16  # width: 4, 8, 16, 32 channels


def parameters_m(net: nn.Module) -> float:
    return sum(p.numel() for p in net.parameters()) / 1e6


@pytest.mark.parametrize(
    ("backbone", "expected_m", "expected_gmac"), [("resnet18", 13.08, 6.949), ("resnet34", 23.19, 9.804)]
)
def test_size_is_that_of_the_released_graph_without_its_dead_branches(backbone, expected_m, expected_gmac):
    net = FANet(num_classes=19, backbone=backbone).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, 480, 640))
    assert parameters_m(net) == pytest.approx(expected_m, rel=0.02)
    assert counter.get_total_flops() / 2e9 == pytest.approx(expected_gmac, rel=0.02)


def test_quarter_width_is_the_small_machine_recipe():
    assert parameters_m(FANet(num_classes=11, width=0.25)) == pytest.approx(0.83, rel=0.02)


def test_maps_lie_at_an_eighth_to_a_sixty_fourth():
    sizes = [tuple(x.shape[2:]) for x in FANet(width=SMALL).eval().backbone(torch.zeros(1, 3, 480, 640))]
    assert sizes == [(60, 80), (30, 40), (15, 20), (8, 10)]


@pytest.mark.parametrize("size_hw", [(17, 33), (8, 8), (480, 36), (65, 127), (1, 3)])
def test_any_input_size_comes_back_at_its_own_size_or_is_refused_with_the_minimum(size_hw):
    net = FANet(num_classes=5, width=SMALL, tca_depth=2).eval()
    frames = torch.randn(2, 3, *size_hw)
    if min(size_hw) < 8:
        with pytest.raises(ValueError, match=f"{size_hw[0]}x{size_hw[1]} are too small: each side needs 8 pixels"):
            net(frames)
    else:
        assert net(frames)[0].shape == (2, 5, *size_hw)


def test_context_keeps_its_scale_when_the_picture_grows():
    """The 1/n of the paper: the same picture tiled twice has the same context; without it, twice that."""
    attention = FANet(width=SMALL).eval().double().attention[0]
    feature = torch.randn(1, 4, 6, 5, dtype=torch.float64)
    torch.testing.assert_close(attention.context(feature.repeat(1, 1, 2, 1)), attention.context(feature))


def test_every_parameter_is_alive():
    net = FANet(width=SMALL).train()
    logits, _ = net(torch.randn(4, 3, 64, 96))
    logits.square().mean().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_batchnorm_really_trains():
    """The 2021 study's 46 BatchNorm layers had no statistics and no gradient: train() and eval() were equal."""
    net = FANet(width=SMALL).train()
    layers = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    frames = torch.randn(4, 3, 64, 96) * 3 + 1
    logits, _ = net(frames)
    logits.square().mean().backward()
    assert len(layers) == len([m for m in net.modules() if isinstance(m, nn.Conv2d)]) - 1  # all but the classifier
    for layer in layers:
        assert layer.num_batches_tracked == 1
        assert (layer.running_mean != 0).any()
        assert (layer.running_var != 1).all()
        assert layer.weight.grad.abs().sum() > 0
        assert layer.bias.grad.abs().sum() > 0
    assert not torch.equal(net.eval()(frames)[0], logits)


def test_state_is_detached_and_nothing_hides_in_the_modules():
    net = FANet(width=SMALL, tca_depth=3).eval()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    frames = torch.randn(2, 3, 32, 32)
    first, state = net(frames)
    again, _ = net(frames)
    assert torch.equal(first, again)
    assert not any(c.requires_grad for c in state.remembered)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_state_is_123_kilobytes_a_frame_at_any_size():
    net = FANet(tca_depth=4).eval()
    with torch.no_grad():
        sizes = {net(torch.zeros(1, 3, *hw))[1].num_bytes for hw in [(16, 24), (120, 160)]}
    assert sizes == {4 * 30_720 * 4}


def test_float64_in_float64_out_and_a_state_that_pickles():
    net = FANet(width=SMALL, tca_depth=2).double().eval()
    logits, state = net(torch.randn(1, 3, 16, 16, dtype=torch.float64))
    assert logits.dtype == torch.float64
    copy = pickle.loads(pickle.dumps(state))
    assert all(torch.equal(a, b) for a, b in zip(copy.remembered, state.remembered, strict=True))


def test_weights_follow_the_generator_not_the_depth():
    nets = [FANet(width=SMALL, tca_depth=depth) for depth in (0, 6)]
    for net in nets:
        net.reset_parameters(torch.Generator().manual_seed(7))
    states = [net.state_dict() for net in nets]
    assert states[0].keys() == states[1].keys()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"backbone": "resnet50"}, "backbone is one of resnet18, resnet34, not 'resnet50'"),
        ({"tca_depth": -1}, "tca_depth is a number of past frames, at least 0, not -1"),
        ({"num_classes": 0}, "num_classes must be at least 1"),
        ({"width": 0.0}, "width must lie between"),
        ({"width": float("nan")}, "width must lie between"),
    ],
)
def test_settings_that_cannot_be_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        FANet(**settings)


@pytest.mark.parametrize(
    ("frames", "options", "error", "message"),
    [
        (torch.zeros(3, 16, 16), {}, ValueError, r"\[B,3,H,W\]"),
        (torch.zeros(1, 1, 16, 16), {}, ValueError, r"\[B,3,H,W\]"),
        (torch.zeros(0, 3, 16, 16), {}, ValueError, "B of at least 1"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.uint8), {}, TypeError, "frames are torch.uint8"),
        (torch.zeros(1, 3, 16, 16, dtype=torch.float64), {}, TypeError, "frames are torch.float64"),
        (torch.zeros(2, 3, 16, 16), {"segment_start": torch.ones(2)}, TypeError, r"must be bool \[2\]"),
        (
            torch.zeros(2, 3, 16, 16),
            {"segment_start": torch.ones(3, dtype=torch.bool)},
            TypeError,
            r"must be bool \[2\]",
        ),
    ],
)
def test_inputs_that_cannot_be_are_named(frames, options, error, message):
    with pytest.raises(error, match=message):
        FANet(width=SMALL).eval()(frames, **options)


def test_state_of_another_network_is_refused():
    frames = torch.zeros(1, 3, 16, 16)
    _, state = FANet(width=SMALL, tca_depth=2).eval()(frames)
    with pytest.raises(ValueError, match="state is of another network"):
        FANet(width=SMALL, tca_depth=4).eval()(frames, state)


def test_one_tiny_frame_cannot_train_batchnorm():
    with pytest.raises(ValueError, match="BatchNorm cannot train on one frame"):
        FANet(width=SMALL).train()(torch.zeros(1, 3, 64, 64))
