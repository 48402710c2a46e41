"""A camera's lens and film as Unreal's CineCameraComponent has them: AirSim's cameras are such cameras.

Lengths are millimetres, the focus distance centimetres. Names of the presets and the defaults are Unreal Engine 4.27's
(documentation of the cinematic camera; 16:9 Digital Film, Universal Zoom, f/2.8); the presets' numbers are the sizes of
those film formats and what the lenses' names say.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

from airsim_seg import elementary


class Lens(NamedTuple):
    """What a lens can do: focal lengths and f-numbers from the first to the second."""

    focal_mm: tuple[float, float]
    f_stop: tuple[float, float]


class Film(NamedTuple):
    """Width and height of the sensor, mm."""

    width_mm: float
    height_mm: float


LENSES = {
    "12mm Prime f/2.8": Lens((12, 12), (2.8, 22)),
    "30mm Prime f/1.4": Lens((30, 30), (1.4, 22)),
    "50mm Prime f/1.8": Lens((50, 50), (1.8, 22)),
    "85mm Prime f/1.8": Lens((85, 85), (1.8, 22)),
    "105mm Prime f/2": Lens((105, 105), (2, 22)),
    "200mm Prime f/2": Lens((200, 200), (2, 22)),
    "24-70mm Zoom f/2.8": Lens((24, 70), (2.8, 22)),
    "70-200mm Zoom f/2.8": Lens((70, 200), (2.8, 22)),
    "Universal Zoom": Lens((4, 1000), (1.2, 22)),
}
FILMS = {
    "16:9 Film": Film(24.0, 13.5),
    "16:9 Digital Film": Film(23.76, 13.365),
    "16:9 DSLR": Film(36.0, 20.25),
    "Super 8mm": Film(5.79, 4.01),
    "Super 16mm": Film(12.52, 7.58),
    "Super 35mm": Film(24.89, 18.66),
    "35mm Academy": Film(21.946, 16.002),
    "35mm Full Aperture": Film(24.892, 18.9121),
    "35mm VistaVision": Film(37.719, 25.146),
    "IMAX 70mm": Film(70.41, 56.63),
    "APS-C (Canon)": Film(22.2, 14.8),
    "Full Frame DSLR": Film(36.0, 24.0),
    "Micro Four Thirds": Film(17.3, 13.0),
}
BLADES, NEAREST_FOCUS_MM = 5, 15


@dataclass(eq=False)
class Optics:
    """What the lens RPCs set of one camera beside its field of view.

    Attributes:
        film: the sensor.
        lens: its limits.
        aperture: f-number.
        focus_cm: the manual focus distance.
        manual_focus, focus_plane: accepted, without effect.
    """

    film: Film = FILMS["16:9 Digital Film"]
    lens: Lens = LENSES["Universal Zoom"]
    aperture: float = 2.8
    focus_cm: float = 100_000.0
    manual_focus: bool = False
    focus_plane: bool = False

    def focal_mm(self, fov_deg: float) -> float:
        """The focal length that makes a horizontal field of view with this film."""
        return self.film.width_mm / 2 / elementary.tan(math.radians(fov_deg) / 2)

    def fov_deg(self, focal_mm: float) -> float:
        """The horizontal field of view of a focal length, cut to what the lens can do."""
        low, high = self.lens.focal_mm
        return math.degrees(2 * elementary.atan2(self.film.width_mm / 2, min(high, max(low, focal_mm))))

    def vertical_fov_deg(self, fov_deg: float) -> float:
        """The film's vertical field of view at a horizontal one."""
        return math.degrees(2 * elementary.atan2(self.film.height_mm / 2, self.focal_mm(fov_deg)))


def lens_text(name: str, lens: Lens, separator: str = "") -> str:
    """A lens as AirSim writes it (UE PIPCamera.cpp)."""
    (low, high), (fast, slow) = lens
    return (
        f"Name: {name};\n\t MinFocalLength: {low:g}; \t MaxFocalLength: {high:g}"
        f"\n\t Min FStop: {fast:g}; \t Max Fstop: {slow:g}{separator}"
    )


def film_text(name: str, film: Film) -> str:
    """A film as AirSim writes it (UE PIPCamera.cpp)."""
    width, height = film
    return (
        f"Name: {name};\n\t Sensor Width: {width:g}; \t Sensor Height: {height:g}"
        f"\n\t Sensor Aspect Ratio: {width / height:g}"
    )
