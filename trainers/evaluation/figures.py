"""The figures of a finished model, from its logits and its vectors of the dev texts."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model_cards import plot_decisions, plot_reliability, plot_scores, plot_space, plot_training_curves
from modeling_csr import present_labels

from .calibration import apply_calibration, reliability
from .decisions import decide

# More points would not show more.
MAX_POINTS = 2000


def draw_results(
    folder: Path,
    log_history: list[dict[str, Any]],
    tasks: Mapping[str, Mapping[str, Any]],
    results: Mapping[str, Any],
    logits: Mapping[str, np.ndarray],
    rows: Mapping[str, Any] | None = None,
    embed: Callable[[np.ndarray], np.ndarray] | None = None,
) -> None:
    """Draw the figures of a model's card into its folder.

    These are the losses (`training_curves.png`) and, for the model's first task, its decisions or scores
    (`decisions.png`, `scores.png`), its probabilities if they were calibrated (`reliability.png`) and its space
    (`space.png`). What the arguments do not allow is left out.

    Args:
        folder (`Path`): Where to write.
        log_history (`list[dict]`): The Trainer's log.
        tasks (`Mapping[str, Mapping]`): By name, `labels` and `problem_type` of its tasks.
        results (`Mapping`): What `eval_results.json` holds; the decisions are those at its `thresholds`.
        logits (`Mapping[str, np.ndarray]`): By task, the logits of the dev texts that are labelled for it.
        rows (`Mapping[str, Dataset]`, *optional*): By task, the dev texts: `text`, and targets as `labels`.
        embed (`Callable`, *optional*): Takes row numbers of the first task's dev texts, and returns their vectors
            `(texts, size)`. Without it, or with fewer than three texts, no space is drawn.
    """
    plot_training_curves(log_history, folder / "training_curves.png")
    name, task = next(iter(tasks.items()))
    if not rows or name not in rows:
        return
    labels = np.asarray(rows[name]["labels"][:])
    labelled = np.flatnonzero(present_labels(torch.from_numpy(labels)).reshape(len(labels), -1).any(dim=1).numpy())
    if name in logits:
        # Of a regression, texts without a score have a prediction, too.
        gold = labels if len(logits[name]) == len(labels) else labels[labelled]
        draw_predictions(logits[name], gold, task, folder, results.get("thresholds"))
        if "calibration" in results:
            draw_reliability(logits[name], gold, task, folder, results["calibration"])
    shown = labelled[:MAX_POINTS]
    if embed is not None and task["problem_type"] != "regression" and len(shown) > 2:
        names = task["labels"]
        plot_space(embed(shown), _multi_hot(labels[shown], len(names)), names, folder / "space.png")


def draw_predictions(
    logits: np.ndarray,
    labels: np.ndarray,
    task: Mapping[str, Any],
    folder: Path,
    thresholds: Mapping[str, float] | None = None,
) -> None:
    """Draw which labels a classifier gives texts (`decisions.png`), or the scores of a regression (`scores.png`).

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Unnormalised scores.
        labels (`np.ndarray`): Multi-hot labels or scores `(texts, num_labels)`, or class ids `(texts,)`.
        task (`Mapping`): Its `labels` and `problem_type`.
        folder (`Path`): Where to write.
        thresholds (`Mapping[str, float]`, *optional*): By label, where they were tuned.
    """
    names = task["labels"]
    if task["problem_type"] == "regression":
        plot_scores(logits, labels.reshape(len(labels), -1), names, folder / "scores.png")
        return
    decisions = decide(logits, task["problem_type"], list(thresholds.values()) if thresholds else None)
    plot_decisions(_multi_hot(decisions, len(names)), _multi_hot(labels, len(names)), names, folder / "decisions.png")


def draw_reliability(
    logits: np.ndarray,
    labels: np.ndarray,
    task: Mapping[str, Any],
    folder: Path,
    calibration: Mapping[str, list[float]],
) -> None:
    """Draw how often labels are gold by their probability, before and after a calibration (`reliability.png`).

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Unnormalised scores.
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)`, or class ids `(texts,)`.
        task (`Mapping`): Its `labels` and `problem_type`.
        folder (`Path`): Where to write.
        calibration (`Mapping[str, list[float]]`): By label, slope and intercept.
    """
    calibrated = apply_calibration(logits, list(calibration.values()))
    before, after = (reliability(values, labels, task["problem_type"]) for values in (logits, calibrated))
    points = {
        label: [[(one.probability, one.frequency) for one in bins] for bins in both]
        for label, *both in zip(task["labels"], before, after, strict=True)
    }
    plot_reliability(points, folder / "reliability.png")


def _multi_hot(labels: np.ndarray, num_labels: int) -> np.ndarray:
    """Class ids `(texts,)` as multi-hot labels `(texts, num_labels)`; multi-hot labels as they are."""
    return labels if labels.ndim == 2 else np.eye(num_labels)[labels]


__all__ = ["MAX_POINTS", "draw_predictions", "draw_results"]
