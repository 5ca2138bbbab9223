"""The data of one task, as a run asks for them: chosen labels, a share of the texts, copies of rare ones."""

from datasets import Dataset

from ..data import (
    TaskDataset,
    augment_rare_labels,
    check_dialogues,
    load_task_dataset,
    load_texts,
    random_sample,
    sample_dialogues,
    select_labels,
    stratified_sample,
)
from .data_arguments import DataArguments


def load_task(
    task: str, data: DataArguments, seed: int, in_dialogues: bool = False, loaded: TaskDataset | None = None
) -> TaskDataset:
    """Load a task's data set and make of it what the arguments ask for.

    Args:
        task (`str`): The task, such as `"emotion"`.
        data ([`DataArguments`]): The options of all tasks.
        seed (`int`): Of samples and copies.
        in_dialogues (`bool`, defaults to `False`): Whether the texts are to stand in dialogues.
        loaded ([`TaskDataset`], *optional*): The data set, where it is loaded already.

    Raises:
        ValueError: If no data are given for the task, they lack what it needs, or have too few texts.
    """
    name = data.dataset(task)
    if name is None:
        raise ValueError(f"The chosen recipe needs --{task}_dataset, such as goemotions.")
    load = load_texts if task == "unlabelled" else load_task_dataset
    dataset = loaded or load(name, data_dir=data.data_dir, **data.columns(task))
    if task == "emotion" and data.emotion_labels is not None:
        dataset = select_labels(dataset, data.emotion_labels, data.rows_without_labels)
    if in_dialogues:
        check_dialogues(dataset.splits, dataset.name)
    dataset.splits["train"] = sample_train(dataset, data.sample_size(task, len(dataset.splits["train"])), seed)
    if task == "emotion" and data.augment_rare:
        dataset = augment_rare_labels(dataset, data.augment_rare, data.augmentations, seed)
    return dataset


def sample_train(dataset: TaskDataset, size: int, seed: int) -> Dataset:
    """Some of the training texts of a dataset: whole dialogues, else stratified by label where there are labels.

    Args:
        dataset ([`TaskDataset`]): The dataset.
        size (`int`): How many texts; all where there are not more.
        seed (`int`): Seed of the draw.
    """
    train = dataset.splits["train"]
    if size >= len(train):
        return train
    if "dialogue_id" in train.column_names:
        return sample_dialogues(train, size, seed)
    if dataset.problem_type == "regression":
        return train.select(random_sample(len(train), size, seed))
    return train.select(stratified_sample(dataset.targets("train"), size, seed))
