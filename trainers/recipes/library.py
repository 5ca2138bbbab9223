"""The recipes, each a list of stages: the paper's, and the controls that tell what makes them work."""

from dataclasses import dataclass, field
from typing import Any, Literal

StageKind = Literal["multitask", "siamese", "csr", "dialogue"]


@dataclass(frozen=True)
class Stage:
    """One training stage: what it learns, what it starts from and what it freezes.

    Args:
        name (`str`): Its folder in the run's folder.
        kind (`str`): `"multitask"`, `"siamese"`, `"csr"` or `"dialogue"`: the model family and the Trainer.
        tasks (`tuple[str, ...]`): The tasks it has labels of; the first is the one it is judged by.
        starts_from (`dict[str, str]`): By part, the stage that the part is taken from. Parts: `encoder` (multitask),
            `emotion_encoder`, `source_encoders.0` and so on, `siamese`, `utterance_encoder` (dialogue), `csr` (a common
            space with its encoders, for a new classifier), or `model` (the whole model, which holds the others).
        frozen (`tuple[str, ...]`): Modules that are not trained.
        config (`dict[str, Any]`): Config fields that belong to the recipe.
        training (`dict[str, Any]`): Training arguments that belong to the recipe.
        teachers (`tuple[str, ...]`): The stages whose predictions are the targets of a self-trained one.
        temperature (`float`, *optional*): How sure the teachers' decisions are taken to be (see
            [`self_training.sharpen`]); without, what they say is taken as it is.
        unlabelled (`tuple[str, ...]`): The tasks whose training texts a self-trained stage reads besides its own.
        seed_offset (`int`): Added to the run's seed.
    """

    name: str
    kind: StageKind
    tasks: tuple[str, ...] = ("emotion",)
    starts_from: dict[str, str] = field(default_factory=dict)
    frozen: tuple[str, ...] = ()
    config: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    teachers: tuple[str, ...] = ()
    temperature: float | None = None
    unlabelled: tuple[str, ...] = ()
    seed_offset: int = 0

    @property
    def joint(self) -> bool:
        """Whether a common space is trained together with the emotion encoder, and so on texts, not on vectors."""
        return self.kind == "csr" and not {"csr", "csr.emotion_encoder"} & set(self.frozen)

    @property
    def trains_encoder(self) -> bool:
        """Whether a text encoder is trained, and so on texts."""
        return self.kind == "multitask" or self.joint

    @property
    def starts_anew(self) -> bool:
        """Whether its text encoder is the pretrained one, not that of an earlier stage."""
        return self.trains_encoder and not {"encoder", "emotion_encoder", "csr"} & self.starts_from.keys()

    @property
    def classifies(self) -> bool:
        """Whether a classifier is trained; else the losses on dev say what was learnt."""
        return self.kind != "siamese" and self.config.get("prediction_loss_weight") != 0.0

    @property
    def parents(self) -> list[str]:
        """The stages that it takes something from."""
        return list(dict.fromkeys([*self.starts_from.values(), *self.teachers]))

    @property
    def sources(self) -> list[str]:
        """The stages that the source encoders are taken from, in order."""
        return [parent for part, parent in self.starts_from.items() if part.startswith("source_encoders.")]


# Tasks whose labels are scores.
REGRESSION_TASKS = ("intensity", "valence")
# Tasks that a model is trained on for what it carries over to others.
SOURCE_TASKS = ("sentiment", "related")

ENCODERS = {"emotion_encoder": "emotion-encoder", "source_encoders.0": "sentiment-encoder"}
FROZEN_ENCODERS = ("csr.emotion_encoder", "csr.source_encoders", "csr.siamese")

EMOTION_ENCODER = Stage("emotion-encoder", "multitask")
SENTIMENT_ENCODER = Stage("sentiment-encoder", "multitask", tasks=("sentiment",))
EMOTION_FROM_SENTIMENT = Stage(
    "emotion-encoder-from-sentiment", "multitask", starts_from={"encoder": "sentiment-encoder"}
)
MULTITASK = Stage("multitask", "multitask", tasks=("emotion", "sentiment"))
SIAMESE = Stage("siamese", "siamese", starts_from={"emotion_encoder": "emotion-encoder"}, frozen=("emotion_encoder",))
# model-3.1 is model-3.3 without reconstruction loss: one code path.
CSR_PREDICTION = Stage(
    "csr-prediction", "csr", starts_from=ENCODERS, frozen=FROZEN_ENCODERS, config={"reconstruction_loss_weight": 0.0}
)
CSR_RECONSTRUCTION = Stage(
    "csr-reconstruction",
    "csr",
    starts_from={**ENCODERS, "siamese": "siamese"},
    frozen=FROZEN_ENCODERS,
    config={"prediction_loss_weight": 0.0},
)
CSR_FROZEN = Stage(
    "csr-frozen",
    "csr",
    starts_from={**ENCODERS, "model": "csr-reconstruction"},
    frozen=("csr",),
    config={"reconstruction_loss_weight": 0.0},
)
CSR = Stage("csr", "csr", starts_from={**ENCODERS, "siamese": "siamese"}, frozen=FROZEN_ENCODERS)
# Where a part of P_E is missing, the common space needs P_S to reconstruct it.
CSR_CORRUPTED = Stage(
    "csr-corrupted", "csr", starts_from=CSR.starts_from, frozen=FROZEN_ENCODERS, config={"emotion_corruption": 0.3}
)

# The common space over tokens, read with one attention a label and trained together with its encoders.
AVERAGED: dict[str, Any] = {"weight_averaging": 0.25}
# New layers over tokens, and heads beside others, learn too little for the rare labels at the rate of the encoder.
HEAD_RATE = 1e-3
JOINT: dict[str, Any] = {**AVERAGED, "head_learning_rate": HEAD_RATE}
FROZEN_SOURCES = ("csr.source_encoders", "csr.siamese")
TRAINED_SOURCES = ("csr.siamese",)


def joint_stage(
    name: str,
    start: str | None,
    sources: tuple[str, ...] = (),
    weight: float = 0.0,
    part: str = "emotion_encoder",
    **options: Any,
) -> Stage:
    """A common space over tokens, trained with its emotion encoder.

    Args:
        name (`str`): The stage's name.
        start (`str`, *optional*): The stage that it starts from; the pretrained encoder without.
        sources (`tuple[str, ...]`): The stages whose encoders are the sources, frozen unless `options` say otherwise.
        weight (`float`): Weight of the reconstruction loss; above 0 the stage takes the network of `siamese-NAME`.
        part (`str`): What of `start` it takes: its encoder as `"emotion_encoder"`, or its whole common space, `"csr"`.
        **options: Further fields of [`Stage`].
    """
    parents = {part: start} if start else {}
    parents |= {f"source_encoders.{number}": source for number, source in enumerate(sources)}
    parents |= {"siamese": f"siamese-{start}"} if weight else {}
    config = {"common_level": "token", "reconstruction_loss_weight": weight}
    options = {"config": config, "training": JOINT, "frozen": FROZEN_SOURCES, **options}
    return Stage(name, "csr", starts_from=parents, **options)


SIAMESE_ON_SENTIMENT = Stage(
    "siamese-sentiment-encoder",
    "siamese",
    starts_from={"emotion_encoder": "sentiment-encoder"},
    frozen=("emotion_encoder",),
)
# Related data are usually many more texts than the emotion data.
RELATED_TRAINING: dict[str, Any] = {"num_train_epochs": 2.0}
RELATED_ENCODER = Stage("related-encoder", "multitask", tasks=("related",), training=RELATED_TRAINING)
EMOTION_FROM_RELATED = Stage(
    "emotion-encoder-from-related", "multitask", starts_from={"encoder": "related-encoder"}, training=JOINT
)
# The common space itself may be learnt from them, and is then there before the first emotion label is read.
LEARNS_RELATED: dict[str, Any] = {"tasks": ("related",), "training": {**JOINT, **RELATED_TRAINING}}
RELATED_SPACE = joint_stage("related-space", None, **LEARNS_RELATED)
SPACE_FROM_RELATED, SPACE_FROM_RELATED_2, SPACE_FROM_RELATED_3 = (
    joint_stage(f"common-space-from-related{suffix}", "related-space", part="csr", seed_offset=offset)
    for suffix, offset in (("", 0), ("-2", 1000), ("-3", 2000))
)
# The same with a source, the paper's idea; the second stage finds it in the space of the first.
RELATED_SPACE_SENTIMENT = joint_stage("related-space-sentiment", None, ("sentiment-encoder",), **LEARNS_RELATED)
SPACE_FROM_RELATED_SENTIMENT = joint_stage(
    "common-space-from-related-sentiment", "related-space-sentiment", ("sentiment-encoder",), part="csr"
)
EMOTION_AVERAGED = Stage("emotion-encoder-averaged", "multitask", training=AVERAGED)
EMOTION_HEAD_RATE = Stage("emotion-encoder-head-rate", "multitask", training={"head_learning_rate": HEAD_RATE})
# The controls have the common space and losses of model-3.3, but not its sources.
EMOTION_ENCODER_2 = Stage("emotion-encoder-2", "multitask", seed_offset=1000)
CSR_EMOTION_ALONE = Stage(
    "csr-emotion-alone",
    "csr",
    starts_from={"emotion_encoder": "emotion-encoder", "siamese": "siamese"},
    frozen=FROZEN_ENCODERS,
)
CSR_TWO_EMOTION = Stage(
    "csr-two-emotion",
    "csr",
    starts_from={"emotion_encoder": "emotion-encoder", "source_encoders.0": "emotion-encoder-2", "siamese": "siamese"},
    frozen=FROZEN_ENCODERS,
)
CSR_SENTIMENT_ALONE = Stage(
    "csr-sentiment-alone",
    "csr",
    starts_from={"emotion_encoder": "sentiment-encoder"},
    frozen=FROZEN_ENCODERS,
    config={"reconstruction_loss_weight": 0.0},
)

PAPER_RECIPES: dict[str, tuple[Stage, ...]] = {
    "bert": (EMOTION_ENCODER,),
    "model-1": (SENTIMENT_ENCODER, EMOTION_FROM_SENTIMENT),
    "model-2": (MULTITASK,),
    "model-3.1": (EMOTION_ENCODER, SENTIMENT_ENCODER, CSR_PREDICTION),
    "model-3.2": (EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE, CSR_RECONSTRUCTION, CSR_FROZEN),
    "model-3.3": (EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE, CSR),
}
CONTROLS: dict[str, tuple[Stage, ...]] = {
    "emotion-alone": (EMOTION_ENCODER, SIAMESE, CSR_EMOTION_ALONE),
    "two-emotion-encoders": (EMOTION_ENCODER, EMOTION_ENCODER_2, SIAMESE, CSR_TWO_EMOTION),
    "sentiment-alone": (SENTIMENT_ENCODER, CSR_SENTIMENT_ALONE),
}
# What model-3.4 is made of, one thing at a time, and what it was not made of in the end.
LABEL_ATTENTION = joint_stage("label-attention", None)
LABEL_ATTENTION_FROM_RELATED = joint_stage("label-attention-from-related", "related-encoder")
TOKEN_SPACE = joint_stage("token-space", None, ("sentiment-encoder",))
# One model for several tasks over the same tweets. It has no layers that models of one task lack, so that it is of the
# same size as each.
ALL_TASKS = ("emotion", "intensity", "valence")
SEVERAL_TASKS: dict[str, Any] = {"config": {"shared_layer_sizes": []}, "training": {"head_learning_rate": HEAD_RATE}}
# Intensities and valence as a source: how much of an emotion there is says more of a text than whether there is any.
INTENSITY_FROM_RELATED = Stage(
    "intensity-encoder-from-related",
    "multitask",
    tasks=REGRESSION_TASKS,
    starts_from={"encoder": "related-encoder"},
    config=SEVERAL_TASKS["config"],
    training={"head_learning_rate": HEAD_RATE, "num_train_epochs": 4.0},
)
ALL_IN_ONE = Stage("all-in-one", "multitask", tasks=ALL_TASKS, **SEVERAL_TASKS)
ALL_IN_ONE_SENTIMENT = Stage("all-in-one-sentiment", "multitask", tasks=(*ALL_TASKS, "sentiment"), **SEVERAL_TASKS)


def self_trained_recipe(name: str, start: str, teachers: tuple[Stage, ...], **options: Any) -> tuple[Stage, ...]:
    """What several stages say of texts without labels, learnt by one more.

    Args:
        name (`str`): The name of the last stage.
        start (`str`): The stage that it starts from.
        teachers (`tuple[Stage, ...]`): The stages that it learns from, and before each what that is made of.
        **options: Further arguments of [`joint_stage`].
    """
    parents = {parent for stage in teachers for parent in stage.starts_from.values()}
    # It reads some four times the texts, in larger batches.
    training = {**JOINT, "num_train_epochs": 3.0, "per_device_train_batch_size": 48, "learning_rate": 1.5e-4}
    names = tuple(stage.name for stage in teachers if stage.name not in parents)
    unlabelled = ("unlabelled",)
    return (*teachers, joint_stage(name, start, teachers=names, unlabelled=unlabelled, training=training, **options))


FROM_SENTIMENT: dict[str, Any] = {"start": "sentiment-encoder", "sources": ("sentiment-encoder",)}
FROM_RELATED: dict[str, Any] = {"start": "related-encoder", "sources": ("sentiment-encoder",)}
SPACE_STUDENT: dict[str, Any] = {"start": "related-space", "part": "csr", "temperature": 0.5}
# They have learnt from the related data, so that they know something where there are few emotion labels.
RELATED_TEACHERS = (
    *(RELATED_ENCODER, EMOTION_FROM_RELATED, LABEL_ATTENTION_FROM_RELATED),
    *(RELATED_SPACE, SPACE_FROM_RELATED),
)
OWN_RECIPES: dict[str, tuple[Stage, ...]] = {
    "model-3.4": self_trained_recipe("common-space-self-trained", teachers=RELATED_TEACHERS, **SPACE_STUDENT),
}
ABLATIONS: dict[str, tuple[Stage, ...]] = {
    "corrupted-emotion": (EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE, CSR_CORRUPTED),
    "bert-averaged": (EMOTION_AVERAGED,),
    "bert-head-rate": (EMOTION_HEAD_RATE,),
    "bert-from-related": (RELATED_ENCODER, EMOTION_FROM_RELATED),
    "common-space-from-related": (RELATED_SPACE, SPACE_FROM_RELATED),
    "label-attention": (LABEL_ATTENTION,),
    "label-attention-from-sentiment": (
        SENTIMENT_ENCODER,
        joint_stage("label-attention-from-sentiment", "sentiment-encoder"),
    ),
    "label-attention-from-related": (RELATED_ENCODER, LABEL_ATTENTION_FROM_RELATED),
    "label-attention-from-intensity": (
        RELATED_ENCODER,
        INTENSITY_FROM_RELATED,
        joint_stage("label-attention-from-intensity", "intensity-encoder-from-related"),
    ),
    "token-space": (SENTIMENT_ENCODER, TOKEN_SPACE),
    "token-space-from-sentiment": (SENTIMENT_ENCODER, joint_stage("token-space-from-sentiment", **FROM_SENTIMENT)),
    "token-space-reconstruction": (
        SENTIMENT_ENCODER,
        SIAMESE_ON_SENTIMENT,
        joint_stage("token-space-reconstruction", **FROM_SENTIMENT, weight=0.1),
    ),
    "token-space-related": (RELATED_ENCODER, joint_stage("token-space-related", None, ("related-encoder",))),
    "token-space-from-related": (
        SENTIMENT_ENCODER,
        RELATED_ENCODER,
        joint_stage("token-space-from-related", **FROM_RELATED),
    ),
    "token-space-trained-source": (
        SENTIMENT_ENCODER,
        RELATED_ENCODER,
        joint_stage("token-space-trained-source", **FROM_RELATED, frozen=TRAINED_SOURCES),
    ),
    "common-space-from-related-sentiment": (
        SENTIMENT_ENCODER,
        RELATED_SPACE_SENTIMENT,
        SPACE_FROM_RELATED_SENTIMENT,
    ),
    "self-trained": self_trained_recipe(
        "csr-self-trained",
        "related-encoder",
        (EMOTION_ENCODER, LABEL_ATTENTION, RELATED_ENCODER, LABEL_ATTENTION_FROM_RELATED),
    ),
    # One more teacher, which knows what the others do not: not the related data, but sentiment.
    "self-trained-sentiment": self_trained_recipe(
        "common-space-self-trained-sentiment",
        teachers=(*RELATED_TEACHERS, SENTIMENT_ENCODER, TOKEN_SPACE),
        **SPACE_STUDENT,
    ),
    # That teacher without its sentiment encoder.
    "self-trained-label-attention": self_trained_recipe(
        "common-space-self-trained-label-attention",
        teachers=(*RELATED_TEACHERS, LABEL_ATTENTION),
        **SPACE_STUDENT,
    ),
    # Teachers of one kind that differ in their seeds.
    "self-trained-seeds": self_trained_recipe(
        "csr-self-trained-seeds",
        teachers=(RELATED_SPACE, SPACE_FROM_RELATED, SPACE_FROM_RELATED_2, SPACE_FROM_RELATED_3),
        **SPACE_STUDENT,
    ),
    # Where intensities and valence of the same texts are at hand, the model of all tasks teaches in place of bert.
    "self-trained-intensity": self_trained_recipe(
        "csr-self-trained-intensity",
        "related-encoder",
        (ALL_IN_ONE, LABEL_ATTENTION, RELATED_ENCODER, LABEL_ATTENTION_FROM_RELATED),
    ),
}
# Utterances in their dialogue: alone, after those before them, and among all.
DIALOGUE_RECIPES: dict[str, tuple[Stage, ...]] = {
    name: (
        EMOTION_ENCODER,
        Stage(
            name,
            "dialogue",
            starts_from={"utterance_encoder": "emotion-encoder"},
            frozen=("dialogue.utterance_encoder",),
            config={"context": context},
        ),
    )
    for name, context in {"dialogue-none": "none", "dialogue-past": "past", "dialogue": "full"}.items()
}
# The models of one task are what those of several are compared with (for emotion, that is `bert`).
MULTITASK_RECIPES: dict[str, tuple[Stage, ...]] = {
    "all-in-one": (ALL_IN_ONE,),
    "all-in-one-sentiment": (ALL_IN_ONE_SENTIMENT,),
    "single-intensity": (Stage("intensity-encoder", "multitask", tasks=("intensity",)),),
    "single-valence": (Stage("valence-encoder", "multitask", tasks=("valence",)),),
    "single-sentiment": (SENTIMENT_ENCODER,),
}
RECIPES = PAPER_RECIPES | OWN_RECIPES | CONTROLS | ABLATIONS | DIALOGUE_RECIPES | MULTITASK_RECIPES


def stages_of(recipes: list[str]) -> list[Stage]:
    """The stages of several recipes, each once, parents before children."""
    stages = {stage.name: stage for recipe in recipes for stage in RECIPES[recipe]}
    return list(stages.values())


def lineage(stage: Stage) -> list[Stage]:
    """A stage and all that it is made of, parents before children."""
    by_name = {other.name: other for stages in RECIPES.values() for other in stages}
    found: dict[str, Stage] = {}
    for parent in stage.parents:
        found |= {one.name: one for one in lineage(by_name[parent])}
    return list((found | {stage.name: stage}).values())


def learnt_tasks(stage: Stage) -> list[str]:
    """The tasks whose texts a stage is trained on, and then those that what it is made of was trained on."""
    return list(dict.fromkeys(task for one in (stage, *lineage(stage)) for task in (*one.tasks, *one.unlabelled)))
