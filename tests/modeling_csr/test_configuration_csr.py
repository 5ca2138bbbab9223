import json
from pathlib import Path
from typing import Any

import pytest
from transformers import BertConfig, DistilBertConfig, ModernBertConfig, PreTrainedConfig

from modeling_csr import CSRConfig, MultitaskConfig

LABELS = {"id2label": {0: "anger", 1: "joy", 2: "love"}, "label2id": {"anger": 0, "joy": 1, "love": 2}}


def multitask(encoder: PreTrainedConfig, **options: Any) -> MultitaskConfig:
    task = {"labels": ["negative", "positive"], "problem_type": "single_label_classification"}
    return MultitaskConfig(encoder=encoder, tasks={"sentiment": task}, **options)


def config(**options: Any) -> CSRConfig:
    """P_E is 32 wide, the P_S are 16 and 12."""
    sources = [
        multitask(DistilBertConfig(dim=16, n_heads=4)),
        multitask(
            ModernBertConfig(hidden_size=24, num_attention_heads=4), shared_layer_sizes=[12], representation="shared"
        ),
    ]
    return CSRConfig(
        emotion_encoder=multitask(BertConfig(hidden_size=32, num_attention_heads=4)),
        source_encoders=sources,
        **(LABELS | options),
    )


def test_sizes_follow_the_emotion_representation() -> None:
    made = config()
    assert (made.common_size, made.intermediate_size, made.siamese_size) == (16, 32, 16)
    made = config(common_size=31, intermediate_size=8, siamese_size=4)
    assert (made.common_size, made.intermediate_size, made.siamese_size) == (31, 8, 4)
    shared = multitask(BertConfig(hidden_size=32, num_attention_heads=4), shared_layer_sizes=[10])
    assert CSRConfig(emotion_encoder=shared).common_size == 16
    shared.representation = "shared"
    assert CSRConfig(emotion_encoder=shared).common_size == 5


def test_labels_and_problem_type() -> None:
    made = config()
    assert made.num_labels == 3
    assert made.problem_type == "multi_label_classification"
    assert config(problem_type="single_label_classification").problem_type == "single_label_classification"


def test_every_field_survives_the_file(tmp_path: Path) -> None:
    options = {
        "common_size": 7,
        "intermediate_size": 9,
        "siamese_size": 5,
        "siamese_loss": "contrastive",
        "siamese_margin": 2.5,
        "prediction_loss_weight": 0.25,
        "reconstruction_loss_weight": 0,
        "classifier_dropout": 0.3,
        "thresholds": [0.1, 0.2, 0.3],
        "problem_type": "single_label_classification",
        **LABELS,
    }
    made = config(**options)
    made.save_pretrained(tmp_path)
    loaded = CSRConfig.from_pretrained(tmp_path)
    for name, value in options.items():
        assert getattr(loaded, name) == value
    passing = ("_name_or_path", "architectures", "auto_map", "transformers_version")
    before, after = (
        [
            {k: v for k, v in encoder.to_dict().items() if k not in passing}
            for encoder in (c.emotion_encoder, *c.source_encoders)
        ]
        for c in (made, loaded)
    )
    assert after == before
    assert [type(source.encoder) for source in loaded.source_encoders] == [DistilBertConfig, ModernBertConfig]


def test_only_the_outer_config_names_classes_and_versions(tmp_path: Path) -> None:
    made = config()
    made.emotion_encoder.architectures = ["MultitaskModel"]
    made.save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert written["auto_map"]["AutoConfig"] == "configuration_csr.CSRConfig"
    for encoder in (written["emotion_encoder"], *written["source_encoders"]):
        assert not {"architectures", "auto_map", "transformers_version"} & set(encoder)


def test_default_config_and_its_file(tmp_path: Path) -> None:
    CSRConfig().save_pretrained(tmp_path)
    loaded = CSRConfig.from_pretrained(tmp_path)
    assert loaded.source_encoders == []
    assert loaded.emotion_encoder.encoder.model_type == "bert"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"common_size": 32}, r"common_size \(32\) must be smaller than the emotion representation \(32\)"),
        ({"common_size": 40}, r"common_size \(40\) must be smaller"),
        ({"siamese_loss": "triplet"}, "siamese_loss must be one of regression, contrastive, got 'triplet'"),
        ({"problem_type": "ranking"}, "problem_type must be one of .*, got 'ranking'"),
        ({"thresholds": [0.5]}, "3 labels but 1 thresholds"),
    ],
    ids=["common_size as wide", "common_size wider", "siamese_loss", "problem_type", "thresholds"],
)
def test_errors(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**options)
