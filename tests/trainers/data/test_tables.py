"""Tables read some rows at a time are those that are read whole, with the same lines in what they say."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest

from trainers.data.lines import read_lines
from trainers.data.tables import Table, read_table, read_tables

ROWS = [{"text": f"text {number}", "label": ("joy", "fear")[number % 2]} for number in range(10)]


def write(path: Path, rows: list[dict[str, Any]] = ROWS) -> Path:
    if path.suffix == ".parquet":
        datasets.Dataset.from_list(rows).to_parquet(path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        comma = "," if path.suffix == ".csv" else "\t"
        lines = [comma.join(rows[0]), *(comma.join(row.values()) for row in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_parts_are_the_whole(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"posts{suffix}")
    whole, parts = read_table(path), list(read_tables(path, 4))
    assert [len(part.rows) for part in parts] == [4, 4, 2]
    assert [row for part in parts for row in part.rows] == whole.rows == ROWS
    assert [part.start for part in parts] == [0, 4, 8]
    assert [part.first for part in parts] == [None, ROWS[0], ROWS[0]]
    for part in parts:
        assert (part.source, part.columns, part.features) == (whole.source, whole.columns, whole.features)
    assert parts[1].where(2, "label") == whole.where(6, "label")
    expected = {".csv": "line 8", ".tsv": "line 8", ".jsonl": "line 7", ".parquet": "row 7"}
    assert parts[1].where(2, "label") == f"{path}, {expected[suffix]}, column 'label'"


def test_a_quoted_text_of_many_lines_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes('\ufefftext,label\r\n"one\r\ntwo\n\nfour",joy\r\nb,joy\r\nc,fear\r\n\r\n\n'.encode())
    parts = list(read_tables(path, 2))
    assert [row["text"] for part in parts for row in part.rows] == ["one\ntwo\n\nfour", "b", "c"]
    assert [part.lines for part in parts] == [[2, 6], [7]]


def test_columns_are_those_of_all_json_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "posts.jsonl", [*ROWS[:3], {"text": "late", "mood": "calm"}])
    assert [part.columns for part in read_tables(path, 2)] == [["text", "label", "mood"]] * 2


def test_empty_lines_count_in_the_middle_and_not_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes("\ufeffa\r\n\n\r\nb\u2028c\n\r\n\n".encode())
    assert read_lines(path) == ["a", "", "", "b\u2028c"]
    for content in (b"", b"\n\r\n", "\ufeff\n".encode()):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"lines\.txt is empty\."):
            read_lines(path)


@pytest.mark.parametrize("spoilt", [b"caf\xe9\n", b"caf\xc3", b"\xff\xfe\n"], ids=["latin", "cut", "utf-16"])
def test_wrong_encoding_names_the_line_however_late(spoilt: bytes, tmp_path: Path) -> None:
    path = tmp_path / "posts.tsv"
    path.write_bytes(b"text\tlabel\n" + b"a\tjoy\n" * 9 + spoilt)
    with pytest.raises(ValueError, match=r"posts\.tsv, line 11: not valid UTF-8 \(.*\)\. Save the file as UTF-8"):
        read_lines(path)
    parts = read_tables(path, 4)
    assert [len(next(parts).rows) for _ in range(2)] == [4, 4]
    with pytest.raises(ValueError, match=r"posts\.tsv, line 11: not valid UTF-8"):
        next(parts)


def test_reading_in_parts_does_not_wait_for_the_end(tmp_path: Path) -> None:
    """The rows before a fault are there already: it has not been read yet."""
    path = tmp_path / "posts.csv"
    path.write_text("text,label\n" + "a,joy\n" * 5 + "b\n")
    parts = read_tables(path, 5)
    assert isinstance(next(parts), Table)
    with pytest.raises(ValueError, match=r"posts\.csv, line 7: 1 columns, but the header has 2"):
        next(parts)
