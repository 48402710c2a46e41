"""FANet with memory: the whole network on one page."""

from typing import Literal, overload

import torch
from torch import Tensor, nn

from fanet.attention import FastAttention
from fanet.backbone import LEAK, STAGE_BLOCKS, Backbone
from fanet.decoder import Decoder, resize
from fanet.memory import SCALES, Memory, parse_memory
from fanet.temporal import Recall, TemporalState
from fanet.variant import PAPER, RELEASED, Variant

MINIMUM_SIDE = 8  # pixels: below it the finest map, at 1/8, would be less than one pixel
MINIMUM_KEY_CHANNELS = 16  # fewer make the cosine between query and key too coarse: narrow networks keep these


class FANet(nn.Module):
    """Fast attention network (Hu et al. 2021) with a memory of N past frames.

    Args:
        num_classes: channels of the logits.
        backbone: "resnet18" or "resnet34".
        width: factor on all channels. 1 is the paper's: 64, 128, 256, 512 in the stages, 32 in query and key, 128 and
            256 in the decoder. 0.25 gives 16, 32, 64, 128, keys of 16 (never fewer), 32 and 64: 0.8 M parameters.
        tca_depth: N, the number of past frames that are remembered; 0 is the plain network.
        aggregation: what is remembered and how it is mixed: a name with settings (see memory.py), or a Memory of one's
            own. "sum" is the study's TCA.
        variant: the paper's network, or the graph that its authors released.
        auxiliary: build two auxiliary heads at 1/32 and 1/64, to be trained with; answers do not need them.

    Raises:
        ValueError: a value out of range; the message names it.
    """

    def __init__(
        self,
        num_classes: int = 11,
        backbone: str = "resnet18",
        width: float = 1.0,
        tca_depth: int = 4,
        aggregation: str | Memory = "sum",
        *,
        variant: Variant = PAPER,
        auxiliary: bool = False,
    ) -> None:
        super().__init__()
        _check_settings(num_classes, backbone, width, tca_depth)
        channels = (round(64 * width), round(128 * width), round(256 * width), round(512 * width))
        key_channels = max(MINIMUM_KEY_CHANNELS, round(32 * width))
        memory = parse_memory(aggregation) if isinstance(aggregation, str) else aggregation
        self.num_classes = num_classes
        self.tca_depth = tca_depth
        self.variant = variant
        self.backbone = Backbone(STAGE_BLOCKS[backbone], channels)
        self.attention = nn.ModuleList(
            FastAttention(c, key_channels, tiles=memory.tiles, variant=variant) for c in channels
        )
        self.decoder = Decoder(channels, round(128 * width), num_classes, variant=variant, auxiliary=auxiliary)
        # Last: whatever memory needs, the random weights before it are the same for every depth and aggregation.
        item_channels = {
            "contexts": [key_channels * channels[SCALES.index(scale)] for scale in memory.scales],
            "map": [channels[0]],
            "logits": [num_classes],
        }
        self.recall = Recall(memory, tca_depth, item_channels[memory.tap])
        self.reset_parameters()

    @classmethod
    def released(
        cls, num_classes: int = 19, backbone: str = "resnet18", tca_depth: int = 0, *, auxiliary: bool = True
    ) -> "FANet":
        """Make the graph that the authors released for training, to the letter; see released.py for their weights.

        Strides, activations, resizes and scale of the contexts are theirs (variant.RELEASED). The two branches of their
        code that reach no output are not built.
        """
        return cls(num_classes, backbone, tca_depth=tca_depth, variant=RELEASED, auxiliary=auxiliary)

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights (He et al. 2015 for LeakyReLU, fan out); BatchNorm back to 1 and 0.

        The classifiers' weights have variance 1 / inputs instead: by fan out, which is the few classes, logits would
        start with a spread of 5 and the loss at 6 instead of ln(classes).

        Args:
            generator: where the randomness comes from; None is torch's own. The same generator state gives the same
                weights for every tca_depth: a memory's own parameters do not start at random, and stay as they are.
        """
        for module in (*self.backbone.modules(), *self.attention.modules(), *self.decoder.modules()):
            if isinstance(module, nn.Conv2d) and module in self.decoder.classifiers():
                nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="linear", generator=generator)
            elif isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=LEAK, mode="fan_out", generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()

    @overload
    def forward(
        self,
        frames: Tensor,
        state: TemporalState | None = ...,
        segment_start: Tensor | None = ...,
        motion: Tensor | None = ...,
        *,
        full_size: bool = ...,
        auxiliary: Literal[False] = ...,
    ) -> tuple[Tensor, TemporalState]: ...

    @overload
    def forward(
        self,
        frames: Tensor,
        state: TemporalState | None = ...,
        segment_start: Tensor | None = ...,
        motion: Tensor | None = ...,
        *,
        full_size: bool = ...,
        auxiliary: Literal[True],
    ) -> tuple[Tensor, TemporalState, list[Tensor]]: ...

    def forward(
        self,
        frames: Tensor,
        state: TemporalState | None = None,
        segment_start: Tensor | None = None,
        motion: Tensor | None = None,
        *,
        full_size: bool = True,
        auxiliary: bool = False,
    ) -> tuple[Tensor, TemporalState] | tuple[Tensor, TemporalState, list[Tensor]]:
        """Segment B frames that follow each other in time.

        Args:
            frames: [B,3,H,W], floating, the network's dtype; RGB, normalised as in training. Any size from 8x8.
            state: what the call before returned, if these frames go on from there; None is an empty memory.
            segment_start: bool [B], True where memory must be empty (a new video, a cut). None: memory goes on.
            motion: [B,2,H,W], pixels from each frame to the one before it (columns, then rows), NaN where unknown; for
                warped memories, others leave it unread.
            full_size: enlarge the logits to the frames' size; otherwise they stay at the finest map's, 1/8.
            auxiliary: give what the auxiliary heads say, too.

        Returns:
            logits [B,num_classes,H,W] (or at 1/8, [B,num_classes,ceil(H/8),ceil(W/8)]), and the state for the next
            call (detached); with auxiliary also a list of two: logits at 1/32 and at 1/64, never enlarged.

        Raises:
            TypeError: frames or segment_start of another dtype.
            ValueError: another shape, frames too small, a state of another network, or no motion where it is needed.
        """
        self._check_inputs(frames, segment_start, motion)
        tap = self.recall.memory.tap
        features = self.backbone(frames)  # 1/8, 1/16, 1/32, 1/64
        contexts = [a.context(x) for a, x in zip(self._attention(), features, strict=True)]
        new_state = None
        if tap == "contexts":
            chosen = [SCALES.index(scale) for scale in self.recall.memory.scales]
            mixed, new_state = self.recall([contexts[s] for s in chosen], state, segment_start)
            contexts = [mixed[chosen.index(s)] if s in chosen else contexts[s] for s in range(len(contexts))]
        attended = [a(x, f) for a, x, f in zip(self._attention(), features, contexts, strict=True)]
        at_8, _, at_32, at_64 = self.decoder.fuse(attended)
        if tap == "map":
            (at_8,), new_state = self.recall([at_8], state, segment_start, motion, frames)
        # Contiguous: enlarging (and a loss on) class planes is faster than channels last with its 11 channels.
        smooth_32 = self.decoder.smooth(at_32)
        logits = self.decoder.classify(at_8, smooth_32).contiguous()  # [B, num_classes, H/8, W/8]
        if tap == "logits":
            (logits,), new_state = self.recall([logits], state, segment_start, motion, frames)
        assert new_state is not None
        if full_size:
            size_hw = (frames.shape[2], frames.shape[3])
            logits = resize(logits, size_hw, align_corners=self.variant.align_corners)
        if auxiliary:
            return logits, new_state, self.decoder.classify_coarse(smooth_32, at_64)
        return logits, new_state

    def extra_repr(self) -> str:
        """Show what the sub-modules do not, in repr(net)."""
        return f"num_classes={self.num_classes}, tca_depth={self.tca_depth}, aggregation={self.recall.memory}"

    def _attention(self) -> list[FastAttention]:
        return [m for m in self.attention if isinstance(m, FastAttention)]

    def _check_inputs(self, frames: Tensor, segment_start: Tensor | None, motion: Tensor | None) -> None:
        if frames.ndim != 4 or frames.shape[1] != 3 or len(frames) == 0:
            raise ValueError(f"frames must be [B,3,H,W] with B of at least 1, not {list(frames.shape)}")
        own_dtype = next(self.parameters()).dtype
        if frames.dtype != own_dtype:
            raise TypeError(f"frames are {frames.dtype} and the network {own_dtype}: convert one to the other")
        if min(frames.shape[2:]) < MINIMUM_SIDE:
            raise ValueError(
                f"frames of {frames.shape[2]}x{frames.shape[3]} are too small: each side needs {MINIMUM_SIDE} pixels"
            )
        if self.training and len(frames) == 1 and max(frames.shape[2:]) <= 64:
            raise ValueError("BatchNorm cannot train on one frame of at most 64x64: give more frames, or larger ones")
        if segment_start is not None and (segment_start.dtype != torch.bool or segment_start.shape != frames.shape[:1]):
            raise TypeError(
                f"segment_start must be bool [{len(frames)}], not {segment_start.dtype} {list(segment_start.shape)}"
            )
        wanted = [len(frames), 2, *frames.shape[2:]]
        if motion is not None and list(motion.shape) != wanted:
            raise ValueError(
                f"motion must be {wanted}, a column and a row step for each pixel, not {list(motion.shape)}"
            )


def _check_settings(num_classes: int, backbone: str, width: float, tca_depth: int) -> None:
    if backbone not in STAGE_BLOCKS:
        raise ValueError(f"backbone is one of {', '.join(STAGE_BLOCKS)}, not {backbone!r}")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, not {num_classes}")
    if not 1 / 64 <= width <= 16:
        raise ValueError(f"width must lie between 1/64 and 16, not {width}")
    if tca_depth < 0:
        raise ValueError(f"tca_depth is a number of past frames, at least 0, not {tca_depth}")
