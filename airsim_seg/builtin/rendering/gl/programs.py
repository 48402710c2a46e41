"""The GLSL programs, with the renderer's constants written into them: one source of every number for both renderers."""

import math
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from airsim_seg.builtin.rendering import albedo, buffers, cutouts, lighting, shading, textures, wind
from airsim_seg.builtin.rendering.camera import NEAR_M
from airsim_seg.builtin.scene import FAR_DEPTH_M, SKY_INDEX

MATERIAL_SIZE = 2  # floats a material in the buffer of buffers.glsl


@dataclass(frozen=True, eq=False)
class Programs:
    """What runs on the device for one kind of view.

    Attributes:
        closed: sets every sample's triangle, for triangles without holes.
        cutout: the same, for triangles with a mask.
        picture: from triangles to colours, objects, depths and normals.
    """

    closed: Any
    cutout: Any
    picture: Any


def build(context: Any, samples: int, num_texels: int, tone_steps: int, *, parallel: bool = False) -> Programs:
    """Compile.

    Args:
        context: a moderngl.Context, current.
        samples: samples a side of a pixel.
        num_texels: of a material's picture, with all its levels.
        tone_steps: entries of the tone curve.
        parallel: for parallel views, not for pinholes.
    """
    constants: dict[str, int | float] = {
        "SAMPLES": samples,
        "TEXELS": num_texels,
        "TONE_STEPS": tone_steps,
        "TEXTURE_SIZE": textures.SIZE,
        "MASK_SIZE": cutouts.MASK_SIZE,
        "FACE_SIZE": buffers.FACE_SIZE,
        "MATERIAL_SIZE": MATERIAL_SIZE,
        "SKY_INDEX": SKY_INDEX,
        "NEAR_M": NEAR_M,
        "FAR_DEPTH_M": FAR_DEPTH_M,
        "PATCH_TILE_M": albedo.PATCH_TILE_M,
        "COVER_TILE_M": albedo.COVER_TILE_M,
        "LEAF_M": albedo.LEAF_M,
        "PI": math.pi,
        "WATER_BELOW": float(shading.WATER_BELOW),
        "GLINT": float(lighting.GLINT),
        "SWAYS": wind.SWAYS,
        "WET_REFLECTANCE": float(shading.WET_REFLECTANCE),
    }
    head = "#version 430 core\n" + "".join(f"#define {name} {value}\n" for name, value in constants.items())
    head += "#define PARALLEL\n" if parallel else ""

    def program(vertex: list[str], fragment: list[str], define: str = "") -> Any:
        return context.program(
            vertex_shader=head + define + _source(vertex), fragment_shader=head + define + _source(fragment)
        )

    seen = ["seen.vert.glsl"], ["buffers.glsl", "seen.frag.glsl"]
    picture = ["buffers.glsl", "albedo.glsl", "cover.glsl", "light.glsl", "picture.frag.glsl"]
    return Programs(
        closed=program(*seen),
        cutout=program(*seen, "#define CUTOUT\n"),
        picture=program(["whole.vert.glsl"], picture),
    )


def _source(names: list[str]) -> str:
    folder = files(__package__)
    return "".join(folder.joinpath(name).read_text(encoding="utf-8") for name in names)


def set_uniforms(program: Any, values: dict[str, Any]) -> None:
    """Set a program's uniforms; those that the compiler found to be of no use are left out."""
    for name, value in values.items():
        if name in program:
            program[name].value = value
