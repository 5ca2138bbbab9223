"""Utterances in dialogues: their place, and the rows of a dataset grouped by dialogue."""

from collections.abc import Mapping, Sequence
from typing import Any

import datasets
import numpy as np

from .label_values import whole_number
from .sampling import stratified_split
from .tables import Table
from .texts import require_text

# Besides text and labels: the utterance's dialogue, its place in it, and its speaker.
DIALOGUE_COLUMNS = {
    "dialogue_id": datasets.Value("string"),
    "utterance_id": datasets.Value("int64"),
    "speaker": datasets.Value("string"),
}

# Far more than most dialogues have.
MAX_UTTERANCES = 64


def dialogue_columns_of(table: Table, own: Sequence[str] | None = None) -> dict[str, str] | None:
    """The columns of a table that place its utterances.

    Args:
        table (`Table`): The table.
        own (`Sequence[str]`, *optional*): One to three names of columns that stand for those of `DIALOGUE_COLUMNS`, in
            that order.

    Returns:
        `dict[str, str]` from the names in `DIALOGUE_COLUMNS` to those in the table; `None` if the table has no
        dialogues.

    Raises:
        ValueError: If a column of `own` is missing.
    """
    own = own or []
    missing = [column for column in own if column not in table.columns]
    if missing:
        raise ValueError(
            f"{table.source} has no column {', '.join(missing)}, named in dialogue_columns; its columns are "
            f"{', '.join(table.columns)}."
        )
    columns = {name: own[number] if number < len(own) else name for number, name in enumerate(DIALOGUE_COLUMNS)}
    return columns if columns["dialogue_id"] in table.columns else None


def utterance_place(table: Table, index: int, columns: Mapping[str, str] | None) -> dict[str, Any]:
    """The place of an utterance, according to the columns of its table.

    Args:
        table (`Table`): The table. Without the column of `utterance_id`, utterances are in the order of the rows;
            without that of `speaker`, all are by one speaker.
        index (`int`): Row number in this table.
        columns (`Mapping[str, str]`, *optional*): What [`dialogue_columns_of`] returns for the table.

    Returns:
        `dict` of `dialogue_id`, `utterance_id` and `speaker`; empty if the table has no dialogues.

    Raises:
        ValueError: If a dialogue or a speaker is blank, or an utterance_id is not a whole number.
    """
    if columns is None:
        return {}
    row = {columns["speaker"]: "-", columns["utterance_id"]: table.start + index} | table.rows[index]
    place: dict[str, Any] = {}
    for name in ("dialogue_id", "speaker"):
        value = row.get(columns[name])
        # JSON and Parquet may hold numbers, and pandas makes floats of those in columns with gaps.
        number = None if isinstance(value, str) else whole_number(value)
        place[name] = require_text(value if number is None else str(number), table.where(index, columns[name]))
    value = row[columns["utterance_id"]]
    number = whole_number(value)
    if number is None or number < 0:
        raise ValueError(f"{table.where(index, columns['utterance_id'])}: expected a whole number, got {value!r}.")
    return {**place, "utterance_id": number}


def check_dialogues(splits: datasets.DatasetDict, source: str) -> None:
    """Check that texts are utterances in dialogues.

    Raises:
        ValueError: If a split has no dialogues.
    """
    for split, rows in splits.items():
        if "dialogue_id" not in rows.column_names:
            raise ValueError(
                f"{source} ({split}) has no column dialogue_id, so it is unknown which utterances make a dialogue. Add "
                "dialogue_id, utterance_id (the place in the dialogue) and speaker, or choose a dataset of dialogues "
                "such as meld."
            )


def sample_dialogues(rows: datasets.Dataset, size: int, seed: int) -> datasets.Dataset:
    """Sample whole dialogues, about `size` rows, so that each label keeps its share.

    Args:
        rows (`Dataset`): Rows of `labels` and `dialogue_id`.
        size (`int`): Number of rows; fewer than there are.
        seed (`int`): Seed of the draw.
    """
    dialogues = np.asarray(rows["dialogue_id"])
    # NaN are the labels of utterances that are context alone.
    labels = np.nan_to_num(np.asarray(rows["labels"]))
    return rows.select(stratified_split(labels, size / len(rows), seed, dialogues)[1])


def dialogue_rows(rows: datasets.Dataset, max_utterances: int) -> list[np.ndarray]:
    """The row numbers of each dialogue, in the order of its utterances.

    Args:
        rows (`Dataset`): Rows with the columns of `DIALOGUE_COLUMNS`.
        max_utterances (`int`): Longer dialogues are cut into pieces of at most this many utterances.

    Returns:
        `list[np.ndarray]`: Each row occurs once; dialogues are in the order in which they first appear.
    """
    found: dict[str, list[int]] = {}
    for number, dialogue in enumerate(rows["dialogue_id"]):
        found.setdefault(dialogue, []).append(number)
    places = rows["utterance_id"]
    dialogues = [np.array(sorted(numbers, key=lambda number: places[number])) for numbers in found.values()]
    return [
        dialogue[start : start + max_utterances]
        for dialogue in dialogues
        for start in range(0, len(dialogue), max_utterances)
    ]
