"""A row's samples sorted by what they see, so that the eight of a block go the same way through the code."""

# mypy: disable-error-code="no-untyped-def, call-arg, var-annotated"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

from typing import NamedTuple

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline
from airsim_seg.builtin.rendering.lane_memory import gather, load, store, unzipped
from airsim_seg.builtin.rendering.lanes import LANES, all_of, lane, lane_numbers, truncated, where
from airsim_seg.types import Float32Array, Int32Array, Int64Array

at = np.uint64  # a signed index is first tested for being negative, which every look-up would pay for
f32 = np.float32  # a bare literal is a double and would make the arithmetic around it double, and slower
LEAVES, SOLID, SKY = 0, 1, 2


class Jobs(NamedTuple):
    """A row's samples that are to be shaded, by kind, and what their pixels add up to; every thread has its own.

    who and code int32 [3,4W+8]: record, and pixel * 32 + corner * 8 + quarters of the pixel; counts int64 [3]; sums
    float32 [3,W+8], red, green and blue; block float32 [3,8], room for one block.
    """

    who: Int32Array
    code: Int32Array
    counts: Int64Array
    sums: Float32Array
    block: Float32Array


@inline
def _add(jobs, kind, who, x, corner, count):
    """One more sample to be shaded, worth `count` quarters of its pixel."""
    n = jobs.counts[kind]
    jobs.who[kind, n] = who
    jobs.code[kind, n] = (x << 5) | (corner << 3) | count
    jobs.counts[kind] = n + 1


@inline
def _kind(hits, who):
    """Of a record."""
    if who < 0:
        return SKY
    return LEAVES if int(hits.records[at(who), 15]) & 1 else SOLID


@inline
def _kinds(hits, who):
    """Kind and object of eight records."""
    nothing = who < 0
    label = truncated(gather(hits.records, where(nothing, 0, who) * np.int32(hits.records.shape[1]) + 15))
    return where(nothing, SKY, SOLID - (label & 1)), where(nothing, -1, label >> 1)


@inline
def _sort_pixel(hits, samples, x, y, jobs):
    """The samples of a pixel that are to be shaded: one for each triangle that it sees."""
    seen, row, column, other = hits.seen, y * samples, x * samples, samples - 1
    r0, r1 = seen[at(row), at(column)], seen[at(row), at(column + other)]
    r2, r3 = seen[at(row + other), at(column)], seen[at(row + other), at(column + other)]
    kind = _kind(hits, r0)
    if r0 == r1 and r0 == r2 and r0 == r3:
        _add(jobs, kind, r0, x, 0, 4)
        return
    for k in range(4):
        who = r0 if k == 0 else (r1 if k == 1 else (r2 if k == 2 else r3))
        if (k > 0 and who == r0) or (k > 1 and who == r1) or (k > 2 and who == r2):
            continue
        count = int(r0 == who) + int(r1 == who) + int(r2 == who) + int(r3 == who)
        _add(jobs, _kind(hits, who), who, x, k, count)


@inline
def _pixels(seen, samples, upper, lower):
    """What eight pixels see at their centres, and which of them see nothing else; upper, lower: their first samples."""
    who, below = load(seen, upper), load(seen, lower)
    if samples == 1:
        return who, who == below
    who, right = unzipped(who, load(seen, upper + LANES))
    below, across = unzipped(below, load(seen, lower + LANES))
    return who, (who == right) & (who == below) & (who == across)


@inline
def sort_row(hits, samples, far_m, y, jobs, objects, depth_m):
    """Object and depth of every pixel of a row, and the samples to be shaded."""
    width, stride = objects.shape[1], hits.seen.shape[1]
    upper, lower = y * samples * stride, (y * samples + samples - 1) * stride
    for kind in range(3):
        jobs.counts[kind] = 0
    for x in range(0, width, LANES):
        if x + LANES > width:
            for rest in range(x, width):
                _sort_pixel(hits, samples, rest, y, jobs)
                who = hits.seen[at(y * samples), at(rest * samples)]
                objects[y, rest] = -1 if who < 0 else int(hits.records[at(who), 15]) >> 1
                near = hits.nearness[at(y * samples), at(rest * samples)]
                depth_m[y, rest] = f32(1.0) / near if near > f32(0.0) else far_m
            break
        column = x * samples
        near = gather(hits.nearness, lane_numbers() * np.int32(samples) + np.int32(upper + column))
        store(depth_m, y * width + x, where(near > 0.0, 1.0 / near, far_m))
        who, same = _pixels(hits.seen, samples, upper + column, lower + column)
        kinds, things = _kinds(hits, who)
        store(objects, y * width + x, things)
        kind = lane(kinds, 0)
        if all_of(same & (kinds == kind)):  # most pixels see one triangle, most neighbours things of a kind
            start, n = kind * jobs.who.shape[1], jobs.counts[kind]
            store(jobs.who, start + n, who)
            store(jobs.code, start + n, (lane_numbers() + np.int32(x)) * 32 + 4)
            jobs.counts[kind] = n + LANES
        else:
            for k in range(x, x + LANES):
                _sort_pixel(hits, samples, k, y, jobs)
