"""Hyper-parameter search over the options of a run: the default settings, the trials, and the best one again."""

import dataclasses
import logging
import shutil
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelerate import PartialState
from filelock import FileLock, Timeout
from tqdm import tqdm

from ..evaluation import HEADLINE
from ..runs import RunArguments, Runner, StageRecord, check_ranges, with_publisher
from .search_report import write_report
from .search_space import own_value, read_space, with_options
from .search_trials import TrialPruning, TunedMetrics

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import Trial

logger = logging.getLogger(__name__)

STUDY_NAME = "search"
# A worker reports immediately that it has taken a trial; this is ample time for it.
_GRACE = timedelta(minutes=1)


@dataclass
class SearchArguments:
    """Options of the search."""

    n_trials: int = field(
        default=20,
        metadata={
            "help": "Total number of trials, including those of earlier runs in the same folder and of other workers."
        },
    )
    search_space: str | None = field(
        default=None,
        metadata={
            "help": "YAML file of the search space: for each option of this command, a list of choices, or low, high "
            "and optionally log. Default: learning rate, epochs, batch size, dropout, weight decay, warm-up, recipe, "
            "class weights and augmentation."
        },
    )
    search_metric: str = field(default="macro_f1", metadata={"help": "Metric to maximise on dev."})
    search_samples: int | None = field(
        default=None,
        metadata={
            "help": "Use only this many training texts for the trials, stratified by label; the default settings and "
            "the best trial are then trained on all texts."
        },
    )
    prune_after: int = field(
        default=2,
        metadata={
            "help": "Number of epochs after which trials below the median of the others may be stopped (0: never)."
        },
    )

    def __post_init__(self) -> None:
        check_ranges(vars(self))


class Search:
    """Searches the options of a run of one recipe with one stage.

    The folder then contains `default` (the run as given), `search` (the study, the table of trials and the report) and
    `best-trial-N` (the run with the options of trial N). The study is a journal file: repeating the command continues
    it, and starting the same command several times creates several workers on it.

    Args:
        args ([`RunArguments`]): The run.
        search ([`SearchArguments`]): Options of the search.

    Raises:
        ModuleNotFoundError: If Optuna is not installed.
        ValueError: If the space, the metric or the run is not valid, or the folder contains another search.
    """

    def __init__(self, args: RunArguments, search: SearchArguments) -> None:
        if find_spec("optuna") is None:
            raise ModuleNotFoundError("The search needs Optuna: pip install 'csr-emotion[search]'.")
        if PartialState().num_processes > 1:
            raise ValueError(
                "A search uses one process per trial: start the command without a launcher, and several times for "
                "several workers."
            )
        if len(args.model.recipe) > 1:
            raise ValueError(f"--recipe {' '.join(args.model.recipe)}: a search starts from one recipe.")
        self.output_dir = Path(args.training.output_dir)
        # Not the name of the best trial's folder.
        published = {"hub_model_id": args.training.hub_model_id or self.output_dir.resolve().name}
        # A trial needs a number to start from.
        published["num_train_epochs"] = own_value(args, "num_train_epochs")
        self.args, self.search = with_options(args, published), search
        self.folder = self.output_dir / "search"
        self.space = read_space(search.search_space, args)
        self.default = Runner(self._run_arguments("default"))
        problem_type = self.default.prepared.task_config("emotion")["problem_type"]
        if search.search_metric not in HEADLINE[problem_type]:
            raise ValueError(
                f"--search_metric {search.search_metric} is not one of {', '.join(HEADLINE[problem_type])}, the "
                f"metrics of {self.default.prepared.tasks['emotion'].name}."
            )
        if args.training.push_to_hub:
            # Only the best run is published, but permissions are checked before all trials.
            with_publisher(self.default.prepared, published["hub_model_id"])
        self._check_folder()

    def _check_folder(self) -> None:
        stage = self.default.prepared.final
        record = StageRecord(
            STUDY_NAME,
            {
                "space": [dataclasses.asdict(parameter) for parameter in self.space],
                "metric": self.search.search_metric,
                "samples": self.search.search_samples,
                "default": self.default.prepared.records[stage.name].made_from,
            },
        )
        found = StageRecord.read(self.folder)
        differences = found.differences(record) if found else []
        if differences:
            raise ValueError(
                f"{self.folder} belongs to another search:\n  " + "\n  ".join(differences) + "\nChoose another "
                "--output_dir."
            )
        record.write(self.folder)

    def _run_arguments(self, folder: str, **changes: Any) -> RunArguments:
        """The run with another folder, unpublished."""
        options = {"output_dir": str(self.output_dir / folder), "push_to_hub": False, "push_space": False}
        return with_options(self.args, options | changes)

    def run(self) -> dict[str, Any] | None:
        """Train the default settings, run the missing trials, and train the best one again.

        Returns:
            `dict`: Contents of `results.json` of the best run; `None` if other workers have not finished yet, the last
            of which does the rest.
        """
        # One worker does this while the others wait.
        with FileLock(self.folder / "default.lock"):
            self.default.run()
        study = self._run_trials()
        others = [trial.number for trial in study.trials if trial.state.name == "RUNNING"]
        if others:
            logger.info("Other workers are still at trial %s; the last of them finishes the search.", others)
            return None
        with FileLock(self.folder / "best.lock"):
            best = self._best_runner(study)
            results = best.run()
            write_report(self.folder, study, self.default, best, self.search)
        return results

    # -- the trials ----------------------------------------------------------------------------------------------------

    def _run_trials(self) -> "Study":
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
        from optuna.trial import TrialState

        options: dict[str, Any] = {
            "study_name": STUDY_NAME,
            "storage": JournalStorage(JournalFileBackend(str(self.folder / "study.journal"))),
            "load_if_exists": True,
        }
        study = optuna.create_study(direction="maximize", **options)
        if not any(trial.user_attrs.get("default") and trial.state.name != "FAIL" for trial in study.trials):
            study.enqueue_trial(self._default_options(), user_attrs={"default": True})
        pruner: Any = optuna.pruners.NopPruner()
        if self.search.prune_after:
            pruner = optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=self.search.prune_after)
        random_trials = min(10, max(3, self.search.n_trials // 3))
        worker = uuid.uuid4().hex
        with FileLock(self._lock_file(worker)), self._progress() as progress:
            while not self._finished(study, progress):
                # One at a time: other workers count as well, and each trial has its own seed. Failed ones are repeated
                # and do not count, so that a search that was killed goes on as it would have.
                begun = [trial for trial in study.get_trials(deepcopy=False) if trial.state != TrialState.FAIL]
                seed = self.args.training.seed + len(begun)
                study.sampler = optuna.samplers.TPESampler(n_startup_trials=random_trials, seed=seed)
                study.pruner = pruner
                study.optimize(lambda trial: self._score(trial, worker), n_trials=1)
        self._lock_file(worker).unlink(missing_ok=True)
        return study

    def _default_options(self) -> dict[str, Any]:
        own = {parameter.name: own_value(self.args, parameter.name) for parameter in self.space}
        # The arguments turn 4 epochs into 4.0.
        return own | {parameter.name: int(own[parameter.name]) for parameter in self.space if parameter.whole}

    def _progress(self) -> tqdm:
        return tqdm(total=self.search.n_trials, desc="Trials", disable=self.args.training.disable_tqdm)

    def _finished(self, study: "Study", progress: tqdm) -> bool:
        """Whether all trials are done. Trials whose worker is gone are queued again first."""
        from optuna.trial import TrialState

        for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if self._abandoned(trial):
                logger.info("The worker of trial %d is gone: its options are tried again.", trial.number)
                study.tell(trial.number, state=TrialState.FAIL)
                shutil.rmtree(self.folder / "trials" / str(trial.number), ignore_errors=True)
                attributes = {name: value for name, value in trial.user_attrs.items() if name != "worker"}
                study.enqueue_trial(trial.params, user_attrs=attributes)
        done = (TrialState.COMPLETE, TrialState.PRUNED)
        progress.n = len(study.get_trials(deepcopy=False, states=done))
        progress.refresh()
        return len(study.get_trials(deepcopy=False, states=(*done, TrialState.RUNNING))) >= self.search.n_trials

    def _lock_file(self, worker: str) -> Path:
        return self.folder / "workers" / f"{worker}.lock"

    def _abandoned(self, trial: Any) -> bool:
        worker = trial.user_attrs.get("worker")
        if worker is None:
            return datetime.now() - trial.datetime_start > _GRACE
        # The operating system releases the lock of a process that has ended, however it ended.
        try:
            with FileLock(self._lock_file(worker), timeout=0):
                return True
        except Timeout:
            return False

    def _score(self, trial: "Trial", worker: str) -> float:
        """Train with the options of a trial, and score the finished model at its own thresholds."""
        trial.set_user_attr("worker", worker)
        options = {parameter.name: parameter.suggest(trial) for parameter in self.space}
        fixed: dict[str, Any] = {"eval_strategy": "epoch", "save_strategy": "no", "load_best_model_at_end": False}
        fixed["draw_figures"] = False
        if self.search.search_samples is not None:
            fixed["max_train_samples"] = min(
                self.search.search_samples, self.args.data.max_train_samples or self.search.search_samples
            )
        runner = Runner(
            self._run_arguments(f"search/trials/{trial.number}", **fixed | options),
            callbacks=[TrialPruning(trial, self.search.search_metric)],
            metrics=partial(TunedMetrics, threshold=self.args.model.threshold),
        )
        trial.set_user_attr("training_texts", len(runner.prepared.tasks["emotion"].splits["train"]))
        try:
            metrics = runner.run()["recipes"][runner.prepared.recipes[-1].name]["metrics"]
        finally:
            # Only the best options are trained again, on all texts.
            shutil.rmtree(runner.prepared.output_dir, ignore_errors=True)
        for name in HEADLINE[runner.prepared.tasks["emotion"].problem_type]:
            trial.set_user_attr(name, round(metrics[name], 5))
        return metrics[self.search.search_metric]

    # -- the best of them ----------------------------------------------------------------------------------------------

    def _best_runner(self, study: "Study") -> Runner:
        stage = self.default.prepared.final
        folder = self.output_dir / f"best-trial-{study.best_trial.number}"
        options = {
            "output_dir": str(folder),
            "compare_with": str(self.default.prepared.folder(stage)),
            "reuse_stages_from": [*(self.args.training.reuse_stages_from or ()), str(self.default.prepared.output_dir)],
        }
        return Runner(with_options(self.args, study.best_trial.params | options))


__all__ = ["Search", "SearchArguments"]
