"""A few frames of every environment over its own RPCs, and what they must be: the same on every x86-64 machine.

Two more sets of frames show the bodies of vehicles, as another vehicle and an external camera see them; with them come
readings of sensors.

python tests/numerics/golden_frames.py renew    writes golden.json anew, for worlds that were changed on purpose
python tests/numerics/golden_frames.py draw FILE.npz [noise]    draws the frames, for the test
"""

import asyncio
import hashlib
import importlib
import json
import pkgutil
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from golden_scenarios import FLOAT32, SCENARIOS, SCENARIOS_OF_TWO, read_sensors

from airsim_seg.builtin import environments
from airsim_seg.builtin.api import Dispatcher
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_recording import Recorder
from airsim_seg.builtin.bodies import with_bodies
from airsim_seg.builtin.camera_settings import CameraSettings
from airsim_seg.builtin.environments import ENVIRONMENTS, build
from airsim_seg.builtin.rendering.rasteriser import Rasteriser
from airsim_seg.builtin.scene import Renderer, Scene
from airsim_seg.builtin.sensors import parameters
from airsim_seg.builtin.serving import rpc_methods
from airsim_seg.builtin.settings import CaptureSettings, Settings, SimMode, VehicleSettings
from airsim_seg.builtin.sun import sun_position, towards
from airsim_seg.builtin.world import World
from airsim_seg.types import Pose

GOLDEN = Path(__file__).with_name("golden.json")
SIZE_HW = (144, 192)
SCENE, DEPTH_PLANAR, SEGMENTATION = 0, 1, 5
# 20 June 2024, 20 h UTC: noon where AirSim's worlds are.
NOON_S = 1_718_913_600
# Not in golden.json: colours may differ by 2 levels between processors, and noise between versions of numpy.
NOT_GOLDEN = ("rgb", "readings")
SENSORS = {
    "imu": parameters.ImuSettings(),
    "gps": parameters.GpsSettings(),
    "barometer": parameters.BarometerSettings(),
    "magnetometer": parameters.MagnetometerSettings(),
    "distance": parameters.DistanceSettings(),
    "lidar": parameters.LidarSettings(points_per_second=20_000),
}
# Where the other vehicle starts, and where the external camera stands.
OTHER_M: dict[SimMode, tuple[float, float, float]] = {"Multirotor": (2.1, -0.5, 0.0), "Car": (9.0, -1.0, 0.0)}
BESIDE: dict[SimMode, Pose] = {
    "Multirotor": Pose.from_euler((1.4, 1.7, -2.2), yaw_rad=-1.1, pitch_rad=-0.2),
    "Car": Pose.from_euler((6.0, 6.0, -3.0), yaw_rad=-0.7, pitch_rad=-0.3),
}


class Frames:
    """What was seen, by kind, one element a picture."""

    def __init__(self) -> None:
        self.ids: list[Any] = []
        self.rgb: list[Any] = []
        self.depths: list[Any] = []
        self.poses: list[list[float]] = []
        self.stamps: list[int] = []

    def add(self, responses: list[dict[str, Any]]) -> None:
        """Keep the pictures of one call."""
        for response in responses:
            if response["image_type"] == DEPTH_PLANAR:
                _, data = response["image_data_float"].buffers
                self.depths.append(np.frombuffer(data, FLOAT32)["value"].astype(np.float32).reshape(SIZE_HW))
                continue
            _, data = response["image_data_uint8"].buffers
            kept = self.ids if response["image_type"] == SEGMENTATION else self.rgb
            kept.append(np.frombuffer(data, np.uint8).reshape(*SIZE_HW, 3))
        response = responses[-1]
        self.poses.append([*response["camera_position"].values(), *response["camera_orientation"].values()])
        self.stamps.append(response["time_stamp"])

    def arrays(self) -> dict[str, Any]:
        """uint8 [N,H,W,3] ids (as palette colours) and rgb, float64 [N,7] poses, int64 [N] stamps.

        Where depth was asked for, float32 [N,H,W] depths, too.
        """
        depths = {"depths": np.array(self.depths)} if self.depths else {}
        return {
            "ids": np.array(self.ids),
            "rgb": np.array(self.rgb),
            "poses": np.array(self.poses),
            "stamps": np.array(self.stamps, np.int64),
            **depths,
        }


async def _play(world: World, renderer: Renderer, scenario: Any, frames: Frames) -> list[float]:
    """Keep what is looked at, and give what is read."""
    with ThreadPoolExecutor(1) as executor:
        cameras = CameraApi(world, renderer, executor)
        dispatch = Dispatcher(rpc_methods(world, cameras, Recorder(world, cameras)))

        async def call(name: str, *arguments: object) -> Any:
            return await dispatch(name, arguments)

        async def look(camera: str = "", vehicle: str = "", external: bool = False) -> None:
            wanted = [
                {"camera_name": camera, "image_type": kind, "compress": False, "pixels_as_float": kind == DEPTH_PLANAR}
                for kind in world.settings.captures
            ]
            frames.add(await call("simGetImages", wanted, vehicle, external))

        await scenario(call, look)
        return await read_sensors(call) if "Other" in world.vehicles else []


@lru_cache(maxsize=1)
def _built(environment: str) -> Scene:
    return build(environment, 0)


def drawn(environment: str, renderer_of: Callable[[Scene], Renderer] = Rasteriser) -> dict[str, Any]:
    """The frames of one environment; see Frames.arrays."""
    scene, frames = _built(environment), Frames()
    renderer = renderer_of(scene)
    size = dict.fromkeys((SCENE, SEGMENTATION), CaptureSettings(SIZE_HW))
    for mode, scenario in SCENARIOS.items():
        world = World(scene, Settings(mode, {"V": VehicleSettings()}, size), paused=True)
        asyncio.run(_play(world, renderer, scenario, frames))
    return frames.arrays()


def drawn_bodies(mode: SimMode) -> dict[str, Any]:
    """Frames that show a vehicle's body, see Frames.arrays, and float64 [R]: what sensors read, where the sun is."""
    vehicles = {"First": VehicleSettings(sensors=SENSORS), "Other": VehicleSettings(Pose.from_euler(OTHER_M[mode]))}
    size = dict.fromkeys((SCENE, SEGMENTATION, DEPTH_PLANAR), CaptureSettings(SIZE_HW))
    eye = {"Beside": CameraSettings(BESIDE[mode], size)}
    scene, frames = with_bodies(_built("Neighborhood"), mode, vehicles), Frames()
    world = World(scene, Settings(mode, vehicles, size, external_cameras=eye), paused=True)
    readings = asyncio.run(_play(world, Rasteriser(scene), SCENARIOS_OF_TWO[mode], frames))
    for hour in range(24):
        readings += towards(sun_position(NOON_S + 3600 * hour, *world.home[:2]))
    return frames.arrays() | {"readings": np.array(readings)}


# What golden.json has: every environment, and what else there is to see.
SIGHTS: dict[str, Callable[[], dict[str, Any]]] = {name: partial(drawn, name) for name in ENVIRONMENTS} | {
    "two drones": partial(drawn_bodies, "Multirotor"),
    "two cars": partial(drawn_bodies, "Car"),
}


def digests(arrays: dict[str, Any]) -> dict[str, str]:
    """What golden.json holds of a sight."""
    golden = {kind: array for kind, array in arrays.items() if kind not in NOT_GOLDEN}
    return {kind: hashlib.sha256(array.tobytes()).hexdigest() for kind, array in golden.items()}


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
    frames = {sight: draw() for sight, draw in SIGHTS.items()}
    if command == "renew":
        GOLDEN.write_text(json.dumps({name: digests(arrays) for name, arrays in frames.items()}, indent=2) + "\n")
    else:
        named = {f"{name}/{kind}": array for name, arrays in frames.items() for kind, array in arrays.items()}
        np.savez_compressed(arguments[0], **named)


if __name__ == "__main__":
    main(*sys.argv[1:])
