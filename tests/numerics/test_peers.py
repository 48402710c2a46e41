"""The peers are the networks of their papers, take frames of any size, and learn."""

import sys
from copy import deepcopy
from functools import cache
from importlib.util import find_spec

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.benchmark.models.enet import unpool
from airsim_seg.benchmark.models.registry import PEERS, build_peer
from airsim_seg.errors import UsageError

TOLERANCE = 0.02
WITHOUT_LIBRARY = pytest.mark.skipif(
    find_spec("segmentation_models_pytorch") is None, reason='needs pip install "airsim-seg[peers]"'
)

# Measured when the networks were written; a change of graph must change them knowingly.
# Parameters in millions and GMAC of one frame of 480x640, both for 11 classes.
MEASURED = {
    "enet": (0.3631, 2.259),
    "shuffleseg": (0.9071, 0.946),
    "fastscnn": (1.1368, 0.978),
    "bisenetv2": (3.3504, 14.377),
    "ddrnet23slim": (5.6954, 5.321),
    "pidnet-s": (7.6246, 6.920),
    "lraspp-mobilenetv3": (3.2198, 2.306),
    "deeplabv3-mobilenetv3": (11.0229, 11.511),
    "unet-resnet18": (14.3297, 25.746),
    "fpn-resnet18": (13.0485, 20.833),
    "segformer-b0": (3.7170, 9.356),
}

NAMES = [
    pytest.param(name, marks=WITHOUT_LIBRARY if peer.factory.startswith("smp_models:") else ())
    for name, peer in PEERS.items()
]
every_peer = pytest.mark.parametrize("name", NAMES)


@cache
def first_seeded(name: str) -> FrameNetwork:
    torch.manual_seed(11)
    return build_peer(name, 5)


def seeded(name: str) -> FrameNetwork:
    """A network for 5 classes, of one's own: copying takes a tenth of the time of drawing weights."""
    return deepcopy(first_seeded(name))


def sketch(name: str, num_classes: int) -> FrameNetwork:
    """A network on the meta device, which knows shapes and neither stores nor computes numbers; in eval mode."""
    on_cpu_first = name == "segformer-b0"  # its constructor reads numbers out of tensors
    with torch.device("cpu" if on_cpu_first else "meta"):
        return build_peer(name, num_classes).eval().to("meta")


def without_dropout(net: FrameNetwork) -> FrameNetwork:
    """In training mode but for what draws random numbers: Dropout, Dropout2d, and the library's DropPath."""
    for module in net.train().modules():
        if type(module).__name__.startswith("Drop"):
            module.eval()
    return net


def blobs(size_hw: tuple[int, int], *, batch: int = 4, num_classes: int = 5) -> tuple[Tensor, Tensor]:
    """Frames [B,3,H,W] in which a region's colour tells its class, and labels [B,H,W]."""
    generator = torch.Generator().manual_seed(5)
    noise = torch.randn(batch, num_classes, 6, 8, generator=generator)
    labels = F.interpolate(noise, size=size_hw, mode="bilinear").argmax(1)
    colours = torch.randn(num_classes, 3, generator=generator)
    frames = colours[labels].movedim(3, 1) + 0.3 * torch.randn(batch, 3, *size_hw, generator=generator)
    return frames, labels


def parameters_m(net: nn.Module) -> float:
    return sum(p.numel() for p in net.parameters()) / 1e6


def gmac(net: nn.Module, size_hw: tuple[int, int]) -> float:
    """Multiply-accumulates in 10^9 for one frame, of a network on the meta device."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.zeros(1, 3, *size_hw, device="meta"))
    return counter.get_total_flops() / 2e9


@every_peer
def test_size_is_the_published_one_or_differs_as_the_note_says(name):
    peer = PEERS[name]
    net = sketch(name, peer.num_classes)
    if peer.params_m is not None:
        assert parameters_m(net) / peer.params_m - 1 - peer.params_difference == pytest.approx(0, abs=TOLERANCE)
    if peer.gmac is not None:
        assert gmac(net, peer.size_hw) / peer.gmac - 1 - peer.gmac_difference == pytest.approx(0, abs=TOLERANCE)


@every_peer
def test_size_is_the_one_measured_for_the_benchmark_and_vga_may_have_odd_sides(name):
    net = sketch(name, 11)
    expected_m, expected_gmac = MEASURED[name]
    assert parameters_m(net) == pytest.approx(expected_m, rel=1e-3)
    assert gmac(net, (480, 640)) == pytest.approx(expected_gmac, rel=1e-3)
    assert net(torch.zeros(1, 3, 479, 641, device="meta")).shape == (1, 11, 479, 641)


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS.keys())
def test_what_differs_or_is_unpublished_is_explained(peer):
    assert (peer.gmac is None) == (peer.size_hw is None)
    if peer.params_difference or peer.gmac_difference or peer.params_m is None or peer.gmac is None:
        assert peer.note


@every_peer
def test_any_size_comes_back(name):
    net = seeded(name)
    for size_hw in [(32, 32), (33, 47), (97, 131)]:
        without_dropout(net) if size_hw != (97, 131) else net.eval()
        frames, _ = blobs(size_hw, batch=2)
        with torch.no_grad():
            logits = net(frames)
        assert logits.shape == (2, 5, *size_hw)
        assert logits.isfinite().all()


@every_peer
def test_halves_make_the_whole_and_leave_the_map_alone(name):
    net = seeded(name).eval()
    frames, _ = blobs((33, 47), batch=2)
    with torch.no_grad():
        at, rest = net.encode(frames)
        before = at.clone()
        logits = net.decode(at, rest)
        whole = net(frames)
    assert at.shape[:2] == (2, net.map_channels)
    assert all(0 <= net.map_stride * side - pixels < 32 for side, pixels in zip(at.shape[2:], (33, 47), strict=True))
    assert torch.equal(at, before)  # a memory keeps the map
    torch.testing.assert_close(F.interpolate(logits, size=(33, 47), mode="bilinear"), whole)


@every_peer
def test_a_frame_is_scored_alone_in_eval_mode(name):
    net = seeded(name).eval().double()
    frames, _ = blobs((48, 64), batch=2)
    with torch.no_grad():
        together, alone = net(frames.double()), net(frames[:1].double())
    assert together.dtype == torch.float64
    torch.testing.assert_close(together[:1], alone)


@every_peer
def test_one_step_lowers_the_loss_and_its_gradient_reaches_every_parameter(name):
    net = without_dropout(seeded(name))
    frames, labels = blobs((64, 96))
    before = F.cross_entropy(net(frames), labels)
    before.backward()
    dead = [key for key, p in net.named_parameters() if p.grad is None or not p.grad.any()]
    assert dead == []
    assert all(p.grad.isfinite().all() for p in net.parameters())
    torch.optim.SGD(net.parameters(), lr=1e-3).step()
    with torch.no_grad():
        assert F.cross_entropy(net(frames), labels) < before


@every_peer
def test_the_layout_and_precision_of_training_work(name):
    """channels_last and bfloat16, on an odd size."""
    net = seeded(name).to(memory_format=torch.channels_last).train()
    frames, _ = blobs((33, 47), batch=2)
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        logits = net(frames.contiguous(memory_format=torch.channels_last))
    assert logits.dtype == torch.bfloat16
    assert logits.isfinite().all()


@WITHOUT_LIBRARY
@pytest.mark.parametrize("name", ["unet-resnet18", "fpn-resnet18", "segformer-b0"])
def test_the_cut_networks_are_the_library_s(name):
    net = seeded(name).eval()
    frames, _ = blobs((64, 96), batch=2)
    with torch.no_grad():
        torch.testing.assert_close(net(frames), net.network(frames))


@pytest.mark.parametrize("name", ["lraspp-mobilenetv3", "deeplabv3-mobilenetv3"])
def test_the_cut_networks_are_torchvision_s(name):
    net = seeded(name).eval()
    frames, _ = blobs((61, 97), batch=2)
    with torch.no_grad():
        torch.testing.assert_close(net(frames), net.network(frames)["out"])


@every_peer
def test_statistics_settle_within_a_short_training(name):
    """With a momentum of 0.01 the scores of a hundred steps are those of the start's statistics, not of the weights."""
    momenta = {m.momentum for m in build_peer(name, 3).modules() if isinstance(m, nn.BatchNorm2d)}
    assert min(momenta) >= 0.03


@pytest.mark.parametrize("size_hw", [(8, 10), (7, 9)])
def test_unpooling_is_torch_s(size_hw):
    x = torch.randn(2, 3, *size_hw, generator=torch.Generator().manual_seed(0))
    maxima, places = F.max_pool2d(x, 2, ceil_mode=True, return_indices=True)
    expected = F.max_unpool2d(maxima, places, 2, output_size=size_hw)
    torch.testing.assert_close(unpool(maxima, places, size_hw), expected, rtol=0, atol=0)


def test_shuffleseg_starts_by_enlarging_bilinearly():
    """A plane of scores stays a plane, at the pixels' places as areas; away from the border, where zeros come in."""
    net = build_peer("shuffleseg", 2).eval().double()
    ramp = torch.arange(6, dtype=torch.float64)[None, None, None, :].expand(1, 2, 6, 6)
    with torch.no_grad():
        logits = net.decode(ramp, (torch.empty(1, 0, 48, 48),))
    expected = F.interpolate(ramp, size=(48, 48), mode="bilinear")
    torch.testing.assert_close(logits[..., 8:-8, 8:-8], expected[..., 8:-8, 8:-8])


def test_dropout_stands_where_the_papers_have_it():
    def rates(name: str) -> list[float]:
        return [m.p for m in sketch(name, 5).modules() if isinstance(m, nn.Dropout | nn.Dropout2d)]

    assert rates("enet") == [0.01] * 5 + [0.1] * 17  # section 3: more from bottleneck 2.0 on; none in the decoder
    assert rates("fastscnn") == [0.1]
    assert rates("bisenetv2") == [0.1]
    assert rates("ddrnet23slim") == rates("pidnet-s") == rates("shuffleseg") == []


def test_no_two_titles_are_equal():
    assert len({peer.title for peer in PEERS.values()}) == len(PEERS)


def test_an_unknown_name_is_refused_with_the_list():
    with pytest.raises(
        UsageError, match=r"'resnet' is no peer network: choose one of enet, shuffleseg, .*segformer-b0"
    ):
        build_peer("resnet", 5)


def test_a_missing_library_is_named_with_its_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "segmentation_models_pytorch", None)
    with pytest.raises(UsageError, match=r'segmentation_models_pytorch: pip install "airsim-seg\[peers\]" brings it'):
        build_peer("unet-resnet18", 5)


@pytest.mark.parametrize("name", [n for n, peer in PEERS.items() if not peer.factory.startswith("smp_models:")])
def test_no_class_is_refused(name):
    with pytest.raises(ValueError, match="num_classes must be at least 1"):
        build_peer(name, 0)
