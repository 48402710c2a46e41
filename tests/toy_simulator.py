"""A process that serves the toy world over RPC as `airsim-seg sim` serves its own. Argument: its parent's pid."""

import asyncio
import sys

import numpy as np
from toy_world import NAMES, ToyWorld

from airsim_seg.builtin.scene import SKY_INDEX, STILL, Moment, Picture, Scene, SceneObject, View
from airsim_seg.builtin.server import bind
from airsim_seg.builtin.serving import serve_until_stopped
from airsim_seg.builtin.settings import CaptureSettings, Settings, VehicleSettings
from airsim_seg.builtin.world import World
from airsim_seg.simulators.base import Camera
from airsim_seg.types import Pose

SIZE_HW = (48, 64)


class ToyRenderer:
    """Draws with the toy world's rays."""

    name = "toy"

    def __init__(self) -> None:
        self._world = ToyWorld()
        self._index_of_id = np.full(256, SKY_INDEX, np.int32)
        self._index_of_id[[raw_id for _, raw_id in NAMES]] = range(len(NAMES))

    def render(self, view: View, moment: Moment = STILL, *, normals: bool = False) -> Picture:  # noqa: ARG002
        self._world.camera = Camera(view.size_hw, view.fov_deg)
        self._world.set_pose(view.pose)
        seen = self._world.capture(depth=True)
        assert seen.depth_m is not None
        return Picture(seen.rgb, self._index_of_id[seen.raw_ids], seen.depth_m)


def scene() -> Scene:
    """Names without triangles: the renderer knows what they look like."""
    return Scene(
        environment="Neighborhood",
        seed=0,
        triangles_m=np.zeros((1, 3, 3), np.float32),
        normals=np.zeros((1, 3, 3), np.float32),
        uv=np.zeros((1, 3, 2), np.float32),
        materials=np.zeros(1, np.int32),
        object_index=np.zeros(1, np.int32),
        tints=np.ones((len(NAMES), 3), np.float32),
        chunks=np.array([[0, 1]], np.int32),
        objects=tuple(SceneObject(name, (0.0, 0.0, 0.0)) for name, _ in NAMES),
        player_start=Pose.from_euler((0.0, 0.0, 0.0)),
        ground_down_m=lambda north_m, east_m: 0.0,  # noqa: ARG005
    )


async def main() -> None:
    captures = {kind: CaptureSettings(SIZE_HW) for kind in range(10)}
    settings = Settings("ComputerVision", {"ComputerVision": VehicleSettings()}, captures)
    world = World(scene(), settings, paused=True)
    await serve_until_stopped(
        world, ToyRenderer(), bind(0), lambda port: print("ready", port, flush=True), int(sys.argv[1])
    )


if __name__ == "__main__":
    asyncio.run(main())
