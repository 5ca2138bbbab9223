"""The emotion data of Saravia et al. (2018): short English texts with one of six emotions."""

import logging
from pathlib import Path
from typing import Any

from ..lines import read_lines
from ..texts import require_text
from .rows import require_label

logger = logging.getLogger(__name__)

# In the order of the class ids on the Hub.
DAIR_EMOTIONS = ("sadness", "joy", "love", "anger", "fear", "surprise")


def read_dair_emotion(path: Path) -> list[dict[str, Any]]:
    """Read a file of `text;label` lines, without a header.

    Empty lines are skipped: the published `val.txt` begins with one. Some texts occur twice with
    different labels. They are kept, so that results are comparable with published ones; a warning counts them.

    Args:
        path (`Path`): A file such as `train.txt`.

    Returns:
        `list[dict]` with `id` (`str`, the line number: the files have no ids), `text` (`str`) and `labels` (`int`, an
        index of `DAIR_EMOTIONS`).

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a row is malformed.
    """
    rows = []
    labels: dict[str, set[int]] = {}
    for number, line in enumerate(read_lines(path), start=1):
        if not line:
            continue
        text, semicolon, label = line.rpartition(";")
        if not semicolon:
            raise ValueError(f"{path}, line {number}: expected text and label around a semicolon, got {line[:60]!r}.")
        text = require_text(text, f"{path}, line {number}, column 1")
        class_id = require_label(label, DAIR_EMOTIONS, f"{path}, line {number}, column 2")
        labels.setdefault(text, set()).add(class_id)
        rows.append({"id": str(number), "text": text, "labels": class_id})
    ambiguous = sum(len(found) > 1 for found in labels.values())
    if ambiguous:
        logger.warning("%s: %d texts stand there with more than one label; their rows are kept.", path, ambiguous)
    return rows
