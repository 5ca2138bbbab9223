"""Runs recipes: one complete folder per stage, shared stages, resumption of killed runs."""

import logging
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from accelerate import PartialState
from transformers import TrainerCallback
from transformers.integrations import CodeCarbonCallback

from ..data import TaskDataset
from ..evaluation import Predictions, describe_examples, language_scores
from ..hub import PublishingError
from ..loop import last_complete_checkpoint, remove_checkpoints
from ..recipes import Recipe, Stage
from ..trainer import StageTrainer
from .arguments import RunArguments
from .cards import draw_stages, write_card
from .checks import is_finished, warn_of_overruled_options
from .disk import DiskFullError, naming_a_full_disk
from .lock import RunLockedError, locked
from .out_of_fold import FOLDS_NAME, out_of_fold_predictions
from .prepared_run import PreparedRun, prepare_run
from .publishing import RunPublisher, with_publisher
from .records import DamagedStageError, StageRecord, files_of_stage
from .results import dev_logits_name, read_evaluation, read_results, update_results
from .skipped_rows import write_skipped_rows
from .stage_trainers import build_trainer
from .task_options import cross_fitted

logger = logging.getLogger(__name__)

# What a run may end with that its user can mend, with what to do; all else is a fault of ours.
RUN_ERRORS = (PublishingError, DamagedStageError, RunLockedError, DiskFullError, FloatingPointError)


class Runner:
    """Trains the stages of recipes into one output folder.

    Everything is checked before any training. Finished stages with identical inputs are reused, including those of the
    runs in `reuse_stages_from`; a killed run continues from its last checkpoint.

    Args:
        args ([`RunArguments`]): The run's arguments.
        data (`Mapping[str, TaskDataset]`, *optional*): Data by task, if already loaded.
        recipes (`Sequence[Recipe]`, *optional*): The recipes; by default those named in the arguments.
        callbacks (`Sequence[TrainerCallback]`): Callbacks for the Trainers of all stages.
        metrics (`Callable`, *optional*): Creates `compute_metrics` from a Trainer's tasks, replacing its own.

    Attributes:
        prepared ([`PreparedRun`]): The run, with its data, tokenizer and records.
        publisher ([`RunPublisher`], *optional*): Publishes its stages, if `push_to_hub` is set.

    Raises:
        ValueError, OSError: If something is wrong, with what to do about it.
    """

    def __init__(
        self,
        args: RunArguments,
        data: Mapping[str, TaskDataset] | None = None,
        recipes: Sequence[Recipe] | None = None,
        callbacks: Sequence[TrainerCallback] = (),
        metrics: Callable[[dict[str, dict[str, Any]]], Any] | None = None,
    ) -> None:
        prepared = prepare_run(args, data, recipes)
        warn_of_overruled_options(prepared.stages, args)
        self.prepared = with_publisher(prepared) if args.training.push_to_hub else prepared
        self.publisher = RunPublisher(self.prepared) if self.prepared.publisher else None
        self.callbacks, self.metrics = tuple(callbacks), metrics
        self._out_of_fold: dict[str, Predictions] = {}

    def run(self) -> dict[str, Any]:
        """Train the missing stages, one after the other.

        Returns:
            `dict`: Contents of `results.json`: for each recipe its final `model` folder, metrics and times.

        Raises:
            FloatingPointError: If a loss or a weight is not finite.
            PublishingError: If a finished stage could not be published.
            RunLockedError: If another command is training in the same folder.
            DiskFullError: If there is no room to write.
        """
        output_dir, wait = self.prepared.output_dir, self.prepared.args.training.wait_for_lock
        lock = locked(output_dir, wait) if PartialState().is_main_process else nullcontext()
        with naming_a_full_disk(output_dir), lock:
            # No process may still be checking the folders when another writes to them.
            PartialState().wait_for_everyone()
            if PartialState().is_main_process:
                write_skipped_rows(output_dir, self.prepared.tasks)
            self._run_folds()
            self._run_stages()
            if PartialState().is_main_process:
                update_results(output_dir, self.prepared.recipes)
                if self.prepared.args.model.threshold_folds is not None:
                    shutil.rmtree(output_dir / FOLDS_NAME, ignore_errors=True)
            if self.publisher:
                self.publisher.finish()
            PartialState().wait_for_everyone()
            return read_results(output_dir)

    def _run_stages(self) -> None:
        stages = self.prepared.stages
        for number, stage in enumerate(stages, start=1):
            if is_finished(self.prepared.folder(stage)):
                logger.info("Stage %d of %d, %s: already finished.", number, len(stages), stage.name)
                remove_checkpoints(self.prepared.folder(stage))
            else:
                logger.info("Stage %d of %d: %s", number, len(stages), stage.name)
                if not self._reuse(stage):
                    self._train(stage)
            if self.publisher:
                self.publisher.publish(stage)

    def _run_folds(self) -> None:
        """Predict the training texts out of fold for the missing stages whose thresholds are chosen on these."""
        run, model = self.prepared, self.prepared.args.model
        missing = [stage for stage in run.stages if not is_finished(run.folder(stage))]
        stages = [stage for stage in missing if cross_fitted(stage, run.tasks, model)]
        if not stages or model.threshold_folds is None:
            return

        def train(args: RunArguments, data: Mapping[str, TaskDataset]) -> PreparedRun:
            logger.info("Without a fold of the training texts, for thresholds: %s", args.training.output_dir)
            runner = Runner(args, data, run.recipes, self.callbacks, self.metrics)
            runner.run()
            return runner.prepared

        self._out_of_fold = out_of_fold_predictions(run, stages, model.threshold_folds, train)

    def final_results(self) -> dict[str, Any]:
        """Contents of `eval_results.json` of the final stage, once it is finished."""
        return read_evaluation(self.prepared.folder(self.prepared.final))

    def _reuse(self, stage: Stage) -> bool:
        """Copy a finished stage with identical inputs from an earlier run, if there is one."""
        record, folder = self.prepared.records[stage.name], self.prepared.folder(stage)
        first_fold = [self.prepared.output_dir / FOLDS_NAME / "fold-0"] if self._out_of_fold else []
        for run in (*(self.prepared.args.training.reuse_stages_from or ()), *first_fold):
            source = Path(run) / stage.name
            try:
                found = StageRecord.read(source)
                if found is None or not found.complete or found.differences(record):
                    continue
                found.check_files(source)
            except DamagedStageError as error:
                logger.warning("%s\nIt is not taken from there.", error.what)
                continue
            logger.info("Copied from %s.", run)
            if PartialState().is_main_process:
                unfinished = folder.with_name(folder.name + ".unfinished")
                shutil.rmtree(unfinished, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
                unfinished.mkdir(parents=True)
                for path in files_of_stage(source):
                    copied = unfinished / path.relative_to(source)
                    copied.parent.mkdir(exist_ok=True)
                    shutil.copy2(path, copied)
                unfinished.rename(folder)
            PartialState().wait_for_everyone()
            return True
        return False

    def _train(self, stage: Stage) -> None:
        folder, main = self.prepared.folder(stage), PartialState().is_main_process
        started = time.monotonic()
        trainer = build_trainer(stage, self.prepared, self.callbacks)
        if main:
            self.prepared.records[stage.name].write(folder)
        if self.metrics is not None:
            trainer.compute_metrics = self.metrics(trainer.tasks)
        if self.publisher and self.prepared.args.training.hub_strategy == "every_save":
            trainer.add_callback(self.publisher.callback(stage))
        checkpoint = last_complete_checkpoint(folder)
        if checkpoint:
            logger.info("Continuing from %s.", checkpoint)
        PartialState().wait_for_everyone()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
        model = self.prepared.args.model
        tuned_on = {stage.tasks[0]: self._out_of_fold[stage.name]} if stage.name in self._out_of_fold else None
        results, logits = trainer.report(model.threshold, model.calibrate, tuned_on)
        results["seconds"] = round(time.monotonic() - started, 1)
        if main:
            self._write(stage, trainer, results, logits)
        PartialState().wait_for_everyone()

    def _write(
        self, stage: Stage, trainer: StageTrainer, results: dict[str, Any], logits: Mapping[str, np.ndarray]
    ) -> None:
        folder, model = self.prepared.folder(stage), trainer.accelerator.unwrap_model(trainer.model)
        for task, of_task in logits.items():
            np.save(folder / dev_logits_name(task, stage.tasks[0]), of_task)
            self._describe(
                task, trainer.tasks[task], of_task, results if task == stage.tasks[0] else results["tasks"][task]
            )
        trainer.save_model(str(folder))
        if logits:
            max_length = trainer.args.max_length
            results["examples"] = describe_examples(model, self.prepared.tokenizer, max_length=max_length)
        emissions = _emissions_of(trainer)
        if emissions is not None:
            results["emissions_kg"] = emissions
        trainer.write_report(folder, results, logits, show_texts=self._texts_are_public(stage))
        if trainer.args.draw_figures:
            draw_stages(stage, self.prepared, folder / "stages.png")
        write_card(stage, self.prepared)
        self.prepared.records[stage.name].finished(folder).write(folder)
        remove_checkpoints(folder)

    def _describe(self, task: str, config: Mapping[str, Any], logits: np.ndarray, results: dict[str, Any]) -> None:
        """Add to the results of a task the scale of a regression, and the scores by language if the data name it."""
        if config["problem_type"] == "regression":
            results["scale"] = self.prepared.scale(task)
        languages = self.prepared.languages("dev", task)
        if languages is not None:
            results["per_language"] = language_scores(logits, self.prepared.labels("dev", task), languages, config)

    def _texts_are_public(self, stage: Stage) -> bool:
        info = self.prepared.tasks[stage.tasks[0]].info
        return self.prepared.args.hub.card_examples or bool(info and info.bundled)


def _emissions_of(trainer: StageTrainer) -> float | None:
    """Emissions of a finished training in kilograms of CO2 equivalents; `None` without `--report_to codecarbon`."""
    for callback in trainer.callback_handler.callbacks:
        if isinstance(callback, CodeCarbonCallback) and callback.tracker:
            return callback.tracker.final_emissions
    return None
