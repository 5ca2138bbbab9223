"""The format of Sentiment140, as tiny files with invented texts, with its traps."""

from pathlib import Path

import pytest

from trainers.data.readers import read_sentiment140


def test_a_tweet_a_line_and_the_class_is_the_name_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "positive.txt").write_bytes(b'on time \n"home" &amp; dry\r\n')
    (tmp_path / "negative.txt").write_bytes(b" late\tagain  \n")
    assert read_sentiment140(tmp_path / "positive.txt") == [
        {"id": "on time", "text": "on time", "labels": 1},
        {"id": '"home" &amp; dry', "text": '"home" &amp; dry', "labels": 1},
    ]
    assert read_sentiment140(tmp_path / "negative.txt") == [{"id": "late\tagain", "text": "late\tagain", "labels": 0}]


def test_empty_lines_are_dropped_and_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "positive.txt"
    path.write_bytes(b"one\n\n  \ntwo\n\n\n")
    assert [row["text"] for row in read_sentiment140(path)] == ["one", "two"]
    assert [record.getMessage() for record in caplog.records] == [f"{path}: 2 empty lines are dropped."]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("♫ café".encode().decode("latin-1"), "♫ café"),
        ("â?« lost", "â?« lost"),  # a byte is gone: not certain, so left as it is
        ("café ♫", "café ♫"),  # right as it is
        ("olá", "olá"),
        ("I\ufffdm".encode().decode("latin-1"), "I m"),
        ("I\ufffdm", "I m"),
    ],
)
def test_wrongly_decoded_texts_are_mended(tmp_path: Path, written: str, text: str) -> None:
    path = tmp_path / "negative.txt"
    path.write_text(written + "\n", encoding="utf-8")
    assert [row["text"] for row in read_sentiment140(path)] == [text]


def test_other_names_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tweets.txt"
    path.write_text("on time\n")
    with pytest.raises(ValueError, match=r"tweets\.txt: the class is the name of the file: unknown label 'tweets'"):
        read_sentiment140(path)
