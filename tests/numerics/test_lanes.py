"""Eight numbers at once are eight times one number; a crew does every piece of work once; compiling is announced."""

import math

import numpy as np
import pytest
from numba import njit

from airsim_seg.builtin.rendering import lane_memory, lanes
from airsim_seg.builtin.rendering.compiling import Crew, announced, kernel, next_piece

ABOUT = np.array([-3.5, -1.0, -0.25, 0.0, 0.5, 1.0, 2.75, 1e6], np.float32)
OTHER = np.array([2.0, -1.0, 4.0, 0.5, -0.5, 3.0, 2.75, 7.0], np.float32)


@njit(error_model="numpy")
def arithmetic(a, b, out):
    x, y = lane_memory.load(a, 0), lane_memory.load(b, 0)
    lane_memory.store(out, 0, 0.5 * x + y - 3)
    lane_memory.store(out, 8, (1.0 - x) / y)
    lane_memory.store(out, 16, min(max(x, -1.0), y))
    lane_memory.store(out, 24, math.sqrt(abs(-x)))
    lane_memory.store(out, 32, lanes.where((x < y) & ~(x >= 0.0), x, 9.0))
    lane_memory.store(out, 40, lanes.where((x <= y) | (x > 1e5), lanes.floats(1.0), 0.0))


@njit(error_model="numpy")
def whole_numbers(a, out):
    x = lane_memory.load(a, 0)
    lane_memory.store(out, 0, (x + 1) * 3 - x)
    lane_memory.store(out, 8, (x >> 2) & 255)
    lane_memory.store(out, 16, (x ^ 5) | lanes.lane_numbers())
    lane_memory.store(out, 24, lanes.truncated(lanes.floats(x) * 0.5))
    lane_memory.store(out, 32, lanes.where(x == 7, lanes.ints(1), 0))


@njit(error_model="numpy")
def look_ups(table, small, rows, out):
    which = lane_memory.load(rows, 0)
    alike = lanes.all_of(which == lanes.lane(which, 0))
    for k, column in enumerate(lane_memory.columns(table, which, 2, alike)):
        lane_memory.store(out, 8 * k, column)
    lane_memory.store(out, 64, lane_memory.gather(table, which * np.int32(table.shape[1]) + 1))
    lane_memory.store(out, 72, lanes.floats(lane_memory.gather(small, which)))
    everywhere, somewhere = lanes.all_of(which > 2), lanes.any_of(which > 2)
    return lanes.lane(which, 3), everywhere, somewhere


@njit(error_model="numpy")
def neighbours(table, whole, places, out, whole_out):
    at = lane_memory.load(places, 0)
    for k, values in enumerate(lane_memory.fours(table, at)):
        lane_memory.store(out, 8 * k, values)
    for k, values in enumerate(lane_memory.pairs(whole, at)):
        lane_memory.store(whole_out, 8 * k, values)
    for k, values in enumerate(lane_memory.unzipped(lane_memory.load(places, 0), lanes.ints(7))):
        lane_memory.store(whole_out, 16 + 8 * k, values)


@njit(error_model="numpy")
def around(table, first, limits, weights, out):
    at, limit = lane_memory.load(first, 0), lane_memory.load(limits, 0)
    upper = lane_memory.load(weights, 0)
    for k, column in enumerate(lane_memory.taps(table, at, limit, upper, 1.0 - upper)):
        lane_memory.store(out, 8 * k, column)


@njit(error_model="numpy")
def threes(values, out):
    lane_memory.store_threes(out, 2, lane_memory.load(values, 0))


def test_arithmetic_is_that_of_single_precision():
    out = np.empty(48, np.float32)
    arithmetic(ABOUT, OTHER, out)
    one, half = np.float32(1), np.float32(0.5)
    expected = [
        half * ABOUT + OTHER - np.float32(3),
        (one - ABOUT) / OTHER,
        np.minimum(np.maximum(ABOUT, -one), OTHER),
        np.sqrt(np.abs(ABOUT)),
        np.where((ABOUT < OTHER) & ~(ABOUT >= 0), ABOUT, 9),
        np.where((ABOUT <= OTHER) | (ABOUT > 1e5), 1, 0),
    ]
    assert np.array_equal(out.reshape(6, 8), np.array(expected, np.float32))


def test_whole_numbers():
    a, out = np.array([0, 1, 2, 7, 255, 1024, 2**30, -8], np.int32), np.empty(40, np.int32)
    whole_numbers(a, out)
    logical = (a.astype(np.int64) & 0xFFFFFFFF) >> 2
    wide = a.astype(np.int64)
    expected = [
        (wide + 1) * 3 - wide,
        logical & 255,
        (wide ^ 5) | np.arange(8),
        np.trunc(a * 0.5).astype(np.int64),
        wide == 7,
    ]
    assert np.array_equal(out.reshape(5, 8), np.array(expected).astype(np.int32))


def test_look_ups():
    rng = np.random.default_rng(0)
    table, small = rng.random((20, 12)).astype(np.float32), rng.integers(0, 256, 20).astype(np.uint8)
    for rows, everywhere in (([3, 0, 19, 7, 7, 2, 11, 5], False), ([4] * 8, True)):
        out = np.empty(80, np.float32)
        assert look_ups(table, small, np.array(rows, np.int32), out) == (rows[3], everywhere, True)
        assert np.array_equal(out[:64].reshape(8, 8), table[rows, 2:10].T)
        assert np.array_equal(out[64:].reshape(2, 8), [table[rows, 1], small[rows]])


def test_several_elements_at_each_place():
    rng = np.random.default_rng(2)
    table, whole = rng.random(60).astype(np.float32), rng.integers(0, 2**32, 60).astype(np.uint32)
    at, out = rng.integers(0, 56, 8).astype(np.int32), np.empty(48, np.float32)
    whole_out = np.empty(32, np.int32)
    neighbours(table, whole, at, out, whole_out)
    assert np.array_equal(out[:32].reshape(4, 8), [table[at + k] for k in range(4)])
    assert np.array_equal(whole_out[:16].view(np.uint32).reshape(2, 8), [whole[at], whole[at + 1]])
    assert np.array_equal(whole_out[16:].reshape(2, 8), np.append(at, [7] * 8).reshape(8, 2).T)


def test_taps_count_what_is_at_most_the_limit():
    rng = np.random.default_rng(1)
    table, limits, weights = rng.random((16, 16)), rng.random(8), rng.random(8)
    table, limits, weights = (a.astype(np.float32) for a in (table, limits, weights))
    row, column = rng.integers(0, 13, (2, 8))
    out = np.empty(32, np.float32)
    around(table, (row * 16 + column).astype(np.int32), limits, weights, out)
    for k in range(8):
        passed = table[row[k] : row[k] + 4, column[k] : column[k] + 4] <= limits[k]
        weight = np.array([weights[k], 1, 1, 1 - weights[k]])
        assert out.reshape(4, 8)[:, k] == pytest.approx((passed * weight[:, None]).sum(0), abs=1e-6)


def test_three_bytes_of_each_lie_one_after_another():
    values, out = np.arange(8, dtype=np.int32) * 0x010203 + 0x0A0B0C, np.zeros(40, np.uint8)
    threes(values, out)
    expected = values.astype("<i4").view(np.uint8).reshape(8, 4)[:, :3].ravel()
    assert np.array_equal(out[2:26], expected)
    assert not out[:2].any()
    assert not out[27:].any()


@kernel()
def count(counter, done):
    k = next_piece(counter)
    while k < len(done):
        done[k] += 1
        k = next_piece(counter)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_crew_does_every_piece_once(threads):
    crew = Crew()
    crew.num_threads = threads
    done = np.zeros(10_000, np.int64)
    for _ in range(5):
        crew.run(count, done)
    assert (done == 5).all()


def test_what_fails_in_any_thread_is_heard():
    def fail(counter):  # noqa: ARG001
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Crew().run(fail)


def test_a_kernel_is_announced_when_it_is_compiled_and_not_what_is_in_it():
    source = "def _inner(x):\n    return x + 1\ndef _outer(x):\n    return inner(x)\n"
    named: dict = {}
    exec(source, named)
    named["inner"] = njit(named["_inner"])
    outer, heard = kernel()(named["_outer"]), []
    with announced(heard.append):
        assert outer(1) == 2
        assert outer(2) == 3
    assert heard == ["outer"]
    with announced(heard.append):
        assert outer(3) == 4
    assert heard == ["outer"]


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_done_beside_is_done_after_the_wait_and_its_failure_is_heard(threads):
    crew, done = Crew(), []
    crew.num_threads = threads
    crew.beside(done.append, 1)()
    assert done == [1]
    with pytest.raises(ZeroDivisionError):
        crew.beside(divmod, 1, 0)()
