"""Trainer of the common space (the paper's last stage, Algorithm 1)."""

from typing import Any

import torch

from .trainer import StageTrainer


class CSRTrainer(StageTrainer):
    """Trains [`CSRForSequenceClassification`] on tokens, or on representations ([`RepresentationDataset`]).

    Logs `prediction_loss` and `reconstruction_loss` (unweighted) beside `loss`, but none that has weight 0: nothing is
    learnt by it, and where the Siamese network or the classifier is not trained, it says nothing.
    """

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        config = self.accelerator.unwrap_model(self.model).config
        names = ("prediction_loss", "reconstruction_loss")
        return {name: outputs[name] for name in names if getattr(config, f"{name}_weight")}
