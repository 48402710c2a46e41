"""Metrics against naive loops, identities and hand-made cases."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airsim_seg.benchmark import metrics


def naive_confusion(truth, predicted, num_classes):
    counts = np.zeros((num_classes, num_classes), np.int64)
    for t, p in zip(truth.ravel(), predicted.ravel(), strict=True):
        if t != 255:
            counts[t, p] += 1
    return counts


def naive_iou(truth, predicted, cls):
    t, p = truth[truth != 255] == cls, predicted[truth != 255] == cls
    union = (t | p).sum()
    return (t & p).sum() / union if union else np.nan


def random_labels(seed, num_classes, shape=(13, 17), ignored=0.1):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes, shape).astype(np.uint8)
    truth[rng.random(shape) < ignored] = 255
    return truth, rng.integers(0, num_classes, shape).astype(np.uint8)


@pytest.mark.parametrize("num_classes", [1, 2, 11, 255])
def test_confusion_and_iou_equal_naive_loops(num_classes):
    truth, predicted = random_labels(3, num_classes)
    confusion = metrics.confusion_matrix(truth, predicted, num_classes)
    assert confusion.dtype == np.int64
    np.testing.assert_array_equal(confusion, naive_confusion(truth, predicted, num_classes))
    expected = [naive_iou(truth, predicted, c) for c in range(num_classes)]
    np.testing.assert_allclose(metrics.iou_per_class(confusion), expected, rtol=1e-15)
    assert metrics.mean_iou(confusion) == pytest.approx(np.nanmean(expected))


def test_known_two_class_case():
    # The study's own example: a class that covers 5 % and is never found.
    confusion = np.array([[95, 0], [5, 0]])
    assert metrics.mean_iou(confusion) == pytest.approx(0.475)
    assert metrics.image_iou(np.array([0.95])) == pytest.approx(0.95 / 1.05)  # 0.905: looks far better than it is


def test_absent_class_is_left_out_and_falsely_predicted_class_counts_zero():
    truth = np.zeros((4, 4), np.uint8)
    predicted = truth.copy()
    predicted[0, 0] = 2
    confusion = metrics.confusion_matrix(truth, predicted, 4)
    iou = metrics.iou_per_class(confusion)
    assert np.isnan(iou[[1, 3]]).all()
    assert iou[2] == 0
    assert metrics.num_classes_scored(confusion) == 2
    assert metrics.mean_iou(confusion) == pytest.approx((15 / 16 + 0) / 2)


@pytest.mark.parametrize("truth", [np.zeros((0, 5), np.uint8), np.full((3, 5), 255, np.uint8)])
def test_nothing_to_score_is_nan_not_zero(truth):
    confusion = metrics.confusion_matrix(truth, np.zeros_like(truth), 11)
    assert confusion.sum() == 0
    assert np.isnan(metrics.mean_iou(confusion))
    assert np.isnan(metrics.pixel_accuracy(confusion))
    assert metrics.num_classes_scored(confusion) == 0


def test_image_iou_is_the_micro_jaccard_index_of_each_image():
    values, accuracies = [], []
    for seed in range(5):
        truth, predicted = random_labels(seed, 4)
        valid = truth != 255
        hits = (truth == predicted)[valid].sum()
        values.append(hits / (2 * valid.sum() - hits))  # intersection over union, all classes in one pot
        accuracies.append(metrics.pixel_accuracy(metrics.confusion_matrix(truth, predicted, 4)))
    assert metrics.image_iou(np.array(accuracies)) == pytest.approx(np.mean(values), rel=1e-14)


def test_images_that_are_all_ignore_do_not_count():
    assert metrics.image_iou(np.array([0.5, np.nan])) == pytest.approx(1 / 3)
    assert np.isnan(metrics.image_iou(np.array([np.nan])))
    assert np.isnan(metrics.image_iou(np.zeros(0)))


def test_perfect_prediction_scores_one():
    truth, _ = random_labels(0, 11)
    predicted = np.where(truth == 255, 3, truth).astype(np.uint8)
    confusion = metrics.confusion_matrix(truth, predicted, 11)
    assert metrics.mean_iou(confusion) == 1.0
    assert metrics.pixel_accuracy(confusion) == 1.0


@pytest.mark.parametrize(
    ("truth", "predicted", "word"),
    [
        (np.zeros((2, 2), np.uint8), np.zeros((2, 3), np.uint8), "one shape"),
        (np.zeros(4, np.int64), np.zeros(4, np.uint8), "uint8"),
        (np.full(4, 11, np.uint8), np.zeros(4, np.uint8), "label 11"),
        (np.full(4, 254, np.uint8), np.zeros(4, np.uint8), "label 254"),
        (np.zeros(4, np.uint8), np.full(4, 11, np.uint8), "class 11"),
    ],
)
def test_wrong_labels_are_refused_by_name(truth, predicted, word):
    with pytest.raises(ValueError, match=word):
        metrics.confusion_matrix(truth, predicted, 11)


@given(st.integers(0, 10_000), st.integers(2, 12))
def test_confusions_add_up(seed, num_classes):
    truth, predicted = random_labels(seed, num_classes, (2, 6, 7))
    whole = metrics.confusion_matrix(truth, predicted, num_classes)
    parts = [metrics.confusion_matrix(truth[i], predicted[i], num_classes) for i in range(2)]
    np.testing.assert_array_equal(whole, parts[0] + parts[1])
