"""Trainer of the `csr-multitask` family: encoders with one head or several."""

from typing import Any

import torch
from torch import nn
from torch.utils.data import Dataset, Sampler

from .loop.parameter_groups import set_apart
from .loop.samplers import TaskBatches, text_lengths
from .trainer import StageTrainer

# At the rate of an encoder the log variances would hardly move; they need some units.
TASK_WEIGHT_LEARNING_RATE = 1e-2


class MultitaskTrainer(StageTrainer):
    """Trains [`MultitaskForSequenceClassification`] on batches of [`TaskCollator`].

    With one task this is plain fine-tuning (`bert`, `model-1`, the encoders of Model-3); with several, each batch may
    mix the tasks' texts, and `loss` is the weighted sum of the tasks' mean losses (`model-2`, All-in-One).
    """

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        losses = outputs["task_losses"]
        return {f"{task}_loss": loss for task, loss in losses.items()} if len(losses) > 1 else {}

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The optimizer of every stage, in which the learned weights of the tasks have a rate of their own."""
        optimizer = super().create_optimizer(model)
        variances = self.accelerator.unwrap_model(self.model).log_variances
        if variances is not None:
            options = {"lr": TASK_WEIGHT_LEARNING_RATE, "weight_decay": 0.0}
            set_apart(optimizer, variances.values(), lr_of="task_weights", **options)
        return optimizer

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        names = list(self.accelerator.unwrap_model(self.model).config.tasks)
        if self.args.task_sampling != "by_task" or len(names) == 1:
            return super()._get_train_sampler(dataset)
        tasks = [next(name for name in names if row.get(f"labels_{name}") is not None) for row in dataset]
        lengths = text_lengths(dataset) if self.args.train_sampling_strategy == "group_by_length" else None
        return TaskBatches(tasks, lengths, self.global_batch_size, self.sampling_seed)
