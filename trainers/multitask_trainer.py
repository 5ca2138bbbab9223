"""Trainer of the `csr-multitask` family: encoders with one head or several."""

from typing import Any

import torch

from .trainer import StageTrainer


class MultitaskTrainer(StageTrainer):
    """Trains [`MultitaskForSequenceClassification`] on batches of [`TaskCollator`].

    With one task this is plain fine-tuning (`bert`, `model-1`, the encoders of Model-3); with several, each batch may
    mix the tasks' texts, and `loss` is the sum of the tasks' mean losses (`model-2`).
    """

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        losses = outputs["task_losses"]
        return {f"{task}_loss": loss for task, loss in losses.items()} if len(losses) > 1 else {}
