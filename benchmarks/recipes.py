"""Recipes for measurements: controls, ablations, and alternatives that model-3.4 does not use.

Each is a recipe of the library with one thing changed, so that a difference in scores has one cause. Commands accept
them by file: `--recipe benchmarks/recipes.py:token-space-related`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from trainers.recipes import (
    RECIPES,
    REGRESSION_TASKS,
    CommonSpaceStage,
    EncoderStage,
    Recipe,
    SiameseStage,
    Stage,
    lineage,
    register_recipe,
    stages_of,
)

_STAGES: dict[str, Any] = {stage.name: stage for stage in stages_of(RECIPES.values())}
EMOTION_ENCODER = _STAGES["emotion-encoder"]
SENTIMENT_ENCODER = _STAGES["sentiment-encoder"]
CSR = _STAGES["csr"]
CSR_PREDICTION = _STAGES["csr-prediction"]
RELATED_ENCODER = _STAGES["related-encoder"]
EMOTION_FROM_RELATED = _STAGES["emotion-encoder-from-related"]
LABEL_ATTENTION = _STAGES["label-attention"]
LABEL_ATTENTION_FROM_RELATED = _STAGES["label-attention-from-related"]
RELATED_SPACE = _STAGES["related-space"]
SPACE_FROM_RELATED = _STAGES["common-space-from-related"]
SPACE_SELF_TRAINED = _STAGES["common-space-self-trained"]
TOKEN_SPACE = _STAGES["token-space"]
ALL_IN_ONE = _STAGES["all-in-one"]


def _register(name: str, final: Stage, question: str) -> None:
    """Register a recipe that consists of a stage and its ancestors."""
    register_recipe(Recipe(name, tuple(lineage(final)), question))


# -- controls of model-3.3: the same common space and losses, other sources -------------------------------------------

SECOND_EMOTION_ENCODER = replace(EMOTION_ENCODER, name="emotion-encoder-2", seed_offset=1000)

_register(
    "emotion-alone",
    replace(CSR, name="csr-emotion-alone", source_encoders=()),
    "Does model-3.3 need sentiment? Its common space reads the emotion encoder alone.",
)
_register(
    "two-emotion-encoders",
    replace(CSR, name="csr-two-emotion", source_encoders=(SECOND_EMOTION_ENCODER,)),
    "Does a second emotion encoder of another seed do what the sentiment encoder does?",
)
# It predicts emotions from the sentiment encoder, so there is no emotion encoder to reconstruct.
_register(
    "sentiment-alone",
    CommonSpaceStage(
        name="csr-sentiment-alone", emotion_encoder=SENTIMENT_ENCODER, config={"reconstruction_loss_weight": 0.0}
    ),
    "What does a sentiment encoder know about emotions?",
)
# With part of P_E missing, the common space needs P_S to reconstruct it.
_register(
    "corrupted-emotion",
    replace(CSR, name="csr-corrupted", config={"emotion_corruption": 0.3}),
    "Does model-3.3 use sentiment if 30 % of P_E's features are dropped in training?",
)

# -- plain encoders ---------------------------------------------------------------------------------------------------

_register(
    "bert-averaged",
    EncoderStage(name="emotion-encoder-averaged", training={"weight_averaging": 0.25}),
    "What do averaged weights bring to bert?",
)
_register("bert-from-related", EMOTION_FROM_RELATED, "What does bert gain if it is trained on related data first?")

# -- label attention, and a common space over tokens ------------------------------------------------------------------

_register(
    "label-attention-from-sentiment",
    replace(LABEL_ATTENTION, name="label-attention-from-sentiment", emotion_encoder=SENTIMENT_ENCODER),
    "What does label attention gain from a start with the sentiment encoder?",
)
_register(
    "label-attention-from-related",
    LABEL_ATTENTION_FROM_RELATED,
    "What does label attention gain from a start with an encoder of related data?",
)
# As few-labels was called when it was measured, and is in the results.
_register("common-space-from-related", SPACE_FROM_RELATED, "What is left of model-3.4 without self-training?")
# The intensity of an emotion says more about a text than its presence.
INTENSITY_FROM_RELATED = EncoderStage(
    name="intensity-encoder-from-related",
    tasks=REGRESSION_TASKS,
    encoder=RELATED_ENCODER,
    config=ALL_IN_ONE.config,
    training={"head_learning_rate": 1e-3, "num_train_epochs": 4.0},
)
_register(
    "label-attention-from-intensity",
    replace(LABEL_ATTENTION, name="label-attention-from-intensity", emotion_encoder=INTENSITY_FROM_RELATED),
    "Does it help to learn intensities and valence between the related data and the emotions?",
)
TOKEN_SPACE_FROM_SENTIMENT = replace(TOKEN_SPACE, name="token-space-from-sentiment", emotion_encoder=SENTIMENT_ENCODER)
_register(
    "token-space-from-sentiment",
    TOKEN_SPACE_FROM_SENTIMENT,
    "What does token-space gain if its emotion encoder starts from sentiment, too?",
)
_register(
    "token-space-reconstruction",
    replace(
        TOKEN_SPACE_FROM_SENTIMENT,
        name="token-space-reconstruction",
        siamese=SiameseStage(name="siamese-sentiment-encoder", emotion_encoder=SENTIMENT_ENCODER),
        config={"common_level": "token", "reconstruction_loss_weight": 0.1},
    ),
    "What does the reconstruction loss bring to token-space-from-sentiment?",
)
_register(
    "token-space-related",
    replace(TOKEN_SPACE, name="token-space-related", source_encoders=(RELATED_ENCODER,)),
    "Is an encoder of related data a better source for token-space than the sentiment encoder?",
)
TOKEN_SPACE_FROM_RELATED = replace(TOKEN_SPACE, name="token-space-from-related", emotion_encoder=RELATED_ENCODER)
_register(
    "token-space-from-related",
    TOKEN_SPACE_FROM_RELATED,
    "Does sentiment help an encoder that has already learnt from related data?",
)
_register(
    "token-space-trained-source",
    replace(TOKEN_SPACE_FROM_RELATED, name="token-space-trained-source", trains="encoders"),
    "What does token-space-from-related gain if the sentiment encoder is trained with it?",
)
RELATED_SPACE_SENTIMENT = replace(RELATED_SPACE, name="related-space-sentiment", source_encoders=(SENTIMENT_ENCODER,))
_register(
    "common-space-from-related-sentiment",
    replace(
        SPACE_FROM_RELATED,
        name="common-space-from-related-sentiment",
        source_encoders=(SENTIMENT_ENCODER,),
        common_space=RELATED_SPACE_SENTIMENT,
    ),
    "Does sentiment help a common space that is learnt from related data?",
)

# -- the Siamese network as the paper may mean it: trained through the encoder -----------------------------------------

SIAMESE_ENCODER = SiameseStage(name="siamese-encoder", emotion_encoder=EMOTION_ENCODER, trains="encoder")
LONGER_ENCODER = EncoderStage(name="emotion-encoder-longer", encoder=EMOTION_ENCODER)
_register(
    "model-3.1-siamese-encoder",
    replace(CSR_PREDICTION, name="csr-prediction-siamese-encoder", emotion_encoder=SIAMESE_ENCODER),
    "What does model-3.1 gain if the Siamese network has trained its emotion encoder?",
)
_register(
    "model-3.3-siamese-encoder",
    replace(CSR, name="csr-siamese-encoder", emotion_encoder=SIAMESE_ENCODER, siamese=SIAMESE_ENCODER),
    "What does the reconstruction loss bring to model-3.1-siamese-encoder?",
)
_register(
    "model-3.1-longer",
    replace(CSR_PREDICTION, name="csr-prediction-longer", emotion_encoder=LONGER_ENCODER),
    "Does it do as well to train the emotion encoder on labels once more, instead of on pairs?",
)

# -- dialogues --------------------------------------------------------------------------------------------------------

_register(
    "dialogue-joint",
    replace(_STAGES["dialogue"], name="dialogue-joint", trains="encoder"),
    "What does dialogue gain if its utterance encoder is trained with it?",
)

# -- few labels: a common space on frozen encoders, one of which has seen related data ---------------------------------

RELATED_FROZEN = replace(
    CSR,
    name="related-frozen",
    emotion_encoder=RELATED_ENCODER,
    source_encoders=(),
    siamese=None,
    config={"reconstruction_loss_weight": 0.0},
)
_register("related-frozen", RELATED_FROZEN, "What do few labels bring to a frozen encoder of related data?")
BESIDE_PRETRAINED = replace(RELATED_FROZEN, name="beside-pretrained", source_encoders=(None,))
_register(
    "beside-pretrained", BESIDE_PRETRAINED, "What does related-frozen gain from the pretrained encoder beside it?"
)
PAIRS_ENCODER = SiameseStage(name="pairs-encoder", trains="encoder")
_register(
    "pairs-first",
    replace(RELATED_FROZEN, name="pairs-first", emotion_encoder=PAIRS_ENCODER),
    "What do few labels bring if the pretrained encoder learns from pairs of texts first, as in SetFit?",
)
PAIRS_FROM_RELATED = replace(PAIRS_ENCODER, name="pairs-from-related", emotion_encoder=RELATED_ENCODER)
_register(
    "pairs-first-from-related",
    replace(RELATED_FROZEN, name="pairs-first-from-related", emotion_encoder=PAIRS_FROM_RELATED),
    "What does pairs-first gain from related data?",
)

# -- the teachers of model-3.4 ----------------------------------------------------------------------------------------


def _register_student(name: str, stage: str, teachers: Sequence[Stage], question: str, **changes: Any) -> None:
    """Register the student of model-3.4 with other teachers."""
    _register(name, replace(SPACE_SELF_TRAINED, name=stage, learns_from=tuple(teachers), **changes), question)


_PLAIN_START: dict[str, Any] = {"common_space": None, "emotion_encoder": RELATED_ENCODER, "temperature": None}
_register_student(
    "self-trained",
    "csr-self-trained",
    (EMOTION_ENCODER, LABEL_ATTENTION, LABEL_ATTENTION_FROM_RELATED),
    "What does self-training bring without a common space that was learnt before?",
    **_PLAIN_START,
)
_register_student(
    "self-trained-intensity",
    "csr-self-trained-intensity",
    (ALL_IN_ONE, LABEL_ATTENTION, LABEL_ATTENTION_FROM_RELATED),
    "Is a model that knows intensities and valence a better teacher than bert?",
    **_PLAIN_START,
)
_register_student(
    "self-trained-sentiment",
    "common-space-self-trained-sentiment",
    (*SPACE_SELF_TRAINED.learns_from, TOKEN_SPACE),
    "Does model-3.4 gain from one more teacher, which knows sentiment?",
)
_register_student(
    "self-trained-label-attention",
    "common-space-self-trained-label-attention",
    (*SPACE_SELF_TRAINED.learns_from, LABEL_ATTENTION),
    "Does model-3.4 gain from one more teacher, which knows no sentiment?",
)
_register_student(
    "self-trained-seeds",
    "csr-self-trained-seeds",
    (
        SPACE_FROM_RELATED,
        *(
            replace(SPACE_FROM_RELATED, name=f"common-space-from-related-{number}", seed_offset=1000 * (number - 1))
            for number in (2, 3)
        ),
    ),
    "Do three teachers of one kind that differ in their seeds teach as well as three kinds?",
)

FROZEN_SPACES = ("related-frozen", "beside-pretrained", "pairs-first", "pairs-first-from-related")
# Starting from related data, without self-training.
FROM_RELATED = ("bert-from-related", "label-attention-from-related", "common-space-from-related")
