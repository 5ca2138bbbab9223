"""Base configuration of all families: the labels of a classifier, and changing them as transformers' own models do."""

from collections.abc import Mapping
from typing import Any, Self

from transformers import PreTrainedConfig

# What `from_pretrained` may be asked to change about the labels, and the options that depend on them.
LABEL_ARGUMENTS = ("num_labels", "id2label", "label2id", "problem_type")
LABEL_OPTIONS = ("thresholds", "calibration", "class_weights", "label_loss")
# Those with one entry per label. They belong to the outputs, and go when these do.
PER_LABEL_OPTIONS = ("thresholds", "calibration", "class_weights")


class LabelledConfig(PreTrainedConfig):
    r"""
    Base configuration whose labels can be changed when a model is loaded:
    `from_pretrained(folder, num_labels=3, ignore_mismatched_sizes=True)` gives it a new head with three outputs.
    """

    @classmethod
    def from_dict(cls, config_dict: dict[str, Any], **kwargs: Any) -> Any:
        """Build the configuration, then change its labels as [`~LabelledConfig.relabel`] does if `kwargs` say so."""
        labels = {name: kwargs.pop(name) for name in LABEL_ARGUMENTS if name in kwargs}
        options = {name: kwargs.pop(name) for name in LABEL_OPTIONS if name in kwargs and hasattr(cls, name)}
        loaded = super().from_dict(config_dict, **kwargs)
        config = loaded[0] if isinstance(loaded, tuple) else loaded
        config.relabel(**labels)
        for name, value in options.items():
            setattr(config, name, value)
        config.check_labels()
        return loaded

    @property
    def label_names(self) -> list[str]:
        """The labels in the order of the model's outputs."""
        return ordered_names(self.id2label)

    def relabel(
        self,
        num_labels: int | None = None,
        id2label: Mapping[int | str, str] | None = None,
        label2id: Mapping[str, int] | None = None,
        problem_type: str | None = None,
    ) -> Self:
        """Change the labels, the problem type or both. Nothing happens if they are what they were.

        As many labels as before are new names for the same outputs, so thresholds, calibration and class weights stay.
        Another number means another classifier: they belonged to the old one and are dropped. Another problem type
        drops them too, together with the label loss.

        Args:
            num_labels (`int`, *optional*): Number of labels, which are named `LABEL_0`, `LABEL_1`, ... if that is
                another number than before and no names are given.
            id2label (`dict[int, str]`, *optional*): The labels in the order of the outputs.
            label2id (`dict[str, int]`, *optional*): The same the other way round; one of the two is enough.
            problem_type (`str`, *optional*): The problem type.

        Returns:
            `LabelledConfig`: The configuration itself.

        Raises:
            ValueError: If the arguments contradict each other, or the family cannot follow them.
        """
        names = self.label_names
        if id2label is not None or label2id is not None or num_labels not in (None, self.num_labels):
            names = requested_names(num_labels, id2label, label2id) or names
        problem_type = problem_type or self.problem_type
        if names != self.label_names or problem_type != self.problem_type:
            kept = len(names) == self.num_labels and problem_type == self.problem_type
            self._set_labels(names, problem_type, keep_options=kept)
            self.check_labels()
        return self

    def check_labels(self) -> None:
        """Raise a `ValueError` if the options of the labels do not fit the labels."""
        raise NotImplementedError

    def _set_labels(self, names: list[str], problem_type: Any, keep_options: bool) -> None:
        self._set_names(names)
        self.problem_type = problem_type

    def _set_names(self, names: list[str]) -> None:
        self.id2label = dict(enumerate(names))
        self.label2id = {name: index for index, name in self.id2label.items()}


def ordered_names(id2label: Mapping[Any, str]) -> list[str]:
    """The labels by number. JSON sorts numbers as text, "10" before "2", so the order in `id2label` means nothing.

    Raises:
        ValueError: If the labels are not numbered from 0 without gaps.
    """
    numbered = {int(number): name for number, name in id2label.items()}
    if sorted(numbered) != list(range(len(id2label))):
        raise ValueError(f"id2label must number its {len(id2label)} labels from 0 on, got {dict(id2label)}.")
    return [numbered[index] for index in range(len(numbered))]


def requested_names(
    num_labels: int | None, id2label: Mapping[Any, str] | None, label2id: Mapping[str, int] | None
) -> list[str] | None:
    """The labels that the arguments of `from_pretrained` ask for in the order of the outputs, or `None` if they ask
    for nothing.

    Raises:
        ValueError: If they contradict each other.
    """
    names = None if id2label is None else ordered_names(id2label)
    if label2id is not None:
        turned = ordered_names({number: name for name, number in label2id.items()})
        if names is not None and names != turned:
            raise ValueError(
                f"id2label and label2id contradict each other: {dict(enumerate(names))} and {dict(label2id)}. Pass one "
                "of them."
            )
        names = turned
    if num_labels is not None and names is not None and num_labels != len(names):
        raise ValueError(f"num_labels is {num_labels}, but there are {len(names)} labels: {', '.join(names)}.")
    if names is None and num_labels is not None:
        if num_labels < 1:
            raise ValueError(f"num_labels must be at least 1, got {num_labels}.")
        names = [f"LABEL_{index}" for index in range(num_labels)]
    return names


def check_calibration(calibration: Any) -> None:
    """Check that a calibration has a slope above 0 and an intercept for each label. `None` is valid.

    Raises:
        ValueError: If it has not.
    """
    for entry in calibration or ():
        if len(entry) != 2 or not entry[0] > 0:
            raise ValueError(
                f"calibration must hold [slope, intercept] for each label, with slopes above 0; got {entry}."
            )


__all__ = ["LabelledConfig"]
