"""The bundled corpus' format."""

import json
from pathlib import Path
from typing import Any

import pytest

from trainers.data.readers import EMOTIONS, read_emotion_posts, read_sentiment_posts


def json_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_emotion_posts(tmp_path: Path) -> None:
    path = json_lines(
        tmp_path / "train.jsonl",
        {"id": "e1", "text": "home at last", "emotions": {"joy": 0.8, "trust": 0.1}, "valence": 0.9},
        {"id": "e2", "text": "line\nbreak", "emotions": {}, "valence": 0.5},
    )
    first, second = read_emotion_posts(path)
    assert [label for label, bit in zip(EMOTIONS, first["labels"], strict=True) if bit] == ["joy", "trust"]
    assert second == {"id": "e2", "text": "line\nbreak", "labels": [0.0] * 11}


def test_sentiment_posts(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "dev.jsonl", {"id": "s1", "text": "meh", "sentiment": "negative"})
    assert read_sentiment_posts(path) == [{"id": "s1", "text": "meh", "labels": 0}]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"id": "e1", "text": "x", "emotions": {"envy": 0.5}}, "unknown label 'envy'; the labels are anger"),
        ({"id": "e1", "text": "x", "emotions": {"joy": 1.5}}, r"intensity of joy must lie in \(0, 1\], got 1.5"),
        ({"id": "e1", "text": "x", "emotions": {"joy": "high"}}, r"intensity of joy must lie in \(0, 1\], got 'high'"),
        ({"id": "e1", "text": "x", "emotions": ["joy"]}, "expected emotions with their intensities"),
        ({"id": "e1", "text": "", "emotions": {}}, "column 'text': expected a non-empty text"),
        ({"id": "e1", "post": "x", "emotions": {}}, "no column text; the columns are id, post, emotions"),
        ([1, 2], "expected a JSON object"),
    ],
)
def test_malformed_emotion_posts(tmp_path: Path, row: Any, message: str) -> None:
    path = json_lines(tmp_path / "train.jsonl", {"id": "e0", "text": "fine", "emotions": {}}, row)
    with pytest.raises(ValueError, match=r"train\.jsonl, line 2.*" + message):
        read_emotion_posts(path)


def test_malformed_sentiment_posts(tmp_path: Path) -> None:
    path = json_lines(tmp_path / "dev.jsonl", {"id": "s1", "text": "x", "sentiment": "Positive"})
    with pytest.raises(ValueError, match=r"dev\.jsonl, line 1, column 'sentiment': unknown label 'Positive'"):
        read_sentiment_posts(path)
    path.write_text('{"id": "s1", "text": \n')
    with pytest.raises(ValueError, match=r"dev\.jsonl, line 1: not valid JSON"):
        read_sentiment_posts(path)
