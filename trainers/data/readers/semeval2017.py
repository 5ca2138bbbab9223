"""SemEval-2017 Task 4, Sentiment Analysis in Twitter: tab-separated, without a header.

The files were written in different ways. Those of 2013 to 2015 and 2016test are quoted as in CSV: a text that begins
with a quotation mark ends with one, and those inside are doubled. In the other 2016 files quotation marks are literal.
Some of 2013 and 2015 contain `\\u2019`, `\\u002c` and `\\"` in place of the characters.
"""

import logging
import re
from pathlib import Path
from typing import Any

from ..lines import read_lines
from ..texts import require_text
from .rows import require_label, unquote

logger = logging.getLogger(__name__)

SENTIMENTS = ("negative", "neutral", "positive")
POLARITIES = ("negative", "positive")
_OFF_SCALE = ("neutral", "off topic")
# The date of a tweet, such as `Wed Jul 29 12:01:22 +0000 2015`.
_DATE = r"\t\w{3} \w{3} \d\d \d\d:\d\d:\d\d \+0000 \d{4}$"


def read_semeval2017_4a(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2017 Task 4 A: id, label and text between tabs, no header.

    Quotation marks are literal, except in a file where every text that begins with one is quoted as in CSV. The empty
    column or date after the text in 2016test is accepted and not returned.

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
        cells = _without_extra_columns(line).split("\t", maxsplit=2)
        if len(cells) < 3:
            raise ValueError(f"{path}, line {number}: expected id, label and text between tabs, got {line[:60]!r}.")
        label = require_label(cells[1], SENTIMENTS, f"{path}, line {number}, column 2")
        text = require_text(cells[2], f"{path}, line {number}, column 3")
        rows.append({"id": cells[0], "text": text, "labels": label})
    return _plain_texts(rows)


def read_semeval2017_4b(path: Path) -> list[dict[str, Any]]:
    """Read a file of SemEval-2017 Task 4 B and D: id, topic, label and text between tabs, no header.

    The sentiment is towards the topic, on two points: rows that are "neutral" (2015) or "off topic" are dropped and
    counted in a warning. So are rows that lack the label or the text; one that lacks only the topic is read.
    Quotation marks and columns after the text are as in [`read_semeval2017_4a`].

    Args:
        path (`Path`): A file such as `twitter-2016train-BD.tsv`.

    Returns:
        `list[dict]` with `id` (`str`), `text` (`str`) and `labels` (`int`, an index of `POLARITIES`). A tweet
        with several topics has one row per topic, all with the same id.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, has a label that is none of the task, or is of another format.
    """
    lines = read_lines(path)
    rows: list[dict[str, Any]] = []
    other = 0
    lacking: list[int] = []
    for number, line in enumerate(lines, start=1):
        cells = _without_extra_columns(line).split("\t", maxsplit=3)
        if len(cells) == 3 and cells[1] in (*POLARITIES, *_OFF_SCALE):
            cells.insert(1, "")
        if len(cells) < 4:
            lacking.append(number)
            continue
        if cells[2] in _OFF_SCALE:
            other += 1
            continue
        label = require_label(cells[2], POLARITIES, f"{path}, line {number}, column 3")
        text = require_text(cells[3], f"{path}, line {number}, column 4")
        rows.append({"id": cells[0], "text": text, "labels": label})
    if len(lacking) > len(lines) / 2:
        raise ValueError(
            f"{path}, line {lacking[0]}: expected id, topic, label and text between tabs, got "
            f"{lines[lacking[0] - 1][:60]!r}, and {len(lacking)} of the {len(lines)} lines lack a column. "
            "Is it a file of subtask B and D?"
        )
    if lacking:
        logger.warning(
            "%s: %d rows lack a column, the first on line %d; they are dropped.", path, len(lacking), lacking[0]
        )
    if other:
        logger.warning("%s: %d rows that are neutral or off topic are dropped.", path, other)
    return _plain_texts(rows)


def _without_extra_columns(line: str) -> str:
    return re.sub(_DATE, "", line.rstrip("\t")).rstrip("\t")


def _plain_texts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with their texts as posted."""
    plain = [unquote(row["text"]) for row in rows]
    # Decided per file: a single text may be a quotation from beginning to end.
    literal = any(inner is None for row, inner in zip(rows, plain, strict=True) if row["text"].startswith('"'))
    for row, inner in zip(rows, plain, strict=True):
        text = row["text"] if literal or inner is None or not inner.strip() else inner
        # In runs, since a character beyond the first 65,536 is written as two escapes.
        text = re.sub(r"(?:\\u[0-9a-fA-F]{4})+", lambda run: _decode(run[0]), text)
        row["text"] = text.replace('\\"', '"')
    return rows


def _decode(escapes: str) -> str:
    return bytes.fromhex(escapes.replace("\\u", "")).decode("utf-16-be", errors="replace")
