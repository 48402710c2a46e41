"""TOML tables into frozen dataclasses and back: every fault names the file, the key and the reason."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from airsim_seg.errors import UsageError

T = TypeVar("T")


def read_table(kind: type[T], table: Mapping[str, Any], *, source: str, path: str = "") -> T:
    """Make a dataclass from a parsed table, nested dataclasses included.

    Args:
        kind: the dataclass; its fields' types are int, float, bool, str, Literal, tuples of those, X | None, or
            dataclasses. A ValueError or UsageError from its __post_init__ gets the file's name in front.
        table: as tomllib gives it.
        source: the file, for messages.
        path: where in the file the table stands, for messages ("" = top level).

    Raises:
        UsageError: an unknown key, a missing one, a value of the wrong type or out of range. Mend the file.
    """
    known: dict[str, Field[Any]] = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    hints = get_type_hints(kind)
    for key in table:
        if key not in known:
            raise UsageError(f"{source}: unknown key {_dotted(path, key)}; known are {', '.join(known)}.")
    for name, field in known.items():
        if name not in table and field.default is MISSING and field.default_factory is MISSING:
            raise UsageError(f"{source}: {_dotted(path, name)} is missing.")
    values = {key: _read_value(hints[key], value, source, _dotted(path, key)) for key, value in table.items()}
    try:
        return kind(**values)
    except (ValueError, UsageError) as error:
        raise UsageError(f"{source}: {f'[{path}] ' if path else ''}{error}") from error


def write_table(value: Any) -> Any:
    """A dataclass as plain dicts, lists and scalars for tomli_w; None is left out."""
    if is_dataclass(value) and not isinstance(value, type):
        pairs = ((field.name, getattr(value, field.name)) for field in fields(value))
        return {name: write_table(item) for name, item in pairs if item is not None}
    return [write_table(item) for item in value] if isinstance(value, tuple) else value


def _dotted(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _read_value(hint: Any, value: Any, source: str, path: str) -> Any:
    if is_dataclass(hint) and isinstance(hint, type):
        if not isinstance(value, dict):
            raise UsageError(f"{source}: {path} is {value!r}: a table is wanted.")
        return read_table(hint, value, source=source, path=path)
    if get_origin(hint) in (Union, types.UnionType):
        return _read_value(next(kind for kind in get_args(hint) if kind is not type(None)), value, source, path)
    if get_origin(hint) is tuple:
        return _read_tuple(hint, value, source, path)
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise UsageError(f"{source}: {path} is {value!r}: one of {', '.join(map(repr, get_args(hint)))} is wanted.")
        return value
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise UsageError(f"{source}: {path} is {value!r}: {_WORDS[hint]} is wanted.")
    return value


def _read_tuple(hint: Any, value: Any, source: str, path: str) -> tuple[Any, ...]:
    kinds = get_args(hint)
    if not isinstance(value, list):
        raise UsageError(f"{source}: {path} is {value!r}: a list is wanted.")
    if kinds[-1] is not Ellipsis and len(value) != len(kinds):
        raise UsageError(f"{source}: {path} is {value!r}: a list of {len(kinds)} is wanted.")
    each = kinds[:1] * len(value) if kinds[-1] is Ellipsis else kinds
    return tuple(_read_value(kind, item, source, path) for kind, item in zip(each, value, strict=True))


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}
