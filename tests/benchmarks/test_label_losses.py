"""The comparison of label losses: from runs to the table."""

import re
import runpy
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from transformers import AutoConfig

REPOSITORY = Path(__file__).parents[2]
tiny_run = SimpleNamespace(**runpy.run_path(str(REPOSITORY / "tests" / "tiny_run.py")))
SETTINGS = ("cross_entropy", "asymmetric", "correlation", "sqrt weights", "balanced weights")


@pytest.fixture(scope="module")
def label_losses(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """The benchmark, whose results go elsewhere."""
    return tiny_run.benchmark("label_losses", tmp_path_factory.mktemp("results"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


def options(place: Path, **changes: Any) -> list[str]:
    values = {"recipe": ["bert"], "sentiment_dataset": None, "data_dir": place / "data", "num_train_epochs": 3}
    return tiny_run.options(place, place / "out", **values | {"seeds": [1, 2]} | changes)


@pytest.fixture(scope="module")
def written(label_losses: ModuleType, place: Path) -> dict[str, Any]:
    label_losses.main(options(place))
    return tiny_run.read_json(label_losses.RESULTS / "label_losses.json")


def test_scores_are_those_of_the_runs(place: Path, written: dict[str, Any]) -> None:
    assert list(written["recipes"]) == list(SETTINGS) and written["baseline"] == SETTINGS[0]
    for setting, one in written["recipes"].items():
        folders = [place / "out" / f"seed-{seed}" / setting.replace(" ", "-") / "emotion-encoder" for seed in (1, 2)]
        results = [tiny_run.read_json(folder / "eval_results.json") for folder in folders]
        scores = [result["metrics"]["macro_f1"] for result in results]
        assert one["scores"]["macro_f1"] == pytest.approx(scores, abs=5e-5)
        assert ("tests" in one) == (setting != SETTINGS[0])


def test_each_setting_was_trained_with_its_loss(place: Path, written: dict[str, Any]) -> None:
    tasks = [
        AutoConfig.from_pretrained(place / "out" / "seed-1" / setting.replace(" ", "-") / "emotion-encoder").tasks
        for setting in SETTINGS
    ]
    losses = [task["emotion"].get("label_loss") for task in tasks]
    assert losses == [None, "asymmetric", "correlation", None, None]
    weights = [task["emotion"].get("class_weights") for task in tasks]
    assert weights[:3] == [None] * 3
    assert weights[3] == pytest.approx([weight**0.5 for weight in weights[4]])


def test_table_says_what_was_run(label_losses: ModuleType, written: dict[str, Any]) -> None:
    text = (label_losses.RESULTS / "label_losses.md").read_text(encoding="utf-8")
    assert "difference from `cross_entropy`" in text and "| `sqrt weights` |" in text
    assert "--recipe bert --seeds 1 2" in text
    assert (label_losses.RESULTS / "label_losses.png").is_file()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": ["birt"]}, "invalid choice: 'birt'"),
        (
            {"emotion_dataset": "moods", "emotion_label_columns": None},
            "label_losses.py: error: --label_loss asymmetric",
        ),
    ],
)
def test_bad_input(
    label_losses: ModuleType,
    place: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    message: str,
) -> None:
    if "emotion_dataset" in changes:
        changes = changes | {"emotion_dataset": place / "data" / changes["emotion_dataset"]}
    with pytest.raises(SystemExit) as ended:
        label_losses.main([*options(place, **changes), "--output_dir", str(tmp_path / "out")])
    assert re.search(message, f"{ended.value}{capsys.readouterr().err}")
    assert not (tmp_path / "out").exists()
