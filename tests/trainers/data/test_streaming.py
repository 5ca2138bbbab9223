"""Streamed texts are those that are read at once, with the same errors."""

import csv
import json
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import datasets
import pytest

import trainers.data.sources
from tests.helpers import tiny_run
from trainers.data.task_dataset import TaskDataset, load_task_dataset

EMOTIONS = list(tiny_run.EMOTIONS)


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that even these files are read in several parts."""
    monkeypatch.setattr(trainers.data.sources, "BATCH_SIZE", 4)


@pytest.fixture
def both(tmp_path: Path) -> Callable[..., tuple[TaskDataset, TaskDataset]]:
    """`both(name, ...)`: a dataset read at once, and streamed."""

    def load(name: Any, **options: Any) -> tuple[TaskDataset, TaskDataset]:
        streamed = load_task_dataset(str(name), streaming=True, cache_dir=tmp_path / "cache", **options)
        return load_task_dataset(str(name), **options), streamed

    return load


def arrow_files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.suffix != ".lock"}


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


# -- the same data ----------------------------------------------------------------------------------------------------

MOODS = tiny_run.label_rows(tiny_run.EMOTIONS, 23, 1)
LISTS = [{"text": row["text"], "labels": [row["label"], "zest"][: index % 3]} for index, row in enumerate(MOODS)]
NUMBERS = [{"text": row["text"], "label": (10, 2, -1)[index % 3]} for index, row in enumerate(MOODS)]
SCORES = [{"text": row["text"], "score": None if index == 7 else index / 3} for index, row in enumerate(MOODS)]
TALKS = [row | {"dialogue_id": f"d{index // 5}", "speaker": "AB"[index % 2]} for index, row in enumerate(MOODS)]
KINDS = {
    "one-label": (MOODS, {}),
    "columns": (tiny_run.emotion_rows(23, 1), {"label_columns": EMOTIONS}),
    "lists": (LISTS, {}),
    "numbers": (NUMBERS, {}),
    "scores": (SCORES, {"regression": True}),
    "dialogues": (TALKS, {}),
}


# CSV holds no lists.
@pytest.mark.parametrize(
    ("kind", "suffix"),
    [(kind, suffix) for kind in KINDS for suffix in (".csv", ".tsv", ".jsonl", ".parquet")[2 * (kind == "lists") :]],
)
def test_rows_labels_and_types_are_the_same(kind: str, suffix: str, both: Callable, tmp_path: Path) -> None:
    rows, options = KINDS[kind]
    for split, part in (("train", rows), ("dev", rows[::2]), ("test", rows[:1])):
        write(tmp_path / "data" / f"{split}{suffix}", part)
    whole, streamed = both(tmp_path / "data", splits=("train", "dev", "test"), **options)
    assert (streamed.name, streamed.labels, streamed.problem_type) == (whole.name, whole.labels, whole.problem_type)
    assert list(streamed.splits) == list(whole.splits)
    for split, expected in whole.splits.items():
        found = streamed.splits[split]
        assert found.features == expected.features
        assert json.dumps(found[:]) == json.dumps(expected[:])
        assert found.cache_files and not expected.cache_files


def test_the_labels_are_those_of_train_whatever_is_asked_for(both: Callable, tmp_path: Path) -> None:
    write(tmp_path / "data/train.csv", MOODS)
    write(tmp_path / "data/dev.csv", MOODS[:1])
    whole, streamed = both(tmp_path / "data", splits=("dev",))
    assert streamed.labels == whole.labels == EMOTIONS
    assert list(streamed.splits) == ["dev"]
    path = write(tmp_path / "posts.csv", MOODS[:2])
    whole, streamed = both(path, splits=("test",))
    assert streamed.labels == whole.labels == EMOTIONS[:2]
    assert streamed.splits["test"][:] == whole.splits["test"][:]


def test_registered_data_come_as_they_do_without(both: Callable, tmp_path: Path) -> None:
    whole, streamed = both("csr-emotion-posts", splits=("dev",))
    assert streamed.splits["dev"][:] == whole.splits["dev"][:]
    assert not (tmp_path / "cache").exists()


def test_warnings_are_the_same(both: Callable, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = tiny_run.emotion_rows(12, 1)
    write(tmp_path / "data/train.csv", [row | {"sadness": 0} for row in rows])
    write(tmp_path / "data/dev.csv", [rows[0], rows[11], rows[0], rows[0] | {"text": "new"}])
    with caplog.at_level(logging.WARNING, logger="trainers.data.task_dataset"):
        both(tmp_path / "data", label_columns=EMOTIONS)
    streamed, whole = caplog.messages[:2], caplog.messages[2:]
    assert streamed == whole
    assert streamed == [
        "data: no row of train has the label sadness.",
        "data: 3 of the 4 dev texts stand in train, too.",
    ]


# -- the same errors --------------------------------------------------------------------------------------------------

GOOD_CSV = "text,label\n" + "".join(f"text {number},{('joy', 'fear')[number % 2]}\n" for number in range(14))
GOOD_JSON = "".join(json.dumps({"text": f"text {number}", "label": number % 2}) + "\n" for number in range(14))
GOOD_LISTS = GOOD_JSON.replace('"label": 0', '"label": ["a"]').replace('"label": 1', '"label": []')
FAULTS = {
    "nothing": ("csv", "", {}),
    "header": ("csv", "text,label\n", {}),
    "unknown-suffix": ("xlsx", GOOD_CSV, {}),
    "no-parquet": ("parquet", GOOD_CSV, {}),
    "no-text-column": ("csv", GOOD_CSV, {"text_column": "post"}),
    "no-label-column": ("csv", GOOD_CSV, {"label_columns": ["mood"]}),
    "two-label-columns": ("csv", "text,label,labels\na,b,c\n", {}),
    "column-twice": ("csv", "text,label,text\na,b,c\n", {}),
    "short-row": ("csv", GOOD_CSV + '"two\nlines",joy\nshort\n', {}),
    "quotes": ("csv", GOOD_CSV + '"open,joy\nb,joy\n', {}),
    "blank-text": ("csv", GOOD_CSV + " ,joy\n", {}),
    "no-label": ("csv", GOOD_CSV + "b,\n", {}),
    "all-alike": ("csv", GOOD_CSV.replace("fear", "joy"), {}),
    "one-text": ("csv", "text,label\n" + "a,joy\na,fear\n" * 5, {}),
    "no-test-split": ("csv", GOOD_CSV, {"splits": ("train", "test")}),
    "not-0-or-1": ("csv", "text,joy,fear\n" + "a,0,1\n" * 9 + "b,2,0\n", {"label_columns": ["joy", "fear"]}),
    "no-score": ("csv", "text,score\n" + "a,0.5\n" * 9 + "b,high\n", {"regression": True}),
    "equal-scores": ("csv", "text,score\n" + "".join(f"text {i},0.5\n" for i in range(30)), {"regression": True}),
    "tsv": ("tsv", GOOD_CSV.replace(",", "\t") + "a\tb\tc\n", {}),
    "late-text": ("jsonl", GOOD_JSON + '{"text": 5, "label": 1}\n', {}),
    "late-no-label": ("jsonl", GOOD_JSON + '{"text": "a"}\n', {}),
    "no-text-for-long": ("jsonl", GOOD_JSON.replace('"text"', '"post"') + '{"text": "a", "label": 1}\n', {}),
    "late-bad-label": ("jsonl", GOOD_JSON + '{"text": "a", "label": 0.5}\n', {}),
    "late-list": ("jsonl", GOOD_JSON + "".join('{"text": "a", "label": ["x"]}\n' for _ in range(6)), {}),
    "late-no-list": ("jsonl", GOOD_LISTS + '{"text": "a", "label": "a"}\n', {}),
    "late-list-of-numbers": ("jsonl", GOOD_LISTS + '{"text": "a", "label": [0, 1]}\n', {}),
    "late-blank-line": ("jsonl", GOOD_JSON + '\n{"text": "a", "label": 1}\n', {}),
    "late-no-object": ("jsonl", GOOD_JSON + "[1]\n", {}),
    "late-json": ("jsonl", GOOD_JSON + '{"text": "a"\n', {}),
    "late-column": ("jsonl", GOOD_JSON + '{"text": "a", "label": 1, "dialogue_id": "d1"}\n', {}),
    "late-speaker": ("csv", GOOD_CSV.replace(",", ",d1,").replace("d1,label", "dialogue_id,label") + "b,,joy\n", {}),
}


def failure(name: str, **options: Any) -> tuple[type, str]:
    with pytest.raises((ValueError, OSError)) as error:
        load_task_dataset(name, **options)
    return type(error.value), str(error.value)


def check_same_failure(name: Path, cache_dir: Path, **options: Any) -> str:
    kind, message = failure(str(name), **options)
    assert failure(str(name), streaming=True, cache_dir=cache_dir, **options) == (kind, message)
    # What was not written to its end is gone.
    assert not any(path.suffix == ".unfinished" for path in cache_dir.glob("*"))
    return message


@pytest.mark.parametrize("fault", FAULTS)
def test_errors_are_the_same(fault: str, tmp_path: Path) -> None:
    suffix, content, options = FAULTS[fault]
    path = tmp_path / f"posts.{suffix}"
    path.write_text(content, encoding="utf-8")
    assert "posts" in check_same_failure(path, tmp_path / "cache", **options)


def test_errors_in_dev_are_the_same(tmp_path: Path) -> None:
    data = tmp_path / "data"
    write(data / "train.csv", MOODS)
    check_same_failure(data, tmp_path / "cache")  # no dev split
    write(data / "dev.csv", [*MOODS[:9], {"text": "a", "label": "zest"}])
    assert "dev.csv, line 11" in check_same_failure(data, tmp_path / "cache")
    (data / "dev.csv").unlink()
    write(data / "dev.jsonl", [{"text": "a", "label": ["joy"]}])
    assert "makes it multi_label" in check_same_failure(data, tmp_path / "cache")
    write(data / "val.csv", MOODS)
    assert "more than one dev split" in check_same_failure(data, tmp_path / "cache")
    check_same_failure(tmp_path / "gone.csv", tmp_path / "cache")


def test_wrong_encoding_in_a_later_part(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes(GOOD_CSV.encode() + b"caf\xe9,joy\n")
    assert "line 16: not valid UTF-8" in check_same_failure(tmp_path / "posts.csv", tmp_path / "cache")


def test_rows_of_parquet_are_counted_over_all_parts(tmp_path: Path) -> None:
    names = datasets.ClassLabel(names=["neg", "pos"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    rows = {"text": [f"text {number}" for number in range(11)], "label": [0, 1] * 5 + [-1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "posts.parquet")
    message = check_same_failure(tmp_path / "posts.parquet", tmp_path / "cache")
    assert message.endswith("posts.parquet, row 11, column 'label': unknown label -1; the labels are neg, pos.")


# -- a dev split where there is none ----------------------------------------------------------------------------------


def test_dev_is_drawn_by_a_hash_of_the_text(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    texts = [f"text {number % 150}" for number in range(200)]  # 50 of them twice, far from each other
    path = write(tmp_path / "posts.csv", [{"text": text, "label": i % 3} for i, text in enumerate(texts)])

    def parts(**options: Any) -> dict[str, list[str]]:
        data = load_task_dataset(str(path), streaming=True, cache_dir=tmp_path / "cache", **options)
        return {split: rows["text"][:] for split, rows in data.splits.items()}

    found = parts(dev_fraction=0.3)
    assert sorted(found["train"] + found["dev"]) == sorted(texts)
    assert not set(found["train"]) & set(found["dev"])
    assert 25 < len(set(found["dev"])) < 65  # of 150 texts about 45
    assert f"{len(found['dev'])} of its 200 rows, drawn by a hash of the text with seed 42 and" in caplog.text
    assert parts(dev_fraction=0.3, splits=("dev",)) == {"dev": found["dev"]}
    assert set(parts(dev_fraction=0.1)["dev"]) < set(found["dev"])
    assert parts(dev_fraction=0.3, seed=7)["dev"] != found["dev"]
    # Neither what stands around a text nor the order counts.
    write(path, [{"text": text, "label": i % 3} for i, text in enumerate(texts[150:50:-1])])
    assert set(parts(dev_fraction=0.3)["dev"]) == set(found["dev"]) & set(texts[51:151])


def test_a_dialogue_stays_on_one_side(tmp_path: Path) -> None:
    path = write(tmp_path / "talks.csv", TALKS)
    data = load_task_dataset(str(path), streaming=True, cache_dir=tmp_path / "cache", dev_fraction=0.5)
    train, dev = (set(data.splits[split]["dialogue_id"]) for split in ("train", "dev"))
    assert train and dev and not train & dev and train | dev == {"d0", "d1", "d2", "d3", "d4"}


def test_a_part_without_rows_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.csv", MOODS[:3])
    message = r"posts\.csv: the hash of their texts puts all of its 3 rows in train\. Leave --streaming out"
    with pytest.raises(ValueError, match=message):
        load_task_dataset(str(path), streaming=True, cache_dir=tmp_path / "cache", dev_fraction=0.001)


# -- the files --------------------------------------------------------------------------------------------------------


def test_a_second_call_finds_the_files_and_changed_sources_are_read_anew(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", tmp_path / "data" / "train.csv"
    write(path, MOODS)
    write(tmp_path / "data" / "dev.csv", MOODS)

    def load(**options: Any) -> TaskDataset:
        return load_task_dataset(str(tmp_path / "data"), streaming=True, cache_dir=cache, **options)

    first, files = load(), arrow_files(cache)
    assert len(files) == 2
    again = load()
    assert arrow_files(cache) == files
    assert (again.labels, again.problem_type) == (first.labels, first.problem_type)
    assert again.splits["train"][:] == first.splits["train"][:]
    # The same time and size: the contents count.
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes().replace(b"furious", b"FURIOUS"))
    os.utime(path, ns=times)
    changed = load().splits["train"]["text"][:]
    assert changed == [text.replace("furious", "FURIOUS") for text in first.splits["train"]["text"]]
    # Other columns are other files; so is dev where the labels of train are others.
    assert load(text_column="label").splits["train"]["text"][0] == MOODS[0]["label"]
    write(path, [*MOODS, {"text": "a", "label": "zest"}])
    assert load().labels == [*EMOTIONS, "zest"]


def test_the_same_bytes_are_read_as_what_they_are(both: Callable, tmp_path: Path) -> None:
    """In TSV a quotation mark is a character like any other."""
    for suffix, expected in ((".csv", ["joy", "fear"]), (".tsv", ['"joy"', '"fear"'])):
        path = tmp_path / f"words{suffix}"
        path.write_text('word\n"joy"\n"fear"\n')
        whole, streamed = both(path, splits=("test",), text_column="word", label_columns=["word"])
        assert streamed.splits["test"]["text"][:] == whole.splits["test"]["text"][:] == expected


def test_half_of_what_a_killed_process_wrote_is_not_taken(tmp_path: Path) -> None:
    cache, path = tmp_path / "cache", write(tmp_path / "posts.csv", tiny_run.label_rows(tiny_run.EMOTIONS, 60, 1))

    def load() -> list[dict[str, Any]]:
        data = load_task_dataset(str(path), streaming=True, cache_dir=cache, dev_fraction=0.3)
        return [rows[:] for rows in data.splits.values()]

    expected, names = load(), sorted(arrow_files(cache))
    assert len(names) == 2
    for name in names:
        # Killed after the first of two files had its name, and in the middle of the other.
        half = (cache / name).read_bytes()[:200]
        (cache / name).unlink()
        (cache / f"{name}.unfinished").write_bytes(half)
        assert load() == expected
        assert sorted(arrow_files(cache)) == names


def test_several_at_once_write_one_file(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.csv", tiny_run.label_rows(tiny_run.EMOTIONS, 300, 1))

    def load(_: int) -> dict[str, Any]:
        return load_task_dataset(str(path), streaming=True, cache_dir=tmp_path / "cache").splits["train"][:]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(load, range(4)))
    assert all(rows == found[0] for rows in found)
    assert len(arrow_files(tmp_path / "cache")) == 2
