"""Folders that hold an adapter, its heads and its labels: loading them on the encoder below, by us and by peft."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from modeling_csr import Adapter, MultitaskForSequenceClassification, MultitaskModel
from tests.helpers.tiny_adapters import LORA, adapted, run, trained_names, write_adapter
from tests.helpers.tiny_models import EMPTY, Tokens

Factory = Callable[..., MultitaskForSequenceClassification]
Encoders = Callable[[str], Path]
THRESHOLDS = [0.3, 0.6, 0.4, 0.5]


@pytest.fixture
def trained(multitask: Factory) -> MultitaskForSequenceClassification:
    """A classifier with an adapter, thresholds, several heads and shared layers."""
    model = multitask("bert", tasks=("emotion", "sentiment"), shared_layer_sizes=[9, 7])
    model.config.thresholds = THRESHOLDS
    return adapted(model)


@pytest.fixture
def folder(trained: MultitaskForSequenceClassification, tokens: Tokens, tmp_path: Path) -> Path:
    """The folder of its adapter; `trained` is merged, and `live.pt` there has what it said before."""
    live = dict(trained(**tokens).task_logits)
    write_adapter(trained, tmp_path / "adapter")
    torch.save({name: value.detach() for name, value in live.items()}, tmp_path / "live.pt")
    return tmp_path / "adapter"


def live_logits(folder: Path) -> dict[str, torch.Tensor]:
    return torch.load(folder.parent / "live.pt")


# -- loading -----------------------------------------------------------------------------------------------------------


def test_adapter_loads_on_its_encoder(
    trained: MultitaskForSequenceClassification, folder: Path, tiny_encoder: Encoders, tokens: Tokens
) -> None:
    assert not any((folder / name).exists() for name in ("adapter", "pytorch_model.bin"))
    assert (folder / "model.safetensors").stat().st_size < 10_000
    before = {path: path.read_bytes() for path in folder.iterdir()}
    model, info = MultitaskForSequenceClassification.from_pretrained(
        folder, backbone=str(tiny_encoder("bert")), output_loading_info=True
    )
    assert info == EMPTY and not model.training
    for task, logits in model(**tokens).task_logits.items():
        torch.testing.assert_close(logits, live_logits(folder)[task], rtol=0, atol=0)
        torch.testing.assert_close(logits, trained(**tokens).task_logits[task], rtol=1e-5, atol=1e-5)
    assert model.config.tasks == trained.config.tasks and model.config.thresholds == THRESHOLDS
    assert model.config.id2label == {0: "anger", 1: "fear", 2: "joy", 3: "love"}
    assert model.config.name_or_path == str(folder)
    assert all(".lora_" in name for name in trained_names(model.multitask.encoder))
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("kind", ["id", "path", "encoder", "classifier", "base", "with an adapter"])
def test_backbone_may_be_a_folder_or_a_model(
    multitask: Factory, folder: Path, tiny_encoder: Encoders, tokens: Tokens, kind: str
) -> None:
    other = multitask("bert")
    backbone: Any = {
        "id": str(tiny_encoder("bert")),
        "path": tiny_encoder("bert"),
        "encoder": AutoModel.from_pretrained(tiny_encoder("bert")),
        "classifier": other,
        "base": other.multitask,
        "with an adapter": adapted(multitask("bert"), {"r": 2, "target_modules": ["query", "Whatever"][:1]}, "other"),
    }[kind]
    model = MultitaskForSequenceClassification.from_pretrained(folder, backbone=backbone)
    torch.testing.assert_close(run(model, tokens), live_logits(folder)["emotion"], rtol=0, atol=0)
    if kind in ("id", "path"):
        return
    owner = backbone if kind == "encoder" else getattr(backbone, "multitask", backbone).encoder
    before = run(backbone, tokens) if kind == "classifier" else None
    shared = {id(weights) for name, weights in owner.named_parameters() if not name.startswith("pooler")}
    mine = {name: weights for name, weights in model.multitask.encoder.named_parameters() if ".lora_" not in name}
    assert mine and all(id(weights) in shared for weights in mine.values())
    assert model.multitask.encoder.embeddings.word_embeddings.weight is owner.embeddings.word_embeddings.weight
    if before is not None:
        assert torch.equal(run(backbone, tokens), before)


@pytest.mark.parametrize(
    ("auto", "cls"),
    [(AutoModel, MultitaskModel), (AutoModelForSequenceClassification, MultitaskForSequenceClassification)],
)
def test_auto_classes(folder: Path, tiny_encoder: Encoders, tokens: Tokens, auto: Any, cls: type) -> None:
    model, info = auto.from_pretrained(folder, backbone=str(tiny_encoder("bert")), output_loading_info=True)
    assert type(model) is cls and info == EMPTY
    expected = MultitaskForSequenceClassification.from_pretrained(folder, backbone=str(tiny_encoder("bert")))
    reference = expected if cls is MultitaskForSequenceClassification else expected.multitask
    torch.testing.assert_close(run(model, tokens), run(reference, tokens), rtol=0, atol=0)


@pytest.mark.parametrize("options", [{"use_dora": True}, {"target_modules": ["word_embeddings", "value"]}])
@pytest.mark.parametrize("model_type", ["roberta", "modernbert", "electra"])
def test_other_encoders_and_adapters(
    multitask: Factory, tiny_encoder: Encoders, tokens: Tokens, tmp_path: Path, model_type: str, options: dict[str, Any]
) -> None:
    if model_type == "modernbert" and "target_modules" in options:
        options = {"target_modules": ["Wqkv"]}
    model = adapted(multitask(model_type), LORA | options)
    live = run(model, tokens)
    folder = write_adapter(model, tmp_path)
    loaded, info = MultitaskForSequenceClassification.from_pretrained(
        folder, backbone=tiny_encoder(model_type), output_loading_info=True
    )
    assert info == EMPTY
    torch.testing.assert_close(run(loaded, tokens), live, rtol=0, atol=0)


# peft 0.21 still asks for it.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("model_type", ["bert", "distilbert"])
@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"use_dora": True}])
def test_peft_itself_gives_the_same_states(
    multitask: Factory, tiny_encoder: Encoders, tokens: Tokens, tmp_path: Path, model_type: str, options: dict[str, Any]
) -> None:
    model = adapted(multitask(model_type), LORA | options)
    states = model.multitask(**tokens).last_hidden_state
    folder = write_adapter(model, tmp_path)
    # BERT's encoder has a pooler here, whose layer is called as those of its blocks are.
    wrapped = peft.PeftModel.from_pretrained(AutoModel.from_pretrained(tiny_encoder(model_type)), folder).eval()
    # Padding has other positions there, and nobody reads its states.
    read = tokens["attention_mask"].bool()
    torch.testing.assert_close(wrapped(**tokens).last_hidden_state[read], states[read], rtol=1e-5, atol=1e-5)


def test_model_on_an_encoder_is_saved_whole(folder: Path, tiny_encoder: Encoders, tokens: Tokens) -> None:
    model = MultitaskForSequenceClassification.from_pretrained(folder, backbone=tiny_encoder("bert"))
    model.save_pretrained(folder.parent / "whole")
    loaded, info = MultitaskForSequenceClassification.from_pretrained(folder.parent / "whole", output_loading_info=True)
    assert info == EMPTY and loaded.config.adapter_base is None
    torch.testing.assert_close(run(loaded, tokens), run(model, tokens), rtol=0, atol=0)


def test_adapter_of_an_adapter_that_was_loaded(folder: Path, tiny_encoder: Encoders, tokens: Tokens) -> None:
    """Taken out of its encoder again, it is the same."""
    model = MultitaskForSequenceClassification.from_pretrained(folder, backbone=tiny_encoder("bert"))
    again = write_adapter(model, folder.parent / "again")
    for name in ("adapter_model.safetensors", "adapter_config.json", "config.json", "model.safetensors"):
        assert (again / name).read_bytes() == (folder / name).read_bytes(), name


def test_half_precision(folder: Path, tiny_encoder: Encoders, tokens: Tokens) -> None:
    backbone = str(tiny_encoder("bert"))
    model = MultitaskForSequenceClassification.from_pretrained(folder, backbone=backbone, dtype=torch.bfloat16)
    assert {weights.dtype for weights in model.parameters()} == {torch.bfloat16}
    whole = MultitaskForSequenceClassification.from_pretrained(folder, backbone=backbone).bfloat16()
    torch.testing.assert_close(run(model, tokens), run(whole, tokens), rtol=0, atol=0)


# -- other labels ------------------------------------------------------------------------------------------------------


def test_other_labels_get_a_new_head(
    multitask: Factory, tiny_encoder: Encoders, tokens: Tokens, tmp_path: Path
) -> None:
    trained = adapted(multitask())
    representation = trained(**tokens).representation
    folder, backbone = write_adapter(trained, tmp_path), str(tiny_encoder("bert"))
    with pytest.raises(RuntimeError, match="ignore_mismatched_sizes"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=backbone, num_labels=2)
    model = MultitaskForSequenceClassification.from_pretrained(
        folder, backbone=backbone, num_labels=2, ignore_mismatched_sizes=True
    )
    assert model.config.label_names == ["LABEL_0", "LABEL_1"] and run(model, tokens).shape == (3, 2)
    torch.testing.assert_close(model(**tokens).representation, representation, rtol=0, atol=0)
    named = MultitaskForSequenceClassification.from_pretrained(
        folder, backbone=backbone, id2label=dict(enumerate("wxyz"))
    )
    assert named.config.label_names == list("wxyz")


# -- what is refused ---------------------------------------------------------------------------------------------------


def test_encoder_with_other_weights_is_refused(folder: Path, tiny_encoder: Encoders, tmp_path: Path) -> None:
    other = AutoModel.from_pretrained(tiny_encoder("bert"))
    with torch.no_grad():
        other.encoder.layer[1].output.dense.weight[0, 0] += 1e-3
    with pytest.raises(ValueError, match=r"trained on another encoder than .*their weights differ.*32 wide here"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=other)
    other.save_pretrained(tmp_path / "other")
    with pytest.raises(ValueError, match=rf"another encoder than {tmp_path / 'other'}"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=tmp_path / "other")


def test_encoder_of_another_width_or_kind_is_refused(folder: Path, tiny_encoder: Encoders) -> None:
    config = AutoModel.from_pretrained(tiny_encoder("bert")).config
    config.hidden_size = 16
    with pytest.raises(ValueError, match="16 wide here, and were 32 there"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=AutoModel.from_config(config))
    with pytest.raises(ValueError, match="another encoder"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=str(tiny_encoder("roberta")))


def test_encoder_in_half_precision_is_refused(folder: Path, tiny_encoder: Encoders) -> None:
    half = AutoModel.from_pretrained(tiny_encoder("bert"), dtype=torch.bfloat16)
    with pytest.raises(ValueError, match="in single precision"):
        MultitaskForSequenceClassification.from_pretrained(folder, backbone=half)


def test_adapter_without_an_encoder_is_refused(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"holds an adapter alone.*as backbone"):
        AutoModelForSequenceClassification.from_pretrained(folder)


def test_backbone_of_a_complete_model_is_refused(multitask: Factory, tiny_encoder: Encoders, tmp_path: Path) -> None:
    multitask().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"backbone is for adapters.*complete model"):
        MultitaskForSequenceClassification.from_pretrained(tmp_path, backbone=str(tiny_encoder("bert")))


def test_encoder_may_be_named_in_the_config(folder: Path, tiny_encoder: Encoders, tokens: Tokens) -> None:
    """As an adapter's repository names it."""
    config = json.loads((folder / "config.json").read_text())
    config["adapter_base"]["name"] = str(tiny_encoder("bert"))
    (folder / "config.json").write_text(json.dumps(config))
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    torch.testing.assert_close(run(model, tokens), live_logits(folder)["emotion"], rtol=0, atol=0)


def test_paths_of_this_machine_are_not_written(folder: Path, tiny_encoder: Encoders) -> None:
    written = json.loads((folder / "adapter_config.json").read_text())
    assert written["base_model_name_or_path"] is None
    for path in folder.iterdir():
        assert str(tiny_encoder("bert").parent).encode() not in path.read_bytes(), path


def test_adapter_is_frozen_data(trained: MultitaskForSequenceClassification) -> None:
    """A copy: training on changes nothing of it."""
    encoder = trained.multitask.encoder
    adapter = Adapter.of(encoder, trained.config.adapter, "emotion")
    before = {name: weights.clone() for name, weights in adapter.weights.items()}
    with torch.no_grad():
        for weights in encoder.parameters():
            weights.zero_()
    assert before and all(torch.equal(weights, before[name]) for name, weights in adapter.weights.items())


# -- without peft ------------------------------------------------------------------------------------------------------

WITHOUT_PEFT = """
import sys
sys.modules["peft"] = None
import torch
from transformers import AutoModelForSequenceClassification
whole = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], trust_remote_code=True)
print(whole(input_ids=torch.tensor([[2, 5, 3]])).logits.tolist())
try:
    AutoModelForSequenceClassification.from_pretrained(sys.argv[2], backbone=sys.argv[3], trust_remote_code=True)
except ModuleNotFoundError as error:
    print(error)
del sys.modules["peft"]
alone = AutoModelForSequenceClassification.from_pretrained(sys.argv[2], backbone=sys.argv[3], trust_remote_code=True)
print(alone(input_ids=torch.tensor([[2, 5, 3]])).logits.tolist())
assert "modeling_csr" not in sys.modules
"""


def test_only_adapters_need_peft(
    trained: MultitaskForSequenceClassification,
    folder: Path,
    tiny_encoder: Encoders,
    fresh_python: Callable[..., str],
    tmp_path: Path,
) -> None:
    """The merged model loads without it, with its own code alone; the adapter says what to install, and then loads."""
    trained.save_pretrained(tmp_path / "merged")
    encoder = shutil.copytree(tiny_encoder("bert"), tmp_path / "encoder")
    merged, error, alone = fresh_python(WITHOUT_PEFT, tmp_path / "merged", folder, encoder).splitlines()
    expected = trained(input_ids=torch.tensor([[2, 5, 3]])).logits
    for logits in (merged, alone):
        torch.testing.assert_close(torch.tensor(json.loads(logits)), expected.detach(), rtol=1e-5, atol=1e-5)
    assert "pip install 'peft" in error
