"""How a vehicle notices what it runs into.

Most steps cost a subtraction: after each look a vehicle knows how far it is from everything and looks again when it,
or what moves by itself, may have come so far.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np

from airsim_seg.builtin.contacts import TOUCHING_M, Contact, ball_contact
from airsim_seg.builtin.obstacles import Obstacles
from airsim_seg.builtin.scene import Terrain
from airsim_seg.builtin.vehicles.hulls import Hull
from airsim_seg.builtin.vehicles.quadrotor import Rows, Vector

NEVER_M = float("inf")


class Other(Protocol):
    """Another vehicle, as the one that runs into it knows it; scene NED."""

    name: str
    hull: Hull | None

    def in_scene(self) -> Vector:
        """Where it is, metres."""
        ...

    def turned(self) -> Rows:
        """The rows of its rotation matrix."""
        ...

    def going_mps(self) -> Vector:
        """Its velocity."""
        ...


class Feeler:
    """One vehicle's knowledge of how far it is from everything; scene NED."""

    def __init__(
        self, obstacles: Obstacles, hull: Hull, ground_down_m: Terrain, others: Callable[[], Mapping[str, Other]],
        name: str, slack_m: float,
    ) -> None:  # fmt: skip
        """Know nothing yet.

        Args:
            obstacles: of the world.
            hull: the vehicle's.
            ground_down_m: the terrain.
            others: all vehicles by name, its own among them.
            name: its own.
            slack_m: how far a ball may get by turning without being told as travel.
        """
        self._obstacles, self._hull, self._ground_down_m = obstacles, hull, ground_down_m
        self._others, self._name, self._slack_m = others, name, slack_m
        self.forget()

    def ground_at(self, place: Vector) -> int:
        """See Obstacles.ground_at."""
        return self._obstacles.ground_at(place)

    def forget(self) -> None:
        """The vehicle may be anywhere now."""
        self._version = -1
        self._still_m, self._odometer_m, self._due_m = 0.0, 0.0, 0.0
        self._dues_m: list[float] = []

    def is_free(self, travel_m: float, step_s: float) -> bool:
        """Whether nothing can have been reached by a step.

        Args:
            travel_m: no part of the vehicle has come farther in it.
            step_s: how long it took.
        """
        obstacles = self._obstacles
        if self._version != obstacles.version:
            self.forget()
            self._version = obstacles.version
            self._dues_m = [0.0] * len(obstacles.things)
            return False
        self._still_m -= travel_m
        self._odometer_m += travel_m + obstacles.fastest_mps * step_s
        return self._still_m > 0 and self._odometer_m < self._due_m and len(self._others()) == 1

    def contact(self, place: Vector, rows: Rows, time_ns: int) -> Contact | None:
        """The deepest overlap with anything, now.

        Args:
            place: where the vehicle is, scene NED, metres.
            rows: of its rotation matrix.
            time_ns: the clock.
        """
        found: list[Contact | None] = [self._touch_vehicle(place, rows)]
        if self._still_m <= 0:
            seen = self._obstacles.near_still(self._hull, place, rows, self._floor(place))
            self._still_m = seen.gap_m - self._slack_m
            found.append(seen.contact)
        if self._odometer_m >= self._due_m:
            found.extend(self._touch_things(place, rows, time_ns))
        return max((one for one in found if one is not None), key=lambda one: one.depth_m, default=None)

    def _touch_things(self, place: Vector, rows: Rows, time_ns: int) -> list[Contact | None]:
        found = []
        for k, thing in enumerate(self._obstacles.things):
            if self._dues_m[k] <= self._odometer_m:
                seen = self._obstacles.near_thing(thing, self._hull, place, rows, time_ns)
                self._dues_m[k] = self._odometer_m + max(0.0, seen.gap_m - self._slack_m)
                found.append(seen.contact)
        self._due_m = min(self._dues_m, default=NEVER_M)
        return found

    def _floor(self, place: Vector) -> Vector:
        """The plane through the ground below: a + b north + c east."""
        north, east, _ = place
        here = self._ground_down_m(north, east)
        b, c = self._ground_down_m(north + 0.5, east) - here, self._ground_down_m(north, east + 0.5) - here
        return (here - 2 * b * north - 2 * c * east, 2 * b, 2 * c)

    def _touch_vehicle(self, place: Vector, rows: Rows) -> Contact | None:
        """The deepest overlap with another vehicle, ball by ball."""
        deepest: Contact | None = None
        for other in self._others().values():
            hull = other.hull
            if other.name == self._name or hull is None:
                continue
            north, east, down = (a - b for a, b in zip(place, other.in_scene(), strict=True))
            if (north, east, down) == (0.0, 0.0, 0.0) and self._name < other.name:
                continue  # of two in one place one has to stay for the other to get out
            reach_m = self._hull.reach_m + hull.reach_m
            if north * north + east * east + down * down >= reach_m * reach_m:
                continue
            own, its = self._hull.placed(place, rows), hull.placed(other.in_scene(), other.turned())
            gaps = np.linalg.norm(own[:, None, :3] - its[None, :, :3], axis=2) - own[:, None, 3] - its[None, :, 3]
            i, j = np.unravel_index(np.argmin(gaps), gaps.shape)
            if gaps[i, j] < -TOUCHING_M and (deepest is None or -gaps[i, j] > deepest.depth_m):
                away = own[i, :3] - its[j, :3]
                point = its[j, :3] + away * (its[j, 3] / max(math.sqrt(float((away * away).sum())), 1e-9))
                touch = ball_contact(its[j, :3], own[i, :3], point, float(gaps[i, j]), -1)
                deepest = replace(touch, velocity_mps=other.going_mps(), vehicle=other.name)
        return deepest
