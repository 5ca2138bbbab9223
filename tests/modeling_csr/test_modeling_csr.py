from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from modeling_csr import CSRForSequenceClassification, CSRModel, MultitaskModel, SiameseModel

MODEL_TYPES = ("bert", "roberta", "distilbert", "mpnet", "modernbert", "electra")
EMPTY = {"missing_keys": set(), "unexpected_keys": set(), "mismatched_keys": set(), "error_msgs": []}
Tokens = dict[str, torch.Tensor]
Factory = Callable[..., CSRForSequenceClassification]


def g(model: CSRModel, vectors: torch.Tensor) -> torch.Tensor:
    """The Siamese projection, layer by layer."""
    first, _, _, last = model.siamese.projection
    return F.gelu(vectors @ first.weight.T + first.bias) @ last.weight.T + last.bias


def freeze(*modules: nn.Module) -> None:
    for module in modules:
        module.requires_grad_(False)


def gradient(module: nn.Module) -> float:
    """Sum of the absolute gradients; -1 where a parameter has none."""
    gradients = [parameter.grad for parameter in module.parameters()]
    return -1.0 if any(value is None for value in gradients) else sum(value.abs().sum().item() for value in gradients)


# --- saving and loading


@pytest.mark.parametrize("model_type", MODEL_TYPES)
@pytest.mark.parametrize("cls", [CSRForSequenceClassification, CSRModel])
def test_round_trip(csr: Factory, tokens: Tokens, tmp_path: Path, cls: type, model_type: str) -> None:
    model = csr(model_type, sources=(model_type, "distilbert"))
    model = model if cls is CSRForSequenceClassification else model.csr
    model.save_pretrained(tmp_path)
    loaded, info = cls.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert not loaded.training
    torch.testing.assert_close(dict(loaded(**tokens)), dict(model(**tokens)), rtol=0, atol=0)


def test_loading_the_base_of_a_classifier_drops_the_classifier(csr: Factory, tokens: Tokens, tmp_path: Path) -> None:
    model = csr()
    model.save_pretrained(tmp_path)
    base, info = CSRModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert torch.equal(base(**tokens).common_space, model(**tokens).common_space)


def test_a_classifier_on_a_trained_common_space(csr: Factory, tokens: Tokens, tmp_path: Path) -> None:
    base = csr().csr
    base.save_pretrained(tmp_path)
    model, info = CSRForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY | {"missing_keys": {"classifier.weight", "classifier.bias"}}
    assert torch.equal(model(**tokens).common_space, base(**tokens).common_space)


def test_from_encoders_keeps_the_trained_parts(
    csr: Factory, multitask: Callable, siamese: Callable[..., SiameseModel], tokens: Tokens
) -> None:
    trained = siamese("electra", siamese_size=5, siamese_loss="contrastive", siamese_margin=2.0)
    source = multitask("roberta", tasks=("sentiment",)).multitask
    model = CSRForSequenceClassification.from_encoders(trained.emotion_encoder, [source], trained).eval()
    output = model.csr(**tokens)
    assert torch.equal(output.emotion_representation, trained.emotion_encoder(**tokens).representation)
    assert torch.equal(output.source_representations[0], source(**tokens).representation)
    for name, weight in trained.siamese.state_dict().items():
        assert torch.equal(model.csr.siamese.state_dict()[name], weight)
    assert model.config.siamese_size == 5
    assert model.config.siamese_loss == "contrastive"
    assert model.config.siamese_margin == 2.0


@pytest.mark.parametrize("level", ["text", "token"])
def test_from_common_space_keeps_it_for_other_labels(csr: Factory, tokens: Tokens, level: str) -> None:
    of_labels = {"thresholds": [0.1, 0.2, 0.3, 0.4], "class_weights": [1.0, 2.0, 3.0, 4.0], "label_loss": "asymmetric"}
    trained = csr(common_size=7, common_level=level, **of_labels)
    names = {"id2label": {0: "glad", 1: "sad"}, "label2id": {"glad": 0, "sad": 1}}
    single = {"problem_type": "single_label_classification"}
    model = CSRForSequenceClassification.from_common_space(trained.csr, **names, **single).eval()
    assert model(**tokens).logits.shape == (3, 2)
    assert torch.equal(model(**tokens).common_space, trained(**tokens).common_space)
    assert model.csr.state_dict().keys() == trained.csr.state_dict().keys()
    assert model.config.id2label == names["id2label"] and model.config.label2id == names["label2id"]
    assert model.config.thresholds is None and model.config.class_weights is None
    assert model.config.label_loss == "cross_entropy"
    assert model.config.common_size == 7 and model.config.common_level == level
    assert model.config.architectures == ["CSRModel"] and model.config.problem_type == single["problem_type"]


def test_from_common_space_leaves_what_it_came_from_alone(csr: Factory, tokens: Tokens) -> None:
    trained = csr()
    before = trained(**tokens).logits
    model = CSRForSequenceClassification.from_common_space(trained.csr, num_labels=2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    model.config.prediction_loss_weight = 0.5
    assert torch.equal(trained(**tokens).logits, before)
    assert trained.config.prediction_loss_weight == 1.0 and trained.config.num_labels == 4


# --- what a text becomes


def test_shapes_and_names(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr(sources=("distilbert", "electra"), common_size=7)
    output = model(**tokens, labels=labels["emotion"])
    assert output.logits.shape == (3, 4)
    assert output.common_space.shape == (3, 7)
    assert output.loss.shape == output.prediction_loss.shape == output.reconstruction_loss.shape == ()
    base = model.csr(**tokens)
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


def test_encoders_of_different_widths(multitask: Callable, tokens: Tokens, tmp_path: Path) -> None:
    emotion = multitask(shared_layer_sizes=[10], representation="shared").multitask
    source = multitask("roberta", shared_layer_sizes=[6], representation="shared").multitask
    model = CSRForSequenceClassification.from_encoders(emotion, [source]).eval()
    base = model.csr(**tokens)
    assert base.emotion_representation.shape == (3, 10)
    assert base.source_representations[0].shape == (3, 6)
    assert base.common_space.shape == (3, 5)
    logits = model(**tokens).logits
    model.save_pretrained(tmp_path)
    loaded = CSRForSequenceClassification.from_pretrained(tmp_path)
    assert torch.equal(loaded(**tokens).logits, logits)


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


# --- losses


def test_reconstruction_loss_by_hand(csr: Factory, tokens: Tokens) -> None:
    model = csr().csr
    output = model(**tokens)
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
    torch.testing.assert_close(output.reconstruction_loss, model.csr(**tokens).reconstruction_loss)
    expected = prediction * output.prediction_loss + reconstruction * output.reconstruction_loss
    torch.testing.assert_close(output.loss, expected)


def test_single_label_loss(csr: Factory, tokens: Tokens) -> None:
    labels = torch.tensor([3, 0, 1])
    output = csr(problem_type="single_label_classification")(**tokens, labels=labels)
    torch.testing.assert_close(output.prediction_loss, F.cross_entropy(output.logits, labels))


def test_without_labels_there_is_no_loss(csr: Factory, tokens: Tokens) -> None:
    output = csr()(**tokens)
    assert output.loss is None
    assert output.prediction_loss is None


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


# --- training


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


def test_bf16_autocast(csr: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = csr().train()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(**tokens, labels=labels["emotion"])
    assert output.logits.dtype == torch.bfloat16
    assert output.loss.dtype == output.reconstruction_loss.dtype == torch.float32
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())


def test_encoders_are_multitask_models(csr: Factory) -> None:
    model = csr()
    assert isinstance(model.csr.emotion_encoder, MultitaskModel)
    assert model.get_input_embeddings() is model.csr.emotion_encoder.get_input_embeddings()
