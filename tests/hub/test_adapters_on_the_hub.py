"""A run with `--push_adapters`: merged models and adapters on the Hub, and fresh processes that load them."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import modeling_csr  # noqa: F401
from tests.helpers import tiny_run
from tests.helpers.published_run import TEXTS, TOKEN, organisation_hub, outside, run_csr

ENCODERS = ("emotion-encoder", "sentiment-encoder")
UPLOAD = """
import sys
from huggingface_hub import HfApi
HfApi().create_repo("org/tiny-encoder")
HfApi().upload_folder(repo_id="org/tiny-encoder", folder_path=sys.argv[1])
"""
LOAD = """
import json, sys
import torch
if sys.argv[2] == "package":
    import modeling_csr
from peft import PeftModel
from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer, pipeline
remote = {} if sys.argv[2] == "package" else {"trust_remote_code": True}
texts, found = json.loads(sys.argv[3]), {}
for name in sys.argv[4:]:
    tokenizer = AutoTokenizer.from_pretrained(name, **remote)
    model = AutoModelForSequenceClassification.from_pretrained(name, **remote).eval()
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        found[name] = {"logits": model(**inputs).logits.tolist()}
    found[name] |= {"labels": model.config.id2label, "thresholds": model.config.thresholds}
name = sys.argv[4]
found["pipeline"] = pipeline("text-classification", model=name, top_k=1, **remote)(texts)
encoder = AutoModel.from_pretrained("org/tiny-encoder")
shared = AutoModelForSequenceClassification.from_pretrained(name, backbone=encoder, **remote).eval()
mine = shared.multitask.encoder
found["shared"] = mine.get_input_embeddings().weight is encoder.get_input_embeddings().weight
with torch.inference_mode():
    inputs = {key: inputs[key] for key in ("input_ids", "attention_mask")}
    states = mine(**inputs).last_hidden_state
    adapted = PeftModel.from_pretrained(encoder, name).eval()(**inputs).last_hidden_state
    found["peft"] = (adapted - states).abs().max().item()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    with organisation_hub() as server:
        yield server


@pytest.fixture(scope="module")
def run(hub: Any, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A common space on one backbone, which is on the Hub itself."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    outside(hub, place / "home", UPLOAD, str(place / "encoder"), token=TOKEN)
    changes = {"encoder": "org/tiny-encoder", "lora_r": 4, "shared_backbone": True, "threshold": "per_label"}
    pushing = {"push_to_hub": True, "push_adapters": True, "hub_model_id": "org/csr-emotion", "hub_patience": 60}
    done = run_csr(hub, place / "home", *tiny_run.options(place, place / "out", **changes, **pushing))
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(place=place, out=place / "out")


def local(folder: Path) -> tuple[torch.Tensor, Any]:
    """Logits and config of a stage's merged model."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    inputs = AutoTokenizer.from_pretrained(folder)(TEXTS, padding=True, return_tensors="pt")
    with torch.inference_mode():
        return model(**inputs).logits, model.config


@pytest.mark.parametrize("code", ["package", "remote"])
def test_fresh_processes_load_adapters_and_models_with_the_numbers_of_the_local_ones(
    hub: Any, run: SimpleNamespace, code: str
) -> None:
    adapters = {stage: f"org/csr-emotion-{stage}-adapter" for stage in ENCODERS}
    merged = {stage: f"org/csr-emotion-{stage}" for stage in ENCODERS}
    names = [*adapters.values(), *merged.values(), "org/csr-emotion"]
    package = "1" if code == "package" else ""
    argv = ("load", code, json.dumps(TEXTS), *names)
    found = json.loads(outside(hub, run.place / "home", LOAD, *argv, token=TOKEN, with_package=package))
    stages = [*ENCODERS, *ENCODERS, "csr"]
    for stage, name in zip(stages, names, strict=True):
        logits, config = local(run.out / stage)
        torch.testing.assert_close(torch.tensor(found[name]["logits"]), logits, atol=1e-5, rtol=0)
        assert found[name]["labels"] == {str(number): label for number, label in config.id2label.items()}
        assert found[name]["thresholds"] == config.thresholds
    logits, config = local(run.out / "emotion-encoder")
    best = [config.id2label[int(row.argmax())] for row in logits]
    assert [answer[0]["label"] for answer in found["pipeline"]] == best
    assert found["shared"]
    assert found["peft"] < 1e-5


def test_an_adapter_repository_is_one_of_peft_and_names_its_encoder(hub: Any, run: SimpleNamespace) -> None:
    repository = hub.repositories["org/csr-emotion-emotion-encoder-adapter"]
    data, files = repository.card_data(), repository.files()
    assert (data["library_name"], data["base_model"], data["base_model_relation"]) == (
        "peft",
        ["org/tiny-encoder"],
        "adapter",
    )
    assert {"emotion", "csr-emotion", "lora"} <= set(data["tags"])
    assert json.loads(files["adapter_config.json"])["base_model_name_or_path"] == repository.name
    assert json.loads(files["config.json"])["adapter_base"]["name"] == "org/tiny-encoder"
    assert files["requirements.txt"] == hub.repositories["org/csr-emotion"].files()["requirements.txt"]
    weights = len(files["adapter_model.safetensors"]) + len(files["model.safetensors"])
    assert weights < len(hub.repositories["org/csr-emotion-emotion-encoder"].files()["model.safetensors"])
    assert not [name for name, content in files.items() if str(run.place).encode() in content]


def test_merged_models_are_published_as_ever_and_their_cards_name_peft(hub: Any, run: SimpleNamespace) -> None:
    files = hub.repositories["org/csr-emotion-emotion-encoder"].files()
    assert not {"adapter_config.json", "requirements.txt"} & set(files)
    card = files["README.md"].decode()
    assert "- lora_r: 4" in card
    assert "peft 0." in card
    assert "loading it needs `peft`" in hub.repositories["org/csr-emotion"].files()["README.md"].decode()


def test_the_collection_has_the_adapters(hub: Any, run: SimpleNamespace) -> None:
    (collection,) = hub.collections
    assert {f"org/csr-emotion-{stage}-adapter" for stage in ENCODERS} <= {item["id"] for item in collection.items}
