"""Utterances joined with those before them, for recipes that read single texts."""

import dataclasses

import datasets
import numpy as np

from modeling_csr import utterance_in_context

from ..data import TaskDataset, check_dialogues, dialogue_rows, is_labelled


def check_context(dataset: TaskDataset, unlabelled_rows: str) -> None:
    """Check that texts are utterances in dialogues, and that those without a label are there to be read.

    Raises:
        ValueError: If they are not.
    """
    check_dialogues(dataset.splits, dataset.name)
    if dataset.info is not None and dataset.info.has_context and unlabelled_rows != "context":
        raise ValueError(
            f"{dataset.name} has utterances without a label, which are read as context here: give --unlabelled_rows "
            "context."
        )


def read_in_context(dataset: TaskDataset, turns: int, separator: str) -> TaskDataset:
    """Join each labelled utterance with those before it.

    Args:
        dataset ([`TaskDataset`]): Utterances in dialogues.
        turns (`int`): The number of utterances before each that are read, at most.
        separator (`str`): What stands between two utterances.

    Returns:
        [`TaskDataset`] without the utterances that have no label, and with a note that says how texts are made.
    """
    splits = datasets.DatasetDict()
    for split, rows in dataset.splits.items():
        columns = rows.to_dict()
        texts, speakers = columns["text"], columns["speaker"]
        joined = list(texts)
        for dialogue in dialogue_rows(rows, len(rows)):
            for place, row in enumerate(dialogue):
                read = dialogue[max(0, place - turns) : place + 1]
                joined[row] = utterance_in_context([(speakers[one], texts[one]) for one in read], turns, separator)
        made = datasets.Dataset.from_dict({**columns, "text": joined}, features=rows.features)
        splits[split] = made.select(np.flatnonzero(is_labelled(dataset.targets(split))))
    note = (
        f'Each text is an utterance and, after it, up to {turns} of those before it, the latest first: "I am so sorry. '
        f'{separator} B: You had my keys all day?" A is whoever speaks the utterance, B the latest other speaker, and '
        "so on. The function utterance_in_context of modeling_csr makes such texts."
    )
    return dataclasses.replace(dataset, splits=splits, notes=[*dataset.notes, note])


__all__ = ["check_context", "read_in_context"]
