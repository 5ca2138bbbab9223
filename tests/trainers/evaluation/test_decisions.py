"""From logits to decisions."""

from typing import Any

import numpy as np
import pytest

from trainers.evaluation.decisions import decide

MULTI, SINGLE = "multi_label_classification", "single_label_classification"


def test_multi_label_at_thresholds() -> None:
    # sigmoid(0) is exactly 0.5, sigmoid(1) is 0.731.
    logits = np.array([[0.0, -0.001, 1.0], [1.0, 1.0, -1.0]])
    assert decide(logits, MULTI).tolist() == [[1, 0, 1], [1, 1, 0]]
    assert decide(logits, MULTI, [0.73, 0.732, 0.26]).tolist() == [[0, 0, 1], [1, 0, 1]]


def test_single_label_takes_the_first_of_equals() -> None:
    decisions = decide(np.array([[0.1, 0.9, 0.2], [3.0, 3.0, 1.0]]), SINGLE)
    assert decisions.tolist() == [1, 0]


def test_scores_of_a_regression_stay_as_they_are() -> None:
    scores = np.array([[0.1, -3.0], [7.5, 0.2]], dtype=np.float32)
    assert np.array_equal(decide(scores, "regression"), scores)


def test_extreme_logits() -> None:
    with np.errstate(all="raise"):
        assert decide(np.array([[1e4, -1e4, np.inf, -np.inf]]), MULTI).tolist() == [[1, 0, 1, 0]]
    assert decide(np.array([[70000, -70000]], dtype=np.float32), MULTI, [1.0, 0.0]).tolist() == [[1, 1]]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_decisions_do_not_depend_on_the_float_type(dtype: Any) -> None:
    assert decide(np.array([[0.5, -0.5]], dtype=dtype), MULTI, [0.6224, 0.3776]).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    ("logits", "problem_type", "thresholds", "message"),
    [
        ([0.0, 1.0], MULTI, None, r"shape \(texts, labels\), got \(2,\)"),
        ([[0.0, 1.0]], MULTI, [0.5], "2 labels but 1 thresholds"),
        ([[0.0, 1.0]], SINGLE, [0.5, 0.5], "thresholds are for multi_label_classification"),
        ([[0.0, 1.0]], "regression", [0.5, 0.5], "leave them out for regression"),
        ([[0.0, 1.0]], "ranking", None, "problem_type must be one of multi_label_classification, single_label"),
    ],
)
def test_what_cannot_be_decided_is_refused(
    logits: list[Any], problem_type: str, thresholds: list[float] | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        decide(np.array(logits), problem_type, thresholds)
