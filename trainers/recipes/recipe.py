"""Recipes: stages in order, registered by name and found again."""

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
    """Stages that are trained in order to one end, the last of them.

    Args:
        name (`str`): What the recipe is asked for by.
        stages (`tuple[Stage, ...]`): Its stages, parents before children.
        question (`str`): The question of a user that it answers, or what it is compared for.

    Raises:
        ValueError: If there is no stage, a name stands for two, or a stage comes before one that it starts from.
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
                        f"Recipe {self.name!r}: the stage {stage.name!r} starts from {parent.name!r}, which must stand "
                        "before it among the stages."
                    )
            seen[stage.name] = stage

    @property
    def final(self) -> Stage:
        """The stage that the recipe is for: the last one."""
        return self.stages[-1]


RECIPES: dict[str, Recipe] = {}


def register_recipe(recipe: Recipe) -> Recipe:
    """Make a recipe known by its name, for `train(...)` and `--recipe`.

    Returns:
        `Recipe`: The same.

    Raises:
        ValueError: If the name stands for another recipe.
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
            # A module that is there and imports one that is not has a mistake of its own.
            if error.name is None or not f"{source}.".startswith(f"{error.name}."):
                raise
            raise ModuleNotFoundError(
                f"--recipe {recipe}: there is no module {source} to import. Install it, or name its file: FILE.py:NAME."
            ) from None


def stages_of(recipes: Iterable[Recipe]) -> list[Stage]:
    """The stages of several recipes, each once, parents before children.

    Raises:
        ValueError: If two of the recipes have different stages of one name.
    """
    stages: dict[str, Stage] = {}
    for recipe in recipes:
        for stage in recipe.stages:
            if stages.setdefault(stage.name, stage) != stage:
                raise ValueError(f"Two recipes have different stages of the name {stage.name!r}: run them apart.")
    return list(stages.values())


def lineage(stage: Stage) -> list[Stage]:
    """A stage and all that it is made of, parents before children."""
    found: dict[str, Stage] = {}
    for parent in stage.parents:
        found |= {one.name: one for one in lineage(parent)}
    return list((found | {stage.name: stage}).values())


def learnt_tasks(stage: Stage) -> list[str]:
    """The tasks whose texts a stage is trained on, then those that the stages before it were trained on."""
    return list(dict.fromkeys(task for one in (stage, *lineage(stage)) for task in (*one.tasks, *one.unlabelled)))
