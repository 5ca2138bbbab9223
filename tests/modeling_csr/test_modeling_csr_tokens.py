"""The common space over token states, read with one attention head per label."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.func import functional_call
from torch.nn import functional as F
from transformers import AutoTokenizer, pipeline

from modeling_csr import CSRForSequenceClassification
from modeling_csr.layers import LabelAttention
from tests.helpers.tiny_models import MODEL_TYPES, Tokens, freeze

Factory = Callable[..., CSRForSequenceClassification]

SOURCES = [(), ("distilbert",), ("electra", "roberta")]


def common_states_by_hand(model: CSRForSequenceClassification, halves: list[torch.Tensor]) -> torch.Tensor:
    first, _, _, last = model.csr.common_encoder
    return F.gelu(torch.cat(halves, dim=-1) @ first.weight.T + first.bias) @ last.weight.T + last.bias


@pytest.mark.parametrize("sources", SOURCES)
def test_shapes_and_names(token_csr: Factory, tokens: Tokens, labels: Tokens, sources: tuple[str, ...]) -> None:
    model = token_csr(sources=sources, common_size=7)
    length = tokens["input_ids"].shape[1]
    output = model(**tokens, labels=labels["emotion"])
    assert output.logits.shape == (3, 4)
    assert output.common_space.shape == (3, 7)
    assert output.loss.shape == output.prediction_loss.shape == output.reconstruction_loss.shape == ()
    base = model.csr(**tokens, output_reconstruction=True)
    assert base.common_space.shape == (3, 7)
    assert base.common_states.shape == (3, length, 7)
    assert base.emotion_representation.shape == (3, length, 32)
    assert [source.shape for source in base.source_representations] == [(3, length, 32)] * len(sources)
    assert base.reconstruction.shape == (3, 32)
    assert base.reconstruction_loss.shape == ()
    assert isinstance(model.classifier, LabelAttention)


def test_text_level_has_no_common_states(csr: Factory, tokens: Tokens) -> None:
    model = csr()
    assert model.csr(**tokens).common_states is None
    assert isinstance(model.classifier, nn.Linear)


def test_each_token_is_mapped_by_itself_sources_first(token_csr: Factory, tokens: Tokens) -> None:
    model = token_csr("bert", sources=("electra", "roberta"))
    encoders = [*model.csr.source_encoders, model.csr.emotion_encoder]
    assert [encoder.config.encoder.model_type for encoder in encoders] == ["electra", "roberta", "bert"]
    by_hand = common_states_by_hand(model, [encoder(**tokens).last_hidden_state for encoder in encoders])
    torch.testing.assert_close(model.csr(**tokens).common_states, by_hand)


def test_common_space_of_a_text_is_the_mean_of_its_tokens(token_csr: Factory, tokens: Tokens) -> None:
    output = token_csr().csr(**tokens)
    for row, mask in enumerate(tokens["attention_mask"]):
        torch.testing.assert_close(output.common_space[row], output.common_states[row, mask.bool()].mean(dim=0))
    assert not torch.allclose(output.common_space, output.common_states.mean(dim=1)), "padding is no token"


def test_the_classifier_reads_the_tokens(token_csr: Factory, tokens: Tokens) -> None:
    model = token_csr()
    output, states = model(**tokens), model.csr(**tokens).common_states
    torch.testing.assert_close(output.logits, model.classifier(states, tokens["attention_mask"]))
    from_mean = model.classifier.output(output.common_space)
    assert (output.logits - from_mean).abs().max() > 0.01


@pytest.mark.parametrize("sources", SOURCES)
def test_tokens_and_states_give_the_same_numbers(
    token_csr: Factory, tokens: Tokens, labels: Tokens, sources: tuple[str, ...]
) -> None:
    model = token_csr("mpnet", sources=sources)
    from_tokens = model(**tokens, labels=labels["emotion"])
    emotion, source_states = model.csr.encode(**tokens)
    from_states = model(
        attention_mask=tokens["attention_mask"],
        emotion_representation=emotion,
        source_representations=source_states,
        labels=labels["emotion"],
    )
    torch.testing.assert_close(dict(from_states), dict(from_tokens), rtol=0, atol=0)


def test_without_a_mask_every_column_is_a_token(token_csr: Factory, tokens: Tokens) -> None:
    model = token_csr()
    longest = tokens["input_ids"][tokens["attention_mask"].all(dim=1)]
    assert len(longest) == 1
    expected = model(input_ids=longest, attention_mask=torch.ones_like(longest))
    torch.testing.assert_close(dict(model(input_ids=longest)), dict(expected), rtol=0, atol=0)
    emotion, sources = model.csr.encode(longest)
    from_states = model(emotion_representation=emotion, source_representations=sources)
    torch.testing.assert_close(from_states.logits, expected.logits, rtol=0, atol=0)


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_padding_and_batch_change_nothing(token_csr: Factory, tokens: Tokens, labels: Tokens, model_type: str) -> None:
    model = token_csr(model_type, sources=(model_type,))
    together = model(**tokens, labels=labels["emotion"])
    wider = {
        "input_ids": F.pad(tokens["input_ids"], (0, 4), value=1),
        "attention_mask": F.pad(tokens["attention_mask"], (0, 4)),
    }
    padded = model(**wider, labels=labels["emotion"])
    names = ("logits", "common_space", "loss", "reconstruction_loss")
    for name in names:
        torch.testing.assert_close(padded[name], together[name])
    alone = [
        model(input_ids=tokens["input_ids"][row : row + 1, mask.bool()], labels=labels["emotion"][row : row + 1])
        for row, mask in enumerate(tokens["attention_mask"])
    ]
    for name in names[:2]:
        torch.testing.assert_close(torch.cat([output[name] for output in alone]), together[name])
    losses = torch.stack([output.reconstruction_loss for output in alone])
    torch.testing.assert_close(losses.mean(), together.reconstruction_loss)


@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_reconstruction_loss_by_hand(token_csr: Factory, multitask: Callable, tokens: Tokens, pooling: str) -> None:
    """The decoder reads the mean of the common states, and its target is the pooled P_E."""
    model = token_csr()
    model.csr.config.emotion_encoder.pooling = pooling
    model.csr.emotion_encoder.config.pooling = pooling
    output = model.csr(**tokens, output_reconstruction=True)
    pooled = model.csr.emotion_encoder(**tokens).representation
    first, _, _, last = model.csr.decoder
    decoded = F.gelu(output.common_space @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(output.reconstruction, decoded)
    project = model.csr.siamese.projection
    distances = (project(decoded) - project(pooled)).norm(dim=1)
    assert distances.min() > 0.01
    torch.testing.assert_close(output.reconstruction_loss, distances.mean())


@pytest.mark.parametrize("level", ["text", "token"])
def test_reconstruction_moves_the_emotion_encoder_through_the_common_space_alone(
    token_csr: Factory, tokens: Tokens, level: str
) -> None:
    """With the target as a constant the gradients are the same."""
    model = token_csr(common_level=level)
    encoder = model.csr.emotion_encoder
    parameters = list(encoder.encoder.parameters())
    found = torch.autograd.grad(model.csr(**tokens, output_reconstruction=True).reconstruction_loss, parameters)
    with torch.no_grad():
        constant = model.csr.siamese.projection(encoder(**tokens).representation)
    decoded = model.csr.siamese.projection(model.csr(**tokens, output_reconstruction=True).reconstruction)
    expected = torch.autograd.grad((decoded - constant).norm(dim=1).mean(), parameters)
    torch.testing.assert_close(found, expected)
    assert sum(gradient.abs().sum() for gradient in found) > 0.01
    # Were the target trained, too, they would be others.
    target = model.csr.siamese.projection(encoder(**tokens).representation)
    decoded = model.csr.siamese.projection(model.csr(**tokens, output_reconstruction=True).reconstruction)
    other = torch.autograd.grad((decoded - target).norm(dim=1).mean(), parameters)
    assert max((one - two).abs().max() for one, two in zip(found, other, strict=True)) > 1e-3


@pytest.mark.parametrize("sources", SOURCES)
def test_pipeline_in_padded_batches(
    token_csr: Factory, tiny_encoder: Callable[[str], Path], tmp_path: Path, sources: tuple[str, ...]
) -> None:
    model, texts = (
        token_csr(sources=sources),
        ["you are my best friend!", "a bad night, and it rains all day long", "no"],
    )
    model.save_pretrained(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder("bert"))
    tokenizer.save_pretrained(tmp_path)
    classify = pipeline("text-classification", model=str(tmp_path), top_k=None, batch_size=3)
    with torch.no_grad():
        expected = [model(**tokenizer(text, return_tensors="pt")).logits[0].sigmoid().tolist() for text in texts]
    for entries, row in zip(classify(texts), expected, strict=True):
        found = {entry["label"]: entry["score"] for entry in entries}
        assert found == pytest.approx(dict(zip(["anger", "fear", "joy", "love"], row, strict=True)), abs=1e-5)


def test_frozen_sources_stay_in_eval_mode_while_the_emotion_encoder_trains(
    token_csr: Factory, tokens: Tokens, labels: Tokens
) -> None:
    model = token_csr(sources=("distilbert", "electra"))
    freeze(model.csr.source_encoders, model.csr.siamese)
    expected = model.csr(**tokens)
    model.train()
    for part in (model.csr.source_encoders, model.csr.siamese):
        assert not any(module.training for module in part.modules())
    trained = (model.csr.emotion_encoder, model.csr.common_encoder, model.csr.decoder, model.classifier)
    for part in trained:
        assert all(module.training for module in part.modules())
    states = model.csr(**tokens)
    for found, before in zip(states.source_representations, expected.source_representations, strict=True):
        assert torch.equal(found, before)
    assert not torch.equal(states.emotion_representation, expected.emotion_representation)
    model(**tokens, labels=labels["emotion"]).loss.backward()
    for part in (model.csr.source_encoders, model.csr.siamese):
        assert all(parameter.grad is None for parameter in part.parameters())
    for part in trained:
        for name, parameter in part.named_parameters():
            assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert sum(parameter.grad.abs().sum() for parameter in part.parameters()) > 0


def test_parts_of_a_batch_add_up_to_the_whole(token_csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = token_csr(reconstruction_loss_weight=0.7)
    names = ("loss", "prediction_loss", "reconstruction_loss")

    def losses_and_gradients(*parts: slice) -> tuple[dict[str, float], list[torch.Tensor]]:
        model.zero_grad()
        losses = dict.fromkeys(names, 0.0)
        for rows in parts:
            output = model(
                **{name: value[rows] for name, value in tokens.items()},
                labels=labels["emotion"][rows],
                num_items_in_batch=torch.tensor(3),
            )
            output.loss.backward()
            losses = {name: losses[name] + output[name].item() for name in names}
        return losses, [parameter.grad.clone() for parameter in model.parameters() if parameter.grad is not None]

    whole_losses, whole = losses_and_gradients(slice(0, 3))
    losses, gradients = losses_and_gradients(slice(0, 1), slice(1, 3))
    assert losses == pytest.approx(whole_losses, rel=1e-5)
    torch.testing.assert_close(gradients, whole, rtol=1e-4, atol=1e-6)
    without_count = model(**tokens, labels=labels["emotion"])
    assert {name: without_count[name].item() for name in names} == pytest.approx(whole_losses, rel=1e-5)


def test_bf16_weights_in_the_place_of_its_own(token_csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    """As the Trainer computes: the model's weights stay in single precision and get the gradients."""
    model = token_csr(classifier_dropout=0.0)
    expected = model(**tokens, labels=labels["emotion"])
    halves = {name: parameter.to(torch.bfloat16) for name, parameter in model.named_parameters()}
    output = functional_call(model, halves, kwargs={**tokens, "labels": labels["emotion"]})
    assert output.common_space.dtype == torch.bfloat16
    assert output.loss.dtype == output.prediction_loss.dtype == output.reconstruction_loss.dtype == torch.float32
    torch.testing.assert_close(output.logits.float(), expected.logits, rtol=0.1, atol=0.1)
    torch.testing.assert_close(output.loss, expected.loss, rtol=0.05, atol=0.05)
    output.loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.dtype == torch.float32, name
        assert parameter.grad.isfinite().all(), name
