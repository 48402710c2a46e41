"""Weights to start from instead of random ones: ImageNet's for the backbone, or a file's for the whole network."""

import hashlib
from pathlib import Path

from torch import nn

from airsim_seg.benchmark.networks import BACKBONES
from airsim_seg.errors import UsageError
from fanet import FANet

IMAGENET = "imagenet"


class InitialWeights:
    """What --init names; checked as far as it can be before anything is read or written.

    Args:
        init: "imagenet", or the path of a file, see fanet.weights.load_weights.
        model: name of the network, see benchmark/networks.py.
        width: factor on all of its channels.

    Raises:
        UsageError: no such file, or a network for which there are no ImageNet weights.
    """

    def __init__(self, init: str, model: str, width: float) -> None:
        self.path = None if init == IMAGENET else Path(init)
        self.backbone = BACKBONES.get(model, "")
        if self.path is None:
            self._check_imagenet(model, width)
        elif not self.path.is_file():
            raise UsageError(f"--init {init}: there is no such file, and {IMAGENET} is the only name.")

    @property
    def origin(self) -> str:
        """For the checkpoint: which weights these are."""
        if self.path is None:
            return f"{IMAGENET} {self.backbone}"
        with self.path.open("rb") as file:
            return f"{self.path.name}, sha256 {hashlib.file_digest(file, 'sha256').hexdigest()[:16]}"

    def load(self, net: nn.Module) -> None:
        """Put the weights into a network.

        Raises:
            UsageError: they cannot be had or read, or are of another network.
        """
        from fanet import weights

        try:
            if self.path is not None:
                weights.load_weights(net, self.path)
            elif isinstance(net, FANet):
                weights.load_imagenet(net.backbone, self.backbone)
        except weights.WeightsError as error:
            raise UsageError(f"--init: {error}.") from error

    def _check_imagenet(self, model: str, width: float) -> None:
        if not self.backbone:
            raise UsageError(f"--init {IMAGENET} is for {' and '.join(BACKBONES)}, not for {model}.")
        if width != 1:
            raise UsageError(
                f"--init {IMAGENET} needs width = 1.0, and the experiment has {width:g}: give another --config, such "
                "as fair."
            )
