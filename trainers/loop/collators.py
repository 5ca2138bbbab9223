"""From dataset rows to the tensors of a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from transformers import PreTrainedTokenizerBase

from modeling_csr import IGNORE_INDEX

from ..data import pad_texts


@dataclass
class TaskCollator:
    """Pads tokenised texts and collects the labels of each task; rows may lack the labels of some tasks.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): Pads the texts to the longest one in the batch.
        tasks (`dict[str, dict]`): The tasks, as in [`MultitaskConfig`]. A row has its labels for a task in the column
            `labels_<task>`, which is absent or `None` if there are none.
    """

    tokenizer: PreTrainedTokenizerBase
    tasks: dict[str, dict[str, Any]]

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch: dict[str, Any] = pad_texts(self.tokenizer, rows)
        batch["labels"] = {
            name: self._labels([row.get(self.label_column(name)) for row in rows], task)
            for name, task in self.tasks.items()
        }
        return batch

    @staticmethod
    def label_column(task: str) -> str:
        """Name of the column with the labels of a task."""
        return f"labels_{task}"

    @staticmethod
    def _labels(labels: list[Any], task: dict[str, Any]) -> torch.Tensor:
        if task["problem_type"] == "single_label_classification":
            return torch.tensor([IGNORE_INDEX if label is None else label for label in labels])
        missing = [float("nan")] * len(task["labels"])
        return torch.tensor([missing if label is None else label for label in labels], dtype=torch.float32)


class SingleTaskCollator(TaskCollator):
    """A [`TaskCollator`] for a single task: labels come from the column `labels` and are collated into one tensor."""

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().__call__(rows)
        (batch["labels"],) = batch["labels"].values()
        return batch

    @staticmethod
    def label_column(task: str) -> str:
        return "labels"
