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
    Configuration of the common space over an emotion encoder and one or more source encoders (Common-Space
    Representation; the paper's Model-3, whose only source is sentiment).

    Args:
        emotion_encoder (`MultitaskConfig` or `dict`): Configuration of the emotion encoder, which computes P_E.
        source_encoders (`list[MultitaskConfig | dict]`): Configurations of the source encoders, each of which
            computes a P_S.
        common_size (`int`, *optional*): Width of the common-space representation. It must be narrower than P_E,
            or the decoder could copy P_E through it. Defaults to half the width of P_E.
        common_level (`str`, defaults to `"text"`): What is mapped to the common space. `"text"` maps one representation
            per text, as in the paper. `"token"` maps the token states of all encoders, which must share a tokenizer;
            the classifier then reads them with one attention head per label, and the common-space representation of
            a text is their mean.
        intermediate_size (`int`, *optional*): Width of the hidden layer of the common-space encoder and decoder.
            Defaults to the width of P_E.
        emotion_corruption (`float`, defaults to 0.0): Fraction of P_E's features dropped during training before
            the common space reads them, so that the sources must help to reconstruct them.
        siamese_size (`int`, *optional*): Width of the Siamese projection g. Defaults to half the width of P_E.
        siamese_loss (`str`, defaults to `"regression"`): `"regression"` regresses the distance to the target, 0 for a
            pair with the same label and 1 otherwise, as in the paper. `"contrastive"` pulls pairs with the same label
            together and pushes the others beyond `siamese_margin`.
        siamese_margin (`float`, defaults to 1.0): Margin of the contrastive loss.
        prediction_loss_weight (`float`, defaults to 1.0): Weight of the label loss.
        reconstruction_loss_weight (`float`, defaults to 1.0): Weight of the reconstruction loss; 0 gives `model-3.1`.
        classifier_dropout (`float`, defaults to 0.1): Dropout in the common-space encoder and before the classifier.
        thresholds (`list[float]`, *optional*): Decision thresholds, one per label. Defaults to 0.5 for every label.
        calibration (`list[list[float]]`, *optional*): For each label the slope and the intercept that make its
            probabilities calibrated ones (see [`ClassifierHead.calibrated`]).
        class_weights (`list[float]`, *optional*): Weights of the label loss, one per label (see [`losses.label_loss`]).
        label_loss (`str`, defaults to `"cross_entropy"`): `"asymmetric"` and `"correlation"` are also available for
            multi-label problems (see [`losses.label_loss`]).
        shared_backbone (`bool`, defaults to `False`): Whether all encoders are adapters of one frozen text encoder,
            which is then held, saved and loaded once. Each encoder's configuration has an `adapter` with its own name.
        problem_type (`str`, defaults to `"multi_label_classification"`): The alternative is
            `"single_label_classification"`.
        id2label, label2id (`dict`): The emotion labels; one of the two is enough.

    Raises:
        ValueError: If the common space is not narrower than P_E, `common_level="token"` is used with an encoder that
            provides no token states, the encoders of a shared backbone are not adapters of one encoder, or an option is
            invalid.
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
        "hidden_states",
        "attentions",
        "source_hidden_states",
        "source_attentions",
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
    shared_backbone: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        super().__post_init__(**kwargs)
        sources = self.source_encoders or []
        self.source_encoders = [s if isinstance(s, PreTrainedConfig) else MultitaskConfig(**s) for s in sources]
        size = self.emotion_encoder.representation_size
        self.common_size = self.common_size or size // 2
        self.intermediate_size = self.intermediate_size or size
        self.siamese_size = self.siamese_size or size // 2
        # AutoModel knows two classes for this config and chooses between them by this field.
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
                raise ValueError(f'common_level="token" reads token states, so {name} needs representation="pooled".')
        if not 0 <= self.emotion_corruption < 1:
            raise ValueError(
                "emotion_corruption is the fraction of P_E's features to drop: it must be at least 0 and below 1, got "
                f"{self.emotion_corruption}."
            )
        if self.siamese_loss not in SIAMESE_LOSSES:
            raise ValueError(f"siamese_loss must be one of {', '.join(SIAMESE_LOSSES)}, got {self.siamese_loss!r}.")
        if self.shared_backbone:
            self._check_backbone()

    def _check_backbone(self) -> None:
        encoders = [self.emotion_encoder, *(self.source_encoders or ())]
        names = [encoder.adapter_name for encoder in encoders if encoder.adapter is not None]
        if len(names) < len(encoders):
            raise ValueError(
                "shared_backbone needs encoders that are adapters of one text encoder, but "
                f"{len(encoders) - len(names)} of {len(encoders)} have no adapter: train them with peft_config."
            )
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"Two adapters on one backbone have the name {twice[0]!r}: give one of them another name.")
        if len({(encoder.encoder.model_type, encoder.encoder.hidden_size) for encoder in encoders}) > 1:
            raise ValueError(
                f"The adapters {', '.join(names)} were trained on different text encoders, so they cannot share one. "
                "Train them all from the same pretrained encoder."
            )

    def to_dict(self) -> dict[str, Any]:
        """Serialise, including the list of source encoders."""
        return super().to_dict() | {"source_encoders": [nested_dict(encoder) for encoder in self.source_encoders]}


__all__ = ["CSRConfig"]
