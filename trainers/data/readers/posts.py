"""The bundled corpus: JSON Lines."""

import math
from pathlib import Path
from typing import Any

from ..json_records import read_json_lines
from ..texts import require_text
from .rows import require_label
from .semeval2017 import SENTIMENTS
from .semeval2018 import EMOTIONS, INTENSITY_EMOTIONS


def read_emotion_posts(path: Path) -> list[dict[str, Any]]:
    """Read the emotion part of the bundled corpus: JSON Lines of `id`, `text`, `emotions` and `valence`.

    An emotion is a label where `emotions` lists it; its intensity, in (0, 1], is checked and not returned.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one an emotion of `EMOTIONS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    for number, row in enumerate(read_json_lines(path), start=1):
        _require_keys(row, ("id", "text", "emotions"), f"{path}, line {number}")
        place = f"{path}, line {number}, column 'emotions'"
        if not isinstance(row["emotions"], dict):
            raise ValueError(f"{place}: expected emotions with their intensities, got {row['emotions']!r}.")
        for emotion, intensity in row["emotions"].items():
            require_label(emotion, EMOTIONS, place)
            if not isinstance(intensity, int | float) or not 0 < intensity <= 1:
                raise ValueError(f"{place}: the intensity of {emotion} must lie in (0, 1], got {intensity!r}.")
        labels = [float(emotion in row["emotions"]) for emotion in EMOTIONS]
        text = require_text(row["text"], f"{path}, line {number}, column 'text'")
        rows.append({"id": row["id"], "text": text, "labels": labels})
    return rows


def read_intensity_posts(path: Path) -> list[dict[str, Any]]:
    """Read the intensities of the emotions from the emotion part of the bundled corpus.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one an emotion of
        `INTENSITY_EMOTIONS`, NaN where the post does not show it); posts with none of them are left out.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    read_emotion_posts(path)  # for its checks
    rows = [
        {
            "id": row["id"],
            "text": row["text"],
            "labels": [float(row["emotions"].get(emotion, math.nan)) for emotion in INTENSITY_EMOTIONS],
        }
        for row in read_json_lines(path)
    ]
    return [row for row in rows if not all(map(math.isnan, row["labels"]))]


def read_valence_posts(path: Path) -> list[dict[str, Any]]:
    """Read the valence from the emotion part of the bundled corpus.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, the valence, 0 to 1).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    for number, row in enumerate(read_json_lines(path), start=1):
        _require_keys(row, ("id", "text", "valence"), f"{path}, line {number}")
        text = require_text(row["text"], f"{path}, line {number}, column 'text'")
        valence = row["valence"]
        if not isinstance(valence, int | float) or not 0 <= valence <= 1:
            raise ValueError(
                f"{path}, line {number}, column 'valence': expected a number from 0 to 1, got {valence!r}."
            )
        rows.append({"id": row["id"], "text": text, "labels": [float(valence)]})
    return rows


def read_sentiment_posts(path: Path) -> list[dict[str, Any]]:
    """Read the sentiment part of the bundled corpus: JSON Lines of `id`, `text` and `sentiment`.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`int`, an index of `SENTIMENTS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    for number, row in enumerate(read_json_lines(path), start=1):
        _require_keys(row, ("id", "text", "sentiment"), f"{path}, line {number}")
        text = require_text(row["text"], f"{path}, line {number}, column 'text'")
        label = require_label(row["sentiment"], SENTIMENTS, f"{path}, line {number}, column 'sentiment'")
        rows.append({"id": row["id"], "text": text, "labels": label})
    return rows


def _require_keys(row: dict[str, Any], names: tuple[str, ...], place: str) -> None:
    missing = [name for name in names if name not in row]
    if missing:
        raise ValueError(f"{place}: no column {', '.join(missing)}; the columns are {', '.join(row)}.")
