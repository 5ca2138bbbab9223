"""What the configurations with one classifier share: the same checks, and the same of what is saved."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedConfig

from modeling_csr import CSRConfig, DialogueConfig, MultitaskConfig

LABELS = {"id2label": {0: "anger", 1: "joy", 2: "love"}, "label2id": {"anger": 0, "joy": 1, "love": 2}}


def csr(**options: Any) -> CSRConfig:
    return CSRConfig(emotion_encoder=MultitaskConfig(), source_encoders=[MultitaskConfig()], **(LABELS | options))


def dialogue(**options: Any) -> DialogueConfig:
    return DialogueConfig(utterance_encoder=MultitaskConfig(), **(LABELS | options))


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.mark.parametrize(
    ("build", "problem_type"), [(csr, "multi_label_classification"), (dialogue, "single_label_classification")]
)
def test_each_family_has_its_problem_type(build: Callable[..., PreTrainedConfig], problem_type: str) -> None:
    assert build().problem_type == problem_type
    assert build(problem_type="regression").problem_type == "regression"


@pytest.mark.parametrize("build", [csr, dialogue])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"problem_type": "ranking"}, "problem_type must be one of .*, got 'ranking'"),
        ({"thresholds": [0.5, 0.5]}, "There are 3 labels but 2 thresholds"),
        ({"class_weights": [1.0]}, "There are 3 labels but 1 class_weights"),
        ({"label_loss": "focal"}, "label_loss must be one of .*, got 'focal'"),
        ({"label_loss": "asymmetric", "problem_type": "regression"}, 'label_loss="asymmetric" needs'),
    ],
    ids=["problem_type", "thresholds", "class_weights", "label_loss", "label_loss of another problem type"],
)
def test_errors(build: Callable[..., PreTrainedConfig], options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(**options)


@pytest.mark.parametrize(
    ("build", "encoders"), [(csr, ("emotion_encoder", "source_encoders")), (dialogue, ("utterance_encoder",))]
)
def test_only_the_outer_config_names_classes_versions_and_folders(
    build: Callable[..., PreTrainedConfig], encoders: tuple[str, ...], tmp_path: Path
) -> None:
    made = build()
    for name in encoders:
        for part in as_list(getattr(made, name)):
            part.architectures, part.name_or_path = ["MultitaskModel"], "some/folder"
            part.auto_map = {"AutoConfig": "configuration_multitask.MultitaskConfig"}
    made.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert "transformers_version" in written and "auto_map" in written
    for name in encoders:
        for part in as_list(written[name]):
            assert part["model_type"] == "csr-multitask" and part["encoder"]["model_type"] == "bert"
            assert not {"_name_or_path", "architectures", "auto_map", "transformers_version"} & set(part)
