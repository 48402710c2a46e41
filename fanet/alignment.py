"""Where things were: the motion of the picture over several frames, and maps moved along it.

A flow [..., 2, h, w] says for each place of a map where it was in an earlier one: columns, then rows, in places of the
map (pixels, at 1/8 eighths of them); NaN where nobody knows, because it was hidden or out of view.

Flows are composed, maps are sampled once: a map that is moved N times is blurred N times.
"""

import torch
import torch.nn.functional as F
from torch import Tensor


def shrink_motion(motion: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Bring motion to a coarser map.

    Args:
        motion: [B,2,H,W], pixels from a frame to the one before it, NaN = unknown.
        size_hw: (height, width) of the map.

    Returns:
        [B,2,h,w], in places of the map: the mean over the known pixels of each place; NaN where fewer than half are.
    """
    known = motion.isfinite().all(1, keepdim=True)
    share = F.adaptive_avg_pool2d(known.to(motion.dtype), size_hw)
    total = F.adaptive_avg_pool2d(motion.masked_fill(~known, 0), size_hw)
    scale = motion.new_tensor([size_hw[1] / motion.shape[3], size_hw[0] / motion.shape[2]])[:, None, None]
    return torch.where(share >= 0.5, total / share * scale, torch.nan)


def sample(maps: Tensor, flow: Tensor) -> tuple[Tensor, Tensor]:
    """Look up where each place was.

    Args:
        maps: [B,C,h,w], of the earlier frame.
        flow: [B,2,h,w].

    Returns:
        [B,C,h,w] bilinear, zeros where the place was out of view or nobody knows; and bool [B,1,h,w], False there.
    """
    height, width = maps.shape[2:]
    columns = torch.arange(width, device=flow.device, dtype=flow.dtype) + flow[:, 0]
    rows = torch.arange(height, device=flow.device, dtype=flow.dtype)[:, None] + flow[:, 1]
    # Comparisons with NaN are False: unknown places are out of view.
    seen = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    x = torch.where(seen, columns, 0) * (2 / max(width - 1, 1)) - 1
    y = torch.where(seen, rows, 0) * (2 / max(height - 1, 1)) - 1
    # On a border a coordinate of 1 + rounding would reach past it.
    grid = torch.stack([x, y], dim=3).clamp(-1, 1)
    found = F.grid_sample(maps, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return found.masked_fill(~seen[:, None], 0), seen[:, None]


def compose(step: Tensor, before: Tensor) -> Tensor:
    """Go one step and then on.

    Args:
        step: [B,2,h,w], from frame t to t-1.
        before: [B,2,h,w], from frame t-1 to an earlier one.

    Returns:
        [B,2,h,w], from t to the earlier one; NaN where either part is unknown.
    """
    known = before.isfinite().all(1, keepdim=True)
    onward, seen = sample(before.masked_fill(~known, 0), step)
    share, _ = sample(known.to(before.dtype), step)
    # Neighbours that are unknown count for nothing in the interpolation; half a place must be known. Nothing is divided
    # by a smaller share, although the result is unknown there: by 0 it would make the gradient NaN.
    return torch.where(seen & (share >= 0.5), step + onward / share.clamp_min(0.5), torch.nan)


def accumulate(steps: Tensor, starts: Tensor, before: Tensor) -> Tensor:
    """Compose the steps of a call into the flows of each frame to those before it.

    Args:
        steps: [B,2,h,w], from each frame to the one before it.
        starts: bool [B], True where nothing before counts.
        before: [R,2,h,w], from the frame before the call to the one 1, 2, ... R frames before it.

    Returns:
        [B,R,2,h,w]: from each frame to the one 1, 2, ... R frames before it; unknown across a start.
    """
    flows = []
    for step, start in zip(steps, starts, strict=True):
        if len(before) > 1:
            further = compose(step.expand(len(before) - 1, *step.shape), before[:-1])
            before = torch.cat([step[None], further])
        else:
            before = step[None]
        before = before.masked_fill(start, torch.nan)
        flows.append(before)
    return torch.stack(flows)
