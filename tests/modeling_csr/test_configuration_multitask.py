import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoConfig, BertConfig

from modeling_csr import MultitaskConfig
from tests.helpers.tiny_models import MODEL_TYPES


def config(tasks: dict[str, dict] | None = None, **options: Any) -> MultitaskConfig:
    return MultitaskConfig(encoder=BertConfig(hidden_size=32, num_attention_heads=4), tasks=tasks, **options)


def test_the_first_task_is_the_main_one_and_gives_its_labels(tasks: dict) -> None:
    made = config(tasks)
    assert made.main_task == "emotion"
    assert made.id2label == {0: "anger", 1: "fear", 2: "joy", 3: "love"}
    assert made.label2id == {"anger": 0, "fear": 1, "joy": 2, "love": 3}
    assert made.num_labels == 4
    assert made.problem_type == "multi_label_classification"


def test_another_task_can_be_the_main_one(tasks: dict) -> None:
    made = config(tasks, main_task="sentiment")
    assert made.id2label == {0: "negative", 1: "neutral", 2: "positive"}
    assert made.label2id == {"negative": 0, "neutral": 1, "positive": 2}
    assert made.problem_type == "single_label_classification"


def test_thresholds_are_those_of_the_main_task(tasks: dict) -> None:
    tasks["sentiment"]["thresholds"] = [0.1, 0.2, 0.3]
    made = config(tasks)
    assert made.thresholds is None
    assert config(tasks, main_task="sentiment").thresholds == [0.1, 0.2, 0.3]
    made.thresholds = [0.4, 0.5, 0.6, 0.7]
    assert made.tasks["emotion"]["thresholds"] == [0.4, 0.5, 0.6, 0.7]
    assert "thresholds" not in tasks["emotion"], "the caller's tasks were changed"


def test_representation_size() -> None:
    assert config().representation_size == 32
    assert config(shared_layer_sizes=[24, 12]).representation_size == 32
    assert config(shared_layer_sizes=[24, 12], representation="shared").representation_size == 12


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_the_whole_encoder_config_survives_the_file(
    tiny_encoder: Callable[[str], Path], tasks: dict, tmp_path: Path, model_type: str
) -> None:
    encoder = AutoConfig.from_pretrained(tiny_encoder(model_type))
    tasks["sentiment"] |= {"loss_weight": 0.5, "thresholds": [0.1, 0.2, 0.3]}
    options = {"main_task": "sentiment", "pooling": "cls", "shared_layer_sizes": [24, 12], "representation": "shared"}
    MultitaskConfig(encoder=encoder, tasks=tasks, classifier_dropout=0.3, **options).save_pretrained(tmp_path)
    loaded = MultitaskConfig.from_pretrained(tmp_path)
    for name, value in {**options, "tasks": tasks, "classifier_dropout": 0.3}.items():
        assert getattr(loaded, name) == value
    assert loaded.thresholds == [0.1, 0.2, 0.3]
    assert loaded.id2label == {0: "negative", 1: "neutral", 2: "positive"}
    assert type(loaded.encoder) is type(encoder)
    passing = ("_name_or_path", "architectures", "transformers_version")
    before, after = ({k: v for k, v in c.to_dict().items() if k not in passing} for c in (encoder, loaded.encoder))
    assert after == before


def test_no_path_of_the_machine_is_written(
    tiny_encoder: Callable[[str], Path], tasks: dict, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    encoder = AutoConfig.from_pretrained(tiny_encoder("bert"))
    MultitaskConfig(encoder=encoder, tasks=tasks).save_pretrained(tmp_path)
    assert str(tmp_path_factory.getbasetemp()) not in (tmp_path / "config.json").read_text()


def test_an_encoder_may_be_given_as_dict() -> None:
    made = MultitaskConfig(encoder={"model_type": "distilbert", "dim": 24})
    assert made.encoder.model_type == "distilbert"
    assert made.representation_size == 24


def test_default_config_and_its_file(tmp_path: Path) -> None:
    MultitaskConfig().save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["encoder"]["model_type"] == "bert"
    assert MultitaskConfig.from_pretrained(tmp_path).tasks == {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": None}, "'emotion' is missing labels"),
        ({"problem_type": None}, "'emotion' is missing problem_type"),
        ({"labels": []}, "'emotion' needs at least one label"),
        ({"labels": ["joy", "fear", "joy"]}, "'emotion' needs at least one label and no duplicates"),
        ({"problem_type": "ranking"}, "'emotion': problem_type must be one of"),
        ({"thresholds": [0.5, 0.5]}, "'emotion' has 4 labels but 2 thresholds"),
    ],
    ids=["no labels", "no problem type", "empty labels", "duplicate labels", "unknown problem type", "thresholds"],
)
def test_task_errors(tasks: dict, change: dict, message: str) -> None:
    task = {name: value for name, value in (tasks["emotion"] | change).items() if value is not None}
    with pytest.raises(ValueError, match=message):
        config({"emotion": task})


def test_task_name_with_a_dot_is_an_error(tasks: dict) -> None:
    with pytest.raises(ValueError, match=r"'v1\.emotion' must not contain a dot"):
        config({"v1.emotion": tasks["emotion"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pooling": "sum"}, "pooling must be one of mean, cls, max, got 'sum'"),
        ({"representation": "last"}, "representation must be one of pooled, shared, got 'last'"),
        ({"representation": "shared"}, "at least one entry in shared_layer_sizes"),
        ({"main_task": "topic"}, "'topic' is not one of the tasks: emotion, sentiment, intensity"),
    ],
    ids=["pooling", "representation", "shared without layers", "main task"],
)
def test_option_errors(tasks: dict, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(tasks, **options)
