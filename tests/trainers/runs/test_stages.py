"""What the options of the encoders and of the samples make of the stages."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForSequenceClassification

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.loop import encoder_identity
from trainers.recipes import EMOTION_ENCODER, RECIPES, SENTIMENT_ENCODER, CommonSpaceStage, SiameseStage
from trainers.runs.cards import stage_card
from trainers.runs.models import build_model
from trainers.runs.records import stage_record
from trainers.runs.runner import Runner
from trainers.runs.stage_trainers import build_trainer

run_csr = tiny_run.example("run_csr").main

WORD_EMBEDDINGS = "embeddings.word_embeddings.weight"
DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that was pretrained with dropout, and data; read only."""
    return tiny_run.workplace(tmp_path_factory.mktemp("place"), dropout=0.2)


def prepared(place: Path, output_dir: Path, **changes: Any) -> Runner:
    """A run that is ready to train."""
    return Runner(parse_run_arguments(tiny_run.options(place, output_dir, **changes)))


def texts(runner: Runner, task: str = "emotion", split: str = "train") -> list[str]:
    return list(runner.prepared.tasks[task].splits[split]["text"])


# -- the encoders -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(place: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Short runs with the defaults, and with other options."""
    folders = {name: tmp_path_factory.mktemp(name) / "out" for name in ("defaults", "others")}
    changes = {"recipe": ["model-1", "model-2"], "num_train_epochs": 1}
    run_csr(tiny_run.options(place, folders["defaults"], **changes))
    others = {"freeze_word_embeddings": False, "encoder_dropout": -1, "attn_implementation": "sdpa"}
    run_csr(tiny_run.options(place, folders["others"], **changes | others))
    return folders


@pytest.mark.parametrize("stage", ["sentiment-encoder", "emotion-encoder-from-sentiment", "multitask"])
def test_frozen_word_embeddings_stay_as_they_were_pretrained(place: Path, trained: dict[str, Path], stage: str) -> None:
    pretrained = load_file(place / "encoder" / "model.safetensors")
    for name, folder in trained.items():
        weights = load_file(folder / stage / "model.safetensors")
        changed = {
            key for key, value in pretrained.items() if not torch.equal(weights[f"multitask.encoder.{key}"], value)
        }
        assert (WORD_EMBEDDINGS in changed) == (name == "others")
        # All else is trained, position embeddings too.
        assert {"embeddings.position_embeddings.weight", "encoder.layer.0.output.dense.weight"} <= changed


@pytest.mark.parametrize("stage", ["sentiment-encoder", "emotion-encoder-from-sentiment", "multitask"])
def test_dropout_of_the_encoder_is_in_the_saved_config(trained: dict[str, Path], stage: str) -> None:
    for name, dropout in {"defaults": 0.0, "others": 0.2}.items():
        config = AutoConfig.from_pretrained(trained[name] / stage)
        assert [getattr(config.encoder, field) for field in DROPOUTS] == [dropout] * 2
        assert config.classifier_dropout == 0.1


@pytest.mark.parametrize("stage", ["sentiment-encoder", "emotion-encoder-from-sentiment", "multitask"])
def test_attention_in_training_is_not_that_of_the_saved_model(trained: dict[str, Path], stage: str) -> None:
    """Who loads the model gets the library's own choice."""
    for folder in trained.values():
        assert "eager" not in (folder / stage / "config.json").read_text(encoding="utf-8")
        model = AutoModelForSequenceClassification.from_pretrained(folder / stage)
        assert model.multitask.encoder.config._attn_implementation == "sdpa"
        model = AutoModelForSequenceClassification.from_pretrained(folder / stage, attn_implementation="eager")
        assert model.multitask.encoder.config._attn_implementation == "eager"


@pytest.mark.parametrize(("given", "taken"), [(None, "eager"), ("eager", "eager"), ("sdpa", "sdpa")])
def test_attention_in_training_on_a_cpu(place: Path, tmp_path: Path, given: str | None, taken: str) -> None:
    runner = prepared(place, tmp_path / "out", recipe=["model-2"], attn_implementation=given)
    trainer = build_trainer(RECIPES["model-2"].final, runner.prepared)
    assert trainer.model.multitask.encoder.config._attn_implementation == taken


@pytest.mark.parametrize(("given", "taken"), [(None, "eager"), ("sdpa", "sdpa")])
def test_attention_of_a_common_space_that_is_trained_with_its_encoder(
    tiny: ModuleType, tmp_path: Path, given: str | None, taken: str
) -> None:
    options = ["--attn_implementation", given] if given else []
    stage = CommonSpaceStage(
        name="joint",
        emotion_encoder=SENTIMENT_ENCODER,
        source_encoders=(SENTIMENT_ENCODER,),
        trains="emotion_encoder",
        config={"common_level": "token", "reconstruction_loss_weight": 0.0},
    )
    model = build_trainer(stage, tiny.prepared_run(tmp_path, *options)).model
    for encoder in (model.csr.emotion_encoder, *model.csr.source_encoders):
        assert encoder.encoder.config._attn_implementation == taken


def test_attentions_differ_in_speed_alone(place: Path, tmp_path: Path) -> None:
    logits = []
    for name in ("eager", "sdpa"):
        options = {"recipe": ["bert"], "num_train_epochs": 1, "attn_implementation": name}
        run_csr(tiny_run.options(place, tmp_path / name, **options))
        logits.append(np.load(tmp_path / name / "emotion-encoder" / "dev_logits.npy"))
    np.testing.assert_allclose(logits[0], logits[1], atol=1e-3)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_run_may_start_from_a_model_of_an_earlier_run(
    place: Path, trained: dict[str, Path], tmp_path: Path, dropout: float
) -> None:
    """Its encoder is taken, with dropout as this run wants it."""
    start = trained["others"] / "sentiment-encoder"
    runner = prepared(place, tmp_path / "out", recipe=["bert"], encoder=start, encoder_dropout=dropout)
    model = build_trainer(EMOTION_ENCODER, runner.prepared).model
    assert [getattr(model.config.encoder, field) for field in DROPOUTS] == [dropout] * 2
    assert {module.p for module in model.multitask.encoder.modules() if isinstance(module, torch.nn.Dropout)} == {
        dropout
    }
    assert model.multitask.encoder.config._attn_implementation == "eager"
    weights = load_file(start / "model.safetensors")
    for name, value in model.multitask.encoder.state_dict().items():
        assert torch.equal(value, weights[f"multitask.encoder.{name}"])


@pytest.mark.parametrize("trains", ["common_space", "encoders"])
def test_a_source_of_a_common_space_may_be_the_pretrained_encoder(
    place: Path, tiny: ModuleType, tmp_path: Path, trains: str
) -> None:
    options = ["--encoder", str(place / "encoder"), "--representation", "shared", "--shared_layer_sizes", "6"]
    run = tiny.prepared_run(tmp_path, *options)
    stage = CommonSpaceStage(
        name="beside", emotion_encoder=EMOTION_ENCODER, source_encoders=(SENTIMENT_ENCODER, None), trains=trains
    )
    source = build_model(stage, run).csr.source_encoders[1]
    weights = source.encoder.state_dict()
    for name, value in load_file(place / "encoder" / "model.safetensors").items():
        assert torch.equal(weights[name], value)
    # Layers of ours are put on it only where they are trained.
    shared = ("shared", [6]) if trains == "encoders" else ("pooled", [])
    assert (source.config.representation, source.config.shared_layer_sizes) == shared
    # The pretrained encoder is a part of what was made from it, and the card says so.
    record = stage_record(stage, run.args, run.tasks, run.tokenizer, run.records)
    assert record.made_from["encoder"] == encoder_identity(str(place / "encoder"))
    assert record.made_from["parents"].keys() == {"emotion_encoder", "source_encoders.0"}
    card = stage_card(stage, replace(run, stages=[stage], records=run.records | {"beside": record}), {})
    assert card.pretrained_sources == ["source_encoders.1"] and card.sources == 2
    assert "the source encoder 1 is the pretrained encoder" in card.render().text


def test_a_common_space_reads_the_encoder_that_a_siamese_network_was_trained_with(
    tiny: ModuleType, tmp_path: Path
) -> None:
    options = ["--learning_rate", "0.01", "--siamese_learning_rate", "0.02", "--num_train_epochs", "9"]
    run = tiny.prepared_run(tmp_path, *options, "--siamese_num_train_epochs", "1")
    pairs = SiameseStage(name="pairs", emotion_encoder=EMOTION_ENCODER, trains="encoder")
    trainer = build_trainer(pairs, run)
    args = trainer.args
    assert (args.trains, args.learning_rate, args.head_learning_rate, args.num_train_epochs) == (
        "encoder",
        0.01,
        0.02,
        1,
    )
    start = build_model(pairs, run).emotion_encoder.state_dict()
    trainer.train()
    trainer.save_model(run.folder(pairs))
    trained = trainer.model.emotion_encoder.state_dict()
    assert any(not torch.equal(value, start[name]) for name, value in trained.items())
    model = build_model(CommonSpaceStage(name="on-pairs", emotion_encoder=pairs, siamese=pairs), run)
    for part, expected in (
        (model.csr.emotion_encoder, trained),
        (model.csr.siamese, trainer.model.siamese.state_dict()),
    ):
        assert all(torch.equal(value, expected[name]) for name, value in part.state_dict().items())
    frozen = replace(pairs, trains="siamese")
    first, second = (stage_record(one, run.args, run.tasks, run.tokenizer, run.records) for one in (frozen, pairs))
    assert "recipe.trains: None there, encoder here" in first.differences(second)
    record = run.records | {"pairs": second}
    assert (
        "on an emotion encoder that was trained with it"
        in stage_card(pairs, replace(run, stages=[pairs], records=record), {}).render().text
    )


# -- the samples ------------------------------------------------------------------------------------------------------


def test_share_of_the_emotion_texts_leaves_all_else_as_it_is(place: Path, tmp_path: Path) -> None:
    whole, part = (
        prepared(place, tmp_path / "out", recipe=["model-3.3"], emotion_train_fraction=fraction)
        for fraction in (None, 0.25)
    )
    assert len(texts(part)) == 20 and set(texts(part)) < set(texts(whole))
    for task, split in (("emotion", "dev"), ("sentiment", "train"), ("sentiment", "dev")):
        assert texts(part, task, split) == texts(whole, task, split)
    # Each label keeps its share.
    found, expected = part.prepared.labels("train").mean(axis=0), whole.prepared.labels("train").mean(axis=0)
    assert found == pytest.approx(expected, abs=0.051)


def test_share_of_the_emotion_texts_is_in_the_record(place: Path, tmp_path: Path) -> None:
    """So that no stage is mistaken for one on other texts, and sentiment stages are shared."""
    records = [
        prepared(place, tmp_path / "out", recipe=["model-3.3"], emotion_train_fraction=fraction).prepared.records
        for fraction in (None, 0.5, 0.25)
    ]
    for first, second in ((0, 1), (1, 2)):
        different = records[first]["emotion-encoder"].differences(records[second]["emotion-encoder"])
        assert len(different) == 1 and different[0].startswith("data.emotion.train: ")
        for stage in ("siamese", "csr"):
            assert records[first][stage].digest != records[second][stage].digest
    assert len({record["sentiment-encoder"].digest for record in records}) == 1


def test_share_of_the_emotion_texts_is_the_same_for_every_recipe(place: Path, tmp_path: Path) -> None:
    samples = [
        texts(prepared(place, tmp_path / "out", recipe=recipe, emotion_train_fraction=0.3))
        for recipe in (["bert"], ["model-2"], ["model-1", "model-3.3"])
    ]
    assert len(samples[0]) == 24 and samples[0] == samples[1] == samples[2]
    other = texts(prepared(place, tmp_path / "out", recipe=["bert"], emotion_train_fraction=0.3, seed=43))
    assert len(other) == 24 and other != samples[0]


def test_smaller_shares_are_parts_of_larger_ones(place: Path, tmp_path: Path) -> None:
    samples = [
        set(texts(prepared(place, tmp_path / "out", recipe=["bert"], emotion_train_fraction=fraction)))
        for fraction in (0.05, 0.1, 0.5, 1)
    ]
    assert [len(sample) for sample in samples] == [4, 8, 40, 80]
    assert samples[0] < samples[1] < samples[2] < samples[3]
