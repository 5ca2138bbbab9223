"""Everything known about a run before it trains: arguments, stages, data, tokenizer, records and publisher."""

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from ..data import (
    ColumnValues,
    TaskDataset,
    check_same_tokenizer,
    count_truncated,
    is_labelled,
    load_tokenizer,
    warn_of_unreadable_texts,
)
from ..hub import StagePublisher
from ..loop import resolve_encoder
from ..recipes import DialogueStage, DistilledStage, EncoderStage, Recipe, Stage, find_recipe, stages_of
from .adapter_checks import check_adapters
from .arguments import RunArguments
from .best_metric import check_best_metric
from .checks import (
    check_disk_space,
    check_encoders,
    check_loss_options,
    check_output_folder,
    check_pairs,
    check_place,
    check_reporters,
)
from .held_out_texts import without_held_out_texts
from .records import StageRecord, stage_record
from .task_data import load_task
from .task_options import loss_options, task_config

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PreparedRun:
    """A run, checked and ready to train.

    Args:
        args ([`RunArguments`]): Its arguments.
        recipes (`tuple[Recipe, ...]`): Its recipes, in the order given.
        stages (`tuple[Stage, ...]`): The stages of all recipes, each once, parents before children.
        tasks (`Mapping[str, TaskDataset]`): Data by task.
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer of all encoders.
        records (`Mapping[str, StageRecord]`): Records by stage.
        publisher ([`StagePublisher`], *optional*): Publishes the stages, if they are to be published.
    """

    args: RunArguments
    recipes: tuple[Recipe, ...]
    stages: tuple[Stage, ...]
    tasks: Mapping[str, TaskDataset]
    tokenizer: PreTrainedTokenizerBase
    records: Mapping[str, StageRecord]
    publisher: StagePublisher | None = None

    @property
    def final(self) -> Stage:
        """The final stage of the last recipe, which is published under the run's name."""
        return self.recipes[-1].final

    @property
    def output_dir(self) -> Path:
        return Path(self.args.training.output_dir)

    def folder(self, stage: Stage) -> Path:
        """The folder of a stage."""
        return self.output_dir / stage.name

    def task_config(self, task: str) -> dict[str, Any]:
        """The entry of a task in [`MultitaskConfig`], without loss options."""
        return task_config(self.tasks[task])

    def loss_options(self, stage: Stage, task: str) -> dict[str, Any]:
        """Loss options of a task in a stage, if there are any."""
        return loss_options(stage, task, self.tasks[task], self.args.model)

    def labels(self, split: str, task: str = "emotion") -> np.ndarray:
        """Multi-hot floats or scores `(texts, num_labels)`, or class ids `(texts,)`, of the texts that are labelled."""
        return self.tasks[task].labelled_targets(split)

    def languages(self, split: str, task: str = "emotion") -> np.ndarray | None:
        """The language of each text that is labelled; `None` if the data do not name it."""
        dataset = self.tasks[task]
        if "language" not in dataset.splits[split].column_names:
            return None
        found = np.asarray(dataset.splits[split]["language"][:])
        return found if dataset.problem_type == "regression" else found[is_labelled(dataset.targets(split))]

    def scale(self, task: str) -> list[float]:
        """The lowest and highest score of the training texts of a regression."""
        targets = self.labels("train", task)
        return [float(np.nanmin(targets)), float(np.nanmax(targets))]

    def sampling(self, task: str = "emotion") -> dict[str, Any]:
        """How dev texts and seeds were drawn, as arguments of [`paired_test`]: `groups`, and `paired_seeds` if a seed
        chooses the training texts."""
        dataset, data = self.tasks[task], self.args.data
        drawn = data.emotion_train_fraction is not None or data.max_train_samples is not None
        return {"groups": dataset.groups("dev"), "paired_seeds": task == "emotion" and drawn}


def prepare_run(
    args: RunArguments, data: Mapping[str, TaskDataset] | None = None, recipes: Sequence[Recipe] | None = None
) -> PreparedRun:
    """Load a run's data and tokenizer, and check all that can go wrong before training.

    Args:
        args ([`RunArguments`]): The run's arguments.
        data (`Mapping[str, TaskDataset]`, *optional*): Data by task, if already loaded.
        recipes (`Sequence[Recipe]`, *optional*): Its recipes; by default those named in the arguments.

    Raises:
        ValueError, OSError: If something is wrong, with what to do about it.
    """
    check_reporters(args.training.report_to or ())
    check_place("output_dir", Path(args.training.output_dir))
    if args.training.cache_dir is not None:
        check_place("cache_dir", Path(args.training.cache_dir))
    recipes = tuple(map(find_recipe, args.model.recipe) if recipes is None else recipes)
    stages = tuple(stages_of(recipes))
    for folder in args.training.reuse_stages_from or ():
        if not Path(folder).is_dir():
            raise FileNotFoundError(f"--reuse_stages_from {folder} does not exist.")
    check_encoders(stages, args)
    check_adapters(stages, args)
    tokenizer = _load_tokenizer(stages, args)
    tasks = {task: _load_task(task, stages, args, tokenizer, data or {}) for task in _task_names(stages)}
    tasks = without_held_out_texts(tasks, stages)
    check_pairs(stages, tasks)
    check_best_metric(args.training, stages, tasks)
    records: dict[str, StageRecord] = {}
    for stage in stages:
        if stage.teachers and tasks["emotion"].problem_type != "multi_label_classification":
            raise ValueError(f"{stage.name} learns from probabilities and needs multi-label emotion data.")
        records[stage.name] = stage_record(stage, args, tasks, tokenizer, records)
    run = PreparedRun(args, recipes, stages, tasks, tokenizer, records)
    check_loss_options(run.args, run.records, run.tasks)
    damaged = check_output_folder(run.output_dir, run.records, args.training.repair)
    check_disk_space(run.output_dir, stages, args)
    if PartialState().is_main_process:
        for damaged_folder in damaged:
            shutil.rmtree(damaged_folder)
    return run


def _task_names(stages: Sequence[Stage]) -> list[str]:
    return list(dict.fromkeys(task for stage in stages for task in (*stage.tasks, *stage.unlabelled)))


def _load_tokenizer(stages: Sequence[Stage], args: RunArguments) -> PreTrainedTokenizerBase:
    model = args.model
    load: dict[str, Any] = {"steps": tuple(args.data.normalization), "max_length": args.training.max_length}
    for stage in stages:
        if isinstance(stage, DistilledStage) and stage.student is not None:
            return load_tokenizer(resolve_encoder(stage.student), **load)
        if isinstance(stage, DistilledStage):
            # With its teacher's encoder, a student reads texts as its teacher does.
            return AutoTokenizer.from_pretrained(stage.teacher)
    tokenizer = load_tokenizer(resolve_encoder(model.encoder), revision=model.encoder_revision, **load)
    if model.sentiment_encoder:
        other = load_tokenizer(resolve_encoder(model.sentiment_encoder), **load)
        check_same_tokenizer(tokenizer, other, (model.encoder, model.sentiment_encoder))
    return tokenizer


def _load_task(
    task: str,
    stages: Sequence[Stage],
    args: RunArguments,
    tokenizer: PreTrainedTokenizerBase,
    data: Mapping[str, TaskDataset],
) -> TaskDataset:
    in_dialogues = any(isinstance(stage, DialogueStage) and task in stage.tasks for stage in stages)
    others = [stage.name for stage in stages if not isinstance(stage, DialogueStage | EncoderStage)]
    if in_dialogues and args.data.context_turns:
        raise ValueError("--context_turns is for recipes that read single texts; those of dialogues read their own.")
    needs_turns = not in_dialogues and not args.data.context_turns
    if args.data.unlabelled_rows == "context" and task == "emotion" and (needs_turns or (others and in_dialogues)):
        raise ValueError(
            "--unlabelled_rows context is for recipes of dialogues alone, such as dialogue, or with --context_turns"
            + (f"; {', '.join(others)} cannot use it." if others else ".")
        )
    separator = tokenizer.sep_token or "|"
    dataset = load_task(task, args.data, args.training.seed, in_dialogues, data.get(task), separator)
    train, max_length = dataset.splits["train"], args.training.max_length
    truncated = count_truncated(tokenizer, ColumnValues(train, "text"), max_length)
    if truncated:
        logger.warning(
            "%s: %d of %d training texts are longer than %d tokens and will be cut (--max_length).",
            dataset.name,
            truncated,
            len(train),
            max_length,
        )
    warn_of_unreadable_texts(train, dataset.name, tokenizer)
    return dataset
