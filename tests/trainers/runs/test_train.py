"""`train(...)`: a whole recipe in one call, the same run as the command's."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from safetensors.torch import load_file

from tests.helpers import tiny_run
from trainers import EncoderStage, Recipe, RunResult, train
from trainers.recipes import RECIPES

OPTIONS: dict[str, Any] = {
    "max_length": 64,
    "num_train_epochs": 2,
    "siamese_num_train_epochs": 1,
    "common_num_train_epochs": 2,
    "learning_rate": 1e-2,
    "eval_strategy": "no",
    "save_strategy": "no",
    "use_cpu": True,
    "bf16_weights": False,
    "disable_tqdm": True,
    "draw_figures": False,
}


def posts(size: int = 80, seed: int = 1) -> pd.DataFrame:
    rows = tiny_run.emotion_rows(size, seed)
    labels = [[name for name in tiny_run.EMOTIONS if row[name]] for row in rows]
    return pd.DataFrame({"text": [row["text"] for row in rows], "labels": labels})


@pytest.fixture(scope="module")
def result(place: Path, tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """model-3.3 on DataFrames, with a dev split of its own."""
    return train(
        "model-3.3",
        encoder=str(place / "encoder"),
        emotion={"train": posts(), "dev": posts(15, seed=2)},
        sentiment=place / "data" / "reviews",
        output_dir=str(tmp_path_factory.mktemp("train") / "out"),
        threshold="global",
        **OPTIONS,
    )


def test_run_is_that_of_the_command(place: Path, result: RunResult, tmp_path: Path) -> None:
    # The files hold a 0/1 column per label, the DataFrame the names: the same labels in the same order.
    options = OPTIONS | {"threshold": "global", "recipe": ["model-3.3"]}
    changes = {name: None for name in ("per_device_train_batch_size", "siamese_train_batch_size", "logging_steps")}
    changes |= {name: None for name in ("common_learning_rate", "common_train_batch_size")}
    tiny_run.example("run_csr").main(tiny_run.options(place, tmp_path / "out", **changes | options))
    for stage in ("emotion-encoder", "sentiment-encoder", "siamese", "csr"):
        ours, theirs = (
            load_file(folder / stage / "model.safetensors") for folder in (result.folder.parent, tmp_path / "out")
        )
        assert all((value == theirs[name]).all() for name, value in ours.items()), stage
    written = tiny_run.read_json(tmp_path / "out" / "results.json")["recipes"]["model-3.3"]["metrics"]
    assert result.metrics == pytest.approx(written)


def test_result_has_what_one_goes_on_with(result: RunResult) -> None:
    assert list(result.stages) == ["emotion-encoder", "sentiment-encoder", "siamese", "csr"]
    assert result.stages["csr"]["metrics"] == result.metrics and Path(result.stages["siamese"]["folder"]).is_dir()
    assert [result.model.config.id2label[index] for index in range(3)] == sorted(tiny_run.EMOTIONS)
    answers = result.pipeline(top_k=None)("happy laughing day")
    assert {answer["label"] for answer in answers} == set(tiny_run.EMOTIONS)
    assert result.tokenizer.tokenize("happy") == ["happy"]


def test_dev_is_split_off_where_there_is_none(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    rows = posts().to_dict("records")
    found = train("bert", emotion=rows, encoder=str(place / "encoder"), output_dir=str(tmp_path / "out"), **OPTIONS)
    assert "your own data (train) has no dev split: 8 of its 80 rows" in caplog.text
    card = (found.folder / "README.md").read_text(encoding="utf-8")
    assert "your own data" in card and str(tmp_path) not in card


def test_recipe_of_ones_own(place: Path, tmp_path: Path) -> None:
    recipe = Recipe("my-bert", (EncoderStage(name="mine", training={"num_train_epochs": 1.0}),), "Does it run?")
    found = train(recipe, emotion=posts(), encoder=str(place / "encoder"), output_dir=str(tmp_path / "out"), **OPTIONS)
    assert list(found.stages) == ["mine"] and RECIPES["my-bert"] == recipe
    assert tiny_run.read_json(tmp_path / "out" / "mine" / "training_args.json")["num_train_epochs"] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "model-33"}, "There is no recipe 'model-33'. Did you mean model-3.3"),
        ({"lerning_rate": 1.0}, "There is no option 'lerning_rate'. Did you mean .*learning_rate"),
        ({"emotion": pd.DataFrame({"text": ["a", "b"], "mood": ["x", "y"]})}, "has no column label or labels"),
        ({"emotion": pd.DataFrame({"text": ["a", None], "labels": ["x", "y"]})}, "row 2, column 'text'"),
        ({"emotion": pd.DataFrame({"text": ["a", "b"], "labels": ["x", None]})}, r"1 row has no label \(row 2\)"),
        ({"emotion": []}, "is empty"),
        ({"emotion": (row for row in [])}, "is a generator"),
        (
            {"emotion": {"train": posts(), "dev": pd.DataFrame({"text": ["a"], "labels": [["bliss"]]})}},
            "'bliss' does not",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_training(
    place: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    chosen: dict[str, Any] = {"recipe": "bert", "emotion": posts(), **options}
    with pytest.raises(ValueError, match=message):
        train(encoder=str(place / "encoder"), output_dir=str(tmp_path / "out"), **chosen)
    assert not (tmp_path / "out").exists()
