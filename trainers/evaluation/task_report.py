"""The scores of one task: overall, by label, and at tuned thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import evaluate
import numpy as np
import torch

from .calibration import apply_calibration, calibration_error, fit_calibration, reliability
from .decisions import check_problem_type, class_masks, decide, multi_hot_masks
from .metrics import METRICS, label_scores, output_scores, score
from .ranking import average_precisions
from .thresholds import tune_thresholds


@dataclass(frozen=True)
class Predictions:
    """
    Logits of labelled texts.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Unnormalised scores.
        labels (`np.ndarray`): Multi-hot labels `(texts, num_labels)`, or class ids `(texts,)`.
        name (`str`): What cards call the texts.
    """

    logits: np.ndarray
    labels: np.ndarray
    name: str


def task_report(
    logits: np.ndarray,
    labels: np.ndarray,
    task: Mapping[str, Any],
    threshold: str = "fixed",
    metrics: Mapping[str, type[evaluate.Metric]] = METRICS,
    *,
    calibrate: bool = False,
    tuned_on: Predictions | None = None,
) -> tuple[dict[str, Any], list[float] | None]:
    """Score a task, after choosing the thresholds of a multi-label one.

    Args:
        logits (`np.ndarray` of shape `(texts, num_labels)`): Unnormalised scores.
        labels (`np.ndarray`): Multi-hot labels or scores `(texts, num_labels)`, or class ids `(texts,)`. NaN is a label
            or a score that is missing.
        task (`Mapping`): Its `labels` and `problem_type`.
        threshold (`str`, defaults to `"fixed"`): `"fixed"` (0.5), `"global"` or `"per_label"` (see
            [`tune_thresholds`]).
        metrics (`Mapping[str, type[evaluate.Metric]]`, *optional*): By problem type, the metric to compute.
        calibrate (`bool`, defaults to `False`): Whether to fit a calibration as well (see [`fit_calibration`]).
        tuned_on ([`Predictions`], *optional*): The texts on which thresholds and calibration are chosen. Defaults to
            the same texts, which flatters the scores.

    Returns:
        `tuple`: A `dict` of the `metrics` at the chosen thresholds; `metrics_at_0.5` and `thresholds` where these were
        tuned; `calibration`, by label a slope and an intercept, where it was fitted; `tuned_on`, the name of the texts
        for both (`"dev"` for the same texts); and `per_label` scores: those of [`per_label_scores`],
        `average_precision` for multi-label tasks and, for all but regressions, `calibration_error` and
        `calibrated_error`, the expected calibration errors before and after a calibration. Its second part is the tuned
        thresholds, one per label, or `None`.

    Raises:
        ValueError: If an argument is not valid.
    """
    names, problem_type = task["labels"], task["problem_type"]
    fitted = Predictions(logits, labels, "dev") if tuned_on is None else tuned_on
    thresholds = None
    if problem_type == "multi_label_classification" and threshold != "fixed":
        thresholds = tune_thresholds(torch.tensor(fitted.logits).sigmoid().numpy(), fitted.labels, threshold)
    report: dict[str, Any] = {"metrics": score(logits, labels, problem_type, thresholds, metrics)}
    if thresholds is not None:
        report["metrics_at_0.5"] = score(logits, labels, problem_type, metrics=metrics)
        report["thresholds"] = dict(zip(names, thresholds, strict=True))
    calibration = None
    if calibrate and problem_type != "regression":
        calibration = fit_calibration(fitted.logits, fitted.labels, problem_type)
        report["calibration"] = dict(zip(names, calibration, strict=True))
    if thresholds is not None or calibration is not None:
        report["tuned_on"] = fitted.name
    report["per_label"] = per_label_scores(decide(logits, problem_type, thresholds), labels, names, problem_type)
    if problem_type != "regression":
        for label, scores in probability_scores(logits, labels, names, problem_type, calibration).items():
            report["per_label"][label] |= scores
    return report, thresholds


def probability_scores(
    logits: np.ndarray,
    references: np.ndarray,
    label_names: Sequence[str],
    problem_type: str,
    calibration: list[list[float]] | None = None,
) -> dict[str, dict[str, float | None]]:
    """Scores of each label that depend on no threshold.

    Args:
        logits (`np.ndarray` of shape `(texts, labels)`): Unnormalised scores.
        references (`np.ndarray`): Multi-hot labels `(texts, labels)`, NaN where nobody annotated one, or class ids
            `(texts,)`.
        label_names (`Sequence[str]`): Names of the labels, in order.
        problem_type (`str`): `"multi_label_classification"` or `"single_label_classification"`.
        calibration (`list[list[float]]`, *optional*): Slope and intercept of each label.

    Returns:
        `dict[str, dict[str, float | None]]`: By label `average_precision` for multi-label problems, `None` where no
        text has the label, `calibration_error` and, with a calibration, `calibrated_error`, all as fractions.

    Raises:
        ValueError: If the arrays do not fit, or the problem is a regression.
    """
    found: dict[str, list[float | None]] = {}
    if problem_type == "multi_label_classification":
        found["average_precision"] = average_precisions(logits, references)
    found["calibration_error"] = [calibration_error(bins) for bins in reliability(logits, references, problem_type)]
    if calibration is not None:
        calibrated = apply_calibration(logits, calibration)
        found["calibrated_error"] = [
            calibration_error(bins) for bins in reliability(calibrated, references, problem_type)
        ]
    return {label: {name: scores[index] for name, scores in found.items()} for index, label in enumerate(label_names)}


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


__all__ = ["Predictions", "per_label_scores", "probability_scores", "task_report"]
