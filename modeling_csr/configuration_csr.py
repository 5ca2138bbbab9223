"""Configuration of the `csr` family."""

from typing import Any

from transformers import PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

from .classifier_config import ClassifierConfig, nested_dict
from .configuration_multitask import MultitaskConfig

SIAMESE_LOSSES = ("regression", "contrastive")
COMMON_LEVELS = ("text", "token")


class CSRConfig(ClassifierConfig):
    r"""
    The common space over an emotion encoder and one or more source encoders (Common-Space Representation; the
    paper's Model-3, where the one source is sentiment).

    Args:
        emotion_encoder (`MultitaskConfig` or `dict`): Configuration of the emotion encoder (gives P_E).
        source_encoders (`list[MultitaskConfig | dict]`): Configurations of the source encoders (each gives a P_S).
        common_size (`int`, *optional*): Width of the common-space representation. Must be narrower than P_E, or the
            decoder could copy P_E through it. Half of P_E by default.
        common_level (`str`, defaults to `"text"`): What is mapped to the common space: `"text"`, one representation a
            text (the paper's), or `"token"`, the token states of all encoders, which must share one tokenizer; the
            classifier then reads them with one attention a label, and the common-space representation of a text is
            their mean.
        intermediate_size (`int`, *optional*): Width of the hidden layer of the common-space encoder and decoder.
            As wide as P_E by default.
        emotion_corruption (`float`, defaults to 0.0): Share of P_E's features that are dropped in training before the
            common space reads them, so that the sources must help to reconstruct them.
        siamese_size (`int`, *optional*): Width of the Siamese projection g. Half of P_E by default.
        siamese_loss (`str`, defaults to `"regression"`): `"regression"`: the distance is regressed to the target, 0
            for a pair of the same label and 1 for another (the paper's). `"contrastive"`: pairs of the same label are
            pulled together and others pushed beyond `siamese_margin`.
        siamese_margin (`float`, defaults to 1.0): Margin of the contrastive loss.
        prediction_loss_weight (`float`, defaults to 1.0): Weight of the label loss.
        reconstruction_loss_weight (`float`, defaults to 1.0): Weight of the reconstruction loss. 0 gives `model-3.1`.
        classifier_dropout (`float`, defaults to 0.1): Dropout in the common-space encoder and before the classifier.
        thresholds (`list[float]`, *optional*): Decision thresholds, one a label; 0.5 where absent.
        class_weights (`list[float]`, *optional*): Weights of the label loss, one a label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): Or, of multi-label texts, `"asymmetric"` or `"correlation"`
            (see [`losses.label_loss`]).
        problem_type (`str`, defaults to `"multi_label_classification"`): Or `"single_label_classification"`.
        id2label, label2id (`dict`): The emotion labels; both must be given together.

    Raises:
        ValueError: If the common space is not narrower than P_E, an encoder has no token states to read although
            `common_level="token"`, or an option is not valid.
    """

    model_type = "csr"
    default_problem_type = "multi_label_classification"
    sub_configs_defaults = {"emotion_encoder": SubConfigSpec(config_class=MultitaskConfig)}
    keys_to_ignore_at_inference = [
        "prediction_loss",
        "reconstruction_loss",
        "common_space",
        "common_states",
        "reconstruction",
        "emotion_representation",
        "source_representations",
        "embeddings",
    ]

    emotion_encoder: dict | PreTrainedConfig | None = None
    source_encoders: list[Any] | None = None
    common_size: int | None = None
    common_level: str = "text"
    emotion_corruption: float | int = 0.0
    intermediate_size: int | None = None
    siamese_size: int | None = None
    siamese_loss: str = "regression"
    siamese_margin: float | int = 1.0
    prediction_loss_weight: float | int = 1.0
    reconstruction_loss_weight: float | int = 1.0
    classifier_dropout: float | int = 0.1

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        sources = self.source_encoders or []
        self.source_encoders = [s if isinstance(s, PreTrainedConfig) else MultitaskConfig(**s) for s in sources]
        size = self.emotion_encoder.representation_size
        self.common_size = self.common_size or size // 2
        self.intermediate_size = self.intermediate_size or size
        self.siamese_size = self.siamese_size or size // 2
        # AutoModel has two classes for this config and picks by this field.
        self.architectures = self.architectures or ["CSRModel"]
        if self.common_size >= size:
            raise ValueError(
                f"common_size ({self.common_size}) must be smaller than the emotion representation ({size}), or the "
                "decoder could copy it through the common space."
            )
        if self.common_level not in COMMON_LEVELS:
            raise ValueError(f"common_level must be one of {', '.join(COMMON_LEVELS)}, got {self.common_level!r}.")
        encoders = {"the emotion encoder": self.emotion_encoder}
        encoders |= {f"source encoder {number}": source for number, source in enumerate(self.source_encoders)}
        for name, encoder in encoders.items():
            if self.common_level == "token" and encoder.representation != "pooled":
                raise ValueError(f'common_level="token" reads token states: {name} needs representation="pooled".')
        if not 0 <= self.emotion_corruption < 1:
            raise ValueError(
                f"emotion_corruption must be at least 0 and below 1, the share of P_E's features that are dropped, got "
                f"{self.emotion_corruption}."
            )
        if self.siamese_loss not in SIAMESE_LOSSES:
            raise ValueError(f"siamese_loss must be one of {', '.join(SIAMESE_LOSSES)}, got {self.siamese_loss!r}.")

    def to_dict(self) -> dict[str, Any]:
        """Serialise, the list of source encoders included."""
        return super().to_dict() | {"source_encoders": [nested_dict(encoder) for encoder in self.source_encoders]}


__all__ = ["CSRConfig"]
