"""The label space of a dataset: restricted to some labels, or that of a model."""

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Any

import datasets
import numpy as np

from .label_values import NO_CLASS
from .mapped_rows import map_rows
from .task_dataset import TaskDataset

ROWS_WITHOUT_LABELS = ("keep", "drop")


def select_labels(
    dataset: TaskDataset, labels: Sequence[str], rows_without_labels: str = "keep", option: str = "--emotion_labels"
) -> TaskDataset:
    """Restrict a dataset to some of its labels.

    Args:
        dataset ([`TaskDataset`]): Multi-label data.
        labels (`Sequence[str]`): The labels to keep; the targets then have this order.
        rows_without_labels (`str`, defaults to `"keep"`): Whether texts with none of them are kept, with all-zero
            targets (`"keep"`), or dropped from every split (`"drop"`).
        option (`str`, defaults to `"--emotion_labels"`): What error messages call the labels.

    Returns:
        `TaskDataset`, with a note on what was done.

    Raises:
        ValueError: If the data are single-label, a label is unknown or given twice, `rows_without_labels` is neither of
            the two, or a split would have no rows left.
    """
    given = f"{option} {' '.join(labels)}"
    if rows_without_labels not in ROWS_WITHOUT_LABELS:
        raise ValueError(
            f"--rows_without_labels must be {' or '.join(ROWS_WITHOUT_LABELS)}, got {rows_without_labels!r}."
        )
    if dataset.problem_type != "multi_label_classification":
        raise ValueError(
            f"{given}: only multi-label data can be restricted, and {dataset.name} has one label per text."
        )
    unknown = [label for label in labels if label not in dataset.labels]
    if unknown:
        raise ValueError(
            f"{given}: {dataset.name} has no label {', '.join(unknown)}; it has {', '.join(dataset.labels)}."
        )
    if not labels or len(set(labels)) != len(labels):
        raise ValueError(f"{given}: give at least one label, and each only once.")
    columns = [dataset.labels.index(label) for label in labels]
    splits, counts = datasets.DatasetDict(), []
    for split, rows in dataset.splits.items():
        present = np.nan_to_num(dataset.targets(split)[:, columns]).any(axis=1)
        kept = rows.select(np.flatnonzero(present)) if rows_without_labels == "drop" else rows
        if not len(kept):
            raise ValueError(f"{given}: no text of the {split} split of {dataset.name} has any of them.")
        change = partial(_select_columns, columns=columns)
        splits[split] = map_rows(kept, change, {"columns": columns}, features=rows.features)
        counts.append(f"{(~present).sum()} of {len(rows)} {split} texts")
    done = "left out" if rows_without_labels == "drop" else "kept, without a label"
    note = f"Restricted to the labels {', '.join(labels)}. Texts with none of them were {done}: {', '.join(counts)}."
    return dataclasses.replace(dataset, labels=list(labels), splits=splits, notes=[*dataset.notes, note])


def in_label_space(
    dataset: TaskDataset,
    labels: Sequence[str],
    problem_type: str | None,
    *,
    columns: Sequence[str] | None = None,
    owner: str = "The model",
) -> TaskDataset:
    """Express the targets of a dataset in the label space of a model, so that columns belong to its outputs.

    The labels of the dataset may come in another order, and not all of them need to occur in its texts. But if each
    label has a column of its own, none may be left out: nothing is known about it then.

    Args:
        dataset ([`TaskDataset`]): The dataset.
        labels (`Sequence[str]`): Names of the model's labels, in the order of its outputs.
        problem_type (`str`, *optional*): The model's problem type, if it states one.
        columns (`Sequence[str]`, *optional*): Label columns that the dataset was loaded with.
        owner (`str`, defaults to `"The model"`): What error messages call the model.

    Returns:
        `TaskDataset` with these labels, in this order.

    Raises:
        ValueError: If the problem types differ, or the dataset has other labels or lacks one.
    """
    further = [label for label in dataset.labels if label not in labels]
    lacking = [label for label in labels if label not in dataset.labels]
    single = dataset.problem_type == "single_label_classification"
    occurring = single or (dataset.info is None and dataset.problem_type != "regression" and len(columns or ()) < 2)
    if further or (lacking and not occurring):
        raise ValueError(
            f"{owner} has the labels {', '.join(labels)}, but {dataset.name} has {', '.join(dataset.labels)}."
            + (" --labels restricts multi-label data to some labels." if further and not lacking else "")
        )
    if problem_type is not None and dataset.problem_type != problem_type:
        raise ValueError(f"{owner} is for {problem_type}, but {dataset.name} is {dataset.problem_type}.")
    if dataset.labels == list(labels):
        return dataset
    if single:
        places = [list(labels).index(label) for label in dataset.labels]
    else:
        places = [dataset.labels.index(label) if label in dataset.labels else -1 for label in labels]
    change, made_from = partial(_renumber if single else _reorder, places=places), {"places": places, "single": single}
    splits = datasets.DatasetDict()
    for split, rows in dataset.splits.items():
        splits[split] = map_rows(rows, change, made_from, features=rows.features)
    return dataclasses.replace(dataset, labels=list(labels), splits=splits)


def _renumber(batch: dict[str, Any], places: list[int]) -> dict[str, Any]:
    return {"labels": [label if label == NO_CLASS else places[label] for label in batch["labels"]]}


def _reorder(batch: dict[str, Any], places: list[int]) -> dict[str, Any]:
    return {"labels": [[target[place] if place >= 0 else 0.0 for place in places] for target in batch["labels"]]}


def _select_columns(batch: dict[str, Any], columns: list[int]) -> dict[str, Any]:
    return {"labels": [[target[column] for column in columns] for target in batch["labels"]]}


__all__ = ["ROWS_WITHOUT_LABELS", "in_label_space", "select_labels"]
