"""Intervals of each label's F1, from resampled texts."""

import numpy as np
import pytest

from trainers.evaluation.significance import f1_intervals


def test_intervals_of_f1_hold_what_is_certain() -> None:
    references = np.tile([[1, 1, 0], [0, 1, 0]], (20, 1))
    decisions = np.tile([[1, 0, 0], [0, 0, 0]], (20, 1))
    # Always right, always wrong, and a label that nobody has and nobody is given.
    assert f1_intervals(decisions, references, resamples=50) == [(1.0, 1.0), (0.0, 0.0), (0.0, 0.0)]


def test_intervals_of_f1_against_resamples_drawn_by_hand() -> None:
    rng = np.random.default_rng(3)
    references, decisions = (rng.random((30, 2)) < 0.4).astype(int), (rng.random((30, 2)) < 0.5).astype(int)
    draws = np.random.default_rng(7)
    scores = []
    for _ in range(200):
        rows = draws.integers(30, size=30)
        gold, given = references[rows], decisions[rows]
        scores.append(2 * (gold & given).sum(axis=0) / (gold.sum(axis=0) + given.sum(axis=0)))
    low, high = np.percentile(scores, [2.5, 97.5], axis=0)
    found = f1_intervals(decisions, references, resamples=200, seed=7)
    assert np.allclose(found, np.column_stack([low, high]))
    # Four times the texts, half the width.
    wide = np.diff(f1_intervals(decisions, references), axis=1)
    narrow = np.diff(f1_intervals(np.tile(decisions, (4, 1)), np.tile(references, (4, 1))), axis=1)
    assert np.allclose(narrow, wide / 2, rtol=0.2)


@pytest.mark.parametrize(
    ("decisions", "references", "options", "message"),
    [
        (np.zeros((3, 2)), np.zeros((2, 2)), {}, "must both be of shape"),
        (np.zeros(3), np.zeros(3), {}, "must both be of shape"),
        (np.full((3, 2), 0.5), np.zeros((3, 2)), {}, "must be 0 or 1"),
        (np.zeros((3, 2)), np.zeros((3, 2)), {"resamples": 0}, "resamples must be at least 1, got 0"),
    ],
)
def test_intervals_of_what_is_no_decision(
    decisions: np.ndarray, references: np.ndarray, options: dict[str, int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        f1_intervals(decisions, references, **options)
