"""What pictures are painted with whatever the world: seconds of work whose result is always the same."""

from dataclasses import dataclass

from airsim_seg.builtin.rendering import sky, textures
from airsim_seg.builtin.rendering.materials import TEXTURE_SEED
from airsim_seg.types import Float32Array, UInt32Array


@dataclass(frozen=True, eq=False)
class Paint:
    """Pictures of the materials and of the sky; shared, do not write to them.

    Attributes:
        textures: uint32 [M,texels], see textures.paint_all.
        clear_sky: float32 [1024,1024,4], the sky_map of sky.Daylight().
    """

    textures: UInt32Array
    clear_sky: Float32Array

    def sky_map(self, light: sky.Daylight) -> Float32Array:
        """The sky under a light; see sky.sky_map."""
        return self.clear_sky if light == sky.Daylight() else sky.sky_map(light, TEXTURE_SEED)


def mixed_paint() -> Paint:
    """Paint all of it; once a process."""
    return Paint(textures.paint_all(TEXTURE_SEED), sky.sky_map(sky.Daylight(), TEXTURE_SEED))
