"""The methods that every model of transformers has, on every family."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoTokenizer, PreTrainedModel

from modeling_csr import MultitaskModel, RecurrentEncoderConfig, RecurrentEncoderModel
from tests.helpers.tiny_models import EMPTY, Tokens

FAMILIES = ("csr", "base", "tokens", "multitask", "siamese", "dialogue", "recurrent")
Built = Callable[[str], PreTrainedModel]


@pytest.fixture
def build(csr: Callable, multitask: Callable, siamese: Callable, dialogue: Callable) -> Built:
    families: dict[str, Callable[[], PreTrainedModel]] = {
        "csr": lambda: csr(sources=("distilbert", "electra")),
        "base": lambda: csr().csr,
        "tokens": lambda: csr("roberta", common_level="token"),
        "multitask": lambda: multitask(tasks=("emotion", "sentiment")),
        "siamese": siamese,
        "dialogue": dialogue,
        "recurrent": lambda: RecurrentEncoderModel(RecurrentEncoderConfig(vocab_size=300, embedding_size=32)).eval(),
    }
    return lambda family: families[family]()


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, build: Built) -> PreTrainedModel:
    return build(request.param)


def read(model: PreTrainedModel, tokens: dict[str, Any]) -> torch.Tensor:
    """What the model is for."""
    output = model(**tokens)
    for name in ("logits", "common_space", "embeddings", "pooler_output"):
        if output.get(name) is not None:
            return output[name]
    raise AssertionError(f"{type(model).__name__} returns {list(output)}")


def tables(model: PreTrainedModel) -> list[nn.Embedding]:
    """The word embeddings of all encoders."""
    encoders = [module for module in model.modules() if isinstance(module, MultitaskModel)] or [model]
    return [encoder.get_input_embeddings() for encoder in encoders]


def test_new_tokens_reach_all_encoders(
    model: PreTrainedModel, tokens: Tokens, tiny_encoder: Any, tmp_path: Path
) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("bert"))
    before = [table.weight.clone() for table in tables(model)]
    expected = read(model, tokens)
    size = len(before[0]) + 3
    tokenizer.add_tokens([f"[token {number}]" for number in range(size - len(tokenizer))])
    assert model.resize_token_embeddings(size) is model.get_input_embeddings()
    assert [len(table.weight) for table in tables(model)] == [size] * len(before)
    for table, old in zip(tables(model), before, strict=True):
        assert torch.equal(table.weight[: len(old)], old)
    assert torch.equal(read(model, tokens), expected)
    new = tokens | {"input_ids": torch.where(tokens["attention_mask"].bool(), size - 1, tokens["input_ids"])}
    assert torch.isfinite(read(model, new)).all()
    model.save_pretrained(tmp_path)
    loaded, info = type(model).from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert torch.equal(read(loaded, new), read(model, new))


def test_rows_can_be_padded_or_removed(model: PreTrainedModel) -> None:
    model.resize_token_embeddings(pad_to_multiple_of=64)
    assert all(len(table.weight) % 64 == 0 for table in tables(model))
    model.resize_token_embeddings(128)
    assert all(len(table.weight) == 128 for table in tables(model))
    assert model.resize_token_embeddings() is model.get_input_embeddings()
    assert all(len(table.weight) == 128 for table in tables(model))


@pytest.mark.parametrize("family", ["csr", "siamese", "dialogue"])
def test_nothing_is_resized_unless_all_can_be(build: Built, monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    model = build(family)
    sizes = [len(table.weight) for table in tables(model)]
    last = model.base_model.text_encoders[-1].encoder

    def refuse(value: nn.Module) -> None:
        raise NotImplementedError("this encoder has no word embeddings of its own")

    monkeypatch.setattr(last, "set_input_embeddings", refuse)
    with pytest.raises(NotImplementedError, match="no word embeddings of its own"):
        model.resize_token_embeddings(999)
    assert [len(table.weight) for table in tables(model)] == sizes


def test_get_and_set_input_embeddings(model: PreTrainedModel, tokens: Tokens) -> None:
    table = model.get_input_embeddings()
    assert isinstance(table, nn.Embedding) and table is tables(model)[0]
    other = deepcopy(table)
    with torch.no_grad():
        other.weight.add_(torch.randn_like(other.weight))
    if len(tables(model)) > 1:
        with pytest.raises(ValueError, match="encoders with word embeddings of their own"):
            model.set_input_embeddings(other)
        assert model.get_input_embeddings() is table
        return
    before = read(model, tokens)
    model.set_input_embeddings(other)
    assert model.get_input_embeddings() is other
    assert not torch.allclose(read(model, tokens), before)


def test_tying_weights_changes_nothing(model: PreTrainedModel, tokens: Tokens) -> None:
    expected = read(model, tokens)
    model.tie_weights()
    assert torch.equal(read(model, tokens), expected)
    assert model.get_output_embeddings() is None


@pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")
def test_gradient_checkpointing(model: PreTrainedModel, tokens: Tokens) -> None:
    if isinstance(model, RecurrentEncoderModel):
        with pytest.raises(ValueError, match=r"not compatible with gradient checkpointing|does not support"):
            model.gradient_checkpointing_enable()
        return

    def gradients() -> list[torch.Tensor | None]:
        model.zero_grad()
        torch.manual_seed(1)  # the same dropout
        read(model.train(), tokens).float().sum().backward()
        return [parameter.grad for parameter in model.parameters()]

    expected = [None if grad is None else grad.clone() for grad in gradients()]
    model.gradient_checkpointing_enable()
    assert model.is_gradient_checkpointing
    torch.testing.assert_close(gradients(), expected)
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing
    torch.testing.assert_close(gradients(), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision(model: PreTrainedModel, tokens: Tokens, tmp_path: Path, dtype: torch.dtype) -> None:
    expected = read(model, tokens)
    model = model.half() if dtype == torch.float16 else model.to(dtype)
    assert model.dtype == dtype
    found = read(model, tokens)
    torch.testing.assert_close(found.float(), expected, atol=0.05, rtol=0.05)
    model.save_pretrained(tmp_path)
    loaded = type(model).from_pretrained(tmp_path, dtype=dtype)
    assert {parameter.dtype for parameter in loaded.parameters()} == {dtype}
    assert torch.equal(read(loaded, tokens), found)
    torch.testing.assert_close(read(model.float(), tokens), expected, atol=0.05, rtol=0.05)


def test_to_another_device(model: PreTrainedModel) -> None:
    assert {parameter.device.type for parameter in model.to("meta").parameters()} == {"meta"}


def test_compiled_models_give_the_same_numbers(model: PreTrainedModel, tokens: Tokens) -> None:
    with torch.inference_mode():
        expected = read(model, tokens)
        torch.testing.assert_close(read(torch.compile(model, backend="eager"), tokens), expected)


def test_saved_in_shards(model: PreTrainedModel, tokens: Tokens, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 1
    loaded, info = type(model).from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert torch.equal(read(loaded, tokens), read(model, tokens))


def test_number_of_parameters(model: PreTrainedModel) -> None:
    count = sum(parameter.numel() for parameter in model.parameters())
    assert model.num_parameters() == count > model.num_parameters(exclude_embeddings=True) > 0
    model.get_input_embeddings().requires_grad_(False)
    assert model.num_parameters(only_trainable=True) == count - model.get_input_embeddings().weight.numel()


def test_deep_copies_are_independent(model: PreTrainedModel, tokens: Tokens) -> None:
    copied = deepcopy(model)
    with torch.no_grad():
        for parameter in copied.parameters():
            parameter.zero_()
    assert read(model, tokens).abs().sum() > 0
