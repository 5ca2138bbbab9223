"""A Trainer with exact losses over the global batch, however it is split, each logged by name."""

import json
import os
from collections.abc import Iterator, Sized
from pathlib import Path
from typing import Any, NoReturn, cast

import torch
from accelerate.utils import recursively_apply
from torch import nn
from torch.utils.data import DataLoader, Dataset, Sampler, SequentialSampler
from transformers import PreTrainedModel, Trainer
from transformers.trainer import TRAINING_ARGS_NAME
from transformers.trainer_pt_utils import find_batch_size
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, EvalLoopOutput, TrainOutput, rotate_checkpoints

from modeling_csr import MultitaskModel, count_labelled

from ..training_arguments import StageTrainingArguments
from .checkpoints import last_complete_checkpoint, seal_checkpoint
from .dev_loss import DevLoss, filled_up, first_rows
from .half_precision import HalfPrecisionForward
from .loss_window import LossWindow
from .parameter_groups import set_apart
from .samplers import LengthGroupedBatches, text_lengths
from .trained_adapters import TrainedAdapters
from .weight_averaging import WeightAveraging

# By default, how many times as fast as an encoder its adapters and the heads beside them learn.
ADAPTER_RATE, RATE_BESIDE_ADAPTERS = 5, 10

Counts = torch.Tensor | dict[str, torch.Tensor] | int | None


class GlobalBatchTrainer(Trainer):
    """A Trainer whose loss is the mean over the labelled rows of the *global* batch.

    Gradient accumulation and several processes therefore give the same losses and gradients as one big batch, even if
    only some rows are labelled for a task, or a row has only some of a task's labels. Losses that the model names are
    logged next to `loss`.
    """

    args: StageTrainingArguments
    model: PreTrainedModel
    # Prepared datasets; there may be several to evaluate on, by name.
    train_dataset: Any
    eval_dataset: Any
    # Dividing by the global number of rows already accounts for gradient accumulation.
    loss_is_scaled_for_ga = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._losses = LossWindow(self)
        self.add_callback(self._losses)
        self._half_precision = HalfPrecisionForward() if self.args.bf16_weights else None
        share = self.args.weight_averaging
        self._weight_averaging = WeightAveraging(share) if share else None
        if self._weight_averaging:
            self.add_callback(self._weight_averaging)
        self._adapters: TrainedAdapters | None = None
        # A batch of which no row counts, and whether the current one is that.
        self._empty_batch: Any = None
        self._is_empty = False
        self._dev_loss: DevLoss | None = None  # while evaluating

    def named_losses(self, outputs: Any) -> dict[str, torch.Tensor]:
        """Losses to log, by name; none by default."""
        return {}

    def loss_parts(self, outputs: Any, labels: Any, counts: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """The parts of which a loss is the sum, by task; none if there is one task.

        Args:
            outputs (`ModelOutput`): What the model returned.
            labels (`dict[str, torch.Tensor]`): The labels by task.
            counts (`dict[str, torch.Tensor]`): By task, the labelled rows of the batch, or 1 if there are none.
        """
        return {}

    def use_single_precision(self) -> None:
        """Compute in single precision from now on, as users of the saved model do."""
        self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        self._half_precision = None

    def train(self, *args: Any, **kwargs: Any) -> TrainOutput:
        """As `Trainer.train`.

        Raises:
            FloatingPointError: At the first loss, or before the next save at the first weight, that is not finite.
            ValueError: If `dataloader_drop_last` would leave no batch.
        """
        batch = self.args.train_batch_size * self.args.world_size
        if self.args.dataloader_drop_last and self.train_dataset is not None and len(self.train_dataset) < batch:
            raise ValueError(
                f"--dataloader_drop_last leaves no batch: there are {len(self.train_dataset)} training rows, and a "
                f"batch has {batch}. Choose a smaller --per_device_train_batch_size."
            )
        output = super().train(*args, **kwargs)
        self._check_weights()
        return output

    def training_step(self, model: nn.Module, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        self._is_empty = inputs is self._empty_batch
        loss = super().training_step(model, inputs, *args, **kwargs)
        self._is_empty = False
        if not torch.isfinite(loss):
            self._stop(f"the loss is {loss.item()}")
        return loss

    def _check_weights(self) -> None:
        for name, weights in self.accelerator.unwrap_model(self.model).named_parameters():
            if not torch.isfinite(weights).all():
                self._stop(f"weights of {name} are not finite")

    def _stop(self, reason: str) -> NoReturn:
        rate = self._get_learning_rate() if self.lr_scheduler is not None else self.args.learning_rate
        checkpoint = last_complete_checkpoint(Path(str(self.args.output_dir)))
        raise FloatingPointError(
            f"{Path(str(self.args.output_dir)).name}, after step {self.state.global_step}: {reason}, at a learning "
            f"rate of {rate:.3g}. Nothing of it was saved; the last good checkpoint: {checkpoint or 'none'}. Lower "
            "--learning_rate or --max_grad_norm, lengthen --warmup_steps, or train without half precision."
        )

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        """The stock optimizer. `head_learning_rate`, if given, applies to everything but the pretrained encoders.

        Adapters have a rate of their own, `adapter_learning_rate`, and heads beside them another default.
        """
        optimizer = super().create_optimizer(model)
        rate = self.args.head_learning_rate
        adapters = [part for name, part in self.model.named_parameters() if ".lora_" in name and part.requires_grad]
        if adapters:
            own = self.args.adapter_learning_rate
            own = ADAPTER_RATE * self.args.learning_rate if own is None else own
            set_apart(optimizer, adapters, lr_of="adapter", lr=own)
            rate = RATE_BESIDE_ADAPTERS * self.args.learning_rate if rate is None else rate
        if rate is not None:
            owners = [module for module in self.model.modules() if isinstance(module, MultitaskModel)]
            encoders: list[nn.Module] = [one.encoder for one in owners] or [self.model.base_model]
            pretrained = {parameter for encoder in encoders for parameter in encoder.parameters()}
            heads = [parameter for parameter in self.model.parameters() if parameter not in pretrained]
            set_apart(optimizer, heads, lr_of="head", lr=rate)
            for group in optimizer.param_groups:
                group.setdefault("lr_of", "encoder")
        return optimizer

    def _get_dataloader(
        self,
        dataset: Dataset,
        description: str,
        batch_size: int,
        sampler_fn: Any = None,
        is_training: bool = False,
        dataloader_key: str | None = None,
    ) -> DataLoader:
        # The stock Trainer also drops the last batch of dev texts, so that they would have no scores.
        drop_last = self.args.dataloader_drop_last
        self.args.dataloader_drop_last = drop_last and is_training
        try:
            return super()._get_dataloader(
                dataset, description, batch_size, sampler_fn, is_training=is_training, dataloader_key=dataloader_key
            )
        finally:
            self.args.dataloader_drop_last = drop_last

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        dataset = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(dataset)
        return LengthGroupedBatches(text_lengths(dataset), self.global_batch_size, self.sampling_seed)

    @property
    def global_batch_size(self) -> int:
        return self.args.train_batch_size * self.args.gradient_accumulation_steps * self.args.world_size

    @property
    def sampling_seed(self) -> int:
        return self.args.seed if self.args.data_seed is None else self.args.data_seed

    def _get_eval_sampler(self, eval_dataset: Dataset) -> Sampler:
        # The stock sampler would also shuffle these if training texts are grouped by length.
        return SequentialSampler(cast(Sized, eval_dataset))

    def get_batch_samples(self, epoch_iterator: Iterator, num_batches: int, device: torch.device) -> tuple[list, Any]:
        own = (self._own_rows(batch) for batch in epoch_iterator)
        return super().get_batch_samples(own, num_batches, device)

    def _own_rows(self, batch: Any) -> Any:
        """A batch without the rows by which accelerate fills the last ones up, so that all processes have equally many.

        They would count twice. A process for which none is left keeps one, with a loss of 0: it has to take part.
        """
        is_last = self.accelerator.gradient_state.end_of_dataloader and not self.args.dataloader_drop_last
        if self.args.world_size == 1 or not is_last:
            return batch
        size = self.args.train_batch_size
        last = len(self.train_dataset) % (size * self.args.world_size)
        if last == 0:
            return batch
        rows = min(max(last - size * self.args.process_index, 0), size)
        cut = first_rows(batch, max(rows, 1))
        if rows == 0:
            self._empty_batch = cut
        return cut

    def _get_num_items_in_batch(self, batch_samples: list, device: torch.device) -> Counts:
        if not batch_samples or "labels" not in batch_samples[0]:
            return None
        empty = self._empty_batch
        all_labels = [
            recursively_apply(lambda part: part[:0], batch["labels"]) if batch is empty else batch["labels"]
            for batch in batch_samples
        ]
        by_task = isinstance(all_labels[0], dict)
        names = list(all_labels[0]) if by_task else [""]
        tasks = {name: [labels[name] if by_task else labels for labels in all_labels] for name in names}
        rows = {task: self._count_rows(labels).to(device) for task, labels in tasks.items()}
        if self._dev_loss:
            self._dev_loss.labelled = rows
        else:
            rows = {task: self.accelerator.gather(count).sum() for task, count in rows.items()}
        rows = {task: count.where(count > 0, 1) for task, count in rows.items()}
        return rows if by_task else rows[""]

    def _count_rows(self, labels: list[torch.Tensor]) -> torch.Tensor:
        return torch.stack([count_labelled(part) for part in labels]).sum()

    def forward(self, model: nn.Module, inputs: dict[str, Any]) -> Any:
        """Run the model on a batch, in the precision used for training."""
        return self._half_precision(model, inputs) if self._half_precision else model(**inputs)

    def loss_scale(self, num_items_in_batch: Counts) -> int:
        """Factor of the loss: gradients are averaged over the processes, but shares of a global loss have to add up."""
        if self._is_empty:
            return 0
        return 1 if num_items_in_batch is None or self._dev_loss else self.accelerator.num_processes

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Counts = None,
    ) -> torch.Tensor | tuple[torch.Tensor, Any]:
        outputs = self.forward(model, {**inputs, "num_items_in_batch": num_items_in_batch})
        scale = self.loss_scale(num_items_in_batch)
        loss = outputs["loss"] * scale
        if model.training:
            self._losses.add(self.named_losses(outputs), scale)
        elif self._dev_loss and isinstance(num_items_in_batch, dict):
            self._dev_loss.parts = self.loss_parts(outputs, inputs["labels"], num_items_in_batch)
        return (loss, outputs) if return_outputs else loss

    def evaluation_loop(
        self,
        dataloader: DataLoader,
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        self._dev_loss = DevLoss(self)
        try:
            output = super().evaluation_loop(
                dataloader, description, prediction_loss_only, ignore_keys, metric_key_prefix
            )
            loss = self._dev_loss.mean()
        finally:
            self._dev_loss = None
        if loss is not None:
            cast(dict[str, float], output.metrics)[f"{metric_key_prefix}_loss"] = loss
        return output

    def prediction_step(
        self,
        model: nn.Module,
        inputs: dict[str, Any],
        prediction_loss_only: bool,
        ignore_keys: list[str] | None = None,
    ) -> tuple[torch.Tensor | None, Any, Any]:
        size = cast(int, find_batch_size(inputs))
        dev_loss = self._dev_loss or DevLoss(self)
        own = dev_loss.own_rows(size)
        # A process without a row of its own takes part with one that does not count.
        cut = first_rows(inputs, max(own, 1)) if own < size else inputs
        loss, logits, labels = super().prediction_step(model, cut, prediction_loss_only, ignore_keys)
        if loss is not None:
            dev_loss.add(loss, counts=own > 0)
        if own < size:
            logits, labels = filled_up(logits, size), filled_up(labels, size)
        return loss, logits, labels

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        if "loss" in logs:
            logs |= self._losses.means()
        super().log(logs, start_time)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        self._check_weights()
        losses = self._losses.state()
        # Earlier checkpoints go when this one is whole, and not before.
        limit, self.args.save_total_limit = self.args.save_total_limit, None
        try:
            super()._save_checkpoint(model, trial)
        finally:
            self.args.save_total_limit = limit
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            run = Path(self._get_output_dir(trial=trial))
            folder = run / f"{PREFIX_CHECKPOINT_DIR}-{self.state.global_step}"
            self._losses.save(losses, folder)
            seal_checkpoint(folder)
            best = self.state.best_model_checkpoint
            rotate_checkpoints(output_dir=str(run), save_total_limit=limit, best_model_checkpoint=best, use_mtime=True)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        resumed = Path(checkpoint) if checkpoint else None
        self._losses.checkpoint = resumed
        if self._weight_averaging:
            self._weight_averaging.checkpoint = resumed

    def _save(self, output_dir: str | None = None, state_dict: dict | None = None) -> None:
        super()._save(output_dir, state_dict)
        if not self.args.should_save:
            return
        folder = Path(output_dir or self.args.output_dir)
        if self._weight_averaging:
            self._weight_averaging.save(folder)
        if self._adapters:
            self._adapters.save(folder, cast(Any, self.processing_class))
        pickled = folder / TRAINING_ARGS_NAME
        if pickled.exists():
            os.remove(pickled)
            arguments = _without_folders(self.args.to_dict())
            (folder / "training_args.json").write_text(json.dumps(arguments, indent=2, sort_keys=True) + "\n")


def _without_folders(value: Any) -> Any:
    """Reduce absolute paths to file names, so that published arguments do not reveal the folders of this machine."""
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_folders(item) for item in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value
