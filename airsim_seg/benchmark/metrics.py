"""Segmentation metrics, all computed from confusion matrices so that counts come before ratios.

Two figures share the name "mIoU" in this field; they are never mixed here:

* `mean_iou`: one confusion matrix over all pixels of a split, IoU of each class, mean over the classes present.
* `image_iou`: the 2021 study's figure, which is pixel accuracy in disguise: acc / (2 - acc), averaged over images.
"""

import numpy as np

from airsim_seg.taxonomy import IGNORE
from airsim_seg.types import Float64Array, Int64Array, UInt8Array


def confusion_matrix(truth: UInt8Array, predicted: UInt8Array, num_classes: int) -> Int64Array:
    """Count pixels by true and predicted class; pixels whose truth is 255 (ignore) are dropped.

    Args:
        truth: uint8, any shape; 0..num_classes-1, or 255 for ignore.
        predicted: uint8, the same shape; 0..num_classes-1.
        num_classes: 1..255.

    Returns:
        int64 [num_classes, num_classes]: rows are the truth, columns the prediction.

    Raises:
        ValueError: shapes or dtypes differ, or a value lies outside the classes.

    >>> confusion_matrix(np.uint8([0, 1, 1, 255]), np.uint8([0, 0, 1, 1]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    if truth.shape != predicted.shape:
        raise ValueError(f"truth is {truth.shape} and the prediction {predicted.shape}: they must have one shape")
    if truth.dtype != np.uint8 or predicted.dtype != np.uint8:
        raise ValueError(f"labels must be uint8, not {truth.dtype} and {predicted.dtype}")
    if predicted.size and int(predicted.max()) >= num_classes:
        raise ValueError(f"the prediction holds class {int(predicted.max())}; there are {num_classes}")
    # 255 * 255 + 254 fits in uint16, so every pair (truth, prediction) has its own bin and no pixel needs a mask.
    pairs = truth.astype(np.uint16) * np.uint16(num_classes) + predicted
    counts = np.bincount(pairs.ravel(), minlength=(IGNORE + 1) * num_classes).reshape(IGNORE + 1, num_classes)
    strange = counts[num_classes:IGNORE].any(axis=1)
    if strange.any():
        raise ValueError(
            f"the truth holds label {num_classes + int(strange.argmax())}; there are {num_classes} classes"
        )
    return counts[:num_classes].astype(np.int64)


def iou_per_class(confusion: Int64Array) -> Float64Array:
    """Intersection over union of each class, TP / (TP + FP + FN).

    Args:
        confusion: int64 [C, C], rows are the truth.

    Returns:
        float64 [C] in 0..1; NaN for a class that occurs neither in the truth nor in the prediction.
    """
    hits = np.diagonal(confusion).astype(np.float64)
    union = confusion.sum(0) + confusion.sum(1) - hits
    iou: Float64Array = np.divide(hits, union, out=np.full(len(hits), np.nan), where=union > 0)
    return iou


def num_classes_scored(confusion: Int64Array) -> int:
    """How many classes `mean_iou` averages over: those with TP + FP + FN > 0."""
    return int(np.isfinite(iou_per_class(confusion)).sum())


def mean_iou(confusion: Int64Array) -> float:
    """Dataset-level mIoU: mean of `iou_per_class` over the classes present; NaN where nothing was scored."""
    iou = iou_per_class(confusion)
    present = iou[np.isfinite(iou)]
    return float(present.mean()) if present.size else float("nan")


def pixel_accuracy(confusion: Int64Array) -> float:
    """Share of the scored pixels that are right, 0..1; NaN where nothing was scored."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else float("nan")


def image_iou(accuracies: Float64Array) -> float:
    """The study's image-level IoU: mean over images of acc / (2 - acc).

    Over all classes together an image of n pixels with k right has intersection k and union 2n - k, hence the formula.

    Args:
        accuracies: float64 [num_images], pixel accuracy of each image, 0..1; NaN where an image is all ignore.

    Returns:
        0..1; images that are NaN do not count, and NaN comes back where none is left.

    Source: the study's equation 1 (one intersection over one union an image, all classes together).
    """
    scored = accuracies[np.isfinite(accuracies)]
    return float((scored / (2 - scored)).mean()) if scored.size else float("nan")
