"""Where the rows of a split come from: a file, or a dataset of the datasets library."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import datasets
import pyarrow as pa

from .digests import digest, file_digest
from .lines import require_file
from .row_check import RowCheck
from .tables import BATCH_SIZE, TABLE_SUFFIXES, Table, divide, read_tables, table_suffix

# By the name of a split here, its possible names in the data.
SPLIT_NAMES = {"train": ("train",), "dev": ("dev", "val", "valid", "validation"), "test": ("test",)}


class Source(Protocol):
    """Rows of a split, which may be larger than memory."""

    @property
    def name(self) -> str:
        """What error messages call it."""
        ...

    def tables(self, check: RowCheck | None = None) -> Iterator[Table]:
        """The rows, a few thousand at a time. `check` is told of those that cannot be read; by default, they are
        errors."""
        ...

    def digest(self) -> str:
        """A short hash of the contents, and of what they are read as."""
        ...


@dataclass(frozen=True)
class FileSource:
    """
    A file that [`~trainers.data.tables.read_table`] reads.

    Args:
        path (`Path`): The file.
    """

    path: Path

    @property
    def name(self) -> str:
        """What error messages call it."""
        return str(self.path)

    def tables(self, check: RowCheck | None = None) -> Iterator[Table]:
        """The rows, a few thousand at a time."""
        return read_tables(self.path, BATCH_SIZE, check)

    def digest(self) -> str:
        """A short hash of the contents, and of what they are read as."""
        require_file(self.path)
        return digest([file_digest(self.path), table_suffix(self.path)])


@dataclass(frozen=True)
class DatasetSource:
    """
    A split of a dataset of the datasets library.

    Args:
        name (`str`): What error messages call it.
        rows (`datasets.Dataset`): The split.
        faults (`Mapping[int, str]`): By number, from 1, rows of the split that are not among `rows`, and why.
    """

    name: str
    rows: datasets.Dataset
    faults: Mapping[int, str] = field(default_factory=dict)

    def tables(self, check: RowCheck | None = None) -> Iterator[Table]:
        """The rows, a few thousand at a time."""
        for number, reason in self.faults.items():
            (check or RowCheck()).refuse(ValueError(reason), self.name, f"row {number}")
        numbers = (number for number in count(1) if number not in self.faults)
        rows = zip(numbers, (row for batch in self._batches() for row in batch.to_pylist()), strict=False)
        return divide(self.name, self.rows.column_names, rows, BATCH_SIZE, self.rows.features, "row")

    def digest(self) -> str:
        """A short hash of the contents."""
        found = hashlib.sha256(digest(sorted(self.faults.items())).encode() if self.faults else b"")
        for batch in self._batches():
            stream = pa.BufferOutputStream()
            with pa.ipc.new_stream(stream, batch.schema) as writer:
                writer.write_table(batch.combine_chunks())
            found.update(stream.getvalue())
        return found.hexdigest()[:16]

    def _batches(self) -> Iterator[pa.Table]:
        for batch in self.rows.with_format("arrow").iter(batch_size=BATCH_SIZE):
            try:
                batch.validate(full=True)
            except pa.ArrowInvalid as error:
                files = " ".join(sorted({file["filename"] for file in self.rows.cache_files}))
                raise ValueError(
                    f"{self.name}: {files or 'a column'} is damaged ({error}). Save the dataset anew, or delete the "
                    "file if it is in the cache of the datasets library."
                ) from error
            yield batch


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


def dataset_sources(
    splits: datasets.DatasetDict, source: str, faults: Mapping[str, Mapping[int, str]] | None = None
) -> dict[str, Source]:
    """The splits of a dataset of the datasets library, under the names used here.

    Args:
        splits (`datasets.DatasetDict`): Its splits; `val`, `valid` and `validation` become `dev`.
        source (`str`): What error messages call it.
        faults (`Mapping`, *optional*): By split, the faults of [`DatasetSource`].

    Returns:
        `dict[str, Source]` of `train`, `dev` and `test`, as far as there are any.

    Raises:
        ValueError: If there is neither a train split nor a test split, a split is empty, or its name is misspelt.
    """
    sources: dict[str, Source] = {}
    for split, names in SPLIT_NAMES.items():
        own = next((name for name in names if name in splits), None)
        if own is None:
            continue
        if not len(splits[own]):
            raise ValueError(f"{source}: the {split} split is empty.")
        sources[split] = DatasetSource(f"{source} ({split})", splits[own], (faults or {}).get(own, {}))
    if "train" not in sources and "test" not in sources:
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
        splits (`Sequence[str]`): The splits to return; `train` always is, unless only `test` is asked for and there
            is no train split.

    Raises:
        FileNotFoundError: If a split is missing.
        ValueError: If there are two files for a split.
    """
    sources: dict[str, Source] = {}
    for split, names in SPLIT_NAMES.items():
        if split != "train" and split not in splits:
            continue
        found = [path for name in names for suffix in TABLE_SUFFIXES if (path := folder / f"{name}{suffix}").is_file()]
        if not found and split == "train" and tuple(splits) == ("test",):
            continue
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
