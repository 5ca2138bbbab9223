"""Paired tests of regressions, on Pearson's correlation, worked out by hand and against resamples."""

from typing import Any

import numpy as np
import pytest

from trainers.evaluation.metrics import RegressionMetric
from trainers.evaluation.significance import paired_test

NAN = float("nan")
# Without the Arrow table in between: there are thousands of resamples.
METRIC = RegressionMetric()


def scores(
    seeds: int = 2, texts: int = 40, noise: tuple[float, float] = (0.5, 1.0), seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gold scores of three outputs, a third of them missing, and two systems that err."""
    rng = np.random.default_rng(seed)
    gold = rng.random((texts, 3))
    systems = [gold + width * rng.random((seeds, texts, 3)) for width in noise]
    return *systems, np.where(rng.random((texts, 3)) < 1 / 3, NAN, gold)


def mean_pearson(predicted: np.ndarray, gold: np.ndarray) -> float:
    return float(np.mean([METRIC._compute(one, gold)["pearson"] for one in predicted]))


@pytest.mark.parametrize("shift", [0.0, 1000.0])
def test_difference_is_that_of_the_metric(shift: float) -> None:
    for seed in range(10):
        system, baseline, gold = scores(seed=seed)
        gold[:, 1] = NAN  # an output without any score is left out
        system[0, :, 2] = 0.1  # and something constant has no correlation
        expected = mean_pearson(system, gold) - mean_pearson(baseline, gold)
        result = paired_test(system + shift, baseline + shift, gold + shift, "pearson", resamples=1)
        assert result.difference == pytest.approx(expected, abs=1e-9)
        assert (result.metric, result.seeds, result.texts) == ("pearson", 2, 40)


def test_correlation_by_hand() -> None:
    # Of the texts that have a score, the system's are 0, 1, 2 for gold 0, 1, 2, and the baseline's 1, 0, 1: a
    # covariance of 0. Of the second output, the baseline's 0, 1 for gold 1, 0 are the very opposite.
    gold = np.array([[0, 1], [1, NAN], [2, 0], [NAN, NAN]])
    system = np.array([[[0, 1], [1, 5], [2, 0], [9, 9]]])
    baseline = np.array([[[1, 0], [0, 5], [1, 1], [-9, -9]]])
    result = paired_test(system, baseline, gold, "pearson", resamples=1)
    assert result.difference == pytest.approx((1 + 1) / 2 - (0 - 1) / 2)
    alone = paired_test(system[..., 0], baseline[..., 0], gold[:, 0], "pearson", resamples=1)
    assert alone.difference == pytest.approx(1.0)


def test_randomization_by_hand() -> None:
    # Three texts with gold 0, 1, 2: swapped are none to all of system 0, 1, 2 and baseline 2, 1, 0. The middle one
    # is the same in both, so four cases in equal shares: 1 - (-1) = 2, 0 (both constant 2, 1, 2 and 0, 1, 0), twice,
    # and -2.
    gold = np.arange(3.0)
    result = paired_test(gold[None], gold[None, ::-1], gold, "pearson", resamples=40_000)
    assert result.difference == pytest.approx(2)
    assert result.p_randomization == pytest.approx(1 / 2, abs=0.015)


def test_bootstrap_against_resamples_drawn_by_hand() -> None:
    system, baseline, gold = scores(seeds=3, texts=60, noise=(0.8, 0.9))
    result = paired_test(system, baseline, gold, "pearson", resamples=4000)
    rng = np.random.default_rng(6)
    drawn = []
    for _ in range(1000):
        rows = rng.integers(60, size=60)
        ours, theirs = (one[rng.integers(3, size=3)][:, rows] for one in (system, baseline))
        drawn.append(mean_pearson(ours, gold[rows]) - mean_pearson(theirs, gold[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    assert (result.low, result.high) == pytest.approx((low, high), abs=0.15 * (high - low))
    # A share of 0.14 of 1000 has a standard error of 0.011.
    assert result.p_bootstrap == pytest.approx(2 * np.mean(np.array(drawn) <= 0), abs=5 * 2 * 0.011)


def test_two_texts_by_hand() -> None:
    # Each of the two is drawn twice in a quarter of the resamples each, and then nothing varies: a difference of 0.
    # In the other half it is 1 - (-1): p is twice the share that is not above 0.
    gold = np.array([0.0, 1.0])
    result = paired_test(gold[None], 1 - gold[None], gold, "pearson", resamples=20_000)
    assert (result.difference, result.low, result.high) == (2, 0, 2)
    assert result.p_bootstrap == pytest.approx(1.0, abs=0.03)


def test_same_system_and_swapped_systems() -> None:
    system, baseline, gold = scores(seeds=1)
    same = paired_test(system, system, gold, "pearson", resamples=200)
    assert (same.difference, same.p_randomization, same.p_bootstrap) == (0, 1, 1)
    assert (same.low, same.high) == pytest.approx((0, 0), abs=1e-12)
    one, other = (
        paired_test(*pair, gold, "pearson", resamples=500) for pair in ((system, baseline), (baseline, system))
    )
    assert (other.difference, other.low, other.high) == pytest.approx((-one.difference, -one.high, -one.low))
    assert other.p_bootstrap == one.p_bootstrap


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"references": np.full((40, 3), NAN)}, "references hold no score"),
        ({"system": np.full((2, 40, 3), NAN)}, "must be numbers, without NaN"),
        ({"system": np.zeros((2, 39, 3))}, r"system must be of shape \(seeds, 40, 3\)"),
        ({"baseline": np.zeros((3, 40, 3))}, "system has 2 seeds but baseline has 3"),
        ({"references": np.zeros((0, 3))}, "at least one text"),
    ],
)
def test_refuses(changes: dict[str, Any], message: str) -> None:
    system, baseline, gold = scores()
    given = {"system": system, "baseline": baseline, "references": gold, "metric": "pearson", "resamples": 5}
    with pytest.raises(ValueError, match=message):
        paired_test(**given | changes)
