"""State dicts by name: found in what a file holds, renamed, and loaded whole or not at all.

What a network holds and what is offered to it must be the same names with the same shapes. Anything else is refused
with one sentence that gives the first names, before a single tensor is copied: a network is never half loaded.
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor, nn

CHECKPOINT_SCHEMA = "airsim-seg/checkpoint"  # the toolkit's training checkpoints keep their weights under "net"
AUTHORS_KEY = "model_state"  # where Train/train.py of feinanshan/FANet keeps them
AUXILIARY = ("decoder.smooth_64.", "decoder.head_64.", "decoder.head_32.")  # branches that only training needs

LAYER_PLACE = {"conv": 0, "bn": 1}  # in what backbone.conv_bn makes

# torchvision's names of a ResNet's layers, which the authors kept: conv1, bn1, layer2.0.conv1, layer2.0.downsample.1.
_RESNET_STEM = re.compile(r"(conv|bn)1\.(\w+)")
_RESNET_BLOCK = re.compile(r"layer([1-4])\.(\d+)\.(conv|bn)([12])\.(\w+)")
_RESNET_SHORTCUT = re.compile(r"layer([1-4])\.(\d+)\.downsample\.([01])\.(\w+)")


def unwrap(content: object) -> dict[str, Tensor]:
    """Find the weights in what a file held.

    Args:
        content: a state dict, or a dictionary that has one inside: a checkpoint of airsim-seg, or of the authors'
            training. The "module." that DataParallel puts before every name is dropped.

    Raises:
        ValueError: there are no weights in it.
    """
    if isinstance(content, Mapping):
        if content.get("schema") == CHECKPOINT_SCHEMA:
            content = content.get("net")
        elif AUTHORS_KEY in content:
            content = content[AUTHORS_KEY]
    if not isinstance(content, Mapping) or not content or not all(isinstance(name, str) for name in content):
        raise ValueError("there is no state dict in it: save net.state_dict()")
    for name, value in content.items():
        if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta:
            raise ValueError(f"{name} is not a plain tensor: save net.state_dict()")
    prefix = "module." if all(name.startswith("module.") for name in content) else ""
    return {name.removeprefix(prefix): value for name, value in content.items()}


def load_exactly(module: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Copy weights into a module that has the same names and shapes.

    Args:
        module: is changed in place, or left as it was.
        weights: in another floating dtype they are converted. Auxiliary heads are left out where the module has none:
            no answer needs them.

    Raises:
        ValueError: a name too few or too many, another shape, or a weight that is not a finite number.
    """
    expected = module.state_dict()
    dropped = () if any(name.startswith(AUXILIARY) for name in expected) else AUXILIARY
    missing = [name for name in expected if name not in weights]
    unknown = [name for name in weights if name not in expected and not name.startswith(dropped)]
    if missing:
        raise ValueError(f"{some(missing)} of this network have no weights there: build the network they were saved of")
    if unknown:
        raise ValueError(f"{some(unknown)} are not in this network: build the network they were saved of")
    for name, own in expected.items():
        if weights[name].shape != own.shape:
            raise ValueError(
                f"{name} is {list(weights[name].shape)} there and {list(own.shape)} in this network: "
                "build it with the classes, backbone and width they were saved with"
            )
        if not torch.isfinite(weights[name]).all():
            raise ValueError(f"{name} holds numbers that are not finite: take weights from before training diverged")
    module.load_state_dict({name: weights[name] for name in expected})


def backbone_name(name: str) -> str | None:
    """Rename a tensor of torchvision's ResNet to that of backbone.Backbone; None where a backbone has no such tensor.

    >>> backbone_name("layer2.0.bn1.running_mean")
    'stages.1.0.convs.0.1.running_mean'
    """
    if match := _RESNET_STEM.fullmatch(name):
        layer, tensor = match.groups()
        return f"stem.0.{LAYER_PLACE[layer]}.{tensor}"
    if match := _RESNET_BLOCK.fullmatch(name):
        stage, block, layer, number, tensor = match.groups()
        return f"stages.{int(stage) - 1}.{block}.convs.{int(number) - 1}.{LAYER_PLACE[layer]}.{tensor}"
    if match := _RESNET_SHORTCUT.fullmatch(name):
        stage, block, place, tensor = match.groups()
        return f"stages.{int(stage) - 1}.{block}.shortcut.{place}.{tensor}"
    return None


def some(names: list[str]) -> str:
    """List the first three names and count the others."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
