"""The comparison of settings: from runs to the tables."""

import re
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig

from benchmarks import settings
from tests.helpers import tiny_run

LOSSES = ["cross_entropy", "asymmetric", "sqrt_weights", "balanced_weights", "asymmetric_sqrt_weights"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def options(place: Path, group: str, **changes: Any) -> list[str]:
    values = {"recipe": None, "groups": [group], "data_dir": place / "data", "seeds": [1, 2], "num_train_epochs": 3}
    values |= {"results_dir": place / "results"}
    return tiny_run.options(place, place / "out", **values | changes)


@pytest.fixture(scope="module")
def losses(place: Path) -> dict[str, Any]:
    settings.main(options(place, "label_losses", recipe=["bert"], settings=LOSSES))
    return tiny_run.read_json(place / "results" / "label_losses-bert.json")


def folders(place: Path, group: str, setting: str, share: float = 1.0) -> list[Path]:
    return [place / "out" / f"share-{share}" / group / setting / f"seed-{seed}" for seed in (1, 2)]


def test_scores_are_those_of_the_runs(place: Path, losses: dict[str, Any]) -> None:
    assert list(losses["recipes"]) == LOSSES and losses["baseline"] == LOSSES[0]
    for setting, one in losses["recipes"].items():
        runs = [folder / "emotion-encoder" for folder in folders(place, "label_losses", setting)]
        scores = [tiny_run.read_json(run / "eval_results.json")["metrics"]["macro_f1"] for run in runs]
        assert one["scores"]["macro_f1"] == pytest.approx(scores, abs=5e-5)
        assert ("tests" in one) == (setting != LOSSES[0])


def test_each_setting_was_trained_as_it_says(place: Path, losses: dict[str, Any]) -> None:
    tasks = [
        AutoConfig.from_pretrained(folders(place, "label_losses", setting)[0] / "emotion-encoder").tasks["emotion"]
        for setting in LOSSES
    ]
    assert [task.get("label_loss") for task in tasks] == [None, "asymmetric", None, None, "asymmetric"]
    weights = [task.get("class_weights") for task in tasks]
    assert weights[:2] == [None] * 2 and weights[2] == weights[4]
    assert weights[2] == pytest.approx([weight**0.5 for weight in weights[3]])


def test_table_says_what_was_run(place: Path, losses: dict[str, Any]) -> None:
    text = (place / "results" / "label_losses-bert.md").read_text(encoding="utf-8")
    assert text.startswith("Label losses and class weights of bert: ")
    assert "difference from `cross_entropy`" in text and "| `sqrt_weights` |" in text
    assert f"--groups label_losses --settings {' '.join(LOSSES)} --recipe bert --share 1.0 --seeds 1 2" in text
    assert (place / "results" / "label_losses-bert.png").is_file()


def test_a_share_of_the_labels_and_the_best_epoch(place: Path) -> None:
    # The epochs are those of the share: 10 at a tenth of the 80 texts, in batches of 8.
    changes = {"share": 0.1, "num_train_epochs": None, "recipe": ["bert"], "seeds": [1]}
    settings.main(options(place, "early_stopping", **changes))
    written = tiny_run.read_json(place / "results" / "early_stopping-bert-0.1.json")
    assert list(written["recipes"]) == ["last_epoch", "best_epoch"] and written["share"] == 0.1
    last, best = (folders(place, "early_stopping", name, 0.1)[0] for name in written["recipes"])
    assert tiny_run.read_json(last / "emotion-encoder" / "training_log.json")[-1]["step"] == 10
    log = tiny_run.read_json(best / "emotion-encoder" / "training_log.json")
    dev_losses = [entry["eval_loss"] for entry in log if "eval_loss" in entry]
    assert len(dev_losses) == 10
    weights = [(folder / "emotion-encoder" / "model.safetensors").read_bytes() for folder in (last, best)]
    # The same training: what is kept of it differs only where an earlier epoch was better.
    assert (weights[0] == weights[1]) == (min(dev_losses) == dev_losses[-1])


def test_stages_are_taken_from_earlier_runs(place: Path, losses: dict[str, Any]) -> None:
    earlier = place / "out" / "share-1.0" / "label_losses" / "cross_entropy"
    changes = {"recipe": ["bert"], "settings": LOSSES[:2], "reuse_stages_from": earlier, "seeds": [1]}
    again = options(place, "label_losses", **changes)
    settings.main([*again, "--output_dir", str(place / "again")])
    copied = place / "again" / "share-1.0" / "label_losses" / "cross_entropy" / "seed-1" / "emotion-encoder"
    trained = earlier / "seed-1" / "emotion-encoder"
    times = [(folder / "model.safetensors").stat().st_mtime_ns for folder in (copied, trained)]
    assert times[0] == times[1], "copied, not trained again"


def test_models_of_several_tasks_have_a_column_per_task_and_metric(place: Path) -> None:
    bundled = {f"{task}_dataset": f"csr-emotion-posts-{task}" for task in ("intensity", "valence")}
    changes = {"emotion_dataset": "csr-emotion-posts", "emotion_label_columns": None, "max_steps": 2, "seeds": [1]}
    settings.main(options(place, "task_weighting", settings=["equal", "by_task"], **bundled | changes))
    scores = tiny_run.read_json(place / "results" / "task_weighting.json")["scores"]
    assert list(scores) == ["equal", "by_task"]
    folder = place / "out" / "share-1.0" / "task_weighting" / "by_task" / "seed-1" / "all-in-one"
    valence = tiny_run.read_json(folder / "eval_results.json")["tasks"]["valence"]["metrics"]["pearson"]
    assert scores["by_task"]["valence pearson"] == pytest.approx([valence], abs=5e-5)
    assert "| | emotion jaccard |" in (place / "results" / "task_weighting.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": "losses"}, "invalid choice: 'losses'"),
        ({"recipe": ["birt"]}, "invalid choice: 'birt'"),
        ({"share": 0.5}, "invalid choice: 0.5"),
        ({"settings": ["best_epoch"]}, "--settings leaves fewer than two settings of group label_losses"),
        ({"emotion_dataset": "moods", "emotion_label_columns": None}, "settings: error: --label_loss asymmetric"),
        ({"reuse_stages_from": "nowhere"}, "settings: error: --reuse_stages_from nowhere/seed-1 does not exist"),
    ],
)
def test_bad_input(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    if "emotion_dataset" in changes:
        changes = changes | {"emotion_dataset": place / "data" / changes["emotion_dataset"]}
    given = options(place, **{"group": "label_losses", "recipe": ["bert"]} | changes)
    assert re.search(message, tiny_run.refusal(settings, [*given, "--output_dir", str(tmp_path / "out")]))
    assert not (tmp_path / "out").exists()
