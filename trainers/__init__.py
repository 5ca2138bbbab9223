"""Train emotion classifiers: a Trainer for each model family, and whole recipes in one call.

Names are imported on first use, so that commands that need no model do not wait for torch.
"""

from importlib import import_module
from typing import Any

# Public names by module.
_NAMES = {
    ".trainer": ("StageTrainer",),
    ".training_arguments": ("StageTrainingArguments",),
    ".multitask_trainer": ("MultitaskTrainer",),
    ".siamese_trainer": ("SiameseTrainer", "SiameseTrainingArguments"),
    ".csr_trainer": ("CSRTrainer", "CSRTrainingArguments", "RepresentationDataset"),
    ".dialogue_trainer": ("DialogueTrainer", "DialogueTrainingArguments"),
    ".distillation_trainer": ("DistillationTrainer",),
    ".recipes": (
        "CommonSpaceStage",
        "DialogueStage",
        "EncoderStage",
        "Recipe",
        "SiameseStage",
        "register_recipe",
    ),
    ".runs": ("RunArguments", "RunResult", "Runner", "train"),
}
_MODULES = {name: module for module, names in _NAMES.items() for name in names}

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
