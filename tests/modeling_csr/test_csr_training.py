"""The common space in training: gradients, frozen parts and precisions."""

from collections.abc import Callable

import pytest
import torch

from modeling_csr import CSRForSequenceClassification
from tests.helpers.tiny_models import Tokens, freeze, gradient

Factory = Callable[..., CSRForSequenceClassification]


def test_gradients_go_through_the_frozen_siamese_into_the_decoder(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr(prediction_loss_weight=0).train()
    freeze(model.csr.emotion_encoder, model.csr.source_encoders, model.csr.siamese)
    model(**tokens, labels=labels["emotion"]).loss.backward()
    assert gradient(model.csr.decoder) > 0
    assert gradient(model.csr.common_encoder) > 0
    for part in (model.csr.emotion_encoder, model.csr.source_encoders, model.csr.siamese):
        assert all(parameter.grad is None for parameter in part.parameters())


def test_every_parameter_is_trained_where_nothing_is_frozen(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr().train()
    model(**tokens, labels=labels["emotion"]).loss.backward()
    for part in (*model.csr.children(), model.classifier):
        assert gradient(part) > 0


def test_reconstruction_weight_zero_is_training_on_the_labels_alone(
    csr: Factory, tokens: Tokens, labels: Tokens
) -> None:
    """`model-3.1`: the decoder stays as it is, and the others get the gradients of the label loss."""
    model = csr(reconstruction_loss_weight=0)
    freeze(model.csr.emotion_encoder, model.csr.source_encoders, model.csr.siamese)
    output = model(**tokens, labels=labels["emotion"])
    trained = [*model.csr.common_encoder.parameters(), *model.classifier.parameters()]
    expected = torch.autograd.grad(output.prediction_loss, trained, retain_graph=True)
    output.loss.backward()
    torch.testing.assert_close([parameter.grad for parameter in trained], list(expected))
    assert gradient(model.csr.decoder) in (0, -1)


FROZEN = ("emotion_encoder", "source_encoders", "siamese")


def test_frozen_parts_stay_in_eval_mode(csr: Factory) -> None:
    model = csr()
    freeze(*(getattr(model.csr, name) for name in FROZEN))
    model.train()
    for name in FROZEN:
        assert not any(module.training for module in getattr(model.csr, name).modules()), name
    for part in (model.csr.common_encoder, model.csr.decoder, model.classifier):
        assert all(module.training for module in part.modules())
    assert model.training and model.csr.training and model.dropout.training
    model.eval()
    assert not any(module.training for module in model.modules())


def test_a_part_of_an_encoder_can_be_frozen(csr: Factory) -> None:
    model = csr()
    encoder = model.csr.emotion_encoder.encoder
    freeze(encoder.embeddings)
    model.train()
    assert not any(module.training for module in encoder.embeddings.modules())
    assert all(module.training for module in encoder.encoder.modules())


def test_frozen_parts_train_again_once_they_are_not_frozen(csr: Factory) -> None:
    model = csr()
    freeze(model.csr)
    model.train()
    model.requires_grad_(True)
    model.train()
    assert all(module.training for module in model.modules())


def test_frozen_encoders_have_no_dropout_in_training(csr: Factory, tokens: Tokens) -> None:
    model = csr(classifier_dropout=0.5)
    freeze(*(getattr(model.csr, name) for name in FROZEN))
    expected = model.csr(**tokens)
    model.train()
    output = model.csr(**tokens)
    assert torch.equal(output.emotion_representation, expected.emotion_representation)
    assert torch.equal(output.source_representations[0], expected.source_representations[0])
    assert not torch.equal(output.common_space, expected.common_space)
    model.requires_grad_(True)
    assert not torch.equal(model.train().csr(**tokens).emotion_representation, expected.emotion_representation)


def test_a_classifier_on_a_frozen_common_space(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    """The last stage of `model-3.2`."""
    model = csr(classifier_dropout=0.5)
    expected = model(**tokens).common_space
    freeze(model.csr)
    model.train()
    output = model(**tokens, labels=labels["emotion"])
    assert torch.equal(output.common_space, expected)
    output.loss.backward()
    assert gradient(model.classifier) > 0
    assert all(parameter.grad is None for parameter in model.csr.parameters())


@pytest.mark.parametrize("mode", [True, False])
def test_a_model_frozen_as_a_whole_changes_mode(csr: Factory, mode: bool) -> None:
    model = csr()
    freeze(model)
    model.train(mode)
    assert not any(module.training for module in model.csr.emotion_encoder.modules())
    assert not model.classifier.training


def test_activation_checkpointing_with_frozen_encoders(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr("bert", sources=("roberta",))
    freeze(model.csr.source_encoders, model.csr.siamese)
    model.train()
    gradients = []
    for checkpointing in (False, True):
        if checkpointing:
            model.activation_checkpointing_enable()
        assert any(getattr(module, "gradient_checkpointing", False) for module in model.modules()) == checkpointing
        model.zero_grad()
        torch.manual_seed(1)
        model(**tokens, labels=labels["emotion"]).loss.backward()
        gradients.append([parameter.grad.clone() for parameter in model.parameters() if parameter.requires_grad])
    torch.testing.assert_close(gradients[1], gradients[0])


@pytest.mark.parametrize("level", ["text", "token"])
def test_bf16_autocast(csr: Factory, tokens: Tokens, labels: Tokens, level: str) -> None:
    model = csr(common_level=level).train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(**tokens, labels=labels["emotion"])
    if level == "text":
        assert output.logits.dtype == torch.bfloat16
    assert output.loss.dtype == output.reconstruction_loss.dtype == torch.float32
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
