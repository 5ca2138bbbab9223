"""Logistic regression on cached vectors, with thresholds chosen out of fold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from trainers.evaluation import score, tune_thresholds

MULTI_LABEL = "multi_label_classification"
FOLDS = 3


@dataclass(frozen=True)
class Texts:
    """Vectors `(texts, size)`, centred and scaled, with targets `(texts, 6)`, NaN where nobody annotated."""

    vectors: np.ndarray
    targets: np.ndarray

    def __getitem__(self, rows: Any) -> "Texts":
        return Texts(self.vectors[rows], self.targets[rows])

    @staticmethod
    def joined(parts: "list[Texts]") -> "Texts":
        return Texts(np.concatenate([part.vectors for part in parts]), np.concatenate([part.targets for part in parts]))


def regression_score(train: Texts, dev: Texts) -> float:
    """Macro F1 of a logistic regression per emotion, with out-of-fold thresholds."""
    logits, dev_logits = regression_logits(train, dev)
    return macro_f1(dev_logits, dev.targets, choose(logits, train.targets))


def regression_logits(train: Texts, dev: Texts) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a logistic regression per emotion: out of fold on train, and on dev."""
    centre, scale = train.vectors.mean(axis=0), train.vectors.std(axis=0) + 1e-6
    vectors, dev_vectors = (train.vectors - centre) / scale, (dev.vectors - centre) / scale
    logits, dev_logits = np.full_like(train.targets, -9.0), np.full_like(dev.targets, -9.0)
    for column, gold in enumerate(train.targets.T):
        if len(np.unique(gold)) < 2 or np.isnan(gold).any():
            continue  # not annotated, or nothing to learn: never predicted
        for learnt, held_out in KFold(FOLDS, shuffle=True, random_state=0).split(gold):
            if len(np.unique(gold[learnt])) > 1:
                logits[held_out, column] = regression(vectors[learnt], gold[learnt])(vectors[held_out])
        dev_logits[:, column] = regression(vectors, gold)(dev_vectors)
    return logits, dev_logits


def regression(vectors: np.ndarray, gold: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return LogisticRegression(C=0.003, class_weight="balanced", max_iter=100).fit(vectors, gold).decision_function


def choose(logits: np.ndarray, targets: np.ndarray) -> list[float]:
    """A threshold for each emotion."""
    return tune_thresholds(expit(logits.astype(np.float64)), targets, "per_label")


def macro_f1(logits: np.ndarray, targets: np.ndarray, thresholds: list[float]) -> float:
    """As the task scores it: over the emotions that the language has."""
    return score(logits, targets, MULTI_LABEL, thresholds)["macro_f1"]
