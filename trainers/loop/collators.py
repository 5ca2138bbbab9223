"""From dataset rows to the tensors of a batch."""

from dataclasses import dataclass
from typing import Any

import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedTokenizerBase

from modeling_csr.losses import IGNORE_INDEX


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
            name: self._labels([row.get(f"labels_{name}") for row in rows], task) for name, task in self.tasks.items()
        }
        return batch

    @staticmethod
    def _labels(labels: list[Any], task: dict[str, Any]) -> torch.Tensor:
        if task["problem_type"] == "single_label_classification":
            return torch.tensor([IGNORE_INDEX if label is None else label for label in labels])
        missing = [float("nan")] * len(task["labels"])
        return torch.tensor([missing if label is None else label for label in labels], dtype=torch.float32)


class SingleTaskCollator(TaskCollator):
    """A [`TaskCollator`] of one task, whose labels are that task's tensor."""

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super().__call__(rows)
        (batch["labels"],) = batch["labels"].values()
        return batch


def collate_representations(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Stacks the rows of a [`RepresentationDataset`]; `source_representations` stays a tuple, one tensor a source."""
    return {
        "emotion_representation": torch.stack([row["emotion_representation"] for row in rows]),
        "source_representations": tuple(
            torch.stack(source) for source in zip(*(row["source_representations"] for row in rows), strict=True)
        ),
        "labels": torch.stack([row["labels"] for row in rows]),
    }


def collate_dialogues(rows: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Pads the dialogues of a [`DialogueDataset`] to the longest of the batch; padding has no labels."""
    floating = rows[0]["labels"].is_floating_point()
    padding = {"labels": float("nan") if floating else IGNORE_INDEX}
    batch = {
        name: pad_sequence([row[name] for row in rows], batch_first=True, padding_value=padding.get(name, 0))
        for name in rows[0]
    }
    lengths = torch.tensor([len(row["labels"]) for row in rows])
    batch["utterance_mask"] = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    return batch
