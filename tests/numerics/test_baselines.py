"""The baselines against naive counting."""

from collections import Counter

import numpy as np
from videos_in_memory import MemoryVideo, moving_squares

from airsim_seg.benchmark import baselines, metrics
from airsim_seg.benchmark.scoring import score_video


def naive_lookup(frames):
    """Cell -> Counter of classes, pixel by pixel."""
    cells = {}
    for rgb, labels in frames:
        for pixel, label in zip(rgb.reshape(-1, 3).tolist(), labels.ravel().tolist(), strict=True):
            if label != 255:
                cells.setdefault(tuple(v // 16 for v in pixel), Counter())[label] += 1
    return cells


def counted(video, every):
    counts = baselines.ColourCounts(4)
    baselines.add_video(counts, video, every)
    return counts


def test_lookup_equals_a_naive_count():
    rgb, labels = moving_squares(0)
    counts = counted(MemoryVideo(rgb, labels), every=3)
    naive = naive_lookup([(rgb[i], labels[i]) for i in range(0, len(rgb), 3)])
    lookup = counts.lookup()
    for (r, g, b), classes in naive.items():
        assert classes[int(lookup[r * 256 + g * 16 + b])] == max(classes.values())
    assert counts.counts.sum() == sum(sum(c.values()) for c in naive.values())


def test_unseen_colours_take_the_majority_class_and_ignored_pixels_teach_nothing():
    rgb = np.full((1, 4, 4, 3), 200, np.uint8)
    labels = np.full((1, 4, 4), 2, np.uint8)
    labels[0, 0] = 255
    rgb[0, 0] = 10
    counts = counted(MemoryVideo(rgb, labels), every=1)
    assert counts.majority() == 2
    assert (counts.lookup() == 2).all()
    assert counts.counts.sum() == 12


def test_majority_scores_the_share_of_its_class():
    rgb, labels = moving_squares(1)
    counts = counted(MemoryVideo(rgb, labels), every=1)
    predictor = baselines.baseline_predictors(counts)["majority"]
    score = score_video(MemoryVideo(rgb, labels), predictor, name="v", num_classes=4)
    share = (labels == counts.majority()).sum() / (labels != 255).sum()
    assert metrics.pixel_accuracy(score.confusion) == share
    assert metrics.mean_iou(score.confusion) == share / 4  # the other three classes are never found


def test_colour_beats_majority_where_colour_tells():
    train, test = moving_squares(2), moving_squares(3)
    counts = counted(MemoryVideo(*train), every=1)
    scores = {
        name: metrics.mean_iou(score_video(MemoryVideo(*test), predictor, name="v", num_classes=4).confusion)
        for name, predictor in baselines.baseline_predictors(counts).items()
    }
    assert scores["colour"] > scores["majority"] + 0.3
