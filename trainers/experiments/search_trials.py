"""Scores of a trial while it trains: metrics at tuned thresholds, and pruning."""

from typing import TYPE_CHECKING, Any

import torch
from transformers import EvalPrediction, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from modeling_csr import present_labels

from ..evaluation import TaskMetrics, tune_thresholds

if TYPE_CHECKING:
    from optuna.trial import Trial


class TunedMetrics(TaskMetrics):
    """[`TaskMetrics`] at thresholds tuned on the scored texts, as for a finished stage.

    Class weights and learning rates shift the probabilities, which would decide the comparison at a threshold of 0.5.

    Args:
        tasks (`dict[str, dict]`): As for [`TaskMetrics`].
        threshold (`str`): `"fixed"`, `"global"` or `"per_label"`.
    """

    def __init__(self, tasks: dict[str, dict[str, Any]], threshold: str) -> None:
        super().__init__({name: dict(task) for name, task in tasks.items()})
        self.threshold = threshold

    def __call__(self, prediction: EvalPrediction) -> dict[str, float]:
        logits = self._by_task(prediction.predictions, "predictions")
        labels = self._by_task(prediction.label_ids, "label_ids")
        for name, task in self.tasks.items():
            if task["problem_type"] == "multi_label_classification" and name in labels:
                rows = present_labels(torch.from_numpy(labels[name])).any(dim=1).numpy()
                probabilities = torch.from_numpy(logits[name][rows]).double().sigmoid().numpy()
                task["thresholds"] = tune_thresholds(probabilities, labels[name][rows], self.threshold)
        return super().__call__(prediction)


class TrialPruning(TrainerCallback):
    """Reports the score of each epoch to Optuna, and stops unpromising trials.

    By epoch, not by step: trials with different batch sizes have different steps, and none would be pruned.

    Args:
        trial (`optuna.trial.Trial`): The trial.
        metric (`str`): Metric to maximise, such as `"macro_f1"`.
    """

    def __init__(self, trial: "Trial", metric: str) -> None:
        self.trial, self.metric = trial, metric

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **kwargs: Any,
    ) -> None:
        import optuna

        value = metrics.get(f"eval_{self.metric}", metrics.get(f"eval_emotion_{self.metric}"))
        if value is None or state.epoch is None:
            return
        self.trial.report(value, round(state.epoch))
        if self.trial.should_prune():
            raise optuna.TrialPruned


__all__ = ["TrialPruning", "TunedMetrics"]
