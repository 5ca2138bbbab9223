"""Cards of models that a Trainer has trained on its own, and what all cards have in common."""

import dataclasses
from importlib.metadata import version
from pathlib import Path
from typing import Any

from transformers import TrainingArguments

from model_cards import StageCard

from ..training_arguments import DECISIVE_ARGUMENTS, StageTrainingArguments

LIBRARIES = ("transformers", "torch", "datasets", "tokenizers", "huggingface_hub")
CAPTIONS = {
    "stages.png": "The stages that the model comes from",
    "decisions.png": "Of the dev texts annotated with a label, the share that was given each label",
    "reliability.png": "How often dev texts are annotated with a label, by the probability that the model gives it",
    "attention.png": "How much the model reads of the other utterances of a dev dialogue, for each utterance",
    "scores.png": "Predicted and annotated scores of the dev texts",
    "space.png": "The dev texts in the model's space",
    "training_curves.png": "Losses over the epochs",
}
ALWAYS_NAMED = ("learning_rate", "num_train_epochs", "global_batch_size", "seed")


def library_versions(*further: str) -> dict[str, str]:
    """Versions of the libraries that a model depends on, and of further ones that it was made with."""
    return {name: version(name) for name in (*LIBRARIES, *further)}


def figures_in(folder: Path) -> dict[str, str]:
    """Captions of the figures in a model's folder, by file name."""
    return {name: caption for name, caption in CAPTIONS.items() if (folder / name).exists()}


def notable_hyperparameters(options: dict[str, Any]) -> dict[str, Any]:
    """Options of a stage that every card lists or that differ from the defaults of transformers."""
    stock = {item.name: item.default for item in dataclasses.fields(TrainingArguments)}
    defaults = {item.name: item.default for item in dataclasses.fields(StageTrainingArguments)} | stock
    return {
        name: value
        for name, value in sorted(options.items())
        if value is not None and (name in ALWAYS_NAMED or value != defaults.get(name))
    }


def decisive_arguments(args: StageTrainingArguments) -> dict[str, Any]:
    """Training arguments that affect what is learnt, with the size of the global batch."""
    batch = args.train_batch_size * args.gradient_accumulation_steps * args.world_size
    return {name: getattr(args, name) for name in DECISIVE_ARGUMENTS} | {"global_batch_size": batch}


def trainer_card(
    title: str,
    kind: str,
    task: dict[str, Any],
    args: StageTrainingArguments,
    results: dict[str, Any],
    folder: Path,
    **fields: Any,
) -> StageCard:
    """Build the card of a model trained outside a recipe.

    Args:
        title (`str`): Name of the model: its repository on the Hub or its folder.
        kind (`str`): As in [`StageCard`].
        task (`dict`): `labels` and `problem_type` of the main task.
        args ([`StageTrainingArguments`]): How it was trained.
        results (`dict`): What `eval_results.json` holds.
        folder (`Path`): The model's folder, with its figures.
        **fields: Further fields of the card, which take precedence over those derived here.
    """
    known: dict[str, Any] = {
        "kind": kind,
        "labels": list(task["labels"]) if kind != "siamese" else [],
        "results": results,
        "hyperparameters": notable_hyperparameters(decisive_arguments(args)),
        "versions": library_versions(),
        "figures": figures_in(folder),
        "problem_type": task["problem_type"],
    }
    return StageCard(title=title, **known | fields)
