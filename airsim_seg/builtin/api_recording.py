"""The RPCs of recording, and the recorder: rows are due by the simulation's clock, and drawn in the drawing thread.

AirSim records by the wall's clock and leaves out what it cannot keep up with; here the simulation's clock waits, so
that a recording holds every row, whatever the machine. A clock that stands records nothing.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from airsim_seg.builtin.api import Methods, method
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.api_vehicles import vehicle_methods
from airsim_seg.builtin.arguments import ApiError
from airsim_seg.builtin.images import develop
from airsim_seg.builtin.recording import CAR_COLUMNS, COMMON_COLUMNS, Recording, home_folder
from airsim_seg.builtin.scene import Renderer
from airsim_seg.builtin.shots import ImageRequest, Shot
from airsim_seg.builtin.vehicles.base import Vehicle
from airsim_seg.builtin.world import World
from airsim_seg.disk import Disk

# Rows that wait to be drawn; a slice of simContinueForTime may add a few dozen more before the clock waits.
MAX_WAITING = 8

_log = logging.getLogger(__name__)


class Recorder:
    """Watches a world, and writes what settings.json says of it between startRecording and stopRecording."""

    def __init__(self, world: World, cameras: CameraApi, disk: Disk | None = None) -> None:
        """Begin to watch; nothing is recorded yet.

        Args:
            world: whose settings say what is recorded.
            cameras: draw it.
            disk: writes it; None is the machine's.
        """
        self._world, self._cameras = world, cameras
        self._settings = world.settings.recording
        self._disk = Disk() if disk is None else disk
        self._recording: Recording | None = None
        self._one_change = asyncio.Lock()
        self._waiting: set[asyncio.Future[None]] = set()
        self._due_ns = 0
        self._last_poses: dict[str, bytes] = {}
        self._car = vehicle_methods(world)
        world.watcher = self

    def methods(self) -> Methods:
        """The table of this file."""
        return {
            "startRecording": method(self.start),
            "stopRecording": method(self.stop),
            "isRecording": method(lambda: self._recording is not None),
        }

    async def start(self) -> None:
        """Begin a recording of its own folder; one that runs is ended before.

        Raises:
            ApiError: a camera of settings.json is not there, or the disk refuses.
        """
        async with self._one_change:
            await self._end()
            for vehicle in self._world.vehicles.values():
                for request in self._requests(vehicle):
                    self._cameras.find(request.camera_name, vehicle.name, external=False)
            self._recording = await self._cameras.draw(self._begin)
            self._due_ns = self._world.now_ns
            self._last_poses.clear()
            _log.info("recording to %s", self._recording.folder)
            self.look()

    def _begin(self, _: Renderer) -> Recording:
        """In the drawing thread, which is the one that writes."""
        columns = (*COMMON_COLUMNS, *(CAR_COLUMNS if self._world.mode == "Car" else ()))
        try:
            parent = Path(self._settings.folder).expanduser() if self._settings.folder else home_folder()
            return Recording(parent, self._world.now_ns, columns, self._disk)
        except (OSError, RuntimeError) as error:
            raise ApiError(f"no recording can be written: {error}") from error

    async def stop(self) -> None:
        """End the recording; when this returns, all of its rows are on the disk."""
        async with self._one_change:
            await self._end()

    async def _end(self) -> None:
        recording, self._recording = self._recording, None
        await asyncio.gather(*self._waiting, return_exceptions=True)
        if recording is not None:
            recording.close()
            _log.info("recorded to %s", recording.folder)

    def look(self) -> None:
        """Take the rows that are due; see World.watcher."""
        if self._recording is None or self._world.now_ns < self._due_ns:
            return
        # The first physics step at or after each multiple of the interval, so that no row is late because of others.
        interval_ns = max(1, round(self._settings.interval_s * 1e9))
        self._due_ns += ((self._world.now_ns - self._due_ns) // interval_ns + 1) * interval_ns
        for vehicle in self._world.vehicles.values():
            pose = vehicle.kinematics.pose
            place = pose.position_m.tobytes() + pose.orientation_wxyz.tobytes()
            if not (self._settings.on_move and self._last_poses.get(vehicle.name) == place):
                self._last_poses[vehicle.name] = place
                shots = [self._cameras.shot(request, vehicle.name, False) for request in self._requests(vehicle)]
                self._submit(partial(_write, self._recording, self._cells(vehicle), vehicle.name, shots))

    def _requests(self, vehicle: Vehicle) -> list[ImageRequest]:
        listed = self._settings.images_of(vehicle.name)
        return [ImageRequest(own.camera_name, own.image_type, own.pixels_as_float, own.compress) for own in listed]

    def _cells(self, vehicle: Vehicle) -> list[str]:
        """The columns before ImageFile (UE PawnSimApi.cpp and CarPawnSimApi.cpp, getRecordFileLine).

        Nine digits, all that a float32 has; AirSim writes six.
        """
        pose = vehicle.kinematics.pose
        # A tab in a name would be a column.
        cells: list[object] = [re.sub(r"[\t\r\n]", " ", vehicle.name), self._world.now_ns // 10**6]
        cells += [*pose.position_m, *pose.orientation_wxyz]
        if self._world.mode == "Car":
            controls, state = (self._car[name].run(vehicle.name) for name in ("getCarControls", "getCarState"))
            assert isinstance(controls, dict), "both are maps of names"
            assert isinstance(state, dict), "both are maps of names"
            cells += [controls[name] for name in ("throttle", "steering", "brake")]
            cells += [state["gear"], int(controls["handbrake"]), state["rpm"], state["speed"]]
        return [f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in cells]

    def _submit(self, write: Callable[[Renderer], None]) -> None:
        row = self._cameras.draw(write)
        self._waiting.add(row)
        row.add_done_callback(self._finish)

    def _finish(self, row: asyncio.Future[None]) -> None:
        """A row that could not be written ends the recording, not the server."""
        self._waiting.discard(row)
        error = None if row.cancelled() else row.exception()
        if error is not None:
            self._recording = None
            _log.error("recording has ended: %s", error, exc_info=None if isinstance(error, OSError) else error)

    async def keep_up(self) -> None:
        """Let the clock wait while too many rows do; see World.watcher."""
        while len(self._waiting) > MAX_WAITING:
            await asyncio.wait(self._waiting, return_when=asyncio.FIRST_COMPLETED)


def _write(recording: Recording, cells: Sequence[str], vehicle: str, shots: Sequence[Shot], renderer: Renderer) -> None:
    """In the drawing thread: one row with its pictures."""
    pictures = develop(shots, renderer)
    recording.append(cells, shots[0].time_ns if shots else 0, vehicle, pictures)
