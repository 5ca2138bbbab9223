"""What the outputs of a classifier mean: labels, thresholds, calibration. Saved alongside the pipeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

MULTI_LABEL, SINGLE_LABEL = "multi_label_classification", "single_label_classification"


@dataclass(frozen=True)
class ClassifierHead:
    """
    The labels of a classifier, and how to read its probabilities.

    Args:
        labels (`list[str]`): The labels, in the order of the logits.
        problem_type (`str`): `"multi_label_classification"`, `"single_label_classification"` or `"regression"`.
        thresholds (`list[float]`): One per label.
        calibration (`list[list[float]]`, *optional*): Slope and intercept of each label.
    """

    labels: list[str]
    problem_type: str
    thresholds: list[float]
    calibration: Sequence[Sequence[float]] | None = None

    @classmethod
    def of(cls, config: Any, task: str | None = None) -> "ClassifierHead":
        """The head of a model, or that of one of its tasks.

        Args:
            config (`PreTrainedConfig`): Its configuration; stock ones may lack all but the labels.
            task (`str`, *optional*): The task of a multi-task model. Defaults to its main task.
        """
        if task is not None:
            options = config.tasks[task]
            labels, problem_type = options["labels"], options["problem_type"]
        else:
            options = {name: getattr(config, name, None) for name in ("thresholds", "calibration")}
            labels, problem_type = [config.id2label[index] for index in range(config.num_labels)], config.problem_type
        problem_type = problem_type or (SINGLE_LABEL if len(labels) > 1 else MULTI_LABEL)
        return cls(labels, problem_type, options.get("thresholds") or [0.5] * len(labels), options.get("calibration"))

    def check_calibrated(self) -> None:
        """Raise a `ValueError` if there is no calibration."""
        if self.calibration is None:
            raise ValueError(
                "calibrated=True needs a model with a calibration in its config: train it with --calibrate, or call "
                "calibrate() of its Trainer."
            )

    def calibrated(self, probabilities: torch.Tensor) -> torch.Tensor:
        """Calibrate probabilities, which keeps the order of texts for each label and the best label of each text.

        With several labels per text, a probability p becomes the sigmoid of slope · logit(p) + intercept of its label.
        With one label per text, the slope is the same for all, and probabilities are raised to it and made to sum to 1.

        Args:
            probabilities (`torch.Tensor` of shape `(texts, labels)`): Those of the model.

        Returns:
            `torch.Tensor` of the same shape, in double precision.
        """
        self.check_calibrated()
        slopes, intercepts = torch.tensor(self.calibration, dtype=torch.double).T
        probabilities = probabilities.double().cpu()
        if self.problem_type == SINGLE_LABEL:
            return torch.softmax(slopes * probabilities.log(), dim=-1)
        return torch.sigmoid(slopes * torch.logit(probabilities) + intercepts)

    def calibrated_thresholds(self) -> list[float]:
        """The thresholds as they are for calibrated probabilities."""
        return self.calibrated(torch.tensor([self.thresholds], dtype=torch.double))[0].tolist()


__all__ = ["MULTI_LABEL", "SINGLE_LABEL", "ClassifierHead"]
