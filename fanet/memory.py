"""What a network remembers, as one value with a short name: "sum", "mean", "gate,tiles=4", "warped", "mean,stride=25".

Three questions, answered apart: what is remembered (contexts, the map at 1/8, class scores), which frames (depth N,
stride), and how they are mixed (aggregations.py). Every combination works.
"""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from fanet.aggregations import Aggregation, Channels, Decay, Gate, Lags, Mean, Propagate, Sum

Tap = Literal["contexts", "map", "logits"]
SCALES = (8, 16, 32, 64)


@dataclass(frozen=True)
class Memory:
    """What is remembered and how it is mixed; the depth N is the network's own argument.

    Attributes:
        mix: the class that mixes a frame with those before it.
        tap: "contexts" (one small matrix a frame and scale: what was seen, not where), "map" (the decoder's map at 1/8:
            position is kept), or "logits" (class scores at 1/8).
        name: what str() calls it; the class's own name where it is left out.
        stride: the N remembered frames lie 1, 2, ... N times this many frames back.
        scales: which scales have a history, of 8, 16, 32 and 64; contexts only.
        tiles: contexts: parts a side of each map with a context of their own.
        warped: map and logits: move what is remembered to where it is now, along `motion`.
        refined: correct the motion before that by a small network that sees the pictures (refinement.py).

    Raises:
        ValueError: a value out of range, or a combination that means nothing.
    """

    mix: type[Aggregation]
    tap: Tap = "contexts"
    name: str = ""
    stride: int = 1
    scales: tuple[int, ...] = SCALES
    tiles: int = 1
    warped: bool = False
    refined: bool = False

    def __post_init__(self) -> None:
        if self.tap not in get_args(Tap):
            raise ValueError(f"tap is one of {', '.join(get_args(Tap))}, not {self.tap!r}")
        if self.stride < 1:
            raise ValueError(f"stride is a number of frames, at least 1, not {self.stride}")
        if not 1 <= self.tiles <= 64:
            raise ValueError(f"tiles must lie between 1 and 64, not {self.tiles}")
        if not self.scales or list(self.scales) != sorted({*self.scales} & {*SCALES}):
            raise ValueError(f"scales are some of {SCALES}, ascending, not {self.scales}")
        if self.tap != "contexts" and (self.tiles > 1 or self.scales != SCALES):
            raise ValueError(f"tiles and scales are of contexts: {self} remembers {self.tap}")
        if self.tap == "contexts" and self.warped:
            raise ValueError(f"contexts have no place and cannot be warped: {self}")
        if self.refined and not self.warped:
            raise ValueError(f"only motion that moves something can be refined, so warped, too: {self}")

    def __str__(self) -> str:
        """The text that parse_memory reads, for instance "mean,stride=5"."""
        words = [self.name or self.mix.__name__.lower()]
        words += [f"stride={self.stride}"] if self.stride > 1 else []
        words += ["scales=" + "+".join(map(str, self.scales))] if self.scales != SCALES else []
        words += [f"tiles={self.tiles}"] if self.tiles > 1 else []
        return ",".join(words)


MEMORIES: dict[str, Memory] = {
    memory.name: memory
    for memory in (
        Memory(Sum, name="sum"),
        Memory(Mean, name="mean"),
        Memory(Decay, name="decay"),
        Memory(Lags, name="lags"),
        Memory(Gate, name="gate"),
        Memory(Gate, "map", name="local"),
        Memory(Gate, "map", name="warped", warped=True),
        Memory(Channels, "map", name="netwarp", warped=True, refined=True),
        Memory(Propagate, "logits", name="propagate", warped=True),
    )
}
"""The memories that have a name."""


def parse_memory(text: str) -> Memory:
    """Read a name with settings: "gate,tiles=4,stride=5", "mean,scales=32+64".

    Raises:
        ValueError: an unknown name or setting; the message lists the known ones.
    """
    name, *settings = text.split(",")
    if name not in MEMORIES:
        raise ValueError(f"aggregation is one of {', '.join(MEMORIES)}, with settings after a comma, not {name!r}")
    changes: dict[str, int | tuple[int, ...]] = {}
    for setting in settings:
        key, _, value = setting.partition("=")
        numbers = value.split("+")
        if key not in ("stride", "scales", "tiles") or not all(number.isdecimal() for number in numbers):
            raise ValueError(f"{setting!r} in aggregation {text!r} is none of stride=5, tiles=4, scales=32+64")
        if key != "scales" and len(numbers) > 1:
            raise ValueError(f"{key} in aggregation {text!r} is one number")
        changes[key] = tuple(map(int, numbers)) if key == "scales" else int(value)
    return replace(MEMORIES[name], **changes)  # type: ignore[arg-type]
