"""What held keys mean. The page sends their places on the keyboard (KeyboardEvent.code), so that WASD lies together on
every layout; a touch button sends the code of the key that it stands for."""

from collections.abc import Collection
from dataclasses import dataclass

# Each axis and the keys that push it up and down.
AXES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "forward": (frozenset({"KeyW", "ArrowUp"}), frozenset({"KeyS", "ArrowDown"})),
    "right": (frozenset({"KeyD"}), frozenset({"KeyA"})),
    "turn": (frozenset({"KeyE", "ArrowRight"}), frozenset({"KeyQ", "ArrowLeft"})),
    "up": (frozenset({"Space", "PageUp"}), frozenset({"ShiftLeft", "ShiftRight", "PageDown"})),
    "tilt": (frozenset({"KeyR"}), frozenset({"KeyF"})),
}
KEYS = frozenset(key for pair in AXES.values() for side in pair for key in side)


@dataclass(frozen=True)
class Sticks:
    """What a person asks for, each axis -1, 0 or 1.

    Attributes:
        forward: ahead.
        right: aside.
        turn: to the right.
        up: up.
        tilt: nose or camera up.
    """

    forward: int = 0
    right: int = 0
    turn: int = 0
    up: int = 0
    tilt: int = 0

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self != IDLE


IDLE = Sticks()


def sticks_of(held: Collection[str]) -> Sticks:
    """Read the sticks off the keys that are held; opposite keys cancel, unknown ones say nothing.

    Args:
        held: KeyboardEvent.code of each.
    """
    keys = set(held)
    pushed = {axis: bool(keys & more) - bool(keys & less) for axis, (more, less) in AXES.items()}
    return Sticks(**pushed)
