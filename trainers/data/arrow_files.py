"""Texts with labels in Arrow files, written once from their source and memory-mapped from then on."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import datasets
import pyarrow as pa
from filelock import FileLock
from tqdm.auto import tqdm

from .columns import name_rows, row_features, score_rows
from .digests import digest, file_digest
from .label_names import check_single_names, sort_names
from .row_check import RowCheck, warn_of_skipped_rows
from .sealed_files import is_whole, write_sealed
from .sources import Source
from .tables import Table
from .whole_files import write_json

# Metadata of a file: the labels and the problem type of its rows.
_METADATA = b"csr-emotion"


@dataclass(frozen=True)
class ColumnReader:
    """
    Reads texts and labels from the columns of a table.

    Args:
        text_column (`str`, *optional*): The column of the texts, as in [`~trainers.data.columns.name_rows`].
        label_columns (`list[str]`, *optional*): The columns of the labels or scores.
        regression (`bool`): Whether they hold scores.
        group_column (`str`, *optional*): A column to keep as `group`, for folds.
        label_names (`list[str]`, *optional*): All labels, in order, if the label column does not name them.
        dialogue_columns (`list[str]`, *optional*): As in [`~trainers.data.dialogues.dialogue_columns_of`].
        bad_rows (`str`, defaults to `"error"`): As in [`~trainers.data.row_check.RowCheck`], and so is
            `unlabelled_rows`. Rows with a `group` are never left out.
        labels (`list[str]`, *optional*): The label space, such as that of a model, where columns do not define it. By
            default the labels that occur in the first source.
        blanks_are_missing (`bool`, defaults to `False`): Whether a blank in a column of 0 and 1 means that nobody
            annotated the label, rather than that it is absent.
    """

    text_column: str | None
    label_columns: list[str] | None
    regression: bool
    group_column: str | None = None
    label_names: list[str] | None = None
    dialogue_columns: list[str] | None = None
    bad_rows: str = "error"
    unlabelled_rows: str = "error"
    labels: list[str] | None = None
    blanks_are_missing: bool = False

    def check(self) -> RowCheck:
        """What becomes of rows that cannot be used."""
        return RowCheck(self.bad_rows, self.unlabelled_rows)

    def label_space(self, source: Source, check: RowCheck) -> tuple[list[str], str]:
        """The labels that occur in a source, and its problem type. May read the whole source."""
        if self.regression:
            return ["score"] if self.label_columns is None else list(self.label_columns), "regression"
        if self.blanks_are_missing:
            return list(self.label_columns or ()), "multi_label_classification"
        places: dict[str, str] = {}
        problem_type = None
        for table in _with_progress(source, f"Labels of {source.name}", check):
            named = name_rows(table, self.text_column, self.label_columns, self.label_names, check)
            problem_type = problem_type or named.problem_type
            if problem_type and (named.declared or self.labels is not None):
                return named.declared or list(self.labels or ()), problem_type
            for index, names in zip(named.indices, named.names, strict=True):
                for name in names or ():
                    if name not in places:
                        places[name] = table.where(index, named.label_column)
        check.finish(source.name)
        if problem_type is None or not (places or self.label_names):
            raise ValueError(f"{source.name}: no row has a label.")
        check_single_names(places)
        return sort_names(places), problem_type

    def encode(self, table: Table, labels: list[str], problem_type: str, check: RowCheck) -> list[dict[str, Any]]:
        """Rows of `text` and `labels` in a label space."""
        if self.regression or self.blanks_are_missing:
            return score_rows(table, labels, self.text_column, check)
        named = name_rows(table, self.text_column, self.label_columns, self.label_names, check)
        owner = None if self.labels is None else "the model"
        rows = named.encode(labels, problem_type, check, self.dialogue_columns, owner)
        if self.group_column is not None:
            for row, cells in zip(rows, table.rows, strict=True):
                row["group"] = cells[self.group_column]
        return rows


@dataclass(frozen=True)
class TargetReader:
    """
    Passes on rows whose labels are targets already: those of published datasets, as their readers return them.

    Args:
        labels (`list[str]`): Label names, in the order of the targets.
        problem_type (`str`): Problem type of the targets.
    """

    labels: list[str]
    problem_type: str

    def check(self) -> RowCheck:
        """What becomes of rows that cannot be used: errors, as the readers of published datasets raise them."""
        return RowCheck()

    def label_space(self, source: Source, check: RowCheck) -> tuple[list[str], str]:
        """The labels and the problem type."""
        return self.labels, self.problem_type

    def encode(self, table: Table, labels: list[str], problem_type: str, check: RowCheck) -> list[dict[str, Any]]:
        """The rows of a table."""
        return table.rows


class MappedSplits(NamedTuple):
    """
    Splits in Arrow files.

    Args:
        labels (`list[str]`): Label names, in the order of the targets.
        problem_type (`str`): Problem type of the targets.
        splits (`datasets.DatasetDict`): The rows.
        skipped (`list[dict[str, Any]]`): The rows that are left out, each with `file`, `line` (or `row`) and `reason`.
    """

    labels: list[str]
    problem_type: str
    splits: datasets.DatasetDict
    skipped: list[dict[str, Any]]


def map_splits(
    sources: Mapping[str, Source], reader: ColumnReader | TargetReader, folder: str | Path | None = None
) -> MappedSplits:
    """Write splits to Arrow files and memory-map them; they never stand in memory as a whole.

    A file that was written from the same contents with the same options is reused. When several processes need the same
    file, one writes it and the others wait. A file gets its name once it is complete.

    Args:
        sources (`Mapping[str, Source]`): By split, where its rows come from. The first defines the label space.
        reader ([`ColumnReader`] or [`TargetReader`]): Reads texts and labels from their tables.
        folder (`str` or `Path`, *optional*): Where the files go; by default `csr-emotion` in the cache of the datasets
            library (`HF_DATASETS_CACHE`).

    Returns:
        [`MappedSplits`], as [`~trainers.data.task_dataset.TaskDataset`] has them, plus the column `group` where the
        rows have one.

    Raises:
        FileNotFoundError: If a file does not exist.
        OSError: If `folder` cannot be written.
        ValueError: If a row is not valid; the message names file, line and column.
    """
    folder = Path(folder or Path(datasets.config.HF_DATASETS_CACHE) / "csr-emotion")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"{folder}, where texts are cached, cannot be written ({error}). Name another directory in the environment "
            "variable HF_DATASETS_CACHE."
        ) from error
    space: tuple[list[str], str] | None = None
    splits, skipped = datasets.DatasetDict(), []
    for split, source in sources.items():
        made_from = {
            "code": _code_digest(),
            "source": source.digest(),
            "reader": [type(reader).__name__, asdict(reader)],
            "label_space": space,
        }
        name = digest(made_from)
        path = folder / f"{name}.arrow"
        # A lock of its own rather than accelerate's main_process_first: separate runs share the folder, too.
        with FileLock(folder / f"{name}.lock"):
            check = reader.check()
            # Only readers that leave out rows list them.
            listed = path.with_suffix(".skipped.json") if check.skips_rows else None
            if not (is_whole(path) and (listed is None or is_whole(listed))):
                found = space or reader.label_space(source, check)
                write_sealed(path, partial(_write, source, reader, found, check))
                if listed is not None:
                    write_sealed(listed, partial(write_json, value=check.report(source.name)))
        if listed is not None:
            left_out = json.loads(listed.read_text(encoding="utf-8"))
            warn_of_skipped_rows(source.name, left_out)
            skipped += left_out
        splits[split] = datasets.Dataset.from_file(str(path))
        space = space or _read_space(path)
    assert space is not None
    return MappedSplits(*space, splits, skipped)


@cache
def _code_digest() -> str:
    """A digest of the code that reads data: files written by another version are not reused."""
    folder = Path(__file__).parent
    return digest([file_digest(path) for path in sorted(folder.rglob("*.py"))])


def _write(
    source: Source, reader: ColumnReader | TargetReader, space: tuple[list[str], str], check: RowCheck, path: Path
) -> None:
    with ExitStack() as files:
        writer = None
        for table in _with_progress(source, f"Reading {source.name}", check):
            rows = reader.encode(table, *space, check)
            if not rows:
                continue
            if writer is None:
                schema = _schema(space, rows[0])
                file = files.enter_context(pa.OSFile(str(path), "wb"))
                writer = files.enter_context(pa.ipc.new_stream(file, schema))
            writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    check.finish(source.name)
    if writer is None:
        first = next(iter(check.skipped.values()), "it has no rows")
        raise ValueError(f"{source.name}: all rows are left out, the first of them because: {first}")


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


def _with_progress(source: Source, description: str, check: RowCheck) -> Iterator[Table]:
    with tqdm(desc=description, unit="row", delay=1) as progress:
        for table in source.tables(check):
            yield table
            progress.update(len(table.rows))
