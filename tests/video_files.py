"""Small labelled videos as real files."""

import numpy as np
from toy_world import ToyWorld, class_of_id
from videos_in_memory import moving_squares

from airsim_seg.taxonomy import CLASS_NAMES
from airsim_seg.types import Pose, camera_matrix
from airsim_seg.videos import VideoHeader, VideoReader, VideoWriter


def write_video(
    path,
    rgb,
    labels,
    *,
    classes=CLASS_NAMES,
    environment="Testland",
    finish=True,
    depth_m=None,
    poses=None,
    camera=None,
):
    """One video through the project's own writer; depth [T,H,W], poses and camera matrix where they are given."""
    header = VideoHeader(
        environment=environment,
        rate_hz=25.0,
        size_hw=labels.shape[1:],
        camera_matrix=np.full((3, 3), np.nan) if camera is None else camera,
        poses="none" if poses is None else "camera",
        label_map={"name": environment, "version": 1, "sha256": "ab" * 32, "lut": list(range(256))},
        source={"file": f"{path.stem}.h5", "sha256": "cd" * 32},
        classes=classes,
        has_depth=depth_m is not None,
    )
    with VideoWriter(path, header) as writer:
        for index in range(len(rgb)):
            writer.append(
                labels[index],
                rgb=rgb[index],
                time_ns=40_000_000 * index,
                sim_time_ns=-1,
                pose=None if poses is None else poses[index],
                segment_start=index == 0,
                depth_m=None if depth_m is None else depth_m[index],
            )
        if finish:
            writer.finish()


def read_labels(path):
    """All labels of a video, uint8 [T,H,W]."""
    with VideoReader(path) as video:
        return np.stack([video.labels(index) for index in range(video.num_frames)])


def write_fleet(folder, *, drones=3, cars=3, frames=14, size_hw=(48, 64), num_classes=5, environment="Testland"):
    """A few videos of each vehicle below folder/environment."""
    names = [f"drone-s0-{i:02d}" for i in range(drones)] + [f"car-s0-{i:02d}" for i in range(cars)]
    for seed, name in enumerate(names):
        rgb, labels = moving_squares(seed, frames, size_hw, num_classes)
        write_video(folder / environment / f"{name}.h5", rgb, labels, environment=environment)
    return names


def write_flights(folder, *, count=6, frames=8, size_hw=(48, 64), environment="Testland"):
    """Videos with depth and poses of flights over the toy world, below folder/environment."""
    for seed in range(count):
        write_video(folder / environment / f"drone-s0-{seed:02d}.h5", **toy_flight(seed, frames, size_hw))


def toy_flight(seed=0, frames=8, size_hw=(48, 64)):
    """What a camera of 90 degrees brings home that flies over the toy world's streets and turns: write_video's own."""
    world, captures = ToyWorld(size_hw=size_hw), []
    for index in range(frames):
        place = (-40.0 + 9 * seed + 0.8 * index, 3.0 * seed, -6.0)
        world.set_pose(Pose.from_euler(place, yaw_rad=0.3 * seed + 0.03 * index, pitch_rad=-0.1))
        captures.append(world.capture(depth=True))
    return {
        "rgb": np.stack([capture.rgb for capture in captures]),
        "labels": class_of_id()[np.stack([capture.raw_ids for capture in captures])],
        "depth_m": np.stack([capture.depth_m for capture in captures]),
        "poses": [capture.pose for capture in captures],
        "camera": camera_matrix(size_hw, 90.0),
    }
