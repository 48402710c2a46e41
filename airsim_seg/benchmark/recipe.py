"""How a network is trained: one frozen value, the same for every TCA depth of an experiment."""

import math
from dataclasses import dataclass

from airsim_seg.errors import UsageError

PRECISIONS = ("fp32", "bf16")


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of a training run; a TOML table of an experiment holds the same names.

    The defaults train a quarter-width network on two CPU cores in about a minute.

    Raises:
        UsageError: a value out of range; the message names it.
    """

    input_hw: tuple[int, int] = (120, 160)
    """(height, width) in pixels of the pictures that the network sees when it is scored and timed."""
    crop_hw: tuple[int, int] | None = None
    """(height, width) of the window of each clip that it sees in training; left out, the whole picture."""
    steps: int = 400
    """Optimiser steps: the same for every depth."""
    clip_length: int = 8
    """Consecutive frames in a clip; at least 3N lets the full memory be trained most of the time."""
    clips_per_step: int = 2
    """1 = homogeneous batch (one clip), more = mixed batch (clips of different videos)."""
    learning_rate: float = 3e-4
    """Of the first step; one cycle leads from here up to the peak and down to nothing."""
    peak_learning_rate: float = 6e-3
    """Reached at three tenths of the steps (Smith and Topin 2018, as torch's OneCycleLR has it)."""
    weight_decay: float = 1e-2
    """AdamW's, on convolution weights only: BatchNorm's factors and offsets are left alone."""
    loss_stride: int = 1
    """Learn from every k-th row and column of pixels, drawn anew each step: enlarging the logits to the full size and
    the loss there take almost half of a step on a CPU. 1 learns from every pixel of every frame."""
    class_weighting: bool = True
    """Weigh each class by 1/sqrt(its share of the training pixels), so that small classes are learnt early."""
    augment: bool = True
    """Mirror and zoom clips, the same way for all frames of one."""
    recolour: bool = True
    """Change gain, gamma and tint of augmented clips: for tests under another sun than the training videos'."""
    precision: str = "fp32"
    """"fp32", or "bf16" for autocast: faster with AMX, AVX-512-bf16 or a GPU, slower without."""
    clip_gradient_norm: float = 5.0
    """Longer gradients are shortened to this length: one odd batch at the peak rate must not undo the run."""
    checkpoint_every: int = 100
    """Steps between checkpoints; one is also written at the end and at Ctrl-C."""
    validate_every: int = 0
    """Steps between validations; 0 validates at the end only."""
    threads: int = 0
    """Torch's CPU threads while training; 0 leaves them as they are."""

    def __post_init__(self) -> None:
        """Refuse what cannot train."""
        object.__setattr__(self, "input_hw", tuple(self.input_hw))  # TOML has lists
        if len(self.input_hw) != 2 or min(self.input_hw) < 8:
            raise UsageError(f"input_hw must be a height and a width of at least 8 pixels, not {self.input_hw}.")
        crop_hw = self.input_hw if self.crop_hw is None else tuple(self.crop_hw)
        object.__setattr__(self, "crop_hw", crop_hw)
        if len(crop_hw) != 2 or not all(8 <= c <= i for c, i in zip(crop_hw, self.input_hw, strict=True)):
            raise UsageError(
                f"crop_hw must be two numbers from 8 up to those of input_hw {self.input_hw}, not {crop_hw}."
            )
        for name in ("steps", "clip_length", "clips_per_step", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 1 <= self.loss_stride <= min(crop_hw):
            raise UsageError(f"loss_stride must be from 1 to {min(crop_hw)} pixels, not {self.loss_stride}.")
        for name in ("validate_every", "threads", "weight_decay"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be at least 0, not {getattr(self, name)}.")
        if not 0 < self.learning_rate <= self.peak_learning_rate <= 1:
            raise UsageError(
                f"Learning rates must fit 0 < learning_rate ({self.learning_rate}) <= "
                f"peak_learning_rate ({self.peak_learning_rate}) <= 1."
            )
        if not self.clip_gradient_norm > 0:
            raise UsageError(f"clip_gradient_norm must be above 0, not {self.clip_gradient_norm}.")
        if self.precision not in PRECISIONS:
            raise UsageError(f"precision is one of {', '.join(PRECISIONS)}, not {self.precision!r}.")
