"""Utterances in dialogues: their place, and the rows of a dataset grouped by dialogue."""

from typing import Any

import datasets
import numpy as np

from .sampling import stratified_split
from .tables import Table, require_text

# Besides text and labels: the utterance's dialogue, its place in it, and its speaker.
DIALOGUE_COLUMNS = {
    "dialogue_id": datasets.Value("string"),
    "utterance_id": datasets.Value("int64"),
    "speaker": datasets.Value("string"),
}

# Far more than most dialogues have.
MAX_UTTERANCES = 64


def utterance_place(table: Table, index: int) -> dict[str, Any]:
    """The place of an utterance, according to a table with the column `dialogue_id`.

    Args:
        table (`Table`): The table. Without the column `utterance_id`, utterances are in the order of the rows; without
            `speaker`, all are by one speaker.
        index (`int`): Row number in this table.

    Returns:
        `dict` of `dialogue_id`, `utterance_id` and `speaker`; empty if the table has no dialogues.

    Raises:
        ValueError: If a dialogue or a speaker is blank, or an utterance_id is not a whole number.
    """
    if "dialogue_id" not in table.columns:
        return {}
    row = {"speaker": "-", "utterance_id": table.start + index} | table.rows[index]
    place = {}
    for name in ("dialogue_id", "speaker"):
        value = row.get(name)
        # JSON and Parquet may hold numbers.
        place[name] = require_text(str(value) if isinstance(value, int) else value, table.where(index, name))
    number = str(row["utterance_id"]).strip()
    if not number.isdecimal():
        raise ValueError(f"{table.where(index, 'utterance_id')}: expected a whole number, got {number!r}.")
    return {**place, "utterance_id": int(number)}


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
    return rows.select(stratified_split(np.asarray(rows["labels"]), size / len(rows), seed, dialogues)[1])


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
