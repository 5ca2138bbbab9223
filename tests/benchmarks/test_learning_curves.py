"""Learning curves: from runs at two shares of the texts to the tables, and how many labels a baseline needs."""

import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks import learning_curves
from tests.helpers import tiny_run

RECIPES = ["bert", "bert-head-rate"]


def options(place: Path, **changes: Any) -> list[str]:
    values = {"recipe": None, "recipes": RECIPES, "shares": [0.3, 1.0], "seeds": [1, 2], "num_train_epochs": None}
    values |= {
        "data_dir": place / "data",
        "related_dataset": place / "data" / "reviews",
        "results_dir": place / "results",
    }
    return tiny_run.options(place, place / "out", **values | changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def written(place: Path) -> dict[str, Any]:
    learning_curves.main(options(place))
    return tiny_run.read_json(place / "results" / "learning_curves.json")


def test_each_share_has_its_texts_and_epochs(place: Path, written: dict[str, Any]) -> None:
    assert written["texts"] == 80 and written["epochs"] == {"30 %": 6, "100 %": 4}
    for share, steps, epochs in ((0.3, 6 * 24 / 8, 6.0), (1.0, 4 * 80 / 8, 4.0)):
        stage = place / "out" / f"share-{share}" / "seed-1" / "emotion-encoder"
        training = tiny_run.read_json(stage / "stage.json")["made_from"]["training"]
        assert training["num_train_epochs"] == epochs
        assert tiny_run.read_json(stage / "training_log.json")[-1]["step"] == steps


def test_labels_needed_are_those_of_the_mean_scores(place: Path, written: dict[str, Any]) -> None:
    means = {
        recipe: [statistics.mean(written["shares"][share][recipe]["scores"]["macro_f1"]) for share in ("0.3", "1.0")]
        for recipe in RECIPES
    }
    needed = [learning_curves.labels_for(score, [24, 80], means["bert"]) for score in means["bert-head-rate"]]
    assert written["labels_needed"]["macro_f1"] == {"bert-head-rate": needed}


def test_tables_have_a_row_a_recipe_and_a_column_a_share(place: Path, written: dict[str, Any]) -> None:
    text = (place / "results" / "learning_curves.md").read_text(encoding="utf-8")
    section = text.split("**Jaccard**")[1].split("**micro F1**")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    assert [line.split("|")[1].strip() for line in lines if "---" not in line] == [
        "recipe",
        "`bert`",
        "`bert-head-rate`",
        "vs `bert`",
        "`bert-head-rate`",
        "labels `bert` needs",
        "`bert-head-rate`",
    ]
    assert lines[0] == "| recipe | 30 %: 24 | 100 %: 80 |" and all(line.count("|") == 4 for line in lines)
    for metric in ("jaccard", "micro_f1", "macro_f1"):
        assert (place / "results" / f"learning_curves_{metric}.png").is_file()


@pytest.mark.parametrize(
    ("score", "scores", "texts"),
    [
        (0.6, [0.5, 0.7, 0.8], 10**1.5),
        (0.75, [0.5, 0.7, 0.8], 10**2.5),
        (0.8, [0.5, 0.7, 0.8], 1000),
        (0.4, [0.5, 0.7, 0.8], 10),
        (0.9, [0.5, 0.7, 0.8], None),
        # A score that falls with more texts is not to be had for them.
        (0.6, [0.5, 0.4, 0.8], 10**2.5),
    ],
)
def test_labels_for(score: float, scores: list[float], texts: float | None) -> None:
    found = learning_curves.labels_for(score, [10, 100, 1000], scores)
    assert found == (None if texts is None else pytest.approx(texts))


def test_labels_are_written_beside_how_many_times_as_many() -> None:
    assert learning_curves.written(2601.4, 684, 68) == "2,601 (3.8 x)"
    assert learning_curves.written(None, 684, 68) == "more than all"
    assert learning_curves.written(68, 684, 68) == "at most 68"


def test_bad_input(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = [*options(place, emotion_dataset=place / "data" / "nowhere"), "--output_dir", str(tmp_path / "out")]
    with pytest.raises(SystemExit, match=r"learning_curves: error: .*nowhere"):
        learning_curves.main(argv)
    assert not (tmp_path / "out").exists()
