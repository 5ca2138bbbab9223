"""What makes a training step fast and exact."""

from .cache import cached_array
from .checkpoints import last_complete_checkpoint, remove_checkpoints
from .collators import SingleTaskCollator, TaskCollator
from .encoders import (
    BUNDLED_ENCODER,
    config_with_dropout,
    described_encoder,
    encoder_bytes,
    encoder_config,
    encoder_identity,
    encoder_label,
    fast_attention,
    longest_text,
    resolve_encoder,
)
from .global_batch_trainer import Counts, GlobalBatchTrainer
from .parameter_groups import set_apart
from .samplers import LengthGroupedBatches, TaskBatches, text_lengths
from .trained_adapters import TrainedAdapters, with_adapter

__all__ = [
    "BUNDLED_ENCODER",
    "Counts",
    "GlobalBatchTrainer",
    "LengthGroupedBatches",
    "SingleTaskCollator",
    "TaskBatches",
    "TaskCollator",
    "TrainedAdapters",
    "cached_array",
    "config_with_dropout",
    "described_encoder",
    "encoder_bytes",
    "encoder_config",
    "encoder_identity",
    "encoder_label",
    "fast_attention",
    "last_complete_checkpoint",
    "longest_text",
    "remove_checkpoints",
    "resolve_encoder",
    "set_apart",
    "text_lengths",
    "with_adapter",
]
