"""Texts that one task trains on and another is scored on, where one model learns both."""

import dataclasses
import logging
from collections.abc import Mapping, Sequence

import datasets
import numpy as np

from ..data import ColumnValues, TaskDataset
from ..recipes import Stage

logger = logging.getLogger(__name__)


def without_held_out_texts(tasks: Mapping[str, TaskDataset], stages: Sequence[Stage]) -> dict[str, TaskDataset]:
    """Leave out training texts of a task that are dev texts of another, if a stage learns both.

    The labels of one task often give those of the other away: in BRIGHTER, a label is there if its intensity is above
    0, and over half of the Amharic dev texts with intensities are in train with their labels. Other stages of the run
    get the same texts, so that comparisons with models of one task are fair.

    Args:
        tasks (`Mapping[str, TaskDataset]`): Data by task.
        stages (`Sequence[Stage]`): The stages of a run.

    Returns:
        `dict[str, TaskDataset]`, with a note in the data that lost texts.

    Raises:
        ValueError: If no training text of a task is left.
    """
    together = {(task, other) for stage in stages for task in stage.tasks for other in stage.tasks if task != other}
    found = dict(tasks)
    for task, dataset in tasks.items():
        others = [other for other in tasks if (task, other) in together and "dev" in tasks[other].splits]
        held_out = {text for other in others for text in ColumnValues(tasks[other].splits["dev"], "text")}
        if not held_out:
            continue
        train = dataset.splits["train"]
        kept = np.array([text not in held_out for text in ColumnValues(train, "text")])
        if kept.all():
            continue
        names = ", ".join(tasks[other].name for other in others)
        if not kept.any():
            raise ValueError(f"{dataset.name}: all of its training texts are dev texts of {names}.")
        note = f"{int((~kept).sum())} training texts were left out, which are dev texts of {names}."
        logger.warning("%s: %s", dataset.name, note)
        splits = datasets.DatasetDict({**dataset.splits, "train": train.select(np.flatnonzero(kept))})
        found[task] = dataclasses.replace(dataset, splits=splits, notes=[*dataset.notes, note])
    return found


__all__ = ["without_held_out_texts"]
