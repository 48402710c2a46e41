"""Ids as colours against a loop over the pixels."""

import numpy as np
import pytest

from airsim_seg.builtin.rendering.id_colours import colour


@pytest.mark.parametrize("size_hw", [(1, 1), (1, 8), (1, 9), (2, 4), (3, 5), (7, 24), (16, 33)])
def test_every_pixel_has_the_colour_of_its_object(size_hw: tuple[int, int]) -> None:
    rng = np.random.default_rng(sum(size_hw))
    colours = rng.integers(0, 1 << 24, 41).astype(np.int32)
    objects = rng.integers(-1, 40, size_hw).astype(np.int32)
    around = np.full((size_hw[0] + 2, size_hw[1], 3), 7, np.uint8)
    colour(objects, colours, around[1:-1])
    for y in range(size_hw[0]):
        for x in range(size_hw[1]):
            packed = int(colours[objects[y, x]])
            assert around[1 + y, x].tolist() == [packed & 255, packed >> 8 & 255, packed >> 16]
    assert (around[[0, -1]] == 7).all(), "nothing beside the picture is written"


def test_what_is_no_object_has_the_last_colour() -> None:
    colours = np.array([1, 2, 3], np.int32)
    painted = np.empty((1, 20, 3), np.uint8)
    colour(np.array([[-1, -9, 3, 1 << 30] * 5], np.int32), colours, painted)
    assert (painted == [3, 0, 0]).all()
