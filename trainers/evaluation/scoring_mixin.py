"""What Trainers measure: predictions by task, thresholds, calibration and scores."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from modeling_csr import present_labels

from .task_report import Predictions, task_report


class TaskScoringMixin:
    """
    Adds scores by task to a Trainer that has `tasks`, `eval_dataset` and `plain_datasets`, as
    [`~trainers.trainer.StageTrainer`] describes them.
    """

    tasks: dict[str, dict[str, Any]]
    plain_datasets: dict[str, dict[str, Any]]
    eval_dataset: Any
    model: Any
    predict: Any
    use_single_precision: Any

    def task_predictions(self, eval_dataset: Any = None) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Logits and labels by task, each for the dev texts that are labelled for it.

        Args:
            eval_dataset (*optional*): Texts to use in place of the Trainer's dev texts.

        Raises:
            ValueError: If there are no texts.
        """
        dataset = self.eval_dataset if eval_dataset is None else eval_dataset
        if dataset is None:
            raise ValueError("There are no dev texts: pass eval_dataset.")
        self.use_single_precision()
        output: Any = self.predict(dataset, metric_key_prefix="eval")
        found = {}
        for task in self.tasks:
            logits, labels = output.predictions, output.label_ids
            if isinstance(labels, dict):
                logits, labels = logits[task], labels[task]
            rows = self.task_row_numbers(task, labels)
            found[task] = logits[rows], labels[rows]
        return found

    def task_row_numbers(self, task: str, labels: np.ndarray) -> np.ndarray:
        """Numbers of the dev rows that belong to a task, in the task's order: those labelled for it, or for a
        regression on plain rows all of them, since scores may be missing."""
        if "eval" in self.plain_datasets and self.tasks[task]["problem_type"] == "regression":
            return np.arange(len(labels))
        return present_labels(torch.from_numpy(labels)).reshape(len(labels), -1).any(dim=1).numpy()

    def tune_thresholds(self, mode: str = "global", eval_dataset: Any = None) -> dict[str, dict[str, float]]:
        """Choose thresholds for multi-label tasks on the dev texts, and store them in the model's config. Scores on the
        same texts are flattered: pass others that the model has not learnt from.

        Args:
            mode (`str`, defaults to `"global"`): One threshold for all labels (`"global"`), one per label
                (`"per_label"`), or 0.5 (`"fixed"`).
            eval_dataset (*optional*): Texts to use in place of the Trainer's dev texts.

        Returns:
            `dict[str, dict[str, float]]`: Thresholds by task and label. Tasks without tuned thresholds are left out.
        """
        tuned = {}
        for task, (logits, labels) in self.task_predictions(eval_dataset).items():
            _, thresholds = task_report(logits, labels, self.tasks[task], mode)
            if thresholds is not None:
                self.set_thresholds(task, thresholds)
                tuned[task] = dict(zip(self.tasks[task]["labels"], thresholds, strict=True))
        return tuned

    def set_thresholds(self, task: str, thresholds: list[float]) -> None:
        """Set the thresholds of a task, in the model's config as well."""
        self._set_option(task, "thresholds", thresholds)

    def calibrate(self, eval_dataset: Any = None) -> dict[str, dict[str, list[float]]]:
        """Fit a calibration of the probabilities (see [`fit_calibration`]) on the dev texts, and
        store it in the model's config. Decisions stay as they are; `calibrated=True` shows it in the pipeline.

        Args:
            eval_dataset (*optional*): Texts to use in place of the Trainer's dev texts.

        Returns:
            `dict[str, dict[str, list[float]]]`: Slope and intercept by task and label; regressions are left out.
        """
        fitted = {}
        for task, (logits, labels) in self.task_predictions(eval_dataset).items():
            report, _ = task_report(logits, labels, self.tasks[task], calibrate=True)
            if "calibration" in report:
                self._set_option(task, "calibration", list(report["calibration"].values()))
                fitted[task] = report["calibration"]
        return fitted

    def _set_option(self, task: str, name: str, value: list[Any]) -> None:
        """Set an option of a task's labels, in the model's config as well."""
        self.tasks[task][name] = value
        setattr(self.model.config, name, value)

    def report(
        self,
        threshold: str = "fixed",
        calibrate: bool = False,
        tuned_on: Mapping[str, Predictions] | None = None,
    ) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Score the model on the dev texts, after choosing thresholds.

        Args:
            threshold (`str`, defaults to `"fixed"`): Same as `mode` of [`~TaskScoringMixin.tune_thresholds`].
            calibrate (`bool`, defaults to `False`): Whether to fit a calibration as well.
            tuned_on (`Mapping[str, Predictions]`, *optional*): By task, predictions on which to do both. Defaults to
                those of the dev texts, which flatters the scores.

        Returns:
            `tuple`: A `dict` of the `task`, what [`task_report`] says of it, and `tasks` with the
            same for each further task; and the logits of the dev texts by task, of shape `(texts, num_labels)`.
        """
        results: dict[str, Any] = {}
        logits = {}
        for task, (logits[task], labels) in self.task_predictions().items():
            fitted: dict[str, Any] = {"calibrate": calibrate, "tuned_on": (tuned_on or {}).get(task)}
            scores, thresholds = task_report(logits[task], labels, self.tasks[task], threshold, **fitted)
            if thresholds is not None:
                self.set_thresholds(task, thresholds)
            if "calibration" in scores:
                self._set_option(task, "calibration", list(scores["calibration"].values()))
            if results:
                results.setdefault("tasks", {})[task] = scores
            else:
                results = {"task": task, **scores}
        return results, logits


__all__ = ["TaskScoringMixin"]
