"""A recording on the disk, in AirSim's layout.

    2020-09-13-12-26-40/            date and time at which it began, by the simulation's clock, UTC
        airsim_rec.txt              one line a row, tabs between the columns, the first line names them
        images/img_<vehicle>_<camera>_<image type>_<nanoseconds>.png (.pfm for floats, .ppm for uncompressed bytes)

Source: AirSim's UE RecordingFile.cpp, Utils.hpp (writePFMfile, writePPMfile) and FileSystem.hpp.
"""

import io
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from airsim_seg.builtin.images import Developed
from airsim_seg.disk import Disk

ROWS_FILE, IMAGES_FOLDER = "airsim_rec.txt", "images"
COMMON_COLUMNS = ("VehicleName", "TimeStamp", "POS_X", "POS_Y", "POS_Z", "Q_W", "Q_X", "Q_Y", "Q_Z")
CAR_COLUMNS = ("Throttle", "Steering", "Brake", "Gear", "Handbrake", "RPM", "Speed")
IMAGE_COLUMN = "ImageFile"
FOLDER_FORMAT = "%Y-%m-%d-%H-%M-%S"
# Recordings that begin in the same second of the simulation's clock, which starts at the same one in every run.
MAX_SAME_SECOND = 10_000


def home_folder() -> Path:
    """Where recordings go if settings.json names no folder: AirSim's own (FileSystem.hpp, getAppDataFolder)."""
    return Path.home() / "Documents" / "AirSim"


class Recording:
    """One recording that is being written; every row is on the disk, images first, before the next one."""

    def __init__(self, parent: Path, time_ns: int, columns: Sequence[str], disk: Disk) -> None:
        """Make its folder and its header.

        Args:
            parent: in which the folder is made; made itself if it is not there.
            time_ns: the clock, which names the folder; where it is taken, -2, -3 and so on follow.
            columns: names, without ImageFile.
            disk: writes.

        Raises:
            OSError: the disk refuses.
        """
        self.folder = _new_folder(parent, datetime.fromtimestamp(time_ns // 10**9, UTC).strftime(FOLDER_FORMAT))
        self._images = self.folder / IMAGES_FOLDER
        self._images.mkdir()
        self._disk = disk
        self._size = 0
        self._rows = io.FileIO(self.folder / ROWS_FILE, "w")
        self._line([*columns, IMAGE_COLUMN])

    def append(self, cells: Sequence[str], time_ns: int, vehicle_name: str, pictures: Sequence[Developed]) -> None:
        """Write one row and its images; without effect after close.

        Args:
            cells: the columns before ImageFile.
            time_ns: the clock, for the images' names.
            vehicle_name: for the same.
            pictures: those without pixels are left out.

        Raises:
            OSError: the disk refuses; nothing of the row is left, and the recording is closed.
        """
        if self._rows.closed:
            return
        written: list[Path] = []
        try:
            for picture in pictures:
                if picture.uint8 is not None or picture.floats is not None:
                    name = _image_name(picture, vehicle_name, time_ns)
                    written.append(self._images / name)
                    with io.FileIO(written[-1], "w") as file:
                        self._disk.write(file, 0, _file_bytes(picture))
            self._line([*cells, ";".join(path.name for path in written)])
        except OSError:
            with suppress(OSError):
                self._disk.truncate(self._rows, self._size)
                for path in written:
                    path.unlink(missing_ok=True)
            self.close()
            raise

    def _line(self, cells: Sequence[str]) -> None:
        line = ("\t".join(cells) + "\n").encode("utf-8", "replace")
        self._disk.write(self._rows, self._size, line)
        self._size += len(line)

    def close(self) -> None:
        """End it."""
        self._rows.close()


def _new_folder(parent: Path, name: str) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    for number in range(1, MAX_SAME_SECOND + 1):
        folder = parent / (name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir()
            return folder
    raise FileExistsError(f"{parent / name} and {MAX_SAME_SECOND - 1} more are there already")


def _image_name(picture: Developed, vehicle_name: str, time_ns: int) -> str:
    request = picture.shot.request
    kind = "pfm" if picture.floats is not None else "png" if request.compress else "ppm"
    name = f"img_{vehicle_name}_{request.camera_name}_{request.image_type}_{time_ns}"
    # Names come from settings.json; AirSim would take a slash in one for a folder.
    return re.sub(r'[\x00-\x1f<>:"/\\|?*;]', "_", name) + f".{kind}"


def _file_bytes(picture: Developed) -> bytes:
    """A whole file: PNG as it is; PPM in RGB; PFM as AirSim writes it, the top row first, little-endian."""
    height, width = picture.size_hw
    if picture.floats is not None:
        return f"Pf\n{width} {height}\n-1\n".encode() + picture.floats.astype("<f4").tobytes()
    assert picture.uint8 is not None, "the caller has looked"
    if picture.shot.request.compress:
        return picture.uint8.tobytes()
    return f"P6\n{width} {height}\n255\n".encode() + np.ascontiguousarray(picture.uint8[..., ::-1]).tobytes()
