"""Metrics as functions of sums over texts, which makes resampling texts a matrix product."""

import numpy as np

from .decisions import annotated_labels, class_masks, multi_hot_masks
from .metrics import HEADLINE

# Metrics that are means over texts. Of the others, Pearson's r is a function of moments and the F1s of counts.
_MEANS = ("jaccard", "accuracy")

# Scores whose variation is less than this share of their sum of squares are constant: the difference between a sum of
# squares and the square of a sum is then a rounding error.
_CONSTANT = 1e-12


def text_sums(
    system: np.ndarray, baseline: np.ndarray, references: np.ndarray, metric: str, num_labels: int | None = None
) -> np.ndarray:
    """Statistics of each text whose sums determine the metric, so that a resample counts nothing again.

    The arguments are those of [`paired_test`].

    Returns:
        `np.ndarray` of shape `(2, seeds, texts, statistics, labels)`: The system's, then the baseline's; `labels` is 1
        where they are summed over the labels.

    Raises:
        ValueError: If the arrays do not fit each other or the metric.
    """
    if references.ndim not in (1, 2) or not references.size:
        raise ValueError(
            "references must be of shape (texts, labels), or (texts,) for class ids, with at least one text; got "
            f"{references.shape}."
        )
    if metric in HEADLINE["regression"]:
        _check_shapes(system, baseline, references)
        return _moments(np.stack([system, baseline]), references)
    predicted, gold = _indicators(system, baseline, references, metric, num_labels)
    return _counts(predicted, gold, metric)


def score_of_sums(sums: np.ndarray, metric: str, texts: int | np.ndarray) -> np.ndarray:
    """The metric, from the statistics of [`text_sums`] summed over texts.

    Args:
        sums (`np.ndarray` of shape `(..., statistics, labels)`): The sums.
        metric (`str`): The metric.
        texts (`int` or `np.ndarray` of a shape that broadcasts to `(...)`): The number of texts that were summed.

    Returns:
        `np.ndarray` of shape `(...)`: The scores.
    """
    if metric in _MEANS:
        return sums[..., 0, 0] / texts
    if metric in HEADLINE["regression"]:
        return _correlations(sums).mean(axis=-1)
    # The F1 of a label that is neither given nor gold is 0. Counts are whole numbers, so 1 changes no other label.
    f1 = sums[..., 0, :] / np.maximum(sums[..., 1, :], 1.0)
    if metric == "weighted_f1":
        return (f1 * sums[..., 2, :]).sum(axis=-1) / texts
    return f1.mean(axis=-1)


def _check_shapes(system: np.ndarray, baseline: np.ndarray, references: np.ndarray) -> None:
    for name, decisions in (("system", system), ("baseline", baseline)):
        if decisions.shape[1:] != references.shape or not decisions.size:
            raise ValueError(
                f"{name} must be of shape (seeds, {', '.join(map(str, references.shape))}), as the references are, "
                f"with at least one seed; got {decisions.shape}. One seed's decisions are {name}[None]."
            )
    if len(system) != len(baseline):
        raise ValueError(
            f"system has {len(system)} seeds but baseline has {len(baseline)}, and seed i is compared with seed i. "
            "Train the seeds that are missing, or leave some out, chosen without a look at their scores."
        )


def _indicators(
    system: np.ndarray, baseline: np.ndarray, references: np.ndarray, metric: str, num_labels: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Whether a label is given, `(2, seeds, texts, labels)`, and whether it is gold, `(texts, labels)`."""
    multi_label = references.ndim == 2
    metrics = HEADLINE["multi_label_classification" if multi_label else "single_label_classification"]
    if metric not in metrics:
        kind = "0 and 1" if multi_label else "class ids"
        raise ValueError(f"metric must be one of {', '.join(metrics)} for references that are {kind}, got {metric!r}.")
    _check_shapes(system, baseline, references)

    named = {"system": system, "baseline": baseline, "references": references}
    if multi_label and num_labels is not None:
        raise ValueError("num_labels is for class ids; leave it out for references of shape (texts, labels).")
    masks = multi_hot_masks(**named) if multi_label else class_masks(num_labels, **named)
    if multi_label:
        masks = [mask[..., annotated_labels(references)] for mask in masks]
    return np.stack(masks[:2]), masks[2]


def _counts(predicted: np.ndarray, gold: np.ndarray, metric: str) -> np.ndarray:
    """Hits and other counts of each text, as [`text_sums`] returns them."""
    hits = predicted & gold
    if metric == "jaccard":
        union = (predicted | gold).sum(axis=-1)
        return np.where(union == 0, 1.0, hits.sum(axis=-1) / np.maximum(union, 1))[..., None, None]
    if metric == "accuracy":
        return hits.any(axis=-1).astype(np.float64)[..., None, None]
    support = np.broadcast_to(gold, predicted.shape).astype(np.float64)
    counts = [2.0 * hits, predicted + support]
    if metric == "weighted_f1":
        counts.append(support)
    statistics = np.stack(counts, axis=-2)
    return statistics.sum(axis=-1, keepdims=True) if metric == "micro_f1" else statistics


def _moments(predicted: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Count, sums, squares and product of predicted and gold scores, of shape `(2, seeds, texts, 6, outputs)`.

    Outputs without any gold score are left out, as in [`RegressionMetric`].
    """
    predicted, gold = predicted.astype(np.float64), references.astype(np.float64)
    if gold.ndim == 1:
        predicted, gold = predicted[..., None], gold[:, None]
    if not np.isfinite(predicted).all():
        raise ValueError("system and baseline must be numbers, without NaN and infinity.")
    scored = ~np.isnan(gold)
    outputs = scored.any(axis=0)
    if not outputs.any():
        raise ValueError("references hold no score: there is nothing to measure.")
    predicted, gold, scored = predicted[..., outputs], gold[:, outputs], scored[:, outputs]
    # Shifting both systems alike changes no correlation and keeps the squares precise.
    centre = np.nanmean(gold, axis=0)
    x, y = np.where(scored, predicted - centre, 0.0), np.where(scored, gold - centre, 0.0)
    return np.stack(np.broadcast_arrays(scored.astype(np.float64), x, y, x * x, y * y, x * y), axis=-2)


def _correlations(sums: np.ndarray) -> np.ndarray:
    """Pearson's r of each output; the correlation with a constant is 0."""
    count, x, y, xx, yy, xy = np.moveaxis(sums, -2, 0)
    # Without any text, all sums are 0.
    count = np.maximum(count, 1.0)
    spread_x, spread_y = xx - x * x / count, yy - y * y / count
    varies = (spread_x > _CONSTANT * xx) & (spread_y > _CONSTANT * yy)
    return np.where(varies, (xy - x * y / count) / np.sqrt(np.where(varies, spread_x * spread_y, 1.0)), 0.0)


__all__ = ["score_of_sums", "text_sums"]
