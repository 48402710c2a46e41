"""What a camera does to a picture after it is drawn: exposure, lens, gamma and noise, in Unreal's order.

AirSim hangs distortion and noise on a capture as post-process materials, in that order (UE PIPCamera.cpp,
setupCameraFromSettings).
"""

import numpy as np

from airsim_seg import elementary
from airsim_seg.builtin.camera_settings import SCENE_GAMMA
from airsim_seg.builtin.exposure import exposed
from airsim_seg.builtin.picture_noise import noisy
from airsim_seg.builtin.scene import FAR_DEPTH_M
from airsim_seg.builtin.shots import DEPTH_PERSPECTIVE, DEPTH_PLANAR, SCENE, Shot
from airsim_seg.types import Float32Array, UInt8Array


def finished(shot: Shot, bgr: UInt8Array) -> UInt8Array:
    """Finish a picture.

    Args:
        shot: says how.
        bgr: uint8 [H',W',3], as the shot's view shows it.

    Returns:
        uint8 [H,W,3]. Only the Scene is blended; the other types are codes, of which each pixel keeps a whole one.
    """
    is_scene = shot.request.image_type == SCENE
    if is_scene:
        bgr = exposed(bgr, shot.exposure)
    if shot.warp is not None:
        bgr = shot.warp.blended(bgr) if is_scene else shot.warp.picked_bytes(bgr)
    if is_scene and shot.gamma != SCENE_GAMMA:
        exponent = SCENE_GAMMA / shot.gamma
        levels = [round(255 * elementary.power(level / 255, exponent)) for level in range(256)]
        bgr = np.array(levels, np.uint8)[bgr]
    return bgr if shot.noise is None else noisy(bgr, shot.noise, shot.noise_key, shot.time_ns)


def bent_floats(shot: Shot, values: Float32Array) -> Float32Array:
    """Numbers, float32 [H',W'], through the lens: [H,W]. Where it shows nothing a depth is far and the rest 0."""
    if shot.warp is None:
        return values
    is_depth = shot.request.image_type in (DEPTH_PLANAR, DEPTH_PERSPECTIVE)
    return shot.warp.picked_floats(values, FAR_DEPTH_M if is_depth else 0.0)
