"""Tables in CSV, TSV, JSON, JSON Lines, Parquet and text files; each row knows its line number."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq

from .csv_records import csv_records
from .json_list import is_json_list, iterate_json_list
from .json_records import iterate_json_lines
from .lines import iterate_lines, require_file
from .row_check import RowCheck

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
        unit (`str`, defaults to `"line"`): What `lines` count: `"line"`, or `"row"` where some are left out.
    """

    source: str
    columns: list[str]
    rows: list[dict[str, Any]]
    lines: list[int] | None = None
    features: datasets.Features | None = None
    start: int = 0
    first: dict[str, Any] | None = None
    unit: str = "line"

    def place(self, index: int) -> str:
        """Location of a row in its source, such as `"line 4"`."""
        return f"{self.unit} {self.lines[index]}" if self.lines else f"row {self.start + index + 1}"

    def where(self, index: int, column: str) -> str:
        """Location of a value, for error messages."""
        return f"{self.source}, {self.place(index)}, column {column!r}"


def table_suffix(path: Path) -> str:
    """The suffix that says what a file is, in lower case: of `posts.CSV.gz`, it is `.csv.gz`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    return "".join(suffixes[-2:] if suffixes[-1:] == [".gz"] else suffixes[-1:])


def read_table(path: Path) -> Table:
    """Read a .csv, .tsv, .jsonl, .json, .parquet or .txt file; all but .parquet may be compressed (.csv.gz).

    CSV is read with its quoting rules; in TSV a quotation mark is a character like any other, as in the files of shared
    tasks. No types are guessed: values of CSV and TSV are strings. Blank lines are passed over. A .json file is a list
    of records. A .txt file has one text per line, and no labels.

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


def read_tables(path: Path, size: int | None = None, check: RowCheck | None = None) -> Iterator[Table]:
    """Read a file as [`read_table`] does, some rows at a time.

    Args:
        path (`Path`): The file.
        size (`int`, *optional*): Maximum number of rows per table; by default all rows are in one.
        check ([`RowCheck`], *optional*): Told of rows that cannot be read; by default they are errors.

    Yields:
        `Table`, at least once.
    """
    suffix = table_suffix(path)
    if suffix not in TABLE_SUFFIXES:
        raise ValueError(
            f"{path}: unknown file type {suffix!r}; use one of {', '.join(_READERS)}, or one of these with .gz."
        )
    empty = True
    for table in _READERS[suffix.removesuffix(".gz")](path, size, check or RowCheck()):
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
    unit: str = "line",
) -> Iterator[Table]:
    """Tables of at most `size` rows each, or a single table of all rows; none if there are no rows.

    Args:
        source (`str`): As in [`Table`], and so are `columns`, `features` and `unit`.
        rows (`Iterable[tuple[int | None, dict[str, Any]]]`): All rows, each with its line number, or `None` if
            there are no lines.
        size (`int`, *optional*): Maximum number of rows per table.
    """
    rows = iter(rows)
    start, first = 0, None
    while part := list(islice(rows, size)):
        lines = [line for line, _ in part if line is not None]
        table = Table(source, columns, [row for _, row in part], lines or None, features, start, first, unit)
        yield table
        first = table.rows[0] if first is None else first
        start += len(part)


def _read_csv(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
    return _from_records(path, csv_records(path, check), size, check)


def _read_tsv(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
    records = ((number, line.split("\t")) for number, line in _numbered_lines(path, check))
    return _from_records(path, records, size, check)


def _from_records(
    path: Path, records: Iterator[tuple[int, list[str]]], size: int | None, check: RowCheck
) -> Iterator[Table]:
    # A blank line, or a row of blank cells as spreadsheets leave them at the end, is no row.
    records = ((line, record) for line, record in records if any(cell.strip() for cell in record))
    first, header = next(records, (1, []))
    if len(set(header)) < len(header):
        raise ValueError(f"{path}, line {first}: a column name occurs twice in the header {', '.join(header)}.")

    def rows() -> Iterator[tuple[int, dict[str, Any]]]:
        for line, record in records:
            place = f"{path}, line {line}"
            if len(record) != len(header):
                wrong = ValueError(f"{place}: {len(record)} columns, but the header has {len(header)}.")
            elif record == header and len(header) > 1:
                wrong = ValueError(
                    f"{place}: the header again, as where two files were joined. Delete the line, or leave out such "
                    "rows with --bad_rows skip."
                )
            else:
                yield line, dict(zip(header, record, strict=True))
                continue
            check.refuse(wrong, str(path), f"line {line}")

    return divide(str(path), header, rows(), size)


def _read_txt(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
    rows = ((number, {"text": line}) for number, line in _numbered_lines(path, check) if line.strip())
    return divide(str(path), ["text"], rows, size)


def _numbered_lines(path: Path, check: RowCheck) -> Iterator[tuple[int, str]]:
    return enumerate(iterate_lines(path, "surrogateescape" if check.skips_bad_rows else "strict"), start=1)


def _read_jsonl(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
    return _from_objects(path, partial(iterate_json_lines, path, check), size, "line")


def _read_json(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
    if not is_json_list(path):
        return _read_jsonl(path, size, check)
    return _from_objects(path, partial(iterate_json_list, path, check), size, "row")


def _from_objects(
    path: Path, objects: Callable[[], Iterator[tuple[int, dict[str, Any]]]], size: int | None, unit: str
) -> Iterator[Table]:
    # Any row may introduce a new column.
    columns = list(dict.fromkeys(key for _, row in objects() for key in row))
    return divide(str(path), columns, objects(), size, unit=unit)


def _read_parquet(path: Path, size: int | None, check: RowCheck) -> Iterator[Table]:
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


_READERS: dict[str, Callable[[Path, int | None, RowCheck], Iterator[Table]]] = {
    ".csv": _read_csv,
    ".tsv": _read_tsv,
    ".jsonl": _read_jsonl,
    ".json": _read_json,
    ".parquet": _read_parquet,
    ".txt": _read_txt,
}
# All but Parquet, which is compressed as it is, may be compressed with gzip.
TABLE_SUFFIXES = (*_READERS, *(f"{suffix}.gz" for suffix in _READERS if suffix != ".parquet"))
