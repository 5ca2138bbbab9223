"""The encoder with heads: saving, starting from encoders, what a text becomes, and training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from transformers import AutoModel

from modeling_csr import MultitaskConfig, MultitaskForSequenceClassification, MultitaskModel
from tests.helpers.tiny_models import EMPTY, MODEL_TYPES, Tokens

ALL_TASKS = ("emotion", "sentiment", "intensity")
Factory = Callable[..., MultitaskForSequenceClassification]


def padded(tokens: Tokens, width: int, side: str) -> Tokens:
    """The same texts with `width` more columns of padding, all of it on one side."""
    length = tokens["input_ids"].shape[1] + width
    rows = {"input_ids": [], "attention_mask": []}
    for ids, mask in zip(tokens["input_ids"], tokens["attention_mask"], strict=True):
        text = ids[mask.bool()]
        rest = (0, length - len(text)) if side == "right" else (length - len(text), 0)
        rows["input_ids"].append(nn.functional.pad(text, rest, value=1))
        rows["attention_mask"].append(nn.functional.pad(torch.ones_like(text), rest))
    return {name: torch.stack(values) for name, values in rows.items()}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("cls", [MultitaskForSequenceClassification, MultitaskModel])
def test_round_trip(multitask: Factory, tokens: Tokens, tmp_path: Path, cls: type, model_type: str) -> None:
    model = multitask(model_type, tasks=ALL_TASKS, shared_layer_sizes=[24, 12], representation="shared")
    model = model if cls is MultitaskForSequenceClassification else model.multitask
    model.save_pretrained(tmp_path)
    loaded, info = cls.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert not loaded.training
    before, after = model(**tokens), loaded(**tokens)
    assert before.keys() == after.keys()
    assert torch.equal(before.representation, after.representation)
    if cls is MultitaskForSequenceClassification:
        assert all(torch.equal(before.task_logits[task], after.task_logits[task]) for task in ALL_TASKS)


def test_loading_the_base_of_a_classifier_drops_the_heads(multitask: Factory, tokens: Tokens, tmp_path: Path) -> None:
    model = multitask()
    model.save_pretrained(tmp_path)
    base, info = MultitaskModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert torch.equal(base(**tokens).representation, model(**tokens).representation)


def test_a_resized_vocabulary_survives_the_round_trip(multitask: Factory, tmp_path: Path) -> None:
    model = multitask()
    size = model.get_input_embeddings().num_embeddings + 7
    model.resize_token_embeddings(size, mean_resizing=False)
    new_token = {"input_ids": torch.tensor([[2, size - 1, 3]])}
    expected = model(**new_token).logits
    model.save_pretrained(tmp_path)
    loaded = MultitaskForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(**new_token).logits, expected)


def test_a_classifier_needs_a_task_and_the_base_model_does_not(tiny_encoder: Callable[[str], Path]) -> None:
    config = MultitaskConfig(encoder=AutoModel.from_pretrained(tiny_encoder("bert")).config)
    MultitaskModel(config)
    with pytest.raises(ValueError, match="needs at least one task"):
        MultitaskForSequenceClassification(config)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_from_encoder_takes_the_pretrained_weights_and_leaves_the_pooler(
    multitask: Factory, tiny_encoder: Callable[[str], Path], tokens: Tokens, model_type: str
) -> None:
    encoder = AutoModel.from_pretrained(tiny_encoder(model_type))
    model = multitask(model_type)
    mask = tokens["attention_mask"].bool()
    expected = encoder(**tokens).last_hidden_state[mask]
    torch.testing.assert_close(model.multitask(**tokens).last_hidden_state[mask], expected)
    assert not [name for name in model.state_dict() if "pooler" in name]


def test_from_encoder_of_a_trained_model(multitask: Factory, tokens: Tokens, tmp_path: Path, tasks: dict) -> None:
    trained = multitask("electra", tasks=("sentiment",), shared_layer_sizes=[8])
    with torch.no_grad():
        for parameter in trained.parameters():
            parameter.add_(0.01)
    trained.save_pretrained(tmp_path)
    model = MultitaskForSequenceClassification.from_encoder(str(tmp_path), {"emotion": tasks["emotion"]}).eval()
    assert model.config.tasks == {"emotion": tasks["emotion"]}
    assert model.config.shared_layer_sizes == []
    assert torch.equal(model.multitask(**tokens).pooler_output, trained.multitask(**tokens).pooler_output)


def test_from_encoder_in_half_precision_makes_a_single_precision_model(
    tiny_encoder: Callable[[str], Path], tmp_path: Path, tasks: dict
) -> None:
    AutoModel.from_pretrained(tiny_encoder("bert")).bfloat16().save_pretrained(tmp_path)
    model = MultitaskForSequenceClassification.from_encoder(str(tmp_path), tasks)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    model = MultitaskForSequenceClassification.from_encoder(str(tmp_path), tasks, dtype=torch.bfloat16)
    assert {parameter.dtype for parameter in model.multitask.encoder.parameters()} == {torch.bfloat16}


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_padding_changes_nothing(multitask: Factory, tokens: Tokens, model_type: str, pooling: str, side: str) -> None:
    model = multitask(model_type, pooling=pooling)
    expected = model(**tokens).logits
    torch.testing.assert_close(model(**padded(tokens, 5, side)).logits, expected)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_text_alone_gives_what_it_gives_in_a_batch(multitask: Factory, tokens: Tokens, model_type: str) -> None:
    model = multitask(model_type, tasks=ALL_TASKS)
    together = model(**tokens)
    for row, mask in enumerate(tokens["attention_mask"]):
        alone = model(input_ids=tokens["input_ids"][row : row + 1, mask.bool()])
        for task in ALL_TASKS:
            torch.testing.assert_close(alone.task_logits[task][0], together.task_logits[task][row])


def test_texts_differ(multitask: Factory, tokens: Tokens) -> None:
    assert torch.pdist(multitask()(**tokens).representation).min() > 0.1


def test_pooled_representation(multitask: Factory, tokens: Tokens) -> None:
    states = multitask().multitask(**tokens)
    by_hand = [text[mask.bool()].mean(0) for text, mask in zip(states[3], tokens["attention_mask"], strict=True)]
    torch.testing.assert_close(states.representation, torch.stack(by_hand))
    first = multitask(pooling="cls").multitask(**tokens)
    torch.testing.assert_close(first.representation, first.last_hidden_state[:, 0])


def test_shared_layers(multitask: Factory, tokens: Tokens) -> None:
    model = multitask(shared_layer_sizes=[24, 12])
    states = model.multitask(**tokens)
    shared = states.pooler_output
    for layer in model.multitask.shared_layers:
        shared = torch.tanh(shared @ layer.weight.T + layer.bias)
    assert shared.shape == (3, 12)
    torch.testing.assert_close(states.shared_output, shared)
    assert torch.equal(states.representation, states.pooler_output)
    head = model.heads["emotion"]
    torch.testing.assert_close(model(**tokens).logits, shared @ head.weight.T + head.bias)


def test_shared_representation(multitask: Factory, tokens: Tokens) -> None:
    model = multitask(shared_layer_sizes=[24, 12], representation="shared")
    states = model.multitask(**tokens)
    assert states.representation.shape == (3, 12)
    assert torch.equal(states.representation, states.shared_output)
    assert torch.equal(model(**tokens).representation, states.representation)


def test_the_mask_may_be_left_out_where_nothing_is_padded(multitask: Factory, tokens: Tokens) -> None:
    model, longest = multitask(), {name: value[2:] for name, value in tokens.items()}
    assert longest["attention_mask"].all()
    torch.testing.assert_close(model(input_ids=longest["input_ids"]).logits, model(**longest).logits)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_token_types(multitask: Factory, tokens: Tokens, model_type: str) -> None:
    model = multitask(model_type)
    zeros = torch.zeros_like(tokens["input_ids"])
    torch.testing.assert_close(model(**tokens, token_type_ids=zeros).logits, model(**tokens).logits)
    same = torch.allclose(model(**tokens, token_type_ids=zeros + 1).logits, model(**tokens).logits)
    assert same == (model_type in ("distilbert", "mpnet", "modernbert"))


def test_embeddings_instead_of_ids(multitask: Factory, tokens: Tokens) -> None:
    model = multitask()
    embeddings = model.get_input_embeddings()(tokens["input_ids"])
    given = model(inputs_embeds=embeddings, attention_mask=tokens["attention_mask"])
    torch.testing.assert_close(given.logits, model(**tokens).logits)
    longest = model(inputs_embeds=embeddings[2:])
    torch.testing.assert_close(longest.logits, model(**tokens).logits[2:])


def test_hidden_states_and_attentions(multitask: Factory, tokens: Tokens) -> None:
    model = multitask()
    assert model(**tokens).hidden_states is None
    model.set_attn_implementation("eager")
    output = model(**tokens, output_hidden_states=True, output_attentions=True)
    length = tokens["input_ids"].shape[1]
    assert [state.shape for state in output.hidden_states] == [(3, length, 32)] * 3
    assert [weights.shape for weights in output.attentions] == [(3, 4, length, length)] * 2
    assert torch.equal(output.hidden_states[-1], model.multitask(**tokens).last_hidden_state)


def test_as_tuple(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask()
    output = model(**tokens, labels=labels["emotion"])
    loss, logits, *_ = model(**tokens, labels=labels["emotion"], return_dict=False)
    assert torch.equal(loss, output.loss)
    assert torch.equal(logits, output.logits)
    assert torch.equal(model(**tokens, return_dict=False)[0], output.logits)
    assert torch.equal(model.multitask(**tokens, return_dict=False)[0], output.representation)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_every_parameter_is_trained(multitask: Factory, tokens: Tokens, labels: Tokens, model_type: str) -> None:
    """Parameters without gradient would stop data-parallel training."""
    model = multitask(model_type, tasks=ALL_TASKS, shared_layer_sizes=[12]).train()
    model(**tokens, labels=labels).loss.backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []


def test_dropout_acts_in_training_only(multitask: Factory, tokens: Tokens) -> None:
    model = multitask(classifier_dropout=0.5)
    assert torch.equal(model(**tokens).logits, model(**tokens).logits)
    model.multitask.encoder.eval()
    for part in (model, model.multitask):
        part.dropout.train()
    assert not torch.equal(model(**tokens).logits, model(**tokens).logits)


# MPNet of transformers has no checkpointing.
@pytest.mark.parametrize("model_type", [model_type for model_type in MODEL_TYPES if model_type != "mpnet"])
def test_activation_checkpointing_changes_no_gradient(
    multitask: Factory, tokens: Tokens, labels: Tokens, model_type: str
) -> None:
    model = multitask(model_type).train()
    gradients: list[dict[str, Any]] = []
    for checkpointing in (False, True):
        if checkpointing:
            model.activation_checkpointing_enable()
        assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules()) == checkpointing
        model.zero_grad()
        torch.manual_seed(1)
        model(**tokens, labels=labels["emotion"]).loss.backward()
        gradients.append({name: parameter.grad.clone() for name, parameter in model.named_parameters()})
    torch.testing.assert_close(gradients[1], gradients[0])


def test_bf16_autocast(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask(tasks=ALL_TASKS, shared_layer_sizes=[12]).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(**tokens, labels=labels)
    assert output.logits.dtype == torch.bfloat16
    assert output.loss.dtype == torch.float32
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
