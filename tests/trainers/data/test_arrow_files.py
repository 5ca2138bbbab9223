"""Texts in Arrow files: the rows of their source, written once."""

import csv
import logging
import math
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest

import trainers.data.sources
from tests.helpers import tiny_run
from trainers.data.task_dataset import TaskDataset, load_task_dataset

EMOTIONS = list(tiny_run.EMOTIONS)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that even these files are read in several parts."""
    monkeypatch.setattr(trainers.data.sources, "BATCH_SIZE", 4)


def load(name: Path, **options: Any) -> TaskDataset:
    return load_task_dataset(str(name), **options)


def arrow_files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.arrow")}


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        tiny_run.write_jsonl(path, rows)
    elif path.suffix == ".parquet":
        datasets.Dataset.from_list(rows).to_parquet(path)
    else:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    return path


# -- the rows ---------------------------------------------------------------------------------------------------------

MOODS = tiny_run.label_rows(tiny_run.EMOTIONS, 23, 1)
TEXTS = [row["text"] for row in MOODS]
LISTS = [[row["label"], "zest"][: index % 4] for index, row in enumerate(MOODS)]
NUMBERS = [(10, 2, -1)[index % 3] for index in range(23)]
SCORES = [None if index == 7 else index / 4 for index in range(23)]
SPACE = sorted([*EMOTIONS, "zest"])
TALKS = [row | {"dialogue_id": f"d{index // 5}", "speaker": "AB"[index % 2]} for index, row in enumerate(MOODS)]
TOGETHER = tiny_run.emotion_rows(23, 1)

# By kind: rows of the file, options, and the labels, the problem type and the targets that they make.
SINGLE, MULTI = "single_label_classification", "multi_label_classification"
KINDS: dict[str, tuple[list[dict[str, Any]], dict[str, Any], list[str], str, list[Any]]] = {
    "one-label": (MOODS, {}, EMOTIONS, SINGLE, [EMOTIONS.index(row["label"]) for row in MOODS]),
    "columns": (
        TOGETHER,
        {"label_columns": EMOTIONS},
        EMOTIONS,
        MULTI,
        [[float(row[emotion]) for emotion in EMOTIONS] for row in TOGETHER],
    ),
    "lists": (
        [{"text": text, "labels": names} for text, names in zip(TEXTS, LISTS, strict=True)],
        {},
        SPACE,
        MULTI,
        [[float(label in names) for label in SPACE] for names in LISTS],
    ),
    "numbers": (
        [{"text": text, "label": number} for text, number in zip(TEXTS, NUMBERS, strict=True)],
        {},
        ["-1", "2", "10"],
        SINGLE,
        [(-1, 2, 10).index(number) for number in NUMBERS],
    ),
    "scores": (
        [{"text": text, "score": score} for text, score in zip(TEXTS, SCORES, strict=True)],
        {"regression": True},
        ["score"],
        "regression",
        [[math.nan if score is None else score] for score in SCORES],
    ),
    "dialogues": (TALKS, {}, EMOTIONS, SINGLE, [EMOTIONS.index(row["label"]) for row in MOODS]),
}


# CSV holds no lists.
@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(kind, suffix) for kind in KINDS for suffix in (".csv", ".tsv", ".jsonl", ".parquet")[2 * (kind == "lists") :]],
)
def test_rows_are_those_of_the_file(kind: str, suffix: str, tmp_path: Path) -> None:
    rows, options, labels, problem_type, targets = KINDS[kind]
    for split, part in (("train", rows), ("dev", rows[::2]), ("test", rows[:1])):
        write(tmp_path / "data" / f"{split}{suffix}", part)
    data = load(tmp_path / "data", splits=("train", "dev", "test"), **options)
    assert (data.name, data.labels, data.problem_type) == ("data", labels, problem_type)
    assert list(data.splits) == ["train", "dev", "test"]
    for split, numbers in (("train", range(23)), ("dev", range(0, 23, 2)), ("test", range(1))):
        found = data.splits[split]
        assert found.cache_files
        assert found["text"][:] == [rows[number]["text"] for number in numbers]
        np.testing.assert_array_equal(data.targets(split), [targets[number] for number in numbers])
        if kind == "dialogues":
            assert found["dialogue_id"][:] == [TALKS[number]["dialogue_id"] for number in numbers]
            assert found["speaker"][:] == [TALKS[number]["speaker"] for number in numbers]
            assert found["utterance_id"][:] == list(range(len(found)))


def test_data_in_memory_take_the_same_way(tmp_path: Path) -> None:
    write(tmp_path / "data/train.jsonl", MOODS)
    write(tmp_path / "data/dev.jsonl", MOODS[:5])
    of_file = load(tmp_path / "data")
    in_memory = load_task_dataset({"train": pd.DataFrame(MOODS), "dev": MOODS[:5]})
    assert in_memory.labels == of_file.labels and in_memory.splits["train"].cache_files
    for split, rows in of_file.splits.items():
        assert in_memory.splits[split][:] == rows[:]
    # Train is the same whichever splits are asked for.
    assert len(load_task_dataset({"train": MOODS, "dev": MOODS[:5]}, splits=("train",)).splits["train"]) == len(MOODS)


def test_the_labels_are_those_of_train_whatever_is_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "data/train.csv", MOODS)
    write(tmp_path / "data/dev.csv", MOODS[:1])
    data = load(tmp_path / "data", splits=("dev",))
    assert data.labels == EMOTIONS and list(data.splits) == ["dev"]
    data = load(write(tmp_path / "posts.csv", MOODS[:2]), splits=("test",))
    assert data.labels == EMOTIONS[:2] and len(data.splits["test"]) == 2


def test_warnings_say_it_each_time(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = tiny_run.emotion_rows(12, 1)
    write(tmp_path / "data/train.csv", [row | {"sadness": 0} for row in rows])
    write(tmp_path / "data/dev.csv", [rows[0], rows[11], rows[0], rows[0] | {"text": "new"}])
    for _ in range(2):
        with caplog.at_level(logging.WARNING, logger="trainers.data.task_dataset"):
            load(tmp_path / "data", label_columns=EMOTIONS)
        assert caplog.messages == [
            "data: no row of train has the label sadness.",
            "data: 3 of the 4 dev texts are in train, too.",
        ]
        caplog.clear()


# -- the files --------------------------------------------------------------------------------------------------------


def test_a_second_call_finds_the_files_and_changed_sources_are_read_anew(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tmp_path / "data" / "train.csv"
    write(path, MOODS)
    write(tmp_path / "data" / "dev.csv", MOODS)

    def read(**options: Any) -> TaskDataset:
        return load(tmp_path / "data", cache_dir=cache, **options)

    first, files = read(), arrow_files(cache)
    assert len(files) == 2
    again = read()
    assert arrow_files(cache) == files
    assert (again.labels, again.problem_type) == (first.labels, first.problem_type)
    assert again.splits["train"][:] == first.splits["train"][:]
    # The same time and size: the contents count.
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes().replace(b"furious", b"FURIOUS"))
    os.utime(path, ns=times)
    changed = read().splits["train"]["text"][:]
    assert changed == [text.replace("furious", "FURIOUS") for text in first.splits["train"]["text"]]
    # Other columns are other files; so is dev where the labels of train are others.
    assert read(text_column="label").splits["train"]["text"][0] == MOODS[0]["label"]
    write(path, [*MOODS, {"text": "a", "label": "zest"}])
    assert read().labels == [*EMOTIONS, "zest"]


def test_the_same_bytes_are_read_as_what_they_are(tmp_path: Path) -> None:
    """In TSV a quotation mark is a character like any other."""
    for suffix, expected in ((".csv", ["joy", "fear"]), (".tsv", ['"joy"', '"fear"'])):
        path = tmp_path / f"words{suffix}"
        path.write_text('word\n"joy"\n"fear"\n')
        data = load(path, splits=("test",), text_column="word", label_columns=["word"])
        assert data.splits["test"]["text"][:] == expected


def test_half_of_what_a_killed_process_wrote_is_not_taken(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", write(tmp_path / "posts.csv", MOODS)
    expected, (name,) = load(path, cache_dir=cache).splits["train"][:], arrow_files(cache)
    half = (cache / name).read_bytes()[:200]
    (cache / name).unlink()
    (cache / f"{name}.unfinished").write_bytes(half)
    assert load(path, cache_dir=cache).splits["train"][:] == expected
    assert list(arrow_files(cache)) == [name]


def test_several_at_once_write_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.csv", tiny_run.label_rows(tiny_run.EMOTIONS, 300, 1))

    def read(_: int) -> dict[str, Any]:
        return load(path, cache_dir=tmp_path / "cache").splits["train"][:]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(read, range(4)))
    assert all(rows == found[0] for rows in found)
    assert len(arrow_files(tmp_path / "cache")) == 1
