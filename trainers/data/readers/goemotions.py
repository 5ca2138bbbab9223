"""GoEmotions: Reddit comments with 27 emotions and neutral."""

from pathlib import Path
from typing import Any

from ..lines import read_lines
from ..texts import require_text
from .rows import unquote

# In the order of labels.txt.
GOEMOTIONS = (
    "admiration",
    "amusement",
    "anger",
    "annoyance",
    "approval",
    "caring",
    "confusion",
    "curiosity",
    "desire",
    "disappointment",
    "disapproval",
    "disgust",
    "embarrassment",
    "excitement",
    "fear",
    "gratitude",
    "grief",
    "joy",
    "love",
    "nervousness",
    "optimism",
    "pride",
    "realization",
    "relief",
    "remorse",
    "sadness",
    "surprise",
    "neutral",
)


def read_goemotions(path: Path) -> list[dict[str, Any]]:
    """Read a file of GoEmotions: text, label ids between commas and id between tabs, no header.

    Texts with quotation marks are quoted as in CSV. "neutral" is a label like any other and may occur beside them.

    Args:
        path (`Path`): A file such as `train.tsv`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`list[float]`, one per label of `GOEMOTIONS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        cells = line.split("\t")
        if len(cells) != 3:
            raise ValueError(f"{path}, line {number}: expected text, label ids and id between tabs, got {line[:60]!r}.")
        inner = unquote(cells[0])
        text = require_text(cells[0] if inner is None else inner, f"{path}, line {number}, column 1")
        present = {_label_id(value, f"{path}, line {number}, column 2") for value in cells[1].split(",")}
        labels = [float(label in present) for label in range(len(GOEMOTIONS))]
        rows.append({"id": cells[2], "text": text, "labels": labels})
    return rows


def _label_id(value: str, place: str) -> int:
    if not (value.isascii() and value.isdigit()) or int(value) >= len(GOEMOTIONS):
        raise ValueError(f"{place}: expected label ids from 0 to {len(GOEMOTIONS) - 1} between commas, got {value!r}.")
    return int(value)
