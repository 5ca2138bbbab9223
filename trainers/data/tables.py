"""Tables in CSV, TSV, JSON Lines, Parquet and text files; each row knows its line number."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

# How many rows are in memory at a time.
BATCH_SIZE = 10_000


@dataclass(frozen=True)
class Table:
    """
    Rows of a file or of a split on the Hub: all of them, or a run of consecutive ones.

    Args:
        source (`str`): Name for error messages, such as the path of the file.
        columns (`list[str]`): Names of the columns.
        rows (`list[dict[str, Any]]`): The rows, by column name.
        lines (`list[int]`, *optional*): Line that each row starts on. Without them, rows are counted from 1.
        features (`datasets.Features`, *optional*): Types of the columns, if the source declares them.
        start (`int`, defaults to 0): Number of rows of the source before these.
        first (`dict[str, Any]`, *optional*): The first row of the source, if it is not among these.
    """

    source: str
    columns: list[str]
    rows: list[dict[str, Any]]
    lines: list[int] | None = None
    features: datasets.Features | None = None
    start: int = 0
    first: dict[str, Any] | None = None

    def where(self, index: int, column: str) -> str:
        """Location of a value, for error messages."""
        place = f"line {self.lines[index]}" if self.lines else f"row {self.start + index + 1}"
        return f"{self.source}, {place}, column {column!r}"


def iterate_lines(path: Path) -> Iterator[str]:
    """Lines of a UTF-8 text file, without line ends (LF or CRLF), byte order mark and empty lines at the end.

    Args:
        path (`Path`): The file.

    Yields:
        `str`, at least once.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8; the message names the line.
    """
    require_file(path)
    empty, blank = True, 0
    with path.open("rb") as file:
        # Read as bytes, lines end at LF only, not at characters inside texts such as U+2028.
        for number, data in enumerate(file, start=1):
            try:
                line = data.decode("utf-8")
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path}, line {number}: not valid UTF-8 ({error.reason}). Save the file as UTF-8."
                ) from error
            line = (line.removeprefix("\ufeff") if number == 1 else line).removesuffix("\n").removesuffix("\r")
            if not line:
                blank += 1
                continue
            # Empty lines count only if something follows.
            yield from repeat("", blank)
            yield line
            empty, blank = False, 0
    if empty:
        raise ValueError(f"{path} is empty.")


def read_lines(path: Path) -> list[str]:
    """What [`iterate_lines`] gives, as a list."""
    return list(iterate_lines(path))


def read_table(path: Path) -> Table:
    """Read a .csv, .tsv, .jsonl, .parquet or .txt file.

    CSV is read with its quoting rules; in TSV a quotation mark is a character like any other, as in the files of shared
    tasks. No types are guessed: values of CSV and TSV are strings. A .txt file has one text per line, and no labels.

    Args:
        path (`Path`): The file.

    Returns:
        `Table`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, or the file is empty or malformed.
    """
    (table,) = read_tables(path)
    return table


def read_tables(path: Path, size: int | None = None) -> Iterator[Table]:
    """Read a file as [`read_table`] does, some rows at a time.

    Args:
        path (`Path`): The file.
        size (`int`, *optional*): Maximum number of rows per table; by default all rows are in one.

    Yields:
        `Table`, at least once.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: unknown file type {path.suffix!r}; use one of {', '.join(TABLE_SUFFIXES)}.")
    empty = True
    for table in reader(path, size):
        empty = False
        yield table
    if empty:
        raise ValueError(f"{path} is empty: it has no rows.")


def divide(
    source: str,
    columns: list[str],
    rows: Iterable[tuple[int | None, dict[str, Any]]],
    size: int | None,
    features: datasets.Features | None = None,
) -> Iterator[Table]:
    """Tables of at most `size` rows each, or a single table of all rows; none if there are no rows.

    Args:
        source (`str`): As in [`Table`], and so are `columns` and `features`.
        rows (`Iterable[tuple[int | None, dict[str, Any]]]`): All rows, each with its line number, or `None` if
            there are no lines.
        size (`int`, *optional*): Maximum number of rows per table.
    """
    rows = iter(rows)
    start, first = 0, None
    while part := list(islice(rows, size)):
        lines = [line for line, _ in part if line is not None]
        table = Table(source, columns, [row for _, row in part], lines or None, features, start, first)
        yield table
        first = table.rows[0] if first is None else first
        start += len(part)


def _read_csv(path: Path, size: int | None) -> Iterator[Table]:
    return _from_records(path, _csv_records(path), size)


def _csv_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader((line + "\n" for line in iterate_lines(path)), strict=True)
    start = 1
    try:
        for record in reader:
            yield start, record
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {start}: not valid CSV ({error}). Texts with quotes must be quoted.") from error


def _read_tsv(path: Path, size: int | None) -> Iterator[Table]:
    return _from_records(path, enumerate((line.split("\t") for line in iterate_lines(path)), start=1), size)


def _from_records(path: Path, records: Iterator[tuple[int, list[str]]], size: int | None) -> Iterator[Table]:
    _, header = next(records)
    if len(set(header)) < len(header):
        raise ValueError(f"{path}, line 1: a column name occurs twice in the header {', '.join(header)}.")

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for line, record in records:
            if len(record) != len(header):
                raise ValueError(f"{path}, line {line}: {len(record)} columns, but the header has {len(header)}.")
            yield line, dict(zip(header, record, strict=True))

    return divide(str(path), header, rows(), size)


def _read_txt(path: Path, size: int | None) -> Iterator[Table]:
    rows = ({"text": line} for line in iterate_lines(path))
    return divide(str(path), ["text"], enumerate(rows, start=1), size)


def _read_jsonl(path: Path, size: int | None) -> Iterator[Table]:
    # Any row may introduce a new column.
    columns = list(dict.fromkeys(key for row in _json_objects(path, iterate_lines(path)) for key in row))
    return divide(str(path), columns, enumerate(_json_objects(path, iterate_lines(path)), start=1), size)


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, one per line.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict[str, Any]]`; object `i` is on line `i + 1`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a line is not a JSON object.
    """
    return list(_json_objects(path, read_lines(path)))


def _json_objects(path: Path, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: not valid JSON ({error.msg}).") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: expected a JSON object, got {line[:40]!r}.")
        yield row


def require_file(path: Path) -> None:
    """Raise a `FileNotFoundError` if there is no such file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")


def require_text(value: Any, place: str) -> str:
    """Return a value that must be a non-blank text. `place` says where it is, for the error message."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: expected a non-empty text, got {value!r}.")
    return value


def _read_parquet(path: Path, size: int | None) -> Iterator[Table]:
    require_file(path)
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            # Parquet files written by datasets include the features, and with them the class names.
            declared = b"huggingface" in (schema.metadata or {})
            features = datasets.Features.from_arrow_schema(schema) if declared else None
            batches = file.iter_batches(BATCH_SIZE if size is None else size)
            rows = ((None, row) for batch in batches for row in batch.to_pylist())
            yield from divide(str(path), schema.names, rows, size, features)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is not a valid Parquet file ({error}).") from error


_READERS: dict[str, Callable[[Path, int | None], Iterator[Table]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
    ".txt": _read_txt,
}
TABLE_SUFFIXES = tuple(_READERS)
