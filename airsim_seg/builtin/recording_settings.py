"""What startRecording records, by settings.json: Recording.

Source: AirSimSettings.hpp (loadRecordingSetting) and docs/settings.md.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

Bad = Callable[[str, object, str], Exception]
MAX_INTERVAL_S = 86_400.0
NUM_IMAGE_TYPES = 10


@dataclass(frozen=True)
class RecordedImage:
    """One picture of each row, named as AirSim's ImageRequest."""

    camera_name: str = ""
    image_type: int = 0
    pixels_as_float: bool = False
    compress: bool = True


@dataclass(frozen=True, eq=False)
class RecordingSettings:
    """When, where and what.

    Attributes:
        on_move: only vehicles that are elsewhere than in their last row.
        interval_s: between two rows of a vehicle, seconds of simulation; at least that.
        folder: in which each recording makes one of its own; "" is Documents/AirSim in the user's home.
        enabled: whether it records from the start.
        images: by vehicle; None is the Scene of every vehicle's front camera.
    """

    on_move: bool = False
    interval_s: float = 0.05
    folder: str = ""
    enabled: bool = False
    images: Mapping[str, tuple[RecordedImage, ...]] | None = None

    def images_of(self, vehicle_name: str) -> tuple[RecordedImage, ...]:
        """What is recorded of a vehicle."""
        return (RecordedImage(),) if self.images is None else self.images.get(vehicle_name, ())


def read_recording(table: Mapping[str, object], default_vehicle: str, bad: Bad) -> RecordingSettings:
    """Read the entry.

    Args:
        table: what stands under Recording.
        default_vehicle: whose the cameras without VehicleName are; AirSim's is the first by name.
        bad: makes the exception for a faulty value, from where it stands, the value, and what is wanted there.
    """
    reader = _Reader(bad)
    listed = table.get("Cameras")
    return RecordingSettings(
        reader.boolean(table, "RecordOnMove", "Recording", False),
        reader.number(table, "RecordInterval", "Recording", 0.05, MAX_INTERVAL_S),
        reader.text(table, "Folder", "Recording", ""),
        reader.boolean(table, "Enabled", "Recording", False),
        None if listed is None else reader.images(listed, default_vehicle),
    )


class _Reader:
    """Reads values, so that every complaint says where."""

    def __init__(self, bad: Bad) -> None:
        self._bad = bad

    def images(self, listed: object, default_vehicle: str) -> dict[str, tuple[RecordedImage, ...]]:
        """Cameras, by vehicle."""
        if not isinstance(listed, list):
            raise self._bad("Recording.Cameras", listed, "a list")
        images: dict[str, tuple[RecordedImage, ...]] = {}
        for index, entry in enumerate(listed):
            where = f"Recording.Cameras[{index}]"
            if not isinstance(entry, dict):
                raise self._bad(where, entry, "an object in braces")
            # CameraID is AirSim's older name for a camera.
            number = int(self.number(entry, "CameraID", where, 0, 1e6))
            image = RecordedImage(
                self.text(entry, "CameraName", where, str(number)),
                int(self.number(entry, "ImageType", where, 0, NUM_IMAGE_TYPES - 1)),
                self.boolean(entry, "PixelsAsFloat", where, False),
                self.boolean(entry, "Compress", where, True),
            )
            vehicle = self.text(entry, "VehicleName", where, default_vehicle) or default_vehicle
            images[vehicle] = (*images.get(vehicle, ()), image)
        return images

    def number(self, table: Mapping[str, object], key: str, where: str, default: float, high: float) -> float:
        """A number from 0 to high."""
        value = table.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= high:
            raise self._bad(f"{where}.{key}", value, f"a number from 0 to {high:g}")
        return value

    def boolean(self, table: Mapping[str, object], key: str, where: str, default: bool) -> bool:
        """True or false."""
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self._bad(f"{where}.{key}", value, "true or false")
        return value

    def text(self, table: Mapping[str, object], key: str, where: str, default: str) -> str:
        """A string."""
        value = table.get(key, default)
        if not isinstance(value, str):
            raise self._bad(f"{where}.{key}", value, "a string")
        return value
