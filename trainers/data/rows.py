"""From plain rows to a dataset in the label space of a model, as Trainers prepare the texts they are given."""

import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import datasets
import numpy as np
import pandas as pd

from .columns import row_features
from .dialogues import DIALOGUE_COLUMNS
from .tables import require_text

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
            of names, ids, 0/1 lists or scores; or of `text` and one 0/1 column per label. Rows that already
            have targets are returned unchanged.
        labels (`Sequence[str]`): The labels, in the order of the targets.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        name (`str`): What error messages call the dataset.
        column_mapping (`Mapping[str, str]`, *optional*): From columns of the dataset to `"text"` and `"labels"`.

    Returns:
        `Dataset` of `text` and `labels` (a list of floats, one per label, or a class id), and any
        dialogue columns.

    Raises:
        ValueError: If a column is missing or a row is not valid; the message names it.
    """
    rows = plain_dataset(dataset, name, column_mapping)
    own = row_features(problem_type, rows.column_names)
    if all(rows.features.get(column) == feature for column, feature in own.items()):
        return rows.select_columns(list(own))
    texts = _texts(rows, name)
    column = next((column for column in LABEL_COLUMNS if column in rows.column_names), None)
    targets: list[Any]
    if column is not None:
        read = _Targets(labels, problem_type, rows.features[column])
        targets = [
            read(value, f"{name}, row {number}, column {column!r}") for number, value in enumerate(rows[column], 1)
        ]
    elif set(labels) <= set(rows.column_names):
        read = _Targets(labels, problem_type, None)
        columns = zip(*(rows[label] for label in labels), strict=True)
        targets = [read(list(values), f"{name}, row {number}") for number, values in enumerate(columns, 1)]
    else:
        raise _missing(rows, name, "labels")
    kept = {column: rows[column][:] for column in DIALOGUE_COLUMNS if column in rows.column_names}
    return datasets.Dataset.from_dict({"text": texts, "labels": targets, **kept}, features=own)


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
    values = rows[column][:]
    if several and inner.dtype.startswith(("float", "int", "bool")):
        return [f"label {index}" for index in range(len(values[0]))], problem_type
    found = {str(label) for value in values for label in (value if several else [value])}
    return sorted(found, key=int) if all(label.isdecimal() for label in found) else sorted(found), problem_type


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


def column_array(rows: datasets.Dataset, column: str) -> np.ndarray:
    """A column of numbers, or of lists of numbers, as an array."""
    return np.asarray(rows.with_format("numpy")[column][:])


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


class _Targets:
    """From the value of a label column to a target."""

    def __init__(self, labels: Sequence[str], problem_type: str, feature: Any) -> None:
        self.labels, self.single = list(labels), problem_type == "single_label_classification"
        self.scores = problem_type == "regression"
        inner = getattr(feature, "feature", feature)
        self.declared = list(inner.names) if isinstance(inner, datasets.ClassLabel) else None

    def __call__(self, value: Any, place: str) -> Any:
        if self.single:
            return self._index(value, place)
        if self._is_vector(value):
            return self._vector(value, place)
        if self.scores:
            return self._vector([value], place)
        if value is None or (isinstance(value, float) and math.isnan(value)):
            raise ValueError(f"{place}: the label is missing; give an empty list for a text without labels.")
        values = value if isinstance(value, list) else [value]
        present = {self._index(one, place) for one in values}
        return [float(index in present) for index in range(len(self.labels))]

    def _is_vector(self, value: Any) -> bool:
        if not isinstance(value, list) or self.declared is not None:
            return False
        numbers = all(one is None or isinstance(one, int | float) for one in value)
        return numbers and len(value) == len(self.labels) and bool(value)

    def _vector(self, value: list[Any], place: str) -> list[float]:
        numbers = [math.nan if one is None else float(one) for one in value]
        if len(numbers) != len(self.labels):
            raise ValueError(f"{place}: expected {len(self.labels)} numbers, one per label, got {value!r}.")
        if not self.scores and any(not (0 <= number <= 1) and not math.isnan(number) for number in numbers):
            raise ValueError(f"{place}: expected numbers between 0 and 1, one per label, got {value!r}.")
        return numbers

    def _index(self, value: Any, place: str) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, str) and value in self.labels:
            return self.labels.index(value)
        if isinstance(value, int) and not isinstance(value, bool):
            if self.declared is not None and 0 <= value < len(self.declared):
                return self._index(self.declared[value], place)
            if str(value) in self.labels:
                return self.labels.index(str(value))
            if value == -100 or 0 <= value < len(self.labels):
                return value
        close = get_close_matches(str(value), self.labels, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(f"{place}: unknown label {value!r}.{hint} The model's labels are {', '.join(self.labels)}.")
