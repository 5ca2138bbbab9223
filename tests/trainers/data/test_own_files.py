"""Files as people have them: compressed, saved by other libraries, with blank lines and rows that are not valid."""

import gzip
import json
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pandas as pd
import pytest

from trainers.data.task_dataset import TaskDataset, load_task_dataset, load_texts

ROWS = [{"text": f"text {number}", "label": ("joy", "fear")[number % 2]} for number in range(20)]
CSV = "text,label\n" + "".join(f"{row['text']},{row['label']}\n" for row in ROWS)
JSON_LINES = "".join(json.dumps(row) + "\n" for row in ROWS)


def texts_of(data: TaskDataset) -> dict[str, str]:
    """The label of each text, over all splits."""
    return {row["text"]: data.labels[row["labels"]] for split in data.splits.values() for row in split}


EXPECTED = {row["text"]: row["label"] for row in ROWS}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("posts.csv.gz", CSV),
        ("posts.TSV.gz", CSV.replace(",", "\t")),
        ("posts.jsonl.gz", JSON_LINES),
        ("posts.json", json.dumps(ROWS)),
        ("posts.json", json.dumps(ROWS, indent=2)),
        ("posts.json", JSON_LINES),
        ("posts.json.gz", json.dumps(ROWS)),
        ("posts.csv", CSV.replace("text 3,", "\n\ntext 3,") + ",\n,\n"),
        ("posts.tsv", CSV.replace(",", "\t").replace("text 3\t", "\n  \ntext 3\t")),
        ("posts.jsonl", JSON_LINES.replace("\n", "\n\n") + "  \n"),
    ],
)
def test_files_of_all_kinds(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
    data = load_task_dataset(path)
    assert data.name == "posts"
    assert texts_of(data) == EXPECTED


def test_a_folder_of_compressed_files(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv.gz").write_bytes(gzip.compress(CSV.encode()))
    assert texts_of(load_task_dataset(tmp_path)) == EXPECTED
    (tmp_path / "dev.csv.gz").write_bytes(gzip.compress(CSV.encode())[:-20])
    with pytest.raises(ValueError, match=r"dev\.csv\.gz is not a complete gzip file"):
        load_task_dataset(tmp_path)


@pytest.mark.parametrize("several", [False, True])
def test_folders_of_save_to_disk(tmp_path: Path, several: bool) -> None:
    rows = datasets.Dataset.from_list(ROWS)
    saved = datasets.DatasetDict(train=rows, validation=rows) if several else rows
    saved.save_to_disk(str(tmp_path / "saved"))
    data = load_task_dataset(tmp_path / "saved")
    assert data.name == "saved" and texts_of(data) == EXPECTED
    assert len(data.splits["train"]) == (20 if several else 18)
    (tmp_path / "saved" / ("dataset_dict.json" if several else "state.json")).write_text("{}")
    with pytest.raises(ValueError, match="saved looks like a folder of save_to_disk, but could not be loaded"):
        load_task_dataset(tmp_path / "saved")


def test_a_test_split_alone(tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text(CSV)
    for name in (tmp_path, {"test": ROWS}):
        data = load_task_dataset(name, splits=("test",))
        assert texts_of(data) == EXPECTED
    with pytest.raises(FileNotFoundError, match="has no train split"):
        load_task_dataset(tmp_path)
    with pytest.raises(ValueError, match="has no split train, dev; it has test"):
        load_task_dataset({"test": ROWS})


@pytest.mark.parametrize("suffix", ["csv", "tsv"])
def test_a_long_cell(tmp_path: Path, suffix: str) -> None:
    text = "word " * 30_000
    comma = "," if suffix == "csv" else "\t"
    path = tmp_path / f"posts.{suffix}"
    path.write_text(CSV.replace(",", comma) + f"{text}{comma}joy\n")
    assert texts_of(load_task_dataset(path)) == EXPECTED | {text: "joy"}


# -- rows that are left out --------------------------------------------------------------------------------------------

BAD_LINES = b"""short
text,label
"open" x,joy
 ,joy
caf\xe9,joy
y,
"""


def test_rows_that_are_left_out_are_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(CSV.encode() + BAD_LINES)
    for _ in range(2):  # the second time from the cache
        caplog.clear()
        data = load_task_dataset(path, bad_rows="skip", unlabelled_rows="skip")
        assert texts_of(data) == EXPECTED
        assert [(row["file"], row["line"]) for row in data.skipped] == [(str(path), line) for line in range(22, 28)]
        reasons = ["1 columns", "the header again", "not valid CSV", "non-empty text", "cannot be encoded", "no label"]
        assert all(part in row["reason"] for part, row in zip(reasons, data.skipped, strict=True))
        assert data.skipped[3]["reason"] == "column 'text': expected a non-empty text, got ' '."
        assert any("6 rows are left out, first line 22: 1 columns" in record.getMessage() for record in caplog.records)
    with pytest.raises(ValueError, match=r"1 row has no label \(line 27\)"):
        load_task_dataset(path, bad_rows="skip")


def test_json_rows_that_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    bad = ['{"text": ', "[1]", '{"text": "half \\ud83d", "label": "joy"}', '{"text": "a", "label": 0.5}']
    path.write_text(JSON_LINES + "\n".join(bad))
    data = load_task_dataset(path, bad_rows="skip")
    assert texts_of(data) == EXPECTED
    assert [row["line"] for row in data.skipped] == [21, 22, 23, 24]
    (tmp_path / "unlabelled.txt").write_bytes(b"one\n\xff\xfe\ntwo")
    texts = load_texts(tmp_path / "unlabelled.txt", bad_rows="skip")
    assert texts.splits["train"]["text"][:] == ["one", "two"] and texts.skipped[0]["line"] == 2


def test_labels_of_dev_that_train_lacks_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(CSV)
    (tmp_path / "dev.csv").write_text(CSV + "late,zest\n")
    data = load_task_dataset(tmp_path, bad_rows="skip")
    assert len(data.splits["dev"]) == 20
    assert data.skipped[0]["line"] == 22 and "label 'zest' does not occur in train" in data.skipped[0]["reason"]


# Strings of pandas itself cannot hold lone surrogates either.
@pytest.mark.parametrize("kind", [list, lambda rows: pd.DataFrame(rows, dtype=object)], ids=["list", "frame"])
def test_rows_in_memory_that_cannot_be_encoded(kind: Any) -> None:
    rows = [*ROWS[:5], {"text": "half \ud83d", "label": "joy"}, *ROWS[5:], {"text": " ", "label": "joy"}]
    with pytest.raises(ValueError, match=r"your own data \(train\), row 6, column 'text': '\\ud83d' at character 6"):
        load_task_dataset(kind(rows))
    data = load_task_dataset(kind(rows), bad_rows="skip")
    assert texts_of(data) == EXPECTED
    assert [row["row"] for row in data.skipped] == [6, 22]
    with pytest.raises(ValueError, match=r"row 1, column 'label': '\\udfff' at character 1"):
        load_task_dataset(kind([{"text": "a", "label": "\udfff"}]))


def test_unlabelled_rows_are_counted_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    names = ["joy", "fear"]
    numbers = "".join(json.dumps({"text": f"n {i}", "label": i % 2}) + "\n" for i in range(9))
    path.write_text(numbers + '{"text": "a", "label": -1}\n' * 3 + '{"text": "b", "label": null}\n{"text": "c"}\n')
    with pytest.raises(ValueError, match=r"posts\.jsonl: 5 rows have no label \(line 10, line 11, line 12, \.\.\.\)"):
        load_task_dataset(path, label_names=names)
    data = load_task_dataset(path, label_names=names, unlabelled_rows="skip")
    assert len(data.skipped) == 5 and set(texts_of(data)) == {f"n {i}" for i in range(9)}
    # Without names, -1 is a label like any other.
    assert load_task_dataset(path, unlabelled_rows="skip").labels == ["-1", "0", "1"]


def test_minus_one_is_no_label_in_multi_label_data(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("text,joy,fear\n" + "".join(f"a {i},{i % 2},1\n" for i in range(9)) + "b,-1,-1\nc,1,-1.0\n")
    with pytest.raises(ValueError, match="2 rows have no label"):
        load_task_dataset(path, label_columns=["joy", "fear"])
    data = load_task_dataset(path, label_columns=["joy", "fear"], unlabelled_rows="skip")
    assert [row["line"] for row in data.skipped] == [11, 12]


# -- dialogues ---------------------------------------------------------------------------------------------------------


def test_dialogues_with_columns_and_ids_as_pandas_leaves_them() -> None:
    frame = pd.DataFrame(ROWS)
    frame["talk"] = [number // 5 for number in range(20)]
    frame["turn"] = [float(number % 5) for number in range(20)]
    frame["who"] = [float(number % 2) for number in range(20)]
    data = load_task_dataset(
        {"train": frame, "dev": frame.astype({"turn": str})}, dialogue_columns=["talk", "turn", "who"]
    )
    for split in data.splits.values():
        assert split[7] == {"text": "text 7", "labels": 0, "dialogue_id": "1", "utterance_id": 2, "speaker": "1"}
    with pytest.raises(ValueError, match="has no column talks, named in dialogue_columns; its columns are text"):
        load_task_dataset(frame, dialogue_columns=["talks"])
    with pytest.raises(ValueError, match=r"row 1, column 'text': expected a whole number, got 'text 0'"):
        load_task_dataset(frame, dialogue_columns=["talk", "text"])


@pytest.mark.parametrize("several", [False, True])
def test_unlabelled_utterances_as_context(several: bool, tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{**row, "dialogue_id": number // 4} for number, row in enumerate(ROWS)]
    columns = ["joy", "fear"] if several else None
    for row in rows:
        row |= {name: int(row["label"] == name) for name in columns or ()}
    rows[6] |= dict.fromkeys(columns, -1) if columns else {"label": None}
    path = tmp_path / "talks.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    data = load_task_dataset(path, label_columns=columns, unlabelled_rows="context", dev_fraction=0.3)
    found = {row["text"]: row["labels"] for split in data.splits.values() for row in split}
    assert len(found) == 20 and not data.skipped
    assert np.isnan(found["text 6"]).all() if several else found["text 6"] == -100
    assert sum(len(data.labelled_targets(split)) for split in data.splits) == 19
    assert sum(len(data.targets(split)) for split in data.splits) == 20
    with pytest.raises(ValueError, match="context is for utterances in dialogues"):
        load_task_dataset([{**ROWS[0], "label": None}, *ROWS], unlabelled_rows="context")
