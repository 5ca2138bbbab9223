"""Trainer for the `csr-multitask` family: encoders with one or several heads, on texts that tasks may share."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import datasets
import numpy as np
import torch
from datasets import Features
from torch import nn
from torch.utils.data import Dataset, Sampler

from modeling_csr import MultitaskForSequenceClassification

from .data import ColumnValues, task_rows
from .loop import TaskBatches, TaskCollator, set_apart, text_lengths
from .trainer import StageTrainer

# Log variances need to move by several units; at an encoder's learning rate they would hardly move.
TASK_WEIGHT_LEARNING_RATE = 1e-2


class MultitaskTrainer(StageTrainer):
    """
    Trains [`MultitaskForSequenceClassification`].

    With one task, this is plain fine-tuning (`bert`, `model-1`, the encoders of Model-3). With several, plain datasets
    are dicts by task, `{"emotion": rows, "sentiment": rows}`; a text that is labelled for several tasks is read once, a
    batch may mix texts of different tasks, and `loss` is the weighted sum of the tasks' mean losses (`model-2`,
    All-in-One). Prepared datasets have one column `labels_<task>` per task. Arguments and errors are the same as for
    [`StageTrainer`].
    """

    model_classes = (MultitaskForSequenceClassification,)
    collator_class = TaskCollator

    def model_tasks(self) -> dict[str, dict[str, Any]]:
        return self.model.config.tasks

    def _set_option(self, task: str, name: str, value: list[Any]) -> None:
        self.tasks[task][name] = value

    # -- texts of several tasks ----------------------------------------------------------------------------------------

    def _is_plain(self, dataset: Any, split: str) -> bool:
        if not isinstance(dataset, Mapping):
            return super()._is_plain(dataset, split)
        if not set(dataset) <= set(self.tasks):
            # Several datasets to evaluate on one by one.
            return False
        return all(super(MultitaskTrainer, self)._is_plain(part, split) for part in dataset.values())

    def read(self, dataset: Any, split: str) -> dict[str, datasets.Dataset]:
        if not isinstance(dataset, Mapping):
            if len(self.tasks) > 1:
                raise ValueError(
                    f"The model has the tasks {', '.join(self.tasks)}: pass {split}_dataset as a dict with the texts "
                    "of each task."
                )
            dataset = dict.fromkeys(self.tasks, dataset)
        return {
            task: task_rows(
                rows,
                self.tasks[task]["labels"],
                self.tasks[task]["problem_type"],
                name=f"{split}_dataset[{task!r}]" if len(self.tasks) > 1 else f"{split}_dataset",
                column_mapping=self.column_mapping,
            )
            for task, rows in dataset.items()
        }

    def prepare_dataset(self, rows: dict[str, datasets.Dataset], split: str) -> Dataset:
        """The tokens of the texts, with one column `labels_<task>` per task."""
        parts = [
            part.select_columns(["text", "labels"]).rename_column("labels", f"labels_{task}")
            for task, part in rows.items()
        ]
        if len(parts) == 1:
            return self.tokenized(parts[0], split)
        if split == "train" and self.args.task_sampling == "by_task":
            return datasets.concatenate_datasets([self.tokenized(part, split) for part in parts])
        return self.tokenized(join_texts(parts), split)

    def task_row_numbers(self, task: str, labels: np.ndarray) -> np.ndarray:
        rows = self.plain_datasets.get("eval", {})
        if len(rows) < 2:
            return super().task_row_numbers(task, labels)
        return joined_rows(rows)[task]

    # -- the loss of several tasks -------------------------------------------------------------------------------------

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        losses = outputs["task_losses"]
        return {f"{task}_loss": loss for task, loss in losses.items()} if len(losses) > 1 else {}

    def loss_parts(self, outputs: Any, labels: Any, counts: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        model = self.accelerator.unwrap_model(self.model)
        return {
            task: model.weighted_loss(task, loss, labels[task], counts[task])
            for task, loss in outputs["task_losses"].items()
        }

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The same optimizer as in other stages, with a separate learning rate for learnt task weights."""
        optimizer = super().create_optimizer(model)
        variances = self.accelerator.unwrap_model(self.model).log_variances
        if variances is not None:
            options = {"lr": TASK_WEIGHT_LEARNING_RATE, "weight_decay": 0.0}
            set_apart(optimizer, variances.values(), lr_of="task_weights", **options)
        return optimizer

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        dataset: Any = self.train_dataset if train_dataset is None else train_dataset
        names = list(self.tasks)
        if self.args.task_sampling != "by_task" or len(names) == 1:
            return super()._get_train_sampler(dataset)
        tasks = [next(name for name in names if row.get(f"labels_{name}") is not None) for row in dataset]
        lengths = text_lengths(dataset) if self.args.train_sampling_strategy == "group_by_length" else None
        return TaskBatches(tasks, lengths, self.global_batch_size, self.sampling_seed)


def numbered(texts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Yield each text with the number of times it has occurred before."""
    seen: Counter[str] = Counter()
    for text in texts:
        yield text, seen[text]
        seen[text] += 1


def join_texts(parts: Sequence[datasets.Dataset]) -> datasets.Dataset:
    """Join the rows of several datasets by their text.

    If a text occurs twice in a dataset, there are two rows of it: first occurrences are joined with each other, and so
    are second ones.

    Args:
        parts (`Sequence[Dataset]`): Each has the column `text` and its own column of labels.

    Returns:
        `Dataset` with all columns, and `None` for missing labels. Rows of the first dataset come first.
    """
    columns = {column: feature for part in parts for column, feature in part.features.items()}
    rows: dict[tuple[str, int], dict[str, Any]] = {}
    for part in parts:
        for key, row in zip(numbered(ColumnValues(part, "text")), part, strict=True):
            rows.setdefault(key, dict.fromkeys(columns)).update(row)
    return datasets.Dataset.from_list(list(rows.values()), features=Features(columns))


def joined_rows(parts: Mapping[str, datasets.Dataset]) -> dict[str, np.ndarray]:
    """Row numbers in the result of [`join_texts`] of each dataset's rows, by the name of the dataset."""
    keys = {name: list(numbered(ColumnValues(part, "text"))) for name, part in parts.items()}
    places = {
        key: place for place, key in enumerate(dict.fromkeys(key for of_part in keys.values() for key in of_part))
    }
    return {name: np.array([places[key] for key in of_part]) for name, of_part in keys.items()}
