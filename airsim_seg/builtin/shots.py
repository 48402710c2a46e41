"""One request for one picture, with the instant that it is to show."""

from dataclasses import dataclass, field

import numpy as np

from airsim_seg.builtin.camera_settings import SCENE_GAMMA, NoiseSettings
from airsim_seg.builtin.distortion import Warp
from airsim_seg.builtin.exposure import FIXED, Exposure
from airsim_seg.builtin.plots import Plot
from airsim_seg.builtin.scene import STILL, Moment, View
from airsim_seg.types import Float64Array, Pose, UInt8Array

# AirSim's ImageType (ImageCaptureBase.hpp).
SCENE, DEPTH_PLANAR, DEPTH_PERSPECTIVE, DEPTH_VIS, DISPARITY = range(5)
SEGMENTATION, NORMALS, INFRARED, FLOW, FLOW_VIS = range(5, 10)


@dataclass(frozen=True)
class ImageRequest:
    """What a client wants of one camera, named as AirSim's ImageRequest."""

    camera_name: str
    image_type: int
    pixels_as_float: bool
    compress: bool


@dataclass(frozen=True, eq=False)
class Shot:
    """One request at one frozen instant.

    Attributes:
        request: what is wanted.
        view: the camera in the scene's frame.
        local_pose: the camera in the vehicle's local NED, which the response reports.
        time_ns: the clock.
        id_table: uint8 [N+1], id by object index, the sky last.
        moment: what is there; for Segmentation, without what has no id.
        before: the camera and the moment of its picture before this call; None at its first.
        colours: uint8 [256,3], RGB of each id; None is AirSim's own table.
        warp: what bends the picture, which the view then shows wider than it is sent; None leaves it straight.
        gamma, exposure: of the Scene, see CaptureSettings.
        noise: on the finished picture; None is none.
        noise_key: what makes its random numbers, beside the clock.
        plots: what clients have drawn into the world; only the Scene image shows it.
        origin_m: float64 [3], where the API's world NED begins, in the scene's.
    """

    request: ImageRequest
    view: View
    local_pose: Pose
    time_ns: int
    id_table: UInt8Array
    moment: Moment = STILL
    before: tuple[View, Moment] | None = None
    colours: UInt8Array | None = None
    warp: Warp | None = None
    gamma: float = SCENE_GAMMA
    exposure: Exposure = FIXED
    noise: NoiseSettings | None = None
    noise_key: str = ""
    plots: tuple[Plot, ...] = ()
    origin_m: Float64Array = field(default_factory=lambda: np.zeros(3))

    @property
    def size_hw(self) -> tuple[int, int]:
        """(height, width) of the picture that is sent, pixels."""
        return self.view.size_hw if self.warp is None else self.warp.size_hw
