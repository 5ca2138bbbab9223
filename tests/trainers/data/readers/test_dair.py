import logging
from pathlib import Path

import pytest

from trainers.data.readers import DAIR_EMOTIONS, read_dair_emotion


def write(path: Path, *lines: str) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_texts_and_class_ids(tmp_path: Path) -> None:
    path = write(tmp_path / "train.txt", "i feel calm;joy", "i feel torn; somehow;sadness", "what a shock;surprise")
    assert read_dair_emotion(path) == [
        {"id": "1", "text": "i feel calm", "labels": 1},
        {"id": "2", "text": "i feel torn; somehow", "labels": 0},
        {"id": "3", "text": "what a shock", "labels": 5},
    ]
    # The order of the class ids on the Hub.
    assert DAIR_EMOTIONS == ("sadness", "joy", "love", "anger", "fear", "surprise")


def test_empty_lines_are_no_rows(tmp_path: Path) -> None:
    """The published validation file begins with one."""
    rows = read_dair_emotion(write(tmp_path / "val.txt", "", "i feel calm;joy", "", "i feel low;sadness"))
    assert [(row["id"], row["labels"]) for row in rows] == [("2", 1), ("4", 0)]


def test_texts_with_two_labels_are_counted_and_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "train.txt", "i feel odd;joy", "i feel odd;fear", "i feel fine;joy", "i feel fine;joy")
    with caplog.at_level(logging.WARNING):
        assert len(read_dair_emotion(path)) == 4
    assert [record.getMessage() for record in caplog.records] == [
        f"{path}: 1 texts stand there with more than one label; their rows are kept."
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("i feel nothing", "line 2: expected text and label around a semicolon, got 'i feel nothing'"),
        ("i feel it;hate", "line 2, column 2: unknown label 'hate'; the labels are sadness, joy"),
        (";joy", "line 2, column 1"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_dair_emotion(write(tmp_path / "train.txt", "i feel calm;joy", line))
