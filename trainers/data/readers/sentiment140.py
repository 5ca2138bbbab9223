"""Sentiment140: tweets classified by the emoticon they contained; one file per class, one tweet per line."""

import contextlib
import logging
from pathlib import Path
from typing import Any

from ..lines import read_lines
from .rows import require_label
from .semeval2017 import POLARITIES

logger = logging.getLogger(__name__)


def read_sentiment140(path: Path) -> list[dict[str, Any]]:
    """Read `positive.txt` or `negative.txt`: one tweet per line; the file name is the class.

    The publishers removed the emoticons; the spaces they left are stripped. Texts decoded with the wrong encoding
    (`â\\x99«` for `♫`) are repaired where that is certain. The placeholder for lost characters becomes a space: it
    occurs in one class only and would give the class away. Empty lines are dropped and counted in a warning.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`int`, an index of `POLARITIES`). The files have
        no ids, so the text serves as one: a tweet in both files is an id with conflicting labels.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or has another name.
    """
    lines = read_lines(path)
    label = require_label(path.stem, POLARITIES, f"{path}: the class is the name of the file")
    texts = [text for line in lines if (text := _mend(line).strip())]
    if len(texts) < len(lines):
        logger.warning("%s: %d empty lines are dropped.", path, len(lines) - len(texts))
    return [{"id": text, "text": text, "labels": label} for text in texts]


def _mend(text: str) -> str:
    # UTF-8 read as Latin-1. Bytes of any other origin are hardly ever valid UTF-8.
    with contextlib.suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return text.replace("\ufffd", " ")
