from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from trainers.data.sampling import stratified_folds, stratified_sample, stratified_split


def _multi_hot() -> np.ndarray:
    """1000 texts: a label with 10 of them, two frequent ones that overlap, 20 texts without any."""
    labels = np.zeros((1000, 3), dtype=np.float32)
    labels[:10, 0] = labels[:600, 1] = labels[400:980, 2] = 1
    return np.random.default_rng(0).permutation(labels)


LABELS = _multi_hot()
# The same with one class a text: 0 (10 texts), 1, 2 and 3.
IDS = np.random.default_rng(1).permutation(np.repeat([0, 1, 2, 3], [10, 600, 320, 70]))
BOTH = pytest.mark.parametrize("labels", [LABELS, IDS], ids=["multi-hot", "class ids"])


def _counts(labels: np.ndarray, rows: np.ndarray) -> list[int]:
    """How many of the rows have each label, and how many none."""
    if labels.ndim == 1:
        return np.bincount(labels[rows], minlength=4).tolist()
    return [*labels[rows].sum(axis=0).astype(int).tolist(), int((~labels[rows].any(axis=1)).sum())]


@BOTH
@pytest.mark.parametrize(
    ("size", "expected"),
    [
        *[(size, size) for size in (1, 2, 7, 99, 500, 999, 1000)],
        *[(0.0001, 1), (0.0146, 15), (0.1, 100), (np.float32(0.5), 500), (1.0, 1000), (np.int64(8), 8)],
    ],
)
def test_sample_has_the_size_asked_for(labels: np.ndarray, size: Any, expected: int) -> None:
    rows = stratified_sample(labels, size)
    assert rows.shape == (expected,)
    assert (np.diff(rows) > 0).all() and rows[0] >= 0 and rows[-1] < 1000


@BOTH
def test_sample_depends_on_the_seed_alone(labels: np.ndarray) -> None:
    draws = []
    for seed in (1, 1, 2):
        np.random.seed(seed + len(draws))
        draws.append(stratified_sample(labels, 100, seed).tolist())
    assert draws[0] == draws[1]
    # By chance, 10 of 100 would be the same.
    assert len(set(draws[0]) & set(draws[2])) < 30


@BOTH
@pytest.mark.parametrize("seed", [0, 42])
def test_smaller_samples_are_part_of_larger_ones(labels: np.ndarray, seed: int) -> None:
    smaller: set[int] = set()
    for size in (1, 2, 5, 0.01, 30, 0.05, 0.1, 101, 220, 0.5, 501, 0.75, 999, 1000):
        sample = set(stratified_sample(labels, size, seed).tolist())
        assert smaller < sample
        smaller = sample


@BOTH
def test_sample_keeps_the_share_of_every_label(labels: np.ndarray) -> None:
    counts = {
        share: np.array([_counts(labels, stratified_sample(labels, share, seed)) for seed in range(12)])
        for share in (0.03, 0.1, 0.5)
    }
    whole = np.array(_counts(labels, np.arange(1000)))
    # A plain random draw of 100 has 1 of the 10 texts of the rare label in 4 of 10 cases, and is up to 10 off for the
    # frequent labels; a draw of 500 is up to 30 off.
    assert (counts[0.1][:, 0] == 1).mean() > 0.9
    for share, allowed in ((0.03, 2), (0.1, 2), (0.5, 2)):
        assert np.abs(counts[share] - share * whole).max() <= allowed
        assert np.abs(counts[share].mean(axis=0) - share * whole).max() <= 1


def test_label_of_one_text_is_neither_favoured_nor_left_out() -> None:
    labels = np.zeros(200, dtype=np.int64)
    labels[77] = 1
    drawn = [77 in stratified_sample(labels, 50, seed) for seed in range(60)]
    assert 5 <= sum(drawn) <= 25  # 15 are expected


def test_texts_without_a_label_are_a_stratum() -> None:
    # Labels in all combinations: were texts without any left to fill up the parts, a sample of 100 would get 0 to 8.
    labels = np.random.default_rng(0).random((1000, 6)) < 0.4
    labels[~labels.any(axis=1), 0] = True
    labels[::50] = False
    ids = np.where(labels.any(axis=1), labels[:, 0], -100)
    for seed in range(5):
        for kind in (labels, ids):
            assert abs((stratified_sample(kind, 0.1, seed) % 50 == 0).sum() - 2) <= 1
            assert abs((stratified_sample(kind, 0.5, seed) % 50 == 0).sum() - 10) <= 1


@pytest.mark.parametrize(
    "labels",
    [
        np.arange(30),  # each class once
        np.array([0] * 27 + [1, 2, 3]),
        np.eye(30),
        np.zeros(30, dtype=np.int64),  # one class
        np.zeros((30, 4)),  # no labels
        np.ones((30, 1), dtype=bool),
    ],
)
def test_degenerate_labels_are_sampled_and_split(labels: np.ndarray) -> None:
    for size in (1, 4, 15, 29):
        assert len(set(stratified_sample(labels, size).tolist())) == size
    stay, split_off = stratified_split(labels, 0.2)
    assert len(split_off) == 6 and sorted([*stay, *split_off]) == list(range(30))


def test_one_text_is_a_sample() -> None:
    assert stratified_sample(np.array([3]), 1).tolist() == [0]
    assert stratified_sample(np.array([[0, 1]]), 0.5).tolist() == [0]


@BOTH
@pytest.mark.parametrize("fraction", [0.003, 0.1, 0.5, 0.8])
def test_split_is_disjoint_and_complete(labels: np.ndarray, fraction: float) -> None:
    stay, split_off = stratified_split(labels, fraction)
    assert len(split_off) == round(fraction * 1000)
    assert sorted([*stay, *split_off]) == list(range(1000))
    assert (np.diff(stay) > 0).all() and (np.diff(split_off) > 0).all()
    again = stratified_split(labels, fraction)
    assert np.array_equal(again[0], stay) and np.array_equal(again[1], split_off)
    assert not np.array_equal(stratified_split(labels, fraction, seed=7)[1], split_off)


@BOTH
def test_split_keeps_the_share_of_every_label_on_both_sides(labels: np.ndarray) -> None:
    whole = np.array(_counts(labels, np.arange(1000)))
    for seed in range(20):
        stay, split_off = stratified_split(labels, 0.2, seed)
        assert np.abs(np.array(_counts(labels, split_off)) - 0.2 * whole).max() <= 3
        assert np.abs(np.array(_counts(labels, stay)) - 0.8 * whole).max() <= 3


@pytest.mark.parametrize("fraction", [0.01, 0.5, 0.99])
def test_both_parts_of_a_split_get_a_text(fraction: float) -> None:
    stay, split_off = stratified_split(np.array([0, 0]), fraction)
    assert sorted([*stay, *split_off]) == [0, 1] and len(stay) == 1


@BOTH
@pytest.mark.parametrize("name", [int, "tweet {}".format], ids=["numbers", "texts"])
def test_groups_stay_on_one_side(labels: np.ndarray, name: Callable[[int], Any]) -> None:
    # The last 200 texts are the first 200 once more.
    members = np.concatenate([np.arange(800), np.arange(200)])
    labels = labels[members]
    groups = np.array([name(member) for member in members.tolist()])
    rare = (labels[:800, 0] if labels.ndim == 2 else labels[:800] == 0).sum()
    for seed in range(10):
        stay, split_off = stratified_split(labels, 0.25, seed, groups)
        assert sorted([*stay, *split_off]) == list(range(1000))
        assert not set(groups[stay]) & set(groups[split_off])
        assert len(set(groups[split_off])) == 200
        once = split_off[split_off < 800]
        assert abs((labels[once, 0] if labels.ndim == 2 else labels[once] == 0).sum() - 0.25 * rare) <= 1.5
        assert abs(len(split_off) - 250) <= 10  # texts that stand twice are spread, too


def test_folds_hold_every_label_and_no_group_twice() -> None:
    labels = np.arange(60) % 4
    folds = stratified_folds(labels, 5, seed=1)
    assert np.bincount(folds).tolist() == [12] * 5
    assert all(np.bincount(labels[folds == fold]).tolist() == [3] * 4 for fold in range(5))
    assert (folds == stratified_folds(labels, 5, seed=1)).all() and (folds != stratified_folds(labels, 5, seed=2)).any()
    groups = [f"writer {number // 3}" for number in range(60)]
    grouped = stratified_folds(labels, 5, groups=groups)
    assert all(len(set(grouped[start : start + 3])) == 1 for start in range(0, 60, 3))
    assert sorted(set(grouped.tolist())) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("folds", [1, 5])
def test_folds_that_cannot_be_are_refused(folds: int) -> None:
    with pytest.raises(ValueError, match=f"folds must be between 2 and the number of groups, 4, got {folds}"):
        stratified_folds(np.zeros(8, dtype=np.int64), folds, groups=np.arange(8) // 2)


def test_groups_of_many_texts_are_spread() -> None:
    # 50 authors of 5 texts, 10 of 50: were the authors split at random, the share would go from 0.05 to 0.4.
    groups = np.repeat(np.arange(60), [5] * 50 + [50] * 10)
    labels = np.random.default_rng(0).random((750, 4)) < [0.05, 0.15, 0.3, 0.1]
    for seed in range(20):
        _, split_off = stratified_split(labels, 0.2, seed, groups)
        assert len(set(groups[split_off])) == 12
        assert len(split_off) / 750 == pytest.approx(0.2, abs=0.07)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.zeros((0, 3)), r"labels.*at least one text.*\(0, 3\)"),
        (np.zeros(0), r"labels.*at least one text.*\(0,\)"),
        (np.zeros((2, 2, 2)), r"labels.*\(2, 2, 2\)"),
        (np.array([[0, 1], [1, 0], [np.nan, np.nan]]), "labels.*NaN.*row 2"),
        (np.array([0, np.nan, 1]), "labels.*NaN.*row 1"),
        (np.array([[0, 1], [0.4, 1]]), "labels.*0 or 1"),
        (np.array([0, 0.5]), "labels.*whole numbers"),
        (np.array(["joy", "fear"]), "labels must be numbers"),
    ],
)
def test_labels_that_are_none_are_refused(labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stratified_sample(labels, 1)
    with pytest.raises(ValueError, match=message):
        stratified_split(labels, 0.5)


@pytest.mark.parametrize("size", [0, -1, 1001, 0.0, 1.5, 68.0, float("nan")])
def test_sizes_that_do_not_fit_are_refused(size: int | float) -> None:
    with pytest.raises(ValueError, match=f"size.*got {size}"):
        stratified_sample(LABELS, size)


@pytest.mark.parametrize(
    ("labels", "fraction", "groups", "message"),
    [
        (IDS, 0.0, None, r"fraction.*0\.0"),
        (IDS, 1.0, None, r"fraction.*1\.0"),
        (IDS[:1], 0.5, None, "labels.*at least two"),
        (IDS, 0.5, np.zeros(1000), "groups.*at least two"),
        (IDS, 0.5, np.arange(7), r"groups.*1000 texts.*\(7,\)"),
    ],
)
def test_splits_that_cannot_be_are_refused(
    labels: np.ndarray, fraction: float, groups: np.ndarray | None, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        stratified_split(labels, fraction, groups=groups)
