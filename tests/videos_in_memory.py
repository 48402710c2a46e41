"""Small labelled videos without files: coloured shapes that move."""

import numpy as np


class MemoryVideo:
    """What scoring needs of a video, from arrays; a context manager like the real reader."""

    def __init__(self, rgb, labels, segment_start=None):
        self._rgb, self._labels = rgb, labels
        self.num_frames = len(rgb)
        self.segment_start = np.zeros(len(rgb), bool) if segment_start is None else np.asarray(segment_start, bool)
        self.segment_start[0] = True

    def rgb(self, index):
        return self._rgb[index]

    def labels(self, index):
        return self._labels[index]

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        return None


def moving_squares(seed, frames=12, size_hw=(24, 32), num_classes=4):
    """Class 0 is the ground; a square of each other class wanders over it, its colour noisy; a corner is ignored."""
    rng = np.random.default_rng(seed)
    height, width = size_hw
    labels = np.zeros((frames, height, width), np.uint8)
    for cls in range(1, num_classes):
        y, x = rng.integers(0, height // 2), rng.integers(0, width // 2)
        dy, dx = rng.integers(-1, 2), rng.integers(-1, 2)
        for t in range(frames):
            top, left = (y + dy * t) % (height // 2), (x + dx * t) % (width // 2)
            labels[t, top : top + height // 3, left : left + width // 3] = cls
    colours = np.random.default_rng(99).integers(30, 220, (num_classes, 3))
    rgb = colours[labels] + rng.normal(0, 12, (*labels.shape, 3))
    labels[:, :2, :2] = 255
    return np.clip(rgb, 0, 255).astype(np.uint8), labels
