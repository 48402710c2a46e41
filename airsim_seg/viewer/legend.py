"""What ids mean, for the page: colours, names and, where a label map is found, classes."""

import re
from collections.abc import Sequence

from airsim_seg.errors import DataError
from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import palette
from airsim_seg.taxonomy import CLASSES, IGNORE

# Kinds that a line of the legend has room for.
_SHOWN_KINDS = 4
# AirSim's generated actor names end in a number: Tree_12 is a Tree.
_NUMBER = re.compile(r"[_ ]?\d+$")


def legend(objects: Sequence[tuple[str, int]], environment: str) -> dict[str, object]:
    """A legend as JSON.

    Args:
        objects: name and raw id of everything in the scene.
        environment: whose label map is looked for; "" where nobody knows.

    Returns:
        colours: 256 of [R,G,B]; kinds: what things of each raw id are called, numbers left out; counts: how many
        things there are; classes: name and colour of each raw id that has one; note: why there are no classes, or "".
    """
    by_id: dict[int, list[str]] = {}
    for name, raw_id in objects:
        by_id.setdefault(raw_id, []).append(name)
    classes, note = _classes(objects, environment)
    return {
        "colours": palette().tolist(),
        "kinds": {str(raw_id): kinds(names) for raw_id, names in by_id.items()},
        "counts": {str(raw_id): len(names) for raw_id, names in by_id.items()},
        "classes": classes,
        "note": note,
    }


def kinds(names: Sequence[str]) -> list[str]:
    """The first few different names without their numbers, in their order."""
    bare = dict.fromkeys(_NUMBER.sub("", name) or name for name in names)
    return list(bare)[:_SHOWN_KINDS]


def _classes(objects: Sequence[tuple[str, int]], environment: str) -> tuple[dict[str, object], str]:
    if not environment:
        return {}, "no classes: the simulator does not tell its environment; start the viewer with --env NAME"
    try:
        label_map = load_label_map(environment, objects=objects)
    except DataError as error:
        return {}, f"no classes: {error}"
    named: dict[str, object] = {
        str(raw_id): {"name": CLASSES[train_id].name, "colour": list(CLASSES[train_id].colour)}
        for raw_id, train_id in enumerate(label_map.lut.tolist())
        if train_id != IGNORE
    }
    return named, ""
