"""`--emotion_fold all`: a run per fold that is left out, and the scores of all held-out utterances together."""

import random
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import tiny_run
from trainers import train
from trainers.data import REGISTRY, load_task_dataset
from trainers.evaluation import score

run_csr, run_dialogue = tiny_run.example("run_csr").main, tiny_run.example("run_dialogue").main
# In place of what actors say.
WORDS = {"ang": "furious shouting", "hap": "happy laughing", "neu": "plain usual", "sad": "crying lonely"}
RECIPES = {
    "bert": "emotion-encoder",
    "model-1": "emotion-encoder-from-sentiment",
    "bert-head-rate": "emotion-encoder-head-rate",
}


def write_sessions(folder: Path) -> None:
    """Two invented sessions of different lengths, with the corpus's names of utterances."""
    rng = random.Random(0)
    for session in (1, 2):
        rows = [
            {
                "id": f"Ses0{session}F_impro0{number // 6}_{'MF'[number % 2]}{number:03}",
                "text": " ".join([*WORDS[label].split(), *rng.sample(tiny_run.FILLERS, 4)]),
                "label": label,
            }
            for number, label in enumerate([*WORDS] * (2 + session % 2))
        ]
        tiny_run.write_csv(folder / "iemocap" / f"session{session}.csv", rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("place")
    tiny_run.write_encoder(folder / "encoder")
    write_sessions(folder / "data")
    for split in ("train", "dev"):
        tiny_run.write_jsonl(folder / "reviews" / f"{split}.jsonl", tiny_run.label_rows(tiny_run.SENTIMENTS, 24, 1))
    with pytest.MonkeyPatch.context() as patched:
        # Two sessions are enough here.
        patched.setitem(REGISTRY, "iemocap", replace(REGISTRY["iemocap"], folds=2))
        yield folder


def dialogues(place: Path) -> set[str]:
    """Ids of the dialogues of both sessions."""
    data = [load_task_dataset("iemocap", data_dir=str(place / "data"), fold=fold) for fold in range(2)]
    return {one for part in data for one in part.splits["dev"]["dialogue_id"]}


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    unset = ("siamese_num_train_epochs", "siamese_train_batch_size", "common_num_train_epochs", "common_learning_rate")
    values = dict.fromkeys([*unset, "common_train_batch_size", "emotion_label_columns"])
    values |= {"emotion_dataset": "iemocap", "data_dir": place / "data", "sentiment_dataset": place / "reviews"}
    values |= {"recipe": list(RECIPES), "num_train_epochs": 1, "emotion_fold": "all"}
    return tiny_run.options(place, output_dir, **values | changes)


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "out"
    run_csr(options(place, folder))
    return folder


def test_held_out_utterances_are_scored_together(place: Path, finished: Path) -> None:
    results = tiny_run.read_json(finished / "folds.json")
    devs = [load_task_dataset("iemocap", data_dir=str(place / "data"), fold=fold).targets("dev") for fold in range(2)]
    assert results["texts"] == [12, 8] == list(map(len, devs))
    for recipe, stage in RECIPES.items():
        found, folders = results["recipes"][recipe], [finished / f"fold-{fold}" / stage for fold in range(2)]
        reported = [tiny_run.read_json(folder / "eval_results.json")["metrics"] for folder in folders]
        logits = np.concatenate([np.load(folder / "dev_logits.npy") for folder in folders])
        expected = score(logits, np.concatenate(devs), "single_label_classification")
        for metric in ("accuracy", "macro_f1", "weighted_f1"):
            assert found["scores"][metric] == [round(one[metric], 4) for one in reported]
            assert found["union"][metric] == round(expected[metric], 4)
        # The accuracy of all is the mean by size, which the mean of the folds is not.
        hits = sum(size * one["accuracy"] for size, one in zip(results["texts"], reported, strict=True))
        assert found["union"]["accuracy"] == pytest.approx(hits / 20, abs=1e-4)
        assert sum(label["support"] for label in found["per_label"].values()) == 20
    assert "tests" not in results["recipes"]["bert"]
    for recipe in ("model-1", "bert-head-rate"):
        tests = results["recipes"][recipe]["tests"]
        assert set(tests) == set(found["scores"])
        assert {test["groups"] for test in tests.values()} == {len(dialogues(place))}


def test_the_table_says_what_it_may_be_compared_with(finished: Path) -> None:
    table = (finished / "folds.md").read_text(encoding="utf-8")
    assert "accuracy, folds | all held-out | vs bert" in table and "of all 20 held-out texts" in table
    assert "not comparable with those of overlapping windows" in table and "session 5" in table
    assert (finished / "folds.png").stat().st_size > 1000


def test_a_stage_without_emotion_data_is_trained_once(finished: Path) -> None:
    stages = [finished / f"fold-{fold}" / "sentiment-encoder" for fold in range(2)]
    # Copies keep the time of what they are copies of.
    assert len({(stage / "model.safetensors").stat().st_mtime_ns for stage in stages}) == 1


def test_finished_folds_are_reused(place: Path, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "out")
    shutil.rmtree(tmp_path / "out" / "fold-1" / "emotion-encoder")
    (tmp_path / "out" / "folds.json").unlink()
    kept = tmp_path / "out" / "fold-0" / "emotion-encoder" / "model.safetensors"
    before = kept.stat().st_mtime_ns
    run_csr(options(place, tmp_path / "out"))
    assert kept.stat().st_mtime_ns == before
    again, first = (tiny_run.read_json(folder / "folds.json")["recipes"] for folder in (tmp_path / "out", finished))
    for recipe in RECIPES:
        assert again[recipe]["scores"] == first[recipe]["scores"] and again[recipe]["union"] == first[recipe]["union"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"emotion_dataset": "csr-emotion-posts"}, r"for data with folds \(isear, iemocap\); csr-emotion-posts has"),
        ({"push_to_hub": True}, "give --push_to_hub with one fold"),
        ({"seeds": [1, 2]}, "takes one --seed in place of --seeds"),
        ({"emotion_fold": "five"}, "--emotion_fold must be the number of a fold, or all; got five"),
        ({"emotion_fold": "-1"}, "--emotion_fold must be at least 0, got -1"),
        ({"emotion_fold": "2"}, "iemocap: fold must lie between 0 and 1, got 2"),
    ],
)
def test_folds_that_there_are_not(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        run_dialogue(options(place, tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


def test_other_commands_take_one_fold(place: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Name one fold here, such as 0"):
        chosen = {"encoder": str(place / "encoder"), "max_length": 64, "output_dir": str(tmp_path)}
        train("bert", emotion="iemocap", emotion_fold="all", **chosen)
