"""A map of a world that nobody gave us one of: look straight down from high above and write down what is on top.

Every pixel of a depth picture is a point; the highest point in each cell of a grid, with its raw id, is the survey.
Plans are made on it. Cells that no picture showed stay unknown, and unknown counts as blocked.
"""

import hashlib
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from airsim_seg.errors import MissingData, SimulatorError
from airsim_seg.simulators.base import Camera, Capture, Simulator
from airsim_seg.types import BoolArray, Float32Array, Float64Array, Pose, UInt8Array

RADIUS_M = 160.0  # how far around the centre to look
CELL_M = 0.25
ALTITUDE_M = 75.0  # above the centre: high enough for roofs and trees, low enough for a pixel a cell
TALL_M = 15.0  # what is no taller is seen on top right up to the edge
MIN_ROOM_M = 15.0  # nearer than this below the camera, and it climbs: a mountain, a tower
MAX_CLIMBS = 8
# Steps between the tiles as shares of a tile: each place is seen from several sides, so that few walls hide ground.
OVERLAP_STEP = 0.5
MAX_DEPTH_M = 1000.0  # the sky is 65504 in AirSim (the largest half float)
MIN_KNOWN_SHARE = 0.02
# A stored survey is believed where one new picture of its middle shows what it showed then: the same height within
# this, in so many cells.
MIDDLE_RADIUS_M, SAME_HEIGHT_M, SAME_SHARE = 25.0, 0.5, 0.95
GROUND_WINDOW_M = 24.0  # wider than a house: somewhere in the window is ground
FILL_GAP_CELLS = 3
_SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Survey:
    """What lies on top, cell by cell. Rows go north, columns east.

    Attributes:
        cell_m: side of a cell, metres.
        origin_m: float64 [2], north and east of the outer corner of cell (0, 0).
        top_down_m: float32 [R,C], down coordinate (world NED) of the highest surface; NaN where nothing was seen.
        top_ids: uint8 [R,C], its raw id; 0 where nothing was seen.
        centre_m: float64 [3], middle of the square; its down coordinate is about the ground's.
    """

    cell_m: float
    origin_m: Float64Array
    top_down_m: Float32Array
    top_ids: UInt8Array
    centre_m: Float64Array

    @property
    def known(self) -> BoolArray:
        """bool [R,C]: a surface was seen."""
        return np.isfinite(self.top_down_m)

    def cells(self, places_m: Float64Array) -> tuple[np.ndarray, np.ndarray]:
        """Rows and columns (clipped to the grid) of places.

        Args:
            places_m: float64 [...,2 or more], north and east first.
        """
        index = np.floor((places_m[..., :2] - self.origin_m) / self.cell_m).astype(np.int64)
        rows, columns = self.top_down_m.shape
        return np.clip(index[..., 0], 0, rows - 1), np.clip(index[..., 1], 0, columns - 1)

    def centres_m(self, rows: np.ndarray, columns: np.ndarray) -> Float64Array:
        """North and east of cell centres, float64 [...,2]."""
        return self.origin_m + (np.stack([rows, columns], -1) + 0.5) * self.cell_m

    def ground_down_m(self) -> Float32Array:
        """float32 [R,C]: the ground, guessed as the lowest surface within a house's width, smoothed."""
        lowest = np.where(self.known, self.top_down_m, -np.inf).astype(np.float32)
        size = int(GROUND_WINDOW_M / self.cell_m) | 1
        floor = np.asarray(cv2.dilate(lowest, np.ones((size, size), np.uint8)), np.float32)
        known_floor = np.where(np.isfinite(floor), floor, self.centre_m[2]).astype(np.float32)
        return np.asarray(cv2.blur(known_floor, (size, size)), np.float32)

    def sha256(self) -> str:
        """Identifies the survey; equal surveys give equal plans."""
        digest = hashlib.sha256(f"{_SCHEMA} {self.cell_m} {self.top_down_m.shape}".encode())
        for part in (self.origin_m, self.centre_m, self.top_down_m, self.top_ids):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def take_survey(
    simulator: Simulator,
    *,
    centre_m: tuple[float, float, float] = (0.0, 0.0, 0.0),
    radius_m: float = RADIUS_M,
    altitude_m: float = ALTITUDE_M,
    cell_m: float = CELL_M,
    on_progress: Callable[[int, int], None] | None = None,
) -> Survey:
    """Take a grid of pictures straight down.

    Args:
        simulator: its camera is moved; the world should be paused.
        centre_m: middle of the square, world NED; the origin is where the vehicle spawned, hence on the ground.
        radius_m: half the side of the square that is looked at.
        altitude_m: above the centre; where something stands nearer than 15 m below, the camera climbs.
        cell_m: side of a cell.
        on_progress: called with (pictures taken, pictures wanted).

    Raises:
        SimulatorError: next to nothing was seen.
    """
    middle_m = np.array(centre_m, np.float64)
    size = int(np.ceil(2 * radius_m / cell_m))
    origin_m = middle_m[:2] - radius_m
    surface = _Surface(simulator.camera, origin_m, cell_m, size)
    places = _tile_places(simulator.camera, middle_m, radius_m, altitude_m)
    for index, place in enumerate(places):
        surface.add(_look_down(simulator, place, altitude_m))
        if on_progress is not None:
            on_progress(index + 1, len(places))
    survey = surface.finish(middle_m)
    if survey.known.mean() < MIN_KNOWN_SHARE:
        raise SimulatorError(
            f"the survey from {altitude_m:g} m above the start saw a surface in only {survey.known.mean():.1%} of the "
            f"square of {2 * radius_m:g} m around it, too little to plan a trajectory: start the vehicle outdoors."
        )
    return survey


def _tile_places(camera: Camera, middle_m: Float64Array, radius_m: float, altitude_m: float) -> list[Float64Array]:
    """Where to look from: rows that overlap, each place float64 [3]."""
    height, width = camera.size_hw
    half_east_m = max(altitude_m - TALL_M, altitude_m / 2) * np.tan(np.radians(camera.fov_deg) / 2)
    half_north_m = half_east_m * height / width
    axes = []
    for half_m in (half_north_m, half_east_m):
        # The outermost tiles stand inside the square: what they see, up to tall tops, reaches to its edge.
        reach_m = max(0.0, radius_m - half_m)
        count = int(np.ceil(reach_m / (2 * half_m * OVERLAP_STEP) - 1e-9))
        axes.append(np.linspace(-reach_m, reach_m, 2 * count + 1))
    return [middle_m + np.array([north, east, -altitude_m]) for north in axes[0] for east in axes[1]]


def _look_down(simulator: Simulator, place_m: Float64Array, altitude_m: float) -> Capture:
    """One picture with depth; climbs until everything is well below."""
    for climb in range(MAX_CLIMBS):
        above_m = place_m - np.array([0.0, 0.0, climb * altitude_m])
        simulator.set_pose(Pose.from_euler(above_m, pitch_rad=-np.pi / 2))
        capture = simulator.capture(depth=True)
        assert capture.depth_m is not None  # asked for
        if float(np.nanmin(capture.depth_m)) >= MIN_ROOM_M:
            break
    return capture


class _Surface:
    """Collects the highest point of every cell: one integer a cell, millimetres above its id, smallest wins."""

    _EMPTY = np.iinfo(np.int64).max

    def __init__(self, camera: Camera, origin_m: Float64Array, cell_m: float, size: int) -> None:
        self._rays = _rays(camera)
        self._origin_m = origin_m
        self._cell_m = cell_m
        self._keys = np.full((size, size), self._EMPTY, np.int64)

    def add(self, capture: Capture) -> None:
        """Every pixel with a surface is a point; it counts where it is the highest of its cell."""
        assert capture.depth_m is not None  # asked for
        depth_m = np.where(np.isfinite(capture.depth_m), capture.depth_m, 0)
        rotation, place_m = capture.pose.rotation().astype(np.float32), capture.pose.position_m
        # float32 is exact to 0.01 mm at these distances, and twice as fast.
        offsets_m = (self._rays @ rotation.T) * depth_m[..., None]
        start = ((place_m[:2] - self._origin_m) / self._cell_m).astype(np.float32)
        row, column = (np.floor(offsets_m[..., k] / self._cell_m + start[k]) for k in (0, 1))
        side = len(self._keys)
        valid = (depth_m > 0) & (depth_m < MAX_DEPTH_M) & (row >= 0) & (row < side) & (column >= 0) & (column < side)
        millimetres = np.rint((offsets_m[..., 2][valid] + place_m[2]) * 1000).astype(np.int64)
        flat = row[valid].astype(np.int64) * side + column[valid].astype(np.int64)
        np.minimum.at(self._keys.reshape(-1), flat, millimetres << 8 | capture.raw_ids[valid])  # flat: its fast path

    def finish(self, centre_m: Float64Array) -> Survey:
        keys = self._fill_gaps(self._keys)
        seen = keys != self._EMPTY
        down_m = np.where(seen, (keys >> 8) / 1000, np.nan).astype(np.float32)
        ids = np.where(seen, keys & 255, 0).astype(np.uint8)
        return Survey(self._cell_m, self._origin_m, down_m, ids, centre_m)

    def _fill_gaps(self, keys: np.ndarray) -> np.ndarray:
        """Cells between the pixels take their highest neighbour; what walls hide beyond a step stays unknown."""
        for _ in range(FILL_GAP_CELLS):
            padded = np.pad(keys, 1, constant_values=self._EMPTY)
            around = [
                padded[1 + r : len(keys) + 1 + r, 1 + c : len(keys) + 1 + c] for r in (-1, 0, 1) for c in (-1, 0, 1)
            ]
            keys = np.where(keys == self._EMPTY, np.min(around, axis=0), keys)
        return keys


def _rays(camera: Camera) -> Float32Array:
    """float32 [H,W,3]: through each pixel's centre, one metre along the optical axis; forward, right, down."""
    matrix, (height, width) = camera.matrix(), camera.size_hw
    right = (np.arange(width) + 0.5 - matrix[0, 2]) / matrix[0, 0]
    down = (np.arange(height) + 0.5 - matrix[1, 2]) / matrix[1, 1]
    return np.stack(np.broadcast_arrays(1.0, right[None, :], down[:, None]), -1).astype(np.float32)


def take_middle(simulator: Simulator, survey: Survey) -> Survey:
    """Look once more at the middle of a survey: the one picture that tells whether the world is still the same."""
    centre = (float(survey.centre_m[0]), float(survey.centre_m[1]), float(survey.centre_m[2]))
    return take_survey(simulator, centre_m=centre, radius_m=MIDDLE_RADIUS_M, cell_m=survey.cell_m)


def is_same_place(before: Survey, now: Survey) -> bool:
    """Whether two looks at the middle show one world: the same height in nearly all cells that both know."""
    if before.top_down_m.shape != now.top_down_m.shape:
        return False
    both = before.known & now.known
    same = np.abs(before.top_down_m[both] - now.top_down_m[both]) < SAME_HEIGHT_M
    return bool(both.mean() > SAME_SHARE * before.known.mean() and same.mean() > SAME_SHARE)


def save_survey(survey: Survey, middle: Survey, path: Path, key: str) -> None:
    """Write a survey beside the recordings, whole or not at all.

    Args:
        survey: what to keep.
        middle: of take_middle, when the survey was taken.
        path: an .npz file.
        key: says which world it belongs to; load_survey wants the same.
    """
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        np.savez_compressed(
            file,
            schema=_SCHEMA,
            key=key,
            cell_m=survey.cell_m,
            origin_m=survey.origin_m,
            top_down_m=survey.top_down_m,
            top_ids=survey.top_ids,
            centre_m=survey.centre_m,
            middle_origin_m=middle.origin_m,
            middle_down_m=middle.top_down_m,
            middle_ids=middle.top_ids,
        )
    partial.replace(path)


def load_survey(path: Path, key: str) -> tuple[Survey, Survey]:
    """Read a survey and its middle.

    Raises:
        MissingData: there is none, it is damaged, or it is of another world. Take it again.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if int(file["schema"]) != _SCHEMA or str(file["key"]) != key:
                raise MissingData(f"{path} is the survey of another world: take it again.")
            cell_m, centre_m = float(file["cell_m"]), file["centre_m"]
            return (
                Survey(cell_m, file["origin_m"], file["top_down_m"], file["top_ids"], centre_m),
                Survey(cell_m, file["middle_origin_m"], file["middle_down_m"], file["middle_ids"], centre_m),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise MissingData(f"{path} is not a survey ({error}): take it again.") from error
