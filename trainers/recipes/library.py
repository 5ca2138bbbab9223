"""The recipes of the library, each with the question that it answers."""

from typing import Any

from .recipe import RECIPES, Recipe, register_recipe
from .stages import CommonSpaceStage, DialogueStage, EncoderStage, SiameseStage

AVERAGED: dict[str, Any] = {"weight_averaging": 0.25}
# At the encoder's learning rate, new layers over tokens and heads beside others learn too little about rare labels.
HEAD_RATE: dict[str, Any] = {"head_learning_rate": 1e-3}
JOINT = AVERAGED | HEAD_RATE
# Related data are usually many more texts than the emotion data.
RELATED: dict[str, Any] = {"num_train_epochs": 2.0}
# A common space over tokens, trained with its emotion encoder and read with one attention head per label.
TOKEN_LEVEL: dict[str, Any] = {"common_level": "token", "reconstruction_loss_weight": 0.0}
OVER_TOKENS: dict[str, Any] = {"trains": "emotion_encoder", "config": TOKEN_LEVEL, "training": JOINT}
# Multi-task models have no layers that single-task models lack, so that they have the same size.
SEVERAL_TASKS: dict[str, Any] = {"config": {"shared_layer_sizes": []}, "training": HEAD_RATE}
ALL_TASKS = ("emotion", "intensity", "valence")

EMOTION_ENCODER = EncoderStage(name="emotion-encoder")
SENTIMENT_ENCODER = EncoderStage(name="sentiment-encoder", tasks=("sentiment",))
SIAMESE = SiameseStage(name="siamese", emotion_encoder=EMOTION_ENCODER)
ENCODERS: dict[str, Any] = {"emotion_encoder": EMOTION_ENCODER, "source_encoders": (SENTIMENT_ENCODER,)}
# model-3.1 is model-3.3 without the reconstruction loss: one code path.
CSR_PREDICTION = CommonSpaceStage(name="csr-prediction", **ENCODERS, config={"reconstruction_loss_weight": 0.0})
CSR_RECONSTRUCTION = CommonSpaceStage(
    name="csr-reconstruction", **ENCODERS, siamese=SIAMESE, config={"prediction_loss_weight": 0.0}
)
CSR_FROZEN = CommonSpaceStage(
    name="csr-frozen",
    **ENCODERS,
    model=CSR_RECONSTRUCTION,
    trains="classifier",
    config={"reconstruction_loss_weight": 0.0},
)
CSR = CommonSpaceStage(name="csr", **ENCODERS, siamese=SIAMESE)

RELATED_ENCODER = EncoderStage(name="related-encoder", tasks=("related",), training=RELATED)
EMOTION_FROM_RELATED = EncoderStage(name="emotion-encoder-from-related", encoder=RELATED_ENCODER, training=JOINT)
LABEL_ATTENTION_FROM_RELATED = CommonSpaceStage(
    name="label-attention-from-related", emotion_encoder=RELATED_ENCODER, **OVER_TOKENS
)
# The space itself may be learnt from related data, before the first emotion label is seen.
RELATED_SPACE = CommonSpaceStage(
    name="related-space", tasks=("related",), **OVER_TOKENS | {"training": JOINT | RELATED}
)
SPACE_FROM_RELATED = CommonSpaceStage(name="common-space-from-related", common_space=RELATED_SPACE, **OVER_TOKENS)
# It sees about four times as many texts, in larger batches.
STUDENT_TRAINING: dict[str, Any] = JOINT | {
    "num_train_epochs": 3.0,
    "per_device_train_batch_size": 48,
    "learning_rate": 1.5e-4,
}
SELF_TRAINED: dict[str, Any] = OVER_TOKENS | {"training": STUDENT_TRAINING, "unlabelled_tasks": ("unlabelled",)}
RELATED_TEACHERS = (EMOTION_FROM_RELATED, LABEL_ATTENTION_FROM_RELATED, SPACE_FROM_RELATED)
SPACE_SELF_TRAINED = CommonSpaceStage(
    name="common-space-self-trained",
    common_space=RELATED_SPACE,
    learns_from=RELATED_TEACHERS,
    temperature=0.5,
    **SELF_TRAINED,
)

for _recipe in (
    Recipe("bert", (EMOTION_ENCODER,), "What does plain fine-tuning reach? (the paper's baseline)"),
    Recipe(
        "bert-head-rate",
        (EncoderStage(name="emotion-encoder-head-rate", training=HEAD_RATE),),
        "I have many labels: what is the strongest plain encoder?",
    ),
    Recipe(
        "model-1",
        (SENTIMENT_ENCODER, EncoderStage(name="emotion-encoder-from-sentiment", encoder=SENTIMENT_ENCODER)),
        "Does it help to start from a sentiment encoder? (the paper's Model-1)",
    ),
    Recipe(
        "model-2",
        (EncoderStage(name="multitask", tasks=("emotion", "sentiment")),),
        "Does it help to learn sentiment and emotion together? (the paper's Model-2)",
    ),
    Recipe(
        "model-3.1",
        (EMOTION_ENCODER, SENTIMENT_ENCODER, CSR_PREDICTION),
        "What does a common space bring without reconstruction? (the paper's Model-3.1)",
    ),
    Recipe(
        "model-3.2",
        (EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE, CSR_RECONSTRUCTION, CSR_FROZEN),
        "What does a common space know that has never seen a label? (the paper's Model-3.2)",
    ),
    Recipe(
        "model-3.3",
        (EMOTION_ENCODER, SENTIMENT_ENCODER, SIAMESE, CSR),
        "What does the paper's common space reach? (its Model-3.3)",
    ),
    Recipe(
        "model-3.4",
        (
            RELATED_ENCODER,
            EMOTION_FROM_RELATED,
            LABEL_ATTENTION_FROM_RELATED,
            RELATED_SPACE,
            SPACE_FROM_RELATED,
            SPACE_SELF_TRAINED,
        ),
        "I have few labels, a related dataset and texts without labels: what gets the most out of them?",
    ),
    Recipe(
        "few-labels",
        (RELATED_SPACE, SPACE_FROM_RELATED),
        "I have 50 to 5,000 labelled texts: how do I start from a related dataset that has more, and richer labels?",
    ),
    Recipe(
        "token-space",
        (
            SENTIMENT_ENCODER,
            CommonSpaceStage(name="token-space", source_encoders=(SENTIMENT_ENCODER,), **OVER_TOKENS),
        ),
        "I have few labels, and sentiment labels alone beside them: what is best?",
    ),
    Recipe(
        "label-attention",
        (CommonSpaceStage(name="label-attention", **OVER_TOKENS),),
        "I have emotion labels alone: what does one attention head per label bring?",
    ),
    Recipe(
        "all-in-one",
        (EncoderStage(name="all-in-one", tasks=ALL_TASKS, **SEVERAL_TASKS),),
        "I want emotions, their intensities and valence from one model.",
    ),
    *(
        Recipe(
            name,
            (
                EMOTION_ENCODER,
                DialogueStage(name=name, utterance_encoder=EMOTION_ENCODER, config={"context": context}),
            ),
            question,
        )
        for name, context, question in (
            ("dialogue-past", "past", "I follow a dialogue as it goes on: what do the utterances so far add?"),
            ("dialogue", "full", "I have whole dialogues: what does all that is said add?"),
        )
    ),
):
    register_recipe(_recipe)

PAPER_RECIPES = ("bert", "model-1", "model-2", "model-3.1", "model-3.2", "model-3.3")
# The recipes that come with the library, whatever others are registered later.
LIBRARY = tuple(RECIPES)
