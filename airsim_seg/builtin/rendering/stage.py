"""A scene made ready to be drawn: its surfaces, where things are, the light on them and its shadows."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from airsim_seg.builtin.rendering import albedo, buffers, lighting, shadows, sky, textures, triangles, wind
from airsim_seg.builtin.rendering.compiling import Crew
from airsim_seg.builtin.rendering.lanes import LANES
from airsim_seg.builtin.rendering.materials import FOLIAGE, MaterialTable
from airsim_seg.builtin.rendering.moving import Movement
from airsim_seg.builtin.rendering.paint import Paint
from airsim_seg.builtin.scene import STILL, Moment, Scene, SceneObject, Spawned
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array

HEIGHT_MAP_SIZE = 512
FINE_TEXEL_M = 0.1  # of the shadow map; where they are larger, a level floor would be striped by its own shadow
_NOBODY = SceneObject("", (0.0, 0.0, 0.0))


@dataclass(frozen=True, eq=False)
class Looks:
    """What every scene shares.

    Attributes:
        table: of the materials.
        masks: bool [K,N,N], where see-through materials are drawn.
        paint: pictures of materials and sky.
        shadow_map_size: texels a side.
        crew: who draws.
    """

    table: MaterialTable
    masks: BoolArray
    paint: Paint
    shadow_map_size: int
    crew: Crew = field(default_factory=Crew)


class Stage:
    """One scene under one light. Call under PARALLEL_LOCK.

    Attributes:
        scene: with what was spawned.
        surfaces, light, tone: for shading.resolve.
        movement: where things are.
        records, bounds: float32 [T,16] and int32 [T,8], for triangles.project.
        sways, offsets: of what the wind moves, for triangles.project; sway_m is the length of the longest offset.
        labels: int32 [T], twice the object, and 1 where it is a leaf card; for triangles.project.
    """

    def __init__(self, scene: Scene, spawned: tuple[Spawned, ...], daylight: sky.Daylight, looks: Looks) -> None:
        self.scene = scene = _with(scene, spawned) if spawned else scene
        self.surfaces = _surfaces(scene, looks.table)
        self.movement = Movement(scene, self.surfaces.faces, looks.crew)
        self.daylight, self._looks = daylight, looks
        self.shadows, self.light = _light(scene, daylight, looks)
        self.tone = sky.tone_curve(daylight.exposure)
        count = len(scene.triangles_m)
        self.records: Float32Array = np.empty((count, triangles.RECORD_SIZE), np.float32)
        self.bounds: Int32Array = np.empty((count, triangles.BOUNDS_SIZE), np.int32)
        leafy = looks.table.foliage[scene.materials]
        self.labels: Int32Array = (2 * scene.object_index + leafy).astype(np.int32)
        self.sways = wind.sways_of(scene, leafy.astype(bool))
        self._sway(STILL)
        self._light_foliage()
        self.shadows.follow(self.movement, STILL)

    def _light_foliage(self) -> None:
        leaves = np.flatnonzero(self.labels & 1).astype(np.int32)
        leaves = np.resize(leaves, -(-len(leaves) // LANES) * LANES)  # filled up with the first ones
        self._looks.crew.run(lighting.light_foliage, self.scene.triangles_m, leaves, self.light, self.surfaces.faces)

    def follow(self, moment: Moment, daylight: sky.Daylight) -> None:
        """Put everything where it is, under the light of the moment; its shadows are there after wait_for_shadows.

        Args:
            moment: with the things spawned that the stage was made with.
            daylight: see weathered.daylight_of.
        """
        self.shadows.wait()  # they may still be read from where things were
        self._sway(moment)
        moment = replace(moment, placements={**moment.placements, **{s.index: s.placement for s in moment.spawned}})
        turned = self._relight(daylight)
        if self.movement.follow(moment) or turned:
            self.shadows.follow(self.movement, moment)

    def wait_for_shadows(self) -> None:
        """Return when the shadows are those of the moment: call it before the light is read."""
        self.shadows.wait()

    def _sway(self, moment: Moment) -> None:
        self.offsets: Float32Array = wind.offsets_m(moment.wind_mps, moment.time_ns)
        self.sway_m = float(np.sqrt((self.offsets.astype(np.float64) ** 2).sum(1).max()))

    def _relight(self, daylight: sky.Daylight) -> bool:
        """Change the light; says whether the sun is elsewhere, so that all shadows were drawn anew."""
        if daylight == self.daylight:
            return False
        turned = not np.array_equal(sky.sun_direction(daylight), sky.sun_direction(self.daylight))
        self.daylight, self.tone = daylight, sky.tone_curve(daylight.exposure)
        if turned:
            self.shadows, self.light = _light(self.scene, daylight, self._looks)
            self._light_foliage()
        else:
            self.light = self.light._replace(**_colours(daylight, self._looks))
        return turned


def _with(scene: Scene, spawned: tuple[Spawned, ...]) -> Scene:
    """The scene and copies of some of its objects, each where its source stands."""
    parts = [(copy, chunk) for copy in spawned for chunk in _chunks_of(scene, copy.source)]
    rows = [np.arange(*scene.chunks[chunk]) for _, chunk in parts]
    chosen = np.concatenate([np.arange(len(scene.triangles_m)), *rows])
    lengths = np.array([len(r) for r in rows])
    ends = len(scene.triangles_m) + np.cumsum(lengths)
    chunks = np.concatenate([np.arange(len(scene.chunks)), [chunk for _, chunk in parts]]).astype(np.int64)
    indices = np.repeat([copy.index for copy, _ in parts], lengths)
    count = max(len(scene.objects), max(copy.index for copy in spawned) + 1)
    tints = np.ones((count, 3), np.float32)
    tints[: len(scene.tints)] = scene.tints
    for copy in spawned:
        tints[copy.index] = scene.tints[copy.source]
    return replace(
        scene,
        triangles_m=scene.triangles_m[chosen],
        normals=scene.normals[chosen],
        uv=scene.uv[chosen],
        materials=scene.materials[chosen],
        object_index=np.concatenate([scene.object_index, indices]).astype(np.int32),
        tints=tints,
        chunks=np.concatenate([scene.chunks, np.stack([ends - lengths, ends], 1)]).astype(np.int32),
        objects=(*scene.objects, *[_NOBODY] * (count - len(scene.objects))),
        anchors_m=None if scene.anchors_m is None else scene.anchors_m[chunks],
        ranges_m=None if scene.ranges_m is None else scene.ranges_m[chunks],
        movers=scene.movers | {copy.index for copy in spawned},
    )


def _chunks_of(scene: Scene, index: int) -> Int64Array:
    """Chunks that hold an object; a chunk holds no other."""
    return np.flatnonzero(scene.object_index[scene.chunks[:, 0]] == index)


def _surfaces(scene: Scene, table: MaterialTable) -> buffers.Surfaces:
    # Axis by axis: numpy is quick along long axes, and slow along those of three.
    corners, uv = scene.triangles_m.transpose(1, 2, 0), scene.uv.transpose(1, 2, 0)
    (ax, ay, az), (bx, by, bz) = (corners[k].astype(np.float64) - corners[0] for k in (1, 2))
    area = np.sqrt((ay * bz - az * by) ** 2 + (az * bx - ax * bz) ** 2 + (ax * by - ay * bx) ** 2)
    (au, av), (bu, bv) = uv[1] - uv[0], uv[2] - uv[0]
    uv_area = np.abs(au * bv - av * bu)
    density = textures.SIZE * np.sqrt(uv_area / np.maximum(area, 1e-9))
    count = len(scene.triangles_m)
    faces = np.zeros((count, buffers.FACE_SIZE), np.float32)
    faces[:, :9] = scene.normals.reshape(-1, 9)
    faces[:, 9:15] = scene.uv.reshape(-1, 6)
    faces[:, 15], faces[:, 16] = density, scene.materials
    faces[:, 20], faces[:, 21] = table.reflectance[scene.materials], table.patchiness[scene.materials]
    # Each leaf card its own brightness, 0.3 to 1.7, and each plant its own hue.
    leafy = np.isin(scene.materials, list(FOLIAGE))
    warmth = np.repeat(_warmth(scene), np.diff(scene.chunks, axis=1)[:, 0])[leafy]
    own = 0.3 + 1.4 * _scattered(np.flatnonzero(leafy))
    tinted = table.tinted[scene.materials] > 0
    for k, warm in enumerate((1.0, 0.2, -0.4)):
        faces[:, 17 + k] = np.where(tinted, scene.tints[:, k][scene.object_index], 1.0)
        faces[leafy, 17 + k] *= own * (1 + warm * warmth)
    return buffers.Surfaces(faces)


def _scattered(numbers: Int64Array) -> Float64Array:
    """Numbers as 0..1 without an order: Knuth's multiplicative hash."""
    share: Float64Array = ((numbers * 2654435761 >> 8) & 255) / 255
    return share


def _warmth(scene: Scene) -> Float64Array:
    """How much warmer than its tint each chunk's plant is, float64 [C]: most a little warmer or colder, some autumnal.

    A plant is known by its anchor: the many trees of a wood are one object with one tint.
    """
    if scene.anchors_m is None:
        return np.zeros(len(scene.chunks))
    north, east = np.rint(scene.anchors_m[:, :2].astype(np.float64).T * 16).astype(np.int64)
    share = _scattered(np.abs(north * 8191 + east))
    return np.where(scene.anchors_m.any(1), 0.8 * share - 0.3 + 1.2 * np.clip(share - 0.9, 0, 1) / 0.1, 0.0)


def _light(scene: Scene, light: sky.Daylight, looks: Looks) -> tuple[shadows.SunShadows, buffers.Light]:
    sun = sky.sun_direction(light)
    extent_m = world_extent_m(scene)
    projection = shadows.sun_projection(sun, extent_m * 1.2, looks.shadow_map_size)
    moving = shadows.SunShadows(scene, projection, looks.table, looks.masks, looks.crew)
    return moving, buffers.Light(
        sun_direction=sun.astype(np.float32),
        shadow_map=moving.map,
        shadow_matrix=np.ascontiguousarray(projection.matrix[[0, 1, 3]], np.float32),
        shadow_shift=np.float32(max(1.0, 2 * 1.2 * extent_m / looks.shadow_map_size / FINE_TEXEL_M)),
        heights=albedo.smooth_table(
            shadows.heights(scene, looks.table, looks.masks, looks.crew, extent_m, HEIGHT_MAP_SIZE, blur_m=3.0)
        ),
        heights_extent_m=np.float32(extent_m),
        sky_scale=np.float32(sky.MAP_SIZE / 2 / sky.MAP_RADIUS),
        **_colours(light, looks),
    )


def _colours(light: sky.Daylight, looks: Looks) -> dict[str, Any]:
    """What of the light changes without the sun's direction: fields of buffers.Light."""
    return {
        "sun": np.array(light.sun, np.float32),
        "ambient": np.array(light.ambient, np.float32),
        "bounce": np.array(light.bounce, np.float32),
        "haze": np.array(light.horizon, np.float32),
        "haze_per_m": np.float32(light.haze_per_m),
        "sky": looks.paint.sky_map(light),
        "wet": np.float32(light.wet),
        "snow": np.float32(light.snow),
        "litter": np.float32(light.litter),
    }


def world_extent_m(scene: Scene) -> float:
    """Half the side of the square, about the origin, that holds every object but the far ground.

    Args:
        scene: with at least one triangle.
    """
    reach = np.abs(scene.triangles_m[..., :2]).max((1, 2))
    near = reach[reach < 400.0]
    return float(near.max()) if len(near) else float(reach.max())
