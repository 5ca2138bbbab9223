"""Rows for trainings at scale: changed copies of a few, each once, beside the same dev texts."""

from pathlib import Path

import datasets

from benchmarks.recurrent_scale import count, write_rows
from trainers.data import TaskDataset, load_task_dataset

TEXTS = ["i feel so very happy about my new house today", "i am sad because my dog ran away last night again"]


def test_rows_are_grown_to_a_size(tmp_path: Path) -> None:
    splits = {
        split: datasets.Dataset.from_dict({"text": [f"{text} {split}" for text in TEXTS], "labels": [0, 1]})
        for split in ("train", "dev")
    }
    data = TaskDataset(
        "dair-emotion", ["joy", "sadness"], "single_label_classification", datasets.DatasetDict(splits), None
    )
    folder = write_rows(data, 12, tmp_path / "rows")
    grown = load_task_dataset(folder)
    train, dev = (grown.splits[split] for split in ("train", "dev"))
    assert count(folder) == len(train) == 12 == len(set(train["text"][:]))
    assert sorted(train["labels"][:]) == [0] * 6 + [1] * 6
    assert set(splits["train"]["text"][:]) <= set(train["text"][:])
    assert (dev["text"][:], dev["labels"][:]) == (splits["dev"]["text"][:], [0, 1])
    # What is there is not made again.
    (folder / "dev.parquet").unlink()
    assert write_rows(data, 12, folder) == folder and not (folder / "dev.parquet").exists()
