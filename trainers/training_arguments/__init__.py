"""The training arguments of all stages, and the ranges of every number that an option takes."""

from .arguments import DECISIVE_ARGUMENTS, FIXED_ARGUMENTS, StageTrainingArguments, supports_fast_bf16
from .epochs import default_epochs
from .ranges import RANGES, Range, check_ranges

__all__ = [
    "DECISIVE_ARGUMENTS",
    "FIXED_ARGUMENTS",
    "RANGES",
    "Range",
    "StageTrainingArguments",
    "check_ranges",
    "default_epochs",
    "supports_fast_bf16",
]
