"""Metrics of pairs of texts."""

from typing import Any

import numpy as np
from sklearn.metrics import roc_auc_score
from transformers import EvalPrediction


class PairMetrics:
    """The `compute_metrics` of the Siamese stage: how well the distance tells pairs of the same emotion from others.

    Args:
        tasks (`dict`): Ignored: pairs have targets of their own.
    """

    def __init__(self, tasks: dict[str, Any] | None = None) -> None:
        self.tasks = tasks

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """
        Args:
            prediction (`EvalPrediction`): Distances of shape `(pairs,)` and targets in 0..1, graded ones split at 0.5.

        Returns:
            `dict[str, float]`: `pair_auc`, the chance that a different pair is further apart than a same one (absent
            where the pairs are all of one kind), and the mean distances of both kinds.
        """
        distances, different = np.asarray(prediction.predictions), np.asarray(prediction.label_ids) > 0.5
        if different.all() or not different.any():
            return {"mean_distance": float(distances.mean())}
        return {
            "pair_auc": float(roc_auc_score(different, distances)),
            "mean_distance_same": float(distances[~different].mean()),
            "mean_distance_different": float(distances[different].mean()),
        }
