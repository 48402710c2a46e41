"""A bounding volume hierarchy over triangles, and rays through it, in numba; double precision.

Built top-down with the surface area heuristic over bins (I. Wald, "On fast construction of SAH-based bounding volume
hierarchies", 2007); a ray meets a triangle as T. Moeller and B. Trumbore say ("Fast, minimum storage ray-triangle
intersection", 1997). Boxes are single precision and a little too large, so that they cost no ray its triangle.
"""

# mypy: disable-error-code="no-untyped-def"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline, kernel

NUM_BINS = 16
# Up to this many triangles are not worth a split; larger leaves are only where a split would not pay.
SMALL_LEAF, LARGE_LEAF = 2, 8
# Deeper than any tree of distinct triangles; the rays' stack holds one node a level.
MAX_DEPTH = 60
# Stands for infinity, which the kernels' arithmetic does not know.
FAR = 1e30
# A direction's component below this is taken for this: over 1e9 m the ray is then off by a millimetre.
TINY = 1e-12
# How much larger boxes are than what they hold: relative and metres.
SLACK = 1e-6


@inline
def _bin(low, high, t, axis, start, scale):
    """Which of the bins the middle of a triangle's box lies in."""
    return min(int((0.5 * (low[t, axis] + high[t, axis]) - start) * scale), NUM_BINS - 1)


@inline
def _grow(box, at, low, high, t):
    for k in range(3):
        box[at, k] = min(box[at, k], low[t, k])
        box[at, 3 + k] = max(box[at, 3 + k], high[t, k])


@inline
def _clear(box, at):
    for k in range(3):
        box[at, k], box[at, 3 + k] = FAR, -FAR


@inline
def _join(box, at, other, o):
    for k in range(3):
        box[at, k] = min(box[at, k], other[o, k])
        box[at, 3 + k] = max(box[at, 3 + k], other[o, 3 + k])


@inline
def _half_area(box, at):
    x, y, z = box[at, 3] - box[at, 0], box[at, 4] - box[at, 1], box[at, 5] - box[at, 2]
    return x * y + y * z + z * x


@inline
def _measure(low, high, order, first, count, box):
    """Box of some triangles into row 0, box of their middles into row 1."""
    _clear(box, 0)
    _clear(box, 1)
    for i in range(first, first + count):
        t = order[i]
        _grow(box, 0, low, high, t)
        for k in range(3):
            middle = 0.5 * (low[t, k] + high[t, k])
            box[1, k], box[1, 3 + k] = min(box[1, k], middle), max(box[1, 3 + k], middle)


@inline
def _best_split(low, high, order, first, count, box, bins, counts, cost_right, best):
    """Axis, last bin of the lower side, and where the bins begin and how many there are a metre; axis -1: no split.

    It must cost less than `best`: a side costs its triangles times the chance that a ray through the box meets it.
    """
    axis_found, bin_found, start_found, scale_found = -1, 0, 0.0, 0.0
    for axis in range(3):
        start, extent = box[1, axis], box[1, 3 + axis] - box[1, axis]
        if extent <= 0.0:
            continue
        scale = NUM_BINS / extent
        for b in range(NUM_BINS):
            _clear(bins, b)
            counts[b] = 0
        for i in range(first, first + count):
            b = _bin(low, high, order[i], axis, start, scale)
            _grow(bins, b, low, high, order[i])
            counts[b] += 1
        _clear(box, 2)
        held = 0
        for b in range(NUM_BINS - 1, 0, -1):
            _join(box, 2, bins, b)
            held += counts[b]
            cost_right[b] = _half_area(box, 2) * held if held > 0 else -1.0
        _clear(box, 2)
        held = 0
        for b in range(NUM_BINS - 1):
            _join(box, 2, bins, b)
            held += counts[b]
            if held == 0 or cost_right[b + 1] < 0.0:
                continue
            cost = _half_area(box, 2) * held + cost_right[b + 1]
            if cost < best:
                best, axis_found, bin_found, start_found, scale_found = cost, axis, b, start, scale
    return axis_found, bin_found, start_found, scale_found


@inline
def _part(low, high, order, first, count, axis, last_bin, start, scale):
    """Bring the triangles of the lower side to the front; returns where the others begin."""
    i, j = first, first + count - 1
    while i <= j:
        if _bin(low, high, order[i], axis, start, scale) <= last_bin:
            i += 1
        else:
            order[i], order[j] = order[j], order[i]
            j -= 1
    return i


@kernel()
def build(low, high, order, bounds, links):
    """Build a tree.

    Args:
        low: float32 [T,3], the triangles' boxes, lower corners.
        high: float32 [T,3], upper corners.
        order: int32 [T] (in: 0 to T-1; out: the triangles, leaf by leaf).
        bounds: float32 [2T,6] (out): lower and upper corner of each node's box.
        links: int32 [2T,2] (out): of a leaf its first place in order and its number of triangles; of another node the
            first of its two children, which lie side by side, and 0.

    Returns:
        The number of nodes; node 0 is the root.
    """
    box, bins = np.empty((3, 6)), np.empty((NUM_BINS, 6))
    counts, cost_right = np.empty(NUM_BINS, np.int64), np.empty(NUM_BINS)
    todo = np.empty((MAX_DEPTH + 4, 4), np.int64)  # node, first, count, depth
    todo[0, 0], todo[0, 1], todo[0, 2], todo[0, 3] = 0, 0, len(order), 0
    waiting, nodes = 1, 1
    while waiting > 0:
        waiting -= 1
        node, first, count, depth = todo[waiting, 0], todo[waiting, 1], todo[waiting, 2], todo[waiting, 3]
        _measure(low, high, order, first, count, box)
        for k in range(3):
            slack = SLACK * (1.0 + max(abs(box[0, k]), abs(box[0, 3 + k])))
            bounds[node, k], bounds[node, 3 + k] = box[0, k] - slack, box[0, 3 + k] + slack
        axis, last_bin, start, scale = -1, 0, 0.0, 0.0
        if count > SMALL_LEAF and depth < MAX_DEPTH:
            # A split is one more box on the way, which costs as much as a triangle.
            limit = _half_area(box, 0) * (count - 1) if count <= LARGE_LEAF else FAR
            axis, last_bin, start, scale = _best_split(
                low, high, order, first, count, box, bins, counts, cost_right, limit
            )
        if axis < 0:
            links[node, 0], links[node, 1] = first, count
            continue
        middle = _part(low, high, order, first, count, axis, last_bin, start, scale)
        links[node, 0], links[node, 1] = nodes, 0
        todo[waiting, 0], todo[waiting, 1], todo[waiting, 2] = nodes, first, middle - first
        todo[waiting + 1, 0], todo[waiting + 1, 1], todo[waiting + 1, 2] = nodes + 1, middle, first + count - middle
        todo[waiting, 3] = todo[waiting + 1, 3] = depth + 1
        waiting += 2
        nodes += 2
    return nodes


@inline
def _inverse(x):
    """1 / x, with numbers that are almost 0 moved away from it."""
    if abs(x) < TINY:
        return 1.0 / TINY if x >= 0.0 else -1.0 / TINY
    return 1.0 / x


@inline
def _entry(bounds, n, ox, oy, oz, ix, iy, iz, limit):
    """How far along a ray a box begins, in units of its direction; FAR where it misses, or meets it past the limit."""
    x0, x1 = (bounds[n, 0] - ox) * ix, (bounds[n, 3] - ox) * ix
    y0, y1 = (bounds[n, 1] - oy) * iy, (bounds[n, 4] - oy) * iy
    z0, z1 = (bounds[n, 2] - oz) * iz, (bounds[n, 5] - oz) * iz
    near = max(max(min(x0, x1), min(y0, y1)), max(min(z0, z1), 0.0))
    far = min(min(max(x0, x1), max(y0, y1)), min(max(z0, z1), limit))
    return near if near <= far else FAR


@inline
def _meets(corners, i, ox, oy, oz, dx, dy, dz):
    """Distance in units of the direction and the weights of the second and third corner; FAR where it misses."""
    x, y, z = np.float64(corners[i, 0, 0]), np.float64(corners[i, 0, 1]), np.float64(corners[i, 0, 2])
    ax, ay, az = corners[i, 1, 0] - x, corners[i, 1, 1] - y, corners[i, 1, 2] - z
    bx, by, bz = corners[i, 2, 0] - x, corners[i, 2, 1] - y, corners[i, 2, 2] - z
    px, py, pz = dy * bz - dz * by, dz * bx - dx * bz, dx * by - dy * bx
    det = ax * px + ay * py + az * pz
    if det == 0.0:  # edge on, or no area
        return FAR, 0.0, 0.0
    sx, sy, sz = ox - x, oy - y, oz - z
    u = (sx * px + sy * py + sz * pz) / det
    qx, qy, qz = sy * az - sz * ay, sz * ax - sx * az, sx * ay - sy * ax
    v = (dx * qx + dy * qy + dz * qz) / det
    if u < 0.0 or v < 0.0 or u + v > 1.0:
        return FAR, 0.0, 0.0
    distance = (bx * qx + by * qy + bz * qz) / det
    return distance if distance >= 0.0 else FAR, u, v


@inline
def _is_open(uv, masks, mask, t, u, v):
    """Whether a see-through material has a hole there: the nearest texel, as where it is drawn."""
    size = masks.shape[1]
    tu = uv[t, 0, 0] * (1 - u - v) + uv[t, 1, 0] * u + uv[t, 2, 0] * v
    tv = uv[t, 0, 1] * (1 - u - v) + uv[t, 1, 1] * u + uv[t, 2, 1] * v
    return not masks[mask, math.floor(tv * size) % size, math.floor(tu * size) % size]


@inline
def _nearest(bounds, links, corners, numbers, surfaces, skipped, stack, entries, ox, oy, oz, dx, dy, dz, best, hit):
    """The nearest triangle of a tree that a ray meets, and how far it is, if it is nearer than `best`."""
    object_of, mask_of, uv, masks = surfaces
    ix, iy, iz = _inverse(dx), _inverse(dy), _inverse(dz)
    stack[0], entries[0], waiting = 0, _entry(bounds, 0, ox, oy, oz, ix, iy, iz, best), 1
    while waiting > 0:
        waiting -= 1
        if entries[waiting] > best:
            continue
        first, count = links[stack[waiting], 0], links[stack[waiting], 1]
        if count == 0:
            a = _entry(bounds, first, ox, oy, oz, ix, iy, iz, best)
            b = _entry(bounds, first + 1, ox, oy, oz, ix, iy, iz, best)
            closer = 0 if a <= b else 1
            if max(a, b) < FAR:  # the farther one waits below
                stack[waiting], entries[waiting] = first + 1 - closer, max(a, b)
                waiting += 1
            if min(a, b) < FAR:
                stack[waiting], entries[waiting] = first + closer, min(a, b)
                waiting += 1
        for i in range(first, first + count):
            distance, u, v = _meets(corners, i, ox, oy, oz, dx, dy, dz)
            t = numbers[i]
            if distance > best or (distance == best and 0 <= hit < t) or skipped[object_of[t]]:
                continue
            if mask_of[t] < 0 or not _is_open(uv, masks, mask_of[t], t, u, v):
                best, hit = distance, t
    return best, hit


@kernel()
def trace(bounds, links, corners, numbers, surfaces, skipped, to_rest, origins, directions, nearest, found):
    """Follow rays to the nearest triangle of a tree.

    Args:
        bounds: float32 [N,6] of build.
        links: int32 [N,2] of build.
        corners: float32 [L,3,3], the tree's triangles, leaf by leaf.
        numbers: int32 [L], which triangles of the scene they are.
        surfaces: of the scene's T triangles: int32 [T] object, int32 [T] mask or -1, float32 [T,3,2] texture corners;
            then bool [K,S,S] masks.
        skipped: bool [K], objects that are not to be met.
        to_rest: float64 [3,4], from the world to where the tree's triangles are.
        origins: float64 [R,3].
        directions: float64 [R,3].
        nearest: float64 [R] (in: how far to look; out: how far the nearest is, in units of the direction).
        found: int32 [R] (in: -1, or a triangle so far away; out: the scene's triangle). Of two that are met at the
            same distance the first in the scene counts.
    """
    m, stack, entries = to_rest, np.empty(MAX_DEPTH + 4, np.int64), np.empty(MAX_DEPTH + 4)
    for r in range(len(origins)):
        x, y, z = origins[r, 0], origins[r, 1], origins[r, 2]
        ox = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z + m[0, 3]
        oy = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z + m[1, 3]
        oz = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z + m[2, 3]
        x, y, z = directions[r, 0], directions[r, 1], directions[r, 2]
        dx = m[0, 0] * x + m[0, 1] * y + m[0, 2] * z
        dy = m[1, 0] * x + m[1, 1] * y + m[1, 2] * z
        dz = m[2, 0] * x + m[2, 1] * y + m[2, 2] * z
        nearest[r], found[r] = _nearest(
            bounds, links, corners, numbers, surfaces, skipped, stack, entries,
            ox, oy, oz, dx, dy, dz, nearest[r], found[r],
        )  # fmt: skip
