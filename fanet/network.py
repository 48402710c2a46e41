"""FANet with memory: the whole network on one page."""

import torch
from torch import Tensor, nn

from fanet.attention import FastAttention
from fanet.backbone import LEAK, STAGE_BLOCKS, Backbone
from fanet.decoder import Decoder, resize
from fanet.temporal import TemporalState, add_history

MINIMUM_SIDE = 8  # pixels: below it the finest map, at 1/8, would be less than one pixel
MINIMUM_KEY_CHANNELS = 16  # fewer make the cosine between query and key too coarse: narrow networks keep these


class FANet(nn.Module):
    """Fast attention network (Hu et al. 2021) with temporal context aggregation of depth N.

    Args:
        num_classes: channels of the logits.
        backbone: "resnet18" or "resnet34".
        width: factor on all channels. 1 is the paper's: 64, 128, 256, 512 in the stages, 32 in query and key, 128 and
            256 in the decoder. 0.25 gives 16, 32, 64, 128, keys of 16 (never fewer), 32 and 64: 0.8 M parameters.
        tca_depth: N, the number of past frames whose contexts are added; 0 is the plain network.

    Raises:
        ValueError: a value out of range; the message names it.
    """

    def __init__(
        self, num_classes: int = 11, backbone: str = "resnet18", width: float = 1.0, tca_depth: int = 4
    ) -> None:
        super().__init__()
        _check_settings(num_classes, backbone, width, tca_depth)
        channels = (round(64 * width), round(128 * width), round(256 * width), round(512 * width))
        key_channels = max(MINIMUM_KEY_CHANNELS, round(32 * width))
        self.num_classes = num_classes
        self.tca_depth = tca_depth
        self.backbone = Backbone(STAGE_BLOCKS[backbone], channels)
        self.attention = nn.ModuleList(FastAttention(c, key_channels) for c in channels)
        self.decoder = Decoder(channels, round(128 * width), num_classes)
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw new weights (He et al. 2015 for LeakyReLU, fan out); BatchNorm back to 1 and 0.

        Args:
            generator: where the randomness comes from; None is torch's own. The same generator state gives the same
                weights for every tca_depth: memory has no parameters.
        """
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=LEAK, mode="fan_out", generator=generator)
            elif isinstance(module, nn.BatchNorm2d):
                module.reset_parameters()

    def forward(
        self,
        frames: Tensor,
        state: TemporalState | None = None,
        segment_start: Tensor | None = None,
        *,
        full_size: bool = True,
    ) -> tuple[Tensor, TemporalState]:
        """Segment B frames that follow each other in time.

        Args:
            frames: [B,3,H,W], floating, the network's dtype; RGB, normalised as in training. Any size from 8x8.
            state: what the call before returned, if these frames go on from there; None is an empty memory.
            segment_start: bool [B], True where memory must be empty (a new video, a cut). None: memory goes on.
            full_size: enlarge the logits to the frames' size; otherwise they stay at the finest map's, 1/8.

        Returns:
            logits [B,num_classes,H,W] (or at 1/8, [B,num_classes,ceil(H/8),ceil(W/8)]), and the state for the next
            call (detached).

        Raises:
            TypeError: frames or segment_start of another dtype.
            ValueError: another shape, frames too small, or a state of another network.
        """
        self._check_inputs(frames, state, segment_start)
        features = self.backbone(frames)  # 1/8, 1/16, 1/32, 1/64
        contexts = [a.context(x) for a, x in zip(self._attention(), features, strict=True)]
        contexts, state = add_history(contexts, state, segment_start, self.tca_depth)
        attended = [a(x, f) for a, x, f in zip(self._attention(), features, contexts, strict=True)]
        # Contiguous: enlarging (and a loss on) class planes is faster than channels last with its 11 channels.
        logits = self.decoder(attended).contiguous()  # [B, num_classes, H/8, W/8]
        return (resize(logits, (frames.shape[2], frames.shape[3])) if full_size else logits), state

    def extra_repr(self) -> str:
        """Show what the sub-modules do not, in repr(net)."""
        return f"num_classes={self.num_classes}, tca_depth={self.tca_depth}"

    def _attention(self) -> list[FastAttention]:
        return [m for m in self.attention if isinstance(m, FastAttention)]

    def _check_inputs(self, frames: Tensor, state: TemporalState | None, segment_start: Tensor | None) -> None:
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
        if state is not None:
            _check_state(state, [(self.tca_depth, *a.context_shape) for a in self._attention()])


def _check_state(state: TemporalState, expected: list[tuple[int, int, int]]) -> None:
    found = [tuple(c.shape) for c in state.contexts]
    if found != expected:
        raise ValueError(f"this state is of another network: its contexts are {found}, this one's {expected}")


def _check_settings(num_classes: int, backbone: str, width: float, tca_depth: int) -> None:
    if backbone not in STAGE_BLOCKS:
        raise ValueError(f"backbone is one of {', '.join(STAGE_BLOCKS)}, not {backbone!r}")
    if num_classes < 1:
        raise ValueError(f"num_classes must be at least 1, not {num_classes}")
    if not 1 / 64 <= width <= 16:
        raise ValueError(f"width must lie between 1/64 and 16, not {width}")
    if tca_depth < 0:
        raise ValueError(f"tca_depth is a number of past frames, at least 0, not {tca_depth}")
