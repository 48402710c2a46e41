"""AirSim's awkward sides that the built-in simulator spares its clients, unless it is told not to (`sim --strict`).

A program that is written against the kind simulator can rely on things that AirSim never promised. Against the strict
one it meets them at home. docs/rpc.md tells of each; a test holds its table against the flags here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from airsim_seg.builtin.camera_settings import NUM_IMAGE_TYPES, CameraSettings, CaptureSettings
from airsim_seg.builtin.settings import Settings

# AirSimSettings.hpp, CaptureSetting: pictures of every type for which settings.json says nothing.
SMALL = CaptureSettings((144, 256))


@dataclass(frozen=True)
class Strictness:
    """Which of AirSim's awkward sides are reproduced.

    Attributes:
        lower_case_getter: simGetSegmentationObjectID compares what it is given with the lower-cased name, so that a
            capital letter finds nothing: -1 (AirBlueprintLib.cpp, GetMeshStencilID).
        three_ms_steps: a multirotor's clock goes in whole physics steps: simContinueForTime(0.04) is 42 or 39 ms
            (SimModeWorldBase.h; ScheduledExecutor.hpp).
        car_returns_at_once: a car's simContinueForTime and simContinueForFrames do not wait; time runs as long in real
            time, and up to a tick longer (UE SimModeCar.cpp).
        wall_clock: the stamps of car and camera come from a clock that no pause stops (ScalableClock.hpp; AirSim issue
            4350), read for each picture (issue 1309). A car whose settings.json has ClockType SteppableClock is spared.
        camera_cannot_step: the camera refuses simContinueForTime and simContinueForFrames (UE SimModeBase.cpp).
        stale_picture: the first pictures of car and camera after simSetVehiclePose show the pose before; their
            camera_position says so (issues 637 and 1200).
        drone_waits_for_step: the pictures of a drone show where simSetVehiclePose put it only after the next physics
            step: never, while paused (UE MultirotorPawnSimApi.cpp; issue 3049).
        dark_first_picture: the first Scene picture of every camera is black.
        small_pictures: 256x144 for every image type that settings.json does not list (AirSimSettings.hpp).
        single_floats: numbers travel as float32, all but latitude and longitude (RpcLibAdaptorsBase.hpp).
        crash_hangs_up: where AirSim dies of a null pointer, for an unknown camera or for pictures of an unknown
            vehicle, the connection ends without an answer (UE SimModeBase.cpp, getCamera and getImageCapture).
    """

    lower_case_getter: bool = False
    three_ms_steps: bool = False
    car_returns_at_once: bool = False
    wall_clock: bool = False
    camera_cannot_step: bool = False
    stale_picture: bool = False
    drone_waits_for_step: bool = False
    dark_first_picture: bool = False
    small_pictures: bool = False
    single_floats: bool = False
    crash_hangs_up: bool = False


LENIENT = Strictness()
STRICT = Strictness(**dict.fromkeys((flag.name for flag in fields(Strictness)), True))


def small_pictures(settings: Settings) -> Settings:
    """The same settings, with AirSim's own size for every image type that they do not list."""
    small = dict.fromkeys(range(NUM_IMAGE_TYPES), SMALL)

    def of(cameras: Mapping[str, CameraSettings]) -> dict[str, CameraSettings]:
        return {key: replace(camera, captures=small | camera.captures) for key, camera in cameras.items()}

    vehicles = {name: replace(own, cameras=of(own.cameras)) for name, own in settings.vehicles.items()}
    externals = of(settings.external_cameras)
    return replace(settings, vehicles=vehicles, captures=small | dict(settings.captures), external_cameras=externals)
