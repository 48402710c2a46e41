"""From what a pixel sees to the colour that stands for it, in numba: a fifth of numpy's time."""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import numpy as np

from airsim_seg.builtin.rendering.compiling import kernel
from airsim_seg.builtin.rendering.lane_memory import gather, load, store_threes
from airsim_seg.builtin.rendering.lanes import LANES, where


@kernel()
def colour(objects, colours, bgr):
    """Paint objects.

    Args:
        objects: int32 [H,W]; what is below 0 has the last colour.
        colours: int32 [N], blue + 256 green + 65536 red, N larger than any of the objects.
        bgr: uint8 [H,W,3] (out).
    """
    height, width = objects.shape
    count, last = height * width, np.int32(len(colours) - 1)
    # A block writes one byte too many, which the next one mends: the last pixels are painted one by one.
    blocks = max(count - 1, 0) // LANES
    for n in range(0, blocks * LANES, LANES):
        who = load(objects, n)
        store_threes(bgr, 3 * n, gather(colours, where((who < 0) | (who > last), last, who)))
    for n in range(blocks * LANES, count):
        who = objects[n // width, n % width]
        packed = colours[last if who < 0 or who > last else who]
        for k in range(3):
            bgr[n // width, n % width, k] = (packed >> (8 * k)) & 255
