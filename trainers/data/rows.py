"""From plain rows to a dataset in the label space of a model, as Trainers prepare the texts they are given."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import datasets
import numpy as np
import pandas as pd

from .columns import name_rows, row_features
from .dialogues import DIALOGUE_COLUMNS, dialogue_columns_of, utterance_place
from .label_names import check_single_names, parts_of, sort_names, warn_of_separators, warn_of_similar_names
from .label_values import NO_CLASS, NOT_ANNOTATED, is_not_annotated, read_value, whole_number, zero_or_one
from .row_check import RowCheck
from .tables import Table
from .texts import require_encodable, require_text

# A dataset with one of these columns is already prepared.
PREPARED_COLUMNS = {"input_ids", "inputs_embeds", "emotion_representation", "utterance_representations"}
# Accepted names of the label column.
LABEL_COLUMNS = ("labels", "label")


def task_rows(
    dataset: Any,
    labels: Sequence[str],
    problem_type: str,
    *,
    name: str = "dataset",
    column_mapping: Mapping[str, str] | None = None,
) -> datasets.Dataset:
    """Texts with their targets in a given label space.

    Args:
        dataset (`Dataset`, `DataFrame` or `list[dict]`): Rows of `text` and `labels` (or `label`): label names, lists
            of names, ids, 0/1 lists or scores; or of `text` and one 0/1 column per label. Lists may be written as
            strings; a blank is no label in multi-label data, and -100 a text without a class. Rows that already have
            targets are returned unchanged.
        labels (`Sequence[str]`): The labels, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        name (`str`): What error messages call the dataset.
        column_mapping (`Mapping[str, str]`, *optional*): From columns of the dataset to `"text"` and `"labels"`.

    Returns:
        `Dataset` of `text` and `labels` (a list of floats, one per label, or a class id), and any
        dialogue columns.

    Raises:
        ValueError: If a column is missing, or a row is not valid or not labelled; the message names it.
    """
    rows = plain_dataset(dataset, name, column_mapping)
    # Dialogues have all columns of their own; those that are missing are filled in, as for files.
    place_columns = DIALOGUE_COLUMNS if "dialogue_id" in rows.column_names else {}
    own = row_features(problem_type, place_columns)
    if all(rows.features.get(column) == feature for column, feature in own.items()):
        return rows.select_columns(list(own))
    texts = _texts(rows, name)
    column = next((column for column in LABEL_COLUMNS if column in rows.column_names), None)
    values: Iterable[Any]
    if column is not None:
        read = _Targets(labels, problem_type, rows.features[column])
        values, of_column = rows[column], f", column {column!r}"
    elif set(labels) <= set(rows.column_names):
        read = _Targets(labels, problem_type, None)
        bits = problem_type != "regression"
        columns = [_bits(rows[label], name, label) if bits else rows[label] for label in labels]
        values, of_column = map(list, zip(*columns, strict=True)), ""
    else:
        raise _missing(rows, name, "labels")
    check = RowCheck()
    targets = []
    for number, value in enumerate(values, 1):
        targets.append(read(value, f"{name}, row {number}{of_column}"))
        if targets[-1] is None:
            check.unlabelled(name, f"row {number}")
    check.finish(name, "dataset.filter(...), or give utterances that are context alone the label -100")
    return datasets.Dataset.from_dict({"text": texts, "labels": targets, **_places(rows, name)}, features=own)


def text_rows(
    dataset: Any, *, name: str = "dataset", column_mapping: Mapping[str, str] | None = None
) -> datasets.Dataset:
    """Texts without their labels, if they have any. Arguments and errors are those of [`task_rows`]."""
    rows = plain_dataset(dataset, name, column_mapping)
    _texts(rows, name)
    return rows.select_columns("text")


def label_space(
    dataset: Any, *, name: str = "dataset", column_mapping: Mapping[str, str] | None = None
) -> tuple[list[str], str]:
    """The labels that occur in plain rows, in order, and their problem type.

    Raises:
        ValueError: If there is no label column, or it has no label names.
    """
    rows = plain_dataset(dataset, name, column_mapping)
    column = next((column for column in LABEL_COLUMNS if column in rows.column_names), None)
    if column is None:
        raise _missing(rows, name, "labels")
    feature = rows.features[column]
    inner = getattr(feature, "feature", feature)
    several = inner is not feature
    problem_type = "multi_label_classification" if several else "single_label_classification"
    if isinstance(inner, datasets.ClassLabel):
        return list(inner.names), problem_type
    if several and inner.dtype.startswith(("float", "int", "bool")):
        return [f"label {index}" for index in range(len(rows[column][0]))], problem_type
    if "text" not in rows.column_names:
        raise _missing(rows, name, "text")
    rows, check = rows.select_columns(["text", column]), RowCheck()
    table = Table(name, rows.column_names, rows.to_list(), features=rows.features)
    named = name_rows(table, None, [column], check=check)
    check.finish(name, "dataset.filter(...)")
    counts = Counter(label for names in named.names for label in names or ())
    places: dict[str, str] = {}
    for index, names in zip(named.indices, named.names, strict=True):
        for label in names or ():
            places.setdefault(label, table.where(index, column))
    check_single_names(places)
    warn_of_separators(name, counts)
    warn_of_similar_names(name, counts)
    return sort_names(counts), named.problem_type or problem_type


def is_plain(dataset: Any, name: str) -> bool:
    """Whether a dataset has texts and labels, rather than inputs of a model's forward pass.

    Raises:
        ValueError: If it is a generator, which can only be read once.
    """
    if isinstance(dataset, Iterator):
        raise ValueError(f"{name} is a generator, which can be read only once: pass Dataset.from_generator(...).")
    if isinstance(dataset, list | tuple):
        return not dataset or (isinstance(dataset[0], Mapping) and not PREPARED_COLUMNS & dataset[0].keys())
    if isinstance(dataset, datasets.Dataset):
        return not PREPARED_COLUMNS & set(dataset.column_names)
    return isinstance(dataset, pd.DataFrame)


def plain_dataset(dataset: Any, name: str, column_mapping: Mapping[str, str] | None = None) -> datasets.Dataset:
    """Rows of any plain kind as a `Dataset`, with the columns renamed.

    Raises:
        ValueError: If there are no rows, the dataset is of another type, or a column of `column_mapping` is missing.
    """
    is_plain(dataset, name)
    for reason in without_unencodable(dataset, name)[1].values():
        raise ValueError(reason)
    if isinstance(dataset, pd.DataFrame):
        dataset = datasets.Dataset.from_pandas(dataset, preserve_index=False)
    elif isinstance(dataset, list | tuple):
        for number, row in enumerate(dataset, 1):
            if not isinstance(row, Mapping):
                raise ValueError(f"{name}, row {number}: expected a dict with text and labels, got {row!r}.")
        kinds = {type(row[column]) for row in dataset for column in LABEL_COLUMNS if column in row}
        if len(kinds - {type(None)}) > 1 and not kinds <= {int, float, bool}:
            raise ValueError(
                f"{name}: labels have several types, {', '.join(sorted(kind.__name__ for kind in kinds))}: use one "
                "for all rows."
            )
        dataset = datasets.Dataset.from_list([dict(row) for row in dataset])
    if not isinstance(dataset, datasets.Dataset):
        raise ValueError(f"{name} must be a Dataset, a DataFrame or a list of dicts, got {type(dataset).__name__}.")
    if not len(dataset):
        raise ValueError(f"{name} is empty: it has no rows.")
    mapping = dict(column_mapping or {})
    missing = [column for column in mapping if column not in dataset.column_names]
    if missing:
        raise ValueError(
            f"{name} has no column {', '.join(missing)}, which column_mapping names; its columns are "
            f"{', '.join(dataset.column_names)}."
        )
    return dataset.rename_columns({old: new for old, new in mapping.items() if old != new})


def without_unencodable(dataset: Any, name: str) -> tuple[Any, dict[int, str]]:
    """Plain rows without those that have a string that cannot be encoded in UTF-8.

    Args:
        dataset (`Any`): Rows of any plain kind. A `Dataset` cannot hold such strings.
        name (`str`): What the reasons call the dataset.

    Returns:
        `tuple`: The other rows, and by number, from 1, why a row is not among them.
    """
    faults: dict[int, str] = {}
    for number, column, value in _strings(dataset):
        try:
            require_encodable(value, f"{name}, row {number}, column {column!r}")
        except ValueError as error:
            faults.setdefault(number, str(error))
    if faults and isinstance(dataset, pd.DataFrame):
        dataset = dataset.iloc[[number for number in range(len(dataset)) if number + 1 not in faults]]
    elif faults:
        dataset = [row for number, row in enumerate(dataset, 1) if number not in faults]
    return dataset, faults


def _strings(dataset: Any) -> Iterator[tuple[int, str, str]]:
    """The strings of rows in Python objects, and of the lists in them, with row number and column."""
    cells: Iterable[tuple[int, Any, Any]] = ()
    if isinstance(dataset, pd.DataFrame):
        columns = [column for column, kind in dataset.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
        cells = ((number, column, value) for column in columns for number, value in enumerate(dataset[column], 1))
    elif isinstance(dataset, list | tuple):
        cells = (
            (number, column, value)
            for number, row in enumerate(dataset, 1)
            if isinstance(row, Mapping)
            for column, value in row.items()
        )
    for number, column, value in cells:
        for one in value if isinstance(value, list | tuple | np.ndarray) else [value]:
            if isinstance(one, str):
                yield number, column, one


def column_array(rows: datasets.Dataset, column: str) -> np.ndarray:
    """A column of numbers, or of lists of numbers, as an array."""
    return np.asarray(rows.with_format("numpy")[column][:])


def _places(rows: datasets.Dataset, name: str) -> dict[str, list[Any]]:
    """The columns that place utterances in dialogues; none if there are no dialogues."""
    names = [column for column in DIALOGUE_COLUMNS if column in rows.column_names]
    if not names:
        return {}
    table = Table(name, names, rows.select_columns(names).to_list())
    columns = dialogue_columns_of(table)
    places = [utterance_place(table, index, columns) for index in range(len(rows))]
    return {column: [place[column] for place in places] for column in columns or ()}


def _texts(rows: datasets.Dataset, name: str) -> list[str]:
    if "text" not in rows.column_names:
        raise _missing(rows, name, "text")
    texts = rows["text"][:]
    for number, text in enumerate(texts, 1):
        require_text(text, f"{name}, row {number}, column 'text'")
    return texts


def _missing(rows: datasets.Dataset, name: str, column: str) -> ValueError:
    there = ", ".join(rows.column_names)
    return ValueError(
        f"{name} has no column {column!r}; its columns are {there}. Name yours with "
        f'column_mapping={{"YOUR_COLUMN": "{column}"}}.'
    )


def _bits(values: Iterable[Any], name: str, column: str) -> Iterator[float]:
    """The numbers of a 0/1 column; those between the two, of soft labels, are checked as parts of the target."""
    for number, value in enumerate(values, 1):
        bit = zero_or_one(value)
        if bit is None and is_not_annotated(value, ()):
            bit = NOT_ANNOTATED
        if bit is None and not isinstance(value, int | float):
            raise ValueError(f"{name}, row {number}, column {column!r}: expected 0 or 1, got {value!r}.")
        yield value if bit is None else bit


class _Targets:
    """From the value of a label column to a target; `None` if the row is not labelled."""

    def __init__(self, labels: Sequence[str], problem_type: str, feature: Any) -> None:
        self.labels, self.single = list(labels), problem_type == "single_label_classification"
        self.scores = problem_type == "regression"
        inner = getattr(feature, "feature", feature)
        self.declared = list(inner.names) if isinstance(inner, datasets.ClassLabel) else None

    def __call__(self, value: Any, place: str) -> Any:
        if self.scores:
            return self._vector(value if isinstance(value, list) else [value], place)
        value = read_value(value, place, self.labels)
        if is_not_annotated(value, self.labels):
            return None
        if self.single:
            return None if value is None else self._index(value, place)
        if self._is_vector(value):
            return self._vector(value, place)
        values = value if isinstance(value, list) else [] if value is None else [value]
        present = {self._index(one, place) for one in values}
        return [float(index in present) for index in range(len(self.labels))]

    def _is_vector(self, value: Any) -> bool:
        if not isinstance(value, list) or self.declared is not None:
            return False
        numbers = all(one is None or isinstance(one, int | float) for one in value)
        return numbers and len(value) == len(self.labels) and bool(value)

    def _vector(self, value: list[Any], place: str) -> list[float]:
        try:
            numbers = [math.nan if one is None else float(one) for one in value]
        except (TypeError, ValueError) as error:
            raise ValueError(f"{place}: expected numbers, one per label, got {value!r}.") from error
        if len(numbers) != len(self.labels):
            raise ValueError(f"{place}: expected {len(self.labels)} numbers, one per label, got {value!r}.")
        if not self.scores and any(not (0 <= number <= 1) and not math.isnan(number) for number in numbers):
            raise ValueError(f"{place}: expected numbers between 0 and 1, one per label, got {value!r}.")
        return numbers

    def _index(self, value: Any, place: str) -> int:
        if isinstance(value, str | bool) and str(value) in self.labels:
            return self.labels.index(str(value))
        number = whole_number(value)
        if number is not None:
            if self.declared is not None and 0 <= number < len(self.declared):
                return self._index(self.declared[number], place)
            if str(number) in self.labels:
                return self.labels.index(str(number))
            if number == NO_CLASS or 0 <= number < len(self.labels):
                return number
        parts = parts_of(str(value), self.labels)
        if parts:
            raise ValueError(f"{place}: {value!r} looks like several labels: give a list, {parts}.")
        close = get_close_matches(str(value), self.labels, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{place}: unknown label {value!r}.{hint} The model's labels are {', '.join(self.labels)}.")
