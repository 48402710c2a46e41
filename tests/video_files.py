"""Small labelled videos as real files."""

import numpy as np
from videos_in_memory import moving_squares

from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.videos import VideoHeader, VideoWriter


def write_video(path, rgb, labels, *, classes=CLASS_NAMES, environment="Testland", finish=True):
    """One video through the project's own writer."""
    header = VideoHeader(
        environment=environment,
        rate_hz=25.0,
        size_hw=labels.shape[1:],
        camera_matrix=np.full((3, 3), np.nan),
        poses="none",
        label_map={"name": environment, "version": 1, "sha256": "ab" * 32, "lut": list(range(256))},
        source={"file": f"{path.stem}.h5", "sha256": "cd" * 32},
        classes=classes,
    )
    with VideoWriter(path, header) as writer:
        for index in range(len(rgb)):
            writer.append(
                labels[index],
                rgb=rgb[index],
                time_ns=40_000_000 * index,
                sim_time_ns=-1,
                pose=None,
                segment_start=index == 0,
            )
        if finish:
            writer.finish()


def write_fleet(folder, *, drones=3, cars=3, frames=14, size_hw=(48, 64), num_classes=5, environment="Testland"):
    """A few videos of each vehicle below folder/environment."""
    names = [f"drone-s0-{i:02d}" for i in range(drones)] + [f"car-s0-{i:02d}" for i in range(cars)]
    for seed, name in enumerate(names):
        rgb, labels = moving_squares(seed, frames, size_hw, num_classes)
        write_video(folder / environment / f"{name}.h5", rgb, labels, environment=environment)
    return names
