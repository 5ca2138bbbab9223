"""Trainer of the `dialogue` family."""

from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction
from transformers.trainer_utils import PredictionOutput

from modeling_csr.losses import IGNORE_INDEX

from .data.dialogues import DialogueDataset
from .trainer import StageTrainer


class DialogueTrainer(StageTrainer):
    """Trains [`DialogueForUtteranceClassification`] on a [`DialogueDataset`].

    A batch is some dialogues, and what is averaged over and scored are their utterances: predictions and labels come
    out one row an utterance, in the order of the dataset's texts.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        metrics = self.compute_metrics
        if metrics is not None:
            self.compute_metrics = lambda prediction: metrics(
                EvalPrediction(*self._by_utterance(prediction.predictions, prediction.label_ids))
            )

    def _count_rows(self, labels: list[torch.Tensor], device: torch.device) -> torch.Tensor:
        # Class ids have one dimension less than multi-hot labels.
        rows = [part.flatten(0, 1) if part.is_floating_point() else part.flatten() for part in labels]
        return super()._count_rows(rows, device)

    @staticmethod
    def _by_utterance(logits: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Arrays `(dialogues, utterances, ...)` as `(rows, ...)`, padding included, which has no labels."""
        if np.issubdtype(labels.dtype, np.floating):
            # What the Trainer itself pads with, whatever the labels are.
            labels = np.where(labels == IGNORE_INDEX, np.nan, labels)
        return logits.reshape(-1, logits.shape[2]), labels.reshape(-1, *labels.shape[2:])

    def predict(self, test_dataset: DialogueDataset, *args: Any, **kwargs: Any) -> PredictionOutput:
        """As `Trainer.predict`, with one row a text of the dataset."""
        output = super().predict(test_dataset, *args, **kwargs)
        order = np.concatenate(test_dataset.dialogues)
        found = []
        for array in (output.predictions, output.label_ids):
            parts = [part[: len(rows)] for part, rows in zip(array, test_dataset.dialogues, strict=True)]
            rows = np.empty((len(order), *array.shape[2:]), dtype=array.dtype)
            rows[order] = np.concatenate(parts)
            found.append(rows)
        return PredictionOutput(*found, output.metrics)
