"""Baseline recipes: single-task models to compare with multi-task ones, and utterances without their dialogue."""

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
    Recipe(
        "single-intensity",
        (EncoderStage(name="intensity-encoder", tasks=("intensity",)),),
        "What does a model of intensities alone reach?",
    ),
    Recipe(
        "single-valence",
        (EncoderStage(name="valence-encoder", tasks=("valence",)),),
        "What does a model of valence alone reach?",
    ),
    Recipe("single-sentiment", (SENTIMENT_ENCODER,), "What does a model of sentiment alone reach?"),
    Recipe(
        "all-in-one-sentiment",
        (EncoderStage(name="all-in-one-sentiment", tasks=(*ALL_TASKS, "sentiment"), **SEVERAL_TASKS),),
        "Can all-in-one learn sentiment, too?",
    ),
    Recipe(
        "dialogue-none",
        (EMOTION_ENCODER, DialogueStage(name="dialogue-none", utterance_encoder=EMOTION_ENCODER, **_CONTEXT)),
        "What do utterances say by themselves, without their dialogue?",
    ),
):
    register_recipe(_recipe)

# Maps each task to the recipe that learns only this task.
TWINS = {
    "emotion": "bert",
    "intensity": "single-intensity",
    "valence": "single-valence",
    "sentiment": "single-sentiment",
}
