"""Checkpoints: written whole or not at all, read without executing anything, refused where they are of another run."""

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from airsim_seg.errors import CorruptFile, MissingData, StorageError, TrainingError

FILE_NAME = "checkpoint.pt"
SCHEMA = "airsim-seg/checkpoint"
SCHEMA_VERSION = 1
NETWORK: Mapping[str, type] = MappingProxyType({"net": dict, "step": int})
"""What a checkpoint needs to give a network."""
RUN = MappingProxyType({**NETWORK, "identity": dict, "optimizer": dict, "scaler": dict, "rng": Tensor, "history": list})
"""What it needs so that training can go on."""


def save(path: Path, content: dict[str, Any]) -> None:
    """Save tensors and plain values; see write_atomically."""
    write_atomically(path, lambda file: torch.save(content, file))


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write so that path holds either all of the old or all of the new, even after a power cut.

    Args:
        path: in a folder that exists.
        write: fills the open file.

    Raises:
        StorageError: the disk is full or read-only; the file before, if any, is untouched.
    """
    draft = path.with_name(path.name + ".tmp")
    try:
        with draft.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        draft.unlink(missing_ok=True)
        raise StorageError(
            f"{path} cannot be written ({error}): free space or choose another --out, then resume."
        ) from error


def read(path: Path, needs: Mapping[str, type] = NETWORK) -> dict[str, Any]:
    """Read a checkpoint; weights only, so that no file can run code.

    Args:
        path: a checkpoint.pt.
        needs: what must be there, and of which type: NETWORK or RUN.

    Raises:
        MissingData: there is no such file.
        CorruptFile: truncated, hostile, or not a checkpoint of this toolkit.
    """
    if not path.is_file():
        raise MissingData(f"{path} does not exist: train first, or give the folder that holds {FILE_NAME}.")
    try:
        with warnings.catch_warnings():
            # torch warns of old kinds of pickles before it refuses them: the refusal is enough.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle makes the reader stumble in any way there is
        raise CorruptFile(
            f"{path} is not a readable checkpoint (truncated, or not made by airsim-seg): delete it and train again."
        ) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise CorruptFile(f"{path} is not a checkpoint of airsim-seg: delete it and train again.")
    if content.get("schema_version") != SCHEMA_VERSION:
        raise CorruptFile(
            f"{path} has checkpoint version {content.get('schema_version')}, this airsim-seg reads {SCHEMA_VERSION}: "
            "use the version that wrote it, or train again."
        )
    for key, kind in needs.items():
        if not isinstance(content.get(key), kind):
            raise CorruptFile(f"{path} is not a whole checkpoint ({key} is missing or odd): delete it and train again.")
    return content


def check_same_run(path: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Hold a checkpoint's run against the one that is to go on.

    Raises:
        TrainingError: they differ; the message names the first setting that does.
    """
    for key, value in wanted.items():
        if found.get(key) != value:
            raise TrainingError(
                f"{path} is of another run ({key} is {found.get(key)!r} there and {value!r} here): "
                "choose another output folder, or delete it to start over."
            )


def load_network(path: Path, net: nn.Module) -> int:
    """Put a checkpoint's weights and BatchNorm statistics into a network of the same shape.

    Args:
        path: a checkpoint.pt.
        net: is changed in place.

    Returns:
        The step that the checkpoint was taken after.

    Raises:
        MissingData, CorruptFile: see read.
        TrainingError: the weights are of another network.
    """
    content = read(path)
    try:
        net.load_state_dict(content["net"])
    except (RuntimeError, TypeError, AttributeError) as error:  # the latter two of values that are no tensors
        raise TrainingError(
            f"{path} holds the weights of another network (width, backbone or classes differ): "
            "build the network with the run's own settings."
        ) from error
    return int(content["step"])
