"""Runs whose stages train LoRA adapters: what they write, and what they take from other runs."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import tiny_run
from tests.helpers.file_damages import flip_a_bit
from trainers import RunResult, train
from trainers.evaluation.inference import predict_logits

run_csr = tiny_run.example("run_csr").main
TEXTS = [row["text"] for row in tiny_run.emotion_rows(15, seed=2)]
LORA: dict[str, Any] = {"lora_r": 4, "num_train_epochs": 2, "siamese_num_train_epochs": 1, "common_num_train_epochs": 2}


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    return tiny_run.options(place, output_dir, **{"recipe": ["bert"], **LORA, **changes})


def logits(folder: Path, **loading: Any) -> np.ndarray:
    model = AutoModelForSequenceClassification.from_pretrained(folder, **loading)
    return predict_logits(model, AutoTokenizer.from_pretrained(folder), TEXTS, max_length=64)


def refusal(argv: list[str]) -> str:
    return tiny_run.refusal(tiny_run.example("run_csr"), argv)


@pytest.fixture(scope="module")
def bert(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `bert` and `model-1`; read only."""
    output_dir = tmp_path_factory.mktemp("bert") / "out"
    run_csr(options(place, output_dir, recipe=["bert", "model-1"], threshold="per_label"))
    return output_dir


@pytest.fixture(scope="module")
def space(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of `model-3.3` and `token-space`, on one backbone; read only."""
    output_dir = tmp_path_factory.mktemp("space") / "out"
    run_csr(options(place, output_dir, recipe=["model-3.3", "token-space"], shared_backbone=True))
    return output_dir


# -- what is written ---------------------------------------------------------------------------------------------------


def test_stage_is_merged_and_has_its_adapter_beside(place: Path, bert: Path) -> None:
    folder = bert / "emotion-encoder"
    weights = load_file(folder / "model.safetensors")
    assert not [name for name in weights if "lora" in name]
    pretrained = load_file(place / "encoder" / "model.safetensors")
    for name, before in pretrained.items():
        after = weights[f"multitask.encoder.{name}"]
        adapted = ".layer." in name and name.endswith("weight") and "LayerNorm" not in name
        assert torch.equal(after, before) != adapted, name
    expected = logits(folder)
    np.testing.assert_allclose(np.load(folder / "dev_logits.npy"), expected, atol=1e-5)
    alone = logits(folder / "adapter", backbone=str(place / "encoder"))
    np.testing.assert_allclose(alone, expected, atol=1e-5)
    here, there = (tiny_run.read_json(one / "config.json") for one in (folder, folder / "adapter"))
    assert here["tasks"] == there["tasks"] and here["tasks"]["emotion"]["thresholds"] and not here["adapter"]
    assert peft.LoraConfig.from_pretrained(folder / "adapter").lora_alpha == 4
    size = sum(path.stat().st_size for path in (folder / "adapter").glob("*.safetensors"))
    assert size < (folder / "model.safetensors").stat().st_size


def test_adapter_of_a_stage_belongs_to_the_encoder_that_it_started_from(place: Path, bert: Path) -> None:
    stage = bert / "emotion-encoder-from-sentiment"
    found = logits(stage / "adapter", backbone=str(bert / "sentiment-encoder"))
    np.testing.assert_allclose(found, logits(stage), atol=1e-5)
    with pytest.raises(ValueError, match="trained on another encoder"):
        logits(stage / "adapter", backbone=str(place / "encoder"))


def test_record_seals_the_adapter(bert: Path) -> None:
    sealed = tiny_run.read_json(bert / "emotion-encoder" / "stage.json")["files"]
    assert {
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/config.json",
        "adapter/model.safetensors",
        "adapter/tokenizer.json",
    } <= sealed.keys()


def test_machine_is_not_named_in_what_is_written(place: Path, bert: Path) -> None:
    for path in (bert / "emotion-encoder").rglob("*"):
        assert path.is_dir() or str(place).encode() not in path.read_bytes(), path


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "config.json"])
def test_damaged_adapter_is_named(place: Path, bert: Path, tmp_path: Path, name: str) -> None:
    copy = Path(shutil.copytree(bert, tmp_path / "out"))
    damaged = copy / "emotion-encoder" / "adapter" / name
    flip_a_bit(damaged)
    message = refusal(options(place, copy, threshold="per_label"))
    assert f"The stage in {copy / 'emotion-encoder'} is damaged" in message and str(damaged) in message
    damaged.unlink()
    assert str(damaged) in refusal(options(place, copy, threshold="per_label"))


# -- one backbone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["csr", "token-space"])
def test_common_space_holds_one_backbone(place: Path, space: Path, stage: str) -> None:
    pretrained = load_file(place / "encoder" / "model.safetensors")
    weights = load_file(space / stage / "model.safetensors")
    assert not [name for name in weights if ".source_encoders." in name and ".lora_" not in name]
    for name, before in pretrained.items():
        layer, _, kind = name.rpartition(".")
        here = f"csr.emotion_encoder.encoder.{layer}"
        assert torch.equal(weights.get(f"{here}.{kind}", weights.get(f"{here}.base_layer.{kind}")), before), name
    np.testing.assert_allclose(np.load(space / stage / "dev_logits.npy"), logits(space / stage), atol=1e-5)
    model = AutoModel.from_pretrained(space / stage)
    assert [one.config.adapter_name for one in model.text_encoders] == ["emotion", "sentiment"]


def test_common_space_reads_what_its_parents_say(space: Path) -> None:
    model = AutoModel.from_pretrained(space / "csr")
    tokens = AutoTokenizer.from_pretrained(space / "csr")(TEXTS[:4], padding=True, return_tensors="pt")
    with torch.no_grad():
        emotion, (sentiment,) = model.encode(**tokens)
        for found, parent in ((emotion, "emotion-encoder"), (sentiment, "sentiment-encoder")):
            expected = AutoModel.from_pretrained(space / parent)(**tokens).representation
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_trained_emotion_encoder_of_a_shared_backbone(space: Path) -> None:
    """`token-space` trains it with the space; its source stays as the stage before left it."""
    weights = load_file(space / "token-space" / "model.safetensors")
    learnt = {name: value for name, value in weights.items() if ".lora_B." in name}
    emotion = [value for name, value in learnt.items() if "emotion_encoder" in name]
    assert emotion and all(value.abs().max() > 0 for value in emotion)
    before = load_file(space / "sentiment-encoder" / "adapter" / "adapter_model.safetensors")
    for name, value in before.items():
        there = name.replace("base_model.model.", "csr.source_encoders.0.encoder.").replace(
            ".weight", ".sentiment.weight"
        )
        assert torch.equal(weights[there], value), name


# -- stages of other runs ----------------------------------------------------------------------------------------------


def test_copied_stage_brings_its_adapter(place: Path, space: Path, tmp_path: Path) -> None:
    changes = {"recipe": ["model-3.3"], "shared_backbone": True, "common_size": 5, "reuse_stages_from": [space]}
    run_csr(options(place, tmp_path / "out", **changes))
    for stage in ("emotion-encoder", "sentiment-encoder"):
        for path in (space / stage).rglob("*"):
            copied = tmp_path / "out" / stage / path.relative_to(space / stage)
            assert path.is_dir() or copied.read_bytes() == path.read_bytes(), path
    config = tiny_run.read_json(tmp_path / "out" / "csr" / "config.json")
    assert config["common_size"] == 5 and config["shared_backbone"]


def test_second_run_trains_nothing(place: Path, space: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(space, tmp_path / "out"))
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*.safetensors")}
    run_csr(options(place, copy, recipe=["model-3.3", "token-space"], shared_backbone=True))
    assert {path: path.stat().st_mtime_ns for path in copy.rglob("*.safetensors")} == before


@pytest.mark.parametrize(
    ("changes", "difference"),
    [
        ({"lora_r": 8}, "adapters.r: 4 there, 8 here"),
        ({"lora_r": None}, "adapters.r: 4 there, None here"),
        ({"lora_dropout": 0.1}, "adapters.lora_dropout: None there, 0.1 here"),
        ({"adapter_learning_rate": 0.5}, "adapters.adapter_learning_rate: None there, 0.5 here"),
        ({"lora_target_modules": ["query"]}, "adapters.target_modules"),
    ],
)
def test_stage_with_another_adapter_is_another(
    place: Path, bert: Path, changes: dict[str, Any], difference: str
) -> None:
    message = refusal(options(place, bert, **{"threshold": "per_label", **changes}))
    assert f"{bert / 'emotion-encoder'} belongs to another run" in message and difference in message


def test_backbone_of_its_own_is_another_space(place: Path, space: Path) -> None:
    message = refusal(options(place, space, recipe=["model-3.3"]))
    assert f"{space / 'csr'} belongs to another run" in message and "shared_backbone: True there" in message


# -- ways to say it ----------------------------------------------------------------------------------------------------

PYTHON: dict[str, Any] = {
    "max_length": 64,
    "normalization": ["entities", "newlines", "users", "urls"],
    "num_train_epochs": 2,
    "learning_rate": 1e-2,
    "per_device_train_batch_size": 8,
    "threshold": "per_label",
    "eval_strategy": "no",
    "save_strategy": "no",
    "logging_steps": 10,
    "use_cpu": True,
    "bf16_weights": False,
    "disable_tqdm": True,
    "draw_figures": False,
}


@pytest.mark.parametrize("form", ["object", "object for a classifier", "fields", "JSON text", "JSON file", "YAML file"])
def test_config_of_peft_is_the_same_adapter(place: Path, bert: Path, tmp_path: Path, form: str) -> None:
    """Whichever way it is said, the finished stage is taken."""
    fields = {"r": 4, "lora_alpha": 4}
    given: Any = {
        "object": peft.LoraConfig(**fields),
        "object for a classifier": peft.LoraConfig(**fields, task_type="SEQ_CLS", inference_mode=True),
        "fields": fields,
        "JSON text": json.dumps(fields),
    }.get(form)
    if form == "JSON file":
        given = tmp_path / "lora.json"
        given.write_text(json.dumps(fields))
    if form == "YAML file":
        given = str(tmp_path / "lora.yaml")
        Path(given).write_text("r: 4\nlora_alpha: 4\n")
    before = (bert / "emotion-encoder" / "model.safetensors").stat().st_mtime_ns
    result: RunResult = train(
        "bert",
        encoder=str(place / "encoder"),
        emotion=place / "data" / "posts",
        emotion_label_columns=list(tiny_run.EMOTIONS),
        output_dir=str(bert),
        peft_config=given,
        **PYTHON,
    )
    assert result.folder == bert / "emotion-encoder"
    assert (bert / "emotion-encoder" / "model.safetensors").stat().st_mtime_ns == before


def test_options_take_precedence_over_the_file(place: Path, tmp_path: Path) -> None:
    (tmp_path / "lora.yaml").write_text("r: 2\nlora_alpha: 5\nuse_dora: true\ntarget_modules: [query, value]\n")
    changes = {"peft_config": tmp_path / "lora.yaml", "lora_r": 3, "num_train_epochs": 1}
    run_csr(options(place, tmp_path / "out", **changes))
    written = peft.LoraConfig.from_pretrained(tmp_path / "out" / "emotion-encoder" / "adapter")
    assert (written.r, written.lora_alpha, written.use_dora) == (3, 5, True)
    assert set(written.target_modules) == {"query", "value"}
    record = tiny_run.read_json(tmp_path / "out" / "emotion-encoder" / "stage.json")["made_from"]["adapters"]
    assert record["r"] == 3 and record["use_dora"]


def test_config_that_peft_has_saved(place: Path, bert: Path, tmp_path: Path) -> None:
    """The file of an adapter that is there: another one like it."""
    changes = {"peft_config": bert / "emotion-encoder" / "adapter" / "adapter_config.json", "lora_r": None}
    run_csr(options(place, tmp_path / "out", num_train_epochs=1, **changes))
    written = peft.LoraConfig.from_pretrained(tmp_path / "out" / "emotion-encoder" / "adapter")
    assert (written.r, written.lora_alpha) == (4, 4)


# -- distillation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("teacher", ["emotion-encoder", "csr"])
def test_student_learns_by_adapters(place: Path, space: Path, tmp_path: Path, teacher: str) -> None:
    """Of a teacher on a shared backbone, it starts from the emotion encoder with its adapter merged."""
    folders = (tmp_path / "student", space / "emotion-encoder")
    argv = tiny_run.distillation(place, space / teacher, folders[0], lora_r=4, num_train_epochs=1)
    tiny_run.example("distill_csr").main(argv)
    student, start = (load_file(folder / "model.safetensors") for folder in folders)
    assert not [name for name in student if "lora" in name or "base_layer" in name]
    config = tiny_run.read_json(folders[0] / "config.json")
    assert config["architectures"] == ["BertForSequenceClassification"]
    pretrained = load_file(place / "encoder" / "model.safetensors")
    # Its encoder differs from the teacher's by what the adapters have learnt, and its pooler is new.
    for name, weights in student.items():
        if not name.startswith("bert.") or name.startswith("bert.pooler."):
            continue
        adapted = ".layer." in name and name.endswith("weight") and "LayerNorm" not in name
        before = start[name.replace("bert.", "multitask.encoder.", 1)]
        assert torch.equal(weights, before) != adapted, name
        # Nearer to where it started than to the pretrained encoder, or it did not start there.
        plain = pretrained[name.removeprefix("bert.")]
        assert not adapted or (weights - before).norm() < (weights - plain).norm(), name
    np.testing.assert_allclose(np.load(folders[0] / "dev_logits.npy"), logits(folders[0]), atol=1e-5)
