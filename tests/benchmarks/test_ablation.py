"""The ablation: groups of recipes, and the one that learns from a tenth of the labelled texts."""

import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import ablation
from tests.helpers import tiny_run
from trainers.commands import run_training

RECIPES = ["bert-head-rate", "label-attention-from-sentiment"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def options(place: Path, **changes: Any) -> list[str]:
    values = {"recipe": None, "groups": ["little-data"], "recipes": RECIPES, "seeds": [1, 2], "num_train_epochs": None}
    values |= {"results_dir": place / "results"}
    return tiny_run.options(place, place / "out", **values | {"data_dir": place / "data"} | changes)


@pytest.fixture(scope="module")
def written(place: Path) -> dict[str, Any]:
    # As where Table 1 was run before: its source encoder is there, and an emotion encoder of all texts.
    changes = {"recipe": ["model-1"], "num_train_epochs": 4, "threshold": "global", "seed": 1}
    run_training(tiny_run.options(place, place / "out" / "seed-1", **changes))
    ablation.main(options(place))
    return tiny_run.read_json(place / "results" / "little-data.json")


def test_little_data_learns_from_a_tenth(place: Path, written: dict[str, Any]) -> None:
    assert list(written["recipes"]) == RECIPES and written["baseline"] == RECIPES[0]
    log = tiny_run.read_json(place / "out" / "little-data" / "seed-2" / "emotion-encoder-head-rate/training_log.json")
    # Ten epochs over 8 of the 80 texts, in batches of 8.
    assert log[-1]["step"] == 10


def test_little_data_takes_source_encoders_from_the_full_runs(place: Path, written: dict[str, Any]) -> None:
    trained, copied = (
        place / "out" / folder / "sentiment-encoder" / "model.safetensors"
        for folder in ("seed-1", "little-data/seed-1")
    )
    assert copied.read_bytes() == trained.read_bytes()
    assert copied.stat().st_mtime_ns == trained.stat().st_mtime_ns, "copied, not trained again"


def test_table_compares_with_the_first(place: Path, written: dict[str, Any]) -> None:
    text = (place / "results" / "little-data.md").read_text(encoding="utf-8")
    assert "difference from `bert-head-rate`" in text
    assert "--groups little-data --recipes bert-head-rate label-attention-from-sentiment --seeds 1 2" in text


def test_share_and_data_that_differ_are_told(place: Path, written: dict[str, Any]) -> None:
    changes = {"groups": ["sentiment"], "recipes": ["bert-head-rate", "self-trained-label-attention"], "seeds": [1]}
    changes |= {"share": 0.1, "related_dataset": place / "data" / "moods", "max_unlabelled_samples": 8}
    changes |= {"unlabelled_dataset": place / "data" / "reviews"}
    reuse = {"reuse_stages_from": place / "out" / "little-data" / "seed-1"}
    ablation.main(options(place, **changes, **reuse))
    assert not (place / "results" / "sentiment.json").exists()
    results = tiny_run.read_json(place / "results" / "sentiment-0.1.json")
    assert list(results["recipes"]) == changes["recipes"]
    text = (place / "results" / "sentiment-0.1.md").read_text(encoding="utf-8")
    assert text.startswith("Sentiment, 10 % of the labels: ")
    assert f"--groups sentiment --share 0.1 --recipes {' '.join(changes['recipes'])} --seeds 1 " in text
    for name in ("related", "unlabelled"):
        assert f"--{name}_dataset {changes[f'{name}_dataset']}" in text
    # Texts of the tenth alone, and what is the same as there.
    here, there = (
        place / "out" / group / "seed-1" / "emotion-encoder-head-rate" / "model.safetensors"
        for group in ("sentiment-0.1", "little-data")
    )
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipes": ["bert"]}, "--recipes leaves fewer than two recipes of group little-data"),
        ({"recipes": ["bert-hed-rate"]}, "invalid choice: 'bert-hed-rate'"),
        ({"emotion_dataset": "nowhere"}, "ablation: error: .*nowhere"),
    ],
)
def test_bad_input(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    told = tiny_run.refusal(ablation, [*options(place, **changes), "--output_dir", str(tmp_path / "out")])
    assert re.search(message, told)
    assert not (tmp_path / "out").exists()
