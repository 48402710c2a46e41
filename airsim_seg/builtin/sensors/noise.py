"""Random numbers that have a number: what is drawn for sample k does not depend on which samples anybody read."""

import hashlib

import numpy as np

from airsim_seg.builtin.geometry import on_grid
from airsim_seg.types import Float64Array

# Numbers are drawn for this many samples at a time.
BLOCK = 1024
# One in four thousand normal numbers is made of a logarithm, whose last bit is up to the C library.
_GRID = 2.0**-32


def generator(key: str, block: int = 0) -> np.random.Generator:
    """A stream of its own for every key and block.

    Philox is a function of its key and a counter (J. Salmon and others, "Parallel random numbers: as easy as 1, 2, 3",
    2011); a block's numbers never reach the counter's highest word, which holds the block.
    """
    words = np.frombuffer(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:16], "<u8")
    return np.random.Generator(np.random.Philox(key=words, counter=[0, 0, 0, block]))


class White:
    """Independent standard normal numbers, some for each sample."""

    def __init__(self, key: str, channels: int) -> None:
        """Name the stream.

        Args:
            key: equal keys give equal numbers.
            channels: how many numbers a sample has.
        """
        self._key, self._channels = key, channels
        self._drawn = (-1, np.empty((0, channels)))

    def block(self, index: int) -> Float64Array:
        """float64 [1024,C], the samples from index x 1024 on."""
        return on_grid(generator(self._key, index).standard_normal((BLOCK, self._channels)), _GRID)

    def at(self, number: int) -> Float64Array:
        """float64 [C] of one sample."""
        index, row = divmod(number, BLOCK)
        drawn = self._drawn
        if drawn[0] != index:
            drawn = self._drawn = (index, self.block(index))
        numbers: Float64Array = drawn[1][row]
        return numbers


class Walk:
    """x(0) = 0, x(k + 1) = decay x(k) + scale n(k) with white n: a random walk where decay is 1.

    Blocks are always summed from their beginning, so that the last bit does not depend on what was read before.
    """

    def __init__(self, key: str, channels: int, scale: Float64Array | float, decay: float = 1.0) -> None:
        """See White; scale may be a number for all channels or one for each, float64 [C]."""
        self._white = White(key, channels)
        self._scale, self._decay = scale, decay
        self._index = -1
        self._values = np.zeros((1, channels))

    def at(self, number: int) -> Float64Array:
        """float64 [C], x(number)."""
        index, row = divmod(number, BLOCK)
        if index < self._index:
            self._index, self._values = -1, np.zeros_like(self._values[:1])
        while self._index < index:
            self._index += 1
            # Row k is to become the sum of decay^(k - j) times row j, j up to k: sums over 2, 4, 8 ... rows in turn.
            values = np.concatenate([self._values[-1:], self._scale * self._white.block(self._index)])
            reach, decay = 1, self._decay
            while reach < len(values):
                values[reach:] += decay * values[:-reach]
                reach, decay = 2 * reach, decay * decay
            self._values = values
        value: Float64Array = self._values[row]
        return value
