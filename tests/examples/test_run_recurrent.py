"""run_recurrent.py: a run from raw text, what it leaves, and what it says to bad input."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from modeling_csr import RecurrentEncoderModel
from tests.helpers import tiny_run
from trainers.commands import recurrent
from trainers.evaluation.inference import predict_logits

example = tiny_run.example("run_recurrent")


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    defaults = {
        "recipe": None,
        "encoder": None,
        "emotion_dataset": place / "data" / "moods",
        "emotion_label_columns": None,
        "sentiment_dataset": None,
        "branches": ["cnn:8:3", "bilstm:8"],
        "embedding_size": 16,
        "num_train_epochs": 8,
        "per_device_train_batch_size": 16,
    }
    return tiny_run.options(place, output_dir, **defaults | changes)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    tiny_run.write_data(folder / "data", train=240, dev=30)
    return folder


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("run") / "out"
    example.main(options(place, output_dir))
    return output_dir


def test_it_learns(finished: Path) -> None:
    results = tiny_run.read_json(finished / "results.json")["recipes"]["bert"]
    assert results["metrics"]["accuracy"] > 0.9


def test_the_model_is_whole(place: Path, finished: Path) -> None:
    folder = finished / "emotion-encoder"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(model.multitask.encoder) is RecurrentEncoderModel
    assert model.config.pooling == "max" and model.config.encoder.embedding_dropout == 0.5
    texts = [row["text"] for row in tiny_run.label_rows(tiny_run.EMOTIONS, 30, 2)]
    logits = predict_logits(model, AutoTokenizer.from_pretrained(folder), texts)
    np.testing.assert_allclose(logits, np.load(folder / "dev_logits.npy"), atol=1e-5)
    classifier = pipeline("text-classification", model=str(folder))
    assert classifier("the FURIOUS shouting @someone")[0]["label"] == "anger"
    assert (folder / "README.md").is_file()


def test_word_embeddings_are_trained(finished: Path) -> None:
    folders = finished / "recurrent-encoder", finished / "emotion-encoder"
    start, model = (
        AutoModelForSequenceClassification if "emotion" in f.name else RecurrentEncoderModel for f in folders
    )
    before = start.from_pretrained(folders[0]).word_embeddings.weight
    after = model.from_pretrained(folders[1]).multitask.encoder.word_embeddings.weight
    assert (before != after)[4:].all(dim=1).any() and not after[0].any()


def test_a_repeated_command_finds_all_of_it(place: Path, finished: Path) -> None:
    files = [finished / name / "model.safetensors" for name in ("recurrent-encoder", "emotion-encoder")]
    before = [file.stat().st_mtime_ns for file in files]
    example.main(options(place, finished))
    assert [file.stat().st_mtime_ns for file in files] == before


def test_other_options_need_another_folder(place: Path, finished: Path) -> None:
    with pytest.raises(SystemExit, match=r"options\.embedding_size: 16 there, 20 here\nChoose another --output_dir"):
        example.main(options(place, finished, embedding_size=20))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"branches": ["rnn:4"]}, "--branches rnn:4: expected TYPE:SIZE"),
        ({"encoder": "bert-base-cased"}, "--encoder: this command makes the encoder itself"),
        ({"emotion_dataset": "dair-emotion", "data_dir": "nowhere"}, "nowhere/emotion_dair does not exist"),
    ],
)
def test_bad_input(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SystemExit, match=f"run_recurrent.py: error: .*{message}"):
        example.main(options(place, tmp_path / "out", **changes))
    assert not (tmp_path / "out").exists()


def test_yaml_wins_over_the_commands_defaults(place: Path, tmp_path: Path) -> None:
    config = tmp_path / "run.yaml"
    config.write_text("pooling: mean\nvocabulary: wordpieces\nvocabulary_size: 100\nclassifier_dropout: 0.2\n")
    argv = options(place, tmp_path / "out", config=config, classifier_dropout=0.4)
    args = recurrent.prepare(argv).prepared.args
    assert (args.model.pooling, args.model.classifier_dropout) == ("mean", 0.4)
    assert args.training.freeze_word_embeddings is False and args.model.encoder_dropout is None


def test_the_data_are_read_once(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The vocabulary and the run share them."""
    recurrent.prepare(options(place, tmp_path / "out", emotion_dataset=place / "data" / "moods" / "train.jsonl"))
    assert caplog.text.count("held out as dev") == 1
