"""Trainer of a stock classifier that learns another model's probabilities."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from .trainer import Counts, StageTrainer


class DistillationTrainer(StageTrainer):
    """Trains any sequence classifier on probabilities instead of labels (Hinton et al., 2015, at temperature 1).

    The loss is the cross-entropy between the targets and the model's probabilities: summed over the classes of a
    single-label problem, and the mean over the labels of a multi-label one.
    """

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Counts = None,
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        targets = inputs["labels"]
        outputs = self.forward(model, {name: value for name, value in inputs.items() if name != "labels"})
        logits = outputs.logits.float()
        if self.accelerator.unwrap_model(model).config.problem_type == "multi_label_classification":
            losses = F.binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=-1)
        else:
            losses = F.cross_entropy(logits, targets, reduction="none")
        items = len(losses) if num_items_in_batch is None else num_items_in_batch
        loss = losses.sum() * self.loss_scale(num_items_in_batch) / items
        return (loss, {"loss": loss, "logits": logits}) if return_outputs else loss
