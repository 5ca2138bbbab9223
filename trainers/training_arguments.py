"""`TrainingArguments` with this project's defaults and options."""

from dataclasses import dataclass, field, fields
from typing import Any, Self

import torch
from transformers import TrainingArguments

# Training arguments that change what is learnt; all others (logging, saving, pushing, devices) do not.
DECISIVE_ARGUMENTS = (
    "adam_beta1",
    "adam_beta2",
    "adam_epsilon",
    "bf16",
    "bf16_weights",
    "data_seed",
    "fp16",
    "head_learning_rate",
    "label_smoothing_factor",
    "learning_rate",
    "load_best_model_at_end",
    "lr_scheduler_kwargs",
    "lr_scheduler_type",
    "max_grad_norm",
    "max_steps",
    "metric_for_best_model",
    "neftune_noise_alpha",
    "num_train_epochs",
    "optim",
    "optim_args",
    "seed",
    "train_sampling_strategy",
    "warmup_steps",
    "weight_averaging",
    "weight_decay",
)


@dataclass
class StageTrainingArguments(TrainingArguments):
    """`TrainingArguments` with this project's defaults. They hold for all stages; the Siamese and common-space stages
    take learning rate, epochs and batch size from their own arguments."""

    output_dir: str = field(
        default="outputs/csr", metadata={"help": "The run's folder; each stage gets its own in it."}
    )
    learning_rate: float = field(default=1e-4, metadata={"help": "Initial learning rate of the encoder stages."})
    head_learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Initial learning rate of what is not part of a pretrained encoder, in the stages that train one. "
            "Default: --learning_rate; where a common space is trained with it the recipe's own, or "
            "--common_learning_rate."
        },
    )
    weight_averaging: float = field(
        default=0.0,
        metadata={
            "help": "Share of all steps over which the weights are averaged, such as 0.25: an exponential moving "
            "average, which the finished model has. 0: none."
        },
    )
    num_train_epochs: float = field(default=4.0, metadata={"help": "Epochs of the encoder stages."})
    per_device_train_batch_size: int = field(default=32, metadata={"help": "Texts in a batch of each process."})
    per_device_eval_batch_size: int = field(
        default_factory=lambda: 128 if torch.accelerator.is_available() else 32,
        metadata={"help": "Texts in an evaluation batch. Default: 32 on a CPU, else 128."},
    )
    warmup_steps: float = field(
        default=0.1, metadata={"help": "Steps of warm-up, or below 1 their share of all steps."}
    )
    weight_decay: float = field(default=0.01, metadata={"help": "Weight decay."})
    eval_strategy: str = field(default="epoch", metadata={"help": "When to evaluate on dev: no, steps or epoch."})
    save_strategy: str = field(
        default="epoch",
        metadata={"help": "When to write a checkpoint, from which a killed run goes on: no, steps, epoch."},
    )
    max_length: int = field(default=128, metadata={"help": "Longer texts are cut to this number of tokens."})
    freeze_word_embeddings: bool = field(
        default=True, metadata={"help": "Leave the encoder's word embeddings as they were pretrained, which is faster."}
    )
    attn_implementation: str | None = field(
        default=None,
        metadata={
            "help": "Attention of the encoders in training: eager, sdpa, ... Default: eager on a CPU, where the "
            "backward pass of sdpa is slow on short texts, otherwise the encoder's own."
        },
    )
    cache_dir: str | None = field(
        default=None,
        metadata={
            "help": "Where representations of frozen encoders and predictions of teachers are kept. Default: "
            "--output_dir."
        },
    )
    reuse_stages_from: list[str] | None = field(
        default=None,
        metadata={
            "help": "Folders of earlier runs: a stage that was made there from the same is copied, not trained, and "
            "what was cached there is read."
        },
    )
    save_total_limit: int | None = field(default=1, metadata={"help": "How many checkpoints of a stage to keep."})
    logging_steps: float = field(default=50, metadata={"help": "Log the losses every so many steps."})
    bf16: bool = field(default=False, metadata={"help": "bf16 autocast, slower than --bf16_weights."})
    bf16_weights: bool | None = field(
        default=None,
        metadata={
            "help": "Compute with a bf16 copy of the weights, which stay in single precision themselves. Default: "
            "where the GPU or CPU multiplies bf16 in hardware, unless --bf16 or --fp16 is given."
        },
    )
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={
            "help": "How training texts are drawn: random, sequential, or in batches of about the same length "
            "(group_by_length), which saves padding.",
            "choices": ("random", "sequential", "group_by_length", "batch_rebalance"),
        },
    )
    task_sampling: str = field(
        default="mixed",
        metadata={
            "help": "What is in a batch of a multi-task stage: texts of all tasks, each with all labels that it has "
            "(mixed), or texts of one task, so that a text of several tasks is read once for each (by_task).",
            "choices": ("mixed", "by_task"),
        },
    )
    hub_strategy: str = field(
        default="end",
        metadata={
            "help": "When a stage is pushed with --push_to_hub: when it is finished (end), or each checkpoint, too, "
            "as a model that can be loaded (every_save).",
            "choices": ("end", "every_save"),
        },
    )
    report_to: list[str] = field(
        default_factory=lambda: ["none"],
        metadata={
            "help": "Trackers to report to, such as trackio, tensorboard or wandb; none, or all that are installed."
        },
    )
    remove_unused_columns: bool = field(default=False, metadata={"help": "Kept off: the collators choose the columns."})
    dataloader_pin_memory: bool = field(
        default_factory=torch.cuda.is_available, metadata={"help": "Pin memory. Default: where there is a GPU."}
    )

    def __post_init__(self) -> None:
        if self.max_length < 3:
            raise ValueError(
                f"--max_length must leave room for a token between the special ones, got {self.max_length}."
            )
        if self.label_smoothing_factor:
            raise ValueError("--label_smoothing_factor has no effect on the losses of these models: leave it at 0.")
        if not 0 <= self.weight_averaging <= 1:
            raise ValueError(f"--weight_averaging must lie between 0 and 1, got {self.weight_averaging}.")
        if self.weight_averaging and self.load_best_model_at_end:
            raise ValueError("--weight_averaging ends with averaged weights: leave --load_best_model_at_end off.")
        if self.bf16_weights and (self.bf16 or self.fp16):
            raise ValueError("--bf16_weights stands in for autocast: give --bf16 or --fp16 False with it.")
        if self.bf16_weights is None:
            self.bf16_weights = supports_fast_bf16() and not (self.bf16 or self.fp16)
        # TrainingArguments accepts bf16 on a CPU only where the CPU was asked for.
        self.use_cpu = self.use_cpu or not torch.accelerator.is_available()
        super().__post_init__()

    @classmethod
    def derived_from(cls, args: TrainingArguments, **changes: Any) -> Self:
        """Arguments of this class with the values of others.

        Args:
            args (`TrainingArguments`): Where the values come from; fields that it lacks have their defaults.
            **changes: Fields with other values.
        """
        names = {item.name for item in fields(cls) if item.init}
        values = {item.name: getattr(args, item.name) for item in fields(args) if item.name in names}
        return cls(**values | changes)


def supports_fast_bf16() -> bool:
    """Whether this machine multiplies bf16 matrices in hardware (CPUs: AMX, AVX512_BF16), faster than in single."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
