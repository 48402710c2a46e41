"""The RPCs of cameras and pictures."""

import asyncio
import math
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import TypeVar

from airsim_seg import elementary
from airsim_seg.builtin import images
from airsim_seg.builtin.api import Method, Methods, method, sim_vehicle
from airsim_seg.builtin.arguments import (
    ApiError,
    boolean,
    field,
    fields,
    finite,
    integer,
    list_of,
    pose,
    pose_map,
    text,
)
from airsim_seg.builtin.bodies import sits_inside
from airsim_seg.builtin.camera_settings import MAX_FOV_DEG, MIN_FOV_DEG, NUM_IMAGE_TYPES, CaptureSettings
from airsim_seg.builtin.cameras import Camera, camera_at
from airsim_seg.builtin.geometry import shifted
from airsim_seg.builtin.scene import Moment, Renderer, View
from airsim_seg.builtin.shots import SCENE, SEGMENTATION, ImageRequest, Shot
from airsim_seg.builtin.world import World
from airsim_seg.types import Float64Array, Pose, UInt8Array

# Unreal's GNearClippingPlane, centimetres; the far plane is at infinity.
NEAR_CM = 10.0
# An eighth of UE 4's WORLD_MAX: as far as the matrix of an orthographic camera says, whose near plane is at 0. Here
# pictures go on beyond it.
ORTHO_FAR_CM = 262_144.0
CM_PER_M = 100.0
MAX_REQUESTS = 64
_WORLD = Pose.from_euler((0.0, 0.0, 0.0))

T = TypeVar("T")


def image_type(value: object) -> int:
    """One of AirSim's image types.

    Raises:
        ApiError: an integer that is none of them.
    """
    number = integer(value)
    if not 0 <= number < NUM_IMAGE_TYPES:
        raise ApiError(f"{number} is no image type: they run from 0 to {NUM_IMAGE_TYPES - 1}")
    return number


def image_request(value: object) -> ImageRequest:
    """An ImageRequest; missing keys are camera "", Scene, bytes, compressed (ImageCaptureBase.hpp)."""
    of = fields(value)
    return ImageRequest(
        field(of, "camera_name", text, ""),
        field(of, "image_type", image_type, SCENE),
        field(of, "pixels_as_float", boolean, False),
        field(of, "compress", boolean, True),
    )


class CameraApi:
    """Finds cameras, freezes what they see, and has it drawn in another thread: for these RPCs and for others'."""

    def __init__(self, world: World, renderer: Renderer, executor: Executor, colours: UInt8Array | None = None) -> None:
        """Take the world to look at.

        Args:
            world: poses, ids and clock, read in the event loop's thread only.
            renderer: draws its scene.
            executor: one worker thread, so that drawing blocks no call and pictures come in the order asked for.
            colours: uint8 [256,3], RGB of each id in the Segmentation image; None is AirSim's own table.
        """
        self._world = world
        self._renderer = renderer
        self._executor = executor
        self._colours = colours
        self._external = {name: camera_at(own.mount, own) for name, own in world.settings.external_cameras.items()}
        # By camera (they live as long as the world): what its last call saw, for optical flow.
        self._seen: dict[int, tuple[View, Moment]] = {}

    @property
    def renderer_name(self) -> str:
        """Of what draws, see Renderer."""
        return self._renderer.name

    def methods(self) -> Methods:
        """The table of this file."""
        of_camera = (text, text, boolean)
        table: dict[str, Method] = {
            "simGetImages": method(self.images, list_of(image_request), text, boolean),
            "simGetImage": method(self.image, text, image_type, text, boolean),
            "simGetCameraInfo": method(self.info, *of_camera),
            "simSetCameraPose": method(self.set_pose, text, pose, text, boolean),
            "simSetCameraFov": method(self.set_fov, text, finite, text, boolean),
        }
        return table

    def find(self, camera_name: str, vehicle_name: str, external: bool) -> Camera:
        """A camera of a vehicle, or with `external` of the world, whatever the vehicle.

        Raises:
            ApiError: no such camera or vehicle. Real AirSim dies of an unknown camera.
        """
        if external:
            if camera_name not in self._external:
                known = ", ".join(sorted(self._external)) or "none"
                raise ApiError(
                    f"there is no external camera '{camera_name}': ExternalCameras of settings.json has {known}"
                )
            return self._external[camera_name]
        vehicle = sim_vehicle(self._world, vehicle_name)
        camera = vehicle.cameras.get(camera_name)
        if camera is None:
            known = ", ".join(sorted(name for name in vehicle.cameras if name))
            raise ApiError(f"there is no camera '{camera_name}' on vehicle '{vehicle.name}', which has {known}")
        return camera

    def _frame(self, camera: Camera, vehicle_name: str, external: bool) -> tuple[Pose, Float64Array]:
        """A camera's pose in its vehicle's local NED, and where that begins; external ones are in the world's."""
        if external:
            return camera.pose_on(_WORLD), _WORLD.position_m
        vehicle = sim_vehicle(self._world, vehicle_name)
        return vehicle.camera_pose(camera), vehicle.origin_m

    def _carrier(self, camera: Camera, vehicle_name: str, external: bool) -> str:
        """The vehicle that a camera looks out of and does not see, or ""."""
        if external or not sits_inside(self._world.mode, camera.mount):
            return ""
        return sim_vehicle(self._world, vehicle_name).name

    def shot(self, request: ImageRequest, vehicle_name: str, external: bool) -> Shot:
        """Freeze what a request is to show: poses, ids, moment and clock of now.

        Raises:
            ApiError: see find.
        """
        camera, kind = self.find(request.camera_name, vehicle_name, external), request.image_type
        local_pose, origin_m = self._frame(camera, vehicle_name, external)
        in_scene = shifted(local_pose, origin_m + self._world.scene.player_start.position_m)
        capture = camera.capture(kind)
        warp, noise = camera.warp(capture), camera.noises.get(kind)
        seen_hw, seen_deg = (capture.size_hw, capture.fov_deg) if warp is None else (warp.wide_hw, warp.wide_fov_deg)
        return Shot(
            request,
            View(in_scene, seen_hw, seen_deg, capture.ortho_width_m),
            local_pose,
            self._world.now_ns,
            self._world.objects.table(),
            self._world.moment(labels=kind == SEGMENTATION, unseen=self._carrier(camera, vehicle_name, external)),
            self._seen.get(id(camera)),
            self._colours,
            warp,
            capture.gamma,
            capture.exposure,
            noise if noise is not None and noise.enabled else None,
            f"{self._world.scene.seed}/{vehicle_name}/{request.camera_name}/{kind}",
            self._world.strokes() if kind == SCENE else (),
            self._world.scene.player_start.position_m,
        )

    def draw(self, run: Callable[[Renderer], T]) -> asyncio.Future[T]:
        """Run something with the renderer in the drawing thread, after what was asked for before."""
        return asyncio.get_running_loop().run_in_executor(self._executor, run, self._renderer)

    async def images(
        self, requests: Sequence[ImageRequest], vehicle_name: str, external: bool
    ) -> list[dict[str, object]]:
        """Pictures of one instant: poses, ids, moment and clock are frozen before anything is drawn."""
        if len(requests) > MAX_REQUESTS:
            raise ApiError(f"{len(requests)} pictures in one call are too many: ask for at most {MAX_REQUESTS}")
        shots = [self.shot(request, vehicle_name, external) for request in requests]
        for request, shot in zip(requests, shots, strict=True):
            camera = self.find(request.camera_name, vehicle_name, external)
            self._seen[id(camera)] = shot.view, shot.moment
        return await self.draw(partial(images.take, shots))

    async def image(self, camera_name: str, kind: int, vehicle_name: str, external: bool) -> object:
        """One PNG; empty where the type is not available."""
        responses = await self.images([ImageRequest(camera_name, kind, False, True)], vehicle_name, external)
        return responses[0]["image_data_uint8"]

    def info(self, camera_name: str, vehicle_name: str, external: bool) -> dict[str, object]:
        """Pose in the vehicle's local NED, horizontal field of view in degrees, projection matrix.

        An orthographic camera has the field of view that it would have as a pinhole (UE PIPCamera.cpp reads FOVAngle).
        """
        camera = self.find(camera_name, vehicle_name, external)
        capture = camera.capture(SCENE)
        return {
            "pose": pose_map(self._frame(camera, vehicle_name, external)[0]),
            "fov": capture.fov_deg,
            "proj_mat": {"matrix": projection_matrix(capture)},
        }

    def set_pose(self, camera_name: str, mount: Pose, vehicle_name: str, external: bool) -> None:
        """Move a camera on its vehicle's body, an external one in the world."""
        self.find(camera_name, vehicle_name, external).put(mount)

    def set_fov(self, camera_name: str, fov_deg: float, vehicle_name: str, external: bool) -> None:
        """Change the field of view of all image types of a camera; orthographic pictures stay as they are."""
        camera = self.find(camera_name, vehicle_name, external)
        if not MIN_FOV_DEG <= fov_deg <= MAX_FOV_DEG:
            raise ApiError(f"a field of view of {fov_deg} degrees cannot be drawn: give {MIN_FOV_DEG} to {MAX_FOV_DEG}")
        camera.fov_deg = fov_deg


def projection_matrix(capture: CaptureSettings) -> list[list[float]]:
    """The matrix of simGetCameraInfo: Unreal's reversed-Z projection of north, east, down (UE PIPCamera.cpp).

    Args:
        capture: of the camera's Scene.

    Returns:
        [4][4]; times (forward, right, down, 1) it gives clip coordinates. The depth row is in centimetres, and of an
        orthographic camera (FReversedZOrthoMatrix) all of it is.
    """
    height, width = capture.size_hw
    if capture.ortho_width_m is not None:
        half_cm = capture.ortho_width_m * CM_PER_M / 2
        return [
            [0.0, 1 / half_cm, 0.0, 0.0],
            [0.0, 0.0, -width / height / half_cm, 0.0],
            [1 / ORTHO_FAR_CM, 0.0, 0.0, 1.0],
            [0.0, 0.0, 0.0, 1.0],
        ]
    scale = 1 / elementary.tan(math.radians(capture.fov_deg) / 2)
    return [
        [0.0, scale, 0.0, 0.0],
        [0.0, 0.0, -scale * width / height, 0.0],
        [0.0, 0.0, 0.0, NEAR_CM],
        [-1.0, 0.0, 0.0, 0.0],
    ]
