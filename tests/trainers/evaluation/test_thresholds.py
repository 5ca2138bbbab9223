import json

import numpy as np
import pytest
import torch

from trainers.evaluation.decisions import decide
from trainers.evaluation.metrics import MultiLabelMetric
from trainers.evaluation.task_report import per_label_scores
from trainers.evaluation.thresholds import THRESHOLD_MODES, tune_thresholds

# Three texts, two labels, and the mean Jaccard times 3 from each threshold on:
#
#   text  gold  p(A)  p(B)   above 0.9  0.8 .. 0.9  0.4 .. 0.8  0.3 .. 0.4  0.2 .. 0.3  0.1 .. 0.2  below 0.1
#   1     A     0.9   0.2    0          1           1           1           1           1/2         1/2
#   2     A B   0.4   0.3    0          0           0           1/2         1           1           1
#   3     -     0.8   0.1    1          1           0           0           0           0           0
#                            1          2           1           3/2         2           3/2         3/2
#
# Two thresholds are best: 0.85, and 0.25, which is closer to 0.5.
PROBABILITIES = np.array([[0.9, 0.2], [0.4, 0.3], [0.8, 0.1]])
GOLD = np.array([[1, 0], [1, 1], [0, 0]])
MULTI_LABEL = MultiLabelMetric()


def multi_label_scores(predictions, references):
    """Without the Arrow table in between: there are thousands of candidates."""
    return MULTI_LABEL._compute(predictions, references)


def decisions(probabilities, thresholds):
    return (probabilities >= np.array(thresholds)).astype(int)


def draws(count, labels=4, texts=25):
    """Random probabilities, coarse ones with many ties among them, and references that they tell something about."""
    rng = np.random.default_rng(0)
    for i in range(count):
        probabilities = rng.beta(0.6, 1.2, (texts, labels)).round(1 + i % 4)
        references = (rng.random((texts, labels)) < probabilities**1.5).astype(int)
        references[:, 0] *= i % 5 != 0  # now and then a label without positives
        yield probabilities, references


def midpoints(probabilities):
    edges = np.unique(np.concatenate([[0.0, 1.0], probabilities.ravel()]))
    return (edges[1:] + edges[:-1]) / 2


def f1(probabilities, references, threshold):
    scores = per_label_scores(decisions(probabilities, threshold), references, ["x"], "multi_label_classification")
    return scores["x"]["f1"]


def test_global_threshold_worked_out_by_hand():
    assert tune_thresholds(PROBABILITIES, GOLD, "global") == [0.25, 0.25]
    # Without the second text only the higher of the two remains the best.
    assert tune_thresholds(PROBABILITIES[[0, 2]], GOLD[[0, 2]], "global") == [0.85, 0.85]


def test_thresholds_per_label_worked_out_by_hand():
    # A: 0.4 and 0.9 are gold. From 0.85: F1 2/3; from 0.6: 1/2; from 0.2: 4/5. B: 0.3 is gold alone.
    assert tune_thresholds(PROBABILITIES, GOLD, "per_label") == [0.2, 0.25]


def test_global_is_the_default():
    assert tune_thresholds(PROBABILITIES, GOLD) == tune_thresholds(PROBABILITIES, GOLD, "global")


def test_fixed_is_a_half():
    assert tune_thresholds(PROBABILITIES, GOLD, "fixed") == [0.5, 0.5]


@pytest.mark.parametrize("metric", ["jaccard", "micro_f1", "macro_f1"])
def test_global_is_the_best_of_all_midpoints_and_the_closest_to_a_half(metric):
    for probabilities, references in draws(60):
        thresholds = tune_thresholds(probabilities, references, "global", metric)
        assert len(set(thresholds)) == 1
        tuned = multi_label_scores(decisions(probabilities, thresholds), references)[metric]
        scores = {
            threshold: multi_label_scores(decisions(probabilities, threshold), references)[metric]
            for threshold in midpoints(probabilities)
        }
        best = max(scores.values())
        assert tuned == pytest.approx(best, abs=1e-12)
        closest = min(abs(threshold - 0.5) for threshold, value in scores.items() if value >= best - 1e-12)
        assert abs(thresholds[0] - 0.5) <= closest + 1e-6


def test_per_label_is_the_best_of_all_midpoints():
    for probabilities, references in draws(60):
        thresholds = tune_thresholds(probabilities, references, "per_label")
        for i, threshold in enumerate(thresholds):
            column, gold = probabilities[:, [i]], references[:, [i]]
            best = max(f1(column, gold, candidate) for candidate in midpoints(column))
            assert f1(column, gold, threshold) == pytest.approx(best, abs=1e-12)


def test_tuned_is_never_worse_than_a_half():
    gains = 0
    for probabilities, references in draws(400, labels=3, texts=12):
        tuned = tune_thresholds(probabilities, references, "global")
        before = multi_label_scores(decisions(probabilities, 0.5), references)["jaccard"]
        after = multi_label_scores(decisions(probabilities, tuned), references)["jaccard"]
        assert after >= before - 1e-12
        gains += after > before + 1e-12
        for i, threshold in enumerate(tune_thresholds(probabilities, references, "per_label")):
            column, gold = probabilities[:, [i]], references[:, [i]]
            assert f1(column, gold, threshold) >= f1(column, gold, 0.5) - 1e-12
    assert gains > 100


def test_each_label_gets_its_own_threshold():
    probabilities = np.array([[0.9, 0.30], [0.8, 0.25], [0.7, 0.1], [0.6, 0.05]])
    gold = np.array([[1, 1], [1, 1], [0, 0], [0, 0]])
    thresholds = tune_thresholds(probabilities, gold, "per_label")
    assert thresholds == [0.75, 0.175]
    assert (decisions(probabilities, thresholds) == gold).all()


def test_a_half_stays_where_nothing_is_gained():
    # The midpoint is 0.55, and decides as 0.5 does.
    probabilities = np.array([[0.2], [0.9]])
    assert tune_thresholds(probabilities, np.array([[0], [1]]), "per_label") == [0.5]
    assert tune_thresholds(probabilities, np.array([[0], [1]]), "global") == [0.5]


@pytest.mark.parametrize(
    ("mode", "probabilities", "gold", "expected"),
    [
        # Jaccard: 4/5 above the second probability, and again above the fourth.
        ("global", [0.95, 0.85, 0.3, 0.2, 0.1], [1, 0, 1, 0, 0], 0.25),
        ("global", [0.7, 0.5, 0.3, 0.1, 0.05], [1, 0, 1, 0, 0], 0.6),
        # F1: 2/(1+2) above the second probability, and 4/(4+2) above the last.
        ("per_label", [0.95, 0.85, 0.6, 0.3, 0.1], [1, 0, 0, 1, 0], 0.2),
        ("per_label", [0.7, 0.5, 0.4, 0.3, 0.1], [1, 0, 0, 1, 0], 0.6),
    ],
)
def test_among_equals_the_closest_to_a_half(mode, probabilities, gold, expected):
    assert tune_thresholds(np.array([probabilities]).T, np.array([gold]).T, mode) == [expected]


def test_a_label_without_positives_keeps_a_half():
    probabilities = np.array([[0.5, 0.2], [0.5, 0.9]])
    assert tune_thresholds(probabilities, np.array([[0, 1], [0, 0]]), "per_label") == [0.5, 0.1]


def test_without_any_gold_label_nothing_is_given():
    thresholds = tune_thresholds(PROBABILITIES, np.zeros_like(GOLD), "global")
    assert thresholds == [0.95, 0.95]


@pytest.mark.parametrize(("gold", "expected"), [(1, 0.25), (0, 0.75)])
def test_all_probabilities_equal(gold, expected):
    probabilities = np.full((4, 2), 0.5)
    assert tune_thresholds(probabilities, np.full((4, 2), gold), "global") == [expected] * 2


def test_probabilities_of_zero_and_one():
    probabilities = np.array([[0.0, 1.0], [1.0, 0.0]])
    for mode in ("global", "per_label"):
        assert tune_thresholds(probabilities, np.array([[1, 0], [0, 1]]), mode) == [0.5, 0.5]


@pytest.mark.parametrize("mode", ["global", "per_label"])
def test_no_probability_lies_on_a_threshold(mode):
    rng = np.random.default_rng(3)
    for _ in range(10):
        # Many and close together.
        probabilities = rng.beta(0.3, 1.0, (4000, 3))
        references = (rng.random((4000, 3)) < probabilities).astype(int)
        thresholds = tune_thresholds(probabilities, references, mode)
        assert (np.abs(probabilities - thresholds) > 1e-6).all()


def test_probabilities_too_close_together_are_not_separated():
    # A threshold between the first two would be the best.
    probabilities = np.array([[0.600001], [0.6], [0.1]])
    assert tune_thresholds(probabilities, np.array([[1], [0], [0]]), "per_label") == [0.5]


def test_a_half_where_no_gap_is_wide_enough():
    probabilities = np.linspace(0, 1, 300_000)[:, None]
    references = (probabilities > 0.8).astype(int)
    assert tune_thresholds(probabilities, references, "global") == [0.5]


@pytest.mark.parametrize("mode", THRESHOLD_MODES)
def test_thresholds_decide_the_same_after_json_and_from_logits(mode):
    rng = np.random.default_rng(4)
    logits = rng.normal(-1, 2, (500, 5)).astype(np.float32)
    probabilities = torch.tensor(logits).sigmoid().numpy()
    references = (rng.random((500, 5)) < probabilities).astype(int)
    thresholds = tune_thresholds(probabilities, references, mode)
    assert {type(threshold) for threshold in thresholds} == {float}
    assert len(thresholds) == 5
    reloaded = json.loads(json.dumps(thresholds))
    assert reloaded == thresholds
    expected = decisions(probabilities, thresholds).tolist()
    assert decide(logits, "multi_label_classification", reloaded).tolist() == expected
    assert (torch.tensor(logits).sigmoid() >= torch.tensor(reloaded)).int().tolist() == expected


def test_references_may_be_floats():
    # As the collators make them.
    for mode in ("global", "per_label"):
        assert tune_thresholds(PROBABILITIES.astype(np.float32), GOLD.astype(np.float32), mode) == pytest.approx(
            tune_thresholds(PROBABILITIES, GOLD, mode), abs=1e-6
        )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "best"}, "mode must be one of fixed, global, per_label, got 'best'"),
        ({"metric": "accuracy"}, "metric must be one of jaccard, micro_f1, macro_f1, got 'accuracy'"),
        ({"references": GOLD[:2]}, r"got \(3, 2\) and \(2, 2\)"),
        ({"probabilities": np.zeros((0, 2)), "references": np.zeros((0, 2))}, "at least one row"),
        ({"probabilities": PROBABILITIES * 4 - 2}, "between 0 and 1; put logits through a sigmoid"),
        ({"probabilities": np.where(PROBABILITIES > 0.8, np.nan, PROBABILITIES)}, "between 0 and 1"),
        ({"references": GOLD + 1.0}, "references must be 0 or 1; drop rows without labels"),
        ({"references": np.where(GOLD == 1, 1.0, np.nan)}, "references hold a text that is not labelled; drop"),
    ],
)
def test_refuses(arguments, message):
    arguments = {"probabilities": PROBABILITIES, "references": GOLD, **arguments}
    with pytest.raises(ValueError, match=message):
        tune_thresholds(**arguments)
