"""What the options of a run change: encoders, thresholds, single labels, class weights, long texts."""

import logging
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from huggingface_hub import ModelCard
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer, pipeline

from tests.helpers import tiny_run
from tests.helpers.recipes import CONTROLS
from trainers.commands.parser import parse_run_arguments
from trainers.recipes import RECIPES
from trainers.runs.model_arguments import ModelArguments
from trainers.runs.records import StageRecord
from trainers.runs.runner import Runner

run_csr = tiny_run.example("run_csr").main


def test_encoder_stages_start_from_the_given_encoders(place: Path, tmp_path: Path) -> None:
    """At learning rate 0 a stage ends where it started."""
    other = tiny_run.write_encoder(tmp_path / "other", seed=1)
    recipes = ["bert", "model-1"]
    options = tiny_run.options(
        place, tmp_path / "out", recipe=recipes, sentiment_encoder=other, learning_rate=0, num_train_epochs=1
    )
    run_csr(options)
    for stage, start in {
        "emotion-encoder": place / "encoder",
        "sentiment-encoder": other,
        "emotion-encoder-from-sentiment": other,
    }.items():
        weights = load_file(tmp_path / "out" / stage / "model.safetensors")
        for name, value in load_file(start / "model.safetensors").items():
            assert torch.equal(weights[f"multitask.encoder.{name}"], value), (stage, name)
        card = (tmp_path / "out" / stage / "README.md").read_text(encoding="utf-8")
        assert f"on the encoder {start.name}." in card


def test_the_revision_is_that_of_the_encoder_alone() -> None:
    options = ModelArguments(encoder="org/one", sentiment_encoder="org/two", encoder_revision="v1")
    assert options.pretrained("emotion") == ("org/one", "v1")
    assert options.pretrained("sentiment") == ("org/two", None)
    assert ModelArguments(encoder="org/one", encoder_revision="v1").pretrained("sentiment") == ("org/one", "v1")


def test_options_that_a_recipe_overrules_are_named(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    related = {"recipe": ["bert", "label-attention-from-related"], "related_dataset": place / "data" / "moods"}

    def warnings(**changes: Any) -> list[str]:
        caplog.clear()
        Runner(parse_run_arguments(tiny_run.options(place, tmp_path / "out", **related, **changes)))
        return [record.getMessage() for record in caplog.records if "its recipe sets" in record.getMessage()]

    assert set(CONTROLS) < set(RECIPES)  # those of the benchmarks are known
    stage = next(stage for stage in RECIPES["label-attention-from-related"].stages if stage.name == "related-encoder")
    epochs = stage.training["num_train_epochs"]
    assert warnings(num_train_epochs=epochs + 1) == [
        f"--num_train_epochs has no effect on related-encoder: its recipe sets {epochs}."
    ]
    assert warnings(num_train_epochs=epochs) == []
    assert warnings(num_train_epochs=None) == []
    # The rate of the heads can be chosen.
    assert warnings(num_train_epochs=epochs, head_learning_rate=0.5) == []


OF_VECTORS = [("num_train_epochs", 3), ("train_batch_size", 4), ("learning_rate", 0.1)]


@pytest.mark.parametrize(("option", "value"), OF_VECTORS)
def test_options_of_the_stages_on_vectors_do_not_count_for_joint_ones(
    place: Path, tmp_path: Path, option: str, value: float
) -> None:
    def records(**changes: Any) -> dict[str, StageRecord]:
        argv = tiny_run.options(place, tmp_path / "out", recipe=["model-3.3", "label-attention"], **changes)
        return Runner(parse_run_arguments(argv)).prepared.records

    before, after = records(), records(**{f"common_{option}": value})
    assert [name for name in before if before[name].differences(after[name])] == ["csr"]


# -- thresholds -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["global", "per_label"])
def test_tuned_thresholds_are_stored_and_reported(place: Path, tmp_path: Path, mode: str) -> None:
    output_dir = tmp_path / "out"
    # Little training, so that 0.5 is not the best threshold.
    recipes = ["bert", "model-2", "model-3.3"]
    run_csr(tiny_run.options(place, output_dir, recipe=recipes, threshold=mode, num_train_epochs=3))
    dev = tiny_run.emotion_rows(15, seed=2)
    gold = torch.tensor([[row[label] for label in tiny_run.EMOTIONS] for row in dev], dtype=torch.bool)
    for stage in ("emotion-encoder", "multitask", "csr"):
        model = AutoModelForSequenceClassification.from_pretrained(output_dir / stage)
        tokenizer = AutoTokenizer.from_pretrained(output_dir / stage)
        results = tiny_run.read_json(output_dir / stage / "eval_results.json")
        thresholds = model.config.thresholds
        assert len(thresholds) == 3 and all(0 < value < 1 for value in thresholds)
        assert len(set(thresholds)) == 1 or mode == "per_label"
        assert results["thresholds"] == dict(zip(tiny_run.EMOTIONS, thresholds, strict=True))

        texts = tokenizer([row["text"] for row in dev], padding=True, return_tensors="pt")
        with torch.inference_mode():
            probabilities = model.eval()(**texts).logits.sigmoid()
        for key, cut in (("metrics", torch.tensor(thresholds)), ("metrics_at_0.5", torch.tensor(0.5))):
            predicted = probabilities >= cut
            micro_f1 = 2 * (predicted & gold).sum() / (predicted.sum() + gold.sum())
            assert results[key]["micro_f1"] == pytest.approx(micro_f1.item(), abs=1e-6), (stage, key)
        if mode == "global":
            assert results["metrics"]["jaccard"] >= results["metrics_at_0.5"]["jaccard"]
        else:
            assert results["metrics"]["macro_f1"] >= results["metrics_at_0.5"]["macro_f1"]
    # The sentiment stage has one label per text, and no thresholds.
    assert "thresholds" not in tiny_run.read_json(output_dir / "sentiment-encoder" / "eval_results.json")
    card = ModelCard.load(output_dir / "csr" / "README.md")
    assert "threshold" in card.text


# -- single labels ----------------------------------------------------------------------------------------------------


def test_single_label_emotions(place: Path, tmp_path: Path) -> None:
    output_dir = tmp_path / "out"
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    moods |= {"num_train_epochs": 4, "common_num_train_epochs": 4}
    run_csr(tiny_run.options(place, output_dir, recipe=["bert", "model-3.3"], threshold="global", **moods))
    for figures in tiny_run.read_json(output_dir / "results.json")["recipes"].values():
        assert {"accuracy", "micro_f1", "macro_f1", "weighted_f1"} <= set(figures["metrics"])
        assert "metrics_at_0.5" not in figures
        assert figures["metrics"]["accuracy"] > 0.5
        config = AutoConfig.from_pretrained(figures["model"])
        assert config.problem_type == "single_label_classification"
        assert config.thresholds is None
        classifier = pipeline("text-classification", model=figures["model"], top_k=None, device="cpu")
        scores = {item["label"]: item["score"] for item in classifier("the day was so happy")[0]}
        assert set(scores) == set(tiny_run.EMOTIONS)
        assert sum(scores.values()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("problem", ["multi-label", "single-label"])
def test_class_weights_of_a_run(place: Path, tmp_path: Path, problem: str) -> None:
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    changes = {"recipe": ["model-3.1"], "class_weights": "balanced", "num_train_epochs": 1}
    changes |= moods if problem == "single-label" else {}
    run_csr(tiny_run.options(place, tmp_path / "out", **changes))
    # The moods are 27, 27 and 26 of 80; the posts have each emotion as often as their rows say.
    counts = np.array([27, 27, 26])
    expected = 80 / (3 * counts)
    if problem == "multi-label":
        rows = tiny_run.emotion_rows(80, seed=1)
        counts = np.array([sum(row[name] for row in rows) for name in tiny_run.EMOTIONS])
        expected = (80 - counts) / counts
    encoder, csr = (
        AutoConfig.from_pretrained(tmp_path / "out" / stage) for stage in ("emotion-encoder", "csr-prediction")
    )
    assert encoder.tasks["emotion"]["class_weights"] == pytest.approx(expected)
    assert csr.class_weights == pytest.approx(expected)
    # Weighted otherwise, it is another stage.
    with pytest.raises(SystemExit, match="class_weights"):
        run_csr(tiny_run.options(place, tmp_path / "out", **(changes | {"class_weights": "sqrt"})))


def with_related(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    related = {"related_dataset": place / "data" / "posts", "related_label_columns": list(tiny_run.EMOTIONS)}
    quick = {"recipe": ["model-3.1", "few-labels"], "num_train_epochs": 1, "seed": 3}
    return tiny_run.options(place, output_dir, **quick | related | changes)


@pytest.fixture(scope="module")
def cross_entropy(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the usual loss; read only."""
    output_dir = tmp_path_factory.mktemp("cross-entropy") / "out"
    run_csr(with_related(place, output_dir, label_loss="cross_entropy"))
    return output_dir


def test_label_loss_of_a_run(place: Path, cross_entropy: Path, tmp_path: Path) -> None:
    folders = {"cross_entropy": cross_entropy, "asymmetric": tmp_path / "asymmetric"}
    run_csr(with_related(place, folders["asymmetric"], label_loss="asymmetric"))
    configs = {
        stage: AutoConfig.from_pretrained(folders["asymmetric"] / stage)
        for stage in ("emotion-encoder", "csr-prediction", "common-space-from-related")
    }
    assert configs["emotion-encoder"].tasks["emotion"]["label_loss"] == "asymmetric"
    assert configs["csr-prediction"].label_loss == configs["common-space-from-related"].label_loss == "asymmetric"
    # The sources are the same, also the space that the last one starts from, whose texts may have several labels.
    for stage, kind in (("sentiment-encoder", "single"), ("related-space", "multi")):
        config = AutoConfig.from_pretrained(folders["asymmetric"] / stage)
        assert config.problem_type == f"{kind}_label_classification"
        weights = [(folders[loss] / stage / "model.safetensors").read_bytes() for loss in folders]
        assert weights[0] == weights[1]
        records = [tiny_run.read_json(folders[loss] / stage / "stage.json")["made_from"] for loss in folders]
        assert records[0] == records[1]
    logs = [tiny_run.read_json(folders[loss] / "emotion-encoder" / "training_log.json") for loss in folders]
    assert logs[0][0]["loss"] > logs[1][0]["loss"]
    card = ModelCard.load(folders["asymmetric"] / "emotion-encoder" / "README.md")
    assert "label_loss: asymmetric" in card.text
    with pytest.raises(SystemExit, match="label_loss"):
        run_csr(with_related(place, folders["asymmetric"], label_loss="correlation"))


def test_sources_are_the_same_for_all_losses(place: Path, cross_entropy: Path, tmp_path: Path) -> None:
    differing = {"label_loss": "asymmetric", "class_weights": "balanced", "reuse_stages_from": [cross_entropy]}
    run_csr(with_related(place, tmp_path, recipe=["model-1", "few-labels"], **differing))
    for stage in ("sentiment-encoder", "related-space", "common-space-from-related"):
        plain, other = (tiny_run.read_json(folder / stage / "stage.json") for folder in (cross_entropy, tmp_path))
        # Of the related texts, too, each may have several labels.
        assert (plain == other) is (stage != "common-space-from-related")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"label_loss": "correlation"}, "--label_loss correlation is for emotion data with several labels per text"),
        (
            {"class_weights": "sqrt", "recipe": ["single-sentiment"]},
            "--class_weights sqrt is for emotion data with labels; the run has reviews",
        ),
    ],
)
def test_losses_of_other_data(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    with pytest.raises(SystemExit, match=message):
        run_csr(tiny_run.options(place, tmp_path / "out", **({"recipe": ["bert"]} | changes), **moods))
    assert not (tmp_path / "out").exists()


# -- texts ------------------------------------------------------------------------------------------------------------


def test_long_texts_are_cut_with_one_counted_warning(
    place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    data = Path(shutil.copytree(place / "data" / "posts", tmp_path / "posts"))
    rows = tiny_run.emotion_rows(80, seed=1)
    for row in rows[:3]:
        row["text"] = " ".join([row["text"]] + ["day"] * 100)
    tiny_run.write_csv(data / "train.csv", rows)
    with caplog.at_level(logging.WARNING):
        options = {"emotion_dataset": data, "num_train_epochs": 1}
        run_csr(tiny_run.options(place, tmp_path / "out", recipe=["bert"], **options))
    warnings = [record.getMessage() for record in caplog.records if record.name == "trainers.runs.prepared_run"]
    assert len(warnings) == 1
    assert "3 of 80 training texts are longer than 64 tokens" in warnings[0]
    # The model folder knows its limit.
    classifier = pipeline("text-classification", model=str(tmp_path / "out" / "emotion-encoder"), device="cpu")
    assert classifier(" ".join(["day"] * 100), truncation=True)


@pytest.mark.parametrize("stage", ["emotion-encoder", "sentiment-encoder", "csr"])
def test_encoder_may_be_called_like_a_stage(place: Path, tmp_path: Path, stage: str) -> None:
    encoder = shutil.copytree(place / "encoder", tmp_path / stage)
    run_csr(tiny_run.options(place, tmp_path / "out", encoder=encoder, max_steps=1, draw_figures=True))
    assert (tmp_path / "out" / "csr" / "stages.png").is_file() and (tmp_path / "out" / "results.json").is_file()


def test_figures_can_be_left_out(place: Path, tmp_path: Path) -> None:
    run_csr(tiny_run.options(place, tmp_path, recipe=["bert"], max_steps=1, draw_figures=False))
    assert not list((tmp_path / "emotion-encoder").glob("*.png"))
    card = (tmp_path / "emotion-encoder" / "README.md").read_text(encoding="utf-8")
    assert "![" not in card and "training_curves" not in card
