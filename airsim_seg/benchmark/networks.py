"""Networks by name, each with the memory that a cell asks for: fanet18, fanet34, and peers.

A peer's name ("enet") is the network as published; with "+fa" ("enet+fa") FANet's fast attention stands on its map, so
that it has contexts to remember.
"""

import torch
from torch import nn

from airsim_seg.benchmark.models.registry import PEERS, build_peer
from airsim_seg.benchmark.models.with_memory import WithMemory
from fanet import FANet
from fanet.memory import parse_memory

BACKBONES = {"fanet18": "resnet18", "fanet34": "resnet34"}
WITH_ATTENTION = "+fa"


def model_names() -> list[str]:
    """All names, FANet first."""
    return [*BACKBONES, *PEERS]


def check_model(name: str) -> None:
    """Refuse a name that is none.

    Raises:
        ValueError: it lists the names.
    """
    if name not in BACKBONES and name.removesuffix(WITH_ATTENTION) not in PEERS:
        raise ValueError(f"models has {name!r}: known are {', '.join(model_names())}, and peers with {WITH_ATTENTION}.")


def has_contexts(name: str) -> bool:
    """Whether a network has contexts to remember (or to cut into tiles)."""
    return name in BACKBONES or name.endswith(WITH_ATTENTION)


def build_network(
    model: str,
    *,
    tca_depth: int,
    aggregation: str = "sum",
    num_classes: int,
    width: float = 1.0,
    seed: int,
    auxiliary: bool = False,
) -> nn.Module:
    """Make a network whose initial weights depend on model, seed and shape alone: every depth starts from the same.

    Args:
        model: a name, see model_names.
        tca_depth: N.
        aggregation: see fanet.memory.parse_memory.
        num_classes: channels of the logits.
        width: factor on all channels of FANet.
        seed: of the initial weights.
        auxiliary: build FANet's auxiliary heads; peers have none.

    Returns:
        logits, state = net(frames, state, segment_start, motion), on the CPU, in channels-last memory order (a fifth
        faster to train there).

    Raises:
        ValueError: an unknown model, or a memory that it cannot have.
    """
    check_model(model)
    memory = parse_memory(aggregation)
    net: nn.Module
    if model in BACKBONES:
        fanet = FANet(num_classes, BACKBONES[model], width, tca_depth, memory, auxiliary=auxiliary)
        fanet.reset_parameters(torch.Generator().manual_seed(seed))
        net = fanet
    else:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            peer = build_peer(model.removesuffix(WITH_ATTENTION), num_classes)
            net = WithMemory(peer, memory, tca_depth, fast_attention=model.endswith(WITH_ATTENTION))
    return net.to(memory_format=torch.channels_last)
