"""Baseline recipes: single-task models to compare with multi-task ones, and utterances without their dialogue."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..recipes import (
    ALL_TASKS,
    EMOTION_ENCODER,
    RECIPES,
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
        "emotion-intensity",
        (EncoderStage(name="emotion-intensity", tasks=("emotion", "intensity"), **SEVERAL_TASKS),),
        "I want emotions and their intensities from one model.",
    ),
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


def several_tasks(tasks: Sequence[str]) -> Recipe:
    """The recipe of one encoder with a head for each of some tasks, which is made if there is none yet.

    Args:
        tasks (`Sequence[str]`): Keys of `TWINS`, each once; the first is the main task.

    Raises:
        ValueError: If there are fewer than two, or one is given twice or is unknown.
    """
    if len(tasks) < 2 or len(set(tasks)) < len(tasks) or not set(tasks) <= set(TWINS):
        raise ValueError(f"--tasks {' '.join(tasks)}: give two or more of {', '.join(TWINS)}, each once.")
    stage = EncoderStage(name="-".join(tasks), tasks=tuple(tasks), **SEVERAL_TASKS)
    for recipe in RECIPES.values():
        if recipe.stages == (replace(stage, name=recipe.final.name),):
            return recipe
    return register_recipe(Recipe(stage.name, (stage,), f"What does one model of {', '.join(tasks)} reach?"))
