"""Records of CSV files, read strictly, with errors that say where a quotation mark is amiss."""

import csv
from collections.abc import Iterator
from pathlib import Path

from .lines import iterate_lines
from .row_check import RowCheck

# Far more than a text has, and still less than memory: a quotation mark that is never closed would swallow all of a
# large file.
_LONGEST_CELL = 100_000_000


def csv_records(path: Path, check: RowCheck) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV file, each with the line that it starts on.

    Args:
        path (`Path`): The file.
        check ([`RowCheck`]): Told of lines that are not valid CSV.

    Raises:
        ValueError: If a quotation mark is never closed, or closed some lines further down where none should be.
    """
    undecodable = "surrogateescape" if check.skips_bad_rows else "strict"
    reader = csv.reader((line + "\n" for line in iterate_lines(path, undecodable)), strict=True)
    while True:
        start = reader.line_num + 1
        try:
            record = _next_record(reader)
        except csv.Error as error:
            refused = _explained(path, start, reader.line_num, error)
            if reader.line_num > start:  # Leaving this out would leave out rows that are valid.
                raise refused from error
            check.refuse(refused, str(path), f"line {start}")
            continue
        if record is None:
            return
        yield start, record


def _next_record(reader: Iterator[list[str]]) -> list[str] | None:
    # The limit holds for the whole process, in which others may rely on theirs.
    limit = csv.field_size_limit(_LONGEST_CELL)
    try:
        return next(reader, None)
    finally:
        csv.field_size_limit(limit)


def _explained(path: Path, start: int, end: int, error: csv.Error) -> ValueError:
    if end > start:
        return ValueError(
            f"{path}, line {start}: not valid CSV: a quotation mark opens a cell there that runs on to line {end} "
            f'({error}). Close the cell, or double the mark ("") if it belongs to the text.'
        )
    return ValueError(
        f"{path}, line {start}: not valid CSV ({error}). Put texts with quotation marks in quotation marks, and double "
        'those inside ("").'
    )
