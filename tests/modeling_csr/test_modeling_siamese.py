from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from modeling_csr import SiameseModel
from modeling_csr.layers import SiameseNetwork
from tests.helpers.tiny_models import EMPTY, MODEL_TYPES, Tokens

Factory = Callable[..., SiameseModel]


@pytest.fixture
def pairs(tokens: Tokens) -> Tokens:
    """Texts 0 and 1, 1 and 2, 2 and 2: shape (3, 2, sequence)."""
    rows = torch.tensor([[0, 1], [1, 2], [2, 2]])
    return {name: value[rows] for name, value in tokens.items()}


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_round_trip(siamese: Factory, pairs: Tokens, tmp_path: Path, model_type: str) -> None:
    model = siamese(model_type, siamese_size=6)
    model.save_pretrained(tmp_path)
    loaded, info = SiameseModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert not loaded.training
    torch.testing.assert_close(dict(loaded(**pairs)), dict(model(**pairs)), rtol=0, atol=0)


# --- the distance


def test_distance_by_hand() -> None:
    first, second = torch.tensor([[3.0, 1.0], [0.0, 0.0]]), torch.tensor([[0.0, 5.0], [0.0, -2.0]])
    torch.testing.assert_close(SiameseNetwork.distance(first, second), torch.tensor([5.0, 2.0]))


def test_distance_is_that_of_the_projections(siamese: Factory, pairs: Tokens) -> None:
    model = siamese()
    output = model(**pairs)
    first, _, _, last = model.siamese.projection
    vectors = torch.stack(
        [model.emotion_encoder(pairs["input_ids"][:, i], pairs["attention_mask"][:, i])[0] for i in (0, 1)]
    )
    projected = F.gelu(vectors @ first.weight.T + first.bias) @ last.weight.T + last.bias
    torch.testing.assert_close(output.embeddings, projected.transpose(0, 1))
    by_hand = (projected[0] - projected[1]).norm(dim=1)
    torch.testing.assert_close(output.logits, by_hand)
    assert by_hand[:2].min() > 0.01


def test_distance_is_symmetric_and_never_negative(siamese: Factory) -> None:
    network = siamese().siamese
    first, second = torch.randn(50, 32), torch.randn(50, 32)
    distances = network(first, second)
    assert distances.shape == (50,)
    assert distances.min() > 0
    torch.testing.assert_close(network(second, first), distances)


def test_equal_inputs_are_at_distance_zero_with_a_finite_gradient(siamese: Factory) -> None:
    network = siamese().siamese
    first = torch.randn(4, 32, requires_grad=True)
    second = first.detach().clone().requires_grad_()
    distances = network(first, second)
    torch.testing.assert_close(distances, torch.zeros(4), rtol=0, atol=1e-5)
    distances.sum().backward()
    for values in (first.grad, second.grad, *(parameter.grad for parameter in network.parameters())):
        assert values.isfinite().all()


# --- inputs


def test_pairs_and_single_texts_give_the_same_vectors(siamese: Factory, tokens: Tokens, pairs: Tokens) -> None:
    model = siamese()
    single, paired = model(**tokens), model(**pairs)
    assert single.embeddings.shape == (3, 16)
    assert single.logits is None
    assert paired.embeddings.shape == (3, 2, 16)
    assert paired.logits.shape == (3,)
    torch.testing.assert_close(paired.embeddings, single.embeddings[torch.tensor([[0, 1], [1, 2], [2, 2]])])


def test_tokens_and_vectors_give_the_same_numbers(siamese: Factory, tokens: Tokens, pairs: Tokens) -> None:
    model, labels = siamese(), torch.tensor([1.0, 0.0, 0.0])
    representation = model.emotion_encoder(**tokens).representation
    torch.testing.assert_close(model(emotion_representation=representation).embeddings, model(**tokens).embeddings)
    vectors = representation[torch.tensor([[0, 1], [1, 2], [2, 2]])]
    from_vectors = model(emotion_representation=vectors, labels=labels)
    torch.testing.assert_close(dict(from_vectors), dict(model(**pairs, labels=labels)))


def test_token_types_of_pairs(siamese: Factory, pairs: Tokens) -> None:
    ones = torch.ones_like(pairs["input_ids"])
    for model_type, ignored in (("bert", False), ("distilbert", True)):
        model = siamese(model_type)
        same = torch.allclose(model(**pairs, token_type_ids=ones).embeddings, model(**pairs).embeddings)
        assert same == ignored


def test_labels_without_pairs_are_an_error(siamese: Factory, tokens: Tokens) -> None:
    with pytest.raises(ValueError, match="labels belong to pairs"):
        siamese()(**tokens, labels=torch.zeros(3))


def test_nothing_to_read_is_an_error(siamese: Factory) -> None:
    with pytest.raises(ValueError, match="Pass input_ids or emotion_representation"):
        siamese()(labels=torch.zeros(3))


# --- losses


def pairs_at(*distances: float) -> torch.Tensor:
    """Pairs of vectors of which the first is at the origin."""
    return torch.stack([torch.tensor([[0.0] * 32, [distance] + [0.0] * 31]) for distance in distances])


@pytest.mark.parametrize(
    ("options", "labels", "expected"),
    [
        # (0.5 - 0)^2, (0.5 - 1)^2, (3 - 1)^2
        ({}, [0.0, 1.0, 1.0], [0.25, 0.25, 4.0]),
        # A target that is graded by the overlap of the label sets.
        ({}, [0.5, 0.25, 1.0], [0.0, 0.0625, 4.0]),
        # 0.5^2, (2 - 0.5)^2, nothing beyond the margin
        ({"siamese_loss": "contrastive", "siamese_margin": 2.0}, [0.0, 1.0, 1.0], [0.25, 2.25, 0.0]),
        # 0.5^2, half of 0.5^2 and half of (2 - 0.5)^2, 3^2
        ({"siamese_loss": "contrastive", "siamese_margin": 2.0}, [0.0, 0.5, 0.0], [0.25, 1.25, 9.0]),
    ],
    ids=["regression", "regression, graded", "contrastive", "contrastive, graded"],
)
def test_losses_by_hand(siamese: Factory, options: dict, labels: list[float], expected: list[float]) -> None:
    model = siamese(**options)
    model.siamese.projection = torch.nn.Identity()
    output = model(emotion_representation=pairs_at(0.5, 0.5, 3.0), labels=torch.tensor(labels))
    torch.testing.assert_close(output.logits, torch.tensor([0.5, 0.5, 3.0]))
    assert output.loss.item() == pytest.approx(sum(expected) / 3, abs=1e-5)


def test_integer_labels_are_targets_too(siamese: Factory, pairs: Tokens) -> None:
    model = siamese()
    whole, fraction = torch.tensor([1, 0, 0]), torch.tensor([1.0, 0.0, 0.0])
    assert torch.equal(model(**pairs, labels=whole).loss, model(**pairs, labels=fraction).loss)


def test_parts_of_a_batch_add_up_to_the_whole(siamese: Factory, pairs: Tokens) -> None:
    model, labels = siamese(), torch.tensor([1.0, 1.0, 0.0])
    parts = [
        model(
            **{name: value[rows] for name, value in pairs.items()},
            labels=labels[rows],
            num_items_in_batch=torch.tensor(3),
        ).loss
        for rows in (slice(0, 1), slice(1, 3))
    ]
    torch.testing.assert_close(sum(parts), model(**pairs, labels=labels).loss)


def test_as_tuple(siamese: Factory, pairs: Tokens) -> None:
    model, labels = siamese(), torch.tensor([1.0, 1.0, 0.0])
    output = model(**pairs, labels=labels)
    loss, logits, embeddings = model(**pairs, labels=labels, return_dict=False)
    assert torch.equal(loss, output.loss), "the loss must come first, as in every model of transformers"
    assert torch.equal(logits, output.logits)
    assert torch.equal(embeddings, output.embeddings)


# --- training


@pytest.mark.parametrize("loss", ["regression", "contrastive"])
def test_training_moves_the_distances_towards_the_targets(siamese: Factory, pairs: Tokens, loss: str) -> None:
    model = siamese(siamese_loss=loss).train()
    model.emotion_encoder.requires_grad_(False)
    model.train()
    labels = torch.tensor([1.0, 0.0, 0.0])
    optimizer = torch.optim.Adam(model.siamese.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        model(**pairs, labels=labels).loss.backward()
        optimizer.step()
    distances = model(**pairs).logits
    assert distances[0] > 0.9
    assert distances[1] < 0.2


def test_the_frozen_encoder_stays_in_eval_mode(siamese: Factory) -> None:
    model = siamese()
    model.emotion_encoder.requires_grad_(False)
    model.train()
    assert not any(module.training for module in model.emotion_encoder.modules())
    assert all(module.training for module in model.siamese.modules())


def test_activation_checkpointing_and_bf16_autocast(siamese: Factory, pairs: Tokens) -> None:
    model = siamese().train()
    model.activation_checkpointing_enable()
    with torch.autocast("cpu", torch.bfloat16):
        output = model(**pairs, labels=torch.tensor([1.0, 0.0, 0.0]))
    assert output.loss.dtype == torch.float32
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
