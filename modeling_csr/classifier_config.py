"""What the configurations of the families with one classifier share: its options, and how they are saved."""

from typing import Any, ClassVar

from transformers import PreTrainedConfig

from .losses import PROBLEM_TYPES, check_label_loss

# Of the classes, their code and the versions: what the outer configuration says holds for those in it.
OUTER_KEYS = ("_name_or_path", "architectures", "auto_map", "transformers_version")


def nested_dict(config: PreTrainedConfig) -> dict[str, Any]:
    """Serialise a configuration that is a part of another one, which alone names classes and versions."""
    return {key: value for key, value in config.to_dict().items() if key not in OUTER_KEYS}


class ClassifierConfig(PreTrainedConfig):
    r"""
    The base of the configurations of models with one classifier, over encoders that have configurations of their own.

    Args:
        thresholds (`list[float]`, *optional*): Decision thresholds, one a label; 0.5 where absent.
        class_weights (`list[float]`, *optional*): Weights of the label loss, one a label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): Or, of multi-label texts, `"asymmetric"` or `"correlation"`
            (see [`losses.label_loss`]).
        problem_type (`str`, *optional*): One of `PROBLEM_TYPES`; `default_problem_type` where absent.
        id2label, label2id (`dict`): The labels; both must be given together.

    Attributes:
        default_problem_type (`str`): The family's.

    Raises:
        ValueError: If the problem type or the loss is not valid, or there are not as many thresholds or class weights
            as labels.
    """

    default_problem_type: ClassVar[str]

    thresholds: list[float] | None = None
    class_weights: list[float] | None = None
    label_loss: str = "cross_entropy"

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        self.problem_type = self.problem_type or self.default_problem_type
        if self.problem_type not in PROBLEM_TYPES:
            raise ValueError(f"problem_type must be one of {', '.join(PROBLEM_TYPES)}, got {self.problem_type!r}.")
        check_label_loss(self.label_loss, self.problem_type)
        for name in ("thresholds", "class_weights"):
            values = getattr(self, name)
            if values is not None and len(values) != self.num_labels:
                raise ValueError(f"There are {self.num_labels} labels but {len(values)} {name}.")

    def to_dict(self) -> dict[str, Any]:
        """Serialise, the configurations of the encoders included."""
        encoders = {name: nested_dict(getattr(self, name)) for name in self.sub_configs}
        return super().to_dict() | encoders


__all__ = ["ClassifierConfig"]
