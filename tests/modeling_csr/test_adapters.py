"""LoRA adapters in the encoders: which layers get them, that merging keeps the numbers, and what is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
from torch import nn
from transformers import AutoModel

from modeling_csr import (
    MultitaskConfig,
    MultitaskForSequenceClassification,
    MultitaskModel,
    RecurrentEncoderConfig,
    RecurrentEncoderModel,
)
from modeling_csr.adapters import add_adapter, backbone_digest, block_layers, lora_options, merge_adapter
from tests.helpers.tiny_adapters import LORA, adapted, deberta, linear_layers, run, stir, trained_names
from tests.helpers.tiny_models import EMPTY, MODEL_TYPES, Tokens

Factory = Callable[..., MultitaskForSequenceClassification]
TASK = {"labels": ["anger", "joy"], "problem_type": "multi_label_classification"}
ATTENTION_AND_FEED_FORWARD = {
    "bert": {"query", "key", "value", "dense"},
    "roberta": {"query", "key", "value", "dense"},
    "electra": {"query", "key", "value", "dense"},
    "distilbert": {"q_lin", "k_lin", "v_lin", "out_lin", "lin1", "lin2"},
    "mpnet": {"q", "k", "v", "o", "dense"},
    "modernbert": {"Wqkv", "Wo", "Wi"},
    "deberta-v2": {"query_proj", "key_proj", "value_proj", "dense"},
}
VARIANTS: dict[str, dict[str, Any]] = {
    "LoRA": {},
    "rsLoRA": {"use_rslora": True},
    "DoRA": {"use_dora": True},
    "gaussian": {"init_lora_weights": "gaussian"},
    "orthogonal": {"r": 4, "init_lora_weights": "orthogonal"},
    "ranks by layer": {"rank_pattern": {"layer.1.*query": 2}, "target_modules": ["query", "value"]},
    "embeddings too": {"target_modules": ["word_embeddings", "value"]},
}


@pytest.fixture(scope="session")
def encoder_folder(
    tiny_encoder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Path]:
    """Folders of encoders by model type, DeBERTa's as well."""
    other = deberta(tmp_path_factory.mktemp("encoders") / "deberta-v2")
    return lambda model_type: other if model_type == "deberta-v2" else tiny_encoder(model_type)


# -- which layers get adapters -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("model_type", ATTENTION_AND_FEED_FORWARD)
def test_all_linear_layers_of_the_blocks_get_adapters(
    encoder_folder: Callable[[str], Path], tokens: Tokens, model_type: str
) -> None:
    assert set(ATTENTION_AND_FEED_FORWARD) == {*MODEL_TYPES, "deberta-v2"}
    folder = str(encoder_folder(model_type))
    model = MultitaskForSequenceClassification.from_encoder(folder, {"emotion": TASK}).eval()
    encoder, before = model.multitask.encoder, run(model, tokens)
    assert set(block_layers(encoder)) == ATTENTION_AND_FEED_FORWARD[model_type]
    adapted(model, seed=None)
    layers = {
        name for name, part in encoder.named_modules() if isinstance(part, peft.tuners.tuners_utils.BaseTunerLayer)
    }
    in_blocks = {name for name in linear_layers(encoder) if any(part.isdecimal() for part in name.split("."))}
    assert layers == in_blocks and len(layers) >= 2 * 4
    assert not any("embeddings" in name for name in layers)
    assert trained_names(encoder) and all(".lora_" in name for name in trained_names(encoder))
    assert {"heads.emotion.weight", "heads.emotion.bias"} <= trained_names(model)
    # An adapter changes nothing until it is trained, and much once it is.
    torch.testing.assert_close(run(model, tokens), before, rtol=0, atol=0)
    stir(encoder)
    changed = run(model, tokens)
    assert (changed - before).abs().max() > 0.01
    merge_adapter(encoder)
    torch.testing.assert_close(run(model, tokens), changed, rtol=1e-5, atol=1e-5)
    assert not any(".lora_" in name or "base_layer" in name for name, _ in model.named_parameters())


def test_encoders_without_weights_tell_their_layers(encoder_folder: Callable[[str], Path]) -> None:
    config = AutoModel.from_pretrained(encoder_folder("bert")).config
    with torch.device("meta"):
        options = lora_options(LORA, AutoModel.from_config(config))
    assert options == {**LORA, "target_modules": ["dense", "key", "query", "value"]}


# -- what an adapter computes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_merging_keeps_the_numbers(multitask: Factory, tokens: Tokens, variant: str) -> None:
    model = multitask()
    plain, before = run(model, tokens), backbone_digest(model.multitask.encoder)
    adapted(model, LORA | VARIANTS[variant], seed=None)
    torch.testing.assert_close(run(model, tokens), plain, rtol=1e-5, atol=1e-5)
    stir(model)
    assert backbone_digest(model.multitask.encoder) == before
    live = run(model, tokens)
    assert (live - plain).abs().max() > 0.01
    merge_adapter(model.multitask.encoder)
    torch.testing.assert_close(run(model, tokens), live, rtol=1e-5, atol=1e-5)
    assert model.state_dict().keys() == multitask().state_dict().keys()
    assert not hasattr(model.multitask.encoder, "peft_config")


@pytest.mark.parametrize(("options", "scale"), [({}, 6 / 3), ({"use_rslora": True}, 6 / 3**0.5)])
def test_merged_layer_is_the_one_computed_by_hand(multitask: Factory, options: dict[str, Any], scale: float) -> None:
    model = adapted(multitask(), LORA | options)
    layer = model.multitask.encoder.encoder.layer[1].attention.self.query
    down, up = layer.lora_A["emotion"].weight.detach(), layer.lora_B["emotion"].weight.detach()
    expected = layer.base_layer.weight.detach() + scale * up @ down
    merge_adapter(model.multitask.encoder)
    merged = model.multitask.encoder.encoder.layer[1].attention.self.query
    assert type(merged) is nn.Linear
    torch.testing.assert_close(merged.weight.detach(), expected, rtol=1e-6, atol=1e-6)


def test_weights_that_are_not_finite_are_not_merged(multitask: Factory) -> None:
    model = adapted(multitask())
    with torch.no_grad():
        model.multitask.encoder.encoder.layer[0].attention.self.query.lora_B["emotion"].weight[0, 0] = float("inf")
    with pytest.raises(ValueError, match="broken"):
        merge_adapter(model.multitask.encoder)


@pytest.mark.parametrize("variant", ["LoRA", "DoRA", "embeddings too"])
def test_model_with_a_live_adapter_loads_as_it_was(
    multitask: Factory, tokens: Tokens, tmp_path: Path, variant: str
) -> None:
    model = adapted(multitask(shared_layer_sizes=[7]), LORA | VARIANTS[variant])
    model.save_pretrained(tmp_path)
    loaded, info = MultitaskForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(run(loaded, tokens), run(model, tokens), rtol=0, atol=0)
    assert trained_names(loaded) == trained_names(model)
    base, info = MultitaskModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(run(base, tokens), run(model.multitask, tokens), rtol=0, atol=0)


def test_config_alone_gives_an_encoder_its_adapter(
    tiny_encoder: Callable[[str], Path], tokens: Tokens, tmp_path: Path
) -> None:
    """`from_encoder` puts the adapter that the config names into the pretrained encoder."""
    options = {"config_kwargs": {"adapter": {**LORA, "target_modules": ["query"]}}}
    folder = str(tiny_encoder("bert"))
    model = MultitaskForSequenceClassification.from_encoder(folder, {"emotion": TASK}, **options)
    assert model.config.adapter_name == "emotion"
    assert len([name for name in trained_names(model) if ".lora_" in name]) == 2 * 2
    model.eval().save_pretrained(tmp_path)
    loaded, info = MultitaskForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(run(loaded, tokens), run(model, tokens), rtol=0, atol=0)


def test_new_heads_on_an_encoder_with_an_adapter(multitask: Factory, tokens: Tokens, tmp_path: Path) -> None:
    """What the adapter has learnt is part of the encoder that others start from."""
    trained = adapted(multitask())
    trained.save_pretrained(tmp_path)
    model = MultitaskForSequenceClassification.from_encoder(str(tmp_path), {"mood": TASK}).eval()
    expected = run(trained.multitask, tokens)
    torch.testing.assert_close(run(model.multitask, tokens), expected, rtol=1e-5, atol=1e-5)
    assert model.config.adapter is None
    model.save_pretrained(tmp_path / "new")
    again, info = MultitaskForSequenceClassification.from_pretrained(tmp_path / "new", output_loading_info=True)
    assert info == EMPTY
    torch.testing.assert_close(run(again, tokens), run(model, tokens), rtol=0, atol=0)


# -- options -----------------------------------------------------------------------------------------------------------


def test_options_may_be_an_object_or_its_fields(multitask: Factory) -> None:
    encoder = multitask().multitask.encoder
    given = peft.LoraConfig(r=4, lora_dropout=0.1, use_dora=True, task_type="SEQ_CLS")
    expected = {"r": 4, "lora_dropout": 0.1, "use_dora": True, "target_modules": ["dense", "key", "query", "value"]}
    assert lora_options(given, encoder) == expected
    # The same object may be for another encoder next, whose layers have other names.
    assert given.target_modules is None
    assert lora_options(given.to_dict(), encoder) == expected
    assert lora_options(expected, encoder) == expected
    assert lora_options({"target_modules": "all-linear"}, encoder) == {"r": 8, "target_modules": "all-linear"}
    assert lora_options({"target_modules": r".*\.layer\.1\..*query"}, encoder)["target_modules"].endswith("query")


REFUSED: dict[str, tuple[Any, str]] = {
    "rank": ({"r": 0}, r"rank.*at least 1.*got 0"),
    "unknown layers": ({"target_modules": ["query", "Wqkv"]}, r"no layers Wqkv.*dense, key, query, value"),
    "unknown pattern": ({"target_modules": ".*Wqkv"}, r"no layers \.\*Wqkv.*dense, key, query, value"),
    "layers of another kind": ({"target_modules": ["LayerNorm"]}, r"LayerNorm.*dense, key, query, value"),
    "no such block": (
        {"target_modules": ["query"], "layers_to_transform": [7]},
        r"leaves no layer.*dense, key, query, value",
    ),
    "IA3": (peft.IA3Config(target_modules=["key"]), r"IA3.*peft\.LoraConfig"),
    "fields of IA3": ({"peft_type": "IA3"}, r"IA3.*peft\.LoraConfig"),
    "AdaLoRA": (peft.AdaLoraConfig(total_step=10), r"AdaLora.*peft\.LoraConfig"),
    "initialisation": ({"init_lora_weights": "pissa"}, r"init_lora_weights='pissa'.*gaussian"),
    "bias": ({"bias": "all"}, r"bias.*Leave them out"),
    "heads": ({"modules_to_save": ["heads.emotion"]}, r"modules_to_save.*trained in full anyway"),
    "tokens": ({"trainable_token_indices": [1, 2]}, r"trainable_token_indices.*Leave them out"),
    "replicated layers": ({"layer_replication": [[0, 2], [1, 2]]}, r"layer_replication.*Leave them out"),
    "wrong field": ({"rank": 8}, r"not one of LoRA.*'rank'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_options_that_are_refused(multitask: Factory, case: str) -> None:
    options, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        lora_options(options, multitask().multitask.encoder)


def test_encoder_without_blocks_is_refused() -> None:
    branches = [{"type": kind, "hidden_size": 3} for kind in ("cnn", "bilstm", "gru")]
    encoder = RecurrentEncoderModel(RecurrentEncoderConfig(vocab_size=30, branches=branches))
    with pytest.raises(ValueError, match=r"RecurrentEncoderModel has no blocks.*train it in full"):
        lora_options(LORA, encoder)


def test_quantised_encoder_is_refused(multitask: Factory) -> None:
    encoder = multitask().multitask.encoder
    encoder.is_quantized = True
    with pytest.raises(ValueError, match=r"quantised.*load it unquantised"):
        lora_options(LORA, encoder)


def test_adapter_is_named_after_the_main_task(multitask: Factory) -> None:
    config = multitask(tasks=("sentiment", "emotion")).config.to_dict()
    assert MultitaskConfig(**config | {"adapter": dict(LORA)}).adapter_name == "sentiment"
    assert MultitaskConfig(**config | {"adapter": dict(LORA), "adapter_name": "mood"}).adapter_name == "mood"


def test_second_adapter_in_one_encoder_is_refused(multitask: Factory, tokens: Tokens) -> None:
    model = adapted(multitask())
    live = run(model, tokens)
    options = lora_options(LORA, AutoModel.from_config(model.config.encoder))
    with pytest.raises(ValueError, match="already has an adapter, emotion: merge it"):
        add_adapter(model.multitask.encoder, options, "other")
    torch.testing.assert_close(run(model, tokens), live, rtol=0, atol=0)


def test_pooler_of_a_stock_classifier_is_trained_in_full(tiny_encoder: Callable[[str], Path], tokens: Tokens) -> None:
    """It is new there, and no linear layer of a block, though its layer is called as some of theirs are."""
    encoder = AutoModel.from_pretrained(tiny_encoder("bert")).eval()
    before = encoder(**tokens).pooler_output
    add_adapter(encoder, lora_options(LORA, encoder), "default")
    assert {name for name in trained_names(encoder) if ".lora_" not in name} == {
        "pooler.dense.weight",
        "pooler.dense.bias",
    }
    assert type(encoder.pooler.dense) is nn.Linear
    torch.testing.assert_close(encoder(**tokens).pooler_output, before, rtol=0, atol=0)
