"""The metrics of classification, worked out by hand and against scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

from trainers.evaluation.decisions import decide
from trainers.evaluation.metrics import (
    HEADLINE,
    MultiLabelMetric,
    PairMetric,
    RankingMetric,
    RegressionMetric,
    SingleLabelMetric,
    score,
)
from trainers.evaluation.significance import paired_test
from trainers.evaluation.task_report import per_label_scores
from trainers.evaluation.thresholds import tune_thresholds

MULTI, SINGLE = "multi_label_classification", "single_label_classification"

# Four texts, three labels:
#
#   text  gold  predicted  Jaccard
#   1     A B   A B        2/2
#   2     A     A C        1/2
#   3     -     -          0/0: 1, or 0 in the zero convention
#   4     B     A          0/2
#
#   label  hits  predicted  gold  precision  recall  F1
#   A      2     3          2     2/3        1       4/5
#   B      1     1          2     1          1/2     2/3
#   C      0     1          0     0          0       0
#   all    3     5          4     3/5        3/4     6/9
GOLD = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]])
PREDICTED = np.array([[1, 1, 0], [1, 0, 1], [0, 0, 0], [1, 0, 0]])
MULTI_SCORES = {
    "jaccard": 2.5 / 4,
    "jaccard_zero": 1.5 / 4,
    "micro_f1": 2 / 3,
    "macro_f1": 22 / 45,
    "micro_precision": 3 / 5,
    "micro_recall": 3 / 4,
    "macro_precision": 5 / 9,
    "macro_recall": 1 / 2,
    "exact_match": 2 / 4,
}

# Four texts, four classes, of which the last never occurs:
#
#   class  hits  predicted  gold  recall  F1
#   0      1     2          2     1/2     1/2
#   1      1     2          1     1       2/3
#   2      0     0          1     0       0
#   3      0     0          0     0       0
GOLD_IDS = np.array([0, 0, 1, 2])
PREDICTED_IDS = np.array([0, 1, 1, 0])
SINGLE_SCORES = {
    "accuracy": 1 / 2,
    "micro_f1": 1 / 2,
    "macro_f1": 7 / 24,
    "weighted_f1": 5 / 12,
    "macro_recall": 3 / 8,
}

NAN = float("nan")


def logits_of(matrix):
    """Logits that lead to these decisions at 0.5."""
    return np.where(np.asarray(matrix) == 1, 2.0, -2.0).astype(np.float32)


def multi_label_scores(predictions, references):
    return MultiLabelMetric().compute(predictions=predictions, references=references)


def single_label_scores(predictions, references, num_labels=None):
    return SingleLabelMetric().compute(predictions=predictions, references=references, num_labels=num_labels)


def test_multi_label_metric_gives_the_numbers_worked_out_by_hand():
    assert multi_label_scores(PREDICTED, GOLD) == pytest.approx(MULTI_SCORES)


def test_labels_that_nobody_annotated_count_neither_way():
    # C is not annotated in text 2, which has it predicted, nor B in text 4, which has it gold; D nowhere.
    gold = np.array([[1, 1, 0, np.nan], [1, 0, np.nan, np.nan], [0, 0, 0, np.nan], [0, np.nan, 0, np.nan]])
    predicted = np.column_stack([PREDICTED, [1, 1, 1, 1]])
    found = MultiLabelMetric().compute(predictions=predicted, references=gold)
    # Jaccard 1, 1, 1 and 0; A has 2 hits of 3 + 2, B 1 of 1 + 1, and C is neither gold nor predicted.
    assert found["jaccard"] == 3 / 4 and found["micro_f1"] == 6 / 7
    assert found["macro_f1"] == pytest.approx((4 / 5 + 1 + 0) / 3)
    logits = np.where(predicted == 1, 9.0, -9.0)
    assert score(logits, gold, MULTI) == found | RankingMetric().compute(predictions=logits, references=gold)
    test = paired_test(predicted[None], 1 - predicted[None], gold, "macro_f1", resamples=10)
    other = MultiLabelMetric().compute(predictions=1 - predicted, references=gold)
    assert test.difference == pytest.approx(found["macro_f1"] - other["macro_f1"])
    by_label = per_label_scores(predicted, gold, ["A", "B", "C", "D"], MULTI)
    assert [by_label[label]["support"] for label in "ABCD"] == [2, 1, 0, 0]


def test_thresholds_are_not_tuned_on_labels_that_nobody_annotated():
    probabilities = np.array([[0.9, 0.2], [0.4, 0.7], [0.3, 0.6], [0.8, 0.95]])
    gold = np.array([[1, 0], [0, 1], [0, 1], [1, np.nan]])
    for mode in ("global", "per_label"):
        rest = np.column_stack([probabilities[:, 0], [0.2, 0.7, 0.6, 0.0]])
        assert tune_thresholds(probabilities, gold, mode) == tune_thresholds(rest, np.nan_to_num(gold), mode)


def test_single_label_metric_gives_the_numbers_worked_out_by_hand():
    assert single_label_scores(PREDICTED_IDS, GOLD_IDS, 4) == pytest.approx(SINGLE_SCORES)


def test_single_label_metric_averages_over_the_classes_that_occur_by_default():
    scores = SingleLabelMetric().compute(predictions=[0, 1, 1, 0], references=[0, 0, 1, 2])
    assert scores == pytest.approx({**SINGLE_SCORES, "macro_f1": 7 / 18, "macro_recall": 1 / 2})


@pytest.mark.parametrize("labels", [1, 2, 11])
def test_multi_label_scores_agree_with_scikit_learn(labels):
    rng = np.random.default_rng(labels)
    for density in (0.02, 0.2, 0.5):
        predicted, gold = (rng.random((2, 60, labels)) < density).astype(int)
        scores = multi_label_scores(predicted, gold)
        # scikit-learn takes a single column for a binary problem, whose macro average is over 0 and 1.
        columns = [
            {
                "precision": precision_score(gold[:, i], predicted[:, i], zero_division=0),
                "recall": recall_score(gold[:, i], predicted[:, i], zero_division=0),
                "f1": f1_score(gold[:, i], predicted[:, i], zero_division=0),
            }
            for i in range(labels)
        ]
        for name, function in {"precision": precision_score, "recall": recall_score, "f1": f1_score}.items():
            assert scores[f"macro_{name}"] == pytest.approx(np.mean([column[name] for column in columns]))
            assert scores[f"micro_{name}"] == pytest.approx(function(gold.ravel(), predicted.ravel(), zero_division=0))
        if labels > 1:
            assert scores["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
            for key, convention in (("jaccard", 1), ("jaccard_zero", 0)):
                expected = jaccard_score(gold, predicted, average="samples", zero_division=convention)
                assert scores[key] == pytest.approx(expected)
        assert scores["exact_match"] == pytest.approx(accuracy_score(gold, predicted))


def test_single_label_scores_agree_with_scikit_learn():
    rng = np.random.default_rng(0)
    for _ in range(20):
        predicted, gold = rng.integers(0, 5, (2, 12))
        scores = single_label_scores(predicted, gold, 6)
        options = {"labels": range(6), "zero_division": 0}
        assert scores == pytest.approx(
            {
                "accuracy": accuracy_score(gold, predicted),
                "micro_f1": f1_score(gold, predicted, average="micro", **options),
                "macro_f1": f1_score(gold, predicted, average="macro", **options),
                "weighted_f1": f1_score(gold, predicted, average="weighted", **options),
                "macro_recall": recall_score(gold, predicted, average="macro", **options),
            }
        )
        assert single_label_scores(predicted, gold)["macro_f1"] == pytest.approx(
            f1_score(gold, predicted, average="macro", zero_division=0)
        )


def test_score_is_the_metric_of_the_decisions():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(30, 4))
    gold = rng.integers(0, 2, (30, 4))
    ranking = RankingMetric().compute(predictions=logits, references=gold)
    assert score(logits, gold, MULTI) == multi_label_scores(decide(logits, MULTI), gold) | ranking
    ids = rng.integers(0, 4, 30)
    assert score(logits, ids, SINGLE) == single_label_scores(decide(logits, SINGLE), ids, 4)


def test_nothing_gold_and_nothing_predicted():
    nothing = np.zeros((3, 2), dtype=int)
    scores = multi_label_scores(nothing, nothing)
    assert scores.pop("jaccard") == 1.0
    assert scores.pop("exact_match") == 1.0
    assert set(scores.values()) == {0.0}


def test_nothing_predicted():
    scores = multi_label_scores(np.zeros_like(GOLD), GOLD)
    # Only the third text, which has no label, is right.
    assert scores.pop("jaccard") == 0.25
    assert scores.pop("exact_match") == 0.25
    assert set(scores.values()) == {0.0}


def test_everything_right_is_exactly_one():
    gold = np.eye(3, dtype=int)[[0, 1, 2, 0, 1, 2, 0]]
    assert set(multi_label_scores(gold, gold).values()) == {1.0}
    ids = gold.argmax(axis=1)
    assert set(single_label_scores(ids, ids, 3).values()) == {1.0}


def test_metrics_touch_no_disk(tmp_path):
    MultiLabelMetric(cache_dir=str(tmp_path)).compute(predictions=[[1]], references=[[1]])
    RegressionMetric(cache_dir=str(tmp_path)).compute(predictions=[[1]], references=[[1]])
    for one in (SingleLabelMetric, PairMetric):
        one(cache_dir=str(tmp_path)).compute(predictions=[1], references=[1])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    # No folder can be made here, as in a cache that is read-only.
    metric = MultiLabelMetric(cache_dir=str(tmp_path / "file" / "metrics"))
    assert metric.compute(predictions=[[1, 0]], references=[[1, 1]])["jaccard"] == 0.5


def test_metrics_can_write_to_the_cache_where_asked_to(tmp_path):
    metric = MultiLabelMetric(cache_dir=str(tmp_path), keep_in_memory=False)
    metric.add_batch(predictions=PREDICTED, references=GOLD)
    assert list(tmp_path.rglob("*.arrow"))
    assert metric.compute() == pytest.approx(MULTI_SCORES)
    assert not list(tmp_path.rglob("*.arrow"))


def test_metrics_add_up_batches_apart_from_each_other():
    first, second = MultiLabelMetric(), MultiLabelMetric()
    first.add_batch(predictions=PREDICTED[:3], references=GOLD[:3])
    second.add_batch(predictions=GOLD, references=GOLD)
    first.add(prediction=PREDICTED[3], reference=GOLD[3])
    assert first.compute() == pytest.approx(MULTI_SCORES)
    assert second.compute()["exact_match"] == 1.0
    assert first.compute(predictions=[[1]], references=[[1]])["jaccard"] == 1.0


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([[0.7, 0.2]], [[1, 0]], r"predictions must be 0 or 1, got 0\.7"),
        ([[1, NAN]], [[1, 0]], "predictions must be 0 or 1, got nan"),
        ([[1, 0]], [[NAN, NAN]], "references hold a text that is not labelled"),
        ([[1, 0]], [[1, -100]], r"references must be 0 or 1, got -100"),
        ([[1, 0], [0, 0]], [[1, 0]], "Mismatch"),
        ([1, 0], [1, 0], "match the expected format"),
        ([[1, 0]], [[1, 0, 0]], r"the same shape, got \(1, 2\) and \(1, 3\)"),
    ],
)
def test_multi_label_metric_refuses(predictions, references, message):
    with pytest.raises(ValueError, match=message):
        multi_label_scores(predictions, references)


@pytest.mark.parametrize(
    ("predictions", "references", "num_labels", "message"),
    [
        ([0], [-100], None, "references holds -100"),
        ([0, 3], [0, 1], 3, "predictions holds 3"),
        ([0, 1], [0, 3], 3, "references holds 3"),
        ([0, 1.5], [0, 1], 3, r"predictions holds 1\.5"),
        ([0, 1], [0], 3, "Mismatch"),
    ],
)
def test_single_label_metric_refuses(predictions, references, num_labels, message):
    with pytest.raises(ValueError, match=message):
        single_label_scores(predictions, references, num_labels)


def test_scores_refuse_no_rows():
    with pytest.raises(ValueError, match="empty"):
        multi_label_scores(np.zeros((0, 3)), np.zeros((0, 3)))
    with pytest.raises(ValueError, match="empty"):
        single_label_scores(np.zeros(0), np.zeros(0))


def test_score_uses_the_thresholds():
    logits = np.array([[1.0, -1.0], [0.5, -3.0]])
    gold = np.array([[1, 1], [0, 0]])
    assert score(logits, gold, MULTI)["jaccard"] == 0.25
    assert score(logits, gold, MULTI, [0.7, 0.2])["jaccard"] == 1.0


def test_score_counts_every_class_of_the_logits():
    logits = np.eye(4)[PREDICTED_IDS]
    assert score(logits, GOLD_IDS, SINGLE) == pytest.approx(SINGLE_SCORES)


def test_score_holds_plain_floats_and_the_headline():
    for problem_type, gold in ((MULTI, GOLD), (SINGLE, GOLD_IDS)):
        scores = score(logits_of(PREDICTED), gold, problem_type)
        assert {type(value) for value in scores.values()} == {float}
        assert set(HEADLINE[problem_type]) <= set(scores)
