import pytest
import torch

from modeling_csr.pooling import POOLING_MODES, pool

# Two texts: of three tokens, and of one.
STATES = torch.tensor([[[1.0, 8.0], [2.0, 6.0], [6.0, 1.0]], [[4.0, 5.0], [90.0, 90.0], [90.0, 90.0]]])
MASK = torch.tensor([[1, 1, 1], [1, 0, 0]])


EXPECTED = {
    "mean": [[3.0, 5.0], [4.0, 5.0]],
    "cls": [[1.0, 8.0], [4.0, 5.0]],
    "max": [[6.0, 8.0], [4.0, 5.0]],
}


@pytest.mark.parametrize(("mode", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_padding_has_no_part_in_the_vector(mode: str, expected: list) -> None:
    torch.testing.assert_close(pool(STATES, MASK, mode), torch.tensor(expected))
    # Padded on the left.
    torch.testing.assert_close(pool(STATES.roll(2, dims=1), MASK.roll(2, dims=1), mode)[1], torch.tensor(expected[1]))


@pytest.mark.parametrize("mode", POOLING_MODES)
@pytest.mark.parametrize("dtype", [torch.long, torch.bool, torch.float32])
def test_masks_of_any_type(mode: str, dtype: torch.dtype) -> None:
    torch.testing.assert_close(pool(STATES, MASK.to(dtype), mode), pool(STATES, MASK, mode))


@pytest.mark.parametrize("mode", POOLING_MODES)
def test_a_text_without_tokens_is_finite(mode: str) -> None:
    assert pool(STATES, torch.zeros_like(MASK), mode).isfinite().all()


@pytest.mark.parametrize("mode", POOLING_MODES)
def test_half_precision_stays_half_precision(mode: str) -> None:
    assert pool(STATES.bfloat16(), MASK, mode).dtype == torch.bfloat16


def test_gradients_reach_the_tokens_and_no_padding() -> None:
    states = STATES.clone().requires_grad_()
    pool(states, MASK, "mean").sum().backward()
    expected = torch.tensor([[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(states.grad, expected.unsqueeze(-1).expand(2, 3, 2))


def test_unknown_pooling_is_an_error() -> None:
    with pytest.raises(ValueError, match="pooling must be one of mean, cls, max, got 'sum'"):
        pool(STATES, MASK, "sum")


def test_the_largest_value_may_be_negative() -> None:
    """What stands at padding is zero in some encoders, and no value of the text."""
    states = torch.tensor([[[-3.0], [-1.0], [0.0]]])
    assert pool(states, torch.tensor([[1, 1, 0]]), "max").item() == -1.0
