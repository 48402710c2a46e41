"""Pretrained weights: what torchvision's layers compute with them, and every file that must not be believed."""

import copy
import functools
import os
import pickle
import re
import sys
import urllib.error
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
import torchvision
from released_graph import trained_weights
from torch import Tensor, nn

import fanet
from fanet import FANet
from fanet.backbone import STAGE_BLOCKS, Backbone
from fanet.released import load_released
from fanet.weights import WeightsError, load_imagenet, load_weights

SMALL = 1 / 16  # width: 4, 8, 16, 32 channels
IMPORT = re.compile(r"(import|from) \w")


def backbone(name: str = "resnet18", channels: tuple[int, int, int, int] = (64, 128, 256, 512)) -> Backbone:
    return Backbone(STAGE_BLOCKS[name], channels).eval()


@functools.cache
def imagenet_like(name: str = "resnet18") -> nn.Module:
    """A torchvision ResNet with statistics and counters as training could have left them."""
    torch.manual_seed(5)
    network = getattr(torchvision.models, name)(weights=None).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
            layer.num_batches_tracked.fill_(1)
    return network


def trained(net: nn.Module) -> nn.Module:
    """Let one batch through every BatchNorm."""
    with torch.no_grad():
        net.train()(torch.randn(2, 3, 64, 96))
    return net.eval()


def same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def saved(path: Path, content: object) -> Path:
    torch.save(content, path)
    return path


def through(x: Tensor, block: nn.Module) -> Tensor:
    """A torchvision block with the one activation that differs: LeakyReLU between its convolutions."""
    inside = F.leaky_relu(block.bn1(block.conv1(x)), 0.01)
    return F.relu(block.bn2(block.conv2(inside)) + (x if block.downsample is None else block.downsample(x)))


@pytest.mark.parametrize("name", ["resnet18", "resnet34"])
@torch.no_grad()
def test_imagenet_weights_compute_what_torchvisions_layers_do(name):
    theirs, ours = copy.deepcopy(imagenet_like(name)), backbone(name)
    load_imagenet(ours, name, state_dict=theirs.state_dict())

    x = torch.randn(2, 3, 70, 65)
    stem = theirs.maxpool(F.leaky_relu(theirs.bn1(theirs.conv1(x)), 0.01))
    assert torch.equal(ours.stem(x), stem)

    theirs.layer1[0].conv1.stride = (2, 2)  # the additional reduction
    theirs.layer1[0].downsample = ours.stages[0][0].shortcut
    x = stem
    for stage, layer in zip(ours.stages, [theirs.layer1, theirs.layer2, theirs.layer3, theirs.layer4], strict=True):
        expected = functools.reduce(through, layer, x)
        x = stage(x)
        assert torch.equal(x, expected)


def test_the_strided_shortcut_keeps_its_random_start():
    ours = backbone()
    before = ours.stages[0][0].shortcut[0].weight.clone()
    load_imagenet(ours, "resnet18", state_dict=imagenet_like().state_dict())
    assert torch.equal(ours.stages[0][0].shortcut[0].weight, before)


@pytest.mark.parametrize("counters", ["absent, as in torchvision's files", "zero, as after saving those again"])
def test_imagenet_weights_need_no_counters(counters):
    state = imagenet_like().state_dict()
    if counters.startswith("absent"):
        state = {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}
    else:
        state = {n: torch.zeros_like(v) if n.endswith("num_batches_tracked") else v for n, v in state.items()}
    ours = backbone()
    load_imagenet(ours, "resnet18", state_dict=state)
    assert torch.equal(ours.state_dict()["stages.3.1.convs.1.1.running_var"], state["layer4.1.bn2.running_var"])
    assert ours.state_dict()["stages.3.1.convs.1.1.num_batches_tracked"] == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "resnet50"}, "to be had for resnet18, resnet34, not for 'resnet50'"),
        (
            {"name": "resnet34"},
            r"for resnet34 cannot be used: stages\.0\.2\.\S+, .* and \d+ more are not in this network",
        ),
        (
            {"channels": (4, 8, 16, 32)},
            "width 1, 64 channels in the stem, and this backbone has 4: build the network with width=1.0",
        ),
        ({"weights": {"features.0.weight": torch.ones(1)}}, r"features\.0\.weight are not names of a ResNet"),
        ({"weights": {}}, "there is no state dict in it"),
        ({"weights": torchvision.models.resnet18}, r"never trained \(no batch went through BatchNorm in stem\.0\.1, "),
    ],
)
def test_imagenet_weights_that_do_not_fit_are_refused_and_nothing_changes(settings, message):
    name, weights = settings.get("name", "resnet18"), settings.get("weights")
    if weights is None:
        weights = imagenet_like("resnet34" if name == "resnet34" else "resnet18").state_dict()
    elif callable(weights):
        weights = weights(weights=None).state_dict()
    ours = backbone(channels=settings.get("channels", (64, 128, 256, 512)))
    before = {name: value.clone() for name, value in ours.state_dict().items()}
    with pytest.raises(WeightsError, match=message):
        load_imagenet(ours, name, state_dict=weights)
    assert all(torch.equal(before[name], value) for name, value in ours.state_dict().items())


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """torchvision's cache in an empty folder, and no network."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def unreachable(*_: object, **__: object) -> None:
        raise urllib.error.URLError("Name or service not known")

    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    return tmp_path / "hub" / "checkpoints"


def test_offline_the_message_says_what_to_download_and_where_to_put_it(hub):
    with pytest.raises(WeightsError, match="Name or service not known") as refusal:
        load_imagenet(backbone(), "resnet34", progress=False)
    message = str(refusal.value)
    assert "download https://download.pytorch.org/models/resnet34-" in message
    assert f"put it into {hub} as resnet34-" in message
    assert "\n" not in message


def test_a_file_put_where_the_message_says_is_used(hub):
    hub.mkdir(parents=True)
    url = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
    theirs, ours = imagenet_like(), backbone()
    torch.save(theirs.state_dict(), hub / url.rsplit("/", 1)[-1])
    load_imagenet(ours, "resnet18", progress=False)
    assert torch.equal(ours.stem[0][0].weight, theirs.conv1.weight)


@pytest.mark.parametrize("damage", ["truncated", "hostile"])
def test_a_damaged_file_in_the_cache_is_refused(hub, damage, tmp_path):
    hub.mkdir(parents=True)
    path = hub / torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[-1]
    trap = tmp_path / "executed"
    if damage == "hostile":
        torch.save({"conv1.weight": Hostile(trap)}, path)
    else:
        torch.save(imagenet_like().state_dict(), path)
        path.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(WeightsError, match="could not be fetched or read") as refusal:
        load_imagenet(backbone(), "resnet18", progress=False)
    assert "\n" not in str(refusal.value)
    assert not trap.exists()


class Hostile:
    """Runs a command when it is unpickled."""

    def __init__(self, trap: Path) -> None:
        self.trap = trap

    def __reduce__(self):
        return os.system, (f"touch {self.trap}",)


@pytest.mark.parametrize("form", ["plain", "checkpoint", "data parallel", "half", "with auxiliary heads"])
def test_weights_of_ours_come_back(tmp_path, form):
    net = trained(FANet(width=SMALL, auxiliary=form == "with auxiliary heads"))
    content = net.state_dict()
    if form == "checkpoint":
        content = {"schema": "airsim-seg/checkpoint", "schema_version": 1, "step": 3, "net": content}
    elif form == "data parallel":
        content = {f"module.{name}": value for name, value in content.items()}
    elif form == "half":
        net.half().float()
        content = {name: value.half() if value.is_floating_point() else value for name, value in content.items()}
    fresh = FANet(width=SMALL)
    load_weights(fresh, saved(tmp_path / "w.pt", content))
    expected = net.state_dict()
    assert all(torch.equal(expected[name], value) for name, value in fresh.state_dict().items())


def test_safetensors_come_back(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    net, fresh = trained(FANet(width=SMALL)), FANet(width=SMALL)
    safetensors.save_file(net.state_dict(), tmp_path / "w.safetensors")
    load_weights(fresh, tmp_path / "w.safetensors")
    assert same_weights(net, fresh)


def test_truncated_safetensors_are_refused(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed")
    path = tmp_path / "w.safetensors"
    content = safetensors.save(trained(FANet(width=SMALL)).state_dict())
    for length in (0, 5, 1000, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(WeightsError, match=r"w\.safetensors cannot be used: it is no whole safetensors file"):
            load_weights(FANet(width=SMALL), path)


def test_without_safetensors_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    (tmp_path / "w.safetensors").touch()
    with pytest.raises(WeightsError, match="pip install safetensors"):
        load_weights(FANet(width=SMALL), tmp_path / "w.safetensors")


def test_what_cannot_be_read_as_weights_is_refused_and_never_run(tmp_path):
    trap, path = tmp_path / "executed", tmp_path / "w.pt"
    whole = saved(path, trained(FANet(width=SMALL)).state_dict()).read_bytes()
    legacy = tmp_path / "legacy.pt"
    torch.save(trained(FANet(width=SMALL)).state_dict(), legacy, _use_new_zipfile_serialization=False)
    torch.save({"a": Hostile(trap)}, path)
    contents = {
        "hostile": path.read_bytes(),
        "hostile plain pickle": pickle.dumps({"a": Hostile(trap)}),
        "whole module": saved(path, nn.Linear(2, 2)).read_bytes(),
        "empty": b"",
        "text": b"<!DOCTYPE html>",
        "half": whole[: len(whole) // 2],
        "all but the end": whole[:-10],
        "half of an old one": legacy.read_bytes()[: legacy.stat().st_size // 2],
        "start of an old one": legacy.read_bytes()[:50],
    }
    for content in contents.values():
        path.write_bytes(content)
        with pytest.raises(
            WeightsError, match=r"w\.pt cannot be used: it is truncated, or holds Python objects"
        ) as refusal:
            load_weights(FANet(width=SMALL), path)
        assert "\n" not in str(refusal.value)
    assert not trap.exists()


@pytest.mark.parametrize(
    "content", [[], {}, {"a": 1}, {"schema": "airsim-seg/checkpoint"}, {"model_state": 3}, {"a": {}}]
)
def test_files_without_a_state_dict_are_refused(tmp_path, content):
    with pytest.raises(WeightsError, match=r"save net\.state_dict\(\)"):
        load_weights(FANet(width=SMALL), saved(tmp_path / "w.pt", content))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"nowhere\.pt does not exist"):
        load_weights(FANet(width=SMALL), tmp_path / "nowhere.pt")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_classes": 3}, r"decoder\.head\.1\.weight is \[11, \d+, 1, 1\] there and \[3, "),
        ({"width": 1 / 8}, r"is \[4, 3, 7, 7\] there and \[8, 3, 7, 7\] in this network"),
        ({"backbone": "resnet34"}, "of this network have no weights there"),
        ({"auxiliary": True}, r"decoder\.smooth_64\..* have no weights there"),
    ],
)
def test_weights_of_another_network_are_refused_and_nothing_changes(tmp_path, settings, message):
    path = saved(tmp_path / "w.pt", trained(FANet(width=SMALL)).state_dict())
    net = FANet(**({"width": SMALL} | settings))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(WeightsError, match=message):
        load_weights(net, path)
    assert all(torch.equal(before[name], value) for name, value in net.state_dict().items())


def test_a_random_network_is_no_pretrained_one(tmp_path):
    net = FANet(width=SMALL)
    with pytest.raises(WeightsError, match=r"never trained \(num_batches_tracked is 0 in every BatchNorm\)"):
        load_weights(net, saved(tmp_path / "w.pt", net.state_dict()))


def test_a_trained_backbone_under_a_random_decoder_is_no_pretrained_network(tmp_path):
    net = FANet(width=SMALL)
    with torch.no_grad():
        net.train().backbone(torch.randn(2, 3, 64, 96))
    with pytest.raises(
        WeightsError, match=r"never trained \(no batch went through BatchNorm in attention\.0\.query\.1, "
    ):
        load_weights(net, saved(tmp_path / "w.pt", net.state_dict()))


def test_a_network_trained_without_its_auxiliary_heads_is_trained(tmp_path):
    net, again = trained(FANet(width=SMALL, auxiliary=True)), FANet(width=SMALL, auxiliary=True)
    load_weights(again, saved(tmp_path / "w.pt", net.state_dict()))
    assert same_weights(net, again)


def test_diverged_weights_are_refused(tmp_path):
    state = trained(FANet(width=SMALL)).state_dict()
    state["decoder.head.1.weight"][0, 0] = float("inf")
    with pytest.raises(WeightsError, match=r"decoder\.head\.1\.weight holds numbers that are not finite"):
        load_weights(FANet(width=SMALL), saved(tmp_path / "w.pt", state))


@pytest.mark.parametrize("wrapped", [False, True])
def test_the_authors_files_load_into_the_released_variant_only(tmp_path, wrapped):
    weights = trained_weights()
    content = weights
    if wrapped:  # as their train.py saves it: the best score is a NumPy number
        device = torch.device("cuda:0")
        content = {"iter": 40_000, "model_state": OrderedDict(weights), "best_iou": np.float64(0.7), "device": [device]}
    path = saved(tmp_path / "fanet_ccri_best_model.pkl", content)
    net, expected = FANet.released(auxiliary=False), FANet.released(auxiliary=False)
    load_weights(net, path)
    load_released(expected, weights)
    assert same_weights(net, expected)
    with pytest.raises(
        WeightsError, match=r"weights of the authors' graph, not of this one: build FANet\.released\(\)"
    ):
        load_weights(FANet(19, width=SMALL, tca_depth=0), path)


def test_the_authors_graph_untrained_is_refused(tmp_path):
    weights = trained_weights()
    for name in [name for name in weights if name.endswith("num_batches_tracked")]:
        weights[name].zero_()
    with pytest.raises(WeightsError, match="num_batches_tracked is 0 in every BatchNorm"):
        load_weights(FANet.released(), saved(tmp_path / "w.pt", weights))


def test_numbers_of_before_numpy_2_are_no_obstacle(tmp_path):
    """In their day the function behind a saved NumPy number was called numpy.core.multiarray.scalar."""
    net, again = trained(FANet(width=SMALL)), FANet(width=SMALL)
    path, content = tmp_path / "w.pkl", {"model_state": net.state_dict(), "best_iou": np.float64(0.75)}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    new, old = b"cnumpy._core.multiarray\nscalar\n", b"cnumpy.core.multiarray\nscalar\n"
    assert new in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(new, old))
    load_weights(again, path)
    assert same_weights(net, again)


def test_fanet_imports_nothing_but_torch():
    for path in Path(fanet.__file__).parent.glob("*.py"):
        imports = [line.split()[1].split(".")[0] for line in path.read_text().splitlines() if IMPORT.match(line)]
        assert set(imports) - set(sys.stdlib_module_names) <= {"torch", "fanet"}, path.name
