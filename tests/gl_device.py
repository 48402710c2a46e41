"""What the tests of the renderer on a device share: the skip where there is none, and how alike pictures must be."""

import numpy as np
import pytest

from airsim_seg.builtin.rendering.gl.context import open_context
from airsim_seg.builtin.scene import Picture
from airsim_seg.errors import UsageError


def skip_without_device() -> None:
    """Skip with the reason where OpenGL cannot be had; a graphics card and software are both welcome."""
    try:
        open_context().release()
    except UsageError as error:
        pytest.skip(str(error))


def assert_alike(drawn: Picture, wanted: Picture, *, what: object = "") -> None:
    """The stated share of ids, depths where ids agree, and colours but for rounding.

    Vertices are on a grid of 1/256 of a sample in GL, so that an edge may pass a sample's centre on the other side: at
    edges of one object another of its triangles is seen then, at another depth.
    """
    same = drawn.object_index == wanted.object_index
    assert same.mean() >= 0.998, what
    error = np.abs(drawn.depth_m - wanted.depth_m)[same] / wanted.depth_m[same]
    assert (error <= 1e-4).mean() >= 0.998, what
    assert np.quantile(error, 0.99) <= 1e-5, what
    difference = np.abs(drawn.rgb.astype(int) - wanted.rgb)
    assert difference.mean() <= 0.1, what
    assert (difference.max(2) > 8).mean() <= 0.005, what
