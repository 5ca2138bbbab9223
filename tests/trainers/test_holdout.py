"""A fold of the groups as the dev split; the part of the texts is tested where one's own files are read."""

from collections import Counter
from typing import Any

import pytest

from trainers.holdout import split_off_fold


def answers(groups: int, labels: int = 3) -> list[dict[str, Any]]:
    return [
        {"text": f"{group} {label}", "labels": label, "group": f"g{group}"}
        for group in range(groups)
        for label in range(labels)
    ]


def test_no_group_is_on_both_sides_and_labels_are_spread() -> None:
    rows = answers(20)
    train, dev = split_off_fold(rows, 5, 0, 42, "data")
    assert not {row["group"] for row in train} & {row["group"] for row in dev}
    assert sorted(train + dev, key=rows.index) == rows
    assert Counter(row["labels"] for row in dev) == {0: 4, 1: 4, 2: 4}
    assert [rows.index(row) for row in dev] == sorted(rows.index(row) for row in dev)


def test_folds_are_disjoint_and_make_up_the_whole() -> None:
    rows = answers(13)
    devs = [row["text"] for fold in range(5) for row in split_off_fold(rows, 5, fold, 42, "data")[1]]
    assert sorted(devs) == sorted(row["text"] for row in rows)


def test_the_fold_depends_on_the_seed_alone() -> None:
    first, again, other = (split_off_fold(answers(20), 5, 0, seed, "data")[1] for seed in (42, 42, 7))
    assert first == again != other


def test_it_is_said_what_is_held_out(caplog: pytest.LogCaptureFixture) -> None:
    split_off_fold(answers(10), 5, 1, 42, "data")
    messages = [record.getMessage() for record in caplog.records]
    assert messages == ["data has no dev split: fold 1 of 5, 6 of its 30 rows, is held out as dev."]


def test_what_cannot_be_divided() -> None:
    with pytest.raises(ValueError, match="data: fold must lie between 0 and 4, got 5"):
        split_off_fold(answers(10), 5, 5, 42, "data")
    with pytest.raises(ValueError, match="data holds rows of 4 groups: too few for 5 folds"):
        split_off_fold(answers(4), 5, 0, 42, "data")
