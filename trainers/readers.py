"""One reader for each published file format: a file becomes rows of `id`, `text` and `labels`.

Labels are a multi-hot `list[float]` or a class id, in the order of the tuples below.
"""

import logging
from pathlib import Path
from typing import Any

from .tables import read_json_lines, read_lines, require_text

logger = logging.getLogger(__name__)

EMOTIONS = (
    "anger",
    "anticipation",
    "disgust",
    "fear",
    "joy",
    "love",
    "optimism",
    "pessimism",
    "sadness",
    "surprise",
    "trust",
)
SENTIMENTS = ("negative", "neutral", "positive")


def read_semeval2018_ec(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2018 Task 1 E-c: tab-separated, with a header, quotation marks taken literally.

    Rows without any label are kept: they are "neutral or no emotion" (Mohammad et al., 2018), an all-zero target.

    Args:
        path (`Path`): A file such as `E-c-En-train.txt`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one an emotion of `EMOTIONS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    lines = read_lines(path)
    header = lines[0].split("\t")
    missing = [name for name in ("ID", "Tweet", *EMOTIONS) if name not in header]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {', '.join(header)}.")
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise ValueError(f"{path}, line {number}: {len(cells)} columns, but the header has {len(header)}.")
        row = dict(zip(header, cells, strict=True))
        for emotion in EMOTIONS:
            if row[emotion] not in ("0", "1"):
                raise ValueError(f"{path}, line {number}, column {emotion!r}: expected 0 or 1, got {row[emotion]!r}.")
        text = require_text(row["Tweet"], f"{path}, line {number}, column 'Tweet'")
        rows.append({"id": row["ID"], "text": text, "labels": [float(row[emotion]) for emotion in EMOTIONS]})
    if not rows:
        raise ValueError(f"{path} is empty: it has a header and no rows.")
    return rows


def read_semeval2017_4a(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2017 Task 4 A: id, label and text between tabs, no header, quotation marks literal.

    Empty columns after the text (as in 2016test) are accepted.

    Args:
        path (`Path`): A file such as `twitter-2016train-A.tsv`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`int`, an index of `SENTIMENTS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.rstrip("\t").split("\t", maxsplit=2)
        if len(cells) < 3:
            raise ValueError(f"{path}, line {number}: expected id, label and text between tabs, got {line[:60]!r}.")
        label = _sentiment(cells[1], f"{path}, line {number}, column 2")
        rows.append(
            {"id": cells[0], "text": require_text(cells[2], f"{path}, line {number}, column 3"), "labels": label}
        )
    return rows


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
            if emotion not in EMOTIONS:
                raise ValueError(f"{place}: unknown label {emotion!r}; the labels are {', '.join(EMOTIONS)}.")
            if not isinstance(intensity, int | float) or not 0 < intensity <= 1:
                raise ValueError(f"{place}: the intensity of {emotion} must lie in (0, 1], got {intensity!r}.")
        labels = [float(emotion in row["emotions"]) for emotion in EMOTIONS]
        text = require_text(row["text"], f"{path}, line {number}, column 'text'")
        rows.append({"id": row["id"], "text": text, "labels": labels})
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
        label = _sentiment(row["sentiment"], f"{path}, line {number}, column 'sentiment'")
        rows.append({"id": row["id"], "text": text, "labels": label})
    return rows


def drop_conflicting_ids(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Drop the rows of each id that carries different labels, where the rows of several files are joined.

    Repetitions with the same label are kept. What is dropped is counted in a warning.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels`.
        source (`str`): What the warning calls them.

    Returns:
        `list[dict]`, the rows that are left, in order.
    """
    labels: dict[str, Any] = {}
    conflicting = {row["id"] for row in rows if labels.setdefault(row["id"], row["labels"]) != row["labels"]}
    kept = [row for row in rows if row["id"] not in conflicting]
    if conflicting:
        logger.warning(
            "%s: %d ids carry conflicting labels; their %d rows are dropped.",
            source,
            len(conflicting),
            len(rows) - len(kept),
        )
    return kept


def _sentiment(value: Any, place: str) -> int:
    if value not in SENTIMENTS:
        raise ValueError(f"{place}: unknown label {value!r}; the labels are {', '.join(SENTIMENTS)}.")
    return SENTIMENTS.index(value)


def _require_keys(row: dict[str, Any], names: tuple[str, ...], place: str) -> None:
    missing = [name for name in names if name not in row]
    if missing:
        raise ValueError(f"{place}: no column {', '.join(missing)}; the columns are {', '.join(row)}.")
