"""How far a body made of balls is from triangles, in numba; double precision.

The nearest point of a triangle is C. Ericson's ("Real-Time Collision Detection", 2005, section 5.1.5).
"""

# mypy: disable-error-code="no-untyped-def"
# Kernels have no annotations: numba compiles one version for the argument types that it meets.

import math

import numpy as np

from airsim_seg.builtin.rendering.compiling import inline, kernel

# Deeper than rays_tree.MAX_DEPTH: the stack holds one node a level.
STACK = 64
# A triangle that is at most so steep (cosine: 45 degrees), and near the ground, is ground.
LEVEL_ENOUGH = 0.7
# So high above the ground begins what is in the way: kerbs, doorsteps and the ruts of a field do not.
STEP_M = 0.25
# Balls whose gaps differ by less touch at the same time.
ALIKE_M = 0.02


@inline
def _nearest(corners, i, px, py, pz):
    """The point of a triangle that is nearest to p."""
    ax, ay, az = np.float64(corners[i, 0, 0]), np.float64(corners[i, 0, 1]), np.float64(corners[i, 0, 2])
    bx, by, bz = corners[i, 1, 0] - ax, corners[i, 1, 1] - ay, corners[i, 1, 2] - az
    cx, cy, cz = corners[i, 2, 0] - ax, corners[i, 2, 1] - ay, corners[i, 2, 2] - az
    x, y, z = px - ax, py - ay, pz - az
    d1, d2 = bx * x + by * y + bz * z, cx * x + cy * y + cz * z
    if d1 <= 0.0 and d2 <= 0.0:
        return ax, ay, az
    bb, cc, bc = bx * bx + by * by + bz * bz, cx * cx + cy * cy + cz * cz, bx * cx + by * cy + bz * cz
    d3, d4 = d1 - bb, d2 - bc  # the same products from the second corner
    if d3 >= 0.0 and d4 <= d3:
        return ax + bx, ay + by, az + bz
    d5, d6 = d1 - bc, d2 - cc  # and from the third
    if d6 >= 0.0 and d5 <= d6:
        return ax + cx, ay + cy, az + cz
    to_ab, to_ac, to_bc = d1 * d4 - d3 * d2, d5 * d2 - d1 * d6, d3 * d6 - d5 * d4
    if to_ab <= 0.0 and d1 >= 0.0 and d3 <= 0.0:
        v = d1 / (d1 - d3)
        return ax + v * bx, ay + v * by, az + v * bz
    if to_ac <= 0.0 and d2 >= 0.0 and d6 <= 0.0:
        w = d2 / (d2 - d6)
        return ax + w * cx, ay + w * cy, az + w * cz
    if to_bc <= 0.0 and d4 - d3 >= 0.0 and d5 - d6 >= 0.0:
        w = (d4 - d3) / ((d4 - d3) + (d5 - d6))
        return ax + bx + w * (cx - bx), ay + by + w * (cy - by), az + bz + w * (cz - bz)
    whole = to_ab + to_ac + to_bc
    if whole == 0.0:  # no area
        return ax, ay, az
    v, w = to_ac / whole, to_ab / whole
    return ax + v * bx + w * cx, ay + v * by + w * cy, az + v * bz + w * cz


@inline
def _is_ground(corners, i, floor, x, y, z):
    """Whether a triangle, met at a point, is what a body stands on: nearly level there, or all of it that low."""
    a, b, c = floor
    low = 0
    for k in range(3):
        height = a + b * corners[i, k, 0] + c * corners[i, k, 1] - corners[i, k, 2]
        low += 1 if height < STEP_M else 0
    if low == 3:
        return True
    if a + b * x + c * y - z >= STEP_M:
        return False
    ux, uy, uz = (
        corners[i, 1, 0] - corners[i, 0, 0], corners[i, 1, 1] - corners[i, 0, 1], corners[i, 1, 2] - corners[i, 0, 2],
    )  # fmt: skip
    vx, vy, vz = (
        corners[i, 2, 0] - corners[i, 0, 0], corners[i, 2, 1] - corners[i, 0, 1], corners[i, 2, 2] - corners[i, 0, 2],
    )  # fmt: skip
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    return nz * nz >= LEVEL_ENOUGH * LEVEL_ENOUGH * (nx * nx + ny * ny + nz * nz)


@kernel()
def nearest(bounds, links, corners, numbers, owners, skipped, to_rest, hull, place, rows, floor, reach_m):
    """The smallest gap between a body and the triangles of a tree.

    Args:
        bounds: float32 [N,6] of rays_tree.build.
        links: int32 [N,2] of rays_tree.build.
        corners: float32 [L,3,3], the tree's triangles, leaf by leaf.
        numbers: int32 [L], what they are called.
        owners: int32, the object of each number.
        skipped: bool, objects that are not met.
        to_rest: float64 [3,4], from the world to where the tree's triangles are; turns and shifts only.
        hull: float64 [S,4], centre in body axes and radius of each ball.
        place: three floats, where the body is, world.
        rows: three times three floats, the rows of its rotation matrix.
        floor: a, b, c: the ground's down coordinate about there is a + b north + c east; what is ground is not met.
        reach_m: gaps from this on are not looked for.

    Returns:
        The gap, metres, below 0 where they overlap, or reach_m; the triangle's owner or -1; the nearest point of it
        and the centre of the ball, in the tree's frame; and the middle of the nearest points of all balls that are as
        near but for ALIKE_M: who runs into a wall straight on is not turned by it.
    """
    m, count = to_rest, len(hull)
    balls, points, gaps = np.empty((count, 4)), np.empty((count, 3)), np.full(count, reach_m)
    low, high = np.full(3, 1e30), np.full(3, -1e30)
    for s in range(count):
        hx, hy, hz, radius = hull[s, 0], hull[s, 1], hull[s, 2], hull[s, 3]
        x = place[0] + rows[0][0] * hx + rows[0][1] * hy + rows[0][2] * hz
        y = place[1] + rows[1][0] * hx + rows[1][1] * hy + rows[1][2] * hz
        z = place[2] + rows[2][0] * hx + rows[2][1] * hy + rows[2][2] * hz
        balls[s, 3] = radius
        for k in range(3):
            balls[s, k] = m[k, 0] * x + m[k, 1] * y + m[k, 2] * z + m[k, 3]
            low[k], high[k] = min(low[k], balls[s, k] - radius), max(high[k], balls[s, k] + radius)
    best, owner, ball = reach_m, -1, 0
    stack = np.empty(STACK, np.int64)
    stack[0], waiting = 0, 1
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        square = 0.0
        for k in range(3):
            away = max(0.0, max(bounds[node, k] - high[k], low[k] - bounds[node, 3 + k]))
            square += away * away
        if square > 0.0 and math.sqrt(square) >= best + ALIKE_M:
            continue
        first, held = links[node, 0], links[node, 1]
        if held == 0:
            stack[waiting], stack[waiting + 1] = first, first + 1
            waiting += 2
        for i in range(first, first + held):
            if skipped[owners[numbers[i]]]:
                continue
            for s in range(count):
                px, py, pz = balls[s, 0], balls[s, 1], balls[s, 2]
                x, y, z = _nearest(corners, i, px, py, pz)
                gap = math.sqrt((x - px) ** 2 + (y - py) ** 2 + (z - pz) ** 2) - balls[s, 3]
                if gap < min(gaps[s], best + ALIKE_M) and not _is_ground(corners, i, floor, x, y, z):
                    gaps[s] = gap
                    points[s, 0], points[s, 1], points[s, 2] = x, y, z
                    if gap < best:
                        best, owner, ball = gap, owners[numbers[i]], s
    x = y = z = alike = 0.0
    for s in range(count):
        if gaps[s] < best + ALIKE_M:
            x, y, z, alike = x + points[s, 0], y + points[s, 1], z + points[s, 2], alike + 1.0
    alike = max(alike, 1.0)
    point, centre = (
        (points[ball, 0], points[ball, 1], points[ball, 2]),
        (balls[ball, 0], balls[ball, 1], balls[ball, 2]),
    )
    return best, owner, point, centre, (x / alike, y / alike, z / alike)
