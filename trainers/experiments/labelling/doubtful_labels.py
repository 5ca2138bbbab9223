"""Labels that are likely wrong, by confident learning."""

from dataclasses import dataclass

import numpy as np

# A label of fewer texts is passed over: without one of its folds, a classifier knows next to nothing of it.
FEWEST = 5


@dataclass(frozen=True)
class DoubtfulLabels:
    """
    A text whose labels are likely wrong.

    Args:
        row (`int`): Its row, from 0.
        suggested (`list[int]`): The labels that it should have instead.
        score (`float`): How likely the given labels are right: the lowest probability of a label that is doubtful.
        doubts (`dict[int, float]`): By label that should be taken away or added, the probability of the label.
    """

    row: int
    suggested: list[int]
    score: float
    doubts: dict[int, float]


def doubtful_labels(targets: np.ndarray, probabilities: np.ndarray) -> list[DoubtfulLabels]:
    """Find labels that are likely wrong, by confident learning (Northcutt, Jiang & Chuang 2021, *Confident Learning:
    Estimating Uncertainty in Dataset Labels*), as cleanlab has it. Of several labels, each is looked at by itself
    (Thyagarajan et al. 2022, *Identifying Incorrect Annotations in Multi-label Classification Data*).

    Args:
        targets (`np.ndarray`): Class ids `(texts,)`, or 0 and 1 `(texts, labels)`, NaN where nobody annotated.
        probabilities (`np.ndarray` of shape `(texts, labels)`): Of a classifier that has not learnt from the text.

    Returns:
        `list[DoubtfulLabels]`: Those that are likely wrong, the likeliest first. Labels that fewer than five texts
        have, or lack, are passed over.
    """
    found = _of_one(targets, probabilities) if targets.ndim == 1 else _of_several(targets, probabilities)
    return sorted(found, key=lambda one: one.score)


def _of_one(targets: np.ndarray, probabilities: np.ndarray) -> list[DoubtfulLabels]:
    counts, found = np.bincount(targets), []
    for row in _likely_wrong(targets, probabilities):
        given, best = int(targets[row]), int(probabilities[row].argmax())
        if counts[given] >= FEWEST:
            doubts = {label: float(probabilities[row, label]) for label in (given, best)}
            found.append(DoubtfulLabels(int(row), [best], doubts[given], doubts))
    return found


def _of_several(targets: np.ndarray, probabilities: np.ndarray) -> list[DoubtfulLabels]:
    doubts: dict[int, dict[int, float]] = {}
    for label, (gold, own) in enumerate(zip(targets.T, probabilities.T, strict=True)):
        annotated = np.flatnonzero(~np.isnan(gold))
        given = gold[annotated].astype(np.int64)
        if min(given.sum(), len(given) - given.sum()) >= FEWEST:
            both = np.stack([1 - own, own], axis=1)[annotated]
            for row in annotated[_likely_wrong(given, both)]:
                doubts.setdefault(int(row), {})[label] = float(own[row])
    found = []
    for row, doubted in doubts.items():
        present = {int(label) for label in np.flatnonzero(targets[row] == 1)}
        score = min(p if label in present else 1 - p for label, p in doubted.items())
        found.append(DoubtfulLabels(row, sorted(present ^ set(doubted)), score, doubted))
    return found


def _likely_wrong(labels: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Rows whose class is likely wrong, and not the one that the classifier would choose."""
    # Slow to load, and needed here alone.
    from cleanlab.filter import find_label_issues

    wrong = find_label_issues(labels, probabilities, n_jobs=1)
    return np.flatnonzero(wrong & (probabilities.argmax(axis=1) != labels))


__all__ = ["FEWEST", "DoubtfulLabels", "doubtful_labels"]
