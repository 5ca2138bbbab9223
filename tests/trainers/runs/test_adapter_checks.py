"""Adapters that cannot be: refused before a run writes anything."""

from pathlib import Path
from typing import Any

import peft
import pytest
from transformers import AutoTokenizer

from modeling_csr import MultitaskForSequenceClassification, RecurrentEncoderConfig, RecurrentEncoderModel
from tests.helpers import tiny_run
from trainers import CommonSpaceStage, EncoderStage, Recipe, train
from trainers.commands.parser import parse_run_arguments
from trainers.recipes.library import SENTIMENT_ENCODER
from trainers.runs.prepared_run import prepare_run


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    return tiny_run.options(place, output_dir, **{"recipe": ["bert"], "lora_r": 4, **changes})


def refusal(argv: list[str]) -> str:
    return tiny_run.refusal(tiny_run.example("run_csr"), argv)


SPACE: dict[str, Any] = {"recipe": ["model-3.3"], "shared_backbone": True}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "scale without rank": ({"lora_r": None, "lora_alpha": 8}, "--lora_alpha"),
    "targets without rank": ({"lora_r": None, "lora_target_modules": ["query"]}, "--lora_target_modules"),
    "rank 0": ({"lora_r": 0}, "lora_r"),
    "dropout of 1": ({"lora_dropout": 1.5}, "lora_dropout"),
    "unknown layers": (
        {"lora_target_modules": ["query", "q_lin"]},
        "q_lin to adapt (target_modules). Its blocks have dense",
    ),
    "rate without adapters": ({"lora_r": None, "adapter_learning_rate": 0.1}, "--adapter_learning_rate"),
    "push without a Hub": ({"push_adapters": True}, "--push_adapters"),
    "no such file": ({"peft_config": "nowhere.yaml"}, "nowhere.yaml"),
    "backbone without adapters": ({**SPACE, "lora_r": None}, "--shared_backbone"),
    "backbone of one encoder": ({"shared_backbone": True}, "there is none here"),
    "backbone of a space without sources": ({"recipe": ["label-attention"], "shared_backbone": True}, "none here"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_adapters_that_cannot_be(place: Path, tmp_path: Path, case: str) -> None:
    changes, message = REFUSED[case]
    told = refusal(options(place, tmp_path / "out", **changes))
    assert message in told
    assert not (tmp_path / "out").exists()


def test_other_sentiment_encoder_has_another_backbone(place: Path, tmp_path: Path) -> None:
    told = refusal(options(place, tmp_path / "out", **SPACE, sentiment_encoder=place / "encoder"))
    assert "leave --sentiment_encoder out" in told and not (tmp_path / "out").exists()


def test_encoder_that_starts_from_another_stage_has_another_backbone(place: Path, tmp_path: Path) -> None:
    emotion = EncoderStage(name="emotion-encoder", encoder=SENTIMENT_ENCODER)
    space = CommonSpaceStage(name="csr", emotion_encoder=emotion, source_encoders=(SENTIMENT_ENCODER,))
    args = parse_run_arguments(options(place, tmp_path / "out", shared_backbone=True))
    with pytest.raises(ValueError, match="the encoder of emotion-encoder starts from another stage"):
        prepare_run(args, recipes=[Recipe("space", (SENTIMENT_ENCODER, emotion, space))])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", ["rank: 4", "r: 0", "bias: all", "init_lora_weights: pissa", "- 4"])
def test_fields_that_are_no_adapter(place: Path, tmp_path: Path, field: str) -> None:
    (tmp_path / "lora.yaml").write_text(f"{field}\n")
    told = refusal(options(place, tmp_path / "out", lora_r=None, peft_config=tmp_path / "lora.yaml"))
    assert "peft_config" in told or "at least 1" in told or "init_lora_weights" in told
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("config", [8, peft.IA3Config(target_modules=["key"]), peft.LoraConfig(r=2, bias="all")])
def test_objects_that_are_no_adapter(place: Path, tmp_path: Path, config: Any) -> None:
    columns, output_dir = list(tiny_run.EMOTIONS), str(tmp_path / "out")
    data = {"emotion": place / "data" / "posts", "emotion_label_columns": columns, "output_dir": output_dir}
    options = {"encoder": str(place / "encoder"), "max_length": 64, "use_cpu": True, "eval_strategy": "no"}
    with pytest.raises(ValueError, match="peft_config"):
        train("bert", peft_config=config, **data, **options)
    assert not (tmp_path / "out").exists()


def test_recurrent_encoder_has_no_adapters(place: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")
    branches = [{"type": "bilstm", "hidden_size": 4}]
    config = RecurrentEncoderConfig(vocab_size=len(tokenizer), branches=branches, pad_token_id=tokenizer.pad_token_id)
    RecurrentEncoderModel(config).save_pretrained(tmp_path / "recurrent")
    tokenizer.save_pretrained(tmp_path / "recurrent")
    told = refusal(options(place, tmp_path / "out", encoder=tmp_path / "recurrent"))
    assert "no blocks" in told and "train it in full" in told and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lora_target_modules": ["q_lin"]}, "no layers q_lin"),
        ({"lora_r": None, "lora_dropout": 0.1}, "--lora_dropout"),
        ({"shared_backbone": True}, "there is none here"),
        ({"push_to_hub": True, "push_adapters": True}, "--push_adapters"),
        ({"push_to_hub": True, "hub_strategy": "every_save", "save_strategy": "epoch"}, "--hub_strategy every_save"),
    ],
)
def test_adapters_that_a_student_cannot_have(
    place: Path, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    tasks = {"emotion": {"labels": list(tiny_run.EMOTIONS), "problem_type": "multi_label_classification"}}
    teacher = MultitaskForSequenceClassification.from_encoder(str(place / "encoder"), tasks)
    teacher.save_pretrained(tmp_path / "teacher")
    AutoTokenizer.from_pretrained(place / "encoder").save_pretrained(tmp_path / "teacher")
    argv = tiny_run.distillation(place, tmp_path / "teacher", tmp_path / "student", **{"lora_r": 4, **changes})
    assert message in tiny_run.refusal(tiny_run.example("distill_csr"), argv)
    assert not (tmp_path / "student").exists()
