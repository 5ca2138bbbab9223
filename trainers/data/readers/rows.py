"""What the readers share: the checks of one value, and what goes where the rows of several files are joined."""

import logging
import math
import re
from collections.abc import Sequence
from typing import Any

logger = logging.getLogger(__name__)


def require_label(value: Any, labels: Sequence[str], place: str) -> int:
    """The class id of a label; `place` is where it stands, for the error message."""
    if value not in labels:
        raise ValueError(f"{place}: unknown label {value!r}; the labels are {', '.join(labels)}.")
    return labels.index(value)


def unquote(text: str) -> str | None:
    """The text inside of a CSV quoted one, with its doubled quotation marks single; `None` where it is not quoted."""
    if re.fullmatch(r'"(?:[^"]|"")*"', text) is None:
        return None
    return text[1:-1].replace('""', '"')


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


def join_scores(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Make one row of the rows of an id, each of which has some of its scores.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels` (`list[float]`, NaN where there is no score).
        source (`str`): What error messages call them.

    Returns:
        `list[dict]`, in the order in which the ids come first.

    Raises:
        ValueError: If the rows of an id have different texts, or different scores of the same thing.
    """
    joined: dict[str, dict[str, Any]] = {}
    for row in rows:
        first = joined.setdefault(row["id"], {**row, "labels": list(row["labels"])})
        if first["text"] != row["text"]:
            raise ValueError(f"{source}: the id {row['id']} has two texts: {first['text']!r} and {row['text']!r}.")
        for index, value in enumerate(row["labels"]):
            if math.isnan(value):
                continue
            known = first["labels"][index]
            if not math.isnan(known) and known != value:
                raise ValueError(f"{source}: the id {row['id']} has two scores of the same: {known} and {value}.")
            first["labels"][index] = value
    return list(joined.values())


def drop_repetitions(rows: list[dict[str, Any]], column: str, source: str) -> list[dict[str, Any]]:
    """Keep the first of the rows that have the same value in a column and the same labels.

    What is dropped is counted in a warning.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels`.
        column (`str`): `"id"` or `"text"`.
        source (`str`): What the warning calls them.

    Returns:
        `list[dict]`, the rows that are left, in order.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first.setdefault((row[column], repr(row["labels"])), row)
    if len(first) < len(rows):
        logger.warning(
            "%s: %d rows repeat the %s of another; they are dropped.", source, len(rows) - len(first), column
        )
    return list(first.values())
