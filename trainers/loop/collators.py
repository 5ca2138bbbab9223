"""From dataset rows to the tensors of a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from modeling_csr import IGNORE_INDEX


@dataclass
class TaskCollator:
    """Pads tokenised texts and gathers the labels of each task; a row need not have labels for all of them.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): Pads the texts to the longest of the batch.
        tasks (`dict[str, dict]`): The tasks, as in [`MultitaskConfig`]. A row's labels of a task are in its column
            `labels_<task>`, and absent or `None` where it has none.
    """

    tokenizer: PreTrainedTokenizerBase
    tasks: dict[str, dict[str, Any]]

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        names = [name for name in self.tokenizer.model_input_names if name in rows[0]]
        batch = dict(self.tokenizer.pad([{name: row[name] for name in names} for row in rows], return_tensors="pt"))
        batch["labels"] = {
            name: self._labels([row.get(self.label_column(name)) for row in rows], task)
            for name, task in self.tasks.items()
        }
        return batch

    @staticmethod
    def label_column(task: str) -> str:
        """The column that holds the labels of a task."""
        return f"labels_{task}"

    @staticmethod
    def _labels(labels: list[Any], task: dict[str, Any]) -> torch.Tensor:
        if task["problem_type"] == "single_label_classification":
            return torch.tensor([IGNORE_INDEX if label is None else label for label in labels])
        missing = [float("nan")] * len(task["labels"])
        return torch.tensor([missing if label is None else label for label in labels], dtype=torch.float32)


class SingleTaskCollator(TaskCollator):
    """A [`TaskCollator`] of one task, whose labels are in the column `labels` and become one tensor."""

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().__call__(rows)
        (batch["labels"],) = batch["labels"].values()
        return batch

    @staticmethod
    def label_column(task: str) -> str:
        return "labels"
