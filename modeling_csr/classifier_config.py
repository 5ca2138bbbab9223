"""Base configuration for families with a single classifier: its options and how they are serialised."""

from typing import Any, ClassVar

from transformers import PreTrainedConfig

from .labelled_config import (
    PER_LABEL_OPTIONS,
    LabelledConfig,
    check_calibration,
    ordered_names,
    requested_names,
)
from .losses import PROBLEM_TYPES, check_label_loss

# Classes, code and versions: the outer configuration speaks for those nested in it.
OUTER_KEYS = ("_name_or_path", "architectures", "auto_map", "transformers_version")


def nested_dict(config: PreTrainedConfig) -> dict[str, Any]:
    """Serialise a nested configuration without the classes and versions that its parent already names."""
    return {key: value for key, value in config.to_dict().items() if key not in OUTER_KEYS}


class ClassifierConfig(LabelledConfig):
    r"""
    Base configuration for models with a single classifier on top of encoders that have configurations of their own.

    Args:
        thresholds (`list[float]`, *optional*): Decision thresholds, one per label. Defaults to 0.5 for every label.
        calibration (`list[list[float]]`, *optional*): For each label the slope and the intercept that make its
            probabilities calibrated ones (see [`ClassifierHead.calibrated`]).
        class_weights (`list[float]`, *optional*): Weights of the label loss, one per label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): `"asymmetric"` and `"correlation"` are also available for
            multi-label problems (see [`losses.label_loss`]).
        problem_type (`str`, *optional*): One of `PROBLEM_TYPES`. Defaults to `default_problem_type`.
        id2label, label2id (`dict`): The labels; one of the two is enough, and if both are given, `id2label` counts.

    Attributes:
        default_problem_type (`str`): Problem type of the family when none is given.

    Raises:
        ValueError: If the problem type or the loss is invalid, or the number of thresholds or class weights differs
            from the number of labels.
    """

    default_problem_type: ClassVar[Any]

    thresholds: list[float] | None = None
    calibration: list[list[float]] | None = None
    class_weights: list[float] | None = None
    label_loss: str = "cross_entropy"

    def __post_init__(self, **kwargs: Any) -> None:
        if self.id2label is None and self.label2id is not None:
            self.id2label = dict(enumerate(requested_names(None, None, self.label2id) or []))
        super().__post_init__(**kwargs)
        self._set_names(ordered_names(self.id2label))
        self.problem_type = self.problem_type or self.default_problem_type
        self.check_labels()

    def check_labels(self) -> None:
        """Check the problem type, the loss and the number of thresholds and class weights.

        Raises:
            ValueError: If one of them is invalid or does not fit the labels.
        """
        if self.problem_type not in PROBLEM_TYPES:
            raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {self.problem_type!r}.")
        if self.problem_type == "single_label_classification" and self.num_labels == 1:
            raise ValueError(
                'problem_type="single_label_classification" needs at least two labels: for one label, pass '
                'problem_type="multi_label_classification".'
            )
        check_label_loss(self.label_loss, self.problem_type)
        check_calibration(self.calibration)
        for name in PER_LABEL_OPTIONS:
            values = getattr(self, name)
            if values is not None and len(values) != self.num_labels:
                raise ValueError(
                    f"There are {self.num_labels} labels but {len(values)} {name}: pass one per label, or change the "
                    "labels with config.relabel(...), which drops what belongs to the old ones."
                )

    def _set_labels(self, names: list[str], problem_type: Any, keep_options: bool) -> None:
        if not keep_options:
            self.thresholds, self.calibration, self.class_weights = None, None, None
        if problem_type != self.problem_type:
            self.label_loss = "cross_entropy"
        super()._set_labels(names, problem_type, keep_options)

    def to_dict(self) -> dict[str, Any]:
        """Serialise, including the configurations of the encoders."""
        encoders = {name: nested_dict(getattr(self, name)) for name in self.sub_configs}
        return super().to_dict() | encoders


__all__ = ["ClassifierConfig"]
