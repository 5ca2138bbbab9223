"""Recipes that others are compared with: models of one task beside those of several, and utterances by themselves."""

from typing import Any

from ..recipes import (
    ALL_TASKS,
    EMOTION_ENCODER,
    SENTIMENT_ENCODER,
    SEVERAL_TASKS,
    DialogueStage,
    EncoderStage,
    Recipe,
    register_recipe,
)

_CONTEXT: dict[str, Any] = {"config": {"context": "none"}}

for _recipe in (
    Recipe("single-intensity", (EncoderStage(name="intensity-encoder", tasks=("intensity",)),)),
    Recipe("single-valence", (EncoderStage(name="valence-encoder", tasks=("valence",)),)),
    Recipe("single-sentiment", (SENTIMENT_ENCODER,)),
    Recipe(
        "all-in-one-sentiment",
        (EncoderStage(name="all-in-one-sentiment", tasks=(*ALL_TASKS, "sentiment"), **SEVERAL_TASKS),),
    ),
    Recipe(
        "dialogue-none",
        (EMOTION_ENCODER, DialogueStage(name="dialogue-none", utterance_encoder=EMOTION_ENCODER, **_CONTEXT)),
    ),
):
    register_recipe(_recipe)

# By task, the recipe of the model that has learnt it alone.
TWINS = {
    "emotion": "bert",
    "intensity": "single-intensity",
    "valence": "single-valence",
    "sentiment": "single-sentiment",
}
