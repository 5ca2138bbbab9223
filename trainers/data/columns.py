"""From the label columns of a table to targets: which column holds what, and which label names occur."""

import math
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import datasets

from .dialogues import DIALOGUE_COLUMNS, utterance_place
from .tables import Table, require_text

# CSV has strings, JSON and Parquet have numbers or booleans: all are compared in writing.
_ZERO_ONE = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1}


@dataclass(frozen=True)
class NamedRows:
    """
    The texts of a table, with their labels by name.

    Args:
        table (`Table`): Where they come from.
        label_column (`str`): The label column, or the first of several, for error messages.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        texts (`list[str]`): The texts.
        names (`list[list[str]]`): Label names of each text; exactly one for single-label data.
        declared (`list[str]`, *optional*): The label space, if the columns or their features define it.
    """

    table: Table
    label_column: str
    problem_type: str
    texts: list[str]
    names: list[list[str]]
    declared: list[str] | None

    def label_space(self) -> list[str]:
        """Label names: the declared ones, or those that occur, in order."""
        return self.declared or sort_names({name for row in self.names for name in row})

    def encode(self, labels: Sequence[str], problem_type: str, owner: str | None = None) -> list[dict[str, Any]]:
        """Rows of `text` and `labels` in a given label space, that of the train split.

        Args:
            labels (`Sequence[str]`): Label names.
            problem_type (`str`): Problem type of the train split.
            owner (`str`, *optional*): What error messages call the model whose label space it is; by default it is
                that of train.

        Returns:
            `list[dict]` with `text` (`str`) and `labels` (`list[float]` multi-hot, or `int` class id), and, for
            utterances, the columns of [`~trainers.data.dialogues.utterance_place`].

        Raises:
            ValueError: If a label is not in the space, or the table has another space or problem type.
        """
        if self.problem_type != problem_type:
            raise ValueError(
                f"{self.table.source}: column {self.label_column!r} makes it {self.problem_type}, but train is "
                f"{problem_type}."
            )
        if self.declared and self.declared != list(labels):
            raise ValueError(
                f"{self.table.source} has the labels {', '.join(self.declared)}, but train has {', '.join(labels)}."
            )
        index = {name: i for i, name in enumerate(labels)}
        rows: list[dict[str, Any]] = []
        for number, (text, names) in enumerate(zip(self.texts, self.names, strict=True)):
            for name in names:
                if name not in index:
                    place = self.table.where(number, self.label_column)
                    unknown = f"is not a label of {owner}" if owner else "does not occur in train"
                    raise ValueError(f"{place}: label {name!r} {unknown}; its labels: {', '.join(labels)}.")
            row: dict[str, Any] = {"text": text, "labels": [float(name in names) for name in labels]}
            if self.problem_type == "single_label_classification":
                row["labels"] = index[names[0]]
            rows.append(row | utterance_place(self.table, number))
        return rows


def sort_names(names: set[str]) -> list[str]:
    """Label names in the order of the label space: sorted, integers by value."""
    integers = all(re.fullmatch(r"-?\d+", name) for name in names)
    return sorted(names, key=int) if integers else sorted(names)


def name_rows(table: Table, text_column: str | None = None, label_columns: Sequence[str] | None = None) -> NamedRows:
    """Read the text column and the label columns of a table.

    - Several label columns: one label each, with the values 0 and 1 (multi-label).
    - One label column of lists: label names, or ids of a `ClassLabel` (multi-label). A string with commas is not a list
      but the name of one label.
    - One label column of strings or integers: the label, or the id of a `ClassLabel` (single-label).

    Args:
        table (`Table`): The table.
        text_column (`str`, *optional*): The column of the texts; `text` by default.
        label_columns (`Sequence[str]`, *optional*): The columns of the labels; `label` or `labels` by default.

    Returns:
        `NamedRows`.

    Raises:
        ValueError: If a column is missing, a text is empty or a label is not valid.
    """
    text_column = text_column or "text"
    label_columns = list(label_columns or _default_label_columns(table))
    missing = [column for column in (text_column, *label_columns) if column not in table.columns]
    if missing:
        raise _missing_columns(table, missing)
    texts = [require_text(row.get(text_column), table.where(i, text_column)) for i, row in enumerate(table.rows)]
    if len(label_columns) > 1:
        names = [_ones(table, i, label_columns) for i in range(len(table.rows))]
        return NamedRows(table, label_columns[0], "multi_label_classification", texts, names, label_columns)

    column = label_columns[0]
    feature = (table.features or {}).get(column)
    class_label = getattr(feature, "feature", feature)  # of a list's elements, or of the column
    declared = list(class_label.names) if isinstance(class_label, datasets.ClassLabel) else None
    values: list[Any] = [row.get(column) for row in table.rows]
    first = values[0] if table.first is None else table.first.get(column)
    lists = isinstance(first, list)
    names = []
    for i, value in enumerate(values):
        place = table.where(i, column)
        if isinstance(value, list) != lists:
            raise ValueError(
                f"{place}: {value!r}, but other rows of the column have {first!r}: use lists in all rows or in none."
            )
        names.append(_listed_names(value, declared, place) if lists else [_name(value, declared, place)])
    problem_type = "multi_label_classification" if lists else "single_label_classification"
    return NamedRows(table, column, problem_type, texts, names, declared)


def score_rows(table: Table, score_columns: Sequence[str], text_column: str | None = None) -> list[dict[str, Any]]:
    """Read the text column and the score columns of a table, for regression.

    Args:
        table (`Table`): The table.
        score_columns (`Sequence[str]`): The score columns. An empty cell, `nan` or `null` means that there is no
            score.
        text_column (`str`, *optional*): The column of the texts; `text` by default.

    Returns:
        `list[dict]` with `text` (`str`) and `labels` (`list[float]`, one per column, NaN where there is no score).

    Raises:
        ValueError: If a column is missing, a text is empty or a score is not a number.
    """
    text_column = text_column or "text"
    missing = [column for column in (text_column, *score_columns) if column not in table.columns]
    if missing:
        raise _missing_columns(table, missing)
    return [
        {
            "text": require_text(row.get(text_column), table.where(i, text_column)),
            "labels": [_score(row.get(column), table.where(i, column)) for column in score_columns],
        }
        for i, row in enumerate(table.rows)
    ]


def row_features(problem_type: str, columns: Collection[str]) -> datasets.Features:
    """Column types of a split.

    Args:
        problem_type (`str`): Of the task.
        columns (`Collection[str]`): The columns of its rows. Besides `text` and `labels`, only those of
            [`~trainers.data.dialogues.DIALOGUE_COLUMNS`] and `group` are kept.
    """
    single = problem_type == "single_label_classification"
    target = datasets.Value("int64") if single else datasets.List(datasets.Value("float32"))
    further = DIALOGUE_COLUMNS | {"group": datasets.Value("string")}
    kept = {column: kind for column, kind in further.items() if column in columns}
    return datasets.Features({"text": datasets.Value("string"), "labels": target} | kept)


def _score(value: Any, place: str) -> float:
    if value is None or value == "":
        return math.nan
    try:
        score = float(value)
    except (TypeError, ValueError):
        score = math.inf
    if math.isinf(score) or isinstance(value, bool):
        raise ValueError(f"{place}: expected a number, or an empty cell if there is no score, got {value!r}.")
    return score


def _default_label_columns(table: Table) -> list[str]:
    found: list[str] = [column for column in ("label", "labels") if column in table.columns]
    if not found:
        raise _missing_columns(table, ["label or labels"])
    if len(found) > 1:
        raise ValueError(f"{table.source} has a column label and a column labels: choose one in label_columns.")
    return found


def _missing_columns(table: Table, missing: list[str]) -> ValueError:
    return ValueError(
        f"{table.source} has no column {', '.join(missing)}; its columns are {', '.join(table.columns)}. "
        "Name yours in text_column and label_columns."
    )


def _ones(table: Table, index: int, columns: list[str]) -> list[str]:
    names = []
    for column in columns:
        value = table.rows[index].get(column)
        bit = _ZERO_ONE.get(str(value))
        if bit is None:
            raise ValueError(f"{table.where(index, column)}: expected 0 or 1, got {value!r}.")
        if bit:
            names.append(column)
    return names


def _listed_names(values: list[Any], declared: list[str] | None, place: str) -> list[str]:
    if declared is None and not all(isinstance(value, str) for value in values):
        raise ValueError(
            f"{place}: a list must hold label names, got {values!r}. For 0/1 targets, use one column per label."
        )
    return [_name(value, declared, place) for value in values]


def _name(value: Any, declared: list[str] | None, place: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise ValueError(f"{place}: expected a label, a string or an integer, got {value!r}.")
    if declared is None:
        return str(value)
    if isinstance(value, str) and value in declared:
        return value
    if isinstance(value, int) and 0 <= value < len(declared):
        return declared[value]
    raise ValueError(f"{place}: unknown label {value!r}; the labels are {', '.join(declared)}.")
