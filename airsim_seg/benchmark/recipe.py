"""How a network is trained: one frozen value, the same for every TCA depth of an experiment."""

import math
from dataclasses import dataclass

from airsim_seg.errors import UsageError

CHOICES = {
    "optimiser": ("adamw", "sgd"),
    "loss": ("cross_entropy", "ohem"),
    "early_frames": ("supervised", "context"),
    "precision": ("fp32", "bf16", "fp16"),
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Settings of a training run; a TOML table of an experiment holds the same names.

    The defaults train a quarter-width network on two CPU cores in about a minute. FANet's authors trained with
    (feinanshan/FANet, Train/configs/FA_Res18_CCRI.yml): optimiser "sgd", peak_learning_rate 1e-2,
    warm_up_steps 1000, weight_decay 5e-4, decay_norms, loss "ohem", class_weighting off, auxiliary_weight 0.5, and
    without a limit on the gradient: clip_gradient_norm inf.

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
    early_frames: str = "supervised"
    """"supervised": every frame of a clip is learnt from, early ones with the history that they have. "context": the
    first N (times the memory's stride) only fill the memory, as in the 2021 study: gradients flow through them, their
    own loss is left out."""
    optimiser: str = "adamw"
    """"adamw" with one cycle of the learning rate, or "sgd" with momentum 0.9 and a polynomial fall; see optimisers."""
    learning_rate: float = 3e-4
    """adamw: of the first step; one cycle leads from here up to the peak and down to nothing."""
    peak_learning_rate: float = 6e-3
    """adamw: reached at three tenths of the steps. sgd: where the polynomial fall begins."""
    warm_up_steps: int = 0
    """sgd: steps in which the rate grows exponentially to the peak; adamw's cycle warms up by itself."""
    warm_up_learning_rate: float = 1e-5
    """sgd: of the first step, where warm_up_steps is above 0."""
    weight_decay: float = 1e-2
    """On convolution weights only, unless decay_norms: BatchNorm's factors and offsets are left alone."""
    decay_norms: bool = False
    """Let weight_decay pull at the factors and offsets of normalisation layers, too, as FANet's authors do."""
    loss: str = "cross_entropy"
    """"cross_entropy" of all labelled pixels, or "ohem": of the hard ones (Shrivastava et al. 2016)."""
    ohem_threshold: float = 0.7
    """ohem: a pixel is hard where the probability of its true class is below this."""
    ohem_min_share: float = 1 / 16
    """ohem: at least this share of the labelled pixels is learnt from, the hardest first."""
    auxiliary_weight: float = 0.0
    """Above 0, FANet's two auxiliary heads at 1/32 and 1/64 learn as well: weight of the loss of each."""
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
    """"fp32", or autocast: "bf16" is faster with AMX, AVX-512-bf16 or a GPU, and slower without; "fp16" is for GPUs
    that lack bf16, and scales the loss so that small gradients survive."""
    clip_gradient_norm: float = 5.0
    """Longer gradients are shortened to this length: one odd batch at the peak rate must not undo the run."""
    checkpoint_every: int = 100
    """Steps between checkpoints; one is also written at the end and at Ctrl-C."""
    validate_every: int = 0
    """Steps between validations; 0 validates at the end only."""
    threads: int = 0
    """Torch's CPU threads while training; 0 leaves them as they are."""
    workers: int = 0
    """Processes that read clips from the video files while the network learns: for videos that memory cannot hold, and
    for GPUs. 0: all training videos are read once and stay in memory, and clips are cut from them between the steps.
    The clips are the same."""

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
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UsageError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}.")
        for name in ("steps", "clip_length", "clips_per_step", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 1, not {getattr(self, name)}.")
        if not 1 <= self.loss_stride <= min(crop_hw):
            raise UsageError(f"loss_stride must be from 1 to {min(crop_hw)} pixels, not {self.loss_stride}.")
        for name in ("validate_every", "threads", "workers", "weight_decay", "warm_up_steps", "auxiliary_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"{name} must be at least 0, not {getattr(self, name)}.")
        for name in ("ohem_threshold", "ohem_min_share"):
            if not 0 < getattr(self, name) <= 1:
                raise UsageError(f"{name} must be above 0 and at most 1, not {getattr(self, name)}.")
        if not self.clip_gradient_norm > 0:
            raise UsageError(f"clip_gradient_norm must be above 0, not {self.clip_gradient_norm}.")
        self._check_rates()

    def check_reach(self, reach: int) -> None:
        """Refuse clips that a memory uses up.

        Args:
            reach: how many frames back the network looks: N times the memory's stride; 0 without memory.

        Raises:
            UsageError: every frame of a clip would be context, and none would be left to learn from.
        """
        if self.early_frames == "context" and reach >= self.clip_length:
            raise UsageError(
                f'early_frames = "context" leaves nothing to learn from, N longer than the clip: a memory that looks '
                f"{reach} frames back needs a clip_length above {reach}, not {self.clip_length}."
            )

    def _check_rates(self) -> None:
        if self.optimiser == "adamw":
            if not 0 < self.learning_rate <= self.peak_learning_rate <= 1:
                raise UsageError(
                    f"Learning rates must fit 0 < learning_rate ({self.learning_rate}) <= "
                    f"peak_learning_rate ({self.peak_learning_rate}) <= 1."
                )
            if self.warm_up_steps:
                raise UsageError(
                    f'warm_up_steps ({self.warm_up_steps}) is of optimiser = "sgd": adamw\'s cycle warms up by itself.'
                )
            return
        if not 0 < self.warm_up_learning_rate <= self.peak_learning_rate <= 1:
            raise UsageError(
                f"Learning rates must fit 0 < warm_up_learning_rate ({self.warm_up_learning_rate}) <= "
                f"peak_learning_rate ({self.peak_learning_rate}) <= 1."
            )
        if self.warm_up_steps >= self.steps:
            raise UsageError(f"warm_up_steps ({self.warm_up_steps}) must be fewer than steps ({self.steps}).")
