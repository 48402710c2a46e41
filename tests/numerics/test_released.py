"""FANet.released() beside the authors' training graph, stated a second time in released_graph.py."""

from dataclasses import replace

import pytest
import torch
from released_graph import Statement, Weights, trained_weights
from torch import Tensor

from fanet import FANet
from fanet.released import UNUSED, load_released, translate
from fanet.variant import PAPER, RELEASED


def released_net(weights: Weights, backbone: str = "resnet18", auxiliary: bool = True) -> FANet:
    net = FANet.released(backbone=backbone, auxiliary=auxiliary).to(weights["resnet.conv1.weight"].dtype)
    load_released(net, weights)
    return net.eval()


def assert_close(ours: Tensor, theirs: Tensor, relative: float) -> None:
    assert ours.shape == theirs.shape
    assert torch.isfinite(theirs).all()
    assert theirs.std() > 1e-3  # a constant answer would prove nothing
    assert (ours - theirs).abs().max() <= relative * theirs.abs().max()


@pytest.mark.parametrize("backbone", ["resnet18", "resnet34"])
@pytest.mark.parametrize(("dtype", "relative"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
def test_logits_and_auxiliary_logits_are_those_of_the_released_graph(backbone, dtype, relative):
    weights = trained_weights(backbone, dtype)
    net, statement = released_net(weights, backbone), Statement(weights)
    sizes = [(1, 96, 128), (1, 97, 131), (1, 480, 32), (3, 8, 17)]
    for batch, *size_hw in sizes if backbone == "resnet18" else sizes[1:2]:
        frames = torch.randn(batch, 3, *size_hw, dtype=dtype)
        with torch.no_grad():
            logits, _, auxiliary = net(frames, auxiliary=True)
            expected = statement(frames)
        for ours, theirs in zip((logits, *auxiliary), expected, strict=True):
            assert_close(ours, theirs, relative)


@pytest.mark.parametrize("field", ["divide_by_pixels", "up_padding", "align_corners"])
def test_each_point_where_the_paper_differs_shows_in_the_logits(field):
    weights, frames = trained_weights(), torch.randn(1, 3, 64, 72)
    net = FANet(19, tca_depth=0, variant=replace(RELEASED, **{field: getattr(PAPER, field)})).eval()
    load_released(net, weights)
    with torch.no_grad():
        logits, _ = net(frames)
        expected, *_ = Statement(weights)(frames)
    assert (logits - expected).abs().max() > 1e-2 * expected.abs().max()


def test_training_gives_the_same_logits_and_gradient():
    weights = trained_weights(dtype=torch.float64)
    frames = torch.randn(2, 3, 64, 72, dtype=torch.float64)
    net = released_net(weights).train()
    logits, _, auxiliary = net(frames, auxiliary=True)
    for name in ("resnet.conv1.weight", "ffm_32.w_ks.conv.weight", "clslayer_32.conv_out.weight"):
        weights[name].requires_grad_()
    expected = Statement(weights, training=True)(frames)
    for ours, theirs in zip((logits, *auxiliary), expected, strict=True):
        assert_close(ours, theirs, 1e-12)

    sum(x.square().mean() for x in (logits, *auxiliary)).backward()
    sum(x.square().mean() for x in expected).backward()
    ours = dict(net.named_parameters())
    for name, theirs in translate(weights).items():
        if theirs.requires_grad:
            assert_close(ours[name].grad, theirs.grad, 1e-10)


def test_training_moves_every_batchnorm_as_the_released_graph_does():
    weights = trained_weights(dtype=torch.float64)
    frames = torch.randn(2, 3, 64, 72, dtype=torch.float64)
    net = released_net(weights).train()
    with torch.no_grad():
        net(frames, auxiliary=True)
        Statement(weights, training=True)(frames)
    state = net.state_dict()
    moved = [name for name, value in translate(weights).items() if not torch.allclose(state[name], value, rtol=1e-10)]
    assert moved == []


def num_parameters(weights: Weights) -> int:
    return sum(value.numel() for name, value in weights.items() if name.endswith((".weight", ".bias")))


def test_released_graph_has_its_known_size_and_all_but_two_dead_branches_is_ours():
    """13.82 M is the timing graph: the training graph without its two auxiliary heads, dead branches included."""
    weights = trained_weights()
    dead = num_parameters({name: value for name, value in weights.items() if name.startswith(UNUSED)})
    heads = num_parameters({n: v for n, v in weights.items() if n.startswith(("clslayer_16.", "clslayer_32."))})
    assert num_parameters(weights) == 13_970_176
    assert num_parameters(weights) - heads == 13_820_032
    assert dead == 149_824
    assert sum(p.numel() for p in FANet.released().parameters()) == num_parameters(weights) - dead
    without = FANet.released(auxiliary=False)
    assert sum(p.numel() for p in without.parameters()) == 13_080_128


def test_weights_load_into_a_network_without_auxiliary_heads_or_with_a_memory():
    weights = trained_weights()
    frames = torch.randn(1, 3, 64, 72)
    remembering = FANet.released(tca_depth=2)
    load_released(remembering, weights)
    with torch.no_grad():
        expected, _, _ = Statement(weights)(frames)
        logits, _ = released_net(weights, auxiliary=False)(frames)
        cut, _ = remembering.eval()(frames)
    assert_close(logits, expected, 1e-5)
    assert cut.shape == (1, 19, 64, 72)


@pytest.mark.parametrize("wrap", ["data parallel", "file", "data parallel in a file", "loss with class weights"])
def test_wrapped_weights_are_found(wrap):
    weights = trained_weights()
    content = weights
    if "data parallel" in wrap:
        content = {f"module.{name}": value for name, value in content.items()}
    if "file" in wrap:
        content = {"iter": 40_000, "model_state": content, "best_iou": 0.7, "optimizer": {}}
    if "loss" in wrap:
        content = {**weights, "loss_fn.weight": torch.ones(19)}
    ours, plain = translate(content), translate(weights)
    assert ours.keys() == plain.keys()
    assert all(ours[name] is plain[name] for name in plain)


@pytest.fixture(scope="module")
def random_net():
    return FANet.released()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda w: w.pop("ffm_16.up.bn.running_var"),
            r"^decoder\.up_32\.1\.running_var of this network have no weights",
        ),
        (
            lambda w: w.update({"ffm_8.extra.conv.weight": torch.ones(1)}),
            r"^ffm_8\.extra\.conv\.weight are not names of",
        ),
        (
            lambda w: w.update({f"spam_{k}": torch.ones(1) for k in range(9)}),
            r"spam_0, spam_1, spam_2 and 6 more are not",
        ),
        (lambda w: w.update({"resnet.fc.weight": torch.ones(1)}), r"^resnet\.fc\.weight are not names of"),
        (
            lambda w: w.update({"resnet.layer2.1.conv3.weight": torch.ones(1)}),
            r"^resnet\.layer2\.1\.conv3\.weight are not names of",
        ),
        (
            lambda w: w.update({"resnet.layer2.2.conv1.weight": torch.ones(1)}),
            r"^backbone\.stages\.1\.2\.convs\.0\.0\.weight are not in this network",
        ),
        (lambda w: w["resnet.bn1.bias"].fill_(float("nan")), r"^backbone\.stem\.0\.1\.bias holds numbers that are not"),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_loaded(random_net, change, message):
    weights = trained_weights()
    change(weights)
    before = {name: value.clone() for name, value in random_net.state_dict().items()}
    with pytest.raises(ValueError, match=message):
        load_released(random_net, weights)
    assert all(torch.equal(before[name], value) for name, value in random_net.state_dict().items())


@pytest.mark.parametrize(
    ("net", "message"),
    [
        (
            lambda: FANet.released(num_classes=11),
            r"decoder\.head\.1\.weight is \[19, 256, 1, 1\] there and \[11, 256, 1, 1\]",
        ),
        (lambda: FANet.released(backbone="resnet34"), r"^backbone\.stages\.0\.2\..* and \d+ more"),
    ],
)
def test_another_number_of_classes_or_backbone_is_refused(net, message):
    with pytest.raises(ValueError, match=message):
        load_released(net(), trained_weights())


@pytest.mark.parametrize("content", [{}, {"model_state": None}, {"model_state": {"a": 1}}, {1: torch.ones(1)}])
def test_content_without_weights_is_refused(random_net, content):
    with pytest.raises(ValueError, match=r"save net\.state_dict\(\)"):
        load_released(random_net, content)
