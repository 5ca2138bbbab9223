"""Figures of what a model says of the dev texts, and its answers to the example texts of cards."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from model_cards import EXAMPLE_TEXTS, plot_decisions, plot_scores, plot_space

from .inference import embed_texts, predict_logits, probabilities
from .metrics import decide

# More points would not show more.
MAX_POINTS = 2000


def draw_outcome(logits: np.ndarray, labels: np.ndarray, task: dict[str, Any], folder: Path) -> None:
    """Draw which labels a classifier gives the dev texts at its thresholds (`decisions.png`), or the scores of a
    regression beside the annotated ones (`scores.png`).

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Its unnormalised scores.
        labels (`np.ndarray`): Multi-hot or scores `(texts, num_labels)`, or class ids `(texts,)`.
        task (`dict`): The task's `labels`, `problem_type` and perhaps `thresholds`.
        folder (`Path`): Where the figure is written.
    """
    names = task["labels"]
    if task["problem_type"] == "regression":
        plot_scores(logits, labels, names, folder / "scores.png")
        return
    decisions = decide(logits, task["problem_type"], task.get("thresholds"))
    plot_decisions(_multi_hot(decisions, len(names)), _multi_hot(labels, len(names)), names, folder / "decisions.png")


def draw_space(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    texts: Sequence[str],
    labels: np.ndarray,
    names: Sequence[str],
    path: Path,
    *,
    max_length: int,
) -> None:
    """Draw texts in a model's space; nothing where there are fewer than three.

    Args:
        model (`PreTrainedModel`): A model of one of the project's families.
        tokenizer (`PreTrainedTokenizerBase`): Its tokenizer.
        texts (`Sequence[str]`): The texts.
        labels (`np.ndarray`): Multi-hot `(texts, num_labels)` or class ids `(texts,)`.
        names (`Sequence[str]`): The names of the labels.
        path (`Path`): The image file to write.
        max_length (`int`): Longer texts are cut to this number of tokens.
    """
    if len(texts) > 2:
        vectors = embed_texts(model, tokenizer, texts, max_length=max_length, device=model.device)
        plot_space(vectors, _multi_hot(labels, len(names)), list(names), path)


def describe_examples(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, *, max_length: int
) -> list[dict[str, Any]]:
    """What a classifier says of the card's example texts, as the Hub's widget shows stored outputs."""
    logits = predict_logits(model, tokenizer, EXAMPLE_TEXTS, max_length=max_length, device=model.device)
    scores = torch.from_numpy(probabilities(logits, model.config.problem_type))
    names = dict(model.config.id2label or {})
    return [
        {
            "text": text,
            "output": [
                {"label": names[index], "score": round(row[index].item(), 4)}
                for index in row.argsort(descending=True).tolist()
            ],
        }
        for text, row in zip(EXAMPLE_TEXTS, scores, strict=True)
    ]


def _multi_hot(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Class ids `(texts,)` as multi-hot labels `(texts, num_labels)`; those that are so already as they are."""
    return labels if labels.ndim == 2 else np.eye(num_labels)[labels]
