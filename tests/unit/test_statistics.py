"""The bootstrap against a naive one, a known coverage, and what may be said with little data."""

import numpy as np
import pytest

from airsim_seg.benchmark import metrics, statistics


def noisy_confusions(rng, seeds, videos, classes=4, pixels=4000, accuracy=0.7):
    """Videos that differ: their own accuracy and class mix. Wrong pixels get any class, now and then the right one."""
    out = np.zeros((seeds, videos, classes, classes), np.int64)
    for v in range(videos):
        mix = rng.dirichlet(np.ones(classes))
        right = np.clip(accuracy + rng.normal(0, 0.08), 0.05, 0.98)
        share = mix[:, None] * (right * np.eye(classes) + (1 - right) / classes)  # of the pixels, truth by prediction
        out[:, v] = rng.multinomial(pixels, share.ravel(), seeds).reshape(seeds, classes, classes)
    return out


def dataset_difference(a, b, videos, seeds):
    values = [
        metrics.mean_iou(a[s, videos].sum(0)) - metrics.mean_iou(b[s, videos].sum(0))  # summed matrices, then ratios
        for s in seeds
    ]
    return np.mean(values)


def test_point_estimate_is_the_dataset_miou_of_summed_matrices():
    rng = np.random.default_rng(0)
    a, b = noisy_confusions(rng, 3, 6), noisy_confusions(rng, 3, 6, accuracy=0.6)
    got = statistics.paired_difference(a, b, rng, num_resamples=10)
    assert got.miou == pytest.approx(dataset_difference(a, b, np.arange(6), range(3)), rel=1e-12)
    assert (got.num_videos, got.num_seeds) == (6, 3)


def test_interval_agrees_with_a_naive_bootstrap():
    rng = np.random.default_rng(1)
    a, b = noisy_confusions(rng, 2, 7), noisy_confusions(rng, 2, 7)
    naive = [dataset_difference(a, b, rng.integers(0, 7, 7), rng.integers(0, 2, 2)) for _ in range(1500)]
    got = statistics.paired_difference(a, b, np.random.default_rng(2))
    spread = np.std(naive)
    assert [got.low, got.high] == pytest.approx(np.percentile(naive, [2.5, 97.5]), abs=0.2 * spread)


def test_identical_cells_differ_by_exactly_nothing():
    a = noisy_confusions(np.random.default_rng(0), 1, 5)
    got = statistics.paired_difference(a, a, np.random.default_rng(0))
    assert (got.miou, got.low, got.high, got.sign_flip_p) == (0, 0, 0, 1)
    assert not got.excludes_zero


def test_pairing_cancels_what_the_videos_have_in_common():
    rng = np.random.default_rng(5)
    base = noisy_confusions(rng, 1, 8)
    better = base.copy()
    for v in range(8):  # a hundredth of the pixels mended in every video
        off = base[0, v] - np.diag(np.diag(base[0, v]))
        moved = off // 100
        better[0, v] -= moved
        better[0, v] += np.diag(moved.sum(1))
    got = statistics.paired_difference(better, base, rng)
    assert got.excludes_zero
    assert got.low > 0


def test_a_class_missing_from_some_resamples_is_left_out_there():
    a = np.zeros((1, 3, 2, 2), np.int64)
    a[0, :, 0, 0] = 10
    a[0, 2, 1, 1] = 5  # only video 2 shows class 1
    b = a.copy()
    b[0, :, 0, 0], b[0, 2] = 8, [[8, 2], [1, 4]]
    got = statistics.paired_difference(a, b, np.random.default_rng(0), num_resamples=500)
    assert np.isfinite([got.miou, got.low, got.high]).all()


@pytest.mark.parametrize("videos", [1, 2])
def test_below_three_videos_there_is_no_interval(videos):
    a = noisy_confusions(np.random.default_rng(0), 1, videos)
    got = statistics.paired_difference(a, a, np.random.default_rng(0))
    assert got.low is None
    assert got.high is None
    assert got.sign_flip_p is None
    assert "cannot give an interval" in statistics.sentence(got, "N=4")
    assert "not enough to tell" in statistics.sentence(got, "N=4")


def test_sign_flip_p_is_the_exact_count():
    rng = np.random.default_rng(7)
    a, b = noisy_confusions(rng, 1, 4), noisy_confusions(rng, 1, 4)
    observed, hits = abs(dataset_difference(a, b, np.arange(4), [0])), 0
    for bits in range(16):
        x, y = a.copy(), b.copy()
        for v in range(4):
            if bits >> v & 1:
                x[0, v], y[0, v] = b[0, v], a[0, v]
        hits += abs(dataset_difference(x, y, np.arange(4), [0])) >= observed - 1e-12
    assert statistics.paired_difference(a, b, rng, num_resamples=10).sign_flip_p == pytest.approx(hits / 16)


def test_interval_covers_the_truth_about_as_often_as_it_says():
    """Two cells of one distribution: zero must lie inside in most of many repetitions."""
    rng = np.random.default_rng(11)
    videos = statistics.MAX_VIDEOS_FOR_EXACT_P + 1  # the exact p would cost ten times what the interval does
    inside = 0
    for _ in range(200):
        a, b = noisy_confusions(rng, 1, videos, pixels=400), noisy_confusions(rng, 1, videos, pixels=400)
        inside += not statistics.paired_difference(a, b, rng, num_resamples=400).excludes_zero
    assert 170 <= inside <= 190  # 95 % nominal; the percentile bootstrap of 13 videos is a little short


def test_same_generator_seed_same_interval():
    rng = np.random.default_rng(3)
    a, b = noisy_confusions(rng, 2, 5), noisy_confusions(rng, 2, 5)
    first, second = (statistics.paired_difference(a, b, np.random.default_rng(9), num_resamples=200) for _ in "ab")
    assert first == second


@pytest.mark.parametrize(
    ("low", "high", "videos", "seeds", "words"),
    [
        (0.001, 0.02, 9, 3, "excludes zero"),
        (-0.01, 0.02, 9, 3, "told from zero"),
        (0.001, 0.02, 9, 1, "one seed: not enough to tell"),
        (0.001, 0.02, 4, 3, "only 4 test videos: not enough to tell"),
    ],
)
def test_the_sentence_never_promises_more_than_the_data(low, high, videos, seeds, words):
    difference = statistics.Difference(0.0104, low, high, 0.2, videos, seeds)
    text = statistics.sentence(difference, "N=6")
    assert words in text
    assert "+1.0 points" in text


def test_shapes_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        statistics.paired_difference(np.zeros((1, 3, 2, 2), int), np.zeros((1, 4, 2, 2), int), np.random.default_rng(0))
