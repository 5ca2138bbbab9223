"""Shared by the readers: checks of single values, and joining the rows of several files."""

import logging
import math
import re
from collections.abc import Sequence
from typing import Any

logger = logging.getLogger(__name__)


def require_label(value: Any, labels: Sequence[str], place: str) -> int:
    """The class id of a label; `place` says where it is, for the error message."""
    if value not in labels:
        raise ValueError(f"{place}: unknown label {value!r}; the labels are {', '.join(labels)}.")
    return labels.index(value)


def unquote(text: str) -> str | None:
    """A CSV-quoted text without its quotes, doubled quotation marks undone; `None` if it is not quoted."""
    if re.fullmatch(r'"(?:[^"]|"")*"', text) is None:
        return None
    return text[1:-1].replace('""', '"')


def drop_conflicting_ids(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Drop all rows of an id whose rows, from several files, have different labels.

    Repetitions with the same labels are kept. Dropped rows are counted in a warning.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels`.
        source (`str`): What the warning calls them.

    Returns:
        `list[dict]`: The remaining rows, in order.
    """
    labels: dict[str, Any] = {}
    conflicting = {row["id"] for row in rows if labels.setdefault(row["id"], row["labels"]) != row["labels"]}
    kept = [row for row in rows if row["id"] not in conflicting]
    if conflicting:
        logger.warning(
            "%s: %d ids have conflicting labels; their %d rows are dropped.",
            source,
            len(conflicting),
            len(rows) - len(kept),
        )
    return kept


def join_scores(rows: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Merge the rows of each id into one, each of which has some of its scores.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels` (`list[float]`, NaN where there is no score).
        source (`str`): What error messages call them.

    Returns:
        `list[dict]`, in the order in which the ids first occur.

    Raises:
        ValueError: If the rows of an id have different texts, or two scores for one label.
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
                raise ValueError(
                    f"{source}: the id {row['id']} has two scores for the same label: {known} and {value}."
                )
            first["labels"][index] = value
    return list(joined.values())


def drop_repetitions(rows: list[dict[str, Any]], column: str, source: str) -> list[dict[str, Any]]:
    """Keep the first of several rows with the same labels and the same value in a column.

    Dropped rows are counted in a warning.

    Args:
        rows (`list[dict]`): Rows of `id`, `text` and `labels`.
        column (`str`): `"id"` or `"text"`.
        source (`str`): What the warning calls them.

    Returns:
        `list[dict]`: The remaining rows, in order.
    """
    first: dict[tuple[str, str], dict[str, Any]] = {}
    for row in rows:
        first.setdefault((row[column], repr(row["labels"])), row)
    if len(first) < len(rows):
        logger.warning(
            "%s: %d rows repeat the %s of another; they are dropped.", source, len(rows) - len(first), column
        )
    return list(first.values())
