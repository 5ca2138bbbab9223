"""Recipes: lists of training stages, each answering a question that a user has."""

from .library import ALL_TASKS, EMOTION_ENCODER, LIBRARY, PAPER_RECIPES, SENTIMENT_ENCODER, SEVERAL_TASKS
from .recipe import RECIPES, Recipe, find_recipe, learnt_tasks, lineage, register_recipe, stages_of
from .stages import (
    REGRESSION_TASKS,
    SOURCE_TASKS,
    CommonSpaceStage,
    DialogueStage,
    DistilledStage,
    EncoderStage,
    SiameseStage,
    Stage,
)

__all__ = [
    "ALL_TASKS",
    "EMOTION_ENCODER",
    "LIBRARY",
    "PAPER_RECIPES",
    "RECIPES",
    "REGRESSION_TASKS",
    "SENTIMENT_ENCODER",
    "SEVERAL_TASKS",
    "SOURCE_TASKS",
    "CommonSpaceStage",
    "DialogueStage",
    "DistilledStage",
    "EncoderStage",
    "Recipe",
    "SiameseStage",
    "Stage",
    "find_recipe",
    "learnt_tasks",
    "lineage",
    "register_recipe",
    "stages_of",
]
