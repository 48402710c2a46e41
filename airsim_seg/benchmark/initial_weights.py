"""What a network starts from: random weights, ImageNet's for the backbone, or a file's for the whole network."""

import hashlib
from pathlib import Path

from torch import nn

from airsim_seg.benchmark.networks import BACKBONES
from airsim_seg.errors import UsageError
from fanet import FANet

RANDOM, IMAGENET = "none", "imagenet"


class InitialWeights:
    """What --weights names; checked as far as it can be before anything is read or written.

    Args:
        source: "none" (random ones), "imagenet", or the path of a file, see fanet.weights.load_weights.
        model: name of the network, see benchmark/networks.py.
        width: factor on all of its channels.

    Raises:
        UsageError: no such file, or a network for which there are no ImageNet weights.
    """

    def __init__(self, source: str, model: str, width: float) -> None:
        self.source = source
        self.path = None if source in (RANDOM, IMAGENET) else Path(source)
        self.backbone = BACKBONES.get(model, "")
        if source == IMAGENET:
            self._check_imagenet(model, width)
        elif self.path is not None and not self.path.is_file():
            raise UsageError(f"--weights {source}: there is no such file; the names are {RANDOM} and {IMAGENET}.")

    @property
    def origin(self) -> str | None:
        """For the checkpoint: which weights these are; None: random ones."""
        if self.path is None:
            return None if self.source == RANDOM else f"{IMAGENET} {self.backbone}"
        with self.path.open("rb") as file:
            return f"{self.path.name}, sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"

    def load(self, net: nn.Module) -> None:
        """Put the weights into a network; random ones it has.

        Raises:
            UsageError: they cannot be had or read, or are of another network.
        """
        from fanet import weights

        try:
            if self.path is not None:
                weights.load_weights(net, self.path)
            elif self.source == IMAGENET and isinstance(net, FANet):
                weights.load_imagenet(net.backbone, self.backbone)
        except weights.WeightsError as error:
            raise UsageError(f"--weights: {error}.") from error

    def _check_imagenet(self, model: str, width: float) -> None:
        if not self.backbone:
            raise UsageError(f"--weights {IMAGENET} is for {' and '.join(BACKBONES)}, not for {model}.")
        if width != 1:
            raise UsageError(
                f"--weights {IMAGENET} needs width = 1.0, and the experiment has {width:g}: "
                "give another --config, such as fair."
            )
