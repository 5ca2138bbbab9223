"""The rows to score, read some thousand at a time; those that cannot be scored come with the reason."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..data import RowCheck, Source, require_encodable, require_text

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TextRow:
    """
    A row to score.

    Args:
        id (`Any`): What stands in the column of ids, or the number of the row, from 1.
        text (`str`): The text.
        source (`str`): The file or split that it is from.
        place (`str`): Where it stands in there, such as `"line 4"`.
    """

    id: Any
    text: str
    source: str
    place: str


@dataclass(frozen=True)
class BadRow:
    """
    A row that cannot be scored.

    Args:
        source (`str`): The file or split that it is from.
        place (`str`): Where it stands in there, such as `"line 4"`.
        id (`str`): Its id, if it has one.
        reason (`str`): Why it cannot be scored.
    """

    source: str
    place: str
    id: str
    reason: str


def read_rows(
    sources: Iterable[Source], text_column: str | None = None, id_column: str | None = None
) -> Iterator[TextRow | BadRow]:
    """The rows of sources, in their order; only some thousand of them are in memory at once.

    Args:
        sources (`Iterable[Source]`): Where to read.
        text_column (`str`, *optional*): The column of the texts; `text` by default.
        id_column (`str`, *optional*): The column of the ids. By default rows are numbered from 1, over all sources;
            lines that are no rows at all, such as broken JSON, are not counted.

    Raises:
        FileNotFoundError: If a file is missing.
        ValueError: If a source has no such column, or cannot be read on, such as a damaged archive.
    """
    text_column, number = text_column or "text", 0
    for source in sources:
        check = RowCheck("skip")
        for table in source.tables(check):
            for option, column in (("--text_column", text_column), ("--id_column", id_column)):
                if column is not None and column not in table.columns:
                    raise ValueError(
                        f"{table.source} has no column {column!r}; it has {', '.join(table.columns)}. Name one of "
                        f"these with {option}."
                    )
            yield from _broken(check)
            for index, row in enumerate(table.rows):
                number += 1
                found = number if id_column is None else row.get(id_column)
                yield _checked(table.source, table.place(index), found, row.get(text_column), text_column, id_column)
        yield from _broken(check)


def read_texts(
    sources: Iterable[Source], text_column: str | None = None, id_column: str | None = None
) -> tuple[list[Any], list[str]]:
    """All ids and texts of sources, as [`read_rows`] has them; rows that cannot be scored are left out with a warning.

    Raises:
        ValueError: If no row is left.
    """
    rows, bad = list[TextRow](), list[BadRow]()
    for row in read_rows(sources, text_column, id_column):
        if isinstance(row, TextRow):
            rows.append(row)
        else:
            bad.append(row)
    if bad:
        first = f"{bad[0].source}, {bad[0].place}: {bad[0].reason}"
        if not rows:
            raise ValueError(f"There is no text: all {len(bad)} rows are bad. {first}")
        logger.warning("%d rows are left out, the first of them: %s", len(bad), first)
    if not rows:
        raise ValueError("There is no text: there are no rows.")
    return [row.id for row in rows], [row.text for row in rows]


def _broken(check: RowCheck) -> Iterator[BadRow]:
    """The rows that could not be read since the last call."""
    for (source, place), reason in check.skipped.items():
        yield BadRow(source, place, "", reason)
    check.skipped.clear()


def _checked(
    source: str, place: str, found: Any, text: Any, text_column: str, id_column: str | None
) -> TextRow | BadRow:
    if id_column is not None:
        if found is None or found == "" or found != found:
            return BadRow(source, place, "", f"column {id_column!r}: there is no id.")
        try:
            require_encodable(str(found), f"column {id_column!r}")
        except ValueError as error:
            return BadRow(source, place, "", str(error))
    try:
        return TextRow(found, require_text(text, f"column {text_column!r}"), source, place)
    except ValueError as error:
        return BadRow(source, place, str(found), str(error))


__all__ = ["BadRow", "TextRow", "read_rows", "read_texts"]
