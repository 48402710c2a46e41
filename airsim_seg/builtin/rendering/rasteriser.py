"""The built-in renderer: a visibility buffer on the CPU. Things are put where they are, then set-up, fill, and shading
of what is seen.

Ids and depths are read at the pixel's centre and never blended. Colours are the mean of 2x2 samples a quarter of a
pixel around a point a quarter of a pixel right of and below the centre; a pixel filled by one triangle is coloured at
its centre.
"""

import os
from collections.abc import Callable

import numba
import numpy as np

from airsim_seg.builtin.rendering import cutouts, raster, shading, shadows, sky, textures, triangles
from airsim_seg.builtin.rendering.camera import check_view, perspective, ray_matrix, visible_chunks
from airsim_seg.builtin.rendering.compiling import PARALLEL_LOCK
from airsim_seg.builtin.rendering.materials import FOLIAGE, MaterialTable, material_table
from airsim_seg.builtin.rendering.moving import Movement
from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.builtin.scene import FAR_DEPTH_M, STILL, Moment, Picture, Scene, View
from airsim_seg.types import BoolArray, Float64Array, Int32Array, Int64Array

SHADOW_MAP_SIZE = 4096
HEIGHT_MAP_SIZE = 512
TEXTURE_SEED = 11  # looks are the renderer's own: two worlds share their textures
_NOTHING = np.float32(0.0)  # 1 / infinity


class Rasteriser:
    """Draws views of one scene. Any thread may call render; one picture is drawn at a time in a process."""

    def __init__(
        self,
        scene: Scene,
        num_threads: int | None = None,
        *,
        samples: int = 2,
        daylight: sky.Daylight | None = None,
        shadow_map_size: int = SHADOW_MAP_SIZE,
    ) -> None:
        """Paint the textures and draw the shadows.

        Args:
            scene: the world; its arrays must not change any more.
            num_threads: at most this many threads draw; None takes all that numba may use.
            samples: samples a side of a pixel for the colours: 2, or 1 for speed.
            daylight: the light; None is a clear early afternoon.
            shadow_map_size: texels a side of the shadow map.
        """
        if samples not in (1, 2):
            raise ValueError(f"samples must be 1 or 2, not {samples}")
        most: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
        self._num_threads = most if num_threads is None else max(1, min(num_threads, most))
        self._scene = scene
        self._samples = samples
        self._table = material_table()
        self._two_sided = (self._table.cutout >= 0).astype(np.uint8)
        self._masks = cutouts.masks(TEXTURE_SEED)
        self._surfaces = _surfaces(scene)
        self._movement = Movement(scene, self._surfaces.faces)
        self._skins = _skins(self._table)
        count = len(scene.triangles_m)
        self._records = np.empty((count, triangles.RECORD_SIZE), np.float32)
        self._bounds = np.empty((count, 6), np.int32)
        self._nearness, self._seen = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32)  # kept between pictures
        light = sky.Daylight() if daylight is None else daylight
        self._tone = sky.tone_curve(light.exposure)
        # OpenMP's threads would spin while they wait for one another, which on a busy machine costs a fifth of all
        # CPU time. Read when the first kernel starts; who has set it keeps it.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        with PARALLEL_LOCK:
            numba.set_num_threads(self._num_threads)
            self._shadows, self._light = _light(scene, light, self._table, self._masks, shadow_map_size)
            leaves = np.flatnonzero(self._table.foliage[scene.materials])
            shading.light_foliage(scene.triangles_m, leaves, self._light, self._surfaces.faces)
            self._shadows.follow(self._movement, STILL)

    @property
    def scene(self) -> Scene:
        """The world that is drawn."""
        return self._scene

    def render(
        self,
        view: View,
        moment: Moment = STILL,
        stage_done: Callable[[str], None] = lambda _: None,
    ) -> Picture:
        """Draw one view.

        Args:
            view: any pose, 1 to 8192 pixels a side, field of view 1 to 170 degrees.
            moment: where everything is.
            stage_done: told "set-up", "raster" and "shade" as each is finished, for timing.

        Returns:
            The picture; the same scene, view and moment give the same bytes, whatever was drawn before.

        Raises:
            UsageError: the view cannot be drawn; the message says why.
        """
        check_view(view)
        height, width = view.size_hw
        picture = Picture(
            np.empty((height, width, 3), np.uint8),
            np.empty((height, width), np.int32),
            np.empty((height, width), np.float32),
        )
        with PARALLEL_LOCK:
            numba.set_num_threads(self._num_threads)
            if self._movement.follow(moment):
                self._shadows.follow(self._movement, moment)
            first, stop = self._project(view)
            stage_done("set-up")
            self._fill(view, first, stop)
            stage_done("raster")
            self._resolve(view, picture)
            stage_done("shade")
        return picture

    def warm_up(self) -> None:
        """Compile (or load from numba's cache) everything that render needs, by drawing a tiny picture."""
        self.render(View(self._scene.player_start, (4, 4), 90.0))

    def _project(self, view: View) -> tuple[Int32Array, Int32Array]:
        projection = perspective(view, self._samples)
        placed = self._movement.placed
        visible = visible_chunks(view, self._scene, placed.spheres, placed.anchors_m)
        lengths = self._scene.chunks[visible, 1] - self._scene.chunks[visible, 0]
        first = (np.cumsum(lengths) - lengths).astype(np.int32)
        stop = np.empty((len(visible), 3), np.int32)
        triangles.project(
            placed.corners_m, self._scene.materials, self._two_sided, self._scene.chunks, visible, first,
            projection.matrix, projection.origin_m, projection.size_hw, projection.near_w,
            self._records, self._bounds, stop,
        )  # fmt: skip
        return first, stop

    def _fill(self, view: View, first: Int32Array, stop: Int32Array) -> None:
        rows, columns = view.size_hw[0] * self._samples, view.size_hw[1] * self._samples
        if self._nearness.shape != (rows, columns + raster.LANES):
            self._nearness = np.empty((rows, columns + raster.LANES), np.float32)
            self._seen = np.empty(self._nearness.shape, np.int32)
        raster.fill(
            first, stop, self._records, self._bounds, self._scene.materials, self._table.cutout, self._scene.uv,
            self._masks, perspective(view, self._samples).near_w, _NOTHING, self._num_threads, np.zeros(1, np.int64),
            self._nearness, self._seen,
        )  # fmt: skip

    def _resolve(self, view: View, picture: Picture) -> None:
        focal_px = view.size_hw[1] / 2 / np.tan(np.radians(view.fov_deg) / 2)
        shading.resolve(
            shading.Hits(self._seen, self._nearness, self._records),
            shading.Eye(
                self._samples,
                ray_matrix(view, self._samples),
                np.asarray(view.pose.position_m, np.float32),
                np.float32(focal_px),
            ),
            self._surfaces, self._skins, self._light, self._tone, np.float32(FAR_DEPTH_M),
            self._num_threads, np.zeros(1, np.int64),
            picture.rgb, picture.object_index, picture.depth_m,
        )  # fmt: skip


def _surfaces(scene: Scene) -> shading.Surfaces:
    corners = scene.triangles_m.astype(np.float64)
    edges, uv_edges = corners[:, 1:] - corners[:, :1], scene.uv[:, 1:] - scene.uv[:, :1]
    area = np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1)
    uv_area = np.abs(uv_edges[:, 0, 0] * uv_edges[:, 1, 1] - uv_edges[:, 0, 1] * uv_edges[:, 1, 0])
    density = textures.SIZE * np.sqrt(uv_area / np.maximum(area, 1e-9))
    faces = np.zeros((len(corners), shading.FACE_SIZE), np.float32)
    faces[:, :9] = scene.normals.reshape(-1, 9)
    faces[:, 9:15] = scene.uv.reshape(-1, 6)
    faces[:, 15], faces[:, 16], faces[:, 17] = density, scene.materials, scene.object_index
    # Each leaf card its own brightness, 0.7 to 1.3, and each plant its own hue.
    leafy = np.isin(scene.materials, list(FOLIAGE))
    faces[:, 18] = np.where(leafy, 0.7 + 0.6 * _scattered(np.arange(len(corners))), 1.0)
    faces[leafy, 23] = np.repeat(_warmth(scene), np.diff(scene.chunks, axis=1)[:, 0])[leafy]
    return shading.Surfaces(faces, scene.tints)


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


def _skins(table: MaterialTable) -> shading.Skins:
    painted, levels = textures.paint_all(TEXTURE_SEED)
    noise = fractal_noise(256, np.random.default_rng(TEXTURE_SEED), cells=3, octaves=7, persistence=0.65)
    patches = ((noise - noise.mean()) / (2 * noise.std())).clip(-1, 1).astype(np.float32)
    return shading.Skins(painted, levels, table.tinted, table.foliage, table.reflectance, table.patchiness, patches)


def _light(
    scene: Scene, light: sky.Daylight, table: MaterialTable, masks: BoolArray, shadow_map_size: int
) -> tuple[shadows.SunShadows, shading.Light]:
    sun = sky.sun_direction(light)
    extent_m = world_extent_m(scene)
    projection = shadows.sun_projection(sun, extent_m * 1.2, shadow_map_size)
    moving = shadows.SunShadows(scene, projection, table, masks)
    return moving, shading.Light(
        sun_direction=sun.astype(np.float32),
        sun=np.array(light.sun, np.float32),
        ambient=np.array(light.ambient, np.float32),
        bounce=np.array(light.bounce, np.float32),
        haze=np.array(light.horizon, np.float32),
        haze_per_m=np.float32(light.haze_per_m),
        shadow_map=moving.map,
        shadow_matrix=np.ascontiguousarray(projection.matrix[[0, 1, 3]], np.float32),
        heights=shadows.heights(scene, table, masks, extent_m, HEIGHT_MAP_SIZE, blur_m=3.0),
        heights_extent_m=np.float32(extent_m),
        sky=sky.sky_map(light, TEXTURE_SEED),
        sky_scale=np.float32(sky.MAP_SIZE / 2 / sky.MAP_RADIUS),
    )


def world_extent_m(scene: Scene) -> float:
    """Half the side of the square, about the origin, that holds every object but the far ground.

    Args:
        scene: with at least one triangle.
    """
    reach = np.abs(scene.triangles_m[..., :2]).max((1, 2))
    near = reach[reach < 400.0]
    return float(near.max()) if len(near) else float(reach.max())
