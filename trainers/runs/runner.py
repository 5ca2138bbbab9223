"""Carries recipes out: one complete folder a stage, stages shared, killed runs continued."""

import dataclasses
import json
import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from ..data.digests import StageRecord, write_json
from ..data.sources import ColumnValues
from ..data.task_dataset import TaskDataset
from ..data.tokenization import check_same_tokenizer, count_truncated, load_tokenizer
from ..evaluation.classifier_scores import evaluate_classifier
from ..loop.encoders import encoder_bytes, encoder_config, longest_text, resolve_encoder
from ..recipes.library import RECIPES, Stage, stages_of
from ..trainer import StageTrainer
from .arguments import RunArguments
from .cards import describe_examples, draw_figures, write_card
from .context import StageContext
from .emissions import emissions_of
from .publishing import RunPublisher
from .results import dev_logits_name, read_results, update_results
from .stage_records import stage_record
from .stages import build_trainer, stage_arguments
from .tasks import load_task

logger = logging.getLogger(__name__)


class Runner:
    """Runs recipes into one output folder.

    Args:
        args ([`RunArguments`]): The run's arguments.
        loaded (`dict[str, TaskDataset]`, *optional*): By task, those of its data sets that are loaded already.

    Attributes:
        stages (`list[Stage]`): The stages of all recipes, each once.
    """

    def __init__(self, args: RunArguments, loaded: Mapping[str, TaskDataset] | None = None) -> None:
        self.args = args
        self.stages = stages_of(args.model.recipe)
        for folder in args.training.reuse_stages_from or ():
            if not Path(folder).is_dir():
                raise FileNotFoundError(f"--reuse_stages_from {folder} does not exist.")
        self.context = self._prepare(loaded or {})
        self._check_output_folder()
        self._check_disk_space()
        self._report_recipe_arguments()
        self.publisher = RunPublisher(self.context, self.stages) if args.training.push_to_hub else None

    # -- everything that can go wrong before training ----------------------------------------------------------------

    def _prepare(self, loaded: Mapping[str, TaskDataset]) -> StageContext:
        data, model, training = self.args.data, self.args.model, self.args.training
        encoder = resolve_encoder(model.encoder)
        self._check_encoders()
        load: dict[str, Any] = {"steps": tuple(data.normalization), "max_length": data.max_length}
        tokenizer = load_tokenizer(encoder, revision=model.encoder_revision, **load)
        if model.sentiment_encoder:
            other = load_tokenizer(resolve_encoder(model.sentiment_encoder), **load)
            check_same_tokenizer(tokenizer, other, (model.encoder, model.sentiment_encoder))
        tasks = {}
        for task in dict.fromkeys(task for stage in self.stages for task in (*stage.tasks, *stage.unlabelled)):
            in_dialogues = any(stage.kind == "dialogue" and task in stage.tasks for stage in self.stages)
            dataset = load_task(task, data, training.seed, in_dialogues, loaded.get(task))
            train = dataset.splits["train"]
            truncated = count_truncated(tokenizer, ColumnValues(train, "text"), data.max_length)
            if truncated:
                logger.warning(
                    "%s: %d of %d training texts are longer than %d tokens and will be cut (--max_length).",
                    dataset.name,
                    truncated,
                    len(train),
                    data.max_length,
                )
            tasks[task] = dataset
        context = StageContext(self.args, tasks, tokenizer, {})
        for stage in self.stages:
            if stage.teachers and tasks["emotion"].problem_type != "multi_label_classification":
                raise ValueError(f"{stage.name} learns from probabilities and needs multi-label emotion data.")
            context.records[stage.name] = stage_record(stage, context)
        for option, default, needed in (
            ("class_weights", "none", "labels"),
            ("label_loss", "cross_entropy", "several labels a text"),
        ):
            value = getattr(model, option)
            if value != default and not any(option in record.made_from for record in context.records.values()):
                names = ", ".join(dataset.name for dataset in tasks.values())
                raise ValueError(f"--{option} {value} is for emotion data with {needed}; the run has {names}.")
        return context

    def _check_encoders(self) -> None:
        data, model, common = self.args.data, self.args.model, self.args.common
        for stage in self.stages:
            if stage.config.get("common_level") == "token" and model.representation != "pooled":
                raise ValueError(
                    f"--representation {model.representation}: the stage {stage.name} reads token states, which only "
                    "encoders with --representation pooled have."
                )
        for option, encoder, revision in (
            ("encoder", model.encoder, model.encoder_revision),
            ("sentiment_encoder", model.sentiment_encoder, None),
        ):
            if encoder is None:
                continue
            try:
                config = encoder_config(encoder, revision)
            except OSError as error:
                raise OSError(f"--{option} {encoder} could not be loaded: {error}") from error
            longest = longest_text(config)
            if data.max_length > longest:
                raise ValueError(f"--max_length {data.max_length}: {encoder} reads at most {longest} tokens.")
            sizes = model.shared_layer_sizes
            size = sizes[-1] if sizes and model.representation == "shared" else config.hidden_size
            if option == "encoder" and common.common_size is not None and not 0 < common.common_size < size:
                raise ValueError(
                    f"--common_size {common.common_size} must lie between 0 and {size}, the width of the emotion "
                    "representation."
                )

    def _check_output_folder(self) -> None:
        for stage in self.stages:
            folder = self.context.folder(stage.name)
            # A run that was killed as it wrote the very first file leaves only that.
            if not folder.is_dir() or all(path.suffix == ".unfinished" for path in folder.iterdir()):
                continue
            found = StageRecord.read(folder)
            if found is None:
                raise ValueError(
                    f"{folder} exists but was not written by a run of this project (it has no stage.json). Choose "
                    "another --output_dir."
                )
            differences = found.differences(self.context.records[stage.name])
            if differences:
                raise ValueError(
                    f"{folder} belongs to another run:\n  " + "\n  ".join(differences) + "\nChoose another "
                    "--output_dir, or delete that folder to train the stage anew."
                )

    def _check_disk_space(self) -> None:
        size = encoder_bytes(self.args.model.encoder, self.args.model.encoder_revision)
        missing = [stage for stage in self.stages if not self._finished(stage)]
        # A finished common space holds two encoders; a checkpoint holds the weights and two moments of each.
        final = sum(size * (2 if stage.kind == "csr" else 1) for stage in missing)
        needed = final + (6 * size if missing else 0)
        existing = next(
            folder
            for folder in (self.context.output_dir, *self.context.output_dir.absolute().parents)
            if folder.exists()
        )
        free = shutil.disk_usage(existing).free
        if free < needed:
            raise OSError(
                f"{self.context.output_dir} needs about {needed / 1e9:.1f} GB for {len(missing)} stages but only "
                f"{free / 1e9:.1f} GB are free. Make room or choose another --output_dir."
            )

    def _report_recipe_arguments(self) -> None:
        """Say which options do not count for a stage, since its recipe has its own."""
        given = self.args.training
        defaults = {field.name: field.default for field in dataclasses.fields(given)}
        for stage in self.stages:
            own = stage_arguments(stage, self.args)
            for name in stage.training:
                if getattr(given, name) not in (defaults[name], getattr(own, name)):
                    value = getattr(own, name)
                    logger.warning("--%s does not count for %s: its recipe has %s.", name, stage.name, value)

    # -- the run -------------------------------------------------------------------------------------------------------

    def _finished(self, stage: Stage) -> bool:
        found = StageRecord.read(self.context.folder(stage.name))
        return found is not None and found.complete

    def run(self) -> dict[str, Any]:
        """Train what is missing, stage by stage.

        Returns:
            `dict`: What `results.json` holds: by recipe its final `model` folder, metrics and times.
        """
        # No process may still be checking the folders while another writes into them.
        PartialState().wait_for_everyone()
        for number, stage in enumerate(self.stages, start=1):
            if self._finished(stage):
                logger.info("Stage %d of %d, %s: already there.", number, len(self.stages), stage.name)
                self._remove_checkpoints(stage)
            else:
                logger.info("Stage %d of %d: %s", number, len(self.stages), stage.name)
                if not self._reuse(stage):
                    self._run_stage(stage)
            if self.publisher:
                self.publisher.publish(stage)
        if PartialState().is_main_process:
            update_results(self.context.output_dir, self.args.model.recipe, RECIPES)
        if self.publisher:
            self.publisher.finish()
        PartialState().wait_for_everyone()
        return read_results(self.context.output_dir)

    def _reuse(self, stage: Stage) -> bool:
        """Copy a finished stage from an earlier run, if one was made from the same."""
        record, folder = self.context.records[stage.name], self.context.folder(stage.name)
        for run in self.args.training.reuse_stages_from or ():
            found = StageRecord.read(Path(run) / stage.name)
            if found is None or not found.complete or found.differences(record):
                continue
            logger.info("Copied from %s.", run)
            if PartialState().is_main_process:
                unfinished = folder.with_name(folder.name + ".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
                # A run that was killed as it tidied up may have left these.
                left = shutil.ignore_patterns(f"{PREFIX_CHECKPOINT_DIR}-*", "*.unfinished")
                shutil.copytree(Path(run) / stage.name, unfinished, ignore=left)
                unfinished.rename(folder)
            PartialState().wait_for_everyone()
            return True
        return False

    def _run_stage(self, stage: Stage) -> None:
        folder, record = self.context.folder(stage.name), self.context.records[stage.name]
        main = PartialState().is_main_process
        if main:
            record.write(folder)
        started = time.monotonic()
        trainer = build_trainer(stage, self.context)
        if self.publisher and self.args.training.hub_strategy == "every_save":
            trainer.add_callback(self.publisher.callback(stage))
        checkpoint = last_complete_checkpoint(folder)
        if checkpoint:
            logger.info("Going on from %s.", checkpoint)
        PartialState().wait_for_everyone()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        results, logits = self._evaluate(stage, trainer)
        results["seconds"] = round(time.monotonic() - started, 1)
        if main:
            for task, of_task in logits.items():
                np.save(folder / dev_logits_name(task, stage.tasks[0]), of_task)
            self._write_stage(stage, trainer, results, logits.get(stage.tasks[0]))
        PartialState().wait_for_everyone()

    def _evaluate(self, stage: Stage, trainer: StageTrainer) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        # Scores and thresholds are those of the saved model, which people run in single precision.
        trainer.use_single_precision()
        if not stage.classifies:
            metrics = trainer.evaluate()
            kept = ("loss", "pair_auc", "mean_distance_same", "mean_distance_different", "mean_distance")
            return {"metrics": {name: metrics[f"eval_{name}"] for name in kept if f"eval_{name}" in metrics}}, {}
        first, *others = ((task, self.context.task_config(task)) for task in stage.tasks)
        rows = self.context.joined_rows(stage.tasks, "dev")
        return evaluate_classifier(trainer, *first, self.args.model.threshold, dict(others), rows)

    def _write_stage(
        self, stage: Stage, trainer: StageTrainer, results: dict[str, Any], logits: np.ndarray | None
    ) -> None:
        folder, model = self.context.folder(stage.name), trainer.accelerator.unwrap_model(trainer.model)
        trainer.save_model(str(folder))
        if logits is not None:
            results["examples"] = describe_examples(model, self.context.tokenizer, self.args.data.max_length)
        emissions = emissions_of(trainer)
        if emissions is not None:
            results["emissions_kg"] = emissions
        write_json(folder / "eval_results.json", results)
        write_json(folder / "training_log.json", trainer.state.log_history)
        draw_figures(stage, self.context, model, results, logits, folder)
        write_card(stage, self.context)
        StageRecord(stage.name, self.context.records[stage.name].made_from, complete=True).write(folder)
        self._remove_checkpoints(stage)

    def _remove_checkpoints(self, stage: Stage) -> None:
        if PartialState().is_main_process:
            for checkpoint in self.context.folder(stage.name).glob(f"{PREFIX_CHECKPOINT_DIR}-*"):
                shutil.rmtree(checkpoint)


def last_complete_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; half-written ones are deleted.

    `trainer_state.json` is the last file that the Trainer writes into a checkpoint.
    """
    found = sorted(folder.glob(f"{PREFIX_CHECKPOINT_DIR}-*"), key=lambda path: int(path.name.rsplit("-", 1)[1]))
    for checkpoint in reversed(found):
        try:
            json.loads((checkpoint / "trainer_state.json").read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            if PartialState().is_main_process:
                shutil.rmtree(checkpoint)
            continue
        return checkpoint
    return None
