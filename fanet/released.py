"""The authors' weights: their names translated into ours, and loaded into FANet.released().

    net = FANet.released(num_classes=19)
    load_released(net, torch.load("model_best.pth", map_location="cpu", weights_only=True))

Source of names and shapes: feinanshan/FANet, Train/ptsemseg/models/fanet/{fanet,resnet}.py at commit 34136002: the
graph that they trained. Its twin for timing, in Testing/, skips every BatchNorm and says fam_32 where this one says
ffm_32: its weights are refused.

Their names count scales as a plain ResNet has them, 1/4 to 1/32; the first stage strides too, so that the maps lie at
1/8 to 1/64, and ours are named by that.
"""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from fanet.state_dicts import LAYER_PLACE, backbone_name, load_exactly, some, unwrap

# Their scale -> ours: which attention module, and 1/scale of the map.
_SCALES = {"4": (0, 8), "8": (1, 16), "16": (2, 32), "32": (3, 64)}
_ATTENTION = {"w_qs": "query", "w_ks": "key", "w_vs": "value", "latlayer3": "lateral"}
_HEADS = {"8": "head", "16": "head_32", "32": "head_64"}

UNUSED = (
    "ffm_4.up.",  # would lead to a scale finer than the finest
    "ffm_8.smooth.",  # no head looks at this scale
    "loss_fn.",  # the loss is a module of their network; with class weights it has a tensor
)
"""Branches that reach no output, of which our network has no counterpart: 149 824 parameters, all in the first two."""

_RULES = {
    "fusion": re.compile(r"ffm_(4|8|16|32)\.(\w+)\.(conv|bn)\.(\w+)"),
    "head": re.compile(r"clslayer_(8|16|32)\.conv\.(conv|bn)\.(\w+)"),
    "classifier": re.compile(r"clslayer_(8|16|32)\.conv_out\.(\w+)"),
}


def is_released(weights: Mapping[str, Tensor]) -> bool:
    """Tell whether these are the authors' names (without DataParallel's prefix, see state_dicts.unwrap)."""
    return any(name.startswith(("resnet.", "ffm_", "clslayer_")) for name in weights)


def translate(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename the authors' weights to ours, auxiliary heads included.

    Args:
        state_dict: of the training graph, of any number of classes; bare, as {"model_state": ...}, or with
            DataParallel's "module." before every name.

    Returns:
        The same tensors under the names of FANet.released(); the branches in UNUSED are left out.

    Raises:
        ValueError: a name that the training graph does not have.
    """
    translated, unknown = {}, []
    for name, value in unwrap(state_dict).items():
        if name.startswith(UNUSED):
            continue
        new_name = _translated(name)
        if new_name is None:
            unknown.append(name)
        else:
            translated[new_name] = value
    if unknown:
        raise ValueError(
            f"{some(unknown)} are not names of the authors' training graph: give the state dict of their FANet"
        )
    return translated


def load_released(net: nn.Module, state_dict: Mapping[str, Tensor]) -> None:
    """Load the authors' weights into FANet.released().

    Args:
        net: of the same backbone and number of classes, in any dtype, with auxiliary heads or without; changed in
            place. A memory (tca_depth > 0) that has parameters of its own keeps them: the authors' graph has none.
        state_dict: see translate.

    Raises:
        ValueError: the weights do not fit; the message names the first that do not.
    """
    memory = {name: value for name, value in net.state_dict().items() if name.startswith("recall.")}
    load_exactly(net, memory | translate(state_dict))


def _translated(name: str) -> str | None:
    """Rename one tensor; None where the training graph has no such name."""
    if name.startswith("resnet."):
        inside = backbone_name(name.removeprefix("resnet."))
        return None if inside is None else f"backbone.{inside}"
    if match := _RULES["fusion"].fullmatch(name):
        scale, branch, layer, tensor = match.groups()
        index, fraction = _SCALES[scale]
        if branch in _ATTENTION:
            return f"attention.{index}.{_ATTENTION[branch]}.{LAYER_PLACE[layer]}.{tensor}"
        return f"decoder.{branch}_{fraction}.{LAYER_PLACE[layer]}.{tensor}" if branch in ("up", "smooth") else None
    if match := _RULES["head"].fullmatch(name):
        scale, layer, tensor = match.groups()
        return f"decoder.{_HEADS[scale]}.0.{LAYER_PLACE[layer]}.{tensor}"
    if match := _RULES["classifier"].fullmatch(name):
        scale, tensor = match.groups()
        return f"decoder.{_HEADS[scale]}.1.{tensor}"
    return None
