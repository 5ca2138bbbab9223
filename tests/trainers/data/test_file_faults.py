"""Faults in data files are named, wherever in a file they are."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

import trainers.data.sources
from tests.helpers import tiny_run
from trainers.data.task_dataset import load_task_dataset


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few rows at a time that even these files are read in several parts."""
    monkeypatch.setattr(trainers.data.sources, "BATCH_SIZE", 4)


GOOD_CSV = "text,label\n" + "".join(f"text {number},{('joy', 'fear')[number % 2]}\n" for number in range(14))
GOOD_JSON = "".join(json.dumps({"text": f"text {number}", "label": number % 2}) + "\n" for number in range(14))
GOOD_LISTS = GOOD_JSON.replace('"label": 0', '"label": ["a"]').replace('"label": 1', '"label": []')
# By fault: the ending and the content of the file, options, and what the message begins with.
FAULTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "nothing": ("csv", "", {}, "posts.csv is empty."),
    "header": ("csv", "text,label\n", {}, "posts.csv is empty: it has no rows."),
    "unknown-suffix": ("xlsx", GOOD_CSV, {}, "posts.xlsx: unknown file type '.xlsx'; use one of .csv,"),
    "no-parquet": ("parquet", GOOD_CSV, {}, "posts.parquet is not a valid Parquet file"),
    "no-text-column": (
        "csv",
        GOOD_CSV,
        {"text_column": "post"},
        "posts.csv has no column post; its columns are text, label.",
    ),
    "no-label-column": (
        "csv",
        GOOD_CSV,
        {"label_columns": ["mood"]},
        "posts.csv has no column mood; its columns are text, label.",
    ),
    "two-label-columns": (
        "csv",
        "text,label,labels\na,b,c\n",
        {},
        "posts.csv has a column label and a column labels: choose one in label_columns.",
    ),
    "column-twice": (
        "csv",
        "text,label,text\na,b,c\n",
        {},
        "posts.csv, line 1: a column name occurs twice in the header",
    ),
    "short-row": (
        "csv",
        GOOD_CSV + '"two\nlines",joy\nshort\n',
        {},
        "posts.csv, line 18: 1 columns, but the header has 2.",
    ),
    "quotes": ("csv", GOOD_CSV + '"open,joy\nb,joy\n', {}, "posts.csv, line 16: not valid CSV"),
    "blank-text": (
        "csv",
        GOOD_CSV + " ,joy\n",
        {},
        "posts.csv, line 16, column 'text': expected a non-empty text, got ' '.",
    ),
    "no-label": (
        "csv",
        GOOD_CSV + "b,\n",
        {},
        "posts.csv: 1 row has no label (line 16). Label them, or leave them out with --unlabelled_rows skip.",
    ),
    "all-alike": (
        "csv",
        GOOD_CSV.replace("fear", "joy"),
        {},
        "posts: all 13 rows of train have the label joy; there is nothing to learn.",
    ),
    "one-text": (
        "csv",
        "text,label\n" + "a,joy\na,fear\n" * 5,
        {},
        "posts.csv holds 1 different texts: too few to split a dev split off.",
    ),
    "no-test-split": ("csv", GOOD_CSV, {"splits": ("train", "test")}, "posts has no split test; it has train, dev."),
    "not-0-or-1": (
        "csv",
        "text,joy,fear\n" + "a,0,1\n" * 9 + "b,2,0\n",
        {"label_columns": ["joy", "fear"]},
        "posts.csv, line 11, column 'joy': expected 0 or 1, got '2'.",
    ),
    "no-score": (
        "csv",
        "text,score\n" + "a,0.5\n" * 9 + "b,high\n",
        {"regression": True},
        "posts.csv, line 11, column 'score': expected a number",
    ),
    "equal-scores": (
        "csv",
        "text,score\n" + "".join(f"text {i},0.5\n" for i in range(30)),
        {"regression": True},
        "posts: the rows of train have no two different scores of score.",
    ),
    "tsv": (
        "tsv",
        GOOD_CSV.replace(",", "\t") + "a\tb\tc\n",
        {},
        "posts.tsv, line 16: 3 columns, but the header has 2.",
    ),
    "late-text": (
        "jsonl",
        GOOD_JSON + '{"text": 5, "label": 1}\n',
        {},
        "posts.jsonl, line 15, column 'text': expected a non-empty text, got 5.",
    ),
    "late-no-label": (
        "jsonl",
        GOOD_JSON + '{"text": "a"}\n',
        {},
        "posts.jsonl: 1 row has no label (line 15).",
    ),
    "no-text-for-long": (
        "jsonl",
        GOOD_JSON.replace('"text"', '"post"') + '{"text": "a", "label": 1}\n',
        {},
        "posts.jsonl, line 1, column 'text': expected a non-empty text, got None.",
    ),
    "late-bad-label": (
        "jsonl",
        GOOD_JSON + '{"text": "a", "label": 0.5}\n',
        {},
        "posts.jsonl, line 15, column 'label': expected a label, a string or an integer, got 0.5.",
    ),
    "late-list": (
        "jsonl",
        GOOD_JSON + "".join('{"text": "a", "label": ["x"]}\n' for _ in range(6)),
        {},
        "posts.jsonl, line 15, column 'label': ['x'], but other rows of the column have 0",
    ),
    "late-no-list": (
        "jsonl",
        GOOD_LISTS + '{"text": "a", "label": "a"}\n',
        {},
        "posts.jsonl, line 15, column 'label': 'a', but other rows of the column have ['a']",
    ),
    "late-list-of-numbers": (
        "jsonl",
        GOOD_LISTS + '{"text": "a", "label": [0, 1]}\n',
        {},
        "posts.jsonl, line 15, column 'label': a list must hold label names, got [0, 1].",
    ),
    "late-after-blank-line": (
        "jsonl",
        GOOD_JSON + '\n{"text": "a", "label": 1\n',
        {},
        "posts.jsonl, line 16: not valid JSON",
    ),
    "header-again": (
        "csv",
        GOOD_CSV + GOOD_CSV,
        {},
        "posts.csv, line 16: the header again, as where two files were joined. Delete the line,",
    ),
    "quote-never-closed": (
        "csv",
        GOOD_CSV.replace("text 3", '"text 3'),
        {},
        "posts.csv, line 5: not valid CSV: a quotation mark opens a cell there that runs on to line 15",
    ),
    "quote-closed-too-late": (
        "csv",
        GOOD_CSV.replace("text 3", '"text 3').replace("text 9", '"text 9"'),
        {"bad_rows": "skip"},
        "posts.csv, line 5: not valid CSV: a quotation mark opens a cell there that runs on to line 11",
    ),
    "half-an-emoji": (
        "jsonl",
        GOOD_JSON + json.dumps({"text": "so glad \ud83d", "label": 1}) + "\n",
        {},
        "posts.jsonl, line 15, column 'text': '\\ud83d' at character 9 cannot be encoded in UTF-8",
    ),
    "half-an-emoji-in-a-label": (
        "jsonl",
        GOOD_LISTS + json.dumps({"text": "so glad", "label": ["a", "\ud83d"]}) + "\n",
        {},
        "posts.jsonl, line 15, column 'label': '\\ud83d' at character 1 cannot be encoded in UTF-8",
    ),
    "no-list-of-records": (
        "json",
        '{"text": {"0": "a"}, "label": {"0": "b"}}',
        {},
        'posts.json: expected a list of records, [{"text": ..., "label": ...}, ...], got an object. From pandas,',
    ),
    "no-record": ("json", '[{"text": "a", "label": 1}, 5]', {}, "posts.json, row 2: expected a JSON object, got '5'."),
    "no-json": ("json", '[{"text": "a"},\n', {}, "posts.json, line 2: not valid JSON"),
    "no-gzip": ("csv.gz", GOOD_CSV, {}, "posts.csv.gz is not a complete gzip file"),
    "unknown-choice": ("csv", GOOD_CSV, {"bad_rows": "drop"}, "--bad_rows must be error or skip, got 'drop'."),
    "all-skipped": (
        "csv",
        "text,label\n" + ",joy\n" * 3,
        {"bad_rows": "skip"},
        "posts.csv: no row has a label.",
    ),
    "all-skipped-scores": (
        "csv",
        "text,score\n" + ",1\n" * 3,
        {"bad_rows": "skip", "regression": True},
        "posts.csv: all rows are left out, the first of them because: column 'text': expected a non-empty text",
    ),
    "late-no-object": ("jsonl", GOOD_JSON + "[1]\n", {}, "posts.jsonl, line 15: expected a JSON object, got '[1]'."),
    "late-json": ("jsonl", GOOD_JSON + '{"text": "a"\n', {}, "posts.jsonl, line 15: not valid JSON"),
    "late-column": (
        "jsonl",
        GOOD_JSON + '{"text": "a", "label": 1, "dialogue_id": "d1"}\n',
        {},
        "posts.jsonl, line 1, column 'dialogue_id': expected a non-empty text, got None.",
    ),
    "late-speaker": (
        "csv",
        GOOD_CSV.replace(",", ",d1,").replace("d1,label", "dialogue_id,label") + "b,,joy\n",
        {},
        "posts.csv, line 16, column 'dialogue_id': expected a non-empty text, got ''.",
    ),
}


def failure(name: Path, kind: type[Exception] = ValueError, **options: Any) -> str:
    with pytest.raises(kind) as error:
        load_task_dataset(str(name), **options)
    return str(error.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_named(fault: str, tmp_path: Path) -> None:
    suffix, content, options, message = FAULTS[fault]
    path = tmp_path / f"posts.{suffix}"
    path.write_text(content, encoding="utf-8")
    found = failure(path, cache_dir=tmp_path / "cache", **options)
    assert found.removeprefix(f"{tmp_path}/").startswith(message)
    # What was not written to its end is gone.
    assert not list((tmp_path / "cache").glob("*.unfinished"))


def test_faults_in_dev_are_named(tmp_path: Path) -> None:
    data = tmp_path / "data"
    moods = tiny_run.label_rows(tiny_run.EMOTIONS, 23, 1)
    tiny_run.write_csv(data / "train.csv", moods)
    assert "has no dev split" in failure(data, FileNotFoundError)
    tiny_run.write_csv(data / "dev.csv", [*moods[:9], {"text": "a", "label": "zest"}])
    assert "dev.csv, line 11" in failure(data)
    (data / "dev.csv").unlink()
    tiny_run.write_jsonl(data / "dev.jsonl", [{"text": "a", "label": ["joy"]}])
    assert "makes it multi_label" in failure(data)
    tiny_run.write_csv(data / "val.csv", moods)
    assert "more than one dev split" in failure(data)
    assert "gone.csv does not exist" in failure(tmp_path / "gone.csv", FileNotFoundError)


def test_wrong_encoding_in_a_later_part(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes(GOOD_CSV.encode() + b"caf\xe9,joy\n")
    assert "line 16: not valid UTF-8" in failure(tmp_path / "posts.csv")


def test_rows_of_parquet_are_counted_over_all_parts(tmp_path: Path) -> None:
    names = datasets.ClassLabel(names=["neg", "pos"])
    features = datasets.Features({"text": datasets.Value("string"), "label": names})
    rows = {"text": [f"text {number}" for number in range(11)], "label": [0, 1] * 5 + [-1]}
    datasets.Dataset.from_dict(rows, features=features).to_parquet(tmp_path / "posts.parquet")
    message = failure(tmp_path / "posts.parquet")
    assert message.endswith(
        "posts.parquet: 1 row has no label (row 11). Label them, or leave them out with --unlabelled_rows skip."
    )


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text(GOOD_CSV)
    message = failure(path, OSError, cache_dir=path / "cache")
    assert "posts.csv/cache, where texts are cached, cannot be written" in message and "HF_DATASETS_CACHE" in message
