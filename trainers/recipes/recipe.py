"""Recipes: ordered stages, registered by name."""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from .stages import Stage


@dataclass(frozen=True)
class Recipe:
    """Stages trained in order, the last of which is the goal.

    Args:
        name (`str`): Name of the recipe.
        stages (`tuple[Stage, ...]`): Its stages, parents before children.
        question (`str`): The question of a user that it answers, or the purpose of comparing with it.

    Raises:
        ValueError: If there is no stage, two stages share a name, or a stage comes before one that it starts from.
    """

    name: str
    stages: tuple[Stage, ...]
    question: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not self.stages:
            raise ValueError(f"Recipe {self.name!r} has no stages.")
        seen: dict[str, Stage] = {}
        for stage in self.stages:
            if stage.name in seen:
                raise ValueError(f"Recipe {self.name!r} has two stages of the name {stage.name!r}.")
            for parent in stage.parents:
                if seen.get(parent.name) != parent:
                    raise ValueError(
                        f"Recipe {self.name!r}: the stage {stage.name!r} starts from {parent.name!r}, which must come "
                        "before it among the stages."
                    )
            seen[stage.name] = stage

    @property
    def final(self) -> Stage:
        """The last stage, which the recipe is for."""
        return self.stages[-1]


RECIPES: dict[str, Recipe] = {}


def register_recipe(recipe: Recipe) -> Recipe:
    """Register a recipe by its name, for `train(...)` and `--recipe`.

    Returns:
        `Recipe`: The recipe itself.

    Raises:
        ValueError: If another recipe has the name.
    """
    known = RECIPES.setdefault(recipe.name, recipe)
    if known != recipe:
        raise ValueError(f"There is another recipe {recipe.name!r}; choose another name.")
    return recipe


def find_recipe(recipe: str | Recipe) -> Recipe:
    """Find a recipe.

    Args:
        recipe (`str` or [`Recipe`]): The name of a registered recipe, or `FILE.py:NAME` or `MODULE:NAME` for one that a
            Python file or an installed module registers; the file is run, or the module imported, first. A [`Recipe`]
            is returned as it is.

    Raises:
        FileNotFoundError: If there is no such file.
        ModuleNotFoundError: If there is no such module.
        ValueError: If no recipe has that name; the message names similar ones.
    """
    if isinstance(recipe, Recipe):
        return recipe
    source, _, name = recipe.rpartition(":")
    if source:
        _load_recipes(source, recipe)
    if name not in RECIPES:
        close = get_close_matches(name, RECIPES, n=3)
        where = f" in {source}" if source else ""
        hint = f" Did you mean {' or '.join(close)}?" if close else ""
        raise ValueError(f"There is no recipe {name!r}{where}.{hint} The recipes are {', '.join(RECIPES)}.")
    return RECIPES[name]


def _load_recipes(source: str, recipe: str) -> None:
    """Run the Python file, or import the module, that registers a recipe."""
    if Path(source).is_file():
        runpy.run_path(source)
    elif source.endswith(".py") or not source.replace(".", "").isidentifier():
        raise FileNotFoundError(f"--recipe {recipe}: {source} does not exist.")
    else:
        try:
            importlib.import_module(source)
        except ModuleNotFoundError as error:
            # A module that exists but imports a missing one has an error of its own.
            if error.name is None or not f"{source}.".startswith(f"{error.name}."):
                raise
            raise ModuleNotFoundError(
                f"--recipe {recipe}: there is no module {source} to import. Install it, or name its file: FILE.py:NAME."
            ) from None


def stages_of(recipes: Iterable[Recipe]) -> list[Stage]:
    """All stages of some recipes, each once, parents before children.

    Raises:
        ValueError: If two recipes have different stages with the same name.
    """
    stages: dict[str, Stage] = {}
    for recipe in recipes:
        for stage in recipe.stages:
            if stages.setdefault(stage.name, stage) != stage:
                raise ValueError(f"Two recipes have different stages of the name {stage.name!r}: run them apart.")
    return list(stages.values())


def lineage(stage: Stage) -> list[Stage]:
    """A stage and all its ancestors, parents before children."""
    found: dict[str, Stage] = {}
    for parent in stage.parents:
        found |= {one.name: one for one in lineage(parent)}
    return list((found | {stage.name: stage}).values())


def learnt_tasks(stage: Stage) -> list[str]:
    """The tasks that a stage is trained on, followed by those of its ancestors."""
    return list(dict.fromkeys(task for one in (stage, *lineage(stage)) for task in (*one.tasks, *one.unlabelled)))
