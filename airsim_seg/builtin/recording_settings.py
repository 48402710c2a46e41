"""What startRecording records, by settings.json: Recording.

Source: AirSimSettings.hpp (loadRecordingSetting) and docs/settings.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from airsim_seg.builtin.settings_table import Table

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


def read_recording(table: Table, default_vehicle: str) -> RecordingSettings:
    """Read the entry.

    Args:
        table: what stands under Recording.
        default_vehicle: whose the cameras without VehicleName are; AirSim's is the first by name.
    """
    images: dict[str, tuple[RecordedImage, ...]] = {}
    for own in table.listed("Cameras"):
        # CameraID is AirSim's older name for a camera.
        number = own.whole("CameraID", 0, 0, 1_000_000)
        image = RecordedImage(
            own.text("CameraName", str(number)),
            own.whole("ImageType", 0, 0, NUM_IMAGE_TYPES - 1),
            own.boolean("PixelsAsFloat", False),
            own.boolean("Compress", True),
        )
        vehicle = own.text("VehicleName", default_vehicle) or default_vehicle
        images[vehicle] = (*images.get(vehicle, ()), image)
    return RecordingSettings(
        table.boolean("RecordOnMove", False),
        table.number("RecordInterval", 0.05, 0.0, MAX_INTERVAL_S),
        table.text("Folder", ""),
        table.boolean("Enabled", False),
        images if table.has("Cameras") else None,
    )
