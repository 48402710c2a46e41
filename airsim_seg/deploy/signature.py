"""What goes into an exported model and what comes out: flat tensors with names, the memory among them.

    frame, [motion], remembered_8, ..., num_valid, [flows], [picture]  ->  logits, next_remembered_8, ..., next_picture

The model itself remembers nothing. Whoever runs it hands each `next_` tensor back at the next frame under the name
without `next_`, and starts with empty ones.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

FRAME, MOTION, LOGITS = "frame", "motion", "logits"


@dataclass(frozen=True)
class StateTensor:
    """One tensor of the memory.

    Attributes:
        name: as an input; as an output it is next_name.
        shape: for instance [N*stride, key*C, tiles*tiles] of contexts, oldest frame first; [] of num_valid.
        dtype: of both.
        empty: what fills it before the first frame: 0, or NaN for motion that nobody knows.
    """

    name: str
    shape: tuple[int, ...]
    dtype: Literal["float32", "int64"]
    empty: float = 0.0

    @property
    def next_name(self) -> str:
        """Its name among the outputs."""
        return f"next_{self.name}"

    def empty_array(self) -> Array:
        """Its value before the first frame."""
        return np.full(self.shape, self.empty, self.dtype)

    def as_dict(self) -> dict[str, Any]:
        """Plain values; JSON has no NaN, so that one is a word."""
        empty = "nan" if math.isnan(self.empty) else self.empty
        return {
            "name": self.name,
            "next_name": self.next_name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "empty": empty,
        }

    @staticmethod
    def from_dict(table: dict[str, Any]) -> "StateTensor":
        """Read what as_dict gave."""
        return StateTensor(table["name"], tuple(table["shape"]), table["dtype"], float(table["empty"]))


@dataclass(frozen=True)
class Signature:
    """All inputs and outputs.

    Attributes:
        input_hw: (height, width) of frame float32 [1,3,H,W], in pixels.
        logits_shape: [1,num_classes,H,W], or at 1/8 of the size.
        state: the memory; nothing at depth 0.
        takes_motion: whether motion float32 [1,2,H,W] is wanted: pixels from the frame to the one before it, NaN =
            unknown.
    """

    input_hw: tuple[int, int]
    logits_shape: tuple[int, int, int, int]
    state: tuple[StateTensor, ...] = ()
    takes_motion: bool = False

    @property
    def input_names(self) -> list[str]:
        """In the order of the model's inputs."""
        return [FRAME, *([MOTION] if self.takes_motion else []), *(tensor.name for tensor in self.state)]

    @property
    def output_names(self) -> list[str]:
        """In the order of the model's outputs."""
        return [LOGITS, *(tensor.next_name for tensor in self.state)]

    def empty_state(self) -> dict[str, Array]:
        """The memory before the first frame, by input name."""
        return {tensor.name: tensor.empty_array() for tensor in self.state}

    def new_outputs(self) -> dict[str, Array]:
        """Arrays for all outputs, by name, not yet filled."""
        logits = np.empty(self.logits_shape, np.float32)
        return {LOGITS: logits, **{tensor.next_name: np.empty(tensor.shape, tensor.dtype) for tensor in self.state}}

    def check(self, frame: Array, motion: Array | None) -> None:
        """Refuse what is not for this model.

        Raises:
            ValueError: another shape or dtype, or no motion where the memory moves along it.
        """
        wanted = {FRAME: (frame, 3), MOTION: (motion, 2)} if self.takes_motion else {FRAME: (frame, 3)}
        for name, (array, channels) in wanted.items():
            shape = (1, channels, *self.input_hw)
            if array is None or array.dtype != np.float32 or array.shape != shape:
                given = "nothing" if array is None else f"{array.dtype} {list(array.shape)}"
                raise ValueError(f"{name} must be float32 {list(shape)}, not {given}")
