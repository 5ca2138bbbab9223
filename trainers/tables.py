"""Tables of one's own data: CSV, TSV, JSON Lines and Parquet files, each row with the line it stands on."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Table:
    """
    Rows of one file or of one split on the Hub.

    Args:
        source (`str`): What error messages call it, such as the path of the file.
        columns (`list[str]`): Names of the columns.
        rows (`list[dict[str, Any]]`): The rows, by column name.
        lines (`list[int]`, *optional*): Line each row starts on. Without them, rows are counted from 1.
        features (`datasets.Features`, *optional*): Types of the columns, where the source declares them.
    """

    source: str
    columns: list[str]
    rows: list[dict[str, Any]]
    lines: list[int] | None = None
    features: datasets.Features | None = None

    def where(self, index: int, column: str) -> str:
        """The place of one value, for an error message."""
        place = f"line {self.lines[index]}" if self.lines else f"row {index + 1}"
        return f"{self.source}, {place}, column {column!r}"


def read_lines(path: Path) -> list[str]:
    """Lines of a UTF-8 text file, without line ends (LF or CRLF), byte order mark and empty lines at the end.

    Args:
        path (`Path`): The file.

    Returns:
        `list[str]`, at least one line.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8; the message names the line.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(f"{path}, line {line}: not valid UTF-8 ({error.reason}). Save the file as UTF-8.") from error
    # Not splitlines(): it also splits at characters that stand inside of texts, such as U+2028.
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ValueError(f"{path} is empty.")
    return lines


def read_table(path: Path) -> Table:
    """Read a .csv, .tsv, .jsonl or .parquet file.

    CSV is read with its quoting rules; in TSV a quotation mark is a character like any other, as in the files that
    shared tasks publish. Nothing is guessed about types: values of CSV and TSV are strings.

    Args:
        path (`Path`): The file.

    Returns:
        `Table`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the suffix is unknown, or the file is empty or malformed.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise ValueError(f"{path}: unknown file type {path.suffix!r}; use one of {', '.join(TABLE_SUFFIXES)}.")
    table = reader(path)
    if not table.rows:
        raise ValueError(f"{path} is empty: it has no rows.")
    return table


def _read_csv(path: Path) -> Table:
    reader = csv.reader((line + "\n" for line in read_lines(path)), strict=True)
    records, lines, start = [], [], 1
    try:
        for record in reader:
            records.append(record)
            lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{path}, line {start}: not valid CSV ({error}). Texts with quotes must be quoted.") from error
    return _from_records(path, records, lines)


def _read_tsv(path: Path) -> Table:
    records = [line.split("\t") for line in read_lines(path)]
    return _from_records(path, records, list(range(1, len(records) + 1)))


def _from_records(path: Path, records: list[list[str]], lines: list[int]) -> Table:
    header = records[0]
    if len(set(header)) < len(header):
        raise ValueError(f"{path}, line 1: a column name stands twice in the header {', '.join(header)}.")
    for record, line in zip(records, lines, strict=True):
        if len(record) != len(header):
            raise ValueError(f"{path}, line {line}: {len(record)} columns, but the header has {len(header)}.")
    rows = [dict(zip(header, record, strict=True)) for record in records[1:]]
    return Table(str(path), header, rows, lines[1:])


def _read_jsonl(path: Path) -> Table:
    rows = read_json_lines(path)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return Table(str(path), columns, rows, list(range(1, len(rows) + 1)))


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, one a line.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict[str, Any]]`; object `i` stands on line `i + 1`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a line is not a JSON object.
    """
    rows = []
    for number, line in enumerate(read_lines(path), start=1):
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise ValueError(f"{path}, line {number}: not valid JSON ({error.msg}).") from error
        if not isinstance(row, dict):
            raise ValueError(f"{path}, line {number}: expected a JSON object, got {line[:40]!r}.")
        rows.append(row)
    return rows


def require_text(value: Any, place: str) -> str:
    """The value, which must be a text that is not blank; `place` is where it stands, for the error message."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{place}: the text is empty or no text: {value!r}.")
    return value


def _read_parquet(path: Path) -> Table:
    if not path.is_file():
        raise FileNotFoundError(f"{path} does not exist.")
    try:
        table = pq.read_table(path)
    except pa.ArrowInvalid as error:
        raise ValueError(f"{path} is not a valid Parquet file ({error}).") from error
    # Parquet written by datasets carries its features, and with them the names of the classes.
    declared = b"huggingface" in (table.schema.metadata or {})
    features = datasets.Features.from_arrow_schema(table.schema) if declared else None
    return Table(str(path), table.column_names, table.to_pylist(), features=features)


_READERS: dict[str, Callable[[Path], Table]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
TABLE_SUFFIXES = tuple(_READERS)
