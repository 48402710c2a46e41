"""Arrays that take seconds to make, kept on disk for the next process.

A file is a line of JSON (what made the arrays, their types and shapes, small facts, a checksum) and the arrays' bytes.
Nothing in it is ever executed, nothing is believed before it is checked, and whatever is wrong, with a file or with the
disk, only means that the arrays are made anew.
"""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import llvmlite.binding
import numpy as np
import numpy.typing as npt

import airsim_seg

Array = npt.NDArray[Any]

# A dozen worlds and more: one takes 20 to 45 MB.
MOST_BYTES = 512 * 2**20
_MOST_HEAD_BYTES = 8 * 2**20
_FORMAT = 1
_SUFFIX, _PART = ".kept", ".part"


@dataclass(frozen=True, eq=False)
class Box:
    """What is kept under one name.

    Attributes:
        arrays: by name.
        facts: anything that JSON can say.
    """

    arrays: Mapping[str, Array]
    facts: Any = None


class Shelf:
    """A folder of boxes."""

    def __init__(self, folder: Path, stamp: str, most_bytes: int = MOST_BYTES) -> None:
        """Take the folder; it need not exist.

        Args:
            folder: for the boxes alone; others' files in it are left alone.
            stamp: of what makes the arrays: a box with another stamp is not taken.
            most_bytes: when the boxes take more, those that were not used for longest go.
        """
        self._folder, self._stamp, self._most_bytes = folder, stamp, most_bytes

    def get(self, name: str, kinds: Mapping[str, npt.DTypeLike]) -> Box | None:
        """Take a box down.

        Args:
            name: letters, digits and dashes.
            kinds: the arrays that must be in it, and their types.

        Returns:
            Its arrays are C-contiguous, can be written, and belong to the caller. None where there is no such box, or
            one that is cut off, altered, of another stamp or not readable.
        """
        path = self._path(name)
        try:
            with path.open("rb") as file:
                box = _read(file, self._stamp, {key: np.dtype(kind) for key, kind in kinds.items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used now: of all boxes the last to go
        return box

    def put(self, name: str, box: Box) -> None:
        """Keep a box, if the disk lets us: whole or not at all, in place of the one that had its name."""
        arrays = {key: np.ascontiguousarray(array) for key, array in box.arrays.items()}
        head = _head(self._stamp, arrays, box.facts)
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            handle, written = tempfile.mkstemp(dir=self._folder, suffix=_PART)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(head)
                    for array in arrays.values():
                        file.write(_bytes_of(array))
                os.replace(written, self._path(name))
            except BaseException:
                os.unlink(written)
                raise
            self._make_room()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{_SUFFIX}"

    def _make_room(self) -> None:
        """Throw away what was not used for longest, and what a crash left half done, until the rest is small enough."""
        found = [box for suffix in (_SUFFIX, _PART) for box in self._folder.glob(f"*{suffix}")]
        boxes = [(box.stat().st_mtime_ns, box.stat().st_size, box) for box in found]
        room = self._most_bytes
        for _, size, box in sorted(boxes, key=lambda one: one[0], reverse=True):
            room -= size
            if room < 0:
                box.unlink(missing_ok=True)


def _head(stamp: str, arrays: Mapping[str, Array], facts: Any) -> bytes:
    shapes = {key: [array.dtype.str, list(array.shape)] for key, array in arrays.items()}
    content = {"format": _FORMAT, "stamp": stamp, "arrays": shapes, "facts": facts}
    return json.dumps(content | {"sum": _sum(content, arrays)}).encode() + b"\n"


def _sum(content: Mapping[str, Any], arrays: Mapping[str, Array]) -> str:
    """A checksum over all of a box."""
    found = hashlib.blake2b(json.dumps(content).encode(), digest_size=16)
    for array in arrays.values():
        found.update(_bytes_of(array))
    return found.hexdigest()


def _bytes_of(array: Array) -> memoryview:
    flat: memoryview = array.reshape(-1).view(np.uint8).data
    return flat


def _read(file: BinaryIO, stamp: str, kinds: Mapping[str, "np.dtype[Any]"]) -> Box:
    """Read a box; ValueError, KeyError or TypeError where it is not one that _head has described."""
    content = json.loads(file.readline(_MOST_HEAD_BYTES))
    wanted = content.pop("sum")
    if content["format"] != _FORMAT or content["stamp"] != stamp or list(content["arrays"]) != list(kinds):
        raise ValueError("another box")
    shapes: dict[str, tuple[int, ...]] = {}
    for key, (kind, shape) in content["arrays"].items():
        if kind != kinds[key].str or not all(type(side) is int and side >= 0 for side in shape):
            raise ValueError("another kind of array")
        shapes[key] = tuple(shape)
    # No memory is taken on the word of a head: the file must be as long as it says.
    sizes = {key: kinds[key].itemsize * _product(shape) for key, shape in shapes.items()}
    if sum(sizes.values()) != os.fstat(file.fileno()).st_size - file.tell():
        raise ValueError("cut off, or too long")
    arrays = {key: np.empty(shape, kinds[key]) for key, shape in shapes.items()}
    for array in arrays.values():
        if file.readinto(_bytes_of(array)) != array.nbytes:  # type: ignore[attr-defined]
            raise ValueError("cut off while it was read")
    if _sum(content, arrays) != wanted:
        raise ValueError("altered")
    return Box(arrays, content["facts"])


def _product(shape: tuple[int, ...]) -> int:
    """In Python's integers, which do not overflow."""
    total = 1
    for side in shape:
        total *= side
    return total


def user_shelf(environ: Mapping[str, str], home: Path) -> Shelf:
    """The user's shelf: ~/.cache/airsim-seg/, or where XDG_CACHE_HOME says, or macOS and Windows keep such things.

    Args:
        environ: environment variables.
        home: the user's folder.
    """
    caches = home / ".cache"
    if sys.platform == "darwin":
        caches = home / "Library" / "Caches"
    elif sys.platform == "win32":
        caches = Path(environ.get("LOCALAPPDATA", home / "AppData" / "Local"))
    if environ.get("XDG_CACHE_HOME"):
        caches = Path(environ["XDG_CACHE_HOME"])
    return Shelf(caches / "airsim-seg", source_stamp())


def source_stamp() -> str:
    """A hash of all that decides what is built and painted: our own files, numpy and the processor.

    Another processor may round sines otherwise; homes are shared between machines.
    """
    folder = Path(airsim_seg.__file__).parent
    cpu = [llvmlite.binding.get_host_cpu_name(), llvmlite.binding.get_host_cpu_features().flatten()]
    found = hashlib.blake2b(json.dumps([_FORMAT, np.__version__, sys.byteorder, *cpu]).encode(), digest_size=16)
    for file in sorted([*folder.glob("*.py"), *(folder / "builtin").rglob("*.py")]):
        found.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()
