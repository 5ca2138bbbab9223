"""Logistic regression on the vectors of a frozen encoder: what a few labels are worth, in seconds."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from ...data import stratified_folds
from ...evaluation import tune_thresholds

# Inverse strength of the L2 penalty, for vectors of unit variance: the best of 0.001 to 0.1 with 100 to 800 texts of
# ISEAR and of the bundled posts, or as good as the best.
REGULARISATION = 0.01
# Folds of a training part in which its threshold is chosen.
INNER_FOLDS = 3


def fit_probabilities(vectors: np.ndarray, targets: np.ndarray, num_labels: int) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a logistic regression: one of all classes for class ids, one of each label for multi-hot labels.

    A class that does not occur has the probability 0, and a label that all texts have, or none, that share.

    Args:
        vectors (`np.ndarray` of shape `(texts, size)`): Their vectors; they are scaled to unit variance.
        targets (`np.ndarray`): Class ids `(texts,)`, or 0 and 1 `(texts, num_labels)`, NaN where nobody annotated.
        num_labels (`int`): How many labels there are.

    Returns:
        `Callable`: From vectors `(texts, size)` to probabilities `(texts, num_labels)`.
    """
    centre, scale = vectors.mean(axis=0), vectors.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    scaled = (vectors - centre) / scale
    predict = _one_of(scaled, targets, num_labels) if targets.ndim == 1 else _each(scaled, targets)
    return lambda new: predict((new - centre) / scale)


def _one_of(vectors: np.ndarray, targets: np.ndarray, num_labels: int) -> Callable[[np.ndarray], np.ndarray]:
    classes = np.unique(targets)
    predict = None if len(classes) == 1 else _regression(vectors, targets)

    def probabilities(new: np.ndarray) -> np.ndarray:
        found = np.zeros((len(new), num_labels))
        found[:, classes] = 1.0 if predict is None else predict(new)
        return found

    return probabilities


def _each(vectors: np.ndarray, targets: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    predictors: list[Any] = []
    for gold in targets.T:
        annotated = ~np.isnan(gold)
        values = np.unique(gold[annotated])
        if len(values) == 2:
            predictors.append(_regression(vectors[annotated], gold[annotated]))
        else:
            predictors.append(float(values[0]) if len(values) else 0.0)

    def probabilities(new: np.ndarray) -> np.ndarray:
        columns = [
            np.full(len(new), predictor) if isinstance(predictor, float) else predictor(new)[:, 1]
            for predictor in predictors
        ]
        return np.stack(columns, axis=1)

    return probabilities


def _regression(vectors: np.ndarray, gold: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return LogisticRegression(C=REGULARISATION, max_iter=500).fit(vectors, gold).predict_proba


def out_of_fold(vectors: np.ndarray, targets: np.ndarray, folds: np.ndarray, num_labels: int) -> np.ndarray:
    """Probabilities of each text, by a logistic regression that was fitted without its fold.

    Args:
        vectors (`np.ndarray` of shape `(texts, size)`): Their vectors.
        targets (`np.ndarray`): As in [`fit_probabilities`].
        folds (`np.ndarray` of shape `(texts,)`): The number of each text's fold.
        num_labels (`int`): How many labels there are.

    Returns:
        `np.ndarray` of shape `(texts, num_labels)`.
    """
    found = np.empty((len(vectors), num_labels))
    for fold in np.unique(folds):
        held_out = folds == fold
        found[held_out] = fit_probabilities(vectors[~held_out], targets[~held_out], num_labels)(vectors[held_out])
    return found


def fit_decisions(
    vectors: np.ndarray, targets: np.ndarray, groups: Sequence[Hashable] | np.ndarray, num_labels: int, seed: int = 42
) -> Callable[[np.ndarray], np.ndarray]:
    """Fit a logistic regression and, for multi-hot labels, one threshold, chosen by Jaccard on out-of-fold
    probabilities of the same texts.

    Args:
        vectors, targets, num_labels: As in [`fit_probabilities`].
        groups (`Sequence` of length `texts`): What must not be separated by the folds.
        seed (`int`, defaults to 42): Seed of the folds.

    Returns:
        `Callable`: From vectors `(texts, size)` to decisions: class ids `(texts,)`, or 0 and 1 `(texts, num_labels)`.
    """
    probabilities = fit_probabilities(vectors, targets, num_labels)
    if targets.ndim == 1:
        return lambda new: probabilities(new).argmax(axis=1)
    number = min(INNER_FOLDS, len(np.unique(np.asarray(groups))))
    threshold = 0.5
    if number > 1:
        folds = stratified_folds(np.nan_to_num(targets), number, seed, groups)
        threshold = tune_thresholds(out_of_fold(vectors, targets, folds, num_labels), targets)[0]
    return lambda new: (probabilities(new) >= threshold).astype(np.int64)


__all__ = ["fit_decisions", "fit_probabilities", "out_of_fold"]
