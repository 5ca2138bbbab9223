import numpy as np
import pytest
import torch

from modeling_csr.layers import LabelAttention

SIZE, LABELS = 6, 3
LENGTHS = (5, 3, 1)


@pytest.fixture
def attention() -> LabelAttention:
    """With larger weights than the usual ones, so that the attention differs from a mean."""
    layer = LabelAttention(SIZE, LABELS)
    torch.nn.init.normal_(layer.query.weight)
    torch.nn.init.normal_(layer.output.weight)
    torch.nn.init.normal_(layer.output.bias)
    return layer


@pytest.fixture
def states() -> torch.Tensor:
    return torch.randn(len(LENGTHS), max(LENGTHS), SIZE)


@pytest.fixture
def mask() -> torch.Tensor:
    """The third text is one token long."""
    return (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS).unsqueeze(1)).long()


def by_hand(layer: LabelAttention, states: torch.Tensor) -> np.ndarray:
    """The logits of one text without padding, label by label: attention, mean of the states, linear map."""
    tokens = states.double().numpy()
    queries, weights, biases = (
        part.detach().double().numpy() for part in (layer.query.weight, layer.output.weight, layer.output.bias)
    )
    logits = []
    for query, weight, bias in zip(queries, weights, biases, strict=True):
        scores = np.array([query @ token for token in tokens])
        attention = np.exp(scores) / np.exp(scores).sum()
        summary = sum(share * token for share, token in zip(attention, tokens, strict=True))
        logits.append(weight @ summary + bias)
    return np.array(logits)


def test_logits_by_hand(attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor) -> None:
    with torch.no_grad():
        logits = attention(states, mask)
    assert logits.shape == (len(LENGTHS), LABELS)
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(logits[row].numpy(), by_hand(attention, states[row, :length]), atol=1e-5)


def test_attention_is_no_mean(attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor) -> None:
    with torch.no_grad():
        logits, mean = attention(states, mask), attention.output(states[0].mean(dim=0))
        assert (logits[0] - mean).abs().min() > 0.01
        torch.nn.init.zeros_(attention.query.weight)
        torch.testing.assert_close(attention(states, mask)[0], mean)


@pytest.mark.parametrize("side", ["right", "left"])
def test_padding_is_not_read(attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor, side: str) -> None:
    if side == "left":
        states, mask = states.flip(1), mask.flip(1)
    expected = attention(states, mask)
    # Large enough to take all attention, if it were read.
    changed = torch.where(mask.unsqueeze(-1) == 1, states, torch.full_like(states, 1e4))
    torch.testing.assert_close(attention(changed, mask), expected, rtol=0, atol=0)
    torch.testing.assert_close(attention(states, mask.bool()), expected, rtol=0, atol=0)


def test_text_of_one_token_is_read_as_by_a_linear_classifier(
    attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor
) -> None:
    torch.testing.assert_close(attention(states, mask)[2], attention.output(states[2, 0]))


@pytest.mark.parametrize("part", ["query.weight", "output.weight", "output.bias"])
def test_label_has_weights_of_its_own(
    attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor, part: str
) -> None:
    before = attention(states, mask).detach()
    with torch.no_grad():
        attention.get_parameter(part)[1] += 1.0
    moved = (attention(states, mask).detach() - before).abs()
    assert moved[:, [0, 2]].max() == 0
    # Where there is one token only, the attention has nothing to choose.
    assert moved[:2, 1].min() > 1e-3
    assert (moved[2, 1] < 1e-5) == (part == "query.weight")


def test_gradients_are_finite_and_do_not_reach_padding(
    attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor
) -> None:
    states.requires_grad_(True)
    attention(states, mask).square().sum().backward()
    for name, parameter in attention.named_parameters():
        assert parameter.grad.isfinite().all() and parameter.grad.abs().sum() > 0, name
    assert states.grad.isfinite().all()
    assert states.grad[mask == 0].abs().max() == 0
    assert states.grad[mask == 1].abs().sum(dim=-1).min() > 0


def test_bf16_weights_and_states(attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor) -> None:
    expected = attention(states, mask)
    logits = attention.to(torch.bfloat16)(states.to(torch.bfloat16), mask)
    assert logits.dtype == torch.float32, "the softmax and the sum over the tokens are computed in single precision"
    torch.testing.assert_close(logits, expected, rtol=0.03, atol=0.1)
    assert not torch.equal(logits, expected)


def test_attention_adds_up_to_one_in_bf16(attention: LabelAttention, states: torch.Tensor, mask: torch.Tensor) -> None:
    """What is the same for every token is read as it is, which half-precision shares would not give."""
    torch.nn.init.zeros_(attention.output.weight)
    torch.nn.init.ones_(attention.output.bias)
    logits = attention.to(torch.bfloat16)(states.to(torch.bfloat16), mask)
    torch.testing.assert_close(logits, torch.ones(len(LENGTHS), LABELS), rtol=0, atol=1e-6)
