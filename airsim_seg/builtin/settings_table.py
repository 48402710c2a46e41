"""The tables of one settings.json: values that are checked as they are read, and keys that nobody asked for.

A value of the wrong type or out of range is refused by name. AirSim itself takes its default then, in silence
(AirLib's Settings.hpp), so that a typing error shows only in the pictures.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from airsim_seg.errors import CorruptFile

Rows = dict[tuple[str, str], str]


@dataclass(eq=False)
class Book:
    """What came up while one file was read.

    Attributes:
        source: its path, or what else to call it in messages.
        warnings: sentences for the user.
        states: "read" or "ignored" by the kind of table and the key; what docs/settings.md lists.
    """

    source: str
    warnings: list[str] = field(default_factory=list)
    states: Rows = field(default_factory=dict)
    tables: list["Table"] = field(default_factory=list)

    def bad(self, where: str, value: object, wanted: str) -> CorruptFile:
        """The exception for a faulty value.

        Args:
            where: its key, with those above it.
            value: as it stands there.
            wanted: what may stand there.
        """
        return CorruptFile(f"{self.source}: {where} is {value!r}: make it {wanted}.")

    def warn_of_unknown_keys(self) -> None:
        """Add a warning for every key that nobody asked for; AirSim ignores them in silence."""
        for table in self.tables:
            unknown = table.unasked()
            lower = {key.lower(): key for kind, key in self.states if kind == table.kind} if unknown else {}
            for key in unknown:
                near = difflib.get_close_matches(key.lower(), lower, n=1, cutoff=0.75)
                hint = f"; did you mean {lower[near[0]]}?" if near and lower[near[0]] != key else ""
                self.warnings.append(f"{self.source}: {table.at(key)} is not known and is ignored{hint}")


class Table:
    """One JSON object, which knows where it stands and what it was asked for."""

    def __init__(self, book: Book, value: object, where: str = "", kind: str = "") -> None:
        """Take an object.

        Args:
            book: of its file.
            value: what stands there; None is an empty object.
            where: its key with those above it, "Vehicles.Car1"; "" is the whole file.
            kind: under which it is documented, "Vehicles.<name>"; tables of one kind have the same keys.

        Raises:
            CorruptFile: it is no object.
        """
        self.book, self.where, self.kind = book, where, kind
        if value is not None and not isinstance(value, dict):
            raise book.bad(where or "the file", value, "an object in braces")
        self._values: Mapping[str, object] = value or {}
        self._asked: set[str] = set()
        book.tables.append(self)

    def at(self, key: str) -> str:
        """A key with those above it."""
        return f"{self.where}.{key}".lstrip(".")

    def has(self, key: str) -> bool:
        """Whether anything stands under a key."""
        return key in self._values

    def __len__(self) -> int:
        """How many keys it has."""
        return len(self._values)

    def bad(self, key: str, wanted: str) -> CorruptFile:
        """The exception for what stands under a key, or does not."""
        if key not in self._values:
            return CorruptFile(f"{self.book.source}: {self.at(key)} is missing: make it {wanted}.")
        return self.book.bad(self.at(key), self._values[key], wanted)

    def value(self, key: str, default: object = None) -> object:
        """What stands under a key, unchecked."""
        self._note(key, "read")
        return self._values.get(key, default)

    def ignore(self, *keys: str) -> None:
        """Know keys, and whatever stands under them, without using them."""
        for key in keys:
            self._note(key, "ignored")

    def _note(self, key: str, state: str) -> None:
        self._asked.add(key)
        self.book.states.setdefault((self.kind, key), state)

    def unasked(self) -> list[str]:
        """Keys that nobody asked for."""
        return [key for key in self._values if key not in self._asked]

    def number(self, key: str, default: float, low: float = -1e6, high: float = 1e6) -> float:
        """A number, not NaN, from low to high."""
        value = self.value(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.bad(key, f"a number from {low:g} to {high:g}")
        return value

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from low to high; 90.0 is one."""
        value = self.number(key, default, low, high)
        if value != int(value):
            raise self.bad(key, f"a whole number from {low} to {high}")
        return int(value)

    def boolean(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.value(key, default)
        if not isinstance(value, bool):
            raise self.bad(key, "true or false")
        return value

    def text(self, key: str, default: str) -> str:
        """A string."""
        value = self.value(key, default)
        if not isinstance(value, str):
            raise self.bad(key, "a string")
        return value

    def choice(self, key: str, options: Sequence[str], *, any_case: bool = True) -> str:
        """One of some words.

        Args:
            key: "" stands for the first option, and so does a key that is not there.
            options: as the program writes them.
            any_case: whether AirSim lower-cases the value before it compares.
        """
        value = self.text(key, "") or options[0]
        written = {option.lower() if any_case else option: option for option in options}
        found = written.get(value.lower() if any_case else value)
        if found is None:
            raise self.bad(key, f"one of {', '.join(options)}")
        return found

    def table(self, key: str, kind: str | None = None) -> "Table":
        """The object under a key; an empty one where there is none."""
        return Table(self.book, self.value(key), self.at(key), self._inner(key) if kind is None else kind)

    def named(self, key: str, kind: str | None = None) -> Iterator[tuple[str, "Table"]]:
        """The objects in the object under a key, by the names that the user gave them."""
        outer = self.table(key)
        for name, value in outer._values.items():
            outer._asked.add(name)
            yield name, Table(self.book, value, outer.at(name), f"{outer.kind}.<name>" if kind is None else kind)

    def listed(self, key: str, kind: str | None = None) -> Iterator["Table"]:
        """The objects of the list under a key."""
        values = self.value(key, [])
        if not isinstance(values, list):
            raise self.bad(key, "a list")
        for index, value in enumerate(values):
            yield Table(self.book, value, f"{self.at(key)}[{index}]", f"{self._inner(key)}[]" if kind is None else kind)

    def _inner(self, key: str) -> str:
        return f"{self.kind}.{key}".lstrip(".")
