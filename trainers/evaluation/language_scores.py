"""Scores of a task by the language of the texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .decisions import annotated_labels, decide
from .metrics import score
from .task_report import per_label_scores


def language_scores(
    logits: np.ndarray,
    references: np.ndarray,
    languages: Sequence[str] | np.ndarray,
    task: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:
    """Scores of each language, over the labels that were annotated in it.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        references (`np.ndarray`): As for [`score`].
        languages (`Sequence[str]` of length `texts`): The language of each text.
        task (`Mapping`): `labels`, `problem_type` and, optionally, `thresholds`.

    Returns:
        `dict[str, dict]`: By language, the metrics of the problem type, and `per_label` with those of each label.

    Raises:
        ValueError: If an argument is not valid.
    """
    names, problem_type, thresholds = task["labels"], task["problem_type"], task.get("thresholds")
    languages, references = np.asarray(languages), np.asarray(references)
    if languages.shape != (len(logits),):
        raise ValueError(f"languages has the shape {languages.shape}, but there are {len(logits)} texts.")
    found: dict[str, dict[str, Any]] = {}
    for language in np.unique(languages):
        rows = languages == language
        gold = references[rows]
        annotated = annotated_labels(gold) if gold.ndim == 2 else np.ones(len(names), bool)
        if not annotated.any():
            continue
        decisions = decide(logits[rows], problem_type, thresholds)
        each = per_label_scores(decisions, gold, names, problem_type)
        found[str(language)] = {
            **score(logits[rows], gold, problem_type, thresholds),
            "per_label": {name: each[name] for name, kept in zip(names, annotated, strict=True) if kept},
        }
    return found


__all__ = ["language_scores"]
