from collections import Counter

import numpy as np
import pytest
import torch
from transformers import default_data_collator

from trainers.siamese_trainer import PAIR_STRATEGIES, PAIR_TARGETS, PairDataset, sample_pairs

# Four texts of anger, joy and love: {anger, joy}, {anger}, nothing, {joy, love}.
LABELS = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 1]], dtype=np.float32)
# The five (text, label) rows make eight couples of two texts. By texts: couples of the same label, of different ones.
SHARES = {(0, 1): (1, 1), (0, 3): (1, 3), (1, 3): (0, 2)}


@pytest.mark.parametrize("target", PAIR_TARGETS)
@pytest.mark.parametrize("strategy", PAIR_STRATEGIES)
@pytest.mark.parametrize("labels", [LABELS, np.array([2, 0, 1, 2, 2, 0])], ids=["multi-hot", "class ids"])
def test_pairs_are_of_two_labelled_texts(labels: np.ndarray, strategy: str, target: str) -> None:
    rows, targets = sample_pairs(labels, 301, strategy, target)
    assert rows.shape == (301, 2) and targets.shape == (301,) and targets.dtype == np.float32
    assert (rows[:, 0] != rows[:, 1]).all()
    labelled = np.flatnonzero(labels.any(axis=1)) if labels.ndim == 2 else np.arange(6)
    assert set(rows.ravel()) == set(labelled)
    assert ((targets >= 0) & (targets <= 1)).all()


@pytest.mark.parametrize("strategy", PAIR_STRATEGIES)
def test_pairs_depend_on_the_seed_alone(strategy: str) -> None:
    draws = []
    for seed in (1, 1, 2):
        np.random.seed(seed + len(draws))
        draws.append(sample_pairs(LABELS, 60, strategy, seed=seed))
    assert all(np.array_equal(first, again) for first, again in zip(draws[0], draws[1], strict=True))
    assert not np.array_equal(draws[0][0], draws[2][0])


def test_random_pairs_are_spread_as_the_expanded_rows_are() -> None:
    size = 18000
    rows, targets = sample_pairs(LABELS, size, "random")
    found = Counter(
        (*sorted(row), target) for row, target in zip(rows.tolist(), targets.astype(int).tolist(), strict=True)
    )
    for texts, shares in SHARES.items():
        for target, share in enumerate(shares):
            # Eight couples of equal chance; four standard deviations of their counts.
            assert found[(*texts, target)] / size == pytest.approx(share / 8, abs=4 * np.sqrt(0.25 / size))
    assert found[(1, 3, 0)] == 0
    assert rows[:, 0].mean() == pytest.approx(rows[:, 1].mean(), abs=0.06)  # either half may come first


def test_jaccard_targets_are_of_the_whole_label_sets() -> None:
    rows, targets = sample_pairs(LABELS, 200, "random", "jaccard")
    expected = {(0, 1): 1 - 1 / 2, (0, 3): 1 - 1 / 3, (1, 3): 1.0}
    for row, target in zip(rows.tolist(), targets, strict=True):
        assert target == pytest.approx(expected[tuple(sorted(row))])


@pytest.mark.parametrize("strategy", PAIR_STRATEGIES)
@pytest.mark.parametrize("target", PAIR_TARGETS)
def test_class_ids_are_the_same_or_not(strategy: str, target: str) -> None:
    ids = np.array([2, 0, 1, 2, 2, 0, 0])
    rows, targets = sample_pairs(ids, 100, strategy, target)
    assert np.array_equal(targets, ids[rows[:, 0]] != ids[rows[:, 1]])
    assert 0 < targets.mean() < 1


def test_class_ids_that_are_missing_are_left_out() -> None:
    rows, _ = sample_pairs(np.array([0, -100, 1, 1, -100]), 50)
    assert set(rows.ravel()) == {0, 2, 3}


def test_distinct_pairs_use_every_row_equally_often() -> None:
    ids = np.array([0, 1, 2, 0, 1, 2, 0, 1])
    rows, _ = sample_pairs(ids, 12, "distinct")
    for matching in rows.reshape(3, 4, 2):
        assert sorted(matching.ravel()) == list(range(8))
    assert len({tuple(sorted(row)) for row in rows.tolist()}) > 4  # another matching each time

    # Nine expanded rows: in a matching each text stands at most as often as it has labels.
    labels = np.zeros((5, 3))
    labels[[0, 1, 2, 3, 4], [0, 1, 2, 0, 1]] = 1
    labels[0] = 1
    labels[1, 2] = labels[2, 0] = 1
    rows, _ = sample_pairs(labels, 3, "distinct")
    assert all(np.bincount(rows.ravel(), minlength=5) <= labels.sum(axis=1))


def test_balanced_pairs_share_the_label_in_half_of_the_cases() -> None:
    rng = np.random.default_rng(0)
    ids = rng.integers(10, size=300)
    _, random = sample_pairs(ids, 4000, "random")
    _, balanced = sample_pairs(ids, 4000, "balanced")
    assert random.mean() > 0.85
    assert balanced.mean() == pytest.approx(0.5, abs=0.05)

    multi_hot = (rng.random((300, 10)) < 0.2).astype(np.float32)
    _, balanced = sample_pairs(multi_hot, 4000, "balanced")
    assert balanced.mean() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("strategy", PAIR_STRATEGIES)
@pytest.mark.parametrize("labels", [np.zeros(5, dtype=np.int64), np.array([[1, 0], [1, 0], [0, 0]])])
def test_texts_that_all_have_the_same_label_make_pairs_of_one_kind(labels: np.ndarray, strategy: str) -> None:
    rows, targets = sample_pairs(labels, 25, strategy)
    assert len(rows) == 25 and not targets.any()


@pytest.mark.parametrize("strategy", PAIR_STRATEGIES)
def test_texts_that_share_no_label_make_pairs_of_the_other_kind(strategy: str) -> None:
    rows, targets = sample_pairs(np.arange(3), 25, strategy)
    assert len(rows) == 25 and targets.all()


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        (LABELS, {"strategy": "hard"}, "random, distinct, balanced.*'hard'"),
        (LABELS, {"target": "cosine"}, "label, jaccard.*'cosine'"),
        (LABELS[1:3], {}, "at least two texts"),
        (LABELS[:1], {}, "at least two texts"),  # one text, two labels
        (np.zeros((3, 2)), {}, "at least two texts"),
    ],
)
def test_what_makes_no_pairs_is_refused(labels: np.ndarray, options: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sample_pairs(labels, 4, **options)


def test_dataset_gives_the_representations_of_both_texts() -> None:
    representations = np.arange(12, dtype=np.float32).reshape(4, 3)
    dataset = PairDataset(representations, np.array([[3, 0], [1, 2]]), np.array([1, 0.25], dtype=np.float32))
    assert len(dataset) == 2
    batch = default_data_collator([dataset[0], dataset[1]])
    expected = torch.tensor([[[9.0, 10, 11], [0, 1, 2]], [[3, 4, 5], [6, 7, 8]]])
    assert torch.equal(batch["emotion_representation"], expected)
    assert torch.equal(batch["labels"], torch.tensor([1, 0.25]))
    batch["emotion_representation"].zero_()
    dataset[0]["emotion_representation"].zero_()
    assert representations[3].tolist() == [9, 10, 11]


def test_labels_that_nobody_annotated_pair_nothing() -> None:
    labels = np.array([[1, np.nan], [0, 1], [np.nan, 1], [1, 0]], dtype=np.float32)
    assert all(
        (first == second).all()
        for first, second in zip(sample_pairs(labels, 50), sample_pairs(np.nan_to_num(labels), 50), strict=True)
    )
