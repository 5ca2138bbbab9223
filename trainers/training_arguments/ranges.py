"""The range of every number that an option takes, in one table, checked before any work in Python as in commands."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any


@dataclass(frozen=True)
class Range:
    """
    A range of numbers. NaN and infinity are in none.

    Args:
        low, high (`float`): Its ends.
        open_low, open_high (`bool`, defaults to `False`): Whether an end is excluded.
        whole (`bool`, defaults to `False`): Whether only whole numbers are in it.
        besides (`float`, *optional*): A further number with a meaning of its own, such as -1.
    """

    low: float = -math.inf
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False
    whole: bool = False
    besides: float | None = None

    def __contains__(self, value: Any) -> bool:
        if value == self.besides:
            return True
        if not math.isfinite(value) or (self.whole and value != int(value)):
            return False
        above = value > self.low if self.open_low else value >= self.low
        return above and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        ends = []
        if not math.isinf(self.low):
            ends.append(f"{'above' if self.open_low else 'at least'} {self.low:.10g}")
        if not math.isinf(self.high):
            ends.append(f"{'below' if self.open_high else 'at most'} {self.high:.10g}")
        besides = "" if self.besides is None else f", or {self.besides:.10g}"
        return f"{' and '.join(ends)}{besides}"


COUNT = Range(1, whole=True)
COUNT_OR_NONE = Range(0, whole=True)
NOT_NEGATIVE = Range(0)
POSITIVE = Range(0, open_low=True)
SHARE = Range(0, 1)
DROPOUT = Range(0, 1, open_high=True)
# What NumPy takes.
SEED = Range(0, 2**32 - 1, whole=True)
# Two special tokens, and one of the text.
LENGTH = Range(3, whole=True)

RANGES: dict[str, Range] = {
    # Training: transformers' own, and this project's.
    "adam_beta1": DROPOUT,
    "adam_beta2": DROPOUT,
    "adam_epsilon": NOT_NEGATIVE,
    "adapter_learning_rate": NOT_NEGATIVE,
    "data_seed": SEED,
    "dataloader_num_workers": COUNT_OR_NONE,
    "dataloader_prefetch_factor": COUNT,
    "ddp_bucket_cap_mb": COUNT,
    "ddp_timeout": COUNT,
    "eval_accumulation_steps": COUNT,
    "eval_delay": NOT_NEGATIVE,
    "eval_steps": POSITIVE,
    "gradient_accumulation_steps": COUNT,
    "head_learning_rate": NOT_NEGATIVE,
    "learning_rate": NOT_NEGATIVE,
    "logging_steps": POSITIVE,
    "max_grad_norm": NOT_NEGATIVE,
    "max_length": LENGTH,
    "max_steps": Range(1, whole=True, besides=-1),
    "neftune_noise_alpha": NOT_NEGATIVE,
    "num_train_epochs": POSITIVE,
    "per_device_eval_batch_size": COUNT,
    "per_device_train_batch_size": COUNT,
    "save_steps": POSITIVE,
    "save_total_limit": COUNT_OR_NONE,
    "seed": SEED,
    "torch_empty_cache_steps": COUNT,
    "warmup_steps": NOT_NEGATIVE,
    "weight_averaging": SHARE,
    "weight_decay": NOT_NEGATIVE,
    # Data.
    "augment_rare": COUNT_OR_NONE,
    # Speakers are marked with letters.
    "context_turns": Range(0, 20, whole=True),
    "emotion_fold": COUNT_OR_NONE,
    "emotion_train_fraction": Range(0, 1, open_low=True),
    "fold": COUNT_OR_NONE,
    "max_train_samples": COUNT,
    "max_unlabelled_samples": COUNT,
    "max_utterances": COUNT,
    "pairs_per_text": COUNT,
    # Models. A dropout of the encoder below 0 stands for the encoder's own.
    "classifier_dropout": DROPOUT,
    "common_dropout": DROPOUT,
    "common_intermediate_size": COUNT,
    "common_learning_rate": NOT_NEGATIVE,
    "common_num_train_epochs": POSITIVE,
    "common_size": COUNT,
    "common_train_batch_size": COUNT,
    "dialogue_attention_heads": COUNT,
    "dialogue_dropout": DROPOUT,
    "dialogue_learning_rate": NOT_NEGATIVE,
    "dialogue_num_train_epochs": POSITIVE,
    "dialogue_size": COUNT,
    "dialogue_train_batch_size": COUNT,
    "dialogue_utterance_dropout": DROPOUT,
    "embedding_dropout": DROPOUT,
    "embedding_size": COUNT,
    "encoder_dropout": Range(high=1, open_high=True),
    "hidden_dropout": DROPOUT,
    "lora_alpha": COUNT,
    "lora_dropout": DROPOUT,
    "lora_r": COUNT,
    "prediction_loss_weight": NOT_NEGATIVE,
    "projection_size": COUNT,
    "reconstruction_loss_weight": NOT_NEGATIVE,
    "shared_layer_sizes": COUNT,
    "threshold_folds": Range(2, whole=True),
    "siamese_learning_rate": NOT_NEGATIVE,
    "siamese_margin": POSITIVE,
    "siamese_num_train_epochs": POSITIVE,
    "siamese_pairs_per_text": COUNT,
    "siamese_size": COUNT,
    "siamese_train_batch_size": COUNT,
    "source_num_train_epochs": POSITIVE,
    # Commands.
    "batch_size": COUNT,
    "processes": COUNT,
    "rows_per_file": COUNT,
    "threads": COUNT,
    "further": COUNT,
    "hub_patience": NOT_NEGATIVE,
    "min_confidence": SHARE,
    "n_trials": COUNT,
    "number": COUNT,
    "prune_after": COUNT_OR_NONE,
    "search_samples": COUNT,
    "seeds": SEED,
    "student_layers": COUNT,
    "threshold": SHARE,
}


def check_ranges(options: Mapping[str, Any]) -> None:
    """Check the numbers among some options, and each number of those that are lists.

    Args:
        options (`Mapping[str, Any]`): Values by option; those that are no numbers, or have no range, are passed over.

    Raises:
        ValueError: If a number is out of range; the message names the option and the range.
    """
    for name in [name for name in options if name in RANGES]:
        given = options[name]
        for value in given if isinstance(given, list | tuple) else [given]:
            if isinstance(value, Real) and value not in RANGES[name]:
                fraction = RANGES[name].whole and not float(value).is_integer()
                whole = "a whole number, " if fraction else ""
                raise ValueError(f"--{name} must be {whole}{RANGES[name]}, got {value}.")


__all__ = ["RANGES", "Range", "check_ranges"]
