"""What is reported of a task: scores overall and by label, at thresholds that are tuned on the same texts or others."""

from typing import Any

import numpy as np
import pytest
from scipy.special import expit

from trainers.evaluation.calibration import calibration_error, fit_calibration, reliability
from trainers.evaluation.decisions import decide
from trainers.evaluation.metrics import METRICS, MultiLabelMetric, score
from trainers.evaluation.task_report import Predictions, per_label_scores, task_report
from trainers.evaluation.thresholds import tune_thresholds

MULTI, SINGLE = "multi_label_classification", "single_label_classification"
LABELS = ["anger", "joy", "fear"]

# Hits, given and gold of the labels: anger 2, 3, 2; joy 1, 1, 2; fear 0, 1, 0.
GOLD = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
PREDICTED = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0], [1, 0, 0]])
# Of the classes: 0 has 1, 2, 2; 1 has 1, 2, 1; 2 has 0, 0, 1; the last never occurs.
GOLD_IDS = np.array([0, 0, 1, 2])
PREDICTED_IDS = np.array([0, 1, 1, 0])


def draw(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits that are too low, of texts whose labels they tell something about."""
    rng = np.random.default_rng(seed)
    gold = (rng.random((60, 3)) < 0.4).astype(np.float32)
    return (2 * gold - 2.5 + rng.normal(size=gold.shape)).astype(np.float32), gold


def decided(report: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Scores by label, without those that need no decision."""
    of_decisions = ("precision", "recall", "f1", "support")
    return {label: {name: found[name] for name in of_decisions} for label, found in report["per_label"].items()}


# -- the report ------------------------------------------------------------------------------------------------------


def test_fixed_thresholds_are_one_half() -> None:
    logits, gold = draw()
    report, thresholds = task_report(logits, gold, {"labels": LABELS, "problem_type": MULTI})
    assert thresholds is None and list(report) == ["metrics", "per_label"]
    assert report["metrics"] == score(logits, gold, MULTI, [0.5] * 3)
    assert decided(report) == per_label_scores(logits > 0, gold, LABELS, MULTI)


@pytest.mark.parametrize(("mode", "tuned_for"), [("global", "jaccard"), ("per_label", "macro_f1")])
def test_tuned_thresholds_count(mode: str, tuned_for: str) -> None:
    logits, gold = draw()
    report, thresholds = task_report(logits, gold, {"labels": LABELS, "problem_type": MULTI}, mode)
    assert thresholds is not None and max(thresholds) < 0.5
    assert (len(set(thresholds)) == 1) == (mode == "global")
    assert report["thresholds"] == dict(zip(LABELS, thresholds, strict=True))
    assert report["metrics"] == score(logits, gold, MULTI, thresholds)
    assert report["metrics_at_0.5"] == score(logits, gold, MULTI)
    assert report["metrics"][tuned_for] > report["metrics_at_0.5"][tuned_for]
    assert decided(report) == per_label_scores(decide(logits, MULTI, thresholds), gold, LABELS, MULTI)
    assert report["tuned_on"] == "dev"


@pytest.mark.parametrize("mode", ["global", "per_label"])
def test_thresholds_of_other_texts(mode: str) -> None:
    logits, gold = draw()
    others, labels = draw(seed=1)
    given = Predictions(others, labels, "other texts")
    report, thresholds = task_report(logits, gold, {"labels": LABELS, "problem_type": MULTI}, mode, tuned_on=given)
    chosen = tune_thresholds(expit(others), labels, mode)
    assert thresholds == chosen != tune_thresholds(expit(logits), gold, mode)
    assert report["metrics"] == score(logits, gold, MULTI, chosen) and report["tuned_on"] == "other texts"


def test_calibration_is_fitted_where_thresholds_are() -> None:
    logits, gold = draw()
    others, labels = draw(seed=1)
    task = {"labels": LABELS, "problem_type": MULTI}
    plain, _ = task_report(logits, gold, task)
    report, _ = task_report(logits, gold, task, calibrate=True, tuned_on=Predictions(others, labels, "other texts"))
    assert list(report["calibration"].values()) == fit_calibration(others, labels, MULTI)
    assert report["tuned_on"] == "other texts" and "thresholds" not in report
    assert report["metrics"] == plain["metrics"]  # which it does not change
    for label, bins in zip(LABELS, reliability(logits, gold, MULTI), strict=True):
        error = plain["per_label"][label]["calibration_error"]
        assert error == report["per_label"][label]["calibration_error"] == calibration_error(bins)
        # All logits are too low, of other texts as of these.
        assert report["per_label"][label]["calibrated_error"] < error


def test_only_multi_label_tasks_have_thresholds() -> None:
    logits = np.eye(4)[PREDICTED_IDS]
    names = [*LABELS, "love"]
    report, thresholds = task_report(logits, GOLD_IDS, {"labels": names, "problem_type": SINGLE}, "per_label")
    assert thresholds is None
    assert list(report) == ["metrics", "per_label"] and report["metrics"] == score(logits, GOLD_IDS, SINGLE)
    assert decided(report) == per_label_scores(PREDICTED_IDS, GOLD_IDS, names, SINGLE)
    scores, gold = np.array([[1.0], [7.0], [0.0], [2.0]]), np.array([0.75, np.nan, 0.25, 1.25])
    report, thresholds = task_report(scores, gold, {"labels": ["joy"], "problem_type": "regression"}, "global")
    assert thresholds is None
    expected = {"pearson": 1.0, "mean_absolute_error": 1.25 / 3}
    assert report["metrics"] == pytest.approx(expected)
    assert report["per_label"]["joy"] == pytest.approx({**expected, "support": 3})


def test_metrics_of_ones_own_are_reported() -> None:
    class ExactMatch(MultiLabelMetric):
        def _compute(self, **inputs: Any) -> dict[str, float]:
            return {"exact_match": super()._compute(**inputs)["exact_match"]}

    logits, gold = draw()
    task = {"labels": LABELS, "problem_type": MULTI}
    report, _ = task_report(logits, gold, task, "global", {**METRICS, MULTI: ExactMatch})
    assert set(report["metrics"]) == set(report["metrics_at_0.5"]) == {"exact_match"}


# -- by label --------------------------------------------------------------------------------------------------------


def test_per_label_scores_of_several_labels_by_hand() -> None:
    scores = per_label_scores(PREDICTED, GOLD, LABELS, MULTI)
    assert list(scores) == LABELS
    assert scores["anger"] == pytest.approx({"precision": 2 / 3, "recall": 1, "f1": 4 / 5, "support": 2})
    assert scores["joy"] == pytest.approx({"precision": 1, "recall": 1 / 2, "f1": 2 / 3, "support": 2})
    assert scores["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    # Plain numbers, which JSON can hold.
    assert {type(value) for label in scores.values() for value in label.values()} == {float, int}


def test_per_label_scores_of_classes_by_hand() -> None:
    scores = per_label_scores(PREDICTED_IDS, GOLD_IDS, [*LABELS, "love"], SINGLE)
    assert scores["anger"] == pytest.approx({"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2})
    assert scores["joy"] == pytest.approx({"precision": 1 / 2, "recall": 1, "f1": 2 / 3, "support": 1})
    assert scores["fear"] == {"precision": 0, "recall": 0, "f1": 0, "support": 1}
    assert scores["love"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}


def test_per_label_scores_refuse_what_does_not_fit() -> None:
    with pytest.raises(ValueError, match="3 labels but label_names holds 2"):
        per_label_scores(PREDICTED, GOLD, LABELS[:2], MULTI)
    with pytest.raises(ValueError, match="references holds 2"):
        per_label_scores(PREDICTED_IDS, GOLD_IDS, LABELS[:2], SINGLE)
    with pytest.raises(ValueError, match=r"the same shape, got \(4,\) and \(4, 3\)"):
        per_label_scores(PREDICTED_IDS, GOLD, LABELS, MULTI)
    with pytest.raises(ValueError, match="got 'ranking'"):
        per_label_scores(PREDICTED, GOLD, LABELS, "ranking")
