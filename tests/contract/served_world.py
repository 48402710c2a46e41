"""The built-in server in a thread of this process, with a world of a few boxes and a renderer that paints formulas."""

import asyncio
import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import airsim
import numpy as np

from airsim_seg.builtin.scene import FAR_DEPTH_M, STILL, Moment, Picture, Renderer, Scene, SceneObject, View
from airsim_seg.builtin.server import bind
from airsim_seg.builtin.serving import Simulator
from airsim_seg.builtin.settings import Settings
from airsim_seg.builtin.strict_world import StrictWorld
from airsim_seg.builtin.strictness import LENIENT, Strictness
from airsim_seg.builtin.switches import Switches
from airsim_seg.builtin.world import World
from airsim_seg.types import Pose

NAMES = ("Ground", "Tree_1", "Tree_2", "tree_3", "Orangeball", "default_thing", "")
DEADLINE_S = 20.0


def tiny_scene() -> Scene:
    """Seven named points on a slope that falls 1 m in 10 m to the east; the player starts at (100, 50), nose north."""
    nothing = np.zeros((1, 3, 3), np.float32)
    return Scene(
        environment="Tiny",
        seed=0,
        triangles_m=nothing,
        normals=nothing,
        uv=np.zeros((1, 3, 2), np.float32),
        materials=np.zeros(1, np.int32),
        object_index=np.zeros(1, np.int32),
        tints=np.ones((len(NAMES), 3), np.float32),
        chunks=np.array([[0, 1]], np.int32),
        objects=tuple(SceneObject(name, (100.0 + i, 50.0, 5.0)) for i, name in enumerate(NAMES)),
        player_start=Pose.from_euler((100.0, 50.0, 5.0)),
        ground_down_m=lambda north_m, east_m: east_m / 10,  # noqa: ARG005
    )


@dataclass
class FormulaRenderer:
    """Paints what a formula says, so that a test can say what must arrive; `open` holds it up while it is clear."""

    name: str = "formula"
    open: threading.Event = field(default_factory=threading.Event)
    started: threading.Event = field(default_factory=threading.Event)
    views: list[View] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()

    def render(self, view: View, moment: Moment = STILL, *, normals: bool = False) -> Picture:  # noqa: ARG002
        self.started.set()
        assert self.open.wait(DEADLINE_S)
        self.views.append(view)
        return painted(view)


def painted(view: View) -> Picture:
    height, width = view.size_hw
    row, column = np.mgrid[0:height, 0:width]
    north = round(float(view.pose.position_m[0]) * 10) % 256
    rgb = np.stack([column % 256, row % 256, np.full_like(row, north)], -1).astype(np.uint8)
    index = (column // 8 % (len(NAMES) + 1) - 1).astype(np.int32)
    depth = np.where(index < 0, FAR_DEPTH_M, 1 + row + column / 1024).astype(np.float32)
    return Picture(rgb, index, depth)


@dataclass
class Running:
    """A served world as a test sees it."""

    world: World
    renderer: Any
    port: int
    method_names: frozenset[str]
    loop: asyncio.AbstractEventLoop
    clients: list[airsim.VehicleClient] = field(default_factory=list)

    def client(self, kind: type = airsim.VehicleClient) -> airsim.VehicleClient:
        """An unmodified client; connected at its first call, closed with the test."""
        client = kind(port=self.port, timeout_value=DEADLINE_S)
        self.clients.append(client)
        return client


class Host:
    """Runs one Simulator in a thread with an event loop of its own."""

    def __init__(
        self,
        settings: Settings,
        renderer: Renderer,
        *,
        paused: bool,
        scene: Scene | None = None,
        strictness: Strictness = LENIENT,
        switches: Switches | None = None,
    ) -> None:
        self._strictness, self._switches = strictness, switches
        self._started = threading.Event()
        self._scene = tiny_scene() if scene is None else scene
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(settings, renderer, paused)))
        self._thread.start()
        assert self._started.wait(DEADLINE_S)

    async def _serve(self, settings: Settings, renderer: Renderer, paused: bool) -> None:
        if self._strictness == LENIENT:
            world = World(self._scene, settings, paused=paused)
        else:
            world = StrictWorld(self._scene, settings, paused=paused, strictness=self._strictness)
        self._stop = asyncio.Event()
        async with Simulator(world, renderer, bind(0), self._switches) as simulator:
            loop = asyncio.get_running_loop()
            self.running = Running(world, renderer, simulator.port, simulator.method_names, loop)
            self._started.set()
            await self._stop.wait()

    def close(self) -> None:
        for client in self.running.clients:
            client.client.close()
            client.client._loop.dettach_periodic_callback()
        self.running.loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive(), "the server did not end"


Serve = Callable[..., Running]


def position(client: airsim.VehicleClient) -> airsim.Vector3r:
    """Where the default vehicle is, as the client's Vector3r."""
    return client.simGetGroundTruthKinematics().position


def yaw_deg(client: airsim.VehicleClient) -> float:
    """The default vehicle's heading."""
    return math.degrees(airsim.to_eularian_angles(client.simGetVehiclePose().orientation)[2])
