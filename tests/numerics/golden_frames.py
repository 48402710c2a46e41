"""A few frames of every environment over its own RPCs, and what they must be: the same on every x86-64 machine.

python tests/numerics/golden_frames.py renew    writes golden.json anew, for worlds that were changed on purpose
python tests/numerics/golden_frames.py draw FILE.npz [noise]    draws the frames, for the test
"""

import asyncio
import hashlib
import importlib
import json
import pkgutil
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from airsim_seg.builtin import environments
from airsim_seg.builtin.api import Dispatcher
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_recording import Recorder
from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Renderer, Scene
from airsim_seg.builtin.serving import rpc_methods
from airsim_seg.builtin.settings import CaptureSettings, Settings, SimMode, VehicleSettings
from airsim_seg.builtin.world import World

GOLDEN = Path(__file__).with_name("golden.json")
SIZE_HW = (144, 192)
SCENE, SEGMENTATION = 0, 5
COPY_ID = 201
Call = Callable[..., Awaitable[Any]]


class Frames:
    """What was seen, by kind, one element a picture."""

    def __init__(self) -> None:
        self.ids: list[Any] = []
        self.rgb: list[Any] = []
        self.poses: list[list[float]] = []
        self.stamps: list[int] = []

    def add(self, responses: list[dict[str, Any]]) -> None:
        """Keep the Scene and the Segmentation picture of one call."""
        for response in responses:
            _, data = response["image_data_uint8"].buffers
            kept = self.ids if response["image_type"] == SEGMENTATION else self.rgb
            kept.append(np.frombuffer(data, np.uint8).reshape(*SIZE_HW, 3))
        response = responses[-1]
        self.poses.append([*response["camera_position"].values(), *response["camera_orientation"].values()])
        self.stamps.append(response["time_stamp"])

    def arrays(self) -> dict[str, Any]:
        """uint8 [N,H,W,3] ids (as palette colours) and rgb, float64 [N,7] poses, int64 [N] stamps."""
        return {
            "ids": np.array(self.ids),
            "rgb": np.array(self.rgb),
            "poses": np.array(self.poses),
            "stamps": np.array(self.stamps, np.int64),
        }


def pose(north: float, east: float, down: float, *turn: float) -> dict[str, Any]:
    """A Pose of the wire; turn is w, x, y, z and need not be a unit."""
    w, x, y, z = turn or (1.0, 0.0, 0.0, 0.0)
    return {
        "position": {"x_val": north, "y_val": east, "z_val": down},
        "orientation": {"w_val": w, "x_val": x, "y_val": y, "z_val": z},
    }


async def fly(call: Call, look: Callable[[], Awaitable[None]]) -> None:
    """A drone takes off, flies off and turns."""
    await call("enableApiControl", True, "")
    await call("armDisarm", True, "")
    moves: list[tuple[str, Any]] = [
        ("takeoff", (10.0, "")),
        ("moveByVelocityZ", (3.0, 1.5, -6.0, 1.2, 0, {"is_rate": True, "yaw_or_rate": 25.0}, "")),
        ("moveToPosition", (6.0, -4.0, -9.0, 5.0, 9.0, 1, {"is_rate": False, "yaw_or_rate": 0.0}, -1.0, 1.0, "")),
    ]
    for name, arguments in moves:
        move = asyncio.ensure_future(call(name, *arguments))
        await asyncio.sleep(0)
        await call("simContinueForTime", 1.3)
        await look()
        move.cancel()


async def drive(call: Call, look: Callable[[], Awaitable[None]]) -> None:
    """A car sets off and steers."""
    await call("enableApiControl", True, "")
    for steering in (0.0, 0.4):
        await call("setCarControls", {"throttle": 0.7, "steering": steering}, "")
        await call("simContinueForTime", 1.7)
        await look()


async def wander(call: Call, look: Callable[[], Awaitable[None]]) -> None:
    """A camera looks along, down and over its shoulder, at traffic, at what was moved and at copies, in rain."""
    names = await call("simListSceneObjects", ".*")
    moved = names[len(names) // 3]
    await call("simSetVehiclePose", pose(0.1, 0.2, -2.0, 0.8, 0.05, -0.03, 0.6), True, "")
    await look()
    await call(
        "simSpawnObject",
        "Copy",
        (await call("simListAssets"))[0],
        pose(4, 1, 0),
        {"x_val": 1.3, "y_val": 1, "z_val": 1},
        False,
        False,
    )
    await call("simSetSegmentationObjectID", "Copy", COPY_ID, False)
    await call("simSetObjectPose", moved, pose(7.0, -2.0, 0.3, 0.9, 0.0, 0.1, 0.4), True)
    await call("simSetVehiclePose", pose(-3.0, 0.0, -4.3, 1.0, 0.0, -0.15, 0.02), True, "")
    await look()
    await call("simContinueForTime", 7.7)
    await call("simEnableWeather", True)
    await call("simSetWeatherParameter", 0, 0.6)
    await call("simSetCameraFov", "", 120.0, "", False)
    await call("simSetVehiclePose", pose(-20.0, 5.0, -35.0, 0.75, 0.1, -0.6, 0.1), True, "")
    await look()


SCENARIOS: dict[SimMode, Any] = {"Multirotor": fly, "Car": drive, "ComputerVision": wander}


async def _play(scene: Scene, renderer: Renderer, mode: SimMode, frames: Frames) -> None:
    size = dict.fromkeys((SCENE, SEGMENTATION), CaptureSettings(SIZE_HW))
    world = World(scene, Settings(mode, {"V": VehicleSettings()}, size), paused=True)
    with ThreadPoolExecutor(1) as executor:
        cameras = CameraApi(world, renderer, executor)
        dispatch = Dispatcher(rpc_methods(world, cameras, Recorder(world, cameras)))

        async def call(name: str, *arguments: object) -> Any:
            return await dispatch(name, arguments)

        async def look() -> None:
            wanted = [{"image_type": kind, "compress": False} for kind in (SCENE, SEGMENTATION)]
            frames.add(await call("simGetImages", wanted, "", False))

        await SCENARIOS[mode](call, look)


def drawn(environment: str, renderer_of: Callable[[Scene], Renderer] = Rasteriser) -> dict[str, Any]:
    """The frames of one environment; see Frames.arrays."""
    scene, frames = build(environment, 0), Frames()
    renderer = renderer_of(scene)
    for mode in SCENARIOS:
        asyncio.run(_play(scene, renderer, mode, frames))
    return frames.arrays()


def digests(arrays: dict[str, Any]) -> dict[str, str]:
    """What golden.json holds of an environment: no colours, which may differ by 2 levels between processors."""
    return {kind: hashlib.sha256(arrays[kind].tobytes()).hexdigest() for kind in ("ids", "poses", "stamps")}


class NoisyNumpy:
    """numpy as some other processor may have it: elementary functions that are up to 4 units off in the last place."""

    _NOISY = ("sin", "cos", "tan", "exp", "log", "arctan", "arctan2", "arcsin", "arccos", "hypot", "power", "cbrt")

    def __init__(self) -> None:
        self._rng = np.random.default_rng(5)

    def __getattr__(self, name: str) -> Any:
        original = getattr(np, name)
        if name not in self._NOISY:
            return original

        def noisy(*arguments: Any, **options: Any) -> Any:
            exact = original(*arguments, **options)
            return exact * (1.0 + self._rng.integers(-4, 5, np.shape(exact)) * np.finfo(np.float64).eps)

        return noisy


def make_noise() -> None:
    """Let whoever builds the worlds have another processor's numpy."""
    for found in pkgutil.iter_modules(environments.__path__, f"{environments.__name__}."):
        importlib.import_module(found.name)
    for name, module in list(sys.modules.items()):
        if name.startswith("airsim_seg.builtin.environments.") and hasattr(module, "np"):
            module.np = NoisyNumpy()  # type: ignore[attr-defined]


def main(command: str, *arguments: str) -> None:
    """See the top of this file."""
    if "noise" in arguments:
        make_noise()
    frames = {environment: drawn(environment) for environment in ENVIRONMENTS}
    if command == "renew":
        GOLDEN.write_text(json.dumps({name: digests(arrays) for name, arrays in frames.items()}, indent=2) + "\n")
    else:
        named = {f"{name}/{kind}": array for name, arrays in frames.items() for kind, array in arrays.items()}
        np.savez_compressed(arguments[0], **named)


if __name__ == "__main__":
    main(*sys.argv[1:])
