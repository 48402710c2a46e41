"""The loop: the camera goes along a plan, one frame of simulation time at a time, and what it sees is recorded."""

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType

from airsim_seg.collection.plans import Plan
from airsim_seg.errors import Interrupted, QualityRefused, SimulatorError, SimulatorLost
from airsim_seg.recordings import RecordingWriter, nominal_step_ns
from airsim_seg.simulators.base import Capture, Conditions, Simulator
from airsim_seg.types import Frame

QUEUE_FRAMES = 4  # a few frames of slack between drawing and writing; each holds 1.2 MB


class FrameQueue:
    """Writes frames in a thread of its own, so that the simulator draws the next one meanwhile.

    Use as a context manager: leaving it waits until every frame is written. The writer is the thread's until then.
    """

    def __init__(self, writer: RecordingWriter) -> None:
        self._writer = writer
        self.has_depth = writer.header.has_depth
        self._frames: queue.Queue[Frame | None] = queue.Queue(QUEUE_FRAMES)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._write_all, name="frame-writer", daemon=True)

    def put(self, frame: Frame) -> None:
        """Hand over a frame; raises what went wrong with an earlier one."""
        self._frames.put(frame)
        if self._error is not None:
            raise self._error

    def __enter__(self) -> "FrameQueue":
        """Start writing."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left; raise the writer's own error where nothing else went wrong."""
        self._frames.put(None)
        self._thread.join()
        if self._error is not None and error is None:
            raise self._error

    def _write_all(self) -> None:
        while (frame := self._frames.get()) is not None:
            if self._error is None:  # after an error frames are only taken, so that put() never waits for ever
                try:
                    self._writer.append(frame)
                except BaseException as error:
                    self._error = error


def record(
    simulator: Simulator,
    plan: Plan,
    writer: RecordingWriter,
    *,
    on_frame: Callable[[Capture], None],
    should_stop: Callable[[], bool],
    scenery_ns: int = 0,
    conditions: Conditions | None = None,
) -> None:
    """Record the frames of a plan that the writer does not hold yet, and finish the recording.

    Every frame: the clock goes on by exactly one frame, the camera is put in place, the pictures are taken, all while
    the world stands still. time_ns is nominal from the first frame on; what the simulator's clock said is kept beside.

    Args:
        simulator: paused.
        plan: of all frames, those already recorded included.
        writer: of a recording with the plan's rate.
        on_frame: called after each capture.
        should_stop: asked before each frame.
        scenery_ns: where in its time the traffic is at frame 0, so that a recording that goes on shows it where it
            would have been; for simulators that can tell it so.
        conditions: of the video; None leaves sun and weather as they are.

    Raises:
        Interrupted: should_stop said so; what was recorded is committed.
        SimulatorLost: the simulator died, or its clock ran backwards; what was recorded is committed.
        UnknownColours, StorageError: likewise.
    """
    try:
        with FrameQueue(writer) as frames:
            if conditions is not None:
                simulator.set_conditions(conditions)
                # Unreal puts its sun there in the next tick, and has none while it stands.
                simulator.advance(nominal_step_ns(1, plan.rate_hz))
            simulator.set_scenery(scenery_ns + nominal_step_ns(writer.num_frames, plan.rate_hz))
            _capture_all(simulator, plan, writer.num_frames, frames, on_frame, should_stop)
    except (SimulatorError, QualityRefused) as error:
        writer.close()
        raise type(error)(f"{error} {_kept(writer, plan)}") from error
    except Interrupted:
        writer.close()
        raise Interrupted(f"interrupted: {_kept(writer, plan)} Repeat the command to go on.") from None
    writer.finish()


def _capture_all(
    simulator: Simulator,
    plan: Plan,
    first: int,
    frames: FrameQueue,
    on_frame: Callable[[Capture], None],
    should_stop: Callable[[], bool],
) -> None:
    before_ns = -1
    for index, capture in _captures(simulator, plan, first, frames.has_depth, should_stop):
        if capture.sim_time_ns < before_ns:
            raise SimulatorLost(
                f"the simulator's clock ran backwards, from {before_ns} to {capture.sim_time_ns} ns: it was reset or "
                f"restarted; repeat the command, which goes on where it stopped."
            )
        before_ns = capture.sim_time_ns
        frames.put(_frame(capture, nominal_step_ns(index, plan.rate_hz), is_first=index == 0))
        on_frame(capture)


def _captures(
    simulator: Simulator, plan: Plan, first: int, depth: bool, should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Capture]]:
    """Frames in order; each is asked for before the one before it is taken, so that no simulator waits for us."""
    waiting: Callable[[], Capture] | None = None
    for index in range(first, plan.num_frames):
        if should_stop():
            raise Interrupted
        try:
            if index > first:
                simulator.advance(nominal_step_ns(index, plan.rate_hz) - nominal_step_ns(index - 1, plan.rate_hz))
            simulator.set_pose(plan.pose(index))
            asked = simulator.capture_later(depth)
        except (SimulatorError, QualityRefused):
            if waiting is not None:  # it was asked for before, and may have come all the same
                yield index - 1, waiting()
            raise
        if waiting is not None:
            yield index - 1, waiting()
        waiting = asked
    if waiting is not None:
        yield plan.num_frames - 1, waiting()


def _frame(capture: Capture, time_ns: int, *, is_first: bool) -> Frame:
    return Frame(
        time_ns=time_ns,
        sim_time_ns=capture.sim_time_ns,
        wall_time_ns=capture.wall_time_ns,
        rgb=capture.rgb,
        raw_ids=capture.raw_ids,
        pose=capture.pose,
        segment_start=is_first,
        depth_m=capture.depth_m,
    )


def _kept(writer: RecordingWriter, plan: Plan) -> str:
    return f"{writer.num_committed} of {plan.num_frames} frames of {writer.path} are kept."
