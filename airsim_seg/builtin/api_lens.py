"""The RPCs of lens, film, focus and distortion (AirSim's "CinemAirSim").

Focal length and film change the field of view and distortion bends the pictures, as they do there; focus and aperture
are kept and read back but not drawn.
"""

import math
from collections.abc import Callable
from weakref import WeakKeyDictionary

from airsim_seg.builtin.api import Method, Methods, method
from airsim_seg.builtin.api_images import CameraApi
from airsim_seg.builtin.arguments import ApiError, boolean, finite, text
from airsim_seg.builtin.camera_settings import MAX_FOV_DEG, MIN_FOV_DEG
from airsim_seg.builtin.cameras import Camera
from airsim_seg.builtin.lens import BLADES, FILMS, LENSES, NEAREST_FOCUS_MM, Film, Optics, film_text, lens_text
from airsim_seg.builtin.shots import SCENE

Apply = Callable[..., object]
MAX_DISTORTION = 1000.0


class LensApi:
    """Keeps the optics of every camera that was asked about."""

    def __init__(self, cameras: CameraApi) -> None:
        """Take who knows the cameras."""
        self._cameras = cameras
        self._optics: WeakKeyDictionary[Camera, Optics] = WeakKeyDictionary()

    def methods(self) -> Methods:
        """The table of this file: readers take a camera, a vehicle and external, writers their values before them."""
        return {
            "simGetPresetLensSettings": self._read(lambda *_: [lens_text(name, lens) for name, lens in LENSES.items()]),
            "simGetPresetFilmbackSettings": self._read(
                lambda *_: [film_text(name, film) for name, film in FILMS.items()]
            ),
            "simGetLensSettings": self._read(_lens_settings),
            "simGetFilmbackSettings": self._read(_film_settings),
            "simGetFocalLength": self._read(lambda camera, optics: optics.focal_mm(_fov_deg(camera))),
            "simGetFocusDistance": self._read(lambda _, optics: optics.focus_cm),
            "simGetFocusAperture": self._read(lambda _, optics: optics.aperture),
            "simGetCurrentFieldOfView": self._read(_field_of_view),
            "simSetPresetLensSettings": self._write(_set_lens, text),
            "simSetPresetFilmbackSettings": self._write(_set_film_preset, text),
            "simSetFilmbackSettings": self._write(_set_film, finite, finite),
            "simSetFocalLength": self._write(_set_focal_length, finite),
            "simSetFocusDistance": self._write(lambda _, optics, to: setattr(optics, "focus_cm", to), finite),
            "simSetFocusAperture": self._write(_set_aperture, finite),
            "simEnableManualFocus": self._write(lambda _, optics, to: setattr(optics, "manual_focus", to), boolean),
            "simEnableFocusPlane": self._write(lambda _, optics, to: setattr(optics, "focus_plane", to), boolean),
            "simGetDistortionParams": self._read(lambda camera, _: camera.distortion.values()),
            "simSetDistortionParam": method(self._set_distortion, text, text, finite, text, boolean),
        }

    def _of(self, camera_name: str, vehicle_name: str, external: bool) -> tuple[Camera, Optics]:
        camera = self._cameras.find(camera_name, vehicle_name, external)
        return camera, self._optics.setdefault(camera, Optics())

    def _read(self, read: Apply) -> Method:
        return method(lambda *of_camera: read(*self._of(*of_camera)), text, text, boolean)

    def _write(self, write: Apply, *converters: Callable[[object], object]) -> Method:
        count = len(converters)
        return method(lambda *args: write(*self._of(*args[count:]), *args[:count]), *converters, text, text, boolean)

    def _set_distortion(self, camera_name: str, name: str, value: float, vehicle_name: str, external: bool) -> None:
        """Of this camera alone; in AirSim all cameras share one set of parameters."""
        camera = self._cameras.find(camera_name, vehicle_name, external)
        if abs(value) > MAX_DISTORTION:
            raise ApiError(f"a distortion of {value} cannot be drawn: give -{MAX_DISTORTION:g} to {MAX_DISTORTION:g}")
        changed = camera.distortion.changed(name, value)
        if camera.has_parallel_rays and not changed.is_none:
            raise ApiError(
                f"camera '{camera_name}' has orthographic pictures, and distortion bends the rays of a pinhole: "
                "leave its parameters at 0, or have ProjectionMode perspective in settings.json"
            )
        camera.distortion = changed


def _fov_deg(camera: Camera) -> float:
    return camera.capture(SCENE).fov_deg


def _lens_settings(_: Camera, optics: Optics) -> str:
    name = next((name for name, lens in LENSES.items() if lens == optics.lens), "")
    more = f"\n\t Diaphragm Blade Count: {BLADES}\n\t Minimum focus distance: {NEAREST_FOCUS_MM}"
    return lens_text(name, optics.lens, more)


def _film_settings(_: Camera, optics: Optics) -> str:
    return film_text(next((name for name, film in FILMS.items() if film == optics.film), ""), optics.film)


def _field_of_view(camera: Camera, optics: Optics) -> str:
    across_deg = _fov_deg(camera)
    return (
        f"Current Field Of View:\n\tHorizontal Field Of View: {across_deg:g};"
        f"\n\t Vertical Field Of View: {optics.vertical_fov_deg(across_deg):g}"
    )


def _set_focal_length(camera: Camera, optics: Optics, focal_mm: float) -> None:
    """Zoom: the lens cuts the length to what it can do, the renderer the angle to what it can draw."""
    camera.fov_deg = min(MAX_FOV_DEG, max(MIN_FOV_DEG, optics.fov_deg(focal_mm)))


def _set_lens(camera: Camera, optics: Optics, name: str) -> None:
    """Screw on another lens; names that are no preset change nothing, as in Unreal."""
    if name in LENSES:
        focal_mm, optics.lens = optics.focal_mm(_fov_deg(camera)), LENSES[name]
        _set_focal_length(camera, optics, focal_mm)
        _set_aperture(camera, optics, optics.aperture)


def _set_film_preset(camera: Camera, optics: Optics, name: str) -> None:
    """Put in another film; names that are no preset change nothing, as in Unreal."""
    if name in FILMS:
        _set_film(camera, optics, *FILMS[name])


def _set_film(camera: Camera, optics: Optics, width_mm: float, height_mm: float) -> float:
    """Put in a film of that size behind the same lens at the same length; gives its aspect ratio."""
    if not (width_mm > 0 and height_mm > 0 and math.isfinite(width_mm / height_mm)):
        raise ApiError(f"a film of {width_mm} x {height_mm} mm cannot be exposed: give sizes above 0")
    focal_mm, optics.film = optics.focal_mm(_fov_deg(camera)), Film(width_mm, height_mm)
    _set_focal_length(camera, optics, focal_mm)
    return width_mm / height_mm


def _set_aperture(_: Camera, optics: Optics, aperture: float) -> None:
    fast, slow = optics.lens.f_stop
    optics.aperture = min(slow, max(fast, aperture))
