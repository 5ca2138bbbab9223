"""Thresholds that are chosen without dev, on predictions of training texts by models that have not seen them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import ModelCard
from scipy.special import expit
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.data import TaskDataset
from trainers.evaluation import fit_calibration, predict_logits, tune_thresholds
from trainers.runs.arguments import RunArguments
from trainers.runs.out_of_fold import FOLDS_NAME, out_of_fold_predictions
from trainers.runs.prepared_run import PreparedRun
from trainers.runs.records import StageRecord
from trainers.runs.runner import Runner

MULTI = "multi_label_classification"
SETTINGS: dict[str, Any] = {
    "recipe": ["model-3.1"],
    "threshold": "per_label",
    "threshold_folds": 2,
    "calibrate": True,
    "num_train_epochs": 3,
}
SENTIMENT, EMOTION, SPACE = "sentiment-encoder", "emotion-encoder", "csr-prediction"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def runner(place: Path, output_dir: Path, **changes: Any) -> Runner:
    return Runner(parse_run_arguments(tiny_run.options(place, output_dir, **SETTINGS | changes)))


@pytest.fixture(scope="module")
def finished(place: Path) -> Runner:
    made = runner(place, place / "finished", draw_figures=True)
    made.run()
    return made


def test_only_where_thresholds_come_from_changes(place: Path, finished: Runner) -> None:
    folder = finished.prepared.output_dir
    assert not (folder / FOLDS_NAME).exists()
    runner(place, place / "plain", recipe=["bert"], threshold_folds=None).run()
    both = (folder / EMOTION, place / "plain" / EMOTION)
    np.testing.assert_array_equal(*(np.load(at / "dev_logits.npy") for at in both))
    found, on_dev = (tiny_run.read_json(at / "eval_results.json") for at in both)
    assert found["metrics_at_0.5"] == on_dev["metrics_at_0.5"]
    assert found["thresholds"] != on_dev["thresholds"] and found["calibration"] != on_dev["calibration"]
    assert (found["tuned_on"], on_dev["tuned_on"]) == ("the training texts, out of fold (2 folds)", "dev")
    config = AutoConfig.from_pretrained(both[0])
    assert config.thresholds == list(found["thresholds"].values())
    assert config.calibration == list(found["calibration"].values())
    said, said_of_dev = (ModelCard.load(at / "README.md").text for at in both)
    assert "chosen on the training texts, out of fold (2 folds), not on the dev split" in said
    assert "tuned on the same dev split" not in said and "tuned on the same dev split" in said_of_dev
    assert "reliability.png" in said and (both[0] / "reliability.png").is_file()


def test_predictions_are_of_models_that_have_not_seen_the_text(place: Path, finished: Runner) -> None:
    run = finished.prepared
    stage = next(stage for stage in run.stages if stage.name == SPACE)
    trained: list[tuple[set[str], list[str], Path]] = []

    def train(args: RunArguments, data: Mapping[str, TaskDataset]) -> PreparedRun:
        made = Runner(args, data, run.recipes)
        made.run()
        splits = made.prepared.tasks["emotion"].splits
        trained.append((set(splits["train"]["text"]), splits["dev"]["text"][:], made.prepared.output_dir / SPACE))
        return made.prepared

    found = out_of_fold_predictions(run, [stage], 2, train)[SPACE]
    assert not any(learnt & set(held_out) for learnt, held_out, _ in trained)
    texts = [text for _, held_out, _ in trained for text in held_out]
    everything = run.tasks["emotion"].splits["train"]
    assert sorted(texts) == sorted(everything["text"])
    assert not set(texts) & set(run.tasks["emotion"].splits["dev"]["text"])
    by_text = dict(zip(everything["text"], everything["labels"], strict=True))
    np.testing.assert_array_equal(found.labels, [by_text[text] for text in texts])
    expected = [
        predict_logits(
            AutoModelForSequenceClassification.from_pretrained(folder), AutoTokenizer.from_pretrained(folder), held_out
        )
        for _, held_out, folder in trained
    ]
    np.testing.assert_allclose(found.logits, np.concatenate(expected), atol=1e-4)
    # These are what the finished stage has its thresholds from.
    results = tiny_run.read_json(run.output_dir / SPACE / "eval_results.json")
    chosen = tune_thresholds(expit(found.logits), found.labels, "per_label")
    assert list(results["thresholds"].values()) == pytest.approx(chosen, abs=1e-5)
    fitted = np.array(fit_calibration(found.logits, found.labels, MULTI))
    np.testing.assert_allclose(list(results["calibration"].values()), fitted, rtol=1e-3, atol=1e-3)
    # What learns from no emotion texts is trained once.
    records = [StageRecord.read(folder.parent / SENTIMENT) for *_, folder in trained]
    assert records[0].digest == records[1].digest == StageRecord.read(run.output_dir / SENTIMENT).digest


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"threshold": "fixed", "calibrate": None}, "--threshold_folds 2 tunes thresholds"),
        ({"threshold_folds": 1}, "threshold_folds must be at least 2"),
        ({"augment_rare": 9}, "--augment_rare adds copies"),
        (
            {"emotion_dataset": "moods", "calibrate": None},
            "--threshold_folds 2 is for emotion data with several labels",
        ),
    ],
)
def test_folds_without_use_are_refused(place: Path, tmp_path: Path, changes: dict[str, Any], match: str) -> None:
    if "emotion_dataset" in changes:
        changes |= {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    with pytest.raises(ValueError, match=match):
        runner(place, tmp_path / "run", **changes)
    assert not (tmp_path / "run").exists()
