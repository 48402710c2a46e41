"""The named things of a world: where they are, their size, and the segmentation ids they carry, by AirSim's rules."""

import re
from collections.abc import Iterator, Mapping

import numpy as np

from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.bodies import free_id
from airsim_seg.builtin.scene import STILL, Moment, Scene, Spawned
from airsim_seg.builtin.things import NO_TURN, Thing, first_id, kind_of, placement, start_of
from airsim_seg.builtin.world_settings import SegmentationSettings
from airsim_seg.types import Float64Array, Pose, UInt8Array

SKY_ID = 0
BY_NAME = SegmentationSettings()
# What is drawn in every picture has to end somewhere; AirSim has no limit.
MAX_SPAWNED = 1000
_NUMBER = re.compile(r"\d{0,9}$")


class ObjectTable:
    """Every thing by index and by name; ids start from the names (AirBlueprintLib.h, InitializeObjectStencilID)."""

    def __init__(self, scene: Scene, rules: SegmentationSettings = BY_NAME) -> None:
        """Give every object its start-up id: its own, or its name's; that of no name and of "default_..." is 0.

        Args:
            scene: the things.
            rules: which ids they start with, and by which name they are found then.
        """
        self._scene = scene
        self._by_mesh = rules.by_mesh
        self._things = {
            index: Thing(
                index, own.name, kind_of(own.name), index, start_of(scene, index), np.ones(3), *first_id(own, rules)
            )
            for index, own in enumerate(scene.objects)
        }
        for name, index in scene.bodies.items():
            self._things[index].vehicle = name
        # The first of each kind, whose names know no case.
        kinds = {
            thing.kind.lower(): index
            for index, thing in reversed(self._things.items())
            if thing.kind and not thing.vehicle
        }
        self._sources = dict(sorted(kinds.items()))
        self._moments: dict[bool, Moment] = {}
        self._ids: UInt8Array | None = None
        self._bodies: tuple[Thing, ...] | None = None

    def __iter__(self) -> Iterator[Thing]:
        """Everything that is there: the scene's, then copies."""
        return iter(self._things.values())

    def at(self, index: int) -> Thing | None:
        """The thing with that object index, if it is there."""
        return self._things.get(index)

    def find(self, name: str) -> Thing | None:
        """The first thing of that name; Unreal's names are alike in any case, so one that differs in case does too."""
        lower = name.lower()
        alike = [thing for thing in self if thing.name.lower() == lower]
        return next((thing for thing in alike if thing.name == name), alike[0] if alike else None)

    def named(self, pattern: str) -> list[str]:
        """Names that the whole pattern matches, case-sensitive, in scene order (simListSceneObjects).

        Raises:
            ApiError: the pattern is no regular expression.
        """
        compiled = _compiled(pattern)
        return [thing.name for thing in self if compiled.fullmatch(thing.name)]

    def put(self, thing: Thing, pose: Pose, scale: Float64Array) -> None:
        """Place a thing and make it as big as that.

        Args:
            thing: of this table.
            pose: API world NED.
            scale: float64 [3], along its own axes; below 0 mirrors.
        """
        thing.pose, thing.scale, thing.put = pose, scale, True
        self._moments.clear()

    def destroy(self, name: str) -> bool:
        """Take the thing of that name out of the world (simDestroyObject).

        Returns:
            Whether there was one.
        """
        thing = self.find(name)
        if thing is not None:
            del self._things[thing.index]
            self._forget()
        return thing is not None

    @property
    def assets(self) -> list[str]:
        """Kinds of things that can be spawned, sorted (simListAssets)."""
        return [self._kind(source) for source in self._sources.values()]

    def _kind(self, source: int) -> str:
        return kind_of(self._scene.objects[source].name)

    def spawn(self, name: str, asset: str, pose: Pose, scale: Float64Array) -> str:
        """Put a copy of the first thing of a kind into the world (simSpawnObject). It has no id until it is given one.

        Args:
            name: wanted; where it is part of another's, the number after the highest of those is added, as AirSim does.
            asset: a kind, in any case.
            pose: API world NED.
            scale: float64 [3].

        Returns:
            The name that it got.

        Raises:
            ApiError: no such kind, or too many copies.
        """
        source = self._sources.get(asset.lower())
        if source is None:
            raise ApiError(f"There were no objects with name {asset} found in the Registry")
        index = self._free_index()
        if index is None:
            raise ApiError(f"{MAX_SPAWNED} spawned objects are all there can be: destroy some first")
        taken = [thing.name for thing in self if name in thing.name]
        if taken:
            name += str(1 + max(int(_NUMBER.findall(other)[0] or 0) for other in taken))
        self._things[index] = Thing(index, name, self._kind(source), source, pose, scale, 0, False)
        self._forget()
        return name

    def _free_index(self) -> int | None:
        first = len(self._scene.objects)
        return next((free for free in range(first, first + MAX_SPAWNED) if free not in self._things), None)

    def embody(self, vehicle: str) -> None:
        """Give another vehicle a body that looks like that of the first (simAddVehicle); none where there is none."""
        source, index = min(self._scene.bodies.values(), default=None), self._free_index()
        if source is None or index is None:
            return
        raw_id = free_id(vehicle, {thing.raw_id for thing in self})
        place = Pose(np.zeros(3), NO_TURN)
        self._things[index] = Thing(
            index, vehicle, kind_of(vehicle), source, place, np.ones(3), raw_id, True, vehicle=vehicle
        )
        self._forget()

    def bodies(self) -> tuple[Thing, ...]:
        """Those of the things that are vehicles' bodies."""
        if self._bodies is None:
            self._bodies = tuple(thing for thing in self._things.values() if thing.vehicle)
        return self._bodies

    def set_id(self, name: str, raw_id: int, is_regex: bool) -> bool:
        """Give an id to every match (simSetSegmentationObjectID).

        Args:
            name: exact and case-sensitive, or with is_regex a pattern for the whole name in any case.
            raw_id: its lowest 8 bits are drawn. Below 0 the object leaves the Segmentation image, which shows what lies
                behind it, and its stored id stays.
            is_regex: see name.

        Returns:
            Whether anything matched.
        """
        pattern = _compiled(name, re.IGNORECASE) if is_regex else _compiled(re.escape(name))
        matches = [thing for thing in self if pattern.fullmatch(self._label(thing))]
        for thing in matches:
            thing.has_id = raw_id >= 0
            if raw_id >= 0:
                thing.raw_id = raw_id
        self._forget()
        return bool(matches)

    def get_id(self, name: str) -> int:
        """The stored id of the first object of that name in any case, or -1 (simGetSegmentationObjectID)."""
        alike = (thing for thing in self if self._label(thing).lower() == name.lower())
        thing = next(alike, None) if self._by_mesh else self.find(name)
        return -1 if thing is None else thing.raw_id

    def _label(self, thing: Thing) -> str:
        """By which name ids are set and read."""
        return thing.kind if self._by_mesh else thing.name

    def _forget(self) -> None:
        self._moments.clear()
        self._ids, self._bodies = None, None

    def table(self) -> UInt8Array:
        """uint8 [N+1]: the id drawn for each object index; the last entry is the sky, so that index -1 finds it."""
        if self._ids is None:
            last = max(self._things, default=0)
            self._ids = np.zeros(max(last + 1, len(self._scene.objects)) + 1, np.uint8)
            self._ids[-1] = SKY_ID
            for index, thing in self._things.items():
                self._ids[index] = thing.raw_id & 255
            self._ids.flags.writeable = False
        return self._ids

    def moment(self, *, labels: bool = False) -> Moment:
        """Where everything but the vehicles is: the same value until something changes.

        Args:
            labels: for the Segmentation image, which what has no id is not in.
        """
        if labels not in self._moments:
            shown = {i: t for i, t in self._things.items() if t.has_id or not labels}
            same = labels and len(shown) == len(self._things)
            self._moments[labels] = self.moment() if same else self._arranged(shown)
        return self._moments[labels]

    def _arranged(self, shown: Mapping[int, Thing]) -> Moment:
        count = len(self._scene.objects)
        shown = {i: t for i, t in shown.items() if i < count or not t.vehicle}
        placements = {i: placement(self._scene, t) for i, t in shown.items() if i < count and t.put}
        hidden = frozenset(i for i in range(count) if i not in shown)
        spawned = tuple(Spawned(i, t.source, placement(self._scene, t)) for i, t in shown.items() if i >= count)
        return Moment(placements, hidden, spawned) if placements or hidden or spawned else STILL


def _compiled(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise ApiError(f"the pattern {pattern!r} is no regular expression: {error}") from error
