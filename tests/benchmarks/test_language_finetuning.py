"""Fine-tuning across languages, on invented texts with a tiny encoder; finished models are not trained again."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import language_finetuning
from benchmarks.brighter_emotions import EMOTIONS
from tests.helpers import brighter_files


@pytest.fixture
def options(tmp_path: Path, tiny_encoder: Any) -> list[str]:
    """Two languages, of which one has no surprise, and folders."""
    for language in ("afr", "deu"):
        for split in ("train", "dev"):
            emotions = brighter_files.brighter_emotions(language)
            rows = tuple(
                f"{language}_{number},so {emotion} {number},{','.join(str(int(emotion == one)) for one in emotions)}"
                for number in range(3)
                for emotion in emotions
            )
            brighter_files.write(tmp_path / "data", language, split, rows=rows)
    folders = {"data_dir": "data", "output_dir": "out", "results_dir": "results"}
    words = [word for name, folder in folders.items() for word in (f"--{name}", str(tmp_path / folder))]
    return [*words, "--encoder", str(tiny_encoder("bert")), "--epochs", "1", "--own_epochs", "1", "--seeds", "1"]


def test_settings_share_the_work_and_end_in_a_table(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    language_finetuning.main([*options, "--settings", "own"])
    assert not (tmp_path / "results").exists()
    own = {one: json.loads((tmp_path / "out" / f"own-{one}-1.json").read_text()) for one in ("afr", "deu")}
    # A tenth of the texts, of which Afrikaans has fifteen and German eighteen, is kept for thresholds.
    assert {one: (run["texts"], list(run["scores"])) for one, run in own.items()} == {
        "afr": (14, ["afr"]),
        "deu": (17, ["deu"]),
    }
    language_finetuning.main([*options, "--settings", "all", "own"])
    shown = capsys.readouterr().out
    assert "| mean |" in shown and "all against own" in shown
    results = json.loads((tmp_path / "results" / "language_finetuning.json").read_text())
    assert results["scores"]["own"] == {one: [run["scores"][one]] for one, run in own.items()}
    assert set(results["scores"]["all"]) == {"afr", "deu"}


def test_models_of_others_have_not_seen_the_language(options: list[str], tmp_path: Path) -> None:
    language_finetuning.main([*options, "--settings", "others"])
    runs = [json.loads(path.read_text()) for path in sorted((tmp_path / "out").glob("others-*.json"))]
    # Each learns from the other's texts.
    assert {language: run["texts"] for run in runs for language in run["scores"]} == {"afr": 17, "deu": 14}


def test_emotions_are_those_of_the_files() -> None:
    assert set(brighter_files.brighter_emotions("deu")) == set(EMOTIONS)
