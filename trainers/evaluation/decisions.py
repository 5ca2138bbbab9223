"""From logits to decisions: which labels a text is given, and the score of a regression."""

from collections.abc import Sequence

import numpy as np

PROBLEM_TYPES = ("multi_label_classification", "single_label_classification", "regression")


def check_problem_type(problem_type: str) -> None:
    """Raise a `ValueError` if a problem type is unknown."""
    if problem_type not in PROBLEM_TYPES:
        raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {problem_type!r}.")


def decide(logits: np.ndarray, problem_type: str, thresholds: Sequence[float] | None = None) -> np.ndarray:
    """Turn logits into labels.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        thresholds (`Sequence[float]`, *optional*): For multi-label tasks, the lowest probability at which a label is
            given, one per label. Defaults to 0.5.

    Returns:
        `np.ndarray`: 0 or 1 of shape `(texts, labels)` for multi-label tasks, class ids `(texts,)` for single-label
        ones, both `int64`; for regression the scores as they are, in `float64`.

    Raises:
        ValueError: If `logits` is not a matrix, `problem_type` is unknown, or the thresholds do not fit.
    """
    check_problem_type(problem_type)
    logits = np.asarray(logits, dtype=np.float64)
    if logits.ndim != 2:
        raise ValueError(f"logits must be of shape (texts, labels), got {logits.shape}.")
    if problem_type != "multi_label_classification":
        if thresholds is not None:
            raise ValueError(f"thresholds are for multi_label_classification; leave them out for {problem_type}.")
        return logits if problem_type == "regression" else logits.argmax(axis=1)
    if thresholds is None:
        thresholds = [0.5] * logits.shape[1]
    if len(thresholds) != logits.shape[1]:
        raise ValueError(f"There are {logits.shape[1]} labels but {len(thresholds)} thresholds.")
    # The logistic function, written so that it cannot overflow.
    probabilities = 0.5 * (1.0 + np.tanh(0.5 * logits))
    return (probabilities >= np.asarray(thresholds)).astype(np.int64)


def multi_hot_masks(**decisions: np.ndarray) -> list[np.ndarray]:
    """Multi-hot decisions as boolean masks.

    Args:
        **decisions (`np.ndarray`): By the name that errors use, arrays of 0 and 1. Where `references` are NaN, nobody
            annotated a label: it is neither gold nor counted as predicted.

    Raises:
        ValueError: If a value is neither 0 nor 1, or `references` hold a text without any label.
    """
    references = decisions.get("references")
    missing = None if references is None else np.isnan(references)
    if missing is not None and missing.any():
        if missing.all(axis=-1).any():
            raise ValueError("references hold a text that is not labelled; drop texts without labels.")
        decisions = {name: np.where(missing, 0, values) for name, values in decisions.items()}
    for name, values in decisions.items():
        wrong = values[(values != 0) & (values != 1)]
        if len(wrong):
            raise ValueError(f"{name} must be 0 or 1, got {wrong[0]}; decide first, and drop texts without labels.")
    return [values == 1 for values in decisions.values()]


def annotated_labels(references: np.ndarray) -> np.ndarray:
    """Mask `(labels,)` of the labels that were annotated for any text, of multi-hot references `(texts, labels)`."""
    return ~np.isnan(references).all(axis=0)


def class_masks(num_labels: int | None = None, **decisions: np.ndarray) -> list[np.ndarray]:
    """Class ids as boolean masks of one more dimension: whether a text is in each of the classes.

    Args:
        num_labels (`int`, *optional*): How many classes there are. By default, those that occur anywhere.
        **decisions (`np.ndarray`): By the name that errors use, arrays of class ids.

    Raises:
        ValueError: If a value is not the id of a class.
    """
    occurring = np.unique(np.concatenate([values.ravel() for values in decisions.values()]))
    classes = occurring if num_labels is None else np.arange(num_labels)
    for name, values in decisions.items():
        wrong = values[~((values >= 0) & np.isin(values, classes))]
        if len(wrong):
            raise ValueError(f"{name} holds {wrong[0]}, which is no class id; drop texts without labels.")
    return [values[..., None] == classes for values in decisions.values()]


__all__ = ["PROBLEM_TYPES", "annotated_labels", "check_problem_type", "class_masks", "decide", "multi_hot_masks"]
