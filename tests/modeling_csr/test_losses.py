import math

import pytest
import torch

from modeling_csr.losses import count_labelled, label_loss, labelled_rows

NAN = float("nan")
LN2, LN3 = math.log(2), math.log(3)
# sigmoid(0) = 1/2 and sigmoid(ln 3) = 3/4; softmax(0, ln 3) = (1/4, 3/4)
LOGITS = torch.tensor([[0.0, LN3], [LN3, 0.0], [0.0, 0.0]])
CASES = {
    # rows: (ln 2 + ln 4) / 2, (ln 4 + ln 2) / 2, (ln 2 + ln 2) / 2
    "multi_label_classification": (torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), [1.5 * LN2, 1.5 * LN2, LN2]),
    # rows: -ln 3/4, -ln 1/4, -ln 1/2
    "single_label_classification": (torch.tensor([1, 1, 0]), [2 * LN2 - LN3, 2 * LN2, LN2]),
    # rows: (1 + 0) / 2, (0 + 4) / 2, (0.25 + 0.25) / 2
    "regression": (torch.tensor([[1.0, LN3], [LN3, 2.0], [0.5, -0.5]]), [0.5, 2.0, 0.25]),
}
PROBLEM_TYPES = list(CASES)


def masked(labels: torch.Tensor, rows: list[int]) -> torch.Tensor:
    labels = labels.clone()
    labels[rows] = NAN if labels.is_floating_point() else -100
    return labels


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_by_hand(problem_type: str) -> None:
    labels, losses = CASES[problem_type]
    assert label_loss(LOGITS, labels, problem_type).item() == pytest.approx(sum(losses) / 3)


def test_regression_of_one_score_takes_flat_labels() -> None:
    loss = label_loss(torch.tensor([[0.5], [0.0]]), torch.tensor([0.0, 1.0]), "regression")
    assert loss.item() == pytest.approx((0.25 + 1) / 2)


def test_multi_hot_integers_count_as_floats() -> None:
    labels, losses = CASES["multi_label_classification"]
    loss = label_loss(LOGITS, masked(labels.long(), [1]), "multi_label_classification")
    assert loss.item() == pytest.approx((losses[0] + losses[2]) / 2)


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_rows_without_label_add_nothing(problem_type: str) -> None:
    labels, losses = CASES[problem_type]
    logits = LOGITS.clone().requires_grad_()
    loss = label_loss(logits, masked(labels, [1]), problem_type)
    assert loss.item() == pytest.approx((losses[0] + losses[2]) / 2)
    loss.backward()
    assert logits.grad[1].tolist() == [0.0, 0.0]
    assert logits.grad[[0, 2]].abs().sum() > 0


@pytest.mark.parametrize("num_items", [None, 3, torch.tensor(3)], ids=repr)
@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_a_batch_without_any_label_has_loss_and_gradient_zero(
    problem_type: str, num_items: torch.Tensor | int | None
) -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = label_loss(logits, masked(CASES[problem_type][0], [0, 1, 2]), problem_type, num_items)
    assert loss.item() == 0
    loss.backward()
    assert logits.grad.tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize("num_items", [0, torch.tensor(0)], ids=repr)
def test_nor_is_it_nan_where_the_whole_global_batch_has_no_label(num_items: torch.Tensor | int) -> None:
    logits = LOGITS.clone().requires_grad_()
    loss = label_loss(logits, torch.full((3,), -100), "single_label_classification", num_items)
    assert loss.item() == 0
    loss.backward()
    assert logits.grad.tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize("number", [int, torch.tensor], ids=["int", "tensor"])
@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_parts_of_a_batch_add_up_to_the_whole(problem_type: str, number: type) -> None:
    labels = masked(CASES[problem_type][0], [1])
    whole = label_loss(LOGITS, labels, problem_type)
    # Parts of different sizes and with different numbers of labels: means of means would differ.
    parts = [label_loss(LOGITS[rows], labels[rows], problem_type, number(2)) for rows in ([0, 1], [2])]
    torch.testing.assert_close(sum(parts), whole)


@pytest.mark.parametrize("problem_type", PROBLEM_TYPES)
def test_half_precision_logits_give_a_single_precision_loss(problem_type: str) -> None:
    assert label_loss(LOGITS.bfloat16(), CASES[problem_type][0], problem_type).dtype == torch.float32


def test_unknown_problem_type_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"problem_type must be one of .* got 'ranking'"):
        label_loss(LOGITS, torch.zeros(3), "ranking")


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (torch.tensor([0, -100, 2]), [True, False, True]),
        (torch.tensor([0.5, NAN]), [True, False]),
        (torch.tensor([[1.0, 0.0], [NAN, NAN], [1.0, NAN]]), [True, False, False]),
        (torch.tensor([[1, 0], [-100, -100]]), [True, False]),
    ],
    ids=["class ids", "scores", "multi-hot floats", "multi-hot integers"],
)
def test_labelled_rows(labels: torch.Tensor, expected: list[bool]) -> None:
    assert labelled_rows(labels).tolist() == expected


# -- rows that carry some of a task's labels -------------------------------------------------------------------------

# Squared errors: 1 and none, none and 4, 0.25 and 0.25; binary cross-entropies of the logits 0: ln 2 each.
PARTIAL = {
    "regression": (torch.tensor([[1.0, NAN], [NAN, 2.0], [0.5, -0.5]]), [1.0, 4.0, 0.25, 0.25]),
    "multi_label_classification": (torch.tensor([[1.0, NAN], [NAN, 0.0], [1.0, 1.0]]), [LN2] * 4),
}


@pytest.mark.parametrize("problem_type", PARTIAL)
def test_mean_goes_over_the_labels_that_are_there(problem_type: str) -> None:
    labels, losses = PARTIAL[problem_type]
    logits = LOGITS.clone().requires_grad_()
    loss = label_loss(logits, labels, problem_type)
    assert loss.item() == pytest.approx(sum(losses) / 4)
    loss.backward()
    assert torch.equal(logits.grad == 0, labels.isnan())


@pytest.mark.parametrize("problem_type", PARTIAL)
@pytest.mark.parametrize("parts", [([0], [1], [2]), ([2, 0], [1])])
def test_parts_with_some_labels_add_up_to_the_whole(problem_type: str, parts: tuple[list[int], ...]) -> None:
    labels, _ = PARTIAL[problem_type]
    total = sum(count_labelled(labels[rows]) for rows in parts)
    assert total.item() == 2  # two half rows and a whole one
    shares = [label_loss(LOGITS[rows], labels[rows], problem_type, total) for rows in parts]
    torch.testing.assert_close(sum(shares), label_loss(LOGITS, labels, problem_type))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (torch.tensor([0, -100, 2]), 2),
        (torch.tensor([0.5, NAN]), 1),
        (torch.tensor([[0.1, NAN, NAN, NAN], [0.2, 0.3, NAN, NAN]]), 0.75),
        (torch.full((2, 3), NAN), 0),
    ],
    ids=["class ids", "one score", "some scores", "none"],
)
def test_count_labelled(labels: torch.Tensor, expected: float) -> None:
    assert count_labelled(labels).item() == expected
