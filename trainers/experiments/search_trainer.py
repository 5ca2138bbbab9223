"""The Trainer of a hyper-parameter search: one trial after another."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from transformers import EvalPrediction
from transformers.trainer_utils import TrainOutput

from modeling_csr.losses import labelled_rows

from ..evaluation.task_metrics import TaskMetrics
from ..evaluation.thresholds import tune_thresholds
from ..trainer import StageTrainer


class TunedMetrics(TaskMetrics):
    """[`TaskMetrics`] at the thresholds that are best on the very texts that are scored, as a finished stage has them.

    Class weights and learning rates move the probabilities: at 0.5, trials would be compared by where they moved them.

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
                rows = labelled_rows(torch.from_numpy(labels[name])).numpy()
                probabilities = torch.from_numpy(logits[name][rows]).double().sigmoid().numpy()
                task["thresholds"] = tune_thresholds(probabilities, labels[name][rows], self.threshold)
        return super().__call__(prediction)


class SearchTrainer(StageTrainer):
    """A [`StageTrainer`] whose `hyperparameter_search` varies any option of a run, not only training arguments.

    The model, data and arguments of each trial come from a Trainer that is built for the trial: heads, dropout, class
    weights and augmentation belong to the model or the data, which one Trainer of transformers keeps.

    Args:
        build (`Callable`): From a trial of Optuna (`None`: the default settings) to the Trainer of its stage.
        suggest (`Callable`): From a trial to the options it has, by name.
        metric (`str`): What is maximised, such as `"macro_f1"`.
        threshold (`str`): The thresholds at which it is measured: `"fixed"`, `"global"` or `"per_label"`.
    """

    def __init__(
        self,
        build: Callable[[Any], StageTrainer],
        suggest: Callable[[Any], dict[str, Any]],
        metric: str,
        threshold: str,
    ) -> None:
        first = build(None)
        super().__init__(
            model=first.model,
            args=first.args,
            train_dataset=first.train_dataset,
            eval_dataset=first.eval_dataset,
            data_collator=first.data_collator,
            processing_class=first.processing_class,
            compute_metrics=TunedMetrics(first.compute_metrics.tasks, threshold),
        )
        self._build, self._suggest, self._metric = build, suggest, metric
        # Only now: with a model, the constructor would refuse it.
        self.model_init = self._model_of

    def search(self, **kwargs: Any) -> Any:
        """[`~Trainer.hyperparameter_search`] with Optuna; keyword arguments as there, and as for `create_study`."""
        return self.hyperparameter_search(
            hp_space=self._training_arguments,
            compute_objective=self._objective,
            direction="maximize",
            backend="optuna",
            **kwargs,
        )

    def train(self, *args: Any, trial: Any = None, **kwargs: Any) -> TrainOutput:
        output = super().train(*args, trial=trial, **kwargs)
        # Not what the last evaluation of the training said: the finished model's weights may be averaged.
        metrics = self.evaluate()
        self.objective = self._objective(metrics)
        if trial is not None:
            for name in ("jaccard", "micro_f1", "macro_f1", "accuracy"):
                value = metrics.get(f"eval_{name}", metrics.get(f"eval_emotion_{name}"))
                if value is not None:
                    trial.set_user_attr(name, round(value, 5))
        return output

    def _model_of(self, trial: Any) -> nn.Module:
        """The model of a trial; its data and arguments are taken up on the way."""
        built = self._build(trial)
        for name, value in vars(built.args).items():
            setattr(self.args, name, value)
        self.train_dataset, self.data_collator = built.train_dataset, built.data_collator
        if self._weight_averaging:
            self.remove_callback(self._weight_averaging)
        self._weight_averaging = built._weight_averaging
        if self._weight_averaging:
            self.add_callback(self._weight_averaging)
        return built.model

    def _training_arguments(self, trial: Any) -> dict[str, Any]:
        """Those of the trial's options that are training arguments."""
        # As `_model_of` has set them: a recipe's own come before those of the run.
        return {name: getattr(self.args, name) for name in self._suggest(trial) if hasattr(self.args, name)}

    def _objective(self, metrics: dict[str, float]) -> float:
        value = metrics.get(f"eval_{self._metric}", metrics.get(f"eval_emotion_{self._metric}"))
        if value is None:
            raise ValueError(f"--search_metric {self._metric} is not measured; there is {', '.join(metrics)}.")
        return value

    def _report_to_hp_search(self, trial: Any, step: int, metrics: dict[str, float]) -> None:
        # By epochs: with other batch sizes, no two trials would have the same steps, and none would be pruned.
        super()._report_to_hp_search(trial, round(self.state.epoch), metrics)


__all__ = ["SearchTrainer", "TunedMetrics"]
