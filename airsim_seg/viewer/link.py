"""What the viewer asks of a simulator, as calls with types; AirSim's names, units and quirks end here."""

import asyncio
import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np

from airsim_seg.simulators.pictures import DEPTH_PLANAR, SCENE, SEGMENTATION, pose_of, quaternion_wxyz
from airsim_seg.simulators.rpc import RefusedCall
from airsim_seg.types import Float64Array, Pose
from airsim_seg.viewer.rpc import RpcClient

Kind = Literal["drone", "car", "camera"]
# Compiling kernels or loading textures may stand between the first picture and its answer.
PICTURE_TIMEOUT_S = 60.0
_PENDING_NAMES = 64  # questions for ids under way at once


@dataclass(frozen=True)
class Identity:
    """Who answers.

    Attributes:
        kind: of the vehicle, and so of the controls.
        vehicle: the name that calls use; "" is the default vehicle.
        vehicles: every name there is.
        environment: the world, where the simulator tells it; AirSim does not, "".
        is_builtin: the built-in simulator answers.
    """

    kind: Kind
    vehicle: str
    vehicles: tuple[str, ...]
    environment: str
    is_builtin: bool


@dataclass(frozen=True, eq=False)
class Motion:
    """How the vehicle moves, in its own NED.

    Attributes:
        pose: of its body.
        velocity_mps: float64 [3], north, east, down.
    """

    pose: Pose
    velocity_mps: Float64Array


class Link:
    """One vehicle of one connected simulator. Every method may raise SimulatorLost and RefusedCall."""

    def __init__(self, rpc: RpcClient, identity: Identity) -> None:
        self.rpc = rpc
        self.identity = identity

    async def motion(self) -> Motion:
        """The true motion; unlike getMultirotorState, asking takes no collision away from another program.

        Raises:
            RefusedCall: it is not finite, as a real AirSim's can become; only a reset helps there.
        """
        state = await self._of_vehicle("simGetGroundTruthKinematics")
        velocity = state["linear_velocity"]
        velocity_mps = np.array([float(velocity[key]) for key in ("x_val", "y_val", "z_val")])
        pose = pose_of(_attributes(state))
        if not np.isfinite([*pose.position_m, *pose.orientation_wxyz, *velocity_mps]).all():
            raise RefusedCall("the vehicle's pose or speed is not a finite number: reset the simulator.")
        return Motion(pose, velocity_mps)

    async def images(self, camera: str, *, depth: bool = False) -> list[Any]:
        """Scene and Segmentation (and DepthPlanar) of one instant, shaped as airsim.ImageResponse."""
        wanted = [(SCENE, False), (SEGMENTATION, False), *([(DEPTH_PLANAR, True)] if depth else [])]
        requests = [
            {"camera_name": camera, "image_type": kind, "pixels_as_float": floats, "compress": False}
            for kind, floats in wanted
        ]
        answer = await self.rpc.call(
            "simGetImages", requests, self.identity.vehicle, False, timeout_s=PICTURE_TIMEOUT_S
        )
        return [_attributes(response) for response in answer]

    async def camera_info(self, camera: str) -> tuple[Pose, float]:
        """A camera's pose in the vehicle's NED and its horizontal field of view in degrees.

        A real AirSim ends with a segmentation fault where there is no such camera: ask for "0" to "4" alone.
        """
        info = await self.rpc.call("simGetCameraInfo", camera, self.identity.vehicle, False)
        return pose_of(_attributes(info["pose"])), float(info["fov"])

    async def mount_camera(self, camera: str, on_body: Pose) -> None:
        """Put a camera somewhere else on its vehicle: forward, right and down of the body."""
        await self.rpc.call("simSetCameraPose", camera, pose_map(on_body), self.identity.vehicle, False)

    async def place(self, pose: Pose) -> None:
        """Put the vehicle at a pose in its NED, through whatever stands there."""
        await self.rpc.call("simSetVehiclePose", pose_map(pose), True, self.identity.vehicle)

    async def is_paused(self) -> bool:
        """Whether the clock stands."""
        return bool(await self.rpc.call("simIsPaused"))

    async def collided_with(self) -> str | None:
        """The name of what the vehicle hit since somebody last asked; None where it hit nothing."""
        info = await self._of_vehicle("simGetCollisionInfo")
        return str(info["object_name"]) or "something" if info["has_collided"] else None

    async def is_landed(self) -> bool:
        """A drone stands on the ground. Takes the collision away, as collided_with does."""
        return int((await self._of_vehicle("getMultirotorState"))["landed_state"]) == 0

    async def car_state(self) -> tuple[float, int]:
        """Speed in metres a second, negative backwards, and gear."""
        state = await self._of_vehicle("getCarState")
        return float(state["speed"]), int(state["gear"])

    async def take_control(self) -> None:
        """Make the vehicle obey this program."""
        if not await self._of_vehicle("isApiControlEnabled"):
            await self.rpc.call("enableApiControl", True, self.identity.vehicle)
        await self.rpc.call("armDisarm", True, self.identity.vehicle)

    async def fly(
        self, forward_mps: float, right_mps: float, down_mps: float, yaw_rate_dps: float, duration_s: float
    ) -> bool:
        """Keep a velocity along the heading; returns when the time is over (True) or another move came (False)."""
        yaw_mode = {"is_rate": True, "yaw_or_rate": yaw_rate_dps}
        velocity = (forward_mps, right_mps, down_mps)
        any_heading = 0  # DrivetrainType.MaxDegreeOfFreedom
        return bool(
            await self.rpc.call(
                "moveByVelocityBodyFrame",
                *velocity,
                duration_s,
                any_heading,
                yaw_mode,
                self.identity.vehicle,
                timeout_s=None,
            )
        )

    async def hover(self) -> None:
        """Hold the place."""
        await self._of_vehicle("hover")

    async def land(self) -> None:
        """Sink to the ground; returns when a drone stands there or has another order."""
        await self.rpc.call("land", 60.0, self.identity.vehicle, timeout_s=None)

    async def drive(self, throttle: float, steering: float, brake: float, *, handbrake: bool = False) -> None:
        """Work a car's pedals.

        Args:
            throttle: 0..1 ahead, -1..0 in reverse gear.
            steering: -1..1, positive to the right.
            brake: 0..1.
            handbrake: pulled.
        """
        controls = {
            "throttle": throttle,
            "steering": steering,
            "brake": brake,
            "handbrake": handbrake,
            "is_manual_gear": throttle < 0,
            "manual_gear": -1 if throttle < 0 else 0,
            "gear_immediate": True,
        }
        await self.rpc.call("setCarControls", controls, self.identity.vehicle)

    async def objects(self) -> list[tuple[str, int]]:
        """Every actor's name and raw id; AirSim finds an id by the lower-cased name alone."""
        names = sorted(await self.rpc.call("simListSceneObjects", ".*"))
        slots = asyncio.Semaphore(_PENDING_NAMES)

        async def id_of(name: str) -> int:
            async with slots:
                return int(await self.rpc.call("simGetSegmentationObjectID", name.lower(), timeout_s=None))

        ids = await asyncio.gather(*(id_of(name) for name in names))
        return [(name, raw_id) for name, raw_id in zip(names, ids, strict=True) if raw_id >= 0]

    async def _of_vehicle(self, method: str) -> Any:
        return await self.rpc.call(method, self.identity.vehicle)


async def identify(rpc: RpcClient, vehicle: str = "") -> Identity:
    """Find out who answers.

    Args:
        rpc: connected.
        vehicle: whose camera is shown; "" is the default vehicle.

    Raises:
        SimulatorLost: nobody any more.
        RefusedCall: there is no such vehicle.
    """
    names = tuple(str(name) for name in await rpc.call("listVehicles"))
    if vehicle and vehicle not in names:
        raise RefusedCall(f"the simulator at {rpc.address} has no vehicle {vehicle!r}: it has {', '.join(names)}.")
    settings = await _settings(rpc)
    is_builtin = settings.get("Simulator") == "airsim-seg"
    environment = str(settings.get("Environment", "")) if is_builtin else ""
    return Identity(await _kind(rpc, vehicle), vehicle, names, environment, is_builtin)


async def _kind(rpc: RpcClient, vehicle: str) -> Kind:
    """Each mode answers its own names only, whatever its settings say or leave out (SimMode*.cpp)."""
    probes: tuple[tuple[Kind, str], ...] = (("drone", "getRotorStates"), ("car", "getCarControls"))
    for kind, method in probes:
        try:
            await rpc.call(method, vehicle)
        except RefusedCall:
            continue
        return kind
    return "camera"


async def _settings(rpc: RpcClient) -> dict[str, Any]:
    try:
        parsed = json.loads(await rpc.call("getSettingsString"))
    except (RefusedCall, ValueError):
        return {}
    return parsed if isinstance(parsed, dict) else {}


def pose_map(pose: Pose) -> dict[str, dict[str, float]]:
    """A Pose as AirSim takes it."""
    north, east, down = (float(value) for value in pose.position_m)
    w, x, y, z = (float(value) for value in pose.orientation_wxyz)
    return {
        "position": {"x_val": north, "y_val": east, "z_val": down},
        "orientation": {"w_val": w, "x_val": x, "y_val": y, "z_val": z},
    }


def on_body(camera: Pose, body: Pose) -> Pose:
    """Where a camera sits on a body: its pose in the body's axes, of two poses in one frame."""
    back = body.rotation().T
    return Pose(back @ (camera.position_m - body.position_m), quaternion_wxyz(back @ camera.rotation()))


def _attributes(value: Any) -> Any:
    """Maps as objects with attributes, as the official client gives them."""
    if not isinstance(value, dict):
        return value
    return SimpleNamespace(**{str(key): _attributes(inner) for key, inner in value.items()})
