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
        "emotion_corruption": 0.25,
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
        ({"common_level": "word"}, "common_level must be one of text, token, got 'word'"),
        ({"emotion_corruption": 1}, "emotion_corruption .* must be at least 0 and below 1, got 1"),
        ({"emotion_corruption": -0.1}, "emotion_corruption .* must be at least 0 and below 1, got -0.1"),
        ({"siamese_loss": "triplet"}, "siamese_loss must be one of regression, contrastive, got 'triplet'"),
        ({"problem_type": "ranking"}, "problem_type must be one of .*, got 'ranking'"),
        ({"thresholds": [0.5]}, "3 labels but 1 thresholds"),
    ],
    ids=[
        "common_size as wide",
        "common_size wider",
        "common_level",
        "emotion_corruption of all",
        "emotion_corruption below 0",
        "siamese_loss",
        "problem_type",
        "thresholds",
    ],
)
def test_errors(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**options)


# --- token states


def pooled(**options: Any) -> CSRConfig:
    """Over two encoders that can be read token by token."""
    encoders = [multitask(BertConfig(hidden_size=32, num_attention_heads=4)), multitask(DistilBertConfig(dim=16))]
    return CSRConfig(emotion_encoder=encoders[0], source_encoders=encoders[1:], **(LABELS | options))


def test_texts_are_the_default_level() -> None:
    made = pooled()
    assert made.common_level == "text"
    assert made.emotion_corruption == 0


def test_token_level_survives_the_file(tmp_path: Path) -> None:
    pooled(common_level="token", emotion_corruption=0.5).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    assert (written["common_level"], written["emotion_corruption"]) == ("token", 0.5)
    loaded = CSRConfig.from_pretrained(tmp_path)
    assert (loaded.common_level, loaded.emotion_corruption) == ("token", 0.5)
    assert CSRConfig(**json.loads(loaded.to_json_string())).common_level == "token"


def test_file_from_before_the_token_level_is_read(tmp_path: Path) -> None:
    pooled().save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text())
    for name in ("common_level", "emotion_corruption"):
        written.pop(name, None)
    (tmp_path / "config.json").write_text(json.dumps(written))
    assert CSRConfig.from_pretrained(tmp_path).common_level == "text"


def test_token_level_needs_encoders_that_are_read_token_by_token() -> None:
    """The last shared layer has one vector a text."""
    shared = multitask(
        BertConfig(hidden_size=32, num_attention_heads=4), shared_layer_sizes=[10], representation="shared"
    )
    assert CSRConfig(emotion_encoder=shared, common_level="text").common_size == 5
    with pytest.raises(ValueError, match=r'common_level="token" .* the emotion encoder needs representation="pooled"'):
        CSRConfig(emotion_encoder=shared, common_level="token")
    with pytest.raises(ValueError, match=r'common_level="token" .* source encoder 1 needs representation="pooled"'):
        config(common_level="token")
