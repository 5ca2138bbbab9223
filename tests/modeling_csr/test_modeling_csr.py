"""The common space of representations of texts: what a text becomes, and the losses."""

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from modeling_csr import CSRForSequenceClassification, CSRModel, MultitaskModel
from tests.helpers.tiny_models import MODEL_TYPES, Tokens

Factory = Callable[..., CSRForSequenceClassification]


def g(model: CSRModel, vectors: torch.Tensor) -> torch.Tensor:
    """The Siamese projection, layer by layer."""
    first, _, _, last = model.siamese.projection
    return F.gelu(vectors @ first.weight.T + first.bias) @ last.weight.T + last.bias


def test_shapes_and_names(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr(sources=("distilbert", "electra"), common_size=7)
    output = model(**tokens, labels=labels["emotion"])
    assert output.logits.shape == (3, 4)
    assert output.common_space.shape == (3, 7)
    assert output.loss.shape == output.prediction_loss.shape == output.reconstruction_loss.shape == ()
    base = model.csr(**tokens, output_reconstruction=True)
    assert base.common_space.shape == (3, 7)
    assert base.emotion_representation.shape == (3, 32)
    assert [source.shape for source in base.source_representations] == [(3, 32), (3, 32)]
    assert base.reconstruction.shape == (3, 32)
    assert base.reconstruction_loss.shape == ()


def test_sources_come_before_the_emotion_in_the_order_of_the_config(csr: Factory, tokens: Tokens) -> None:
    model = csr("bert", sources=("distilbert", "electra")).csr
    encoders = [*model.source_encoders, model.emotion_encoder]
    assert [encoder.config.encoder.model_type for encoder in encoders] == ["distilbert", "electra", "bert"]
    joined = torch.cat([encoder(**tokens).representation for encoder in encoders], dim=1)
    first, _, _, last = model.common_encoder
    by_hand = F.gelu(joined @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(model(**tokens).common_space, by_hand)


def test_the_classifier_reads_the_common_space(csr: Factory, tokens: Tokens) -> None:
    model = csr()
    output = model(**tokens)
    head = model.classifier
    torch.testing.assert_close(output.logits, output.common_space @ head.weight.T + head.bias)


@pytest.mark.parametrize("sources", [("distilbert",), ("electra", "bert", "roberta"), ()])
def test_tokens_and_representations_give_the_same_numbers(
    csr: Factory, tokens: Tokens, labels: Tokens, sources: tuple[str, ...]
) -> None:
    model = csr("mpnet", sources=sources)
    from_tokens = model(**tokens, labels=labels["emotion"])
    emotion, source_representations = model.csr.encode(**tokens)
    from_vectors = model(
        emotion_representation=emotion, source_representations=source_representations, labels=labels["emotion"]
    )
    torch.testing.assert_close(dict(from_vectors), dict(from_tokens), rtol=0, atol=0)


@pytest.mark.parametrize("number", [0, 1, 3])
def test_a_wrong_number_of_sources_is_an_error(csr: Factory, number: int) -> None:
    vectors = torch.zeros(3, 32)
    with pytest.raises(ValueError, match=f"has 2 source encoders but received {number}"):
        csr(sources=("bert", "electra"))(emotion_representation=vectors, source_representations=[vectors] * number)


def test_nothing_to_read_is_an_error(csr: Factory) -> None:
    with pytest.raises(ValueError, match="Pass input_ids, or emotion_representation with source_representations"):
        csr()(source_representations=[torch.zeros(3, 32)])


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_padding_and_batch_change_nothing(csr: Factory, tokens: Tokens, model_type: str) -> None:
    model = csr(model_type, sources=(model_type,))
    together = model(**tokens).logits
    wider = {
        "input_ids": F.pad(tokens["input_ids"], (0, 4), value=1),
        "attention_mask": F.pad(tokens["attention_mask"], (0, 4)),
    }
    torch.testing.assert_close(model(**wider).logits, together)
    for row, mask in enumerate(tokens["attention_mask"]):
        alone = model(input_ids=tokens["input_ids"][row : row + 1, mask.bool()])
        torch.testing.assert_close(alone.logits[0], together[row])


def test_token_types_reach_the_encoders_that_know_them(csr: Factory, tokens: Tokens) -> None:
    model, ones = csr("bert", sources=("distilbert",)).csr, torch.ones_like(tokens["input_ids"])
    before, after = model(**tokens), model(**tokens, token_type_ids=ones)
    assert not torch.allclose(before.emotion_representation, after.emotion_representation)
    assert torch.equal(before.source_representations[0], after.source_representations[0])


def test_reconstruction_loss_by_hand(csr: Factory, tokens: Tokens) -> None:
    model = csr().csr
    output = model(**tokens, output_reconstruction=True)
    first, _, _, last = model.decoder
    decoded = F.gelu(output.common_space @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(output.reconstruction, decoded)
    distances = (g(model, decoded) - g(model, output.emotion_representation)).norm(dim=1)
    assert distances.min() > 0.01
    torch.testing.assert_close(output.reconstruction_loss, distances.mean())


@pytest.mark.parametrize(("prediction", "reconstruction"), [(1, 1), (0.25, 3), (1, 0), (0, 1)])
def test_the_loss_is_the_weighted_sum(
    csr: Factory, tokens: Tokens, labels: Tokens, prediction: float, reconstruction: float
) -> None:
    model = csr(prediction_loss_weight=prediction, reconstruction_loss_weight=reconstruction)
    output = model(**tokens, labels=labels["emotion"])
    cross_entropy = F.binary_cross_entropy_with_logits(output.logits, labels["emotion"])
    torch.testing.assert_close(output.prediction_loss, cross_entropy)
    states = model.csr(**tokens, output_reconstruction=True)
    torch.testing.assert_close(output.reconstruction_loss, states.reconstruction_loss)
    expected = prediction * output.prediction_loss + reconstruction * output.reconstruction_loss
    torch.testing.assert_close(output.loss, expected)


@pytest.mark.parametrize("level", ["text", "token"])
def test_single_label_loss(token_csr: Factory, tokens: Tokens, level: str) -> None:
    labels = torch.tensor([3, 0, 1])
    model = token_csr(common_level=level, problem_type="single_label_classification")
    output = model(**tokens, labels=labels)
    torch.testing.assert_close(output.prediction_loss, F.cross_entropy(output.logits, labels))


def test_without_labels_there_is_no_loss(csr: Factory, tokens: Tokens) -> None:
    output = csr()(**tokens)
    assert output.loss is None
    assert output.prediction_loss is None


@pytest.mark.parametrize("level", ["text", "token"])
def test_nothing_that_only_training_needs_is_computed_at_inference(
    csr: Factory, tokens: Tokens, labels: Tokens, level: str
) -> None:
    model = csr(common_level=level)
    computed: list[str] = []
    for name in ("decoder", "siamese"):
        model.csr.get_submodule(name).register_forward_hook(lambda *_, name=name: computed.append(name))
    expected = model(**tokens, labels=labels["emotion"])
    assert computed == ["decoder", "siamese"]
    computed.clear()
    assert torch.equal(model(**tokens).logits, expected.logits)
    assert model(**tokens).reconstruction_loss is None
    assert torch.equal(model.csr(**tokens).common_space, expected.common_space)
    assert computed == []
    asked = model(**tokens, output_reconstruction=True)
    assert torch.equal(asked.reconstruction_loss, expected.reconstruction_loss) and asked.loss is None
    assert model.train().csr(**tokens).reconstruction_loss is not None


def test_parts_of_a_batch_add_up_to_the_whole(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr(reconstruction_loss_weight=0.7)
    whole = model(**tokens, labels=labels["emotion"])
    parts = [
        model(
            **{name: value[rows] for name, value in tokens.items()},
            labels=labels["emotion"][rows],
            num_items_in_batch=torch.tensor(3),
        )
        for rows in (slice(0, 1), slice(1, 3))
    ]
    for name in ("loss", "prediction_loss", "reconstruction_loss"):
        torch.testing.assert_close(sum(part[name] for part in parts), whole[name])


def test_as_tuple(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr()
    output = model(**tokens, labels=labels["emotion"])
    loss, *_ = model(**tokens, labels=labels["emotion"], return_dict=False)
    assert torch.equal(loss, output.loss), "the loss must come first, as in every model of transformers"
    assert torch.equal(model(**tokens, return_dict=False)[0], output.logits)
    assert torch.equal(model.csr(**tokens, return_dict=False)[0], output.common_space)


def test_encoders_are_multitask_models(csr: Factory) -> None:
    model = csr()
    assert isinstance(model.csr.emotion_encoder, MultitaskModel)
    assert model.get_input_embeddings() is model.csr.emotion_encoder.get_input_embeddings()
