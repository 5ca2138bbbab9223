"""What a call of any family may pass and ask for, as with transformers' own models: word embeddings in place of tokens,
hidden states, attentions, tuples."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from tests.helpers.tiny_models import Tokens

FAMILIES = ("csr", "base", "tokens", "multitask", "siamese", "dialogue")
Built = Callable[[str], PreTrainedModel]


@pytest.fixture
def build(csr: Callable, multitask: Callable, siamese: Callable, dialogue: Callable) -> Built:
    families: dict[str, Callable[[], PreTrainedModel]] = {
        "csr": lambda: csr(sources=()),
        "base": lambda: csr(sources=()).csr,
        "tokens": lambda: csr(sources=(), common_level="token"),
        "multitask": lambda: multitask(tasks=("emotion", "sentiment")),
        "siamese": siamese,
        "dialogue": dialogue,
    }
    return lambda family: families[family]()


@pytest.fixture(params=FAMILIES)
def model(request: pytest.FixtureRequest, build: Built) -> PreTrainedModel:
    return build(request.param)


def first(output: Any) -> torch.Tensor:
    return output.to_tuple()[0]


def embedded(model: PreTrainedModel, tokens: Tokens) -> Tokens:
    vectors = model.get_input_embeddings()(tokens["input_ids"])
    return {"inputs_embeds": vectors, "attention_mask": tokens["attention_mask"]}


def test_embeddings_in_place_of_tokens(model: PreTrainedModel, tokens: Tokens) -> None:
    assert torch.equal(first(model(**embedded(model, tokens))), first(model(**tokens)))
    vectors = model.get_input_embeddings()(tokens["input_ids"])
    assert torch.equal(first(model(inputs_embeds=vectors)), first(model(input_ids=tokens["input_ids"])))


def test_embeddings_have_gradients(model: PreTrainedModel, tokens: Tokens) -> None:
    inputs = embedded(model, tokens)
    vectors = inputs["inputs_embeds"].detach().requires_grad_()
    first(model(**inputs | {"inputs_embeds": vectors})).sum().backward()
    assert vectors.grad is not None and vectors.grad.abs().sum() > 0


def test_pairs_and_dialogues_of_embeddings(siamese: Callable, dialogue: Callable, tokens: Tokens) -> None:
    pairs = {name: value[:2].unsqueeze(0) for name, value in tokens.items()}
    model = siamese()
    expected = model(**pairs)
    assert torch.equal(model(**embedded(model, pairs)).logits, expected.logits)
    model = dialogue()
    mask = torch.tensor([[1, 1, 0]])
    inputs = {name: value.unsqueeze(0) for name, value in tokens.items()}
    expected = model(**inputs, utterance_mask=mask)
    assert torch.equal(model(**embedded(model, inputs), utterance_mask=mask).logits, expected.logits)


def test_tokens_or_embeddings_but_one_of_them(model: PreTrainedModel, tokens: Tokens) -> None:
    with pytest.raises(ValueError, match="Pass either input_ids or inputs_embeds"):
        model(**tokens, inputs_embeds=model.get_input_embeddings()(tokens["input_ids"]))
    with pytest.raises(ValueError, match=r"Pass (either )?input_ids"):
        model(attention_mask=tokens["attention_mask"])


def test_embeddings_of_several_encoders(csr: Callable, tokens: Tokens) -> None:
    """Each encoder has word embeddings of its own, so one tensor has to have the width of all."""
    model = csr(sources=("distilbert",))
    assert model(**embedded(model, tokens)).logits.shape == (3, 4)
    model = csr(sources=("electra",))  # whose word embeddings are half as wide
    with pytest.raises(ValueError, match=r"inputs_embeds are 32 wide, but .* encoders are 32, 16"):
        model(**embedded(model, tokens))


def test_hidden_states_are_returned_on_request(model: PreTrainedModel, tokens: Tokens) -> None:
    assert model(**tokens).hidden_states is None
    found = model(**tokens, output_hidden_states=True)
    assert torch.equal(first(found), first(model(**tokens)))
    if model.config.model_type == "dialogue":
        assert [state.shape for state in found.hidden_states] == [(3, 1, 16)] * 4
        assert torch.equal(torch.cat(found.hidden_states, dim=-1), model.dialogue(**tokens).dialogue_states)
    else:
        assert [state.shape for state in found.hidden_states] == [(*tokens["input_ids"].shape, 32)] * 3
    model.config.output_hidden_states = True
    assert len(model(**tokens).hidden_states) == len(found.hidden_states)
    assert model(**tokens, output_hidden_states=False).hidden_states is None


@pytest.mark.parametrize("family", FAMILIES)
def test_attentions_are_returned_on_request(build: Built, tokens: Tokens, tmp_path: Path, family: str) -> None:
    build(family).save_pretrained(tmp_path)
    auto_class = AutoModel if family in ("base", "siamese") else AutoModelForSequenceClassification
    model = auto_class.from_pretrained(tmp_path, attn_implementation="eager")
    assert model(**tokens).attentions is None
    found = model(**tokens, output_attentions=True).attentions
    for weights in [found] if family == "dialogue" else found:
        torch.testing.assert_close(weights.sum(dim=-1), torch.ones(weights.shape[:-1]))
    model.config.output_attentions = True
    assert len(model(**tokens).attentions) == len(found)


def test_states_and_attentions_of_the_sources(csr: Callable, tokens: Tokens, tmp_path: Path) -> None:
    csr(sources=("distilbert", "roberta")).save_pretrained(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path, attn_implementation="eager")
    assert_states_of_the_sources(model, tokens)
    model.set_attn_implementation("sdpa")
    assert model(**tokens, output_attentions=True).source_attentions == ((), ())
    model.set_attn_implementation("eager")
    assert_states_of_the_sources(model, tokens)


def assert_states_of_the_sources(model: PreTrainedModel, tokens: Tokens) -> None:
    found = model(**tokens, output_hidden_states=True, output_attentions=True)
    assert [len(states) for states in found.source_hidden_states] == [3, 3]
    assert [len(weights) for weights in found.source_attentions] == [2, 2]
    for number, source in enumerate(model.csr.source_encoders):
        states = source(**tokens, output_hidden_states=True).hidden_states
        assert torch.equal(found.source_hidden_states[number][-1], states[-1])


def test_tuples_are_returned_on_request(model: PreTrainedModel, tokens: Tokens) -> None:
    expected = first(model(**tokens))
    assert torch.equal(model(**tokens, return_dict=False)[0], expected)
    model.config.return_dict = False
    found = model(**tokens)
    assert isinstance(found, tuple) and torch.equal(found[0], expected)
    assert torch.equal(first(model(**tokens, return_dict=True)), expected)
