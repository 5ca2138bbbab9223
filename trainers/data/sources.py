"""Where the rows of a split come from: a file, or a dataset of the datasets library."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Protocol

import datasets
import pyarrow as pa

from .digests import digest, file_digest
from .tables import BATCH_SIZE, TABLE_SUFFIXES, Table, divide, read_tables, require_file

# By the name of a split here, its possible names in the data.
SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "val", "valid", "validation"), "test": ("test",)}


class Source(Protocol):
    """Rows of a split, which may be larger than memory."""

    @property
    def name(self) -> str:
        """What error messages call it."""
        ...

    def tables(self) -> Iterator[Table]:
        """The rows, a few thousand at a time."""
        ...

    def digest(self) -> str:
        """A short hash of the contents, and of what they are read as."""
        ...


@dataclass(frozen=True)
class FileSource:
    """
    A .csv, .tsv, .jsonl, .parquet or .txt file.

    Args:
        path (`Path`): The file.
    """

    path: Path

    @property
    def name(self) -> str:
        """What error messages call it."""
        return str(self.path)

    def tables(self) -> Iterator[Table]:
        """The rows, a few thousand at a time."""
        return read_tables(self.path, BATCH_SIZE)

    def digest(self) -> str:
        """A short hash of the contents, and of what they are read as."""
        require_file(self.path)
        return digest([file_digest(self.path), self.path.suffix.lower()])


@dataclass(frozen=True)
class DatasetSource:
    """
    A split of a dataset of the datasets library.

    Args:
        name (`str`): What error messages call it.
        rows (`datasets.Dataset`): The split.
    """

    name: str
    rows: datasets.Dataset

    def tables(self) -> Iterator[Table]:
        """The rows, a few thousand at a time."""
        rows = ((None, row) for batch in self._batches() for row in batch.to_pylist())
        return divide(self.name, self.rows.column_names, rows, BATCH_SIZE, self.rows.features)

    def digest(self) -> str:
        """A short hash of the contents."""
        found = hashlib.sha256()
        for batch in self._batches():
            stream = pa.BufferOutputStream()
            with pa.ipc.new_stream(stream, batch.schema) as writer:
                writer.write_table(batch.combine_chunks())
            found.update(stream.getvalue())
        return found.hexdigest()[:16]

    def _batches(self) -> Iterator[pa.Table]:
        return self.rows.with_format("arrow").iter(batch_size=BATCH_SIZE)


@dataclass(frozen=True)
class ColumnValues:
    """
    The values of a column, to be iterated over any number of times. The column itself, `rows[name]`, reads ten rows at
    a time, which is many times slower, and a list of it holds all of them in memory.

    Args:
        rows (`datasets.Dataset`): The rows.
        name (`str`): The column.
    """

    rows: datasets.Dataset
    name: str

    def __iter__(self) -> Iterator[Any]:
        for batch in self.rows.select_columns(self.name).iter(batch_size=BATCH_SIZE):
            yield from batch[self.name]


def dataset_sources(splits: datasets.DatasetDict, source: str) -> dict[str, Source]:
    """The splits of a dataset of the datasets library, under the names used here.

    Args:
        splits (`datasets.DatasetDict`): Its splits; `val`, `valid` and `validation` become `dev`.
        source (`str`): What error messages call it.

    Returns:
        `dict[str, Source]` of `train` and, if there are any, `dev` and `test`.

    Raises:
        ValueError: If there is no train split, a split is empty, or its name is misspelt.
    """
    sources: dict[str, Source] = {}
    for split, names in SPLIT_NAMES.items():
        found = next((splits[name] for name in names if name in splits), None)
        if found is None:
            continue
        if not len(found):
            raise ValueError(f"{source}: the {split} split is empty.")
        sources[split] = DatasetSource(f"{source} ({split})", found)
    if "train" not in sources:
        raise ValueError(f"{source} has no train split; it has {', '.join(splits)}.")
    known = [name for names in SPLIT_NAMES.values() for name in names]
    for name in splits:
        close = get_close_matches(name, known, n=1, cutoff=0.8)
        if close and name not in known:
            raise ValueError(f"{source} has a split {name!r}. Did you mean {close[0]!r}?")
    return sources


def folder_sources(folder: Path, splits: Sequence[str]) -> dict[str, Source]:
    """The splits of a folder with one file for each.

    Args:
        folder (`Path`): The folder.
        splits (`Sequence[str]`): The splits to return; `train` always is.

    Raises:
        FileNotFoundError: If a split is missing.
        ValueError: If there are two files for a split.
    """
    sources: dict[str, Source] = {}
    for split, names in SPLIT_NAMES.items():
        if split != "train" and split not in splits:
            continue
        found = [path for name in names for suffix in TABLE_SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
        if not found:
            present = ", ".join(sorted(path.name for path in folder.iterdir())) or "nothing"
            raise FileNotFoundError(
                f"{folder} has no {split} split: expected {' or '.join(names)} with one of the extensions "
                f"{', '.join(TABLE_SUFFIXES)}; it contains {present}."
            )
        if len(found) > 1:
            raise ValueError(f"{folder} has more than one {split} split: {', '.join(path.name for path in found)}.")
        sources[split] = FileSource(found[0])
    return sources
