"""How the label columns of a table are read: as 0/1 columns, as lists of labels or as one label."""

from collections.abc import Sequence
from typing import Any, Protocol

import datasets

from .label_names import check_label_names
from .label_values import is_not_annotated, read_value, whole_number, zero_or_one
from .tables import Table
from .texts import require_encodable


class NamesReader(Protocol):
    """Reads the names of a row's labels."""

    @property
    def problem_type(self) -> str | None:
        """Problem type of the table, if it can be told."""
        ...

    @property
    def declared(self) -> list[str] | None:
        """The label space, if it is known without reading the rows."""
        ...

    def names(self, index: int) -> list[str] | None:
        """Names of a row's labels; `None` if it is not labelled. Raises a `ValueError` if they are not valid."""
        ...


def names_reader(table: Table, label_columns: Sequence[str], label_names: Sequence[str] | None) -> NamesReader:
    """What reads the labels of a table.

    Args:
        table (`Table`): The table.
        label_columns (`Sequence[str]`): Its label columns.
        label_names (`Sequence[str]`, *optional*): All labels, in order, for a single label column.

    Raises:
        ValueError: If `label_names` do not fit the columns.
    """
    if len(label_columns) == 1:
        return _OneColumn(table, label_columns[0], label_names)
    if label_names is not None:
        raise ValueError(
            f"{table.source}: label_names are for one label column, but there are {len(label_columns)} label_columns, "
            "whose names are the labels. Give one of the two."
        )
    return _ZeroOneColumns(table, list(label_columns))


class _ZeroOneColumns:
    """Several columns of 0 and 1, one per label."""

    problem_type = "multi_label_classification"

    def __init__(self, table: Table, columns: list[str]) -> None:
        self.table, self.declared = table, columns

    def names(self, index: int) -> list[str] | None:
        row, names, annotated = self.table.rows[index], [], True
        for column in self.declared:
            value = row.get(column)
            bit = zero_or_one(value)
            if bit:
                names.append(column)
            elif bit is None and is_not_annotated(value, ()):
                annotated = False
            elif bit is None:
                raise ValueError(f"{self.table.where(index, column)}: expected 0 or 1, got {value!r}.")
        return names if annotated else None


class _OneColumn:
    """One column, of lists of labels or of one label per row, as its first value that is not blank shows."""

    def __init__(self, table: Table, column: str, label_names: Sequence[str] | None) -> None:
        check_label_names(label_names)
        self.table, self.column = table, column
        feature = (table.features or {}).get(column)
        class_label = getattr(feature, "feature", feature)  # of a list's elements, or of the column
        class_names = list(class_label.names) if isinstance(class_label, datasets.ClassLabel) else None
        if class_names and label_names is not None and class_names != list(label_names):
            raise ValueError(
                f"{table.source}: column {column!r} has the labels {', '.join(class_names)} itself, which are not the "
                f"label_names {', '.join(label_names)}. Leave label_names out."
            )
        self.declared = class_names or (None if label_names is None else list(label_names))
        # Numbers in lists are ids if the file declares names for them; otherwise one 0 or 1 per label.
        self.has_ids = class_names is not None
        is_list_column = isinstance(feature, datasets.List | list | datasets.LargeList)
        self.first = self._first_value()
        self.lists = is_list_column or isinstance(self.first, list)
        known = is_list_column or self.first is not None
        kind = "multi_label_classification" if self.lists else "single_label_classification"
        self.problem_type = kind if known else None

    def names(self, index: int) -> list[str] | None:
        place = self.table.where(index, self.column)
        value = read_value(self.table.rows[index].get(self.column), place, self.declared or ())
        if self.declared and is_not_annotated(value, self.declared):
            return None
        if value is None:
            return [] if self.lists else None
        if isinstance(value, list) != self.lists:
            raise ValueError(
                f"{place}: {value!r}, but other rows of the column have {self.first!r}: use lists in all rows or in "
                "none."
            )
        return self._listed(value, place) if self.lists else [self._name(value, place)]

    def _first_value(self) -> Any:
        rows = self.table.rows if self.table.first is None else [self.table.first, *self.table.rows]
        for row in rows:
            try:
                value = read_value(row.get(self.column), "", self.declared or ())
            except ValueError:
                continue  # raised again, with its place, when the row is read
            if value is not None and not (self.declared and is_not_annotated(value, self.declared)):
                return value
        return None

    def _listed(self, values: list[Any], place: str) -> list[str]:
        if all(isinstance(value, str) for value in values) or self.has_ids:
            return [self._name(value, place) for value in values]
        if self.declared is None:
            raise ValueError(
                f"{place}: a list must hold label names, got {values!r}. If there is a 0 or 1 for each label, name the "
                "labels, in the same order, in label_names."
            )
        bits = [zero_or_one(value) for value in values]
        if None in bits or len(bits) != len(self.declared):
            raise ValueError(
                f"{place}: expected {len(self.declared)} times 0 or 1, one for each of label_names, got {values!r}."
            )
        return [name for name, bit in zip(self.declared, bits, strict=True) if bit]

    def _name(self, value: Any, place: str) -> str:
        if not isinstance(value, str | int) or value == "":
            raise ValueError(f"{place}: expected a label, a string or an integer, got {value!r}.")
        if self.declared is None:
            return require_encodable(str(value), place)
        if str(value) in self.declared:
            return str(value)
        number = whole_number(value)
        # In a file that declares names, a string is a name: numbers in writing are those of files without types.
        if number is not None and 0 <= number < len(self.declared) and not (self.has_ids and isinstance(value, str)):
            return self.declared[number]
        raise ValueError(f"{place}: unknown label {value!r}; the labels are {', '.join(self.declared)}.")
