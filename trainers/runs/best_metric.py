"""The metric that chooses the best checkpoint of a stage (`--metric_for_best_model`)."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from transformers import EvalPrediction

from ..data import TaskDataset
from ..evaluation import PairMetrics, TaskMetrics
from ..recipes import SiameseStage, Stage
from ..training_arguments import StageTrainingArguments
from .task_options import task_config

logger = logging.getLogger(__name__)


def stage_metrics(stage: Stage, tasks: Mapping[str, TaskDataset]) -> list[str]:
    """Names of the metrics that a stage's Trainer computes on dev: its loss, and those of its tasks.

    Args:
        stage ([`Stage`]): The stage.
        tasks (`Mapping[str, TaskDataset]`): Data by task.
    """
    if isinstance(stage, SiameseStage):
        pairs = np.array([0.0, 1.0])
        return ["loss", *PairMetrics()(EvalPrediction(predictions=pairs, label_ids=pairs))]
    if not stage.classifies:
        return ["loss"]
    # What they are called is seen from the scores of two texts.
    configs = {task: task_config(tasks[task]) for task in stage.tasks}
    logits: Any = {task: np.zeros((2, len(config["labels"]))) for task, config in configs.items()}
    labels: Any = {
        task: np.zeros(2, dtype=np.int64)
        if config["problem_type"] == "single_label_classification"
        else np.zeros((2, len(config["labels"])))
        for task, config in configs.items()
    }
    return ["loss", *TaskMetrics(configs)(EvalPrediction(predictions=logits, label_ids=labels))]


def with_best_metric(
    training: StageTrainingArguments, stage: Stage, tasks: Mapping[str, TaskDataset]
) -> StageTrainingArguments:
    """Training arguments of a stage with a metric that it has: the one asked for, that of its first task, or the loss.

    Args:
        training ([`StageTrainingArguments`]): Its arguments.
        stage ([`Stage`]): The stage.
        tasks (`Mapping[str, TaskDataset]`): Data by task.
    """
    asked = training.metric_for_best_model
    if asked is None:
        return training
    found = _own_name(asked, stage, tasks)
    if found == asked:
        return training
    changes = {"metric_for_best_model": found or "loss"} | ({} if found else {"greater_is_better": False})
    return type(training).derived_from(training, **changes)


def check_best_metric(
    training: StageTrainingArguments, stages: Sequence[Stage], tasks: Mapping[str, TaskDataset]
) -> None:
    """Check that some stage has the metric that is to choose the best checkpoint, and log which stages have not.

    Args:
        training ([`StageTrainingArguments`]): The run's arguments.
        stages (`Sequence[Stage]`): Its stages.
        tasks (`Mapping[str, TaskDataset]`): Data by task.

    Raises:
        ValueError: If none has; the message lists those that there are.
    """
    asked = training.metric_for_best_model
    if asked is None:
        return
    without = [stage.name for stage in stages if _own_name(asked, stage, tasks) is None]
    if len(without) == len(stages):
        known = {stage.name: ", ".join(stage_metrics(stage, tasks)) for stage in stages}
        raise ValueError(
            f"--metric_for_best_model {asked}: no stage has it. There are:\n  "
            + "\n  ".join(f"{name}: {metrics}" for name, metrics in known.items())
        )
    for name in without:
        logger.info("%s has no %s: its loss chooses its best checkpoint.", name, asked)


def _own_name(asked: str, stage: Stage, tasks: Mapping[str, TaskDataset]) -> str | None:
    """What a stage calls a metric: a stage of several tasks puts their names before it, and its first task counts."""
    known = stage_metrics(stage, tasks)
    plain = asked.removeprefix("eval_")
    if plain in known:
        return asked
    prefixed = f"{stage.tasks[0]}_{plain}"
    return prefixed if prefixed in known else None


__all__ = ["check_best_metric", "stage_metrics", "with_best_metric"]
