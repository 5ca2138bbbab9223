"""Options of a task in a stage, from the options of the run."""

from collections.abc import Mapping
from typing import Any

from ..data import TaskDataset, class_weights
from ..recipes import Stage
from .model_arguments import ModelArguments


def task_config(dataset: TaskDataset) -> dict[str, Any]:
    """The entry of a task in [`MultitaskConfig`], without loss options."""
    return {"labels": list(dataset.labels), "problem_type": dataset.problem_type}


def loss_options(stage: Stage, task: str, dataset: TaskDataset, model: ModelArguments) -> dict[str, Any]:
    """Loss options for `task` in `stage`: `class_weights` and `label_loss`, where they apply.

    They do not apply to tasks other than emotion, so that all settings share one source encoder. Self-trained stages
    have no class weights: their teachers already favour rare labels, and twice would be too much.
    """
    options: dict[str, Any] = {}
    if task != "emotion":
        return options
    if model.class_weights != "none" and dataset.problem_type != "regression" and not stage.teachers:
        options["class_weights"] = class_weights(dataset.labelled_targets("train"), dataset.labels, model.class_weights)
    if model.label_loss != "cross_entropy" and dataset.problem_type == "multi_label_classification":
        options["label_loss"] = model.label_loss
    return options


def cross_fitted(stage: Stage, tasks: Mapping[str, TaskDataset], model: ModelArguments) -> bool:
    """Whether what is fitted to a stage's predictions, its thresholds and calibration, is fitted out of fold."""
    if model.threshold_folds is None or "emotion" not in stage.tasks or not stage.classifies:
        return False
    problem_type = tasks["emotion"].problem_type
    thresholds = model.threshold != "fixed" and problem_type == "multi_label_classification"
    return thresholds or (model.calibrate and problem_type != "regression")
