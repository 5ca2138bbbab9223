"""Average precision, which needs no thresholds."""

import numpy as np
import pytest
from scipy.special import expit

from trainers.evaluation.metrics import METRICS, MultiLabelMetric, RankingMetric, score
from trainers.evaluation.ranking import average_precisions

MULTI = "multi_label_classification"
NAN = float("nan")
# By falling score, joy is gold at ranks 1, 3 and 4; fear at 2; love nowhere.
SCORES = np.array([[0.9, 0.1, 0.5], [0.7, 0.8, 0.4], [0.5, 0.3, 0.3], [0.3, 0.9, 0.2]])
GOLD = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=float)
JOY, FEAR = (1 + 2 / 3 + 3 / 4) / 3, 1 / 2


def test_average_precision_by_hand() -> None:
    joy, fear, love = average_precisions(SCORES, GOLD)
    assert (joy, fear) == pytest.approx((JOY, FEAR)) and love is None
    # The macro average leaves out what no text has.
    found = RankingMetric().compute(predictions=SCORES, references=GOLD)
    assert found == pytest.approx({"macro_average_precision": (JOY + FEAR) / 2})
    assert score(SCORES, GOLD, MULTI)["macro_average_precision"] == pytest.approx((JOY + FEAR) / 2)


def test_equal_scores_are_one_rank() -> None:
    assert average_precisions(np.zeros((4, 1)), GOLD[:, :1]) == [pytest.approx(3 / 4)]
    assert average_precisions(np.zeros((4, 1)), GOLD[::-1, :1]) == [pytest.approx(3 / 4)]


def test_only_the_order_counts() -> None:
    assert average_precisions(SCORES, GOLD) == average_precisions(expit(SCORES), GOLD)
    rows = [2, 0, 3, 1]
    assert average_precisions(SCORES[rows], GOLD[rows]) == average_precisions(SCORES, GOLD)
    assert score(SCORES, GOLD, MULTI, [0.1] * 3)["macro_average_precision"] == pytest.approx((JOY + FEAR) / 2)


def test_what_nobody_annotated_is_left_out() -> None:
    masked = GOLD.copy()
    masked[1, 0], masked[3, 1] = NAN, NAN
    joy, fear, _ = average_precisions(SCORES, masked)
    # Joy is now gold at all ranks that are left, fear at the first.
    assert (joy, fear) == (1, 1)
    masked[:, 1] = NAN
    assert average_precisions(SCORES, masked)[1] is None
    found = RankingMetric().compute(predictions=SCORES, references=masked)
    assert found == {"macro_average_precision": 1}


def test_nothing_to_find_is_0() -> None:
    assert RankingMetric().compute(predictions=SCORES, references=0 * GOLD) == {"macro_average_precision": 0}


def test_what_is_no_label_is_refused() -> None:
    with pytest.raises(ValueError, match=r"references must be 0 or 1, got 0\.5"):
        RankingMetric().compute(predictions=SCORES, references=GOLD / 2)


def test_a_metric_of_ones_own_stands_alone() -> None:
    class Own(MultiLabelMetric):
        pass

    assert "macro_average_precision" not in score(SCORES, GOLD, MULTI, metrics={**METRICS, MULTI: Own})
