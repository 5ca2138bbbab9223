"""How well distances tell pairs with different labels from pairs with the same one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score
from transformers import EvalPrediction

from trainers.evaluation.metrics import PairMetric
from trainers.evaluation.task_metrics import PairMetrics


def test_by_hand() -> None:
    # Three of the four comparisons of a different pair with a same one are right.
    distances, targets = np.array([0.1, 0.3, 0.6, 0.8]), np.array([0.0, 1.0, 0.2, 1.0])
    scores = PairMetrics()(EvalPrediction(distances, targets))
    assert scores == pytest.approx({"pair_auc": 3 / 4, "mean_distance_same": 0.35, "mean_distance_different": 0.55})


@pytest.mark.parametrize("target", [0.0, 1.0])
def test_pairs_of_one_kind_have_no_auc(target: float) -> None:
    scores = PairMetric().compute(predictions=[0.25, 0.75], references=[target, target])
    assert scores == {"mean_distance": 0.5}


def test_means_are_those_of_the_given_precision() -> None:
    """To the last digit, as an array in single precision has them."""
    rng = np.random.default_rng(0)
    distances = rng.random(5000, dtype=np.float32)
    targets = (rng.random(5000) < 0.4).astype(np.float32)
    assert PairMetrics({})(EvalPrediction(distances, targets)) == {
        "pair_auc": float(roc_auc_score(targets > 0.5, distances)),
        "mean_distance_same": float(distances[targets < 0.5].mean()),
        "mean_distance_different": float(distances[targets > 0.5].mean()),
    }


def test_metric_of_a_subclass_is_used() -> None:
    class HalfMetric(PairMetric):
        def _compute(self, predictions: list[float], references: list[float]) -> dict[str, float]:
            return {"half": sum(predictions) / 2}

    class HalfMetrics(PairMetrics):
        metric_class = HalfMetric

    assert HalfMetrics()(EvalPrediction(np.array([1.0, 2.0]), np.array([0.0, 1.0]))) == {"half": 1.5}
