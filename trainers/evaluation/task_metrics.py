"""The `compute_metrics` of the Trainers."""

from collections.abc import Mapping
from typing import Any, ClassVar

import evaluate
import numpy as np
import torch
from transformers import EvalPrediction

from modeling_csr import present_labels

from .decisions import decide
from .metrics import METRICS, PairMetric, score


class TaskMetrics:
    """
    `compute_metrics` for a model with one or several tasks: each task is scored on the texts that are labelled for it.

    Texts without any label of a task (NaN, or -100 for class ids) are left out, and so are tasks without any labelled
    text. Of a text with some of its labels, these count.

    Args:
        tasks (`dict[str, dict]`): By task name, `labels`, `problem_type` and, optionally, `thresholds`, such as
            `MultitaskConfig.tasks`. They are read at each call, so tuned thresholds count from then on.

    Attributes:
        metric_classes (`dict[str, type[evaluate.Metric]]`): By problem type, the metric that is computed. Override it
            in a subclass for metrics of your own.

    Raises:
        ValueError: If there is no task, or one is not valid.

    Example:

    ```python
    >>> import numpy as np
    >>> from transformers import EvalPrediction

    >>> from trainers.evaluation import METRICS, MultiLabelMetric, TaskMetrics

    >>> class JaccardMetric(MultiLabelMetric):
    ...     def _compute(self, **inputs):
    ...         return {"jaccard": super()._compute(**inputs)["jaccard"]}

    >>> class JaccardOnly(TaskMetrics):
    ...     metric_classes = {**METRICS, "multi_label_classification": JaccardMetric}

    >>> metrics = JaccardOnly({"emotion": {"labels": ["joy", "fear"], "problem_type": "multi_label_classification"}})
    >>> metrics(EvalPrediction(predictions=np.array([[2.0, -2.0]]), label_ids=np.array([[1.0, 0.0]])))
    {'jaccard': 1.0}
    ```
    """

    metric_classes: ClassVar[Mapping[str, type[evaluate.Metric]]] = METRICS

    def __init__(self, tasks: dict[str, dict[str, Any]]) -> None:
        if not tasks:
            raise ValueError("tasks is empty: there is nothing to measure.")
        for name, task in tasks.items():
            try:
                # Better now than after the first epoch.
                decide(np.zeros((1, len(task["labels"]))), task["problem_type"], task.get("thresholds"))
            except ValueError as error:
                raise ValueError(f"Task {name!r}: {error}") from error
        self.tasks = tasks

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """Score each task on the texts that are labelled for it.

        Args:
            prediction (`EvalPrediction`): `predictions` (logits) and `label_ids`, each a `dict` of arrays by task name
                or, if there is one task, an array.

        Returns:
            `dict[str, float]`: The scores; with several tasks, each name is prefixed with its task and `_`.

        Raises:
            ValueError: If an array cannot be assigned to a task, or a labelled task has no logits.
        """
        logits = self._by_task(prediction.predictions, "predictions")
        labels = self._by_task(prediction.label_ids, "label_ids")
        results = {}
        for name, task in self.tasks.items():
            if name not in labels:
                continue
            if name not in logits:
                raise ValueError(f"Task {name!r} has labels but no predictions; there are {', '.join(logits)}.")
            present = present_labels(torch.from_numpy(labels[name])).reshape(len(labels[name]), -1)
            rows = present.any(dim=1).numpy()
            if not rows.any():
                continue
            scores = score(
                logits[name][rows],
                labels[name][rows],
                task["problem_type"],
                task.get("thresholds"),
                self.metric_classes,
            )
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


class PairMetrics:
    """
    `compute_metrics` for pairs of texts: predictions are distances `(pairs,)`, labels are targets between 0 and 1.

    Args:
        tasks (`dict[str, dict]`, *optional*): Not used; every `compute_metrics` of the Trainers is built from them.

    Attributes:
        metric_class (`type[evaluate.Metric]`): The metric that is computed.
    """

    metric_class: ClassVar[type[evaluate.Metric]] = PairMetric

    def __init__(self, tasks: dict[str, dict[str, Any]] | None = None) -> None:
        self.tasks = tasks

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        """As [`PairMetric`].

        Args:
            prediction (`EvalPrediction`): The distances and their targets.
        """
        found = self.metric_class().compute(predictions=prediction.predictions, references=prediction.label_ids)
        return dict(found or {})


__all__ = ["PairMetrics", "TaskMetrics"]
