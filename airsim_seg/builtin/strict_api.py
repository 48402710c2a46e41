"""Strict mode's methods: the tables of the api files with AirSim's awkward sides put back (strictness.Strictness).

Each side is a change to a few methods, made from outside, so that those who read the api files need not know of it.
"""

import inspect
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from airsim_seg.builtin.answers import size_hw, with_pixels, with_single_floats
from airsim_seg.builtin.api import Method, Methods, method, sim_vehicle
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.arguments import ApiError, finite, integer
from airsim_seg.builtin.server import Dispatch, HangUp
from airsim_seg.builtin.shots import SCENE, ImageRequest
from airsim_seg.builtin.strict_world import StrictWorld
from airsim_seg.builtin.strictness import Strictness
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.types import Pose

# Of an unknown camera, and of pictures from an unknown vehicle, AirSim dies.
FATAL_CAMERA = ("simGetCameraInfo", "simSetCameraPose", "simSetCameraFov")
FATAL_VEHICLE = ("simGetImages", "simGetImage")
STAMPS = ("time_stamp", "timestamp")

Table = dict[str, Method]

_log = logging.getLogger(__name__)


def strict_methods(methods: Methods, world: StrictWorld, cameras: CameraApi) -> Methods:
    """The same methods, as awkward as the world's strictness says.

    Args:
        methods: of every name of the world's mode.
        world: strict.
        cameras: that the methods use.
    """
    flags, table = world.strictness, dict(methods)
    if flags.lower_case_getter:
        _replace(
            table, "simGetSegmentationObjectID", lambda run: lambda name: run(name) if name == name.lower() else -1
        )
    if flags.camera_cannot_step and world.mode == "ComputerVision":
        table["simContinueForTime"] = method(_refuse("continueForTime"), finite)
        table["simContinueForFrames"] = method(_refuse("continueForFrames"), integer)
    pictures = _Pictures(world, cameras)
    _replace(table, "simSetVehiclePose", pictures.teleport)
    _replace(table, "simGetImages", pictures.images)
    # It is a simGetImages of one; so it is stale and dark as those are.
    _replace(table, "simGetImage", lambda _: _one_of(table["simGetImages"].run))
    if flags.crash_hangs_up:
        _hang_up_where_it_dies(table, world, cameras)
    _replace(table, "getSettingsString", _confess)
    return {name: replace(own, run=_stamped(own.run, world)) for name, own in table.items()}


class StrictDispatch:
    """Runs calls as another dispatcher does, and answers with float32."""

    def __init__(self, dispatch: Dispatch, strictness: Strictness) -> None:
        """Wrap a dispatcher."""
        self._dispatch, self._single = dispatch, strictness.single_floats

    async def __call__(self, name: str, args: Sequence[object]) -> object:
        """Run one call; see server.Dispatch."""
        result = await self._dispatch(name, args)
        return with_single_floats(result) if self._single else result


def _replace(table: Table, name: str, change: Callable[[Callable[..., object]], Callable[..., object]]) -> None:
    table[name] = replace(table[name], run=change(table[name].run))


def _refuse(name: str) -> Callable[..., object]:
    def refuse(_: object) -> object:
        raise ApiError(f"{name} is not implemented by SimMode")

    return refuse


def _confess(run: Callable[..., object]) -> Callable[..., object]:
    """A recording that was made in strict mode can say so."""
    return lambda: json.dumps({**json.loads(str(run())), "Strict": True}, indent=2)


def _hang_up_where_it_dies(table: Table, world: StrictWorld, cameras: CameraApi) -> None:
    def die(what: str) -> None:
        _log.error("%s: AirSim would have crashed here; the connection is closed", what)
        raise HangUp

    def of_camera(name: str, run: Callable[..., object]) -> Callable[..., object]:
        def call(camera: str, *rest: object) -> object:
            vehicle, external = rest[-2:]
            try:
                cameras.find(camera, str(vehicle), bool(external))
            except ApiError as error:
                if world.vehicle(str(vehicle)) is not None:
                    die(f"{name}: {error}")
            return run(camera, *rest)

        return call

    def of_vehicle(name: str, run: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object) -> object:
            if world.vehicle(str(args[-2])) is None and not args[-1]:
                die(f"{name}: there is no vehicle '{args[-2]}'")
            return run(*args)

        return call

    for name in FATAL_CAMERA:
        table[name] = replace(table[name], run=of_camera(name, table[name].run))
    for name in FATAL_VEHICLE:
        table[name] = replace(table[name], run=of_vehicle(name, table[name].run))


class _Pictures:
    """What pictures show of a vehicle that was put somewhere else, and of a camera that just opened its eye."""

    def __init__(self, world: StrictWorld, cameras: CameraApi) -> None:
        self._world, self._cameras, self._flags = world, cameras, world.strictness
        # By vehicle: where pictures still show it, and since when that is wrong.
        self._old: dict[str, tuple[Pose, int]] = {}
        self._awake: set[int] = set()

    def teleport(self, run: Callable[..., object]) -> Callable[..., object]:
        """Remember what is seen so far."""

        def call(where: Pose, ignore_collision: bool, name: str) -> object:
            vehicle = sim_vehicle(self._world, name)
            if self._shown(vehicle) is None:
                self._old[vehicle.name] = vehicle.kinematics.pose, self._world.now_ns
            return run(where, ignore_collision, name)

        return call

    def _shown(self, vehicle: Vehicle) -> Pose | None:
        """Where pictures show it, if not where it is."""
        pose, since_ns = self._old.get(vehicle.name, (None, 0))
        if self._world.mode == "Multirotor":
            return pose if self._flags.drone_waits_for_step and self._world.now_ns == since_ns else None
        return pose if self._flags.stale_picture else None

    def images(self, run: Callable[..., object]) -> Callable[..., object]:
        """Stale the first time, and black."""

        async def call(requests: Sequence[ImageRequest], name: str, external: bool) -> object:
            vehicle = None if external else sim_vehicle(self._world, name)
            if vehicle is not None:
                vehicle.drawn_pose = self._shown(vehicle)
                if vehicle.drawn_pose is None or self._world.mode != "Multirotor":
                    self._old.pop(vehicle.name, None)
            try:
                answers = await _finished(run(requests, name, external))
            finally:
                if vehicle is not None:
                    vehicle.drawn_pose = None
            assert isinstance(answers, list), "as many as requests"
            if self._flags.dark_first_picture:
                pairs = zip(requests, answers, strict=True)
                answers = [self._dark_at_first(request, answer, name, external) for request, answer in pairs]
            return answers

        return call

    def _dark_at_first(
        self, request: ImageRequest, answer: dict[str, object], vehicle_name: str, external: bool
    ) -> dict[str, object]:
        camera = self._cameras.find(request.camera_name, vehicle_name, external)
        if request.image_type != SCENE or id(camera) in self._awake:
            return answer
        self._awake.add(id(camera))
        return with_pixels(answer, np.zeros((*size_hw(answer), 3), np.uint8))


def _one_of(images: Callable[..., object]) -> Callable[..., object]:
    async def image(camera_name: str, kind: int, vehicle_name: str, external: bool) -> object:
        answers = await _finished(images([ImageRequest(camera_name, kind, False, True)], vehicle_name, external))
        assert isinstance(answers, list), "one for one"
        return answers[0]["image_data_uint8"]

    return image


def _stamped(run: Callable[..., object], world: StrictWorld) -> Callable[..., object]:
    """Answers with the stamps of the clock that no pause stops, each read when it is written."""

    async def call(*args: object) -> object:
        return _shifted(await _finished(run(*args)), world)

    return call


def _shifted(answer: object, world: StrictWorld) -> object:
    if isinstance(answer, list):
        return [_shifted(element, world) for element in answer]
    if not isinstance(answer, Mapping):
        return answer
    return {
        # 0 is the stamp of what never happened.
        key: value + world.stamp_ns() - world.now_ns if key in STAMPS and value else _shifted(value, world)
        for key, value in answer.items()
    }


async def _finished(result: object) -> object:
    return await result if inspect.isawaitable(result) else result
