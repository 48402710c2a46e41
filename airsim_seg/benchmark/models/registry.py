"""The peers by name: how each is built, where it comes from, and what was published of its size.

Nothing is imported before it is asked for: the list costs no torchvision and needs no optional package.
"""

from dataclasses import dataclass
from importlib import import_module

from airsim_seg.benchmark.models.base import FrameNetwork
from airsim_seg.errors import UsageError


@dataclass(frozen=True)
class Peer:
    """One network, and its published size to hold ours against.

    Attributes:
        factory: module beside this one and class, "module:Class".
        title: name for tables.
        source: whom to cite.
        num_classes: for which the published numbers hold.
        params_m: published parameters in millions; None where there is no number.
        gmac: published multiply-accumulates in 10^9, for one frame of size_hw; half of what counts both as FLOPs.
        size_hw: height and width in pixels that gmac holds for.
        params_difference: ours over the published, minus 1, where it is above 0.02; note explains it.
        gmac_difference: the same of gmac.
        note: what differs and why, and what is not from the paper.
    """

    factory: str
    title: str
    source: str
    num_classes: int
    params_m: float | None = None
    gmac: float | None = None
    size_hw: tuple[int, int] | None = None
    params_difference: float = 0.0
    gmac_difference: float = 0.0
    note: str = ""

    def build(self, num_classes: int) -> FrameNetwork:
        """Make the network, with weights drawn from torch's own generator.

        Args:
            num_classes: channels of the logits.

        Raises:
            UsageError: the network needs a package that is not installed.
        """
        module, name = self.factory.split(":")
        network = getattr(import_module(f"airsim_seg.benchmark.models.{module}"), name)(num_classes)
        assert isinstance(network, FrameNetwork)
        return network


PEERS: dict[str, Peer] = {
    "enet": Peer(
        factory="enet:ENet",
        title="ENet",
        source="Paszke et al. 2016, arXiv 1606.02147, table III",
        num_classes=20,
        params_m=0.37,
        gmac=1.915,
        size_hw=(360, 640),
        gmac_difference=-0.098,
        note="1.727 GMAC: the published 3.83 GFLOP are an estimate that does not say what it counts beside the "
        "convolutions; ours alone are 3.45.",
    ),
    "shuffleseg": Peer(
        factory="shuffleseg:ShuffleSeg",
        title="ShuffleSeg",
        source="Gamal et al. 2018, arXiv 1803.03816",
        num_classes=20,
        gmac=1.0,
        size_hw=(360, 640),
        note="The published 2.0 GFLOP are 143 times less than SegNet's 286 (arXiv 1803.02758, the same network). "
        "Parameters are not published; ours are 1.003 M.",
    ),
    "fastscnn": Peer(
        factory="fast_scnn:FastSCNN",
        title="Fast-SCNN",
        source="Poudel et al. 2019, arXiv 1902.04502, section 4",
        num_classes=19,
        params_m=1.11,
        params_difference=0.025,
        note="1.138 M; without the 0.024 M of the BatchNorms, which the paper may not have counted, 1.114 M. "
        "Operations are not published.",
    ),
    "bisenetv2": Peer(
        factory="bisenet_v2:BiSeNetV2",
        title="BiSeNet V2",
        source="Yu et al. 2021, arXiv 2004.02147, ablation on Cityscapes",
        num_classes=19,
        gmac=21.15,
        size_hw=(512, 1024),
        gmac_difference=0.163,
        note="24.60 GMAC, 9.82 of them in the head, whose channels the paper does not give: 1024 as in the public code "
        "that reproduces the accuracy. Detail and aggregation have 13.44; in the paper the network without them has "
        "13.52 less (21.15 and 7.63). Parameters are not published; ours are 3.359 M.",
    ),
    "ddrnet23slim": Peer(
        factory="ddrnet:DDRNet",
        title="DDRNet-23-slim",
        source="Hong et al. 2021, arXiv 2101.06085, comparison on Cityscapes",
        num_classes=19,
        params_m=5.7,
        gmac=36.3,
        size_hw=(1024, 2048),
    ),
    "pidnet-s": Peer(
        factory="pidnet:PIDNet",
        title="PIDNet-S",
        source="Xu et al. 2023, arXiv 2206.02066, comparison on Cityscapes",
        num_classes=19,
        params_m=7.6,
        gmac=47.6,
        size_hw=(1024, 2048),
    ),
    "lraspp-mobilenetv3": Peer(
        factory="torchvision_models:LRASPP",
        title="LR-ASPP MobileNetV3-L",
        source="Howard et al. 2019, arXiv 1905.02244; numbers of torchvision's weights",
        num_classes=21,
        params_m=3.2215,
        gmac=2.086,
        size_hw=(520, 520),
        note="torchvision's graph, not the paper's.",
    ),
    "deeplabv3-mobilenetv3": Peer(
        factory="torchvision_models:DeepLabV3",
        title="DeepLabV3 MobileNetV3-L",
        source="Chen et al. 2017, arXiv 1706.05587; numbers of torchvision's weights",
        num_classes=21,
        params_m=11.0293,
        gmac=10.452,
        size_hw=(520, 520),
        note="torchvision's graph; its auxiliary head, 0.004 M, is not built.",
    ),
    "unet-resnet18": Peer(
        factory="smp_models:UnetResNet18",
        title="U-Net ResNet-18",
        source="Ronneberger et al. 2015, arXiv 1505.04597; number of zh320/realtime-semantic-segmentation-pytorch",
        num_classes=19,
        params_m=14.33,
        note="The graph of segmentation-models-pytorch; no paper has it.",
    ),
    "fpn-resnet18": Peer(
        factory="smp_models:FPNResNet18",
        title="FPN ResNet-18",
        source="Kirillov et al. 2019, arXiv 1901.02446; number of zh320/realtime-semantic-segmentation-pytorch",
        num_classes=19,
        params_m=13.05,
        note="The graph of segmentation-models-pytorch; no paper has it.",
    ),
    "segformer-b0": Peer(
        factory="smp_models:SegFormerB0",
        title="SegFormer-B0",
        source="Xie et al. 2021, arXiv 2105.15203, table 1 (ADE20K)",
        num_classes=150,
        params_m=3.8,
        gmac=8.4,
        size_hw=(512, 512),
    ),
}


def build_peer(name: str, num_classes: int) -> FrameNetwork:
    """Make a peer by its name in PEERS.

    Args:
        name: a key of PEERS.
        num_classes: channels of the logits.

    Raises:
        UsageError: no peer has this name, or the network needs a package that is not installed.
    """
    if name not in PEERS:
        raise UsageError(f"{name!r} is no peer network: choose one of {', '.join(PEERS)}.")
    return PEERS[name].build(num_classes)
