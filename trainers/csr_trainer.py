"""Trainer of the common space (the paper's last stage, Algorithm 1)."""

from typing import Any

import torch

from .trainer import StageTrainer


class CSRTrainer(StageTrainer):
    """Trains [`CSRForSequenceClassification`] on tokens, or on representations ([`RepresentationDataset`]).

    Logs `prediction_loss` and `reconstruction_loss` (unweighted) beside `loss`.
    """

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        return {name: outputs[name] for name in ("prediction_loss", "reconstruction_loss")}
