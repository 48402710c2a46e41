"""The built-in renderer: a visibility buffer on the CPU. Things are put where they are, then set-up, fill, and shading
of what is seen.

Ids and depths are read at the pixel's centre and never blended. Colours are the mean of 2x2 samples a quarter of a
pixel around a point a quarter of a pixel right of and below the centre; a pixel filled by one triangle is coloured at
its centre.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.rendering import albedo, buffers, cutouts, parallel, raster, shading, sky, triangles
from airsim_seg.builtin.rendering.camera import Projection, check_view, projection_of, ray_matrix, visible_chunks
from airsim_seg.builtin.rendering.compiling import PARALLEL_LOCK, Crew
from airsim_seg.builtin.rendering.falling import fall
from airsim_seg.builtin.rendering.lanes import LANES
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED, material_table
from airsim_seg.builtin.rendering.noise import fractal_noise
from airsim_seg.builtin.rendering.paint import Paint, mixed_paint
from airsim_seg.builtin.rendering.stage import Looks, Stage
from airsim_seg.builtin.rendering.weathered import daylight_of
from airsim_seg.builtin.scene import FAR_DEPTH_M, STILL, Moment, Picture, Scene, View
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Int32Array, Int64Array, UInt8Array

SHADOW_MAP_SIZE = 4096


class Rasteriser:
    """Draws views of one scene. Any thread may call render; one picture is drawn at a time in a process.

    Attributes:
        name: "cpu".
    """

    name = "cpu"

    def __init__(
        self,
        scene: Scene,
        num_threads: int | None = None,
        *,
        samples: int = 2,
        daylight: sky.Daylight | None = None,
        shadow_map_size: int = SHADOW_MAP_SIZE,
        paint: Paint | None = None,
    ) -> None:
        """Paint the textures and draw the shadows.

        Args:
            scene: the world; its arrays must not change any more.
            num_threads: at most this many threads draw; None takes all that numba may use.
            samples: samples a side of a pixel for the colours: 2, or 1 for speed.
            daylight: the light; None is a clear early afternoon.
            shadow_map_size: texels a side of the shadow map.
            paint: what mixed_paint makes, from somebody who has it; None makes it.
        """
        if samples not in (1, 2):
            raise ValueError(f"samples must be 1 or 2, not {samples}")
        self._crew = Crew(num_threads)
        self._scene = scene
        self._samples = samples
        paint = mixed_paint() if paint is None else paint
        self._looks = Looks(material_table(), cutouts.masks(TEXTURE_SEED), paint, shadow_map_size, self._crew)
        self._two_sided = (self._looks.table.cutout >= 0).astype(np.uint8)
        self._skins = buffers.Skins(self._looks.paint.textures, albedo.smooth_table(stains()))
        self._nearness, self._seen = np.empty((0, 0), np.float32), np.empty((0, 0), np.int32)  # kept between pictures
        self._daylight = sky.Daylight() if daylight is None else daylight
        with PARALLEL_LOCK:
            self._spawned: tuple[tuple[int, int], ...] = ()
            self._stage = Stage(scene, (), self._daylight, self._looks)

    @property
    def scene(self) -> Scene:
        """The world that is drawn."""
        return self._scene

    def render(
        self,
        view: View,
        moment: Moment = STILL,
        *,
        normals: bool = False,
        stage_done: Callable[[str], None] = lambda _: None,
    ) -> Picture:
        """Draw one view.

        Args:
            view: any pose, 1 to 8192 pixels a side, field of view 1 to 170 degrees or 1 cm to 100 km of parallel rays.
            moment: where everything is.
            normals: give the picture's normals and sways, too.
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
            self._set_stage(moment)
            projection = projection_of(view, self._samples)
            pieces = self._project(view, projection)
            stage_done("set-up")
            self._fill(projection, *pieces)
            self._stage.wait_for_shadows()
            stage_done("raster")
            self._resolve(view, picture)
            fall(picture.rgb, picture.depth_m, view, moment.weather, moment.time_ns)
            stage_done("shade")
            return replace(picture, normals=self._normals(view), sways=self._sways(view)) if normals else picture

    def warm_up(self) -> None:
        """Compile (or load from numba's cache) everything that render needs, by drawing a tiny picture."""
        self.render(View(self._scene.player_start, (4, 4), 90.0))
        with PARALLEL_LOCK:
            self._stage.movement.warm_up()

    def warm_up_parallel(self) -> None:
        """The same for parallel views, whose kernels are otherwise compiled with the first of them."""
        self.render(View(self._scene.player_start, (4, 4), 90.0, ortho_width_m=1.0))

    def _set_stage(self, moment: Moment) -> None:
        """Have what the moment shows where it is. New things and a new sun cost the first picture half a second."""
        spawned = tuple((copy.index, copy.source) for copy in moment.spawned)
        daylight = daylight_of(self._daylight, moment.sun, moment.weather)
        if spawned != self._spawned:
            self._stage = Stage(self._scene, moment.spawned, daylight, self._looks)
            self._spawned = spawned
        self._stage.follow(moment, daylight)

    def _triangles(self, view: View) -> tuple[BoolArray, Int64Array]:
        """Where anything was drawn last, and which triangle: bool and int64 [H,W]."""
        width = view.size_hw[1]
        seen = self._seen[:: self._samples, : width * self._samples : self._samples]
        there = seen >= 0
        return there, np.where(there, self._stage.records[seen, 12], 0).astype(np.int64)  # none is row -1: not written

    def _sways(self, view: View) -> UInt8Array:
        """Picture.sways of what was drawn last."""
        there, triangle = self._triangles(view)
        return np.where(there, self._stage.sways[triangle], 0).astype(np.uint8)

    def _normals(self, view: View) -> Float32Array:
        """Picture.normals of what was drawn last."""
        there, triangle = self._triangles(view)
        corners = self._stage.movement.placed.corners_m[triangle].astype(np.float64)
        normals = np.cross(corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :])
        normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-30)
        normals *= -np.sign((normals * self._rays(view)).sum(-1, keepdims=True))
        shown: Float32Array = np.where(there[..., None], normals, 0).astype(np.float32)
        return shown

    def _rays(self, view: View) -> Float64Array:
        """The direction of each pixel's ray, [H,W,3], or of all of them, [3]; NED, of any length."""
        if view.is_parallel:
            return view.pose.rotation()[:, 0]
        height, width = view.size_hw
        column, row = np.meshgrid(np.arange(width) * self._samples, np.arange(height) * self._samples)
        places = np.stack([column, row, np.ones_like(row)], -1).astype(np.float64)
        rays: Float64Array = places @ ray_matrix(view, self._samples).T.astype(np.float64)
        return rays

    def _project(self, view: View, projection: Projection) -> tuple[Int32Array, Int32Array, Float32Array]:
        """Where each visible chunk's records begin, where they end and its nearness, see triangles.project."""
        scene, placed = self._stage.scene, self._stage.movement.placed
        visible = visible_chunks(view, scene, placed.spheres, placed.anchors_m, self._stage.sway_m)
        lengths = scene.chunks[visible, 1] - scene.chunks[visible, 0]
        first = (np.cumsum(lengths) - lengths).astype(np.int32)
        stop = np.empty((len(visible), triangles.STOP_SIZE), np.int32)
        nearest = np.empty(len(visible), np.float32)
        self._crew.run(
            triangles.project, placed.corners_m, self._stage.sways, self._stage.offsets, scene.materials,
            self._two_sided, self._looks.table.cutout, self._stage.labels, scene.chunks, visible, first,
            projection.matrix, projection.origin_m, projection.size_hw, projection.near_w,
            self._stage.records, self._stage.bounds, stop, nearest,
        )  # fmt: skip
        if view.is_parallel:
            behind = parallel.reaches_behind(view, placed.spheres[visible], self._stage.sway_m)
            self._crew.run(parallel.trim, first, stop, behind, self._stage.records, self._stage.bounds)
        return first, stop, nearest

    def _fill(self, projection: Projection, first: Int32Array, stop: Int32Array, nearest: Float32Array) -> None:
        rows, columns = projection.size_hw
        if self._nearness.shape != (rows, columns + LANES):
            self._nearness = np.empty((rows, columns + LANES), np.float32)
            self._seen = np.empty(self._nearness.shape, np.int32)
        stage, looks = self._stage, self._looks
        self._crew.run(
            raster.fill, first, stop, nearest, stage.records, stage.bounds, stage.scene.uv, looks.masks,
            np.float32(projection.nearest), np.float32(projection.empty), self._nearness, self._seen,
        )  # fmt: skip

    def _resolve(self, view: View, picture: Picture) -> None:
        self._crew.run(
            shading.resolve,
            buffers.Hits(self._seen, self._nearness, self._stage.records),
            buffers.Eye(
                self._samples,
                ray_matrix(view, self._samples),
                np.asarray(view.pose.position_m, np.float32),
                np.float32(view.metre_px),
                view.pose.rotation()[:, 0].astype(np.float32) if view.is_parallel else None,
            ),
            self._stage.surfaces, self._skins, self._stage.light, self._stage.tone, np.float32(FAR_DEPTH_M),
            picture.rgb, picture.object_index, picture.depth_m,
        )  # fmt: skip
        if view.is_parallel:  # resolve takes every depth value for an inverse
            picture.depth_m[:] = self._parallel_depth_m(view)

    def _parallel_depth_m(self, view: View) -> Float32Array:
        """Picture.depth_m of the parallel view that was drawn last."""
        centres = slice(None, None, self._samples), slice(None, view.size_hw[1] * self._samples, self._samples)
        seen, nearness = self._seen[centres], self._nearness[centres]
        # At the rim of a steep wall, where the fill grows it a little, its plane is above the wall.
        nearest = self._stage.bounds[seen, 7].view(np.float32)
        return np.where(seen >= 0, -np.minimum(nearness, nearest), np.float32(FAR_DEPTH_M))


def stains() -> Float32Array:
    """float32 [256,256], -1..1: the large patches that surfaces have outdoors."""
    noise = fractal_noise(256, np.random.default_rng(TEXTURE_SEED), cells=3, octaves=7, persistence=0.65)
    patches: Float32Array = ((noise - noise.mean()) / (2 * noise.std())).clip(-1, 1).astype(np.float32)
    return patches
