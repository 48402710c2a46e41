"""A collection from start to end: which videos, what is there already, survey, plans, recordings, and what came out."""

import hashlib
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from airsim_seg import __version__
from airsim_seg.collection.car import Street, plan_car
from airsim_seg.collection.collector import record
from airsim_seg.collection.conditions import draw_conditions
from airsim_seg.collection.drone import Air, plan_drone
from airsim_seg.collection.plans import Plan
from airsim_seg.collection.request import WAYS_OUT, Request, Task, is_complete, nearest_folder
from airsim_seg.collection.summary import VideoSummary, summarise
from airsim_seg.collection.surroundings import check_world, survey_for
from airsim_seg.collection.survey import Survey
from airsim_seg.errors import SimulatorError, StorageError, UsageError
from airsim_seg.label_maps import load_label_map
from airsim_seg.palette import Variant, palette
from airsim_seg.recordings import RecordingHeader, RecordingReader, RecordingWriter
from airsim_seg.simulators.base import Capture, Conditions, Simulator

_STREAMS: dict[str, int] = {"drone": 0, "car": 1}  # of the random generator
_SCENERY_STREAM, _CONDITIONS_STREAM = 1, 2  # apart from the one that plans
# Share of the uncompressed size that lzf leaves of rendered colour, and gzip of ids (measured: 0.5-0.6 and 0.03).
RGB_SHARE, IDS_SHARE, DEPTH_SHARE = 0.6, 0.03, 0.5


@dataclass(frozen=True)
class Callbacks:
    """How a collection speaks to whoever started it.

    Attributes:
        say: a line to read.
        progress: (what, done, total), often; total frames of all videos for "recording".
        should_stop: asked before each frame; True commits and ends with Interrupted.
    """

    say: Callable[[str], None]
    progress: Callable[[str, int, int], None]
    should_stop: Callable[[], bool]


def collect(
    request: Request, connect: Callable[[], AbstractContextManager[Simulator]], callbacks: Callbacks
) -> list[VideoSummary]:
    """Record what a request asks for and is not there yet.

    Args:
        request: what to collect.
        connect: gives the simulator; not called where every video is complete already.
        callbacks: see Callbacks.

    Returns:
        What each video of the request holds, in order.

    Raises:
        UsageError: a file of the same name holds another video.
        NoRoute: the world has no such trajectory.
        SimulatorLost, Interrupted, StorageError, UnknownColours: what was recorded is kept; repeat the call to go on.
    """
    nearest_folder(request.folder)  # refuses what cannot be written before anything is started
    tasks = request.tasks()
    waiting = [task for task in tasks if not is_complete(task)]
    unknown: dict[Path, int] = {}
    if len(waiting) < len(tasks):
        callbacks.say(f"{len(tasks) - len(waiting)} of {len(tasks)} videos are complete already and are skipped")
    if waiting:
        with connect() as simulator:
            unknown = _Session(request, simulator, callbacks).record_all(waiting)
    classes = load_label_map(request.environment)
    return [summarise(task.path, classes, unknown.get(task.path)) for task in tasks]


def plan_for(request: Request, simulator: Simulator, callbacks: Callbacks, task: Task) -> Plan:
    """Plan one video of a request as collect would, without recording it; the simulator is paused.

    Raises:
        UsageError: the simulator shows another environment.
        NoRoute, SimulatorLost, StorageError: see collect.
    """
    return _Session(request, simulator, callbacks).plan(task)


class _Session:
    """The part of a collection that needs the simulator."""

    def __init__(self, request: Request, simulator: Simulator, callbacks: Callbacks) -> None:
        self._request = request
        self._simulator = simulator
        self._callbacks = callbacks
        check_world(request, simulator)
        simulator.pause()
        # Also the survey must not depend on when it was taken.
        self._sets_scenery = simulator.set_scenery(0)
        self._objects = simulator.objects()
        self._variant: Variant = simulator.capture().variant

    def record_all(self, tasks: list[Task]) -> dict[Path, int]:
        """Record each; returns the pixels of unknown colour met in each."""
        self._announce(tasks)
        try:
            return self._record_each(tasks)
        finally:
            if self._request.randomise:
                with suppress(SimulatorError):  # one that is gone has no weather
                    self._simulator.set_conditions(None)

    def _record_each(self, tasks: list[Task]) -> dict[Path, int]:
        total = sum(task.num_frames for task in tasks)
        unknown: dict[Path, int] = {}
        done = 0
        for task in tasks:
            # The plan comes before the file: where there is no way, no empty file is left behind.
            plan = self.plan(task)
            with self._open(task, plan) as writer:
                done += writer.num_frames
                unknown[task.path] = 0

                def on_frame(capture: Capture, path: Path = task.path) -> None:
                    nonlocal done
                    done += 1
                    unknown[path] += capture.num_unknown
                    self._callbacks.progress("recording", done, total)

                record(
                    self._simulator,
                    plan,
                    writer,
                    on_frame=on_frame,
                    should_stop=self._callbacks.should_stop,
                    scenery_ns=self._scenery_ns(task),
                    conditions=self._conditions(task),
                )
        return unknown

    def _announce(self, tasks: list[Task]) -> None:
        """Say what will be recorded; refuse where the disk has no room for it."""
        frames = sum(task.num_frames for task in tasks)
        height, width = self._simulator.camera.size_hw
        pixels = height * width
        size = frames * pixels * (3 * RGB_SHARE + IDS_SHARE + (4 * DEPTH_SHARE if self._request.depth else 0))
        free = shutil.disk_usage(nearest_folder(self._request.out)).free
        self._callbacks.say(
            f"recording {len(tasks)} videos of {self._request.seconds:g} s at {self._request.rate_hz:g} Hz, "
            f"{width}x{height}: {frames} frames, about {size / 1e9:.2g} GB into {self._request.folder} "
            f"({free / 1e9:.3g} GB free)"
        )
        if free < size:
            raise StorageError(
                f"{frames} frames need about {size / 1e9:.2g} GB and {self._request.out} has {free / 1e9:.2g} GB free: "
                f"make room, choose another --out, or ask for fewer or shorter videos."
            )

    def plan(self, task: Task) -> Plan:
        """The trajectory of one video."""
        request = self._request
        rng = np.random.default_rng([request.seed, _STREAMS[task.vehicle], task.number])
        if task.vehicle == "drone":
            return plan_drone(self._air, rng, request.seconds, request.rate_hz, order=task.number)
        return plan_car(self._street, rng, request.seconds, request.rate_hz, order=task.number)

    def _conditions(self, task: Task) -> Conditions | None:
        """Sun and weather of a video, where it has its own."""
        if not self._request.randomise:
            return None
        seed = [self._request.seed, _STREAMS[task.vehicle], task.number, _CONDITIONS_STREAM]
        return draw_conditions(np.random.default_rng(seed))

    def _scenery_ns(self, task: Task) -> int:
        """When in the life of the traffic a video begins: another whole second of its first day for each."""
        rng = np.random.default_rng([self._request.seed, _STREAMS[task.vehicle], task.number, _SCENERY_STREAM])
        return int(rng.integers(86_400)) * 1_000_000_000

    @cached_property
    def _air(self) -> Air:
        return Air(self._survey, self._request.seed)

    @cached_property
    def _street(self) -> Street:
        label_map = load_label_map(self._request.environment, objects=self._objects)
        return Street(self._survey, label_map.lut, self._request.seed)

    @cached_property
    def _survey(self) -> Survey:
        return survey_for(
            self._request,
            self._simulator,
            self._objects,
            say=self._callbacks.say,
            on_progress=lambda done, total: self._callbacks.progress("looking around", done, total),
        )

    def _open(self, task: Task, plan: Plan) -> RecordingWriter:
        header = self._header(task, plan)
        if not task.path.exists():
            return RecordingWriter.create(task.path, header)
        with RecordingReader(task.path) as reader:
            found, num_frames = reader.header, reader.num_frames
        for what, old, new in (
            ("the simulator", found.provenance["simulator"]["kind"], header.provenance["simulator"]["kind"]),
            ("the picture size", found.size_hw, header.size_hw),
            ("the trajectory", found.provenance["plan"]["sha256"][:12], header.provenance["plan"]["sha256"][:12]),
        ):
            if old != new:
                raise UsageError(
                    f"{task.path} is unfinished and cannot go on: {what} was {old} and is {new} now; {WAYS_OUT}"
                )
        self._callbacks.say(f"{task.path.name}: going on at frame {num_frames} of {plan.num_frames}")
        return RecordingWriter.resume(task.path)

    def _header(self, task: Task, plan: Plan) -> RecordingHeader:
        info, camera = self._simulator.info, self._simulator.camera
        conditions = self._conditions(task)
        provenance = {
            "tool": "airsim-seg",
            "tool_version": __version__,
            "request": task.identity(),
            "seed": self._request.seed,
            "simulator": {"kind": info.kind, "version": info.version, "mode": info.mode, "vehicle": info.vehicle},
            "client": info.client,
            "settings": info.settings,
            "plan": {
                "vehicle": plan.vehicle,
                "motion": "camera moved kinematically",
                "num_frames": plan.num_frames,
                "parameters": dict(plan.parameters),
                "sha256": plan.sha256(),
                "survey_sha256": self._survey.sha256(),
            },
            "scenery_ns": self._scenery_ns(task) if self._sets_scenery else None,
            "weather": "as found" if conditions is None else asdict(conditions),
            "palette": {
                "variant": self._variant,
                "sha256": hashlib.sha256(palette(self._variant).tobytes()).hexdigest(),
            },
        }
        return RecordingHeader(
            environment=self._request.environment,
            rate_hz=self._request.rate_hz,
            size_hw=camera.size_hw,
            camera_matrix=camera.matrix(),
            poses="camera",
            provenance=provenance,
            objects=self._objects,
            has_depth=self._request.depth,
        )
