"""The stopwatch against a clock that the test winds itself."""

import numpy as np
import pytest

from airsim_seg.benchmark.latency import measure_in_turns


class World:
    """Two clocks, and streams that take a known time."""

    def __init__(self):
        self.wall_ns = self.cpu_ns = 0
        self.order = []

    def stream(self, name, wall_ms, cpu_ms, cold_ms=0.0, slow_every=0):
        def step():
            self.order.append(name)
            count = self.order.count(name)
            fresh = len(self.order) < 2 or self.order[-2] != name
            slow = slow_every and count % slow_every == 0
            self.wall_ns += int(1e6 * (wall_ms + (cold_ms if fresh else 0) + (40 if slow else 0)))
            self.cpu_ns += int(1e6 * cpu_ms)

        return step

    def measure(self, steps, **options):
        return measure_in_turns(
            steps, threads=2, wall_clock=lambda: self.wall_ns, cpu_clock=lambda: self.cpu_ns, **options
        )


def test_times_and_rate_of_two_streams():
    world = World()
    got = world.measure({"n0": world.stream("n0", 5, 9), "n6": world.stream("n6", 8, 15)}, frames=60)
    assert got["n0"].latency_ms_p50 == pytest.approx(5)
    assert got["n0"].fps == pytest.approx(200)
    assert got["n6"].latency_ms_p99 == pytest.approx(8)
    assert got["n6"].cpu_ms == pytest.approx(15)
    assert got["n6"].threads == 2


def test_warm_up_is_not_timed_and_turns_alternate():
    world = World()
    steps = {"a": world.stream("a", 5, 5, cold_ms=500), "b": world.stream("b", 5, 5, cold_ms=500)}
    got = world.measure(steps, frames=90, warm_up=10, turn=30)
    assert got["a"].latency_ms_p99 == pytest.approx(5)
    assert got["a"].timed_frames == 90
    changes = sum(x != y for x, y in zip(world.order, world.order[1:], strict=False))
    assert changes == 5  # a b a b a b


def test_percentiles_show_the_tail_and_the_rate_is_the_median():
    world = World()
    got = world.measure({"a": world.stream("a", 10, 1, slow_every=10)}, frames=300)["a"]
    assert got.latency_ms_p50 == pytest.approx(10)
    assert got.latency_ms_p95 == pytest.approx(50)
    assert got.fps == pytest.approx(100)


def test_at_least_the_frames_asked_for():
    world = World()
    got = world.measure({"a": world.stream("a", 1, 1)}, frames=301, turn=30)["a"]
    assert got.timed_frames == 330
    assert np.isfinite(list(got.as_dict().values())).all()
