"""Pretrained weights: ImageNet's for the backbone, a file's for the whole network.

    net = FANet(num_classes=11)
    load_imagenet(net.backbone, "resnet18")                # torchvision's, downloaded once
    load_weights(net, Path("weights.safetensors"))         # or a torch file: a state dict, a checkpoint, the authors'

No file can run code: torch's are read with weights_only, and what is not a tensor or a plain value is refused. Weights
that never saw a batch are refused, too: a random network under the name of a pretrained one costs days.
"""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from fanet.backbone import STAGE_BLOCKS, Backbone
from fanet.released import is_released, load_released, translate
from fanet.state_dicts import AUXILIARY, backbone_name, load_exactly, some, unwrap
from fanet.variant import RELEASED

IMAGENET_STEM_CHANNELS = 64  # of torchvision's ResNet: width 1


class WeightsError(ValueError):
    """Weights that cannot be had, read or used. The message names the file, the cause and the fix."""


def load_imagenet(
    backbone: Backbone, name: str, progress: bool = True, state_dict: Mapping[str, Tensor] | None = None
) -> None:
    """Start a backbone from torchvision's ImageNet weights (IMAGENET1K_V1).

    The strided 1x1 shortcut of the first stage, which a plain ResNet does not have, keeps its random start; the
    classifier is left out. These weights were trained with ReLU where the backbone has LeakyReLU(0.01); the authors
    start from the same.

    Args:
        backbone: of width 1; changed in place, or left as it was.
        name: "resnet18" or "resnet34".
        progress: show the download on stderr.
        state_dict: of a torchvision ResNet; None is torchvision's own, from its cache or the network.

    Raises:
        WeightsError: no network, another width or depth, or weights that were never trained.
    """
    if name not in STAGE_BLOCKS:
        raise WeightsError(f"ImageNet weights are to be had for {', '.join(STAGE_BLOCKS)}, not for {name!r}")
    own = backbone.state_dict()
    channels = own["stem.0.0.weight"].shape[0]
    if channels != IMAGENET_STEM_CHANNELS:
        raise WeightsError(
            f"ImageNet weights are of width 1, {IMAGENET_STEM_CHANNELS} channels in the stem, and this backbone has "
            f"{channels}: build the network with width=1.0, or start at random"
        )
    found = _torchvision_weights(name, progress) if state_dict is None else state_dict
    # torchvision's files are older than num_batches_tracked and lack it.
    kept = {k: v for k, v in own.items() if k.startswith("stages.0.0.shortcut.") or k.endswith("num_batches_tracked")}
    try:
        translated = _from_resnet(unwrap(found))
        _check_trained(translated)
        load_exactly(backbone, kept | translated)
    except ValueError as error:
        raise WeightsError(f"the ImageNet weights for {name} cannot be used: {error}") from error


def load_weights(net: nn.Module, path: Path) -> None:
    """Load a file's weights into a network that fits them exactly.

    Args:
        net: is changed in place, or left as it was. With variant RELEASED the authors' own files fit, too.
        path: .safetensors, or a torch file: a state dict, a checkpoint.pt of airsim-seg, or the authors' checkpoint.

    Raises:
        WeightsError: absent, truncated, hostile, of another network, or never trained.
    """
    if not path.is_file():
        raise WeightsError(f"{path} does not exist: check the path of the weights")
    try:
        weights = unwrap(_read_safetensors(path) if path.suffix == ".safetensors" else _read_torch(path))
        released = is_released(weights)
        if released and getattr(net, "variant", None) != RELEASED:
            raise ValueError("it holds weights of the authors' graph, not of this one: build FANet.released() for them")
        ours = translate(weights) if released else weights
        _check_counted(ours)
        _check_trained(ours)
        load = load_released if released else load_exactly
        load(net, weights)
    except (ValueError, RuntimeError) as error:
        raise WeightsError(f"{path} cannot be used: {error}") from error


def _from_resnet(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename torchvision's ResNet to Backbone; the classifier is dropped."""
    names = {name: backbone_name(name) for name in weights if not name.startswith("fc.")}
    if unknown := [name for name, new_name in names.items() if new_name is None]:
        raise ValueError(f"{some(unknown)} are not names of a ResNet of basic blocks: give torchvision's state dict")
    return {new_name: weights[name] for name, new_name in names.items() if new_name is not None}


def _torchvision_weights(name: str, progress: bool) -> Mapping[str, Tensor]:
    """Read torchvision's file from its cache, downloaded first where it is not there."""
    try:
        from torchvision.models import get_model_weights
    except ImportError as error:
        raise WeightsError("ImageNet weights come with torchvision: pip install torchvision") from error
    weights = get_model_weights(name).IMAGENET1K_V1
    try:
        # Without weights_only a file of this name in the cache, whoever put it there, could run code.
        found: Mapping[str, Tensor] = weights.get_state_dict(progress=progress, check_hash=True, weights_only=True)
    except Exception as error:  # a network and a pickle reader fail in more ways than can be listed
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        raise WeightsError(
            f"the ImageNet weights for {name} could not be fetched or read ({_reason(error)}): download "
            f"{weights.url} and put it into {folder} as {weights.url.rsplit('/', 1)[-1]}"
        ) from error
    return found


def _read_torch(path: Path) -> object:
    """Read a torch file without running anything in it."""
    try:
        with torch.serialization.safe_globals(_ignored_globals()):
            content: object = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle makes the reader stumble in any way there is
        raise ValueError(
            "it is truncated, or holds Python objects besides weights, which are not run: fetch it again, or save "
            "net.state_dict() alone"
        ) from error
    return content


def _read_safetensors(path: Path) -> object:
    try:
        from safetensors.torch import load_file
    except ImportError as error:
        raise ValueError("reading it needs the safetensors package: pip install safetensors") from error
    try:
        content: object = load_file(path)
    except Exception as error:  # SafetensorError is none of the built-in ones, and not the only one
        raise ValueError(f"it is no whole safetensors file ({_reason(error)}): fetch it again") from error
    return content


class _Ignored:
    """Stands for a NumPy scalar, which the authors' train.py saves its best score as; nothing of it is kept."""

    def __init__(self, *_: object) -> None: ...

    def __setstate__(self, _: object) -> None: ...


def _ignored_globals() -> list[Callable[..., object] | tuple[Callable[..., object], str]]:
    """Name what a NumPy scalar is pickled with, before NumPy 2 and since; _Ignored takes its place."""
    return [(_Ignored, f"numpy.{name}") for name in ("core.multiarray.scalar", "_core.multiarray.scalar", "dtype")]


def _check_trained(weights: Mapping[str, Tensor]) -> None:
    """Refuse weights with a BatchNorm layer that no batch ever went through: mean 0, variance 1, counter absent or 0.

    The counter alone does not tell for ImageNet: the original files have none, and torchvision writes 0 for them when
    its network is saved again.
    """
    fresh = []
    for name in weights:
        layer, _, tensor = name.rpartition(".")
        if name.startswith(AUXILIARY):
            continue  # a network may well be trained without its auxiliary heads
        if tensor == "running_mean" and not weights.get(f"{layer}.num_batches_tracked", torch.tensor(0)).any():
            variance = weights.get(f"{layer}.running_var", torch.tensor(1))
            if not weights[name].any() and bool((variance == 1).all()):
                fresh.append(layer)
    if fresh:
        raise WeightsError(
            f"these weights were never trained (no batch went through BatchNorm in {some(fresh)}): give weights that "
            "were saved after training"
        )


def _check_counted(weights: Mapping[str, Tensor]) -> None:
    """Refuse a whole network whose BatchNorm counters are all at 0: ours and the authors' count when they train."""
    counters = [value for name, value in weights.items() if name.endswith(".num_batches_tracked")]
    if counters and not any(bool(counter.any()) for counter in counters):
        raise WeightsError(
            "these weights were never trained (num_batches_tracked is 0 in every BatchNorm): give weights that were "
            "saved after training"
        )


def _reason(error: Exception) -> str:
    """Say in a few words what went wrong; torch's own advice is long, and part of it is to switch the safety off."""
    if isinstance(error, pickle.UnpicklingError):
        return "damaged, or more than weights"
    return (str(error).splitlines() or [type(error).__name__])[0]
