"""Utterances in dialogues: from one's own tables to batches, with dialogues that are never torn apart."""

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
import torch

from trainers.data.dialogues import check_dialogues, dialogue_rows
from trainers.data.task_dataset import load_task_dataset
from trainers.dialogue_trainer import DialogueDataset, collate_dialogues

HEADER = "text,label,dialogue_id,utterance_id,speaker"


def write(path: Path, *rows: str, header: str = HEADER) -> str:
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return str(path)


def rows_of(dialogues: list[str], places: list[int]) -> datasets.Dataset:
    return datasets.Dataset.from_dict({"dialogue_id": dialogues, "utterance_id": places})


# -- one's own tables ---


def test_columns_of_own_data_are_kept(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2},{number // 3},{number % 3},voice {number % 4}" for number in range(30)]
    found = load_task_dataset(write(tmp_path / "talks.csv", *rows), dev_fraction=0.2)
    assert found.splits["dev"].column_names == ["text", "labels", "dialogue_id", "utterance_id", "speaker"]
    row = next(row for row in [*found.splits["train"], *found.splits["dev"]] if row["text"] == "text 7")
    assert (row["dialogue_id"], row["utterance_id"], row["speaker"]) == ("2", 1, "voice 3")


def test_dialogues_stay_on_one_side_of_a_split(tmp_path: Path) -> None:
    # The text is the same everywhere, so a split by text would be impossible.
    rows = [f"same,{label},talk {talk},{place},a" for talk in range(20) for place, label in enumerate("ab")]
    found = load_task_dataset(write(tmp_path / "talks.csv", *rows), dev_fraction=0.25)
    sides = [set(found.splits[split]["dialogue_id"]) for split in ("train", "dev")]
    assert not sides[0] & sides[1] and [len(side) for side in sides] == [15, 5]


def test_one_dialogue_cannot_be_split(tmp_path: Path) -> None:
    path = write(tmp_path / "talks.csv", "a,x,1,0,A", "b,y,1,1,A")
    with pytest.raises(ValueError, match="holds 1 different dialogues: too few to split a dev split off"):
        load_task_dataset(path)


def test_without_speakers_and_places_one_voice_speaks_in_the_order_of_the_rows(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2},{number % 5}" for number in range(20)]
    found = load_task_dataset(write(tmp_path / "talks.csv", *rows, header="text,label,dialogue_id"))
    assert set(found.splits["train"]["speaker"]) == {"-"}
    train = found.splits["train"]
    for dialogue in dialogue_rows(train, 64):
        numbers = [int(train[int(row)]["text"].split()[1]) for row in dialogue]
        assert numbers == sorted(numbers) and len(numbers) == 4


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("b,y,,1,A", r"line 3, column 'dialogue_id': expected a non-empty text"),
        ("b,y,2,one,A", r"line 3, column 'utterance_id': expected a whole number, got 'one'"),
        ("b,y,2,1, ", r"line 3, column 'speaker': expected a non-empty text"),
    ],
)
def test_bad_places_are_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"talks\.csv, {message}"):
        load_task_dataset(write(tmp_path / "talks.csv", "a,x,1,0,A", row))


def test_data_without_dialogues_are_refused(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2}" for number in range(9)]
    found = load_task_dataset(write(tmp_path / "posts.csv", *rows, header="text,label"))
    with pytest.raises(ValueError, match=r"posts \(train\) has no column dialogue_id.* such as meld"):
        check_dialogues(found.splits, found.name)


# -- dialogues ---


def test_rows_are_put_in_order_by_dialogue() -> None:
    rows = rows_of(["b", "a", "b", "a", "b"], [9, 1, 10, 0, 2])
    assert [dialogue.tolist() for dialogue in dialogue_rows(rows, 64)] == [[4, 0, 2], [3, 1]]


def test_long_dialogues_are_cut() -> None:
    rows = rows_of(["a"] * 7, list(range(7)))
    assert [dialogue.tolist() for dialogue in dialogue_rows(rows, 3)] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("several", [False, True])
def test_a_batch_is_padded_with_nothing_to_learn(several: bool) -> None:
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    labels: Any = np.array([2, 0, 1, 1])
    if several:
        labels = np.eye(3, dtype=np.float32)[labels]
    data = DialogueDataset(vectors, ["Ana", "Ben", "Ana", "Ana"], labels, [np.array([2, 1, 0]), np.array([3])])
    batch = collate_dialogues([data[0], data[1]])
    assert batch["utterance_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["utterance_representations"][0].tolist() == [[4, 5], [2, 3], [0, 1]]
    assert batch["utterance_representations"][1].tolist() == [[6, 7], [0, 0], [0, 0]]
    speakers = batch["speaker_ids"]
    assert speakers[0, 0] == speakers[0, 2] == speakers[1, 0] != speakers[0, 1]
    if several:
        assert batch["labels"][1, 0].tolist() == [0, 1, 0] and batch["labels"][1, 1:].isnan().all()
    else:
        assert batch["labels"].tolist() == [[1, 0, 2], [1, -100, -100]]
    assert batch["labels"].dtype == (torch.float32 if several else torch.int64)
