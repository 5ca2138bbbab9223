"""`TrainingArguments` with this project's defaults and options."""

from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Self

import torch
from accelerate.utils import parse_flag_from_env
from transformers import TrainingArguments

from .epochs import default_epochs
from .ranges import check_ranges

# Training arguments that affect what is learnt; all others (logging, saving, pushing, devices) do not.
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


# Training arguments with one possible value, and why.
_WHOLE_MODELS = "each process trains a whole model; start several with torchrun"
_ROUNDED = "evaluation would leave the weights rounded, which are then saved"
FIXED_ARGUMENTS: dict[str, tuple[tuple[Any, ...], str]] = {
    "batch_eval_metrics": ((False,), "metrics are computed over all dev texts at once"),
    "bf16_full_eval": ((False,), _ROUNDED),
    "deepspeed": ((None,), _WHOLE_MODELS),
    "eval_do_concat_batches": ((True,), "metrics are computed over all dev texts at once"),
    "eval_use_gather_object": ((False,), "the outputs of these models are tensors"),
    "fp16_full_eval": ((False,), _ROUNDED),
    "fsdp": ((None, "", False), _WHOLE_MODELS),
    "label_names": ((None, ["labels"]), "labels are always called labels"),
    "label_smoothing_factor": ((0,), "it has no effect on the losses of these models"),
    "parallelism_config": ((None,), _WHOLE_MODELS),
    "prediction_loss_only": ((False,), "a finished stage is scored on its dev texts"),
    "remove_unused_columns": ((False,), "collators select the columns"),
    "resume_from_checkpoint": (
        (None,),
        "a repeated command resumes by itself; in Python, pass it to train()",
    ),
    "use_liger_kernel": ((False,), "it has no kernels for these models"),
}


@dataclass
class StageTrainingArguments(TrainingArguments):
    """`TrainingArguments` with this project's defaults and options.

    Runs use them for all stages, except for the learning rate, epochs and batch size of the Siamese and common-space
    stages, which have their own options.

    Raises:
        ValueError: If a value is not valid, or options contradict each other.
    """

    # From 4,000 texts on, if the number of epochs is not set.
    usual_epochs: ClassVar[float] = 4.0

    output_dir: str = field(default="outputs/csr", metadata={"help": "The run's folder; each stage gets a subfolder."})
    learning_rate: float = field(default=1e-4, metadata={"help": "Initial learning rate of the encoder stages."})
    head_learning_rate: float | None = field(
        default=None,
        metadata={
            "help": "Initial learning rate of everything outside the pretrained encoder, in stages that train one. "
            "Default: --learning_rate, beside LoRA adapters ten times that, or for a common space that is trained with "
            "it, the recipe's own rate or --common_learning_rate."
        },
    )
    adapter_learning_rate: float | None = field(
        default=None,
        metadata={"help": "Initial learning rate of LoRA adapters. Default: five times --learning_rate."},
    )
    weight_averaging: float = field(
        default=0.0,
        metadata={
            "help": "Share of all steps over which the weights are averaged, such as 0.25. The finished model gets "
            "the exponential moving average. 0: off."
        },
    )
    num_train_epochs: float | None = field(  # type: ignore[assignment]  # a number once the Trainer knows the texts
        default=None,
        metadata={"help": "Epochs of the encoder stages. Default: 4, and more below 4,000 texts, up to 40 below 100."},
    )
    per_device_train_batch_size: int = field(default=32, metadata={"help": "Texts per batch and process."})
    per_device_eval_batch_size: int = field(
        default_factory=lambda: 128 if torch.accelerator.is_available() else 32,
        metadata={"help": "Texts per evaluation batch and process. Default: 32 on a CPU, else 128."},
    )
    warmup_steps: float = field(
        default=0.1, metadata={"help": "Number of warm-up steps, or if below 1, their share of all steps."}
    )
    weight_decay: float = field(default=0.01, metadata={"help": "Weight decay."})
    eval_strategy: str = field(default="epoch", metadata={"help": "When to evaluate on dev texts: no, steps or epoch."})
    save_strategy: str = field(
        default="epoch",
        metadata={"help": "When to write a checkpoint to resume from after an interruption: no, steps or epoch."},
    )
    max_length: int = field(default=128, metadata={"help": "Longer texts are cut to this number of tokens."})
    freeze_word_embeddings: bool = field(
        default=True, metadata={"help": "Keep the encoder's word embeddings as pretrained, which is faster."}
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
            "help": "Where to cache representations of frozen encoders and predictions of teachers. Default: "
            "--output_dir."
        },
    )
    reuse_stages_from: list[str] | None = field(
        default=None,
        metadata={
            "help": "Folders of earlier runs. Finished stages with identical inputs are copied from there instead of "
            "trained, and their caches are used."
        },
    )
    repair: bool = field(
        default=False, metadata={"help": "Whether to train finished stages anew whose files are damaged or missing."}
    )
    wait_for_lock: bool = field(
        default=False,
        metadata={"help": "Whether to wait while another command trains in `output_dir`, rather than to refuse."},
    )
    draw_figures: bool = field(
        default=True,
        metadata={"help": "Draw the figures of each model's card: its training, decisions, space and stages."},
    )
    save_total_limit: int | None = field(default=1, metadata={"help": "Number of checkpoints to keep per stage."})
    logging_steps: float = field(default=50, metadata={"help": "Number of steps between logs of the losses."})
    bf16: bool = field(default=False, metadata={"help": "Use bf16 autocast, which is slower than --bf16_weights."})
    bf16_weights: bool | None = field(
        default=None,
        metadata={
            "help": "Compute with a bf16 copy of the weights, which themselves stay in single precision. Default: "
            "on if the GPU or CPU multiplies bf16 in hardware, unless --bf16 or --fp16 is given."
        },
    )
    train_sampling_strategy: str = field(
        default="group_by_length",
        metadata={
            "help": "How to draw training texts: random, sequential, or in batches of similar length "
            "(group_by_length), which saves padding.",
            "choices": ("random", "sequential", "group_by_length", "batch_rebalance"),
        },
    )
    task_sampling: str = field(
        default="mixed",
        metadata={
            "help": "What a batch of a multi-task stage contains: texts of all tasks, each with all its labels "
            "(mixed), or texts of one task, so that a text with several tasks is read once per task (by_task).",
            "choices": ("mixed", "by_task"),
        },
    )
    hub_strategy: str = field(
        default="end",
        metadata={
            "help": "When --push_to_hub pushes a stage: once it is finished (end), or also at each checkpoint, as a "
            "model that can be loaded (every_save).",
            "choices": ("end", "every_save"),
        },
    )
    report_to: list[str] = field(
        default_factory=lambda: ["none"],
        metadata={
            "help": "Trackers to report to, such as trackio, tensorboard or wandb; none, or all (those installed)."
        },
    )
    remove_unused_columns: bool = field(default=False, metadata={"help": "Leave off: collators select the columns."})
    dataloader_pin_memory: bool = field(
        default_factory=torch.cuda.is_available, metadata={"help": "Pin memory. Default: on if there is a GPU."}
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))
        self._check_choices()
        for name, (possible, reason) in FIXED_ARGUMENTS.items():
            if getattr(self, name) not in possible:
                raise ValueError(f"--{name} must be left at {possible[0]}: {reason}.")
        for variable in ("ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_FSDP"):
            if parse_flag_from_env(variable):
                raise ValueError(f"{variable} is set, as by accelerate launch, but {_WHOLE_MODELS}.")
        if self.weight_averaging and self.load_best_model_at_end:
            raise ValueError("--weight_averaging replaces the final weights: leave --load_best_model_at_end off.")
        if self.bf16_weights and (self.bf16 or self.fp16):
            raise ValueError("--bf16_weights replaces autocast: turn off --bf16 and --fp16.")
        if self.bf16_weights is None:
            self.bf16_weights = supports_fast_bf16() and not (self.bf16 or self.fp16)
        # TrainingArguments accepts bf16 on a CPU only if use_cpu is set.
        self.use_cpu = self.use_cpu or not torch.accelerator.is_available()
        if self.fp16 and self.use_cpu:
            raise ValueError("--fp16 has no effect on a CPU: use --bf16, or leave it off.")
        super().__post_init__()
        batches: Any = self.accelerator_config
        if batches.split_batches or batches.dispatch_batches or not batches.even_batches:
            raise ValueError(
                "--accelerator_config must leave split_batches, dispatch_batches and even_batches as they are: losses "
                "count the rows of each process by them."
            )

    def _check_choices(self) -> None:
        for item in fields(self):
            value, choices = getattr(self, item.name), item.metadata.get("choices")
            if choices is not None and value is not None and value not in choices:
                raise ValueError(f"--{item.name} must be one of {', '.join(choices)}, got {value!r}.")

    def with_epochs(self, dataset: Any) -> Self:
        """The same arguments; if they name no number of epochs, with the one that suits a training dataset."""
        if self.num_train_epochs is not None:
            return self
        return type(self).derived_from(self, num_train_epochs=default_epochs(dataset, self.epochs_of_many_texts()))

    def epochs_of_many_texts(self) -> float:
        """The number of epochs from 4,000 texts on; `usual_epochs`, unless other arguments decide."""
        return self.usual_epochs

    @classmethod
    def derived_from(cls, args: TrainingArguments, **changes: Any) -> Self:
        """Convert other training arguments to this class.

        Args:
            args (`TrainingArguments`): Where the values come from; fields that it lacks get their defaults.
            **changes: Fields to set to other values.
        """
        names = {item.name for item in fields(cls) if item.init}
        values = {item.name: getattr(args, item.name) for item in fields(args) if item.name in names}
        if not isinstance(args, StageTrainingArguments):
            # The default of transformers, which is not a choice.
            values["remove_unused_columns"] = False
        return cls(**values | changes)


def supports_fast_bf16() -> bool:
    """Whether hardware (on CPUs AMX or AVX512_BF16) multiplies matrices faster in bf16 than in single precision."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
