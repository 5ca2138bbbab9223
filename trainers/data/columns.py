"""From the label columns of a table to targets: which column holds what, and which label names occur."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import datasets

from .dialogues import DIALOGUE_COLUMNS, dialogue_columns_of, utterance_place
from .label_names import sort_names
from .label_readers import names_reader
from .label_values import NO_CLASS
from .row_check import RowCheck
from .tables import Table
from .texts import require_text

_Row = TypeVar("_Row")


@dataclass(frozen=True)
class NamedRows:
    """
    The texts of a table, with their labels by name. Rows that are not valid are not among them, and those that are not
    labelled only if they are kept as context.

    Args:
        table (`Table`): Where they come from.
        label_column (`str`): The label column, or the first of several, for error messages.
        problem_type (`str`, *optional*): `"multi_label_classification"` or `"single_label_classification"`; `None` if
            no row has a label from which to tell.
        indices (`list[int]`): The number of each row in the table.
        texts (`list[str]`): The texts.
        names (`list[list[str] | None]`): Label names of each text, exactly one for single-label data; `None` for a text
            that is not labelled.
        declared (`list[str]`, *optional*): The label space, if the columns, their features or an option define it.
    """

    table: Table
    label_column: str
    problem_type: str | None
    indices: list[int]
    texts: list[str]
    names: list[list[str] | None]
    declared: list[str] | None

    def label_space(self) -> list[str]:
        """Label names: the declared ones, or those that occur, in order."""
        return self.declared or sort_names({name for row in self.names for name in row or ()})

    def encode(
        self,
        labels: Sequence[str],
        problem_type: str,
        check: RowCheck | None = None,
        dialogue_columns: Sequence[str] | None = None,
        owner: str | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of `text` and `labels` in a given label space, that of the train split.

        Args:
            labels (`Sequence[str]`): Label names.
            problem_type (`str`): Problem type of the train split.
            check ([`RowCheck`], *optional*): Told of rows that are not valid; by default they are errors.
            dialogue_columns (`Sequence[str]`, *optional*): As in
                [`~trainers.data.dialogues.dialogue_columns_of`].
            owner (`str`, *optional*): What error messages call the model whose label space it is; by default it is
                that of train.

        Returns:
            `list[dict]` with `text` (`str`) and `labels` (`list[float]` multi-hot, or `int` class id; NaN or -100 for a
            text that is not labelled), and, for utterances, the columns of
            [`~trainers.data.dialogues.utterance_place`].

        Raises:
            ValueError: If a label is not in the space, the table has another space or problem type, or rows that are
                not labelled are not in a dialogue.
        """
        if self.problem_type not in (None, problem_type):
            raise ValueError(
                f"{self.table.source}: column {self.label_column!r} makes it {self.problem_type}, but train is "
                f"{problem_type}."
            )
        if self.declared and self.declared != list(labels):
            raise ValueError(
                f"{self.table.source} has the labels {', '.join(self.declared)}, but train has {', '.join(labels)}."
            )
        index = {name: i for i, name in enumerate(labels)}
        of_dialogue = dialogue_columns_of(self.table, dialogue_columns)
        if of_dialogue is None and None in self.names:
            raise ValueError(
                f"{self.table.source}: --unlabelled_rows context is for utterances in dialogues, but there is no "
                "column dialogue_id. Leave unlabelled rows out with --unlabelled_rows skip."
            )

        def encode_row(number: int) -> dict[str, Any]:
            row, names = self.indices[number], self.names[number]
            for name in names or ():
                if name not in index:
                    place = self.table.where(row, self.label_column)
                    unknown = f"is not a label of {owner}" if owner else "does not occur in train"
                    raise ValueError(f"{place}: label {name!r} {unknown}; its labels: {', '.join(labels)}.")
            single = problem_type == "single_label_classification"
            target: int | list[float]
            if names is None:
                target = NO_CLASS if single else [math.nan] * len(labels)
            else:
                target = index[names[0]] if single else [float(name in names) for name in labels]
            further = utterance_place(self.table, row, of_dialogue) | _language(self.table, row, (self.label_column,))
            return {"text": self.texts[number], "labels": target} | further

        places = [self.table.place(row) for row in self.indices]
        return [row for _, row in valid_rows(self.table.source, places, encode_row, check or RowCheck())]


def valid_rows(
    source: str, places: Sequence[str], read: Callable[[int], _Row], check: RowCheck
) -> Iterator[tuple[int, _Row]]:
    """The rows that can be read, by number; `check` is told of the others.

    Args:
        source (`str`): Where the rows come from.
        places (`Sequence[str]`): The place of each row there.
        read (`Callable`): Returns the row of a number, or raises a `ValueError`.
        check ([`RowCheck`]): Told of rows for which it does.
    """
    for number, place in enumerate(places):
        try:
            row = read(number)
        except ValueError as error:
            check.refuse(error, source, place)
            continue
        yield number, row


def name_rows(
    table: Table,
    text_column: str | None = None,
    label_columns: Sequence[str] | None = None,
    label_names: Sequence[str] | None = None,
    check: RowCheck | None = None,
) -> NamedRows:
    """Read the text column and the label columns of a table.

    - Several label columns: one label each, with the values 0 and 1, false and true, or blank for 0 (multi-label).
    - One label column of lists: label names, ids of a `ClassLabel`, or, with `label_names`, 0 and 1 for each of these
      (multi-label). The lists may be written as strings, as pandas writes them to CSV. A blank value is an empty list.
    - One label column of strings, integers or booleans: the label, or its number in a `ClassLabel` or in `label_names`
      (single-label).

    A row is unlabelled if its only label is blank, or if it has the value -1 where that is not a label.

    Args:
        table (`Table`): The table.
        text_column (`str`, *optional*): The column of the texts; `text` by default.
        label_columns (`Sequence[str]`, *optional*): The columns of the labels; `label` or `labels` by default.
        label_names (`Sequence[str]`, *optional*): All labels, in order, for a single label column.
        check ([`RowCheck`], *optional*): Told of rows that are not valid or not labelled; by default they are errors.

    Returns:
        `NamedRows`.

    Raises:
        ValueError: If a column is missing, a text is empty or a label is not valid.
    """
    own_check = check is None
    check = check or RowCheck()
    text_column = text_column or "text"
    label_columns = list(label_columns or _default_label_columns(table))
    missing = [column for column in (text_column, *label_columns) if column not in table.columns]
    if missing:
        raise _missing_columns(table, missing)
    reader = names_reader(table, label_columns, label_names)

    def read(index: int) -> tuple[str, list[str] | None]:
        text = require_text(table.rows[index].get(text_column), table.where(index, text_column))
        return text, reader.names(index)

    places = [table.place(index) for index in range(len(table.rows))]
    indices: list[int] = []
    texts: list[str] = []
    names: list[list[str] | None] = []
    for index, (text, found) in valid_rows(table.source, places, read, check):
        if found is None:
            check.unlabelled(table.source, places[index])
            if not check.keeps_unlabelled_rows:
                continue
        indices.append(index)
        texts.append(text)
        names.append(found)
    if own_check:
        check.finish(table.source)
    return NamedRows(table, label_columns[0], reader.problem_type, indices, texts, names, reader.declared)


def score_rows(
    table: Table, score_columns: Sequence[str], text_column: str | None = None, check: RowCheck | None = None
) -> list[dict[str, Any]]:
    """Read the text column and the score columns of a table, for regression.

    Args:
        table (`Table`): The table.
        score_columns (`Sequence[str]`): The score columns. An empty cell, `nan` or `null` means that there is no
            score.
        text_column (`str`, *optional*): The column of the texts; `text` by default.
        check ([`RowCheck`], *optional*): Told of rows that are not valid; by default they are errors.

    Returns:
        `list[dict]` with `text` (`str`) and `labels` (`list[float]`, one per column, NaN where there is no score).

    Raises:
        ValueError: If a column is missing, a text is empty or a score is not a number.
    """
    text_column = text_column or "text"
    missing = [column for column in (text_column, *score_columns) if column not in table.columns]
    if missing:
        raise _missing_columns(table, missing)

    def read(index: int) -> dict[str, Any]:
        row = table.rows[index]
        return {
            "text": require_text(row.get(text_column), table.where(index, text_column)),
            "labels": [_score(row.get(column), table.where(index, column)) for column in score_columns],
            **_language(table, index, (text_column, *score_columns)),
        }

    places = [table.place(index) for index in range(len(table.rows))]
    return [row for _, row in valid_rows(table.source, places, read, check or RowCheck())]


def row_features(problem_type: str, columns: Collection[str]) -> datasets.Features:
    """Column types of a split.

    Args:
        problem_type (`str`): Of the task.
        columns (`Collection[str]`): The columns of its rows. Besides `text` and `labels`, only those of
            [`~trainers.data.dialogues.DIALOGUE_COLUMNS`], `group` and `language` are kept.
    """
    single = problem_type == "single_label_classification"
    target = datasets.Value("int64") if single else datasets.List(datasets.Value("float32"))
    further = DIALOGUE_COLUMNS | {column: datasets.Value("string") for column in ("group", "language")}
    kept = {column: kind for column, kind in further.items() if column in columns}
    return datasets.Features({"text": datasets.Value("string"), "labels": target} | kept)


def _language(table: Table, index: int, others: Collection[str]) -> dict[str, str]:
    """The language of a row, if the table has a column for it that is none of the others."""
    if "language" not in table.columns or "language" in others:
        return {}
    return {"language": str(table.rows[index].get("language") or "")}


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
