"""The scores of one task on its dev texts, at thresholds that are chosen there."""

from typing import Any

import numpy as np
import torch

from .metrics import decide, per_label_scores, score
from .regression_metrics import per_output_scores, regression_scores
from .thresholds import tune_thresholds


def task_report(
    logits: np.ndarray, labels: np.ndarray, task: dict[str, Any], threshold: str
) -> tuple[dict[str, Any], list[float] | None]:
    """The scores of one task, and its thresholds where they were tuned."""
    names, problem_type = task["labels"], task["problem_type"]
    if problem_type == "regression":
        scores = {"metrics": regression_scores(logits, labels)}
        return {**scores, "per_label": per_output_scores(logits, labels, names)}, None
    thresholds = None
    if problem_type == "multi_label_classification" and threshold != "fixed":
        thresholds = tune_thresholds(torch.tensor(logits).sigmoid().numpy(), labels, threshold)
    results: dict[str, Any] = {"metrics": score(logits, labels, problem_type, thresholds)}
    if thresholds is not None:
        results["metrics_at_0.5"] = score(logits, labels, problem_type)
        results["thresholds"] = dict(zip(names, thresholds, strict=True))
    results["per_label"] = per_label_scores(decide(logits, problem_type, thresholds), labels, names, problem_type)
    return results, thresholds
