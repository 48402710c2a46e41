"""What ids mean, for the page: colours, names and, where a label map is found, classes."""

from collections.abc import Sequence

from airsim_seg.errors import DataError
from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import palette
from airsim_seg.taxonomy import CLASSES, IGNORE

# Names that a line of the legend has room for.
_SHOWN_NAMES = 3


def legend(objects: Sequence[tuple[str, int]], environment: str) -> dict[str, object]:
    """A legend as JSON.

    Args:
        objects: name and raw id of everything in the scene.
        environment: whose label map is looked for; "" where nobody knows.

    Returns:
        colours: 256 of [R,G,B]; names: the first few of each raw id; counts: how many there are; classes: name and
        colour of each raw id that has one; note: why there are no classes, or "".
    """
    by_id: dict[int, list[str]] = {}
    for name, raw_id in objects:
        by_id.setdefault(raw_id, []).append(name)
    classes, note = _classes(objects, environment)
    return {
        "colours": palette().tolist(),
        "names": {str(raw_id): names[:_SHOWN_NAMES] for raw_id, names in by_id.items()},
        "counts": {str(raw_id): len(names) for raw_id, names in by_id.items()},
        "classes": classes,
        "note": note,
    }


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
