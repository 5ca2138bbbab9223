"""What a recipe is made of: stages, each with what it learns, what it starts from and what it leaves frozen."""

from __future__ import annotations

import importlib
import runpy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

# Tasks whose labels are scores.
REGRESSION_TASKS = ("intensity", "valence")
# Tasks that a model is trained on for what it carries over to the emotions.
SOURCE_TASKS = ("sentiment", "related")

Trained = Literal["classifier", "common_space", "emotion_encoder", "encoders"]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training stage. Use one of the subclasses, which name what a stage of their kind can start from.

    Args:
        name (`str`): Its folder in the run's folder. Within a run, one name stands for one stage.
        tasks (`tuple[str, ...]`): The tasks it has labels of; it is judged by the first.
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
        """By part of the model, the stage that it is taken from."""
        return {}

    @property
    def parents(self) -> list[Stage]:
        """The stages that it takes something from, each once."""
        return list({stage.name: stage for stage in (*self.starts_from.values(), *self.teachers)}.values())

    @property
    def teachers(self) -> tuple[Stage, ...]:
        """The stages whose predictions are its targets."""
        return ()

    @property
    def unlabelled(self) -> tuple[str, ...]:
        """Tasks whose training texts it reads without their labels."""
        return ()

    @property
    def trains_encoder(self) -> bool:
        """Whether a text encoder is trained, and so on texts instead of on vectors."""
        return False

    @property
    def starts_anew(self) -> bool:
        """Whether its text encoder is the pretrained one, not that of an earlier stage."""
        return False

    @property
    def classifies(self) -> bool:
        """Whether a classifier is trained; otherwise the losses on dev say what was learnt."""
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
    def starts_anew(self) -> bool:
        return self.encoder is None


@dataclass(frozen=True, kw_only=True)
class SiameseStage(Stage):
    """The Siamese network on a frozen encoder.

    Args:
        emotion_encoder (`Stage`): The stage whose encoder reads the texts.
    """

    emotion_encoder: Stage
    kind: ClassVar[str] = "siamese"

    @property
    def starts_from(self) -> dict[str, Stage]:
        return {"emotion_encoder": self.emotion_encoder}

    @property
    def classifies(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class CommonSpaceStage(Stage):
    """The common space over an emotion encoder and its source encoders, with a classifier (`csr`).

    Args:
        emotion_encoder (`Stage`, *optional*): The stage of the emotion encoder; the pretrained encoder by default.
        source_encoders (`tuple[Stage, ...]`): The stages of the source encoders.
        siamese (`Stage`, *optional*): The stage of the Siamese network that measures the reconstruction.
        common_space (`Stage`, *optional*): A stage whose whole common space is taken over, under a new classifier.
        model (`Stage`, *optional*): A stage whose whole model is trained further.
        trains (`str`): What is trained: the `"classifier"` alone, the `"common_space"` on frozen encoders (the paper's
            way), the space with its `"emotion_encoder"`, or with all its `"encoders"`.
        learns_from (`tuple[Stage, ...]`): Teachers: stages whose predictions are the targets.
        temperature (`float`, *optional*): How sure the teachers' decisions are taken to be (see
            [`~trainers.distillation_trainer.sharpen`]); by default their probabilities are taken as they are.
        unlabelled_tasks (`tuple[str, ...]`): Tasks whose training texts the teachers label.
    """

    emotion_encoder: Stage | None = None
    source_encoders: tuple[Stage, ...] = ()
    siamese: Stage | None = None
    common_space: Stage | None = None
    model: Stage | None = None
    trains: Trained = "common_space"
    learns_from: tuple[Stage, ...] = ()
    temperature: float | None = None
    unlabelled_tasks: tuple[str, ...] = ()
    kind: ClassVar[str] = "csr"

    def __post_init__(self) -> None:
        if self.trains not in get_args(Trained):
            choices = ", ".join(get_args(Trained))
            raise ValueError(f"Stage {self.name!r}: trains must be one of {choices}, got {self.trains!r}.")
        if not self.trains_encoder and not (self.emotion_encoder or self.model or self.common_space):
            raise ValueError(f"Stage {self.name!r} trains no encoder: name the stage of its emotion_encoder.")

    @property
    def starts_from(self) -> dict[str, Stage]:
        parts = {"emotion_encoder": self.emotion_encoder}
        parts |= {f"source_encoders.{number}": stage for number, stage in enumerate(self.source_encoders)}
        parts |= {"siamese": self.siamese, "csr": self.common_space, "model": self.model}
        return {part: stage for part, stage in parts.items() if stage is not None}

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
    def starts_anew(self) -> bool:
        return not (self.emotion_encoder or self.model or self.common_space)

    @property
    def classifies(self) -> bool:
        return self.config.get("prediction_loss_weight") != 0.0


@dataclass(frozen=True, kw_only=True)
class DialogueStage(Stage):
    """Layers over the utterances of a dialogue, on a frozen encoder (`dialogue`).

    Args:
        utterance_encoder (`Stage`): The stage whose encoder reads the utterances.
    """

    utterance_encoder: Stage
    kind: ClassVar[str] = "dialogue"

    @property
    def starts_from(self) -> dict[str, Stage]:
        return {"utterance_encoder": self.utterance_encoder}


@dataclass(frozen=True, kw_only=True)
class DistilledStage(Stage):
    """A classifier of a stock class that learns what a trained model says.

    Args:
        teacher (`str`): Folder or Hub id of the trained model, which no stage of the recipe has to make.
        unlabelled_tasks (`tuple[str, ...]`): Tasks whose training texts the teacher labels besides those of `tasks`.
    """

    teacher: str
    unlabelled_tasks: tuple[str, ...] = ("unlabelled",)
    kind: ClassVar[str] = "distilled"

    @property
    def unlabelled(self) -> tuple[str, ...]:
        return self.unlabelled_tasks

    @property
    def trains_encoder(self) -> bool:
        return True


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
