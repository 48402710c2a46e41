"""How a frame is mixed with those that it remembers: one small class each, all behind one interface.

An aggregation sees what a frame left behind and what the N before it left, newest first, and says what to go on with.
Where the past comes from, which of it may be seen, across which cuts, and whether it was moved to where things are now
is not its concern (temporal.py): so each is a few lines, and the same class serves contexts, maps and class scores.

docs/adding-an-aggregation.md adds one.
"""

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Aggregation(nn.Module, ABC):
    """Base of all: a plain module that is made for a depth and a number of channels.

    Args:
        depth: N, the number of past frames, at least 1.
        channels: D, what a frame leaves at each place.
    """

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        self.depth = depth
        self.channels = channels

    @abstractmethod
    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """Mix.

        Args:
            present: [B,D,*place] what B frames left: contexts [B,key*C,tiles], or maps or logits [B,C,h,w].
            past: [B,N,D,*place] what the N frames before each left, newest first; zeros where not valid.
            valid: bool [B,N,1,*place or ones]: whether there is such a frame (in the same segment) and, for what was
                moved along with the picture, whether that place is seen in it.

        Returns:
            [B,D,*place].
        """


class Sum(Aggregation):
    """All added up; a young memory of k < N frames is scaled to the size of a full one, by (N+1)/(k+1).

    Source: the study's TCA (Torgesen et al. 2021) and, for N = 1, FANet's spatial-temporal variant (Hu et al. 2021,
    section III-D), without a division. The scaling is ours: without it a network sees the size jump after every cut.
    """

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        return _average(present, past, valid) * (self.depth + 1)


class Mean(Aggregation):
    """The sum divided by the number of frames in it: history without the growth in size."""

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        return _average(present, past, valid)


class Decay(Aggregation):
    """A mean in which each step back counts a learned factor less, 0.7 at first."""

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__(depth, channels)
        self.logit = nn.Parameter(torch.logit(torch.tensor(0.7)))

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        lag = torch.arange(1, self.depth + 1, device=past.device, dtype=past.dtype)
        weights = torch.sigmoid(self.logit) ** lag
        return _average(present, past, valid * _along_lags(weights, past))


class Lags(Aggregation):
    """A mean with a learned weight for each lag, all equal at first; the present one's is 1."""

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__(depth, channels)
        self.log_weight = nn.Parameter(torch.zeros(depth))

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        return _average(present, past, valid * _along_lags(self.log_weight.exp(), past))


class Gate(Aggregation):
    """A mean in which a past frame counts the more the more it resembles the present one, place by place.

    Weight = sigmoid(steepness * (cosine - threshold)), over the channels of each place: one gate for a whole context,
    one for each tile, or one for each pixel of a map. Both numbers are learned.
    """

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__(depth, channels)
        self.steepness = nn.Parameter(torch.tensor(5.0))
        self.threshold = nn.Parameter(torch.tensor(0.5))

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        cosine = F.cosine_similarity(present[:, None], past, dim=2).unsqueeze(2)  # [B, N, 1, *place]
        return _average(present, past, valid * torch.sigmoid(self.steepness * (cosine - self.threshold)))


class Channels(Aggregation):
    """A sum with learned weights for each frame, one a channel; all 1/(N+1) at first, which is a mean.

    Where a past frame saw nothing (or there is none) the present stands in for it, with its weight: a young memory has
    the size of a full one, and what is new in the picture the size of all else.

    Source: Gadde et al. 2017 (NetWarp, arXiv 1708.03088), z_t = w1 * z_t + w2 * warp(z_t-1) for N = 1; both vectors
    start at 0.5 in the authors' released model, which warps the frames' own maps, too, not mixed ones. There a first
    frame is mixed with zeros.
    """

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__(depth, channels)
        # Vectors, present first, and not one matrix: weight decay, which is for matrices, would pull them to zero.
        self.weights = nn.ParameterList(torch.full((channels,), 1 / (depth + 1)) for _ in range(depth + 1))

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation."""
        weights = torch.stack(list(self.weights)).to(past.dtype)
        weights = weights.view(*weights.shape, *[1] * (past.ndim - 3))  # [N+1, D, *ones]
        return weights[0] * present + (weights[1:] * torch.where(valid, past, present[:, None])).sum(1)


class Propagate(Aggregation):
    """Class scores carried along at test time: nothing is learned, and training is left as it is.

    A past frame's probabilities weigh 0.8 for each step back, times their overlap with the present ones (the sum over
    the classes of the smaller of the two, 0 to 1), so that a place that has changed is left to the present.

    Source: the idea of state propagation by similarity is that of Costea et al., "SSP" (CVPR 2025); the form is ours.
    """

    STRENGTH = 0.8

    def forward(self, present: Tensor, past: Tensor, valid: Tensor) -> Tensor:
        """See Aggregation; present and past are logits, and so is what comes back (log-probabilities)."""
        if self.training:
            return present
        now, before = present.softmax(1), past.softmax(2)
        lag = torch.arange(1, self.depth + 1, device=past.device, dtype=past.dtype)
        overlap = torch.minimum(now[:, None], before).sum(2, keepdim=True)  # [B, N, 1, *place]
        weights = valid * overlap * _along_lags(self.STRENGTH**lag, past)
        return _average(now, before, weights).clamp_min(torch.finfo(now.dtype).tiny).log()


def _average(present: Tensor, past: Tensor, weights: Tensor) -> Tensor:
    """Weighted mean of present (weight 1) and past [B,N,D,*place] (weights [B,N,1,*place or ones], bool or float)."""
    weights = weights.to(past.dtype)
    return (present + (weights * past).sum(1)) / (1 + weights.sum(1))


def _along_lags(weights: Tensor, past: Tensor) -> Tensor:
    """[N] -> [1,N,1,...], as many dimensions as past."""
    return weights.to(past.dtype).view(1, -1, *[1] * (past.ndim - 2))
