"""The training texts of a dataset in folds, each held out once as dev."""

import dataclasses

import datasets
import numpy as np

from .sampling import stratified_folds
from .task_dataset import TaskDataset


def cross_folds(data: TaskDataset, folds: int, seed: int = 42) -> list[TaskDataset]:
    """Hold out each fold of the training texts once. The dev texts of the dataset are in none of them.

    Folds are stratified by label, and no dialogue, writer or repeated text is in two.

    Args:
        data ([`TaskDataset`]): Data with labels.
        folds (`int`): How many folds, at least two.
        seed (`int`, defaults to 42): The folds are the same for the same seed.

    Returns:
        `list[TaskDataset]`: For each fold the same dataset with it as `dev`, and the other folds as `train`.

    Raises:
        ValueError: If there are fewer texts, writers or dialogues than folds.
    """
    train = data.splits["train"]
    # What nobody annotated is drawn as if it were absent.
    parts = stratified_folds(np.nan_to_num(data.targets("train")), folds, seed, data.row_groups("train"))
    held_out = [parts == fold for fold in range(folds)]
    return [
        dataclasses.replace(
            data,
            splits=datasets.DatasetDict(
                {"train": train.select(np.flatnonzero(~rows)), "dev": train.select(np.flatnonzero(rows))}
            ),
        )
        for rows in held_out
    ]


__all__ = ["cross_folds"]
