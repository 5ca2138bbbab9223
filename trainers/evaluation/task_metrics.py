"""The `compute_metrics` of the Trainers: each task scored on the texts that are labelled for it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from transformers import EvalPrediction

from modeling_csr.losses import labelled_rows

from .metrics import decide, score
from .regression_metrics import regression_scores


class TaskMetrics:
    """
    The `compute_metrics` of a `Trainer` for a model with one or several tasks.

    Texts whose labels are missing (NaN, or -100 for class ids) are left out, and so is a task without any labelled
    text.

    Args:
        tasks (`dict[str, dict]`): By task name, `labels`, `problem_type` and, optionally, `thresholds`, such as
            `MultitaskConfig.tasks`. The thresholds are read at each call, so tuned ones count from then on.

    Raises:
        ValueError: If there is no task, or one is not valid.

    Example:

    ```python
    >>> trainer = Trainer(model=model, args=args, compute_metrics=TaskMetrics(model.config.tasks), ...)
    ```
    """

    def __init__(self, tasks: dict[str, dict[str, Any]]) -> None:
        if not tasks:
            raise ValueError("tasks is empty: there is nothing to measure.")
        for name, task in tasks.items():
            if task["problem_type"] == "regression":
                continue
            try:
                # Better now than after the first epoch.
                decide(np.zeros((1, len(task["labels"]))), task["problem_type"], task.get("thresholds"))
            except ValueError as error:
                raise ValueError(f"Task {name!r}: {error}") from error
        self.tasks = tasks

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """Score each task on the texts that are labelled for it.

        Args:
            prediction (`EvalPrediction`): `predictions` (logits) and `label_ids`, each an array, if there is one
                task, or a `dict` of arrays by task name.

        Returns:
            `dict[str, float]`: As `score`; with several tasks, each key is preceded by its task and `_`.

        Raises:
            ValueError: If it cannot be told which task an array belongs to, or a labelled task has no logits.
        """
        logits = self._by_task(prediction.predictions, "predictions")
        labels = self._by_task(prediction.label_ids, "label_ids")
        results = {}
        for name, task in self.tasks.items():
            if name not in labels:
                continue
            if name not in logits:
                raise ValueError(f"Task {name!r} has labels but no predictions; there are {', '.join(logits)}.")
            if task["problem_type"] == "regression":
                if np.isnan(labels[name]).all():
                    continue
                scores = regression_scores(logits[name], labels[name])
            else:
                rows = labelled_rows(torch.from_numpy(labels[name])).numpy()
                if not rows.any():
                    continue
                scores = score(logits[name][rows], labels[name][rows], task["problem_type"], task.get("thresholds"))
            prefix = f"{name}_" if len(self.tasks) > 1 else ""
            results.update({f"{prefix}{key}": value for key, value in scores.items()})
        return results

    def _by_task(
        self, arrays: np.ndarray | tuple[np.ndarray] | Mapping[str, np.ndarray], argument: str
    ) -> Mapping[str, np.ndarray]:
        if isinstance(arrays, Mapping):
            return arrays
        if len(self.tasks) > 1 or not isinstance(arrays, np.ndarray):
            raise ValueError(
                f"{argument} must be a dict of arrays, one for each of the tasks {', '.join(self.tasks)}"
                f"{' (or, for one task, an array)' if len(self.tasks) == 1 else ''}; got {type(arrays).__name__}."
            )
        return {next(iter(self.tasks)): arrays}


__all__ = ["TaskMetrics"]
