"""A stage's triangles in the device's memory, kept up with what moves, and which of them a picture draws."""

from typing import Any

import numpy as np

from airsim_seg.builtin.rendering.gl.programs import Programs
from airsim_seg.builtin.rendering.materials import MaterialTable
from airsim_seg.builtin.rendering.stage import Stage
from airsim_seg.builtin.scene import Moment
from airsim_seg.types import Int32Array, Int64Array, UInt32Array

CORNERS, FACES, MATERIALS, OBJECTS, SWAYS = 0, 1, 2, 3, 6  # bindings in buffers.glsl
CORNER_BYTES = 9 * 4


class Geometry:
    """Triangles of one stage. Call with the context current."""

    def __init__(self, context: Any, stage: Stage, table: MaterialTable) -> None:
        """Upload.

        Args:
            context: a moderngl.Context.
            stage: what to draw; its arrays are read again by move.
            table: of the materials.
        """
        scene = stage.scene
        see_through = table.cutout[scene.materials] >= 0
        self._corners = context.buffer(np.ascontiguousarray(stage.movement.placed.corners_m))
        self._faces = context.buffer(stage.surfaces.faces)
        self._objects = context.buffer(np.ascontiguousarray(scene.object_index, np.int32))
        self._uv = context.buffer(np.ascontiguousarray(scene.uv))
        self._sways = context.buffer(np.repeat(stage.sways, 3).astype(np.uint32))
        self._order = context.buffer(_order(scene.chunks, see_through))
        # Closed triangles come first in every chunk: they need no mask, and their backs are never drawn.
        self._starts = scene.chunks[:, 0].astype(np.int64)
        self._lengths = np.diff(scene.chunks, axis=1)[:, 0].astype(np.int64)
        self._holed = np.add.reduceat(see_through, self._starts).astype(np.int64)
        self._commands = context.buffer(reserve=2 * 20 * len(scene.chunks), dynamic=True)
        self._arrays: dict[Programs, tuple[Any, Any]] = {}

    def move(self, stage: Stage, before: Moment, now: Moment) -> None:
        """Upload the triangles of what is elsewhere than it was.

        Args:
            stage: of the upload; it has followed `now`.
            before: the moment of the last call, or of the upload.
            now: a moment with the same things spawned.
        """
        changed = _changed(before, now, len(stage.scene.objects))
        if not changed:
            return
        corners, faces = stage.movement.placed.corners_m, stage.surfaces.faces
        for first, stop in _runs(stage.movement.parts(changed).triangles):
            self._corners.write(corners[first:stop], offset=first * CORNER_BYTES)
            self._faces.write(faces[first:stop], offset=first * faces.strides[0])

    def relight(self, stage: Stage) -> None:
        """Upload what the light has left on leaves."""
        self._faces.write(stage.surfaces.faces)

    def bind(self) -> None:
        """Let the programs read the triangles."""
        self._corners.bind_to_storage_buffer(CORNERS)
        self._faces.bind_to_storage_buffer(FACES)
        self._objects.bind_to_storage_buffer(OBJECTS)
        self._sways.bind_to_storage_buffer(SWAYS)

    def _arrays_for(self, context: Any, programs: Programs) -> tuple[Any, Any]:
        """What the programs of closed and of see-through triangles draw."""
        if programs not in self._arrays:
            corner, uv, sway = (
                (self._corners, "3f", "corner_m"),
                (self._uv, "2f", "texture_uv"),
                (self._sways, "1u", "sway"),
            )
            self._arrays[programs] = (
                context.vertex_array(programs.closed, [corner, sway], self._order),
                context.vertex_array(programs.cutout, [corner, uv, sway], self._order),
            )
        return self._arrays[programs]

    def draw(self, context: Any, programs: Programs, visible: Int32Array) -> None:
        """Draw chunks into the bound framebuffer, those without holes first.

        Args:
            context: a moderngl.Context.
            programs: of the kind of view.
            visible: int32 [V], nearest first: what is drawn first saves the device work behind it.
        """
        holed = self._holed[visible]
        closed = self._lengths[visible] - holed
        closed_array, cutout_array = self._arrays_for(context, programs)
        parts = (
            (closed_array, self._starts[visible], closed, context.DEPTH_TEST | context.CULL_FACE),
            (cutout_array, self._starts[visible] + closed, holed, context.DEPTH_TEST),
        )
        offset = 0
        for array, starts, counts, flags in parts:
            commands = _commands(starts[counts > 0], counts[counts > 0])
            if len(commands):
                context.enable_only(flags)
                self._commands.write(commands, offset=offset)
                array.render_indirect(self._commands, context.TRIANGLES, count=len(commands), first=offset // 20)
                offset += commands.nbytes

    def release(self) -> None:
        """Give the memory back."""
        for held in (
            *(array for pair in self._arrays.values() for array in pair),
            self._corners,
            self._faces,
            self._objects,
            self._uv,
            self._sways,
        ):
            held.release()
        self._order.release()
        self._commands.release()


def _order(chunks: Int32Array, see_through: Any) -> UInt32Array:
    """uint32 [3T], corners of the triangles chunk by chunk, closed ones first."""
    chunk_of = np.repeat(np.arange(len(chunks)), np.diff(chunks, axis=1)[:, 0])
    order = np.lexsort((see_through, chunk_of))
    return (3 * order[:, None] + np.arange(3)).astype(np.uint32)


def _commands(starts: Int64Array, counts: Int64Array) -> UInt32Array:
    """uint32 [D,5] for glMultiDrawElementsIndirect: corners, instances, first corner, base vertex, base instance."""
    commands = np.zeros((len(starts), 5), np.uint32)
    commands[:, 0], commands[:, 1], commands[:, 2] = 3 * counts, 1, 3 * starts
    return commands


def _changed(before: Moment, now: Moment, num_objects: int) -> list[int]:
    """Objects of the stage that are not where they were."""

    def state(moment: Moment, placements: dict[int, bytes], index: int) -> bytes | None:
        return b"hidden" if index in moment.hidden else placements.get(index)

    was, are = ({k: m.tobytes() for k, m in moment_placements(moment).items()} for moment in (before, now))
    named = was.keys() | are.keys() | before.hidden | now.hidden
    return [k for k in sorted(named) if 0 <= k < num_objects and state(before, was, k) != state(now, are, k)]


def moment_placements(moment: Moment) -> dict[int, Any]:
    """Where a moment has things, its copies included."""
    return {**moment.placements, **{copy.index: copy.placement for copy in moment.spawned}}


def _runs(numbers: Int64Array) -> list[tuple[int, int]]:
    """Ascending stretches of consecutive numbers, each as its first and the one after its last."""
    cuts = np.flatnonzero(np.diff(numbers) != 1) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(numbers, cuts) if len(part)]
