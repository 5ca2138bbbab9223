"""Texts larger than memory: from their source to Arrow files some thousands at a time, and mapped from there."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
from filelock import FileLock
from tqdm.auto import tqdm

from .columns import name_rows, row_features, score_rows, sort_names
from .digests import digest
from .holdout import is_held_out, too_few_to_split
from .sources import Source
from .tables import Table

logger = logging.getLogger(__name__)

# Where a file says which labels its rows have; to be counted up with the format of the files.
_METADATA, _FORMAT = b"csr-emotion", 1


@dataclass(frozen=True)
class ColumnReader:
    """
    How the columns of all splits of a dataset are understood.

    Args:
        text_column (`str`, *optional*): The column of the texts, as in [`~trainers.data.columns.name_rows`].
        label_columns (`list[str]`, *optional*): The columns of the labels or scores.
        regression (`bool`): Whether they hold scores.
    """

    text_column: str | None
    label_columns: list[str] | None
    regression: bool

    def label_space(self, source: Source) -> tuple[list[str], str]:
        """The labels of a split, of which the texts pass by, and its problem type."""
        if self.regression:
            return ["score"] if self.label_columns is None else list(self.label_columns), "regression"
        names: set[str] = set()
        for table in _with_progress(source.tables(), f"Labels of {source.name}"):
            named = name_rows(table, self.text_column, self.label_columns)
            if named.declared:
                return named.declared, named.problem_type
            names.update(name for row in named.names for name in row)
        return sort_names(names), named.problem_type

    def encode(self, table: Table, labels: list[str], problem_type: str) -> list[dict[str, Any]]:
        """Rows of `text` and `labels` in a label space."""
        if self.regression:
            return score_rows(table, labels, self.text_column)
        return name_rows(table, self.text_column, self.label_columns).encode(labels, problem_type)


@dataclass(frozen=True)
class Holdout:
    """
    The dev split of data that have none: those texts, or dialogues, that a hash draws.

    Args:
        fraction (`float`): Which part of the different texts becomes dev, about.
        seed (`int`): Seed of the hash.
    """

    fraction: float
    seed: int

    def divide(self, rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
        """Those of some rows that belong to train, and to dev."""
        parts: dict[str, list[dict[str, Any]]] = {"train": [], "dev": []}
        for row in rows:
            in_dev = is_held_out(row[_group_of(row)], self.fraction, self.seed)
            parts["dev" if in_dev else "train"].append(row)
        return parts


def stream_splits(
    sources: Mapping[str, Source], reader: ColumnReader, holdout: Holdout | None, folder: str | Path | None = None
) -> tuple[list[str], str, datasets.DatasetDict]:
    """Write splits to Arrow files and map them. They are never in memory as a whole.

    What was written from the same contents and options is found again. Of several processes one writes, and the others
    wait for it. A file has its name when it is complete.

    Args:
        sources (`Mapping[str, Source]`): By split where its rows come from. The first says which labels there are.
        reader ([`ColumnReader`]): How their columns are understood.
        holdout ([`Holdout`], *optional*): Train is divided into train and dev. The same text never stands in both; how
            often each label is in dev is left to chance, since to stratify takes all rows at once.
        folder (`str` or `Path`, *optional*): Where the files go; one in the cache of the datasets library by default.

    Returns:
        `tuple`: The labels, the problem type and the splits, as [`~trainers.data.task_dataset.TaskDataset`] has them.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: If a row is not valid; the message names file, line and column.
    """
    folder = Path(folder or Path(datasets.config.HF_DATASETS_CACHE) / "csr-emotion")
    folder.mkdir(parents=True, exist_ok=True)
    space: tuple[list[str], str] | None = None
    splits = datasets.DatasetDict()
    for split, source in sources.items():
        divided = holdout if split == "train" else None
        made_from = {
            "format": _FORMAT,
            "source": source.digest(),
            "columns": asdict(reader),
            "label_space": space,
            "holdout": divided and asdict(divided),
        }
        name = digest(made_from)
        paths = {part: folder / f"{name}-{part}.arrow" for part in (("train", "dev") if divided else (split,))}
        # Not the main process first, as elsewhere: this also holds for runs that know nothing of each other.
        with FileLock(folder / f"{name}.lock"):
            if not all(path.is_file() for path in paths.values()):
                _write(source, paths, reader, space or reader.label_space(source), divided)
        splits.update({part: datasets.Dataset.from_file(str(path)) for part, path in paths.items()})
        space = space or _read_space(next(iter(paths.values())))
        if divided:
            logger.warning(
                "%s has no dev split: %d of its %d rows, drawn by a hash of the text with seed %d and not by label, "
                "are held out as dev.",
                source.name,
                len(splits["dev"]),
                len(splits["dev"]) + len(splits["train"]),
                divided.seed,
            )
    assert space is not None
    return *space, splits


def _write(
    source: Source,
    paths: Mapping[str, Path],
    reader: ColumnReader,
    space: tuple[list[str], str],
    holdout: Holdout | None,
) -> None:
    """Write the rows of a source to one file, or to that of train and that of dev."""
    unfinished = {part: path.with_name(f"{path.name}.unfinished") for part, path in paths.items()}
    writers: dict[str, pa.RecordBatchStreamWriter] = {}
    counts = dict.fromkeys(paths, 0)
    groups: set[str] = set()
    with ExitStack() as leftovers:
        for path in unfinished.values():
            leftovers.callback(path.unlink, missing_ok=True)
        with ExitStack() as files:
            for table in _with_progress(source.tables(), f"Reading {source.name}"):
                rows = reader.encode(table, *space)
                if not writers:
                    schema = _schema(space, rows[0])
                    for part, path in unfinished.items():
                        file = files.enter_context(pa.OSFile(str(path), "wb"))
                        writers[part] = files.enter_context(pa.ipc.new_stream(file, schema))
                group = _group_of(rows[0])
                if len(groups) < 2:
                    groups.update(row[group] for row in rows)
                divided = holdout.divide(rows) if holdout else dict.fromkeys(paths, rows)
                for part, part_rows in divided.items():
                    counts[part] += len(part_rows)
                    writers[part].write_table(pa.Table.from_pylist(part_rows, schema=schema))
            if holdout and len(groups) < 2:
                raise too_few_to_split(source.name, len(groups), group)
            if not all(counts.values()):
                raise ValueError(
                    f"{source.name}: the hash of their texts puts all of its {sum(counts.values())} rows in "
                    f"{max(counts, key=lambda part: counts[part])}. Leave --streaming out, or give a dev split."
                )
        for part, path in paths.items():
            unfinished[part].replace(path)


def _group_of(row: Mapping[str, Any]) -> str:
    """The column of what must not be torn apart."""
    return "dialogue_id" if "dialogue_id" in row else "text"


def _schema(space: tuple[list[str], str], row: Mapping[str, Any]) -> pa.Schema:
    labels, problem_type = space
    schema = row_features(problem_type, row.keys()).arrow_schema
    own = json.dumps({"labels": labels, "problem_type": problem_type})
    return schema.with_metadata({**schema.metadata, _METADATA: own.encode("utf-8")})


def _read_space(path: Path) -> tuple[list[str], str]:
    """The labels and the problem type of a file's rows."""
    with pa.memory_map(str(path)) as file, pa.ipc.open_stream(file) as stream:
        own = json.loads(stream.schema.metadata[_METADATA])
    return own["labels"], own["problem_type"]


def _with_progress(tables: Iterable[Table], description: str) -> Iterator[Table]:
    with tqdm(desc=description, unit="row") as progress:
        for table in tables:
            yield table
            progress.update(len(table.rows))
