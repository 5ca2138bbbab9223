"""The kinds of training stages: what each learns, starts from and leaves frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

# Tasks whose labels are scores.
REGRESSION_TASKS = ("intensity", "valence")
# Tasks that a model is trained on for the sake of transfer to emotions.
SOURCE_TASKS = ("sentiment", "related")

Trained = Literal["classifier", "common_space", "emotion_encoder", "encoders"]
SiameseTrained = Literal["siamese", "encoder"]
DialogueTrained = Literal["dialogue", "encoder"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A training stage. Use one of the subclasses, whose fields name what a stage of their kind can start from.

    Args:
        name (`str`): Name of its folder in the run's folder, unique within a run.
        tasks (`tuple[str, ...]`): The tasks that it has labels for; the first is its main task.
        config (`Mapping[str, Any]`): Fields of the model's config that belong to the recipe.
        training (`Mapping[str, Any]`): Training arguments that belong to the recipe.
        seed_offset (`int`): Added to the run's seed.
    """

    name: str
    tasks: tuple[str, ...] = ("emotion",)
    config: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    seed_offset: int = 0

    kind: ClassVar[str]

    @property
    def starts_from(self) -> dict[str, Stage]:
        """Maps parts of the model to the stages that they are taken from."""
        return {}

    @property
    def parents(self) -> list[Stage]:
        """The stages that it starts from, each once."""
        return list({stage.name: stage for stage in (*self.starts_from.values(), *self.teachers)}.values())

    @property
    def teachers(self) -> tuple[Stage, ...]:
        """The stages whose predictions are its targets."""
        return ()

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """Tasks whose training texts it uses without labels."""
        return ()

    @property
    def trains_encoder(self) -> bool:
        """Whether a text encoder is trained, and thus on texts rather than vectors."""
        return False

    @property
    def pretrained_parts(self) -> tuple[str, ...]:
        """Parts of the model that are the pretrained text encoder, not that of an earlier stage."""
        return ()

    @property
    def classifies(self) -> bool:
        """Whether a classifier is trained; otherwise only dev losses are reported."""
        return True


@dataclass(frozen=True, kw_only=True)
class EncoderStage(Stage):
    """An encoder with a head per task (`csr-multitask`).

    Args:
        encoder (`Stage`, *optional*): The stage whose encoder it starts from; the pretrained encoder by default.
    """

    encoder: Stage | None = None
    kind: ClassVar[str] = "multitask"

    @property
    def starts_from(self) -> dict[str, Stage]:
        return {"encoder": self.encoder} if self.encoder else {}

    @property
    def trains_encoder(self) -> bool:
        return True

    @property
    def pretrained_parts(self) -> tuple[str, ...]:
        return () if self.encoder else ("encoder",)


@dataclass(frozen=True, kw_only=True)
class SiameseStage(Stage):
    """The Siamese network over an emotion encoder.

    Args:
        emotion_encoder (`Stage`, *optional*): The stage whose encoder reads the texts; by default the pretrained one,
            which must then be trained.
        trains (`str`): What is trained: the `"siamese"` network on the frozen encoder, or the `"encoder"` with it.
    """

    emotion_encoder: Stage | None = None
    trains: SiameseTrained = "siamese"
    kind: ClassVar[str] = "siamese"

    def __post_init__(self) -> None:
        _check_trains(self, SiameseTrained)

    @property
    def starts_from(self) -> dict[str, Stage]:
        return {"emotion_encoder": self.emotion_encoder} if self.emotion_encoder else {}

    @property
    def trains_encoder(self) -> bool:
        return self.trains == "encoder"

    @property
    def pretrained_parts(self) -> tuple[str, ...]:
        return () if self.emotion_encoder else ("emotion_encoder",)

    @property
    def classifies(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class CommonSpaceStage(Stage):
    """The common space over an emotion encoder and its source encoders, with a classifier (`csr`).

    Args:
        emotion_encoder (`Stage`, *optional*): The stage of the emotion encoder; the pretrained encoder by default.
        source_encoders (`tuple[Stage or None, ...]`): The stages of the source encoders, `None` for the pretrained
            encoder.
        siamese (`Stage`, *optional*): The stage of the Siamese network that measures the reconstruction.
        common_space (`Stage`, *optional*): A stage whose complete common space is reused, under a new classifier.
        model (`Stage`, *optional*): A stage whose complete model is trained further.
        trains (`str`): What is trained: the `"classifier"` alone, the `"common_space"` on frozen encoders (the paper's
            way), the space with its `"emotion_encoder"`, or with all its `"encoders"`.
        learns_from (`tuple[Stage, ...]`): Teachers: stages whose predictions are the targets.
        temperature (`float`, *optional*): Temperature for sharpening the teachers' probabilities (see
            [`~trainers.distillation_trainer.sharpen`]); by default they are used unchanged.
        unlabelled_tasks (`tuple[str, ...]`): Tasks whose training texts the teachers label.
    """

    emotion_encoder: Stage | None = None
    source_encoders: tuple[Stage | None, ...] = ()
    siamese: Stage | None = None
    common_space: Stage | None = None
    model: Stage | None = None
    trains: Trained = "common_space"
    learns_from: tuple[Stage, ...] = ()
    temperature: float | None = None
    unlabelled_tasks: tuple[str, ...] = ()
    kind: ClassVar[str] = "csr"

    def __post_init__(self) -> None:
        _check_trains(self, Trained)

    @property
    def starts_from(self) -> dict[str, Stage]:
        parts = self._encoders | {"siamese": self.siamese, "csr": self.common_space, "model": self.model}
        return {part: stage for part, stage in parts.items() if stage is not None}

    @property
    def _encoders(self) -> dict[str, Stage | None]:
        sources = {f"source_encoders.{number}": stage for number, stage in enumerate(self.source_encoders)}
        return {"emotion_encoder": self.emotion_encoder, **sources}

    @property
    def teachers(self) -> tuple[Stage, ...]:
        return self.learns_from

    @property
    def unlabelled(self) -> tuple[str, ...]:
        return self.unlabelled_tasks

    @property
    def trains_encoder(self) -> bool:
        return self.trains in ("emotion_encoder", "encoders")

    @property
    def pretrained_parts(self) -> tuple[str, ...]:
        if self.model or self.common_space:
            return ()
        return tuple(part for part, stage in self._encoders.items() if stage is None)

    @property
    def classifies(self) -> bool:
        return self.config.get("prediction_loss_weight") != 0.0


@dataclass(frozen=True, kw_only=True)
class DialogueStage(Stage):
    """Layers over the utterances of a dialogue (`dialogue`).

    Args:
        utterance_encoder (`Stage`): The stage whose encoder reads the utterances.
        trains (`str`): What is trained: the `"dialogue"` layers on the frozen encoder, or the `"encoder"` with them.
    """

    utterance_encoder: Stage
    trains: DialogueTrained = "dialogue"
    kind: ClassVar[str] = "dialogue"

    def __post_init__(self) -> None:
        _check_trains(self, DialogueTrained)

    @property
    def trains_encoder(self) -> bool:
        return self.trains == "encoder"

    @property
    def starts_from(self) -> dict[str, Stage]:
        return {"utterance_encoder": self.utterance_encoder}


@dataclass(frozen=True, kw_only=True)
class DistilledStage(Stage):
    """A classifier that learns the predictions of a trained model. Its class is a stock one, unless its encoder is
    recurrent.

    Args:
        teacher (`str`): Folder or Hub id of the trained model, which is not part of the recipe.
        unlabelled_tasks (`tuple[str, ...]`): Further tasks whose training texts the teacher labels.
        student (`str`, *optional*): Folder or Hub id of the encoder that it starts from. By default, the teacher's.
        student_layers (`int`, *optional*): Keep only so many of the encoder's layers, the lowest ones.
    """

    teacher: str
    unlabelled_tasks: tuple[str, ...] = ("unlabelled",)
    student: str | None = None
    student_layers: int | None = None
    kind: ClassVar[str] = "distilled"

    @property
    def unlabelled(self) -> tuple[str, ...]:
        return self.unlabelled_tasks

    @property
    def trains_encoder(self) -> bool:
        return True


def _check_trains(stage: SiameseStage | CommonSpaceStage | DialogueStage, choices: Any) -> None:
    if stage.trains not in get_args(choices):
        known = ", ".join(get_args(choices))
        raise ValueError(f"Stage {stage.name!r}: trains must be one of {known}, got {stage.trains!r}.")
    if not stage.trains_encoder and "emotion_encoder" in stage.pretrained_parts:
        raise ValueError(f"Stage {stage.name!r} trains no encoder: name the stage of its emotion_encoder.")
