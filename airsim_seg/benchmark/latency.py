"""How long one frame takes: batch 1, streaming, cells in alternating turns so that a busy machine is busy for all.

Wall time is what a user waits for; CPU time is what the cell costs, and the one to compare on a machine that others
use too. Both are of the network alone, from a float tensor on the device to logits at the input's size.

Source of the protocol: 10 warm-up frames, then at least 300 timed ones, percentiles rather than means.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

Step = Callable[[], None]
Clock = Callable[[], int]

WARM_UP_FRAMES = 10
MIN_FRAMES = 300
TURN_FRAMES = 30


@dataclass(frozen=True)
class Latency:
    """Times of one cell.

    Attributes:
        latency_ms_p50: median wall time of a frame, milliseconds; p95 and p99 alike.
        latency_ms_p95: see p50.
        latency_ms_p99: see p50.
        cpu_ms: median CPU time of a frame over all threads, milliseconds.
        fps: 1000 / latency_ms_p50.
        timed_frames: how many frames were timed.
        threads: torch's threads during the measurement.
    """

    latency_ms_p50: float
    latency_ms_p95: float
    latency_ms_p99: float
    cpu_ms: float
    fps: float
    timed_frames: int
    threads: int

    def as_dict(self) -> dict[str, float]:
        """Field name -> value, for JSON and for results.csv."""
        return asdict(self)


def measure_in_turns(
    steps: Mapping[str, Step],
    *,
    threads: int,
    frames: int = MIN_FRAMES,
    warm_up: int = WARM_UP_FRAMES,
    turn: int = TURN_FRAMES,
    wall_clock: Clock = time.perf_counter_ns,
    cpu_clock: Clock = time.process_time_ns,
) -> dict[str, Latency]:
    """Time several streams side by side.

    Args:
        steps: cell -> a function that pushes one frame through the cell's stream and returns when it is done.
        threads: recorded with the figures.
        frames: timed frames a cell, rounded up to whole turns.
        warm_up: untimed frames at the start of each turn (caches belong to the cell before).
        turn: timed frames before the next cell has its turn.
        wall_clock: nanoseconds.
        cpu_clock: nanoseconds of CPU time of this process.

    Returns:
        Cell -> its figures.
    """
    wall: dict[str, list[int]] = {name: [] for name in steps}
    cpu: dict[str, list[int]] = {name: [] for name in steps}
    for _ in range(-(-frames // turn)):
        for name, step in steps.items():
            for _ in range(warm_up):
                step()
            for _ in range(turn):
                cpu_before, wall_before = cpu_clock(), wall_clock()
                step()
                wall[name].append(wall_clock() - wall_before)
                cpu[name].append(cpu_clock() - cpu_before)
    return {name: _summary(np.array(wall[name]), np.array(cpu[name]), threads) for name in steps}


def _summary(wall_ns: npt.NDArray[np.int64], cpu_ns: npt.NDArray[np.int64], threads: int) -> Latency:
    p50, p95, p99 = (float(value) for value in np.percentile(wall_ns / 1e6, [50, 95, 99]))
    cpu_ms = float(np.median(cpu_ns)) / 1e6
    return Latency(p50, p95, p99, cpu_ms, 1000 / p50, len(wall_ns), threads)
