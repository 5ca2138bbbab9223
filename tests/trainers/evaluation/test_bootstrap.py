"""Scores on resampled texts: those of the metric, with intervals that grow as texts belong together."""

from typing import Any

import numpy as np
import pytest

from trainers.evaluation import bootstrap_scores, score


def test_scores_are_those_of_the_metric() -> None:
    rng = np.random.default_rng(0)
    references = rng.integers(0, 2, size=(30, 3)).astype(np.float64)
    references[4, 1] = np.nan
    decisions = rng.integers(0, 2, size=(2, 30, 3))
    for metric in ("jaccard", "micro_f1", "macro_f1"):
        found, drawn = bootstrap_scores(decisions, references, metric, resamples=5)
        expected = [score(20.0 * one - 10, references, "multi_label_classification")[metric] for one in decisions]
        assert found == pytest.approx(expected) and drawn.shape == (5, 2)


def test_interval_of_an_accuracy_is_that_of_a_share() -> None:
    references = np.zeros(400, dtype=np.int64)
    decisions = np.repeat([0, 1], [300, 100])[None]
    found, drawn = bootstrap_scores(decisions, references, "accuracy", resamples=2_000)
    assert found[0] == 0.75
    assert drawn.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.1)
    # Texts in groups of four that are all right or all wrong tell as much as a quarter of them.
    _, grouped = bootstrap_scores(decisions, references, "accuracy", resamples=2_000, groups=np.arange(400) // 4)
    assert grouped.std() == pytest.approx(2 * drawn.std(), rel=0.1)


def test_systems_are_drawn_together() -> None:
    references = np.random.default_rng(0).integers(0, 3, size=50)
    decisions = np.stack([references, references, (references + 1) % 3])
    _, drawn = bootstrap_scores(decisions, references, "macro_f1", resamples=20, num_labels=4)
    assert (drawn[:, 0] == drawn[:, 1]).all() and (drawn[:, 2] == 0).all()
    assert drawn[:, 0] == pytest.approx(0.75)  # one of the four classes does not occur


@pytest.mark.parametrize(
    ("options", "message"),
    [({"resamples": 0}, "resamples must be at least 1"), ({"groups": [1, 2]}, "one group for each of the 3 texts")],
)
def test_refusals(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bootstrap_scores(np.zeros((1, 3), dtype=np.int64), np.array([0, 1, 0]), "accuracy", **options)
