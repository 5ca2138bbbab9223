"""A part of the texts, or a fold of the groups, as the dev split."""

from collections import Counter
from typing import Any

import datasets
import pytest

from trainers.data.holdout import FoldHoldout, Holdout, StratifiedHoldout, split_off_dev

Rows = list[dict[str, Any]]


def divided(rows: Rows, holdout: Holdout) -> tuple[Rows, Rows]:
    train, dev = split_off_dev(datasets.Dataset.from_list(rows), holdout, "data")
    return train.to_list(), dev.to_list()


def posts(counts: dict[Any, int]) -> Rows:
    """So many different texts of each label, the labels in turn."""
    rows = [{"text": f"{label} {i}", "labels": label} for label, count in counts.items() for i in range(count)]
    return sorted(rows, key=lambda row: int(row["text"].rsplit(" ", 1)[1]))


# -- a part of the texts ----------------------------------------------------------------------------------------------


def test_each_label_keeps_its_share() -> None:
    """Also a rare one, which a random draw might leave out."""
    rows = posts({0: 150, 1: 40, 2: 10})
    for seed in range(5):
        train, dev = divided(rows, StratifiedHoldout(0.1, seed))
        assert Counter(row["labels"] for row in dev) == {0: 15, 1: 4, 2: 1}
        assert len(train) == 180


def test_each_of_several_labels_keeps_its_share() -> None:
    anger, joy, both, none = ([1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0])
    rows = [
        {"text": f"{index} {labels}", "labels": labels}
        for labels, count in ((anger, 60), (joy, 20), (both, 10), (none, 10))
        for index in range(count)
    ]
    _, dev = divided(rows, StratifiedHoldout(0.2, 42))
    counts = Counter(tuple(row["labels"]) for row in dev)
    assert counts == {(1.0, 0.0): 12, (0.0, 1.0): 4, (1.0, 1.0): 2, (0.0, 0.0): 2}


def test_both_parts_are_in_order_and_make_up_the_whole() -> None:
    rows = posts({0: 30, 1: 30})
    train, dev = divided(rows, StratifiedHoldout(0.3, 42))
    assert sorted(train + dev, key=rows.index) == rows
    for part in (train, dev):
        assert part == [row for row in rows if row in part]


def test_text_that_stands_there_twice_stays_on_one_side() -> None:
    # Even with another label, and though a text of two rows counts as one.
    rows = [{"text": f"text {index % 20}", "labels": index % 3} for index in range(60)]
    train, dev = divided(rows, StratifiedHoldout(0.25, 42))
    assert not {row["text"] for row in train} & {row["text"] for row in dev}
    assert len({row["text"] for row in dev}) == 5 and len(dev) == 15


def test_the_part_depends_on_the_seed_alone() -> None:
    rows = posts({0: 30, 1: 30})
    first, again, other = (divided(rows, StratifiedHoldout(0.2, seed))[1] for seed in (42, 42, 7))
    assert first == again != other


def test_both_parts_get_at_least_one_text() -> None:
    rows = posts({0: 2, 1: 1})
    for fraction, size in ((0.01, 1), (0.99, 2)):
        assert len(divided(rows, StratifiedHoldout(fraction, 42))[1]) == size
    with pytest.raises(ValueError, match="data holds 1 different texts: too few to split a dev split off"):
        divided([rows[0], rows[0]], StratifiedHoldout(0.5, 42))


def test_it_is_said_how_much_is_held_out(caplog: pytest.LogCaptureFixture) -> None:
    divided(posts({0: 30, 1: 10}), StratifiedHoldout(0.1, 7))
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["data has no dev split: 4 of its 40 rows, drawn by label with seed 7, are held out as dev."]


# -- a fold of the groups ---------------------------------------------------------------------------------------------


def answers(groups: int, labels: int = 3) -> Rows:
    return [
        {"text": f"{group} {label}", "labels": label, "group": f"g{group}"}
        for group in range(groups)
        for label in range(labels)
    ]


def test_no_group_is_on_both_sides_and_labels_are_spread() -> None:
    rows = answers(20)
    train, dev = divided(rows, FoldHoldout(5, 0, 42))
    assert not {row["group"] for row in train} & {row["group"] for row in dev}
    assert sorted(train + dev, key=rows.index) == rows
    assert Counter(row["labels"] for row in dev) == {0: 4, 1: 4, 2: 4}
    assert [rows.index(row) for row in dev] == sorted(rows.index(row) for row in dev)


def test_folds_are_disjoint_and_make_up_the_whole() -> None:
    rows = answers(13)
    devs = [row["text"] for fold in range(5) for row in divided(rows, FoldHoldout(5, fold, 42))[1]]
    assert sorted(devs) == sorted(row["text"] for row in rows)


def test_the_fold_depends_on_the_seed_alone() -> None:
    first, again, other = (divided(answers(20), FoldHoldout(5, 0, seed))[1] for seed in (42, 42, 7))
    assert first == again != other


def test_it_is_said_what_is_held_out(caplog: pytest.LogCaptureFixture) -> None:
    divided(answers(10), FoldHoldout(5, 1, 42))
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["data has no dev split: fold 1 of 5, 6 of its 30 rows, is held out as dev."]


def test_what_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="data: fold must lie between 0 and 4, got 5"):
        divided(answers(10), FoldHoldout(5, 5, 42))
    with pytest.raises(ValueError, match="data holds rows of 4 groups: too few for 5 folds"):
        divided(answers(4), FoldHoldout(5, 0, 42))
