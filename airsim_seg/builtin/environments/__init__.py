"""The worlds of the built-in simulator."""

from airsim_seg.builtin.environments.names import CLASS_OF_PREFIX, prefix_of
from airsim_seg.builtin.environments.neighborhood import build_neighborhood
from airsim_seg.builtin.scene import Scene
from airsim_seg.errors import UsageError

__all__ = ["CLASS_OF_PREFIX", "ENVIRONMENTS", "build", "prefix_of"]

ENVIRONMENTS: tuple[str, ...] = ("Neighborhood",)


def build(name: str, seed: int) -> Scene:
    """Make a world.

    Args:
        name: one of ENVIRONMENTS.
        seed: the same seed makes the same world, byte for byte; not negative.

    Raises:
        UsageError: there is no such environment, or the seed is negative.
    """
    if name not in ENVIRONMENTS:
        raise UsageError(f"There is no built-in environment {name!r}: use one of {', '.join(ENVIRONMENTS)}.")
    if seed < 0:
        raise UsageError(f"The world seed {seed} is negative: use 0 or more.")
    return build_neighborhood(seed)
