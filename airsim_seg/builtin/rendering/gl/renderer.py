"""The built-in renderer on a graphics card, through OpenGL: the same pictures as the rasteriser's, but for rounding.

The stage is the same: things are put where they are, shadows are drawn and leaves are lit on the CPU, once, and only
what moved is uploaded again. The device draws which triangle every sample sees, then works out every pixel from that:
ids and depths at the pixel's centre, colours as the mean of the same samples, by the same formulas.
"""

import threading
from typing import Any

import numpy as np

from airsim_seg.builtin.rendering import cutouts, sky
from airsim_seg.builtin.rendering.camera import check_view, projection_of, ray_matrix, visible_chunks
from airsim_seg.builtin.rendering.compiling import PARALLEL_LOCK, Crew
from airsim_seg.builtin.rendering.falling import fall
from airsim_seg.builtin.rendering.gl.context import device_name, open_context
from airsim_seg.builtin.rendering.gl.geometry import MATERIALS, Geometry
from airsim_seg.builtin.rendering.gl.lighting import UNITS, Lighting
from airsim_seg.builtin.rendering.gl.programs import Programs, build, set_uniforms
from airsim_seg.builtin.rendering.gl.targets import Targets
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED, MaterialTable, material_table
from airsim_seg.builtin.rendering.paint import Paint, mixed_paint
from airsim_seg.builtin.rendering.rasteriser import SHADOW_MAP_SIZE, stains
from airsim_seg.builtin.rendering.stage import Looks, Stage
from airsim_seg.builtin.rendering.weathered import daylight_of
from airsim_seg.builtin.scene import STILL, Moment, Picture, Scene, View
from airsim_seg.types import Float32Array, Float64Array

TEXELS = 4  # binding in buffers.glsl
SEEN_UNIT, PATCHES_UNIT, MASKS_UNIT = 0, 4, 5
MOST_SIZES = 4  # of pictures whose targets are kept


class GlRenderer:
    """Draws views of one scene. Any thread may call render; one picture is drawn at a time.

    Attributes:
        device: what draws, in the driver's words; see context.is_software.
        name: "gl" and the device.
    """

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
        """Open a device, paint the textures, draw the shadows and upload them.

        Args:
            scene: the world; its arrays must not change any more.
            num_threads: at most this many threads prepare what is uploaded; None takes all that numba may use.
            samples: samples a side of a pixel for the colours: 2, or 1 for speed.
            daylight: the light; None is a clear early afternoon.
            shadow_map_size: texels a side of the shadow map.
            paint: what mixed_paint makes, from somebody who has it; None makes it.

        Raises:
            UsageError: there is no OpenGL here; the message has the remedy.
        """
        if samples not in (1, 2):
            raise ValueError(f"samples must be 1 or 2, not {samples}")
        self._scene, self._samples = scene, samples
        self._daylight = sky.Daylight() if daylight is None else daylight
        paint = mixed_paint() if paint is None else paint
        masks = cutouts.masks(TEXTURE_SEED)
        self._looks = Looks(material_table(), masks, paint, shadow_map_size, Crew(num_threads))
        self._lock = threading.Lock()
        self._moment = STILL
        self._targets: dict[tuple[int, int], Targets] = {}
        self._context = open_context()
        try:
            self.device = device_name(self._context)
            self.name = f"gl: {self.device}"
            self._upload_skins()
            self._lighting = Lighting(self._context)
            with PARALLEL_LOCK:
                self._set_stage(STILL, self._daylight)
        finally:
            self._context.__exit__(None, None, None)  # a context belongs to one thread at a time

    @property
    def scene(self) -> Scene:
        """The world that is drawn."""
        return self._scene

    def render(self, view: View, moment: Moment = STILL, *, normals: bool = False) -> Picture:
        """Draw one view.

        Args:
            view: any pose, 1 to 8192 pixels a side, field of view 1 to 170 degrees or 1 cm to 100 km of parallel rays.
            moment: where everything is.
            normals: give the picture's normals and sways, too.

        Returns:
            The picture; on one device and driver, the same scene, view and moment give the same bytes.

        Raises:
            UsageError: the view cannot be drawn; the message says why.
        """
        check_view(view)
        with self._lock, PARALLEL_LOCK, self._context:
            self._follow(moment)
            picture = self._draw(view, normals)
        fall(picture.rgb, picture.depth_m, view, moment.weather, moment.time_ns)
        return picture

    def warm_up(self) -> None:
        """Let the driver compile everything that render needs, by drawing a tiny picture."""
        self.render(View(self._scene.player_start, (4, 4), 90.0))

    def warm_up_parallel(self) -> None:
        """The same for parallel views, whose programs are otherwise compiled with the first of them."""
        self.render(View(self._scene.player_start, (4, 4), 90.0, ortho_width_m=1.0))

    def release(self) -> None:
        """Give the device back; the renderer draws no more. The end of the process does the same."""
        with self._lock:
            self._context.release()

    def _upload_skins(self) -> None:
        """What every scene shares: programs, materials, their pictures and holes."""
        context, table = self._context, self._looks.table
        texels, patches = self._looks.paint.textures, stains()
        # By whether the view is parallel.
        self._programs: dict[bool, Programs] = {}
        self._whole: dict[bool, Any] = {}
        self._materials = context.buffer(_material_rows(table))
        self._texels = context.buffer(texels)
        self._patches = context.texture((len(patches), len(patches)), 1, patches, dtype="f4")
        masks = self._looks.masks.astype(np.uint8)
        self._masks = context.texture_array((masks.shape[2], masks.shape[1], len(masks)), 1, masks, dtype="u1")
        context.front_face = "cw"  # rows grow downwards in a picture and upwards in GL

    def _programs_for(self, view: View) -> Programs:
        """Compiled when they are first asked for."""
        if view.is_parallel not in self._programs:
            num_texels, tone_steps = self._looks.paint.textures.shape[1], len(sky.tone_curve(1.0))
            programs = build(self._context, self._samples, num_texels, tone_steps, parallel=view.is_parallel)
            set_uniforms(programs.picture, UNITS | {"seen": SEEN_UNIT, "patches": PATCHES_UNIT})
            set_uniforms(programs.cutout, {"masks": MASKS_UNIT})
            self._programs[view.is_parallel] = programs
            self._whole[view.is_parallel] = self._context.vertex_array(programs.picture, [])
        return self._programs[view.is_parallel]

    def _set_stage(self, moment: Moment, daylight: sky.Daylight) -> None:
        """Make and upload a stage with the moment's copies."""
        self._spawned = tuple((copy.index, copy.source) for copy in moment.spawned)
        self._stage = Stage(self._scene, moment.spawned, daylight, self._looks)
        self._stage.follow(moment, daylight)
        self._geometry = Geometry(self._context, self._stage, self._looks.table)
        self._moment = moment

    def _follow(self, moment: Moment) -> None:
        """Have what the moment shows where it is. New things and a new sun cost the first picture a second."""
        daylight = daylight_of(self._daylight, moment.sun, moment.weather)
        if tuple((copy.index, copy.source) for copy in moment.spawned) != self._spawned:
            self._geometry.release()
            self._set_stage(moment, daylight)
        else:
            self._stage.follow(moment, daylight)
            self._geometry.move(self._stage, self._moment, moment)
            self._moment = moment

    def _draw(self, view: View, normals: bool) -> Picture:
        self._stage.wait_for_shadows()
        uniforms = self._lighting.follow(self._stage, self._geometry)
        eye = np.asarray(view.pose.position_m, np.float64)
        rest = eye - eye.astype(np.float32)
        uniforms |= {"eye_m": tuple(eye.tolist()), "eye_rest_m": tuple(rest.tolist())}
        to_clip, clip_shift = _to_clip(view, self._samples)
        uniforms |= {"to_clip": _columns(to_clip), "clip_shift": clip_shift, "focal_px": view.metre_px}
        uniforms["forward"] = tuple(view.pose.rotation()[:, 0].tolist())
        uniforms["offsets_m"] = [tuple(offset) for offset in self._stage.offsets.tolist()]
        uniforms["rays"] = _columns(ray_matrix(view, self._samples))
        programs = self._programs_for(view)
        for program in (programs.closed, programs.cutout, programs.picture):
            set_uniforms(program, uniforms)
        self._bind()
        targets = self._targets_of(view.size_hw)
        targets.begin()
        placed = self._stage.movement.placed
        visible = visible_chunks(view, self._stage.scene, placed.spheres, placed.anchors_m, self._stage.sway_m)
        self._geometry.draw(self._context, programs, visible)
        targets.picture.use()
        targets.seen.use(SEEN_UNIT)
        self._context.enable_only(self._context.NOTHING)
        self._whole[view.is_parallel].render(self._context.TRIANGLES, vertices=3)
        return targets.read(normals)

    def _bind(self) -> None:
        self._geometry.bind()
        self._lighting.bind()
        self._materials.bind_to_storage_buffer(MATERIALS)
        self._texels.bind_to_storage_buffer(TEXELS)
        self._patches.use(PATCHES_UNIT)
        self._masks.use(MASKS_UNIT)

    def _targets_of(self, size_hw: tuple[int, int]) -> Targets:
        if size_hw not in self._targets:
            if len(self._targets) >= MOST_SIZES:
                self._targets.pop(next(iter(self._targets))).release()
            self._targets[size_hw] = Targets(self._context, size_hw, self._samples)
        return self._targets[size_hw]


def _material_rows(table: MaterialTable) -> Float32Array:
    """float32 [M,2], as buffers.glsl reads them."""
    return np.ascontiguousarray(np.stack([table.cutout, table.foliage], 1), np.float32)


def _to_clip(view: View, samples: int) -> tuple[Float64Array, tuple[float, float]]:
    """float64 [3,3]: times (point - eye) it gives x, y and w of clip space; and x and y of the eye of a parallel view.

    Of a parallel view, whose w is 1, the third is the metres ahead. Sample (i, j) is a fragment whose centre GL has at
    (i + 0.5, j + 0.5), row 0 at the bottom.
    """
    projection = projection_of(view, samples)
    rows, columns = projection.size_hw
    clip = np.array([[2 / columns, 0, 1 / columns - 1], [0, 2 / rows, 1 / rows - 1], [0, 0, 1]])
    matrix: Float64Array = clip @ projection.matrix[:3, :3]
    x, y, _ = (clip @ projection.matrix[:3, 3]).tolist()
    if view.is_parallel:
        matrix[2] = -projection.matrix[3, :3]
    return matrix, (x, y)


def _columns(matrix: Float64Array | Float32Array) -> tuple[float, ...]:
    """A matrix as GLSL has it in memory: column by column."""
    return tuple(np.asarray(matrix, np.float64).T.ravel().tolist())
