"""Decision thresholds of multi-label tasks, tuned on a development set."""

from collections.abc import Callable

import numpy as np

THRESHOLD_MODES = ("fixed", "global", "per_label")

# Even when rounded to 6 decimals, a threshold is at least 1e-6 away from every probability that it was tuned on, so
# that neither float32 nor JSON flips a decision. Probabilities that are closer together are not separated.
_DECIMALS = 6
_SMALLEST_GAP = 4e-6


def tune_thresholds(
    probabilities: np.ndarray, references: np.ndarray, mode: str = "global", metric: str = "jaccard"
) -> list[float]:
    """Find decision thresholds for multi-label predictions.

    Every midpoint between neighbouring probabilities is a candidate. Of equally good ones, the one closest to 0.5 is
    chosen, or 0.5 itself if its decisions are the same.

    Args:
        probabilities (`np.ndarray` of shape `(texts, labels)`): Between 0 and 1.
        references (`np.ndarray` of shape `(texts, labels)`): 0 or 1; NaN where nobody annotated a label, which then
            counts neither as gold nor as predicted.
        mode (`str`, defaults to `"global"`): `"global"`: one threshold for all labels, with the best `metric`;
            `"per_label"`: for each label the threshold with the best F1, or 0.5 for a label without positives;
            `"fixed"`: 0.5.
        metric (`str`, defaults to `"jaccard"`): What `"global"` maximises: `"jaccard"` (texts with neither gold nor
            predicted labels count 1, as in SemEval-2018), `"micro_f1"` or `"macro_f1"`.

    Returns:
        `list[float]`: One threshold per label, with at most 6 decimals. No probability is within 1e-6 of a tuned one.

    Raises:
        ValueError: If an argument is not valid.
    """
    probabilities, references = np.asarray(probabilities, dtype=np.float64), np.asarray(references)
    if mode not in THRESHOLD_MODES:
        raise ValueError(f"mode must be one of {', '.join(THRESHOLD_MODES)}, got {mode!r}.")
    if metric not in _METRICS:
        raise ValueError(f"metric must be one of {', '.join(_METRICS)}, got {metric!r}.")
    if probabilities.shape != references.shape or probabilities.ndim != 2 or not probabilities.size:
        raise ValueError(
            "probabilities and references must both be of shape (texts, labels) with at least one row, got "
            f"{probabilities.shape} and {references.shape}."
        )
    if not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ValueError("probabilities must be between 0 and 1; put logits through a sigmoid first.")
    missing = np.isnan(references)
    if missing.all(axis=1).any():
        raise ValueError("references hold a text that is not labelled; drop texts without labels first.")
    if missing.any():
        probabilities, references = np.where(missing, 0.0, probabilities), np.where(missing, 0.0, references)
    if not ((references == 0) | (references == 1)).all():
        raise ValueError("references must be 0 or 1; drop rows without labels first.")

    if mode == "fixed":
        return [0.5] * references.shape[1]
    if mode == "per_label":
        ordered, gold = _descending(probabilities.T, references.T)
        thresholds = _best(ordered, _running(gold, _f1))
        return np.where(references.any(axis=0), thresholds, 0.5).tolist()

    grouping, ratio = _METRICS[metric]
    ordered, gold = _descending(grouping(probabilities), grouping(references))
    running = _running(gold, ratio)
    # Lowering the threshold past a probability changes the ratio of its own group only. So the mean over the groups is
    # the one with nothing predicted, plus the changes in the order of their probabilities.
    ordered, changes = _descending(ordered.reshape(1, -1), np.diff(running).reshape(1, -1))
    means = (running[:, 0].sum() + np.pad(changes.cumsum(axis=1), ((0, 0), (1, 0)))) / len(running)
    return _best(ordered, means).tolist() * references.shape[1]


def _jaccard(hits: np.ndarray, predicted: np.ndarray, gold: np.ndarray) -> np.ndarray:
    union = predicted + gold - hits
    return np.where(union == 0, 1.0, hits / np.maximum(union, 1))


def _f1(hits: np.ndarray, predicted: np.ndarray, gold: np.ndarray) -> np.ndarray:
    return 2 * hits / np.maximum(predicted + gold, 1)


# Each metric is the mean of a ratio of counts over groups: texts, labels, or everything at once.
_METRICS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], Callable[..., np.ndarray]]] = {
    "jaccard": (lambda matrix: matrix, _jaccard),
    "micro_f1": (lambda matrix: matrix.reshape(1, -1), _f1),
    "macro_f1": (lambda matrix: matrix.T, _f1),
}


def _descending(probabilities: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row of probabilities in descending order, and the values in the same order."""
    order = np.argsort(-probabilities, axis=1, kind="stable")
    return np.take_along_axis(probabilities, order, axis=1), np.take_along_axis(values, order, axis=1)


def _running(gold: np.ndarray, ratio: Callable[..., np.ndarray]) -> np.ndarray:
    """The ratio of each row when its first 0, 1, ..., all items are predicted: `(rows, items + 1)`."""
    hits = np.pad(gold.cumsum(axis=1), ((0, 0), (1, 0)))
    return ratio(hits, np.arange(hits.shape[1]), hits[:, -1:])


def _best(ordered: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """For each row, the threshold above which as many of the descending probabilities lie as give the best score."""
    upper = np.pad(ordered, ((0, 0), (1, 0)), constant_values=1.0)
    lower = np.pad(ordered, ((0, 0), (0, 1)), constant_values=0.0)
    half = _SMALLEST_GAP / 2
    candidates = np.where((lower + half < 0.5) & (upper - half > 0.5), 0.5, (upper + lower) / 2)
    scores = np.where(upper - lower > _SMALLEST_GAP, scores, -np.inf)
    # Scores are sums of fractions, so equal ones may differ in their last digits.
    ties = np.isfinite(scores) & (scores >= scores.max(axis=1, keepdims=True) - 1e-12)
    distance = np.where(ties, np.abs(candidates - 0.5), np.inf)
    best = np.take_along_axis(candidates, distance.argmin(axis=1)[:, None], axis=1)[:, 0]
    return np.where(ties.any(axis=1), best, 0.5).round(_DECIMALS)


__all__ = ["THRESHOLD_MODES", "tune_thresholds"]
