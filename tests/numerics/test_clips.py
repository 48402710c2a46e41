"""Clips: resizing, the seeded draw, augmentation that is the same for every frame of a clip."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from airsim_seg.benchmark import augmentation
from airsim_seg.benchmark.clips import ClipSampler, Share, clip_starts, to_batch
from airsim_seg.benchmark.frames import LabelledFrames, VideoFrames
from airsim_seg.benchmark.resizing import resize_labels, resize_rgb
from airsim_seg.errors import DataError, MissingData, UsageError
from airsim_seg.videos import VideoHeader, VideoWriter


def make_video(name="v", num_frames=12, starts=(0,), hw=(12, 16), seed=0) -> LabelledFrames:
    """Frame t of a video is filled with the value t, so that a clip tells which frames it has; labels 0..2."""
    images = np.broadcast_to(np.arange(num_frames, dtype=np.uint8)[:, None, None, None], (num_frames, *hw, 3)).copy()
    labels = np.random.default_rng(seed).integers(0, 3, (num_frames, *hw), np.uint8)
    segment_start = np.isin(np.arange(num_frames), starts)
    return LabelledFrames(name, images, labels, segment_start)


def sampler(videos, **changes) -> ClipSampler:
    options = {"clip_length": 4, "clips_per_step": 2, "seed": 0, "augment": False} | changes
    return ClipSampler(videos, **options)


def frame_values(batch) -> list[int]:
    """Undo the normalisation of make_video's frames: the value that each is filled with."""
    red = batch.images[:, 0, 0, 0].numpy() * augmentation.IMAGENET_STD[0] + augmentation.IMAGENET_MEAN[0]
    return np.rint(red * 255).astype(int).tolist()


@pytest.mark.parametrize("clip_length", [1, 2, 3, 5, 9, 10])
def test_a_clip_starts_wherever_it_stays_inside_its_segment(clip_length):
    starts = np.array([1, 0, 0, 0, 1, 1, 0, 0, 0], bool)
    brute = [i for i in range(9) if i + clip_length <= 9 and not starts[i + 1 : i + clip_length].any()]
    assert clip_starts(starts, clip_length).tolist() == brute


def test_no_clip_crosses_a_border_and_each_begins_with_an_empty_memory():
    draw = sampler([make_video(num_frames=12, starts=(0, 5))])
    first_frames = set()
    for step in range(40):
        batch = draw.sample(step)
        assert batch.segment_start.tolist() == [True, False, False, False] * 2
        for clip in np.reshape(frame_values(batch), (2, 4)).tolist():
            assert clip == list(range(clip[0], clip[0] + 4))
            first_frames.add(clip[0])
    assert first_frames == {0, 1, 5, 6, 7, 8}


def test_clips_of_a_step_come_from_different_videos():
    videos = [make_video(str(i), num_frames=8) for i in range(3)]
    for i, video in enumerate(videos):
        video.images[:] = 50 * i
    draw = sampler(videos)
    for step in range(20):
        first, second = frame_values(draw.sample(step))[::4]
        assert first != second


def test_a_step_is_a_function_of_seed_and_step():
    videos = [make_video(str(i)) for i in range(3)]
    one, same, other = (sampler(videos, augment=True, seed=seed) for seed in (4, 4, 5))
    expected = one.sample(7)
    for step in (0, 3):
        same.sample(step)
    again = same.sample(7)
    assert torch.equal(expected.images, again.images)
    assert torch.equal(expected.labels, again.labels)
    assert not torch.equal(expected.images, other.sample(7).images)
    assert not torch.equal(expected.images, one.sample(8).images)


def test_batches_are_what_the_network_eats():
    batch = sampler([make_video()], augment=True).sample(0)
    assert (batch.images.shape, batch.images.dtype) == ((8, 3, 12, 16), torch.float32)
    assert batch.images.is_contiguous(memory_format=torch.channels_last)
    assert (batch.labels.shape, batch.labels.dtype) == ((8, 12, 16), torch.int64)
    assert (batch.segment_start.shape, batch.segment_start.dtype) == ((8,), torch.bool)


def test_augmentation_is_the_same_for_every_frame_of_a_clip_and_differs_between_clips():
    rng = np.random.default_rng(0)
    still = rng.integers(0, 256, (1, 12, 16, 3), np.uint8).repeat(8, 0)
    labels = rng.integers(0, 3, (1, 12, 16), np.uint8).repeat(8, 0)
    video = LabelledFrames("still", still, labels, np.arange(8) == 0)
    for step in range(10):
        batch = sampler([video], augment=True).sample(step)
        first, second = batch.images[:4], batch.images[4:]
        assert (first == first[0]).all()
        assert (batch.labels[:4] == batch.labels[0]).all()
        assert not torch.equal(first[0], second[0])


def test_labels_follow_the_picture_through_flip_and_zoom():
    """A picture whose red says right half or left, whose green says bottom or top: labels must still agree."""
    height, width = 60, 80
    right = np.broadcast_to(np.arange(width) >= 33, (height, width))
    bottom = np.broadcast_to(np.arange(height)[:, None] >= 21, (height, width))
    images = np.stack([right * 255, bottom * 255, right * 0], -1).astype(np.uint8)[None]
    labels = (right + 2 * bottom).astype(np.uint8)[None]
    rng = np.random.default_rng(0)
    flips, sizes = set(), set()
    for _ in range(30):
        change = augmentation.draw(rng)
        picture, moved = augmentation.reframe(images, labels, change)
        assert (picture.shape, moved.shape) == (images.shape, labels.shape)
        from_picture = (picture[..., 0] > 127) + 2 * (picture[..., 1] > 127)
        assert (from_picture == moved).mean() > 0.97  # they may differ by a pixel along the two edges
        flips.add(change.flip)
        sizes.add(round(change.crop[2], 1))
    assert flips == {False, True}
    assert len(sizes) > 2


def test_colour_table_is_gamma_then_gain_then_imagenet():
    change = augmentation.Augmentation(False, 0.8, np.array([1.2, 0.9, 1.0], np.float32), (0, 0, 1, 1))
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), np.uint8)
    expected = np.clip((images / 255.0) ** 0.8 * [1.2, 0.9, 1.0], 0, 1)
    expected = (expected - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    np.testing.assert_allclose(augmentation.normalise(images, change), expected, atol=1e-5)


@pytest.mark.parametrize("new_hw", [(4, 5), (8, 20), (5, 7), (16, 20), (3, 31)])
def test_labels_are_those_under_the_new_pixels_centres(new_hw):
    labels = np.random.default_rng(0).integers(0, 256, (8, 10), np.uint8)
    small = resize_labels(labels, new_hw)
    for y in range(new_hw[0]):
        for x in range(new_hw[1]):
            assert small[y, x] == labels[int((y + 0.5) * 8 / new_hw[0]), int((x + 0.5) * 10 / new_hw[1])]


def test_rgb_is_the_mean_over_areas():
    rgb = np.random.default_rng(0).integers(0, 256, (8, 12, 3), np.uint8)
    means = rgb.reshape(4, 2, 4, 3, 3).mean((1, 3))
    np.testing.assert_allclose(resize_rgb(rgb, (4, 4)), means, atol=0.5 + 1e-9)


def test_a_video_gives_the_same_frames_from_its_file_and_from_memory(tmp_path):
    rng = np.random.default_rng(0)
    frames = [(rng.integers(0, 256, (8, 12, 3), np.uint8), rng.integers(0, 11, (8, 12), np.uint8)) for _ in range(3)]
    header = VideoHeader("Neighborhood", 25.0, (8, 12), np.full((3, 3), np.nan), "none", {"name": "n"}, {"file": "f"})
    path = tmp_path / "car_0.h5"
    with VideoWriter(path, header) as writer:
        for i, (rgb, labels) in enumerate(frames):
            time_ns = i * 40_000_000
            writer.append(labels, rgb=rgb, time_ns=time_ns, sim_time_ns=-1, pose=None, segment_start=i in (0, 2))
        writer.finish()
    source = VideoFrames("car_0", path, (4, 4))
    video = source.load()
    assert video.name == "car_0"
    assert video.segment_start.tolist() == [True, False, True]
    for i, (rgb, labels) in enumerate(frames):
        assert np.array_equal(video.images[i], resize_rgb(rgb, (4, 4)))
        assert np.array_equal(video.labels[i], resize_labels(labels, (4, 4)))
        assert np.array_equal(source.read(slice(i, i + 1)).images[0], video.images[i])
    assert np.array_equal(source.read_labels(slice(1, 9)), video.labels[1:])
    assert source.label_survey.digest == video.label_survey.digest
    assert np.array_equal(source.label_survey.counts, np.bincount(video.labels.ravel(), minlength=256))
    assert source.num_bytes == video.images.nbytes + video.labels.nbytes
    with pytest.raises(MissingData):
        VideoFrames("absent", tmp_path / "absent.h5", (4, 4))


def test_scoring_batches_keep_the_videos_own_segments():
    video = make_video(starts=(0, 5))
    batch = to_batch(video, slice(None))
    assert batch.segment_start.nonzero().flatten().tolist() == [0, 5]
    assert frame_values(batch) == list(range(12))


def test_class_shares_count_labelled_pixels_only():
    video = make_video()
    video.labels[0] = 255
    shares = sampler([video]).class_shares(5)
    kept = video.labels[1:]
    assert shares.tolist() == pytest.approx([(kept == c).mean() for c in range(5)])


def test_what_cannot_be_drawn_is_said():
    short = make_video(num_frames=6, starts=(0, 3))
    with pytest.raises(MissingData, match="no videos to train on"):
        sampler([])
    with pytest.raises(UsageError, match=r"No training video has 4 frames without a gap \(the longest run has 3\)"):
        sampler([short])
    with pytest.raises(UsageError, match="clips_per_step"):
        sampler([short], clips_per_step=0)
    with pytest.raises(DataError, match="different sizes"):
        sampler([make_video(), make_video(hw=(6, 8))])
    with pytest.raises(DataError, match="value 2, but there are 2 classes"):
        sampler([make_video()]).class_shares(2)
    video = make_video()
    video.labels[:] = 255
    with pytest.raises(DataError, match="All training pixels"):
        sampler([video]).class_shares(2)
    with pytest.raises(DataError, match="do not belong together"):
        LabelledFrames("odd", video.images, video.labels[:3], video.segment_start)


@pytest.mark.parametrize("crop_hw", [(12, 16), (12, 12), (24, 16), (7, 32)])
def test_a_window_is_cut_from_the_same_place_of_every_frame(crop_hw: tuple[int, int]) -> None:
    """Every pixel says where it lies, so that a window without zoom is found again, whole, in each frame."""
    place = np.arange(24 * 32, dtype=np.int64).reshape(24, 32)
    images = np.stack([place // 256, place % 256, place * 0], -1).astype(np.uint8)
    video = LabelledFrames("v", np.repeat(images[None], 5, 0), np.zeros((5, 24, 32), np.uint8), np.arange(5) == 0)
    batch = sampler([video], clips_per_step=1, augment=False, crop_hw=crop_hw).sample(0)

    assert batch.images.shape == (4, 3, *crop_hw)
    assert (batch.images == batch.images[:1]).all()
    colours = batch.images[0].permute(1, 2, 0).numpy() * augmentation.IMAGENET_STD + augmentation.IMAGENET_MEAN
    found = np.rint(colours * 255).astype(np.int64)
    found_place = found[..., 0] * 256 + found[..., 1]
    corner = found_place[0, 0]
    rows, columns = np.mgrid[: crop_hw[0], : crop_hw[1]]
    np.testing.assert_array_equal(found_place, corner + 32 * rows + columns)


def test_a_zoomed_window_of_another_shape_is_not_stretched() -> None:
    """Columns and rows of the picture are its colours: they must grow by the same step."""
    rows, columns = np.mgrid[0:96, 0:128].astype(np.uint8)
    images = np.stack([columns, rows, rows * 0], -1)[None].repeat(4, 0)
    video = LabelledFrames("v", images, np.zeros((4, 96, 128), np.uint8), np.arange(4) == 0)
    for step in range(8):
        batch = sampler([video], clips_per_step=1, augment=True, recolour=False, crop_hw=(48, 24)).sample(step)
        colours = 255 * (
            batch.images[0].permute(1, 2, 0).numpy() * augmentation.IMAGENET_STD + augmentation.IMAGENET_MEAN
        )
        across, down = abs(colours[24, 20, 0] - colours[24, 4, 0]) / 16, (colours[40, 12, 1] - colours[8, 12, 1]) / 32
        assert across == pytest.approx(down, abs=0.1)


def test_without_recolouring_a_zoomed_clip_keeps_its_colours() -> None:
    video = make_video()
    flat = LabelledFrames(video.name, np.full_like(video.images, 90), video.labels, video.segment_start)
    plain = sampler([flat], augment=False).sample(0).images
    zoomed = sampler([flat], augment=True, recolour=False).sample(0).images
    recoloured = sampler([flat], augment=True, recolour=True).sample(0).images

    assert np.allclose(plain.numpy(), zoomed.numpy())
    assert not np.allclose(plain.numpy(), recoloured.numpy())


@pytest.mark.parametrize("moving", [False, True])
def test_ranks_share_out_whole_clips(moving: bool) -> None:
    videos = [make_video(str(i), seed=i) for i in range(3)]
    if moving:
        motion = np.random.default_rng(0).normal(size=(12, 2, 12, 16)).astype(np.float16)
        videos = [replace(video, motion=motion) for video in videos]
    draw = sampler(videos, clips_per_step=6, augment=True)
    whole, parts = draw.sample(5), [draw.sample(5, Share(rank, 3)) for rank in range(3)]
    for name, value in vars(whole).items():
        found = [getattr(part, name) for part in parts]
        assert found == [None] * 3 if value is None else torch.equal(torch.cat(found), value)
    assert all(part.segment_start[0] for part in parts)
