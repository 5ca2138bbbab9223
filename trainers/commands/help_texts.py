"""Help texts of the subcommands: their main options, in generated files, so that showing them imports no model.

`python -m trainers.commands.help_texts` regenerates the files.
"""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from textwrap import fill
from typing import Any

TEXTS = Path(__file__).parent / "help"
SUBCOMMANDS = (
    *("check-data", "train", "evaluate", "score", "cross-validate", "suggest"),
    *("distill", "export", "search", "compare", "try"),
)

# Maps subcommands to their main options, by topic.
SHORT_HELP: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "What to train": (
            *("recipe", "encoder", "threshold", "threshold_folds", "calibrate", "class_weights", "label_loss"),
        ),
        "Data": (
            *("emotion_dataset", "emotion_text_column", "emotion_label_columns", "emotion_train_fraction"),
            *("sentiment_dataset", "related_dataset", "unlabelled_dataset", "data_dir", "max_train_samples"),
        ),
        "Training": (
            *("output_dir", "num_train_epochs", "learning_rate", "per_device_train_batch_size", "max_length"),
            *("seed", "bf16_weights", "reuse_stages_from", "report_to"),
        ),
        "The Hub": ("push_to_hub", "hub_model_id"),
    },
    "distill": {
        "Teacher and texts": (
            *("teacher", "student", "student_layers", "dataset", "text_column", "label_columns"),
            *("unlabelled_dataset", "data_dir", "max_unlabelled_samples", "threshold", "baseline"),
        ),
        "Training": (
            *("output_dir", "num_train_epochs", "learning_rate", "per_device_train_batch_size", "max_length", "seed"),
        ),
        "The Hub": ("push_to_hub", "hub_model_id", "teacher_id"),
    },
    "search": {
        "The search": ("n_trials", "search_space", "search_metric", "search_samples", "prune_after"),
        "What to train": ("recipe", "encoder", "threshold"),
        "Data": ("emotion_dataset", "emotion_text_column", "emotion_label_columns", "emotion_labels", "data_dir"),
        "Training": ("output_dir", "max_length", "seed"),
    },
}
ABOUT = {
    "train": "Train recipes, stage by stage. Finished stages with identical inputs are reused; an interrupted run\n"
    "continues where it stopped.",
    "distill": "Distil a trained model into a single encoder of a stock class, which every tool can run, or into a\n"
    "recurrent one.",
    "search": "Search the hyper-parameters of a recipe, train the best trial again, and compare it with the defaults.",
}


def short_help(name: str) -> str:
    """Help text with a subcommand's main options."""
    return (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def render(name: str) -> str:
    """Generate the help text from the options."""
    if name not in SHORT_HELP:
        return _parsers()[name].format_help()
    options = _options(name)
    parts = [f"usage: csr-emotion {name} [OPTIONS]", "", ABOUT[name], ""]
    if name != "distill":
        parts += ["--config FILE.yaml sets options; the command line takes precedence.", ""]
    for title, names in SHORT_HELP[name].items():
        parts += [f"{title}:"]
        for option in names:
            about = fill(
                _about(options[option]), 100, initial_indent=" " * 6, subsequent_indent=" " * 6, break_on_hyphens=False
            )
            parts += [f"  --{option}", about]
        parts += [""]
    parts += [f"All options: csr-emotion {name} --help-all"]
    return "\n".join(parts) + "\n"


def _parsers() -> dict[str, ArgumentParser]:
    """Parsers of the subcommands with few options."""
    from .check_data import check_parser
    from .compare import comparison_parser
    from .cross_validate import cross_validation_parser
    from .evaluate import evaluation_parser
    from .export import export_parser
    from .score import score_parser
    from .suggest import suggestion_parser
    from .try_model import page_parser

    parsers = {"evaluate": evaluation_parser(), "score": score_parser(), "export": export_parser()}
    parsers |= {"check-data": check_parser(), "cross-validate": cross_validation_parser()}
    parsers |= {"suggest": suggestion_parser()}
    return {**parsers, "compare": comparison_parser(), "try": page_parser()}


def _about(option: Any) -> str:
    text = " ".join(str(option.metadata.get("help", "")).split())
    default = option.default
    if default is MISSING and option.default_factory is not MISSING:
        default = option.default_factory()
    shown = " ".join(map(str, default)) if isinstance(default, list | tuple) else default
    if default is MISSING:
        return f"{text} (required)"
    return text if shown in (None, "") or "Default:" in text or "(default:" in text else f"{text} (default: {shown})"


def _options(name: str) -> Mapping[str, Any]:
    from ..experiments import SearchArguments
    from ..runs import DISTILLATION_KINDS, RunArguments

    kinds: tuple[type, ...] = tuple(RunArguments.kinds().values())
    if name == "search":
        kinds = (*kinds, SearchArguments)
    if name == "distill":
        kinds = DISTILLATION_KINDS
    return {item.name: item for kind in kinds for item in fields(kind) if item.init}


if __name__ == "__main__":
    TEXTS.mkdir(exist_ok=True)
    for _name in SUBCOMMANDS:
        (TEXTS / f"{_name}.txt").write_text(render(_name), encoding="utf-8")
