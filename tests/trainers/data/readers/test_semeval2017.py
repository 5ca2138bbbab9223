"""The formats of SemEval-2017 Task 4, as tiny files with invented texts, with their traps."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from trainers.data.readers import read_semeval2017_4a, read_semeval2017_4b


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8", newline="")
    return path


def four_a(path: Path, *texts: str) -> list[str]:
    lines = [f"{number}\tneutral\t{text}" for number, text in enumerate(texts)]
    return [row["text"] for row in read_semeval2017_4a(write(path, *lines))]


def four_b(path: Path, *texts: str) -> list[str]:
    lines = [f"{number}\tbus\tpositive\t{text}" for number, text in enumerate(texts)]
    return [row["text"] for row in read_semeval2017_4b(write(path, *lines))]


def test_4a_accepts_what_follows_the_text(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.tsv",
        "11\tnegative\tlate again\t",
        "12\tpositive\ton time\t\t",
        "13\tneutral\ta train",
        "14\tneutral\tanother\tWed Jul 29 12:01:22 +0000 2015",
    )
    assert read_semeval2017_4a(path) == [
        {"id": "11", "text": "late again", "labels": 0},
        {"id": "12", "text": "on time", "labels": 2},
        {"id": "13", "text": "a train", "labels": 1},
        {"id": "14", "text": "another", "labels": 1},
    ]


def test_windows_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"1\tneutral\tone\r\n2\tpositive\ttwo\r\n")
    assert [row["text"] for row in read_semeval2017_4a(tmp_path / "a.tsv")] == ["one", "two"]


@pytest.mark.parametrize("texts", [four_a, four_b])
class TestTexts:
    @pytest.mark.parametrize("text", ['"quoted from the start', 'she said "no" and left"', 'it\'s "5\'4""'])
    def test_quotation_marks_are_part_of_the_text(
        self, tmp_path: Path, texts: Callable[..., list[str]], text: str
    ) -> None:
        assert texts(tmp_path / "a.tsv", text, "another") == [text, "another"]

    def test_a_file_that_quotes_as_csv_does(self, tmp_path: Path, texts: Callable[..., list[str]]) -> None:
        written = ['"one, two"', '"she said ""no"""', 'she "left"', '"""No!"" she said"']
        plain = ["one, two", 'she said "no"', 'she "left"', '"No!" she said']
        assert texts(tmp_path / "a.tsv", *written) == plain

    def test_one_text_that_is_not_quoted_as_csv_makes_all_literal(
        self, tmp_path: Path, texts: Callable[..., list[str]]
    ) -> None:
        written = ['"From end to end."', '"No!" she said', 'a ""double']
        assert texts(tmp_path / "a.tsv", *written) == written

    def test_escapes_become_characters(self, tmp_path: Path, texts: Callable[..., list[str]]) -> None:
        written = [r"it\u2019s late\u002c again", r'"\""Ha\"" \ud83d\ude00"', r"=\ \o/ \u12", r"half \ud83d"]
        plain = ["it’s late, again", '"Ha" 😀', r"=\ \o/ \u12", "half \ufffd"]
        assert texts(tmp_path / "a.tsv", *written) == plain


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2\tmixed\tso so", r"a\.tsv, line 2, column 2: unknown label 'mixed'; the labels are negative, neutral"),
        ("2\tneutral", r"a\.tsv, line 2: expected id, label and text"),
        ("2\tneutral\t\t", r"a\.tsv, line 2: expected id, label and text"),
        ("2\tneutral\t \t", r"a\.tsv, line 2, column 3: expected a non-empty text"),
    ],
)
def test_malformed_4a(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_semeval2017_4a(write(tmp_path / "a.tsv", "1\tneutral\tfine", line, "3\tneutral\tfine"))


# -- subtasks B and D ---


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


def test_4b_has_two_classes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(
        tmp_path / "b.tsv",
        "1\tthe bus\tpositive\ton time\t",
        "2\tthe bus\tneutral\ta bus\t",
        "3\tthe bus\toff topic\ta tram",
        "4\tthe bus\tnegative\tlate",
    )
    assert read_semeval2017_4b(path) == [
        {"id": "1", "text": "on time", "labels": 1},
        {"id": "4", "text": "late", "labels": 0},
    ]
    assert messages(caplog) == [f"{path}: 2 rows that are neutral or off topic are dropped."]


def test_4b_rows_that_lack_a_column(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(
        tmp_path / "b.tsv",
        "1\tbus\tpositive\tfine",
        "2\tpositive\tno topic",
        "3\tbus\tnegative",  # no text
        "4\tbus\tno label",
        "5\tbus\tnegative\tlate",
    )
    rows: list[dict[str, Any]] = read_semeval2017_4b(path)
    assert [(row["id"], row["text"], row["labels"]) for row in rows] == [
        ("1", "fine", 1),
        ("2", "no topic", 1),
        ("5", "late", 0),
    ]
    assert messages(caplog) == [f"{path}: 2 rows lack a column, the first on line 3; they are dropped."]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1\tbus\tmixed\tso so"], r"b\.tsv, line 1, column 3: unknown label 'mixed'; the labels are negative, posi"),
        (["1\tbus\tpositive\tx", "2\tbus\t2\tfive points"], r"b\.tsv, line 2, column 3: unknown label '2'"),
        (["1\tbus\tpositive\t \t"], r"b\.tsv, line 1, column 4: expected a non-empty text"),
        (
            ["1\tbus\tpositive\tx", "2,bus,positive,x", "3,bus,positive,x"],
            r"b\.tsv, line 2: expected id, topic, label and text between tabs, got '2,bus.*2 of the 3 lines lack a col",
        ),
    ],
)
def test_malformed_4b(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_semeval2017_4b(write(tmp_path / "b.tsv", *lines))
