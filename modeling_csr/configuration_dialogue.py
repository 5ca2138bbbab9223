"""Configuration of the `dialogue` family."""

from typing import Any

from transformers import PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .classifier_config import ClassifierConfig
from .configuration_multitask import MultitaskConfig

CONTEXTS = ("none", "past", "full")


class DialogueConfig(ClassifierConfig):
    r"""
    A dialogue of utterances, each read by an utterance encoder and labelled in its context.

    Args:
        utterance_encoder (`MultitaskConfig` or `dict`): Configuration of the encoder of single utterances.
        context (`str`, defaults to `"full"`): What the label of an utterance may depend on besides it: `"none"`, other
            utterances not at all (the same layers, to compare with), `"past"`, those before it (needed to follow a
            dialogue as it goes on), or `"full"`, those after it, too.
        dialogue_size (`int`, defaults to 128): Width of the layers over the dialogue.
        num_attention_heads (`int`, defaults to 4): Heads of the attention over the dialogue.
        max_speakers (`int`, defaults to 8): How many speakers of a dialogue are told apart by number, in the order of
            their first words; all further ones share the last number.
        max_distance (`int`, defaults to 16): How many utterances apart the attention tells distances apart.
        utterance_dropout (`float`, defaults to 0.3): Dropout of the utterances' representations.
        classifier_dropout (`float`, defaults to 0.3): Dropout in the dialogue layers and before the classifier.
        thresholds (`list[float]`, *optional*): Decision thresholds, one a label; 0.5 where absent.
        class_weights (`list[float]`, *optional*): Weights of the label loss, one a label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): Or, of multi-label utterances, `"asymmetric"` or
            `"correlation"` (see [`losses.label_loss`]).
        problem_type (`str`, defaults to `"single_label_classification"`): Or `"multi_label_classification"`.
        id2label, label2id (`dict`): The labels; both must be given together.

    Raises:
        ValueError: If an option is not valid.
    """

    model_type = "dialogue"
    default_problem_type = "single_label_classification"
    sub_configs_defaults = {"utterance_encoder": SubConfigSpec(config_class=MultitaskConfig)}
    keys_to_ignore_at_inference = [
        "utterance_representations",
        "dialogue_states",
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
