"""The scores of one task: overall, by label, and at tuned thresholds."""

from collections.abc import Mapping, Sequence
from typing import Any

import evaluate
import numpy as np
import torch

from .decisions import check_problem_type, class_masks, decide, multi_hot_masks
from .metrics import METRICS, label_scores, output_scores, score
from .thresholds import tune_thresholds


def task_report(
    logits: np.ndarray,
    labels: np.ndarray,
    task: Mapping[str, Any],
    threshold: str = "fixed",
    metrics: Mapping[str, type[evaluate.Metric]] = METRICS,
) -> tuple[dict[str, Any], list[float] | None]:
    """Score a task, after choosing the thresholds of a multi-label one on the same texts.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Unnormalised scores.
        labels (`np.ndarray`): Multi-hot labels or scores `(texts, num_labels)`, or class ids `(texts,)`. NaN is a label
            or a score that is missing.
        task (`Mapping`): Its `labels` and `problem_type`.
        threshold (`str`, defaults to `"fixed"`): `"fixed"` (0.5), `"global"` or `"per_label"` (see
            [`tune_thresholds`]).
        metrics (`Mapping[str, type[evaluate.Metric]]`, *optional*): By problem type, the metric to compute.

    Returns:
        `tuple`: A `dict` of the `metrics` at the chosen thresholds, `metrics_at_0.5` and `thresholds` where these were
        tuned, and `per_label` scores; and the tuned thresholds, one per label, or `None`.

    Raises:
        ValueError: If an argument is not valid.
    """
    names, problem_type = task["labels"], task["problem_type"]
    thresholds = None
    if problem_type == "multi_label_classification" and threshold != "fixed":
        thresholds = tune_thresholds(torch.tensor(logits).sigmoid().numpy(), labels, threshold)
    report: dict[str, Any] = {"metrics": score(logits, labels, problem_type, thresholds, metrics)}
    if thresholds is not None:
        report["metrics_at_0.5"] = score(logits, labels, problem_type, metrics=metrics)
        report["thresholds"] = dict(zip(names, thresholds, strict=True))
    report["per_label"] = per_label_scores(decide(logits, problem_type, thresholds), labels, names, problem_type)
    return report, thresholds


def per_label_scores(
    predictions: np.ndarray, references: np.ndarray, label_names: Sequence[str], problem_type: str
) -> dict[str, dict[str, float]]:
    """Scores of each label, or of each output of a regression.

    Args:
        predictions (`np.ndarray`): What [`decide`] returns.
        references (`np.ndarray`): As for [`score`].
        label_names (`Sequence[str]`): Names of the labels, in order.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.

    Returns:
        `dict[str, dict[str, float]]`: By label, `precision`, `recall` and `f1`, or `pearson` and `mean_absolute_error`
        for a regression, and `support`, the number of texts in which the label is gold or that have a gold score.

    Raises:
        ValueError: If there are not as many labels as names, or an argument is not valid.
    """
    check_problem_type(problem_type)
    predictions, references = np.asarray(predictions), np.asarray(references)
    if problem_type == "regression":
        references = references.astype(np.float64)
        outputs = output_scores(predictions, references[:, None] if references.ndim == 1 else references)
        return dict(zip(_as_many(label_names, len(outputs)), outputs, strict=True))
    if predictions.shape != references.shape:
        raise ValueError(
            f"predictions and references must have the same shape, got {predictions.shape} and {references.shape}."
        )
    named = {"predictions": predictions, "references": references}
    if problem_type == "multi_label_classification":
        predicted, gold = multi_hot_masks(**named)
    else:
        predicted, gold = class_masks(len(label_names), **named)
    scores = {name: values.tolist() for name, values in label_scores(predicted, gold).items()}
    names = _as_many(label_names, gold.shape[1])
    return {label: {name: scores[name][index] for name in scores} for index, label in enumerate(names)}


def _as_many(label_names: Sequence[str], count: int) -> Sequence[str]:
    if count != len(label_names):
        raise ValueError(f"references have {count} labels but label_names holds {len(label_names)}.")
    return label_names


__all__ = ["per_label_scores", "task_report"]
