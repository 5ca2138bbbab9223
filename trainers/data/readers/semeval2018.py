"""SemEval-2018 Task 1, Affect in Tweets: tab-separated, with a header, quotation marks taken literally."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..lines import read_lines
from ..texts import require_text
from .rows import require_label

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
INTENSITY_EMOTIONS = ("anger", "fear", "joy", "sadness")
VALENCE = ("valence",)


def read_semeval2018_ec(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2018 Task 1 E-c: tab-separated, with a header, quotation marks taken literally.

    Rows without any label are kept: they are "neutral or no emotion" (Mohammad et al., 2018), an all-zero target.

    Args:
        path (`Path`): A file such as `E-c-En-train.txt`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one per emotion in `EMOTIONS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    rows = []
    for number, row in _records(path, ("ID", "Tweet", *EMOTIONS)):
        for emotion in EMOTIONS:
            if row[emotion] not in ("0", "1"):
                raise ValueError(f"{path}, line {number}, column {emotion!r}: expected 0 or 1, got {row[emotion]!r}.")
        text = require_text(row["Tweet"], f"{path}, line {number}, column 'Tweet'")
        rows.append({"id": row["ID"], "text": text, "labels": [float(row[emotion]) for emotion in EMOTIONS]})
    if not rows:
        raise ValueError(f"{path} is empty: it has a header and no rows.")
    return rows


def read_semeval2018_ei_reg(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2018 Task 1 EI-reg: the tweets of one emotion, each with its intensity.

    A tweet in the files of several emotions has the same id in each. Rows whose ID contains `mystery` are not tweets
    of the task but sentences that the organisers added to the test files; they are dropped and counted in a warning.

    Intensities are comparable within a split only: train was annotated in 2017, dev and test in 2018, each by
    best-worst scaling among its own tweets. So 0.6 in train does not mean the same as 0.6 in dev.

    Args:
        path (`Path`): A file such as `EI-reg-En-joy-train.txt`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`), `labels` (`int`, an index of `INTENSITY_EMOTIONS`) and
        `intensity` (`float`, 0 to 1).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    return _scored_rows(path, INTENSITY_EMOTIONS)


def _scored_rows(path: Path, dimensions: tuple[str, ...]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    mystery = 0
    for number, row in _records(path, ("ID", "Tweet", "Affect Dimension", "Intensity Score")):
        if "mystery" in row["ID"]:
            mystery += 1
            continue
        place = f"{path}, line {number}, column"
        label = require_label(row["Affect Dimension"], dimensions, f"{place} 'Affect Dimension'")
        text = require_text(row["Tweet"], f"{place} 'Tweet'")
        intensity = _intensity(row["Intensity Score"], f"{place} 'Intensity Score'")
        rows.append({"id": row["ID"], "text": text, "labels": label, "intensity": intensity})
    if mystery:
        logger.warning("%s: %d rows whose ID contains 'mystery' are dropped.", path, mystery)
    if not rows:
        raise ValueError(f"{path} is empty: it has a header and no rows of tweets.")
    return rows


def read_semeval2018_intensities(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2018 Task 1 EI-reg, as [`read_semeval2018_ei_reg`] does, for regression.

    Args:
        path (`Path`): A file such as `EI-reg-En-joy-train.txt`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one per emotion in
        `INTENSITY_EMOTIONS`: the row's intensity for its own emotion, NaN for the others).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    rows = []
    for row in read_semeval2018_ei_reg(path):
        labels = [math.nan] * len(INTENSITY_EMOTIONS)
        labels[row["labels"]] = row["intensity"]
        rows.append({"id": row["id"], "text": row["text"], "labels": labels})
    return rows


def read_semeval2018_v_reg(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2018 Task 1 V-reg: tweets with their valence, 0 (most negative) to 1 (most positive).

    `mystery` rows and the comparison of splits are as in [`read_semeval2018_ei_reg`].

    Args:
        path (`Path`): A file such as `Valence-reg-En-train.txt`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, the valence).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, a column is missing, or a row is malformed.
    """
    return [{"id": row["id"], "text": row["text"], "labels": [row["intensity"]]} for row in _scored_rows(path, VALENCE)]


def _records(path: Path, names: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row, as its line number and its cells by column."""
    lines = read_lines(path)
    header = lines[0].split("\t")
    missing = [name for name in names if name not in header]
    if missing:
        raise ValueError(f"{path}, line 1: no column {', '.join(missing)}; the columns are {', '.join(header)}.")
    for number, line in enumerate(lines[1:], start=2):
        cells = line.split("\t")
        if len(cells) != len(header):
            raise ValueError(f"{path}, line {number}: {len(cells)} columns, but the header has {len(header)}.")
        yield number, dict(zip(header, cells, strict=True))


def _intensity(value: str, place: str) -> float:
    try:
        intensity = float(value)
    except ValueError:
        intensity = -1.0
    if not 0 <= intensity <= 1:
        raise ValueError(f"{place}: expected an intensity from 0 to 1, got {value!r}.")
    return intensity
