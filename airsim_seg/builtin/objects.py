"""The named things of a scene and the segmentation ids they carry, by AirSim's rules."""

import re

import numpy as np

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.scene import Scene
from airsim_seg.palette import id_from_name
from airsim_seg.types import Float64Array, UInt8Array

SKY_ID = 0


class ObjectTable:
    """Names, places and ids; ids start from the names (AirBlueprintLib.h, InitializeObjectStencilID)."""

    def __init__(self, scene: Scene) -> None:
        """Give every object its start-up id; without a name, or with one from "default_" on, that is 0."""
        self.names = tuple(thing.name for thing in scene.objects)
        self._positions_m = {
            thing.name: np.asarray(thing.position_m, np.float64) - scene.player_start.position_m
            for thing in reversed(scene.objects)
        }
        self._ids = [
            0 if not name or name.lower().startswith("default_") else id_from_name(name) for name in self.names
        ]
        self._hidden = [False] * len(self.names)

    def named(self, pattern: str) -> list[str]:
        """Names that the whole pattern matches, case-sensitive, in scene order (simListSceneObjects).

        Raises:
            ApiError: the pattern is no regular expression.
        """
        compiled = _compiled(pattern)
        return [name for name in self.names if compiled.fullmatch(name)]

    def position_m(self, name: str) -> Float64Array | None:
        """Foot of the first object of that name, API world NED [3], metres; None where there is none."""
        return self._positions_m.get(name)

    def set_id(self, name: str, raw_id: int, is_regex: bool) -> bool:
        """Give an id to every match (simSetSegmentationObjectID).

        Args:
            name: exact and case-sensitive, or with is_regex a pattern for the whole name in any case.
            raw_id: its lowest 8 bits are drawn. Below 0 the object's pixels show 0 and its stored id stays; real AirSim
                shows what lies behind it, which a finished picture cannot.
            is_regex: see name.

        Returns:
            Whether anything matched.
        """
        pattern = _compiled(name, re.IGNORECASE) if is_regex else _compiled(re.escape(name))
        matches = [index for index, own in enumerate(self.names) if pattern.fullmatch(own)]
        for index in matches:
            self._hidden[index] = raw_id < 0
            if raw_id >= 0:
                self._ids[index] = raw_id
        return bool(matches)

    def get_id(self, name: str) -> int:
        """The stored id of the first object of that name in any case, or -1 (simGetSegmentationObjectID)."""
        wanted = name.lower()
        return next((self._ids[i] for i, own in enumerate(self.names) if own.lower() == wanted), -1)

    def table(self) -> UInt8Array:
        """uint8 [K+1]: the id drawn for each object index; the last entry is the sky, so that index -1 finds it."""
        shown = [0 if hidden else raw_id & 255 for raw_id, hidden in zip(self._ids, self._hidden, strict=True)]
        return np.array([*shown, SKY_ID], np.uint8)


def _compiled(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise ApiError(f"the pattern {pattern!r} is no regular expression: {error}") from error
