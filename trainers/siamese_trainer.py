"""Trainer of the Siamese network on frozen emotion representations."""

import numpy as np
from sklearn.metrics import roc_auc_score
from transformers import EvalPrediction

from .trainer import StageTrainer


class SiameseTrainer(StageTrainer):
    """Trains [`SiameseModel`] on pairs ([`PairDataset`])."""


def siamese_metrics(prediction: EvalPrediction) -> dict[str, float]:
    """How well the distance tells pairs of the same emotion from others.

    Args:
        prediction (`EvalPrediction`): Distances of shape `(pairs,)` and targets in 0..1, graded ones split at 0.5.

    Returns:
        `dict[str, float]`: `pair_auc`, the chance that a different pair is further apart than a same one (absent where
        the pairs are all of one kind), and the mean distances of both kinds.
    """
    distances, different = np.asarray(prediction.predictions), np.asarray(prediction.label_ids) > 0.5
    if different.all() or not different.any():
        return {"mean_distance": float(distances.mean())}
    return {
        "pair_auc": float(roc_auc_score(different, distances)),
        "mean_distance_same": float(distances[~different].mean()),
        "mean_distance_different": float(distances[different].mean()),
    }
