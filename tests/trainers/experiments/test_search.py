"""A whole search on tiny data: trials that do not disturb each other, workers, resuming, the report, and errors."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from filelock import FileLock
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from transformers import EvalPrediction

from tests.helpers import fresh_process, tiny_run
from trainers.commands.parser import parse_run_arguments_and
from trainers.experiments import search as search_module
from trainers.experiments.search import Search, SearchArguments
from trainers.experiments.search_trials import TunedMetrics


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"), train=40, dev=12)


def command(place: Path, out: Path, space: str = "recipe: [bert, label-attention]\n", **changes: Any) -> list[str]:
    out.mkdir(parents=True, exist_ok=True)
    (out / "space.yaml").write_text(space)
    options = {"recipe": "bert", "num_train_epochs": 2, "classifier_dropout": 0, "threshold": "per_label"}
    options |= {"search_space": out / "space.yaml", "n_trials": 3, "output_dir": out, **changes}
    return tiny_run.options(place, **options)


def make(argv: list[str]) -> Search:
    return Search(*parse_run_arguments_and(SearchArguments, argv))


def study_of(out: Path) -> optuna.Study:
    (out / "search").mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(out / "search" / "study.journal")))
    return optuna.create_study(study_name="search", storage=storage, direction="maximize", load_if_exists=True)


def test_a_search_from_the_default_to_the_best_and_on(place: Path, tmp_path: Path) -> None:
    space = (
        "learning_rate: {low: 1e-4, high: 3e-2, log: true}\n"
        "per_device_train_batch_size: [8, 16]\n"
        "class_weights: [none, sqrt]\n"
        "augment_rare: [0, 25]\n"
    )
    argv = command(place, tmp_path, space, n_trials=5, learning_rate=1e-4)
    search = make(argv)
    results = search.run()
    trials = study_of(tmp_path).trials
    assert [trial.number for trial in trials] == [0, 1, 2, 3, 4]
    # The default settings are the first trial.
    assert trials[0].params == {
        "learning_rate": 1e-4,
        "per_device_train_batch_size": 8,
        "class_weights": "none",
        "augment_rare": 0,
    }
    # Reported by epochs, whatever the batch size: else no trial could be compared with another half way.
    assert all(set(trial.intermediate_values) <= {1, 2} for trial in trials)
    assert set(trials[0].intermediate_values) == {1, 2}

    best = study_of(tmp_path).best_trial
    assert best.number > 0
    folder = tmp_path / f"best-trial-{best.number}" / "emotion-encoder"
    assert Path(results["recipes"]["bert"]["model"]) == folder
    record = tiny_run.read_json(folder / "stage.json")["made_from"]
    assert record["training"]["learning_rate"] == best.params["learning_rate"]
    assert record["training"]["global_batch_size"] == best.params["per_device_train_batch_size"]
    assert record.get("class_weights", "none") == best.params["class_weights"]
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "were chosen by a search on the same dev split" in card
    assert "| default settings |" in card and f"- learning_rate: {best.params['learning_rate']}" in card

    report = (tmp_path / "search" / "report.md").read_text(encoding="utf-8")
    assert f"## The best: trial {best.number}" in report
    default = tiny_run.read_json(tmp_path / "default" / "emotion-encoder" / "eval_results.json")["metrics"]
    assert f"| default settings | {100 * default['jaccard']:.1f} |" in report
    for name in ("history.png", "importances.png", "slices.png", "parallel.png"):
        assert f"({name})" in report and (tmp_path / "search" / name).stat().st_size > 5_000
    rows = (tmp_path / "search" / "trials.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 6 and "params_learning_rate" in rows[0]

    # Again: nothing is missing. With more trials: only those.
    written = (folder / "model.safetensors").stat().st_mtime_ns
    make(argv).run()
    assert (folder / "model.safetensors").stat().st_mtime_ns == written
    make([*argv, "--n_trials", "6"]).run()
    assert [trial.number for trial in study_of(tmp_path).trials] == [0, 1, 2, 3, 4, 5]
    with pytest.raises(ValueError, match="belongs to another search"):
        make([*argv, "--search_metric", "micro_f1"])


def test_a_trial_leaves_nothing_behind_for_the_next(place: Path, tmp_path: Path) -> None:
    # The first trial has another head, head learning rate and averaged weights; the second is as the run itself.
    study = study_of(tmp_path)
    study.enqueue_trial({"recipe": "label-attention"})
    search = make(command(place, tmp_path, n_trials=2, eval_strategy="epoch"))
    search.run()
    other, default = study_of(tmp_path).trials
    assert other.params == {"recipe": "label-attention"} and default.params == {"recipe": "bert"}
    metrics = tiny_run.read_json(tmp_path / "default" / "emotion-encoder" / "eval_results.json")["metrics"]
    assert default.value == pytest.approx(metrics["macro_f1"], abs=1e-9)
    assert default.user_attrs["micro_f1"] == pytest.approx(metrics["micro_f1"], abs=1e-5)


def test_trials_on_a_part_of_the_texts(place: Path, tmp_path: Path) -> None:
    search = make(command(place, tmp_path, search_samples=20, n_trials=1))
    search.run()
    (trial,) = study_of(tmp_path).trials
    assert trial.user_attrs["training_texts"] == 20
    assert len(search.default.prepared.tasks["emotion"].splits["train"]) == 40
    # Nothing is left of a trial but its place in the study.
    assert not list((tmp_path / "search" / "trials").iterdir())


def test_trials_of_workers_that_are_gone_are_tried_anew(place: Path, tmp_path: Path) -> None:
    search = make(command(place, tmp_path))
    study = study_of(tmp_path)
    for worker in ("alive", "gone"):
        study.enqueue_trial({"recipe": "label-attention"}, user_attrs={"worker": worker})
        study.ask({"recipe": optuna.distributions.CategoricalDistribution(("bert", "label-attention"))})
    with FileLock(tmp_path / "search" / "workers" / "alive.lock"), search._progress() as progress:
        assert not search._finished(study, progress)
    states = [(trial.state.name, trial.user_attrs.get("worker")) for trial in study.trials]
    assert states == [("RUNNING", "alive"), ("FAIL", "gone"), ("WAITING", None)]
    assert study.trials[2].system_attrs["fixed_params"] == {"recipe": "label-attention"}


def test_two_workers_share_a_search_and_one_finishes_it(place: Path, tmp_path: Path) -> None:
    argv = command(place, tmp_path, n_trials=6)
    example = tiny_run.REPOSITORY / "examples" / "run_search.py"
    log = tmp_path / "worker.log"
    worker = fresh_process.FreshProcess(example, *argv, env=tiny_run.environment(), stdout=log, stderr=log)
    while worker.poll() is None and not (tmp_path / "search" / "study.journal").exists():
        time.sleep(0.1)
    make(argv).run()
    assert worker.wait(timeout=120) == 0, log.read_text()
    trials = study_of(tmp_path).trials
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    # Both may take the last one at the same moment.
    assert len(trials) in (6, 7)
    assert len({trial.user_attrs["worker"] for trial in trials}) == 2
    best = study_of(tmp_path).best_trial.number
    stage = next((tmp_path / f"best-trial-{best}").glob("*/stage.json"))
    assert tiny_run.read_json(stage)["files"]
    assert not list((tmp_path / "search" / "workers").iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": ["bert", "bert-head-rate"]}, "a search starts from one recipe"),
        ({"search_metric": "accuracy"}, "accuracy is not one of jaccard, micro_f1, macro_f1, the metrics of posts"),
        ({"n_trials": 0}, "--n_trials must be at least 1, got 0"),
        ({"search_samples": 0}, "--search_samples must be at least 1, got 0"),
    ],
)
def test_search_that_is_not_valid(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(command(place, tmp_path, **changes))


def test_missing_library(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_module, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'csr-emotion\[search\]'"):
        make(command(place, tmp_path))


def test_metrics_at_the_thresholds_that_are_best() -> None:
    task = {"emotion": {"labels": ["a", "b"], "problem_type": "multi_label_classification"}}
    # At 0.5 nothing is predicted; at its own threshold the first label is found in full, the second in half.
    logits = np.array([[-1.0, -3.0], [-2.0, -1.0], [-3.0, -2.0], [-4.0, -4.0]])
    labels = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    prediction = EvalPrediction(predictions=logits, label_ids=labels)
    assert TunedMetrics(task, "fixed")(prediction)["macro_f1"] == 0
    # The second label: both texts above -2.5 are given it, one of them rightly: F1 = 2 / (2 + 1).
    assert TunedMetrics(task, "per_label")(prediction)["macro_f1"] == pytest.approx((1 + 2 / 3) / 2)
    assert "thresholds" not in task["emotion"]
