"""The format of GoEmotions, as tiny files with invented texts, with its traps."""

from pathlib import Path

import pytest

from trainers.data.readers import GOEMOTIONS, read_goemotions


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_several_label_ids_between_commas(tmp_path: Path) -> None:
    path = write(tmp_path / "train.tsv", "The bus is here.\t17,23,27\tabc", "The bus.\t0\tabd")
    first, second = read_goemotions(path)
    assert (first["id"], first["text"]) == ("abc", "The bus is here.")
    assert len(first["labels"]) == len(GOEMOTIONS) == 28
    assert [name for name, bit in zip(GOEMOTIONS, first["labels"], strict=True) if bit] == ["joy", "relief", "neutral"]
    assert second["labels"] == [1.0] + [0.0] * 27


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('"She said ""no"" and left."', 'She said "no" and left.'),
        ('"""No!"""', '"No!"'),
        ('"a"" b"', 'a" b'),
        ("it's 5'4\"", "it's 5'4\""),
        ('"From" here "to" there', '"From" here "to" there'),
        ('"', '"'),
    ],
)
def test_texts_are_quoted_as_csv_quotes(tmp_path: Path, written: str, text: str) -> None:
    path = write(tmp_path / "train.tsv", f"{written}\t27\tabc", "The bus.\t0\tabd")
    assert [row["text"] for row in read_goemotions(path)] == [text, "The bus."]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("text\t28\tabc", r"line 2, column 2: expected label ids from 0 to 27 between commas, got '28'"),
        ("text\t1,-1\tabc", r"line 2, column 2: expected label ids from 0 to 27 between commas, got '-1'"),
        ("text\tjoy\tabc", r"line 2, column 2: expected label ids.*, got 'joy'"),
        ("text\t\tabc", r"line 2, column 2: expected label ids.*, got ''"),
        ("text\t1", r"line 2: expected text, label ids and id between tabs, got 'text\\t1'"),
        ("a\ttext\t1\tabc", r"line 2: expected text, label ids and id between tabs"),
        ('""\t1\tabc', r"line 2, column 1: expected a non-empty text"),
    ],
)
def test_malformed(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ValueError, match=r"train\.tsv, " + message):
        read_goemotions(write(tmp_path / "train.tsv", "The bus.\t0\tabd", line))
