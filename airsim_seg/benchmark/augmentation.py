"""Augmentation of clips: drawn once for a clip and the same for each of its frames, so that motion stays motion.

Brightness, contrast and tint act on one channel's 256 values at a time, as the normalisation does: all of them become
one table of 3 x 256 floats, and a picture is looked up in it once.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from airsim_seg.types import Float32Array, UInt8Array

# RGB mean and standard deviation of ImageNet in 0..1, as torchvision's pretrained backbones expect them.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)

# Ranges of the draw: wide enough to cover weather, exposure and season between two flights of one place.
GAIN_RANGE = (0.6, 1.5)
GAMMA_RANGE = (0.7, 1.4)
TINT_RANGE = (0.85, 1.15)
ZOOM_RANGE = (0.7, 1.6)  # of the window's side; never more than the whole picture is shown


@dataclass(frozen=True, eq=False)
class Augmentation:
    """One draw, for all frames of one clip.

    Attributes:
        flip: mirror left and right.
        gamma: exponent on intensities in 0..1.
        gain: float32 [3], factor on R, G, B after gamma; results are cut to 0..1.
        crop: (top, left, height, width) as fractions of the picture; it is resized to what the network trains on.
    """

    flip: bool
    gamma: float
    gain: Float32Array
    crop: tuple[float, float, float, float]


UNCHANGED = Augmentation(flip=False, gamma=1.0, gain=np.ones(3, np.float32), crop=(0.0, 0.0, 1.0, 1.0))


def draw(
    rng: np.random.Generator, *, share_hw: tuple[float, float] = (1.0, 1.0), recolour: bool = True
) -> Augmentation:
    """Draw the augmentation of one clip.

    Args:
        rng: where the randomness comes from.
        share_hw: sides of the training window as fractions of the picture's, in (0, 1].
        recolour: change gain, gamma and tint too.
    """
    # Both sides shrink or grow alike, as far as the picture reaches: shapes stay what they are.
    scale = min(1 / max(share_hw), 1 / rng.uniform(*ZOOM_RANGE))
    crop = _place(rng, (share_hw[0] * scale, share_hw[1] * scale))
    flip = bool(rng.random() < 0.5)
    if not recolour:
        return Augmentation(flip, 1.0, np.ones(3, np.float32), crop)
    gain = rng.uniform(*GAIN_RANGE) * rng.uniform(*TINT_RANGE, 3)
    return Augmentation(flip, float(rng.uniform(*GAMMA_RANGE)), gain.astype(np.float32), crop)


def draw_window(rng: np.random.Generator, share_hw: tuple[float, float]) -> Augmentation:
    """Draw only where the training window lies; nothing is zoomed, mirrored or recoloured."""
    return Augmentation(False, 1.0, np.ones(3, np.float32), _place(rng, share_hw))


def _place(rng: np.random.Generator, sides_hw: tuple[float, float]) -> tuple[float, float, float, float]:
    """Draw where a window of that size lies: top, left, height, width."""
    top, left = rng.uniform(0, np.subtract(1, sides_hw))
    return float(top), float(left), *sides_hw


def colour_table(augmentation: Augmentation) -> Float32Array:
    """Tabulate gamma, gain and ImageNet normalisation: float32 [256,3], row = pixel value, column = R, G, B."""
    value = np.linspace(0, 1, 256, dtype=np.float32)[:, None] ** np.float32(augmentation.gamma)
    table: Float32Array = (np.clip(value * augmentation.gain, 0, 1) - IMAGENET_MEAN) / IMAGENET_STD
    return table


def normalise(images: UInt8Array, augmentation: Augmentation = UNCHANGED) -> Float32Array:
    """Look pictures up in the colour table.

    Args:
        images: uint8 [T,h,w,3] RGB.
        augmentation: its colours are used; geometry is `reframe`'s.

    Returns:
        float32 [T,h,w,3], what the network eats (channels last).
    """
    num_frames, height, width, _ = images.shape
    table = np.ascontiguousarray(colour_table(augmentation)[None])  # [1,256,3]
    found = cv2.LUT(images.reshape(num_frames * height, width, 3), table)
    return np.asarray(found, np.float32).reshape(images.shape)


def reframe(
    images: UInt8Array, labels: UInt8Array, augmentation: Augmentation, size_hw: tuple[int, int] | None = None
) -> tuple[UInt8Array, UInt8Array]:
    """Crop, resize and mirror pictures (bilinear) and labels (nearest pixel) alike.

    Args:
        images: uint8 [T,h,w,3].
        labels: uint8 [T,h,w].
        augmentation: one draw for all T frames.
        size_hw: (height, width) of what comes out; None: as what went in.

    Returns:
        uint8 [T,*size_hw,3] and [T,*size_hw].
    """
    height, width = labels.shape[1:]
    rows, columns = _window(augmentation, height, width)
    images, labels = images[:, rows, columns], labels[:, rows, columns]
    wanted_hw = (height, width) if size_hw is None else size_hw
    if labels.shape[1:] != wanted_hw:
        size = wanted_hw[::-1]  # OpenCV's order
        images = np.stack([cv2.resize(image, size, interpolation=cv2.INTER_LINEAR) for image in images])
        labels = np.stack([cv2.resize(label, size, interpolation=cv2.INTER_NEAREST_EXACT) for label in labels])
    if augmentation.flip:
        images, labels = images[:, :, ::-1], labels[:, :, ::-1]
    return np.ascontiguousarray(images), np.ascontiguousarray(labels)


def reframe_motion(
    motion: Float32Array, augmentation: Augmentation, size_hw: tuple[int, int] | None = None
) -> Float32Array:
    """Crop, resize and mirror motion as `reframe` does pictures: its steps grow, shrink and turn with them.

    Args:
        motion: float32 [T,2,h,w], columns then rows, in pixels; NaN = unknown.
        augmentation: one draw for all T frames.
        size_hw: see reframe.

    Returns:
        float32 [T,2,*size_hw].
    """
    num_frames, _, height, width = motion.shape
    rows, columns = _window(augmentation, height, width)
    motion = motion[:, :, rows, columns]
    wanted_hw = (height, width) if size_hw is None else size_hw
    scale = np.array([wanted_hw[1] / motion.shape[3], wanted_hw[0] / motion.shape[2]], np.float32)
    if motion.shape[2:] != wanted_hw:
        planes = np.ascontiguousarray(motion).reshape(num_frames * 2, *motion.shape[2:])
        resized = [cv2.resize(plane, wanted_hw[::-1], interpolation=cv2.INTER_NEAREST_EXACT) for plane in planes]
        motion = np.stack(resized).reshape(num_frames, 2, *wanted_hw)
    if augmentation.flip:
        motion, scale = motion[:, :, :, ::-1], scale * np.array([-1, 1], np.float32)
    return np.asarray(motion * scale[:, None, None], np.float32)


def _window(augmentation: Augmentation, height: int, width: int) -> tuple[slice, slice]:
    """Rows and columns of the crop, at least one of each."""
    top, left, crop_height, crop_width = augmentation.crop
    rows = slice(round(top * height), max(round((top + crop_height) * height), round(top * height) + 1))
    columns = slice(round(left * width), max(round((left + crop_width) * width), round(left * width) + 1))
    return rows, columns
