"""Base configuration for families with a single classifier: its options and how they are serialised."""

from typing import Any, ClassVar

from transformers import PreTrainedConfig

from .losses import PROBLEM_TYPES, check_label_loss

# Classes, code and versions: the outer configuration speaks for those nested in it.
OUTER_KEYS = ("_name_or_path", "architectures", "auto_map", "transformers_version")


def nested_dict(config: PreTrainedConfig) -> dict[str, Any]:
    """Serialise a nested configuration without the classes and versions that its parent already names."""
    return {key: value for key, value in config.to_dict().items() if key not in OUTER_KEYS}


class ClassifierConfig(PreTrainedConfig):
    r"""
    Base configuration for models with a single classifier on top of encoders that have configurations of their own.

    Args:
        thresholds (`list[float]`, *optional*): Decision thresholds, one per label. Defaults to 0.5 for every label.
        class_weights (`list[float]`, *optional*): Weights of the label loss, one per label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): `"asymmetric"` and `"correlation"` are also available for
            multi-label problems (see [`losses.label_loss`]).
        problem_type (`str`, *optional*): One of `PROBLEM_TYPES`. Defaults to `default_problem_type`.
        id2label, label2id (`dict`): The labels; pass both or neither.

    Attributes:
        default_problem_type (`str`): Problem type of the family when none is given.

    Raises:
        ValueError: If the problem type or the loss is invalid, or the number of thresholds or class weights differs
            from the number of labels.
    """

    default_problem_type: ClassVar[Any]

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
        """Serialise, including the configurations of the encoders."""
        encoders = {name: nested_dict(getattr(self, name)) for name in self.sub_configs}
        return super().to_dict() | encoders


__all__ = ["ClassifierConfig"]
