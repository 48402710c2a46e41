"""The seam: all that the collector may ask of a simulator, whether Unreal, the built-in one or a test answers.

The camera is moved, not the vehicle flown: the world stands still, the camera is put where the plan says, the clock is
advanced by one frame, the pictures are taken. That is how exact 25 Hz comes out of any AirSim.

The order is advance, set_pose, capture: a vehicle with physics would move or level itself in a step after set_pose.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from airsim_seg.palette import Variant
from airsim_seg.types import Float32Array, Float64Array, Pose, UInt8Array, camera_matrix


@dataclass(frozen=True)
class SimulatorInfo:
    """What answers, for the provenance of every recording.

    Attributes:
        kind: "airsim" (Unreal) or "built-in".
        version: as far as the simulator tells it; AirSim tells the number of its RPC interface alone.
        client: name and version of the client package.
        mode: "ComputerVision", "Multirotor", "Car", or "" where it cannot be told.
        environment: the world, where the simulator tells; AirSim does not, "".
        vehicle: name of the vehicle that carries the camera; "" is the default one.
        settings: the simulator's settings.json as it returned it, "" where it returned none.
    """

    kind: str
    version: str
    client: str
    mode: str
    environment: str
    vehicle: str
    settings: str


@dataclass(frozen=True)
class Camera:
    """A pinhole: square pixels, axis through the middle of the picture.

    Attributes:
        size_hw: (height, width), pixels.
        fov_deg: horizontal field of view, degrees.
    """

    size_hw: tuple[int, int]
    fov_deg: float

    def matrix(self) -> Float64Array:
        """float64 [3,3], pixels; see types.camera_matrix."""
        return camera_matrix(self.size_hw, self.fov_deg)


# In the order of AirSim's WeatherParameter (1.8.1, utils).
WEATHER = ("rain", "road_wetness", "snow", "road_snow", "maple_leaf", "road_leaf", "dust", "fog")


@dataclass(frozen=True)
class Conditions:
    """Sun and weather, standing still.

    Attributes:
        date_time: "2021-06-21 09:30:00", on the simulator's clocks: the sun is where it was then.
        weather: how much there is of each effect of WEATHER, 0 to 1.
    """

    date_time: str
    weather: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Capture:
    """One frozen instant.

    Attributes:
        rgb: uint8 [H,W,3], RGB order.
        raw_ids: uint8 [H,W], AirSim object ids.
        depth_m: float32 [H,W], distance along the optical axis, metres, huge in the sky; None unless asked for.
        pose: of the camera as the simulator reported it with the picture, world NED.
        sim_time_ns: the simulator's stamp of the picture.
        wall_time_ns: when the picture arrived, nanoseconds since the epoch.
        num_unknown: pixels whose segmentation colour is in no palette (their raw id is 0).
        variant: the palette that explained the colours.
    """

    rgb: UInt8Array
    raw_ids: UInt8Array
    depth_m: Float32Array | None
    pose: Pose
    sim_time_ns: int
    wall_time_ns: int
    num_unknown: int
    variant: Variant


class Simulator(Protocol):
    """A world with one camera in it. One thread at a time; every method may raise SimulatorLost.

    Attributes:
        info: what answers.
        camera: size and field of view of every picture.
    """

    info: SimulatorInfo
    camera: Camera

    def objects(self) -> tuple[tuple[str, int], ...]:
        """Names in the scene and the raw id each of them has now; names without an id are left out."""
        ...

    def start_pose(self) -> Pose:
        """Where the camera stood when the connection was made, world NED."""
        ...

    def pause(self) -> None:
        """Freeze the world; rendering goes on."""
        ...

    def resume(self) -> None:
        """Let the world run again, as somebody found it."""
        ...

    def set_scenery(self, time_ns: int) -> bool:
        """Put traffic where it is so long after the world began, whatever the clock says; it goes on with the clock.

        Returns:
            Whether the simulator can do that: Unreal cannot, its traffic is where it happens to be.
        """
        ...

    def set_conditions(self, conditions: Conditions | None) -> None:
        """Change sun and weather from the next step of the clock on; None puts the environment's own back.

        Raises:
            SimulatorError: the simulator cannot.
        """
        ...

    def advance(self, duration_ns: int) -> None:
        """Let the paused world go on for so many nanoseconds of simulation time, then freeze it again."""
        ...

    def set_pose(self, pose: Pose) -> None:
        """Put the camera at a pose, world NED."""
        ...

    def capture(self, depth: bool = False) -> Capture:
        """Take colour, ids and, if asked, depth of the same frozen instant.

        Raises:
            SimulatorLost: no picture came, or it shows another place than set_pose asked for.
            UnknownColours: more than one pixel in ten thousand has a colour of no palette.
        """
        ...

    def capture_later(self, depth: bool = False) -> Callable[[], Capture]:
        """Ask for pictures of this instant, and go on: a simulator that can draws them meanwhile.

        Returns:
            What waits for them and gives them, to be called once, in the order of asking. They show this instant
            whatever was asked of the simulator since: one that cannot promise that takes them now. It raises what
            capture raises.
        """
        ...

    def close(self) -> None:
        """Hang up."""
        ...
