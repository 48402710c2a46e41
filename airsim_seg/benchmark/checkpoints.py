"""Checkpoints: written whole or not at all, read without executing anything, refused where they are of another run."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn

from airsim_seg.errors import CorruptFile, MissingData, StorageError, TrainingError

FILE_NAME = "checkpoint.pt"
SCHEMA = "airsim-seg/checkpoint"
SCHEMA_VERSION = 1


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


def read(path: Path) -> dict[str, Any]:
    """Read a checkpoint; weights only, so that no file can run code.

    Raises:
        MissingData: there is no such file.
        CorruptFile: truncated, hostile, or not a checkpoint of this toolkit.
    """
    if not path.is_file():
        raise MissingData(f"{path} does not exist: train first, or give the folder that holds {FILE_NAME}.")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, pickle.UnpicklingError, EOFError, OSError, ValueError, KeyError, IndexError) as error:
        raise CorruptFile(
            f"{path} is not a readable checkpoint (truncated, or not made by airsim-seg): delete it and train again."
        ) from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        raise CorruptFile(f"{path} is not a checkpoint of airsim-seg: delete it and train again.")
    if content["schema_version"] != SCHEMA_VERSION:
        raise CorruptFile(
            f"{path} has checkpoint version {content['schema_version']}, this airsim-seg reads {SCHEMA_VERSION}: "
            "use the version that wrote it, or train again."
        )
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
    except RuntimeError as error:
        raise TrainingError(
            f"{path} holds the weights of another network (width, backbone or classes differ): "
            "build the network with the run's own settings."
        ) from error
    return int(content["step"])
