"""Folds of the training texts, each held out once."""

import datasets
import numpy as np
import pytest

from trainers.data import TaskDataset, cross_folds

LABELS = ["joy", "fear"]
NAN = float("nan")


def posts(texts: list[str], labels: list[list[float]], **columns: list[str]) -> TaskDataset:
    train = datasets.Dataset.from_dict({"text": texts, "labels": labels, **columns})
    dev = datasets.Dataset.from_dict({"text": ["dev"], "labels": [[1.0, 0.0]]})
    splits = datasets.DatasetDict({"train": train, "dev": dev})
    return TaskDataset("posts", LABELS, "multi_label_classification", splits, None)


def test_each_text_is_held_out_once() -> None:
    labels = [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]] * 10
    data = posts([f"text {number}" for number in range(40)], labels)
    parts = cross_folds(data, 4, seed=1)
    held_out = [part.splits["dev"]["text"][:] for part in parts]
    assert sorted(text for texts in held_out for text in texts) == sorted(data.splits["train"]["text"][:])
    for part in parts:
        assert set(part.splits["train"]["text"]) == set(data.splits["train"]["text"]) - set(part.splits["dev"]["text"])
        assert (part.name, part.labels, part.problem_type) == (data.name, LABELS, data.problem_type)
        # The same share of each label, and of texts.
        assert part.targets("dev").sum(axis=0) == pytest.approx([5, 5], abs=1)
    again = cross_folds(data, 4, seed=1)
    assert [part.splits["dev"]["text"][:] for part in again] == held_out
    assert [part.splits["dev"]["text"][:] for part in cross_folds(data, 4, seed=2)] != held_out


def test_what_belongs_together_stays_together() -> None:
    labels = [[1.0, 0.0], [0.0, NAN], [0.0, 0.0]] * 8
    repeated = posts([f"Text {number // 2}{' ' * (number % 2)}" for number in range(24)], labels)
    written = posts([str(number) for number in range(24)], labels, group=[f"writer {n % 6}" for n in range(24)])
    for data in (repeated, written):
        for part in cross_folds(data, 3):
            train, dev = (set(part.row_groups(split)) for split in ("train", "dev"))
            assert train and dev and not train & dev


def test_too_few_texts_are_refused() -> None:
    data = posts(["a", "b", "A "], [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    assert len(cross_folds(data, 2)) == 2
    with pytest.raises(ValueError, match="folds must be between 2 and the number of groups, 2, got 3"):
        cross_folds(data, 3)


def test_class_ids_have_folds_too() -> None:
    data = posts([str(number) for number in range(12)], [[1.0, 0.0]] * 12)
    rows = data.splits["train"].remove_columns("labels").add_column("labels", [number % 2 for number in range(12)])
    data.splits["train"], data.problem_type = rows, "single_label_classification"
    for part in cross_folds(data, 3):
        assert np.bincount(part.targets("dev")).tolist() == [2, 2]
