"""The data of a task in a run: selected labels, a sample of the texts, copies of rare ones."""

import logging

import numpy as np
from datasets import Dataset

from ..data import (
    TaskDataset,
    augment_rare_labels,
    load_task_dataset,
    load_texts,
    random_sample,
    sample_dialogues,
    select_labels,
    stratified_sample,
)
from .context_turns import check_context, read_in_context
from .data_arguments import DataArguments

logger = logging.getLogger(__name__)

# Related data where none are named: the most texts with the most emotions that can be had without asking anybody.
USUAL_RELATED = "goemotions"


def load_task(
    task: str,
    data: DataArguments,
    seed: int,
    in_dialogues: bool = False,
    loaded: TaskDataset | None = None,
    separator: str = "[SEP]",
) -> TaskDataset:
    """Load the data of a task, and select, sample and augment them according to the arguments.

    Args:
        task (`str`): The task, such as `"emotion"`.
        data ([`DataArguments`]): The options of all tasks.
        seed (`int`): Seed of samples and copies.
        in_dialogues (`bool`, defaults to `False`): Whether the texts must be utterances in dialogues.
        loaded ([`TaskDataset`], *optional*): The dataset, if already loaded.
        separator (`str`, defaults to `"[SEP]"`): What `--context_turns` puts between utterances.

    Raises:
        FileNotFoundError: If the data are not there.
        ValueError: If something that the task needs is missing, or there are too few texts.
    """
    dataset = loaded or _load(task, data)
    if task == "emotion" and data.emotion_labels is not None:
        dataset = select_labels(dataset, data.emotion_labels, data.rows_without_labels)
    turns = data.context_turns if task == "emotion" else 0
    if in_dialogues or turns:
        check_context(dataset, data.unlabelled_rows)
    dataset.splits["train"] = sample_train(dataset, data.sample_size(task, len(dataset.splits["train"])), seed)
    if turns:
        dataset = read_in_context(dataset, turns, separator)
    if task == "emotion" and data.augment_rare:
        dataset = augment_rare_labels(dataset, data.augment_rare, data.augmentations, seed)
    return dataset


def _load(task: str, data: DataArguments) -> TaskDataset:
    name = data.dataset(task)
    if name is None:
        return _usual_related(data)
    load = load_texts if task == "unlabelled" else load_task_dataset
    return load(name, data_dir=data.data_dir, **data.columns(task))


def _usual_related(data: DataArguments) -> TaskDataset:
    """The related data of a run that names none: all other tasks have defaults of their own."""
    if data.dataset("emotion") == USUAL_RELATED:
        raise ValueError(
            f"{USUAL_RELATED} is what the recipe would learn from first, and is the emotion data here. Name other data "
            "in --related_dataset, such as dair-emotion."
        )
    logger.info(
        "The recipe first learns from %s, since no --related_dataset is named. It may name a registered dataset, a "
        "file, a folder or a dataset on the Hub: texts with many labels, the nearer to yours the better.",
        USUAL_RELATED,
    )
    try:
        return load_task_dataset(USUAL_RELATED, data_dir=data.data_dir)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"The recipe first learns from {USUAL_RELATED}, unless --related_dataset names other data. {error}\n"
            "Without any, take --recipe bert-head-rate, which learns from your own texts alone."
        ) from error


def sample_train(dataset: TaskDataset, size: int, seed: int) -> Dataset:
    """Sample the training texts of a dataset: whole dialogues, or else stratified by label if there are labels.

    Args:
        dataset ([`TaskDataset`]): The dataset.
        size (`int`): Number of texts; all if there are no more.
        seed (`int`): Seed of the draw.
    """
    train = dataset.splits["train"]
    if size >= len(train):
        return train
    if "dialogue_id" in train.column_names:
        return sample_dialogues(train, size, seed)
    if dataset.problem_type == "regression":
        return train.select(random_sample(len(train), size, seed))
    # A label that nobody annotated counts as absent here.
    return train.select(stratified_sample(np.nan_to_num(dataset.targets("train")), size, seed))
