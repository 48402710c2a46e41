"""The paper's network, and the graph that its authors released: where they differ, as one value."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Variant:
    """How a FANet is wired where paper and released code part ways.

    Attributes:
        divide_by_pixels: context = K V / n as the paper's equation has it; without, it grows with the input.
        up_padding: of the 1x1 convolutions of the top-down path. 1 grows each map by two rows and two columns that the
            resize after it squeezes back.
        align_corners: of every bilinear resize. False takes pixels as areas: the same scale factor at every position
            and input size, so a network sees the same geometry when it runs at another size than it was trained at.
    """

    divide_by_pixels: bool = True
    up_padding: int = 0
    align_corners: bool = False


PAPER = Variant()
"""Hu et al. 2021 (arXiv 2007.03815), figures 2 and 3 and section III: the default."""

RELEASED = Variant(divide_by_pixels=False, up_padding=1, align_corners=True)
"""feinanshan/FANet, Train/ptsemseg/models/fanet: what the authors' weights were trained in."""
