"""Configuration of the `dialogue` family."""

from typing import Any

from transformers import PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .classifier_config import ClassifierConfig
from .configuration_multitask import MultitaskConfig

CONTEXTS = ("none", "past", "full")


class DialogueConfig(ClassifierConfig):
    r"""
    Configuration of a model that encodes each utterance of a dialogue and labels it in context.

    Args:
        utterance_encoder (`MultitaskConfig` or `dict`): Configuration of the encoder of single utterances.
        context (`str`, defaults to `"full"`): Which other utterances a label may depend on: `"none"` (same layers, as
            a baseline), `"past"` (only those before it, required for following a dialogue as it unfolds) or `"full"`
            (those before and after it).
        dialogue_size (`int`, defaults to 128): Width of the layers over the dialogue.
        num_attention_heads (`int`, defaults to 4): Number of attention heads over the dialogue.
        max_speakers (`int`, defaults to 8): Number of speakers distinguished in a dialogue, numbered in the order in
            which they first speak; any further speakers share the last number.
        max_distance (`int`, defaults to 16): Distance in utterances up to which the attention distinguishes distances.
        utterance_dropout (`float`, defaults to 0.3): Dropout on the representations of the utterances.
        classifier_dropout (`float`, defaults to 0.3): Dropout in the dialogue layers and before the classifier.
        thresholds (`list[float]`, *optional*): Decision thresholds, one per label. Defaults to 0.5 for every label.
        calibration (`list[list[float]]`, *optional*): For each label the slope and the intercept that make its
            probabilities calibrated ones (see [`ClassifierHead.calibrated`]).
        class_weights (`list[float]`, *optional*): Weights of the label loss, one per label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): `"asymmetric"` and `"correlation"` are also available for
            multi-label problems (see [`losses.label_loss`]).
        problem_type (`str`, defaults to `"single_label_classification"`): The alternative is
            `"multi_label_classification"`.
        id2label, label2id (`dict`): The labels; one of the two is enough.

    Raises:
        ValueError: If an option is invalid.
    """

    model_type = "dialogue"
    default_problem_type = "single_label_classification"
    sub_configs_defaults = {"utterance_encoder": SubConfigSpec(config_class=MultitaskConfig)}
    keys_to_ignore_at_inference = [
        "utterance_representations",
        "dialogue_states",
        "hidden_states",
        "attentions",
        "pooling_attentions",
        "past",
    ]

    utterance_encoder: dict | PreTrainedConfig | None = None
    context: str = "full"
    dialogue_size: int = 128
    num_attention_heads: int = 4
    max_speakers: int = 8
    max_distance: int = 16
    utterance_dropout: float | int = 0.3
    classifier_dropout: float | int = 0.3

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        if self.context not in CONTEXTS:
            raise ValueError(f"context must be one of {', '.join(CONTEXTS)}, got {self.context!r}.")
        if self.dialogue_size < 2 or self.dialogue_size % 2 or self.dialogue_size % self.num_attention_heads:
            raise ValueError(
                f"dialogue_size ({self.dialogue_size}) must be even and a multiple of num_attention_heads "
                f"({self.num_attention_heads})."
            )
        for name in ("max_speakers", "max_distance"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}.")


__all__ = ["DialogueConfig"]
