"""A stage's light in the device's memory: shadow map, heights and sky as textures, the rest as uniforms."""

from typing import Any

import numpy as np

from airsim_seg.builtin.rendering.gl.geometry import Geometry
from airsim_seg.builtin.rendering.stage import Stage
from airsim_seg.types import Float32Array, UInt8Array

TONE = 5  # binding in buffers.glsl
UNITS = {"shadow_map": 1, "heights": 2, "sky_map": 3}  # of textures


class Lighting:
    """The light of one renderer, whatever its stage. Call with the context current."""

    def __init__(self, context: Any) -> None:
        """Hold nothing yet."""
        self._context = context
        self._textures: dict[str, Any] = {}
        self._held: dict[str, object] = {}  # what is on the device; kept so that no other gets its identity
        self._tone: Any = None

    def follow(self, stage: Stage, geometry: Geometry) -> dict[str, Any]:
        """Bring the device to a stage's light.

        Args:
            stage: it has followed the moment to be drawn.
            geometry: of that stage; what the light left on its leaves is uploaded where it is new.

        Returns:
            Values of the uniforms in light.glsl and cover.glsl.
        """
        light = stage.light
        turned = self._is_new("shadow_map", light.shadow_map)
        if turned:
            self._upload("shadow_map", light.shadow_map, 1)
            geometry.relight(stage)
        if self._is_new("shadows", stage.shadows.changed) and not turned:
            self._update_shadows(light.shadow_map, stage)
        if self._is_new("heights", light.heights):
            self._upload("heights", light.heights[..., 0], 1)  # the rest are neighbours, for the kernels
        if self._is_new("sky_map", light.sky):
            self._upload("sky_map", light.sky, 4)
        if self._is_new("tone", stage.tone):
            self._upload_tone(stage.tone)
        return self._uniforms(stage)

    def bind(self) -> None:
        """Let the programs read it."""
        for name, unit in UNITS.items():
            self._textures[name].use(unit)
        self._tone.bind_to_storage_buffer(TONE)

    def _is_new(self, name: str, value: object) -> bool:
        new = self._held.get(name) is not value
        self._held[name] = value
        return new

    def _upload(self, name: str, pixels: Float32Array, components: int) -> None:
        if name in self._textures:
            self._textures[name].release()
        size = (pixels.shape[1], pixels.shape[0])
        self._textures[name] = self._context.texture(size, components, np.ascontiguousarray(pixels), dtype="f4")

    def _update_shadows(self, shadow_map: Float32Array, stage: Stage) -> None:
        side = len(shadow_map)
        for rows, columns in stage.shadows.changed:
            (top, bottom, _), (left, right, _) = rows.indices(side), columns.indices(side)
            if top < bottom and left < right:
                part = np.ascontiguousarray(shadow_map[rows, columns])
                self._textures["shadow_map"].write(part, viewport=(left, top, right - left, bottom - top))

    def _upload_tone(self, tone: UInt8Array) -> None:
        if self._tone is not None:
            self._tone.release()
        self._tone = self._context.buffer(tone.astype(np.uint32))

    def _uniforms(self, stage: Stage) -> dict[str, Any]:
        light = stage.light
        colours = {name: tuple(getattr(light, name).tolist()) for name in ("sun", "ambient", "bounce", "haze")}
        numbers = {
            name: float(getattr(light, name))
            for name in ("haze_per_m", "shadow_shift", "heights_extent_m", "sky_scale")
        }
        return {
            **colours,
            **numbers,
            "sun_direction": tuple(light.sun_direction.tolist()),
            "shadow_rows": [tuple(row) for row in light.shadow_matrix.tolist()],
            "wet_amount": float(light.wet),
            "snow_amount": float(light.snow),
            "litter_amount": float(light.litter),
        }
