"""AirSim through its official client: Unreal and the built-in simulator alike. The only module that imports airsim.

Frames: AirSim gives vehicle poses and camera poses in the vehicle's own NED, whose origin is its spawn point. That is
the world frame for the default vehicle, which spawns at the origin; a vehicle that settings.json spawns elsewhere
shifts every pose by its X, Y, Z.
"""

import contextlib
import json
import time
from collections.abc import Callable
from importlib import metadata
from typing import Any

import numpy as np

from airsim_seg.errors import ClientMissing, SimulatorError, SimulatorLost, SimulatorUnreachable
from airsim_seg.simulators import pictures
from airsim_seg.simulators.base import Camera, Capture, Conditions, SimulatorInfo
from airsim_seg.simulators.rpc import RefusedCall, WatchedSession, port_answers
from airsim_seg.types import Float64Array, Pose

INSTALL_RECIPE = (
    "pip install setuptools wheel numpy rpc-msgpack opencv-python-headless && "
    "pip install --no-build-isolation --no-deps airsim==1.8.1"
)
DEFAULT_PORT = 41451  # AirSim's ApiServerPort
# Long enough for a picture on a slow GPU, short enough to be told of a hang.
CALL_TIMEOUT_S = 30
HANDSHAKE_TIMEOUT_S = 5
# RPC interface numbers: AirSim 1.x answers 1 (RpcLibServerBase.cpp), the fork Cosys-AirSim 4.
AIRSIM_RPC_VERSION = 1
COSYS_RPC_VERSION = 4
CAMERA = "0"  # the front camera of every vehicle kind (CarPawn, FlyingPawn, ComputerVisionPawn)
# A picture that shows another place than asked for is late by one frame in old builds (AirSim issues 637, 1200).
POSE_TOLERANCE_M = 0.05
POSE_TOLERANCE_RAD = 0.01
STALE_ATTEMPTS = 5
# A drone is drawn where it was put only after the next physics step, which is this long (issue 3049,
# SimModeWorldBase.h): hardly a tenth of a millimetre of falling.
NUDGE_NS = 3_000_000
# AirSim's steps of 40 ms are 39 or 42; the next is that much longer or shorter, so that the errors do not add up. What
# is off by more than three steps has another reason.
MAX_LATE_NS = 10_000_000
# A car's simContinueForTime returns at once; poll for so long, in wall seconds, beyond the time asked for.
STEP_PATIENCE_S = 10.0
_STEP_POLL_S = 0.002
_MOUNT_DECIMALS = 6


def load_client() -> Any:
    """Import the airsim package.

    Raises:
        ClientMissing: it is not installed; the message holds the recipe.
    """
    try:
        import airsim
    except ImportError as error:
        raise ClientMissing(
            f"the airsim client, which talks to every simulator, cannot be imported ({error}); install it with: "
            f"{INSTALL_RECIPE}"
        ) from error
    return airsim


class AirSimSimulator:
    """A Simulator (base.py) behind AirSim's RPC. Use it from the thread that made it.

    Attributes:
        info: what answers.
        camera: size and field of view of every picture.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = DEFAULT_PORT, *, vehicle: str = "") -> None:
        """Connect.

        Args:
            host: name or address.
            port: AirSim's RPC port.
            vehicle: whose camera moves; "" is the default vehicle.

        Raises:
            ClientMissing: airsim is not installed.
            SimulatorUnreachable: nobody answers there, or not in AirSim's language, or an unsupported version.
        """
        self._airsim = load_client()
        self._address = f"{host}:{port}"
        self._client = _connect(self._airsim, host, port)
        self._vehicle = vehicle
        self._can_step = True
        self._wanted: Pose | None = None
        self._moves_with_steps = False
        # By the simulator's clock, where it is one that stands in pause: when the last advance should have ended, and
        # when it did.
        self._due_ns = self._shown_ns = 0
        self._clock_stands = False
        self._size_hw: tuple[int, int] | None = None
        self._decoder = pictures.PictureDecoder(self._address)
        self.info = self._read_info()
        self._freezes_instants = self.info.kind == "built-in" and "Strict" not in _parse(self.info.settings)
        self._mount_position_m, self._mount_rotation, self._start = self._read_mount()
        self.camera = self._read_camera()

    def start_pose(self) -> Pose:
        """Where the camera stood when the connection was made, world NED."""
        return self._start

    def objects(self) -> tuple[tuple[str, int], ...]:
        """Every actor's name and raw id, in order; AirSim finds an id by the lower-cased name alone."""
        names = sorted(self._client.simListSceneObjects())
        ids = [int(self._client.simGetSegmentationObjectID(name.lower())) for name in names]
        return tuple((name, raw_id) for name, raw_id in zip(names, ids, strict=True) if raw_id >= 0)

    def pause(self) -> None:
        """Freeze the world; an AirSim that cannot (ComputerVision of old builds) has nothing that moves."""
        with contextlib.suppress(RefusedCall):
            self._client.simPause(True)

    def resume(self) -> None:
        """Let the world run again; a simulator that is gone needs no telling."""
        with contextlib.suppress(SimulatorError):
            self._client.simPause(False)

    def set_scenery(self, time_ns: int) -> bool:
        """Only the built-in simulator can: by a console command, which AirSim's own client can send."""
        return self.info.kind == "built-in" and bool(
            self._client.simRunConsoleCommand(f"airsim-seg.SceneryTime {time_ns}")
        )

    def set_conditions(self, conditions: Conditions | None) -> None:
        """Sun by simSetTimeOfDay with a clock that stands, weather by simSetWeatherParameter."""
        try:
            if conditions is None:
                self._client.simEnableWeather(False)
                self._client.simSetTimeOfDay(False)
                return
            self._client.simEnableWeather(True)
            for number, amount in enumerate(conditions.weather):  # those that are 0, too: they may have been set before
                self._client.simSetWeatherParameter(number, amount)
            self._client.simSetTimeOfDay(True, conditions.date_time, False, 0.0, 60.0, True)
        except RefusedCall as error:
            raise SimulatorError(
                f"the simulator at {self._address} cannot change its sun or weather ({error}): leave --randomise away."
            ) from error

    def advance(self, duration_ns: int) -> None:
        """Step the clock. Unreal's ComputerVision mode has no clock to step: there this does nothing."""
        late_ns = self._due_ns - self._shown_ns
        if not self._clock_stands or abs(late_ns) > MAX_LATE_NS:
            late_ns = 0
        self._due_ns = self._shown_ns + late_ns + duration_ns
        if duration_ns + late_ns > 0:
            self._step(duration_ns + late_ns)

    def _step(self, duration_ns: int) -> None:
        if not self._can_step:
            return
        self._shown_ns += duration_ns
        try:
            self._client.simContinueForTime(duration_ns / 1e9)
        except RefusedCall:  # "continueForTime is not implemented by SimMode"
            self._can_step = False
            return
        deadline = time.monotonic() + duration_ns / 1e9 + STEP_PATIENCE_S
        while not self._client.simIsPause():
            if time.monotonic() > deadline:
                raise SimulatorLost(
                    f"the simulator at {self._address} did not finish a step of {duration_ns / 1e6:g} ms within "
                    f"{STEP_PATIENCE_S:g} s: it hangs; start it again and repeat the command."
                )
            time.sleep(_STEP_POLL_S)

    def set_pose(self, pose: Pose) -> None:
        """Move the vehicle so that its camera stands at the pose, collisions ignored."""
        rotation = pose.rotation() @ self._mount_rotation.T
        position_m = pose.position_m - rotation @ self._mount_position_m
        self._client.simSetVehiclePose(self._to_airsim(position_m, rotation), True, self._vehicle)
        self._wanted = pose
        if self._moves_with_steps:
            self._step(NUDGE_NS)

    def capture(self, depth: bool = False) -> Capture:
        """Take the pictures in one call, so that all show the same rendered frame, and see that it is the right one."""
        for attempt in range(STALE_ATTEMPTS):
            if attempt > 1:  # asking again did not help
                self._step(NUDGE_NS)
            seen = self._developed(self._begin_pictures(depth))
            if _is_near(seen.pose, self._wanted):
                self._moves_with_steps = self._moves_with_steps or attempt > 1
                self._shown_ns = seen.sim_time_ns
                return seen
        raise self._elsewhere(seen.pose, self._wanted)

    def capture_later(self, depth: bool = False) -> Callable[[], Capture]:
        """Only the built-in simulator freezes an instant when it is asked; Unreal shows that in which it gets round to
        it, so its pictures are taken now."""
        if not self._freezes_instants:
            taken = self.capture(depth)
            return lambda: taken
        wanted, pictures_of = self._wanted, self._begin_pictures(depth)

        def take() -> Capture:
            seen = self._developed(pictures_of)
            if not _is_near(seen.pose, wanted):
                raise self._elsewhere(seen.pose, wanted)
            return seen

        return take

    def _begin_pictures(self, depth: bool) -> Callable[[], Any]:
        """As the client's simGetImages, without waiting."""
        begun: Callable[[], Any] = self._client.client.begin(
            "simGetImages", self._requests(depth), self._vehicle, False
        )
        return begun

    def _developed(self, pictures_of: Callable[[], Any]) -> Capture:
        responses = [self._airsim.ImageResponse.from_msgpack(response) for response in pictures_of()]
        arrived_ns = time.time_ns()
        seen = self._decoder.decode(responses, arrived_ns)
        self._check_size(seen)
        return seen

    def _elsewhere(self, shown: Pose, wanted: Pose | None) -> SimulatorLost:
        return SimulatorLost(
            f"the simulator at {self._address} keeps showing {_place(shown)} after its camera was put at "
            f'{_place(wanted)}: another program moves the vehicle, or physics does; set "SimMode": '
            f'"ComputerVision" in its settings.json.'
        )

    def _check_size(self, seen: Capture) -> None:
        size_hw = seen.raw_ids.shape[0], seen.raw_ids.shape[1]
        if self._size_hw not in (None, size_hw):
            before, now = (f"{width}x{height}" for height, width in (self._size_hw or size_hw, size_hw))
            raise SimulatorLost(
                f"the simulator at {self._address} sent a picture of {now} after pictures of {before}: another program "
                f"changed its camera, or the connection broke; start it again."
            )
        self._size_hw = size_hw

    def close(self) -> None:
        """Hang up."""
        self._client.client.close()

    def _requests(self, depth: bool) -> list[Any]:
        request = self._airsim.ImageRequest
        wanted = [request(CAMERA, kind, False, False) for kind in (pictures.SCENE, pictures.SEGMENTATION)]
        if depth:
            wanted.append(request(CAMERA, pictures.DEPTH_PLANAR, True, False))
        return wanted

    def _to_airsim(self, position_m: Float64Array, rotation: Float64Array) -> Any:
        # The client packs neither numpy scalars nor arrays. Its quaternion takes w last.
        w, x, y, z = (float(v) for v in pictures.quaternion_wxyz(rotation))
        n, e, d = (float(v) for v in position_m)
        return self._airsim.Pose(self._airsim.Vector3r(n, e, d), self._airsim.Quaternionr(x, y, z, w))

    def _read_info(self) -> SimulatorInfo:
        try:
            text = str(self._client.getSettingsString())
        except RefusedCall:  # before 1.5
            text = ""
        settings = _parse(text)
        version = f"rpc interface {self._client.getServerVersion()}"
        client = f"airsim {metadata.version('airsim')}"
        # The built-in simulator adds these keys of its own to whatever settings it has.
        kind = "built-in" if settings.get("Simulator") == "airsim-seg" else "airsim"
        world = str(settings.get("Environment", "")) if kind == "built-in" else ""
        return SimulatorInfo(kind, version, client, str(settings.get("SimMode", "")), world, self._vehicle, text)

    def _read_mount(self) -> tuple[Float64Array, Float64Array, Pose]:
        """Where the camera sits on the vehicle: zero in ComputerVision mode, half a metre or so on a car."""
        self.pause()
        vehicle = pictures.pose_of(self._client.simGetVehiclePose(self._vehicle))
        camera = pictures.pose_of(self._client.simGetCameraInfo(CAMERA, self._vehicle, False).pose)
        back = vehicle.rotation().T
        offset_m, turn = back @ (camera.position_m - vehicle.position_m), back @ camera.rotation()
        # Rounded, so that it is the same from wherever it was read, and exactly nothing where it is nothing.
        return np.round(offset_m, _MOUNT_DECIMALS), np.round(turn, _MOUNT_DECIMALS), camera

    def _read_camera(self) -> Camera:
        info = self._client.simGetCameraInfo(CAMERA, self._vehicle, False)
        fov_deg = float(info.fov)
        # The matrix of parallel rays leaves the fourth coordinate as it is, a pinhole's makes it the distance.
        if list(info.proj_mat.matrix[3]) == [0, 0, 0, 1]:
            raise SimulatorError(
                f"camera {CAMERA} of the simulator at {self._address} is orthographic, and recordings are a pinhole's: "
                "leave ProjectionMode of CameraDefaults in its settings.json perspective."
            )
        if not 0 < fov_deg < 180:
            raise SimulatorError(f"the simulator at {self._address} reports a field of view of {fov_deg} degrees.")
        # The first picture is thrown away, for it may be black; the second tells whether the clock stands in pause.
        first_ns = self.capture(depth=True).sim_time_ns
        second = self.capture(depth=True)
        self._clock_stands, self._due_ns = second.sim_time_ns == first_ns, second.sim_time_ns
        return Camera(second.raw_ids.shape[:2], fov_deg)


def _connect(airsim: Any, host: str, port: int) -> Any:
    """Make a client of its own for the handshake, with less patience, then the one for the work."""
    if not port_answers(host, port):
        raise SimulatorUnreachable(
            f"no simulator answers at {host}:{port}: start AirSim there, or leave --sim away to use the built-in one."
        )
    trial = _watched_client(airsim, host, port, HANDSHAKE_TIMEOUT_S)
    try:
        _shake_hands(trial, f"{host}:{port}")
    finally:
        trial.client.close()
    return _watched_client(airsim, host, port, CALL_TIMEOUT_S)


def _watched_client(airsim: Any, host: str, port: int, timeout_s: int) -> Any:
    client = airsim.VehicleClient(ip=host, port=port, timeout_value=timeout_s)
    client.client = WatchedSession(client.client, f"{host}:{port}", timeout_s)
    return client


def _shake_hands(client: Any, address: str) -> None:
    try:
        client.ping()
        version, wanted = client.getServerVersion(), client.getMinRequiredClientVersion()
    except SimulatorError as error:
        raise SimulatorUnreachable(
            f"something accepts connections at {address} but does not speak AirSim's RPC ({error}); give the address "
            f"of an AirSim with --sim HOST:PORT."
        ) from error
    if COSYS_RPC_VERSION in (version, wanted):
        raise SimulatorUnreachable(
            f"{address} is Cosys-AirSim (interface {version}), whose instance segmentation airsim-seg does not read "
            f"yet; use Microsoft AirSim 1.6 to 1.8, or leave --sim away to use the built-in simulator."
        )
    if version != AIRSIM_RPC_VERSION or wanted != AIRSIM_RPC_VERSION:
        raise SimulatorUnreachable(
            f"{address} speaks interface {version} and asks for client {wanted}, the airsim 1.8.1 client speaks "
            f"{AIRSIM_RPC_VERSION}; use Microsoft AirSim 1.6 to 1.8."
        )


def _parse(settings: str) -> dict[str, Any]:
    try:
        parsed = json.loads(settings)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def _is_near(a: Pose, b: Pose | None) -> bool:
    """Whether a camera stands where it was put, if it was."""
    if b is None:
        return True
    apart_m = float(np.linalg.norm(a.position_m - b.position_m))
    # |<p, q>| is the cosine of half the angle between two attitudes.
    cosine = abs(float(np.dot(a.orientation_wxyz, b.orientation_wxyz)))
    return apart_m <= POSE_TOLERANCE_M and cosine >= np.cos(POSE_TOLERANCE_RAD / 2)


def _place(pose: Pose | None) -> str:
    return "nowhere" if pose is None else "({:.2f}, {:.2f}, {:.2f})".format(*pose.position_m)
