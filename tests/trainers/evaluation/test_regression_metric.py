"""Pearson's correlation as SemEval-2018 Task 1 scores it: one output at a time, then the mean."""

import numpy as np
import pytest

from trainers.evaluation.metrics import RegressionMetric, score
from trainers.evaluation.task_report import per_label_scores

NAN = float("nan")
# Of the first output, the deviations from the means are (-1, 0, 1) and (-2, 1, 1): r = 3 / sqrt(2 * 6).
PREDICTED = np.array([[0.0, 0.5], [0.1, 0.1], [0.2, 0.3], [9.0, 0.2]])
GOLD = np.array([[0.1, NAN], [0.4, 0.3], [0.4, 0.1], [NAN, 0.2]])
FIRST, SECOND = 3 / 12**0.5, -1.0


def pearson(predicted: np.ndarray, gold: np.ndarray) -> float:
    scores = RegressionMetric().compute(predictions=predicted, references=gold)
    assert scores is not None
    return scores["pearson"]


def test_by_hand() -> None:
    each = per_label_scores(PREDICTED, GOLD, ["anger", "joy"], "regression")
    assert each["anger"]["pearson"] == pytest.approx(FIRST) and each["joy"]["pearson"] == pytest.approx(SECOND)
    assert [scores["support"] for scores in each.values()] == [3, 3]
    assert each["anger"]["mean_absolute_error"] == pytest.approx((0.1 + 0.3 + 0.2) / 3)
    scores = RegressionMetric().compute(predictions=PREDICTED, references=GOLD)
    expected = {"pearson": (FIRST + SECOND) / 2, "mean_absolute_error": (0.2 + 0.4 / 3) / 2}
    assert scores == pytest.approx(expected)
    assert score(PREDICTED, GOLD, "regression") == scores


def test_scale_and_offset_of_the_predictions_do_not_count() -> None:
    assert pearson(3 * PREDICTED - 7, GOLD) == pytest.approx((FIRST + SECOND) / 2)


def test_gold_scores_of_one_output_may_be_flat() -> None:
    assert score(PREDICTED[:, :1], GOLD[:, 0], "regression")["pearson"] == pytest.approx(FIRST)
    by_output = per_label_scores(PREDICTED[:, :1], GOLD[:, 0], ["anger"], "regression")
    assert by_output["anger"]["pearson"] == pytest.approx(FIRST)


def test_outputs_without_gold_scores_are_left_out() -> None:
    gold = GOLD.copy()
    gold[:, 1] = NAN
    assert pearson(PREDICTED, gold) == pytest.approx(FIRST)
    with pytest.raises(ValueError, match="references hold no score"):
        pearson(PREDICTED, np.full_like(GOLD, NAN))


def test_what_is_constant_correlates_with_nothing() -> None:
    assert pearson(np.full((3, 1), 0.3), np.array([[0.1], [0.2], [0.3]])) == 0
    assert pearson(np.array([[0.1], [0.2]]), np.array([[0.5], [NAN]])) == 0


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match=r"same shape, got \(4, 2\) and \(4, 1\)"):
        score(PREDICTED, GOLD[:, 0], "regression")
    with pytest.raises(ValueError, match=r"same shape, got \(4, 2\) and \(4, 1\)"):
        per_label_scores(PREDICTED, GOLD[:, 0], ["anger", "joy"], "regression")
    with pytest.raises(ValueError, match="2 labels but label_names holds 1"):
        per_label_scores(PREDICTED, GOLD, ["anger"], "regression")
