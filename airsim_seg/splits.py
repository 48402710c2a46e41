"""Divides videos into train, val and test: always whole videos, never frames.

Neighbouring frames of one video are nearly the same picture; a split by frames would test on what was trained on.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from airsim_seg.errors import MissingData, UsageError

PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Split:
    """Names of the videos of each part; no name stands in two of them."""

    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def part(self, name: str) -> tuple[str, ...]:
        """The names of one part: "train", "val" or "test"."""
        return {"train": self.train, "val": self.val, "test": self.test}[name]

    def as_dict(self) -> dict[str, list[str]]:
        """The split as plain lists, for TOML and JSON."""
        return {name: list(self.part(name)) for name in PARTS}


def vehicle_of(name: str) -> str:
    """The vehicle that a video's name begins with: `drone-s0-00` -> `drone`; the whole name where it has no dash."""
    return name.rsplit("/", 1)[-1].split("-", 1)[0]


def split_by_video(
    stratum_of: Mapping[str, str], *, seed: int, val_share: float = 0.2, test_share: float = 0.2
) -> Split:
    """Deal videos out at random so that each stratum is in every part where it has three videos or more.

    Args:
        stratum_of: video name -> what should be balanced, for instance "Neighborhood/drone".
        seed: the same seed and names give the same split, whatever the order of the mapping.
        val_share: share of the videos in val, 0..1.
        test_share: share of the videos in test, 0..1.

    Returns:
        A split with at least one video in each part; names in each part are sorted.

    Raises:
        MissingData: fewer than three videos.
    """
    if len(stratum_of) < len(PARTS):
        raise MissingData(
            f"{len(stratum_of)} video(s) cannot be split into train, val and test: at least 3 are needed; "
            f"collect more (airsim-seg collect --videos 6) and remap them."
        )
    rng = np.random.default_rng(seed)
    shares = {"train": 1 - val_share - test_share, "val": val_share, "test": test_share}
    parts: dict[str, list[str]] = {name: [] for name in PARTS}
    left_over: list[str] = []
    for names in _shuffled_strata(stratum_of, rng):
        if len(names) < len(PARTS):
            left_over += names
            continue
        counts = {part: max(1, round(len(names) * shares[part])) for part in ("test", "val")}
        while sum(counts.values()) >= len(names):  # train keeps one
            counts[max(counts, key=lambda part: counts[part])] -= 1
        for part, count in counts.items():
            parts[part] += [names.pop() for _ in range(count)]
        parts["train"] += names
    _deal(left_over, parts, shares, len(stratum_of))
    return Split(*(tuple(sorted(parts[part])) for part in PARTS))


def _shuffled_strata(stratum_of: Mapping[str, str], rng: np.random.Generator) -> list[list[str]]:
    """The videos of each stratum, strata in sorted order, videos in random order."""
    strata: dict[str, list[str]] = defaultdict(list)
    for name in sorted(stratum_of):
        strata[stratum_of[name]].append(name)
    return [[names[i] for i in rng.permutation(len(names))] for _, names in sorted(strata.items())]


def _deal(names: list[str], parts: dict[str, list[str]], shares: Mapping[str, float], total: int) -> None:
    """Give each left-over video to an empty part, else to the part that is furthest below its share."""
    for name in names:
        needy = max(PARTS, key=lambda part: (not parts[part], shares[part] * total - len(parts[part])))
        parts[needy].append(name)


def explicit_split(
    names: Sequence[str], *, train: Sequence[str], val: Sequence[str], test: Sequence[str], source: str
) -> Split:
    """Take the split that an experiment spells out; videos that it does not name stay unused.

    Args:
        names: every video there is, as `stem` or `environment/stem`.
        train: names of the training videos; val and test alike.
        val: see train.
        test: see train.
        source: the file that holds the lists, for the message.

    Raises:
        UsageError: a name that no video has, a name listed twice, or an empty list. Mend the [split] table.
    """
    lists = {"train": train, "val": val, "test": test}
    for part, listed in lists.items():
        if not listed:
            raise UsageError(f"{source}: [split] {part} is empty: name at least one video in each of train, val, test.")
        for name in listed:
            if name not in names:
                raise UsageError(
                    f"{source}: [split] {part} names {name!r}, which is not among the videos "
                    f"({', '.join(sorted(names)[:8])}{', ...' if len(names) > 8 else ''})."
                )
    doubled = [name for name, count in Counter([*train, *val, *test]).items() if count > 1]
    if doubled:
        raise UsageError(f"{source}: [split] lists {doubled[0]!r} more than once: a video belongs to one part only.")
    return Split(tuple(train), tuple(val), tuple(test))
