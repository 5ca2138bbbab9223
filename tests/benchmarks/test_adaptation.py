"""An encoder that is adapted to texts without labels first, and its runs beside those of the pretrained one."""

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from benchmarks import adaptation
from tests.helpers import tiny_run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.workplace(tmp_path_factory.mktemp("place"))


@pytest.fixture(scope="module")
def written(place: Path) -> dict[str, Any]:
    values = {"recipe": ["bert"], "seeds": [1, 2], "num_train_epochs": 1, "share": 0.1, "data_dir": place / "data"}
    values |= {"unlabelled_dataset": place / "data" / "reviews", "max_unlabelled_samples": 40}
    values |= {"results_dir": place / "results"}
    options = tiny_run.options(place, place / "out", **values)
    adaptation.main(options)
    adapted = times(place / "out" / "encoder-reviews-40")
    adaptation.main(options)
    assert times(place / "out" / "encoder-reviews-40") == adapted, "adapted once"
    return tiny_run.read_json(place / "results" / "adaptation-0.1.json")


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_adapted_encoder_is_the_pretrained_one_trained_on(place: Path, written: dict[str, Any]) -> None:
    before, after = (
        load_file(folder / "model.safetensors") for folder in (place / "encoder", place / "out/encoder-reviews-40")
    )
    assert before.keys() == after.keys()
    assert not any(torch.equal(before[name], after[name]) for name in before if name.endswith("dense.weight"))
    tokenizers = (folder / "tokenizer.json" for folder in (place / "encoder", place / "out" / "encoder-reviews-40"))
    assert len({path.read_bytes() for path in tokenizers}) == 1
    assert not (place / "out" / "encoder-reviews-40.unfinished").exists()


def test_runs_start_from_it(place: Path, written: dict[str, Any]) -> None:
    assert list(written["recipes"]) == ["pretrained", "adapted"] and written["baseline"] == "pretrained"
    runs = place / "out" / "share-0.1"
    # Word embeddings are frozen, and so those of the encoder that was started from.
    name = "encoder.embeddings.word_embeddings.weight"
    for encoder, folder in (("pretrained", place / "encoder"), ("adapted", place / "out" / "encoder-reviews-40")):
        trained = load_file(runs / encoder / "seed-2" / "emotion-encoder" / "model.safetensors")
        assert torch.equal(trained[f"multitask.{name}"], load_file(folder / "model.safetensors")[name.split(".", 1)[1]])


def test_table_tells_how_it_came_about(place: Path, written: dict[str, Any]) -> None:
    text = (place / "results" / "adaptation-0.1.md").read_text(encoding="utf-8")
    assert text.startswith("Encoder of bert, 10 % of the labels: ")
    assert "benchmarks.adaptation --data_dir DATA --recipe bert --share 0.1 --seeds 1 2" in text
    assert "max unlabelled samples: 40" in text
