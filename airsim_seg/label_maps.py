"""Label maps: which class every raw id of an environment is, as `label_maps/<environment>.toml`.

    environment = "Neighborhood"
    version = 1

    [[rule]]
    class = "tree"                    # one of the eleven, or "ignore"
    names = ["Tree", "Fir"]           # hashed to the id that AirSim gives such a mesh: digits and "_" add nothing
    ids = [174]
    patterns = ["bp_tree_.*"]         # whole name, any case; looked up in the recording's objects table, if any

Rules are read from top to bottom. An id that two rules give the same class is fine; two classes on one id are an error
that names both rules, unless the later rule says `override = true`: nothing wins by standing last alone. The ids that
no rule names are unmapped: remap refuses them.
"""

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from airsim_seg.errors import LabelMapError, MissingData
from airsim_seg.palette import id_from_name
from airsim_seg.shipped import shipped_folder
from airsim_seg.taxonomy import CLASS_NAMES, IGNORE, TRAIN_ID_OF
from airsim_seg.types import BoolArray, UInt8Array

IGNORE_CLASS = "ignore"
_RULE_KEYS = ("class", "names", "ids", "patterns", "override")
_MAP_KEYS = ("environment", "version", "rule")
_ENVIRONMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


@dataclass(frozen=True)
class Rule:
    """One `[[rule]]`.

    Attributes:
        class_name: one of the eleven, or "ignore".
        names: mesh names, hashed to ids.
        ids: raw ids, 0..255.
        patterns: regular expressions for whole names of the objects table, case-insensitive as AirSim's own.
        override: may take ids from rules above it.
    """

    class_name: str
    names: tuple[str, ...] = ()
    ids: tuple[int, ...] = ()
    patterns: tuple[str, ...] = ()
    override: bool = False

    @property
    def label(self) -> int:
        """Train id, 255 for "ignore"."""
        return TRAIN_ID_OF.get(self.class_name, IGNORE)

    def claims(self, objects: Sequence[tuple[str, int]]) -> Iterator[tuple[int, str]]:
        """Every (raw id, why) that the rule names."""
        for raw_id in self.ids:
            yield raw_id, f"id {raw_id}"
        for name in self.names:
            yield id_from_name(name), f"name {name!r}"
        for pattern in self.patterns:
            whole = re.compile(pattern, re.IGNORECASE)
            for name, raw_id in objects:
                if whole.fullmatch(name):
                    yield raw_id, f"pattern {pattern!r}, object {name!r}"


@dataclass(frozen=True, eq=False)
class LabelMap:
    """A compiled label map.

    Attributes:
        environment: its name.
        version: the author's count of changes.
        rules: in the file's order.
        lut: uint8 [256], raw id -> train id; 255 = ignore or unmapped.
        mapped: bool [256], the id is named by a rule ("ignore" included).
        sha256: of the map's content: files that differ only in comments, spacing and the order in lists share it.
    """

    environment: str
    version: int
    rules: tuple[Rule, ...]
    lut: UInt8Array
    mapped: BoolArray
    sha256: str

    def as_json(self) -> dict[str, Any]:
        """What a video says of the map that made it."""
        lut = [int(label) for label in self.lut]
        return {"name": self.environment, "version": self.version, "sha256": self.sha256, "lut": lut}


def load_label_map(environment: str, *, path: Path | None = None, objects: Sequence[tuple[str, int]] = ()) -> LabelMap:
    """Find, read and compile the label map of an environment.

    Args:
        environment: as the recording says it.
        path: a file to use instead, whatever environment it was written for; by default
            `label_maps/<environment>.toml` in the working directory, else the one that travels with airsim-seg.
        objects: (name, raw_id) that the patterns are looked up in.

    Raises:
        MissingData: no such file.
        LabelMapError: it does not compile; the message names file, rule and reason.
    """
    where = find_label_map(environment) if path is None else path
    try:
        content = tomllib.loads(where.read_text(encoding="utf-8"))
    except OSError as error:
        raise MissingData(f"label map {where} does not read ({error.strerror}): check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LabelMapError(f"{where} is not TOML: {error}.") from error
    found, version, rules = _parse(content, where)
    if path is None and found != environment:
        raise LabelMapError(f"{where} says environment = {found!r}: it must be {environment!r}, as its name says.")
    return compile_label_map(found, version, rules, objects=objects, source=str(where))


def find_label_map(environment: str) -> Path:
    """The file that load_label_map takes by default.

    Raises:
        MissingData: there is none; the message lists those that exist.
    """
    if _ENVIRONMENT.fullmatch(environment):
        for folder in _folders():
            if (folder / f"{environment}.toml").is_file():
                return folder / f"{environment}.toml"
    raise MissingData(
        f"no label map for environment {environment!r} (there are: {', '.join(known_environments()) or 'none'}): write "
        f"label_maps/{environment}.toml, or name a file with --label-map."
    )


def known_environments() -> list[str]:
    """Names of the environments that have a label map, in alphabetical order."""
    return sorted({file.stem for folder in _folders() for file in folder.glob("*.toml")})


def _folders() -> tuple[Path, Path]:
    """Where label maps are looked for, in this order."""
    return Path("label_maps"), shipped_folder("label_maps")


def compile_label_map(
    environment: str,
    version: int,
    rules: Sequence[Rule],
    *,
    objects: Sequence[tuple[str, int]] = (),
    source: str = "label map",
) -> LabelMap:
    """Turn rules into the 256-entry lookup.

    Raises:
        LabelMapError: two rules give one id two classes, and the later does not say override.
    """
    lut = np.full(256, IGNORE, np.uint8)
    owner: dict[int, tuple[int, str]] = {}  # raw id -> the rule that has it, and why
    for number, rule in enumerate(rules):
        for raw_id, why in rule.claims(objects):
            earlier, reason = owner.get(raw_id, (number, why))
            if rules[earlier].class_name != rule.class_name and not rule.override:
                raise LabelMapError(
                    f"{source}: raw id {raw_id} is {rules[earlier].class_name!r} by rule {earlier + 1} ({reason}) and "
                    f"{rule.class_name!r} by rule {number + 1} ({why}): take it out of one of them, or say "
                    "override = true in the later."
                )
            owner[raw_id] = (number, why)
            lut[raw_id] = rule.label
    mapped = np.zeros(256, np.bool_)
    mapped[sorted(owner)] = True
    return LabelMap(environment, version, tuple(rules), lut, mapped, _sha256(environment, version, rules))


def _sha256(environment: str, version: int, rules: Sequence[Rule]) -> str:
    content = [
        [rule.class_name, sorted(rule.names), sorted(rule.ids), sorted(rule.patterns), rule.override] for rule in rules
    ]
    text = json.dumps({"environment": environment, "version": version, "classes": CLASS_NAMES, "rules": content})
    return hashlib.sha256(text.encode()).hexdigest()


def _parse(content: dict[str, Any], where: Path) -> tuple[str, int, tuple[Rule, ...]]:
    """Check the types once, at the border."""
    _refuse_other_keys(content, _MAP_KEYS, str(where))
    environment, version, rules = content.get("environment"), content.get("version", 1), content.get("rule")
    if not isinstance(environment, str) or not environment:
        raise LabelMapError(f'{where} lacks environment = "...".')
    if not _is_int(version):
        raise LabelMapError(f"{where}: version must be a whole number, not {version!r}.")
    if not isinstance(rules, list) or not rules or not all(isinstance(rule, dict) for rule in rules):
        raise LabelMapError(f"{where} has no [[rule]].")
    return environment, version, tuple(_parse_rule(rule, f"{where}, rule {n}") for n, rule in enumerate(rules, 1))


def _parse_rule(rule: dict[str, Any], where: str) -> Rule:
    _refuse_other_keys(rule, _RULE_KEYS, where)
    class_name = rule.get("class")
    if class_name != IGNORE_CLASS and class_name not in CLASS_NAMES:
        known = ", ".join((*CLASS_NAMES, IGNORE_CLASS))
        raise LabelMapError(f"{where}: class {class_name!r} is unknown; it must be one of: {known}.")
    where = f"{where} ({class_name})"
    names, ids, patterns = (rule.get(key, []) for key in ("names", "ids", "patterns"))
    for key, texts in (("names", names), ("patterns", patterns)):
        if not isinstance(texts, list) or not all(isinstance(text, str) and text for text in texts):
            raise LabelMapError(f"{where}: {key} must be a list of texts, not {texts!r}.")
    if not isinstance(ids, list) or not all(_is_int(raw_id) and 0 <= raw_id <= 255 for raw_id in ids):
        raise LabelMapError(f"{where}: ids must be a list of whole numbers 0..255, not {ids!r}.")
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise LabelMapError(f"{where}: pattern {pattern!r} is no regular expression ({error}).") from error
    override = rule.get("override", False)
    if not isinstance(override, bool):
        raise LabelMapError(f"{where}: override must be true or false, not {override!r}.")
    if not (names or ids or patterns):
        raise LabelMapError(f"{where} names nothing: give it names, ids or patterns.")
    return Rule(class_name, tuple(names), tuple(ids), tuple(patterns), override)


def _refuse_other_keys(table: dict[str, Any], allowed: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in allowed:
            raise LabelMapError(f"{where}: key {key!r} is unknown; it must be one of: {', '.join(allowed)}.")


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
