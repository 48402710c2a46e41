"""A simulator in a page: streets on a plane and boxes, seen by exact ray casting (simulators.base.Simulator)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from airsim_seg.errors import SimulatorLost
from airsim_seg.palette import palette
from airsim_seg.simulators.base import Camera, Capture, Conditions, SimulatorInfo
from airsim_seg.types import Float64Array, Pose

ROAD, GRASS, HOUSE, TREE, SKY = 171, 176, 95, 181, 0
NAMES = (("Road", ROAD), ("Landscape", GRASS), ("House_1", HOUSE), ("Tree_1", TREE))
STREETS_M = (-50.0, 0.0, 50.0)
HALF_STREET_M = 4.0


@dataclass(frozen=True)
class Box:
    north_m: float
    east_m: float
    half_m: float
    bottom_m: float
    top_m: float
    raw_id: int


def default_boxes() -> tuple[Box, ...]:
    """A house of 7 m in the middle of every block, a tree of 13 m near its corner."""
    centres = [(n, e) for n in (-75, -25, 25, 75) for e in (-75, -25, 25, 75)]
    houses = [Box(n, e, 7, 0, 7, HOUSE) for n, e in centres]
    trees = [Box(n + 13, e + 13, 2, 0, 13, TREE) for n, e in centres]
    return tuple(houses + trees)


def class_of_id() -> np.ndarray:
    """The toy's label map."""
    table = np.full(256, 255, np.uint8)
    table[[ROAD, GRASS, HOUSE, TREE, SKY]] = [0, 2, 8, 3, 5]
    return table


class ToyWorld:
    """Streets every 50 m on a plane of 240 m; the camera starts in the middle, 1.5 m up."""

    def __init__(
        self,
        boxes: tuple[Box, ...] | None = None,
        size_hw: tuple[int, int] = (90, 120),
        streets_m: tuple[float, ...] = STREETS_M,
        die_after: int | None = None,
        half_plane_m: float = 120.0,
        environment: str = "",
    ) -> None:
        self.boxes = default_boxes() if boxes is None else boxes
        self.camera = Camera(size_hw, 90.0)
        self.info = SimulatorInfo("toy", "1", "none", "ComputerVision", environment, "", "{}")
        self.time_ns = 1_000_000_000
        self.num_captures = 0
        self.scenery_ns = -1
        self.conditions: list[Conditions | None] = []
        self.num_unknown = 0
        self._streets_m, self._half_plane_m = np.array(streets_m), half_plane_m
        self._die_after = die_after
        self._pose = self.start_pose()

    def objects(self) -> tuple[tuple[str, int], ...]:
        return NAMES

    def start_pose(self) -> Pose:
        return Pose.from_euler((0.0, 0.0, -1.5))

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def close(self) -> None: ...

    def set_scenery(self, time_ns: int) -> bool:
        self.scenery_ns = time_ns
        return True

    def set_conditions(self, conditions: Conditions | None) -> None:
        self.conditions.append(conditions)

    def advance(self, duration_ns: int) -> None:
        self.time_ns += duration_ns

    def set_pose(self, pose: Pose) -> None:
        self._pose = pose

    def capture(self, depth: bool = False) -> Capture:
        self.num_captures += 1
        if self._die_after is not None and self.num_captures > self._die_after:
            raise SimulatorLost("the toy died.")
        distance, ids = self._cast()
        return Capture(
            rgb=palette()[ids],
            raw_ids=ids,
            depth_m=distance.astype(np.float32) if depth else None,
            pose=self._pose,
            sim_time_ns=self.time_ns,
            wall_time_ns=self.num_captures,
            num_unknown=self.num_unknown,
            variant="plain",
        )

    def capture_later(self, depth: bool = False) -> Callable[[], Capture]:
        taken = self.capture(depth)
        return lambda: taken

    def on_street(self, places_m: Float64Array) -> np.ndarray:
        """bool [...]: the ground there is road."""
        if not len(self._streets_m):
            return np.zeros(places_m.shape[:-1], bool)
        nearest = np.abs(places_m[..., :2, None] - self._streets_m).min(axis=-1)
        return np.asarray((nearest <= HALF_STREET_M).any(axis=-1))

    def distance_to_boxes_m(self, places_m: Float64Array) -> Float64Array:
        """Exact distance of points [P,3] to the nearest box, float64 [P]."""
        best = np.full(len(places_m), np.inf)
        for box in self.boxes:
            middle = np.array([box.north_m, box.east_m, -(box.bottom_m + box.top_m) / 2])
            half = np.array([box.half_m, box.half_m, (box.top_m - box.bottom_m) / 2])
            outside = np.maximum(np.abs(places_m - middle) - half, 0)
            best = np.minimum(best, np.linalg.norm(outside, axis=1))
        return best

    def _cast(self) -> tuple[Float64Array, np.ndarray]:
        """Depth along the axis (65504 in the sky) and ids, by the slab method (Kay and Kajiya, 1986)."""
        height, width = self.camera.size_hw
        matrix = self.camera.matrix()
        right = (np.arange(width) + 0.5 - matrix[0, 2]) / matrix[0, 0]
        down = (np.arange(height) + 0.5 - matrix[1, 2]) / matrix[1, 1]
        rays = np.stack(np.broadcast_arrays(1.0, right[None, :], down[:, None]), -1) @ self._pose.rotation().T
        rays[rays == 0] = 1e-12
        eye = self._pose.position_m
        depth = np.where(-eye[2] / rays[..., 2] > 0, -eye[2] / rays[..., 2], 65504.0)
        ground = eye + rays * depth[..., None]
        on_plane = (np.abs(ground[..., :2]) <= self._half_plane_m).all(axis=-1) & (depth < 65504)
        depth = np.where(on_plane, depth, 65504.0)
        ids = np.where(on_plane, np.where(self.on_street(ground), ROAD, GRASS), SKY).astype(np.uint8)
        slopes = [1 / rays[..., axis] for axis in range(3)]
        for box in self.boxes:
            low = (box.north_m - box.half_m, box.east_m - box.half_m, -box.top_m)
            high = (box.north_m + box.half_m, box.east_m + box.half_m, -box.bottom_m)
            enter, leave = np.zeros_like(depth), depth
            for axis in range(3):
                one, other = (low[axis] - eye[axis]) * slopes[axis], (high[axis] - eye[axis]) * slopes[axis]
                enter = np.maximum(enter, np.minimum(one, other))
                leave = np.minimum(leave, np.maximum(one, other))
            hit = (enter < leave) & (enter > 0)
            depth, ids = np.where(hit, enter, depth), np.where(hit, np.uint8(box.raw_id), ids)
        return depth, ids
