"""Lists of records in JSON files, which are read a piece at a time."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

import trainers.data.json_list
from trainers.data.json_list import is_json_list, iterate_json_list
from trainers.data.row_check import RowCheck
from trainers.data.tables import read_table, read_tables

RECORDS = [
    {"text": 'a "quoted" \\ [text], {of} \U0001f600 and \u2028', "labels": ["joy", "ärger"], "at": {"id": -1.5e-3}},
    {},
    {"text": "", "flag": None, "of": [[], [{}], [True, False]], "number": 123456789012345678901},
    {"text": "one\ntwo", "half": "\ud83d"},
]


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("layout", [{}, {"indent": 2}, {"ensure_ascii": False, "separators": (",", ":")}])
def test_records_are_those_of_the_json_module(
    tmp_path: Path, piece: int, layout: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers.data.json_list, "PIECE", piece)
    path = tmp_path / "rows.json"
    records = RECORDS[: 3 if layout.get("ensure_ascii") is False else None]
    path.write_text("\ufeff\n " + json.dumps(records, **layout) + "\r\n", encoding="utf-8")
    assert is_json_list(path)
    assert list(iterate_json_list(path, RowCheck())) == list(enumerate(records, start=1))


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.json is empty."),
        (" \n", "rows.json is empty."),
        ("[]", "rows.json is empty: it has no rows."),
        ('[{"a": 1},\n', "line 2: not valid JSON (Expecting value)."),
        ('[{"a": 1},\n]', "line 2: not valid JSON (Expecting value)."),
        ('[\n{"a": 1}\n{"a": 2}]', "line 3: not valid JSON (Expecting ',' delimiter)."),
        ('[\n{"a": 1}', "line 2: not valid JSON (Expecting ',' delimiter)."),
        ('[{"a": 1}]\n\n[]', "line 3: not valid JSON (Extra data)."),
        ('[{"a": 1},\n\n{"b": "c}]', "line 3: not valid JSON (Unterminated string starting at)."),
        ('[{"a": 1},\n{"b": nil}]', "line 2: not valid JSON (Expecting value)."),
        ('[{"a": 1},\n5]', "row 2: expected a JSON object, got '5'."),
        ('"text"', 'expected a list of records, [{"text": ..., "label": ...}, ...], got \'text\'.'),
        (b'[{"a": 1},\n{"b": "\xff"}]', "line 2: not valid UTF-8 (invalid start byte). Save the file as UTF-8."),
    ],
)
def test_faults_are_named(
    tmp_path: Path, content: str | bytes, message: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainers.data.json_list, "PIECE", piece)
    path = tmp_path / "rows.json"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError) as error:
        read_table(path)
    assert message in str(error.value) and str(path) in str(error.value)


def test_a_fault_is_found_without_reading_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers.data.json_list, "LONGEST_RECORD", 5000)
    monkeypatch.setattr(trainers.data.json_list, "PIECE", 100)
    path = tmp_path / "rows.json"
    # Beyond what is read there are bytes that no text has, and that nothing may stumble on.
    for fault, reason in (("nil", "Expecting value"), ('"never closed', "Unterminated string")):
        path.write_bytes(b'[{"text": ' + fault.encode() + b" x" * 50_000 + b"\xff")
        with pytest.raises(ValueError, match=rf"line 1: not valid JSON \({reason}"):
            list(iterate_json_list(path, RowCheck()))


def test_records_that_are_none_are_left_out(tmp_path: Path) -> None:
    path, check = tmp_path / "rows.json", RowCheck("skip")
    path.write_text('[{"text": "a"}, 5, {"text": "b"}, null, {"text": "c"}]')
    tables = list(read_tables(path, 2, check))
    assert [row["text"] for table in tables for row in table.rows] == ["a", "b", "c"]
    assert [table.place(0) for table in tables] == ["row 1", "row 5"]
    assert [(row["row"], row["reason"]) for row in check.report(str(path))] == [
        (2, "expected a JSON object, got '5'."),
        (4, "expected a JSON object, got 'None'."),
    ]


def test_a_long_list_does_not_stand_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainers.data.json_list, "PIECE", 10_000)
    path, peaks = tmp_path / "rows.json", []
    for size in (2_000, 20_000):
        path.write_text(json.dumps([{"text": f"text {number} " * 10} for number in range(size)]))
        tracemalloc.start()
        assert sum(len(table.rows) for table in read_tables(path, 100)) == size
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert path.stat().st_size > 2_000_000 and max(peaks) < 400_000
