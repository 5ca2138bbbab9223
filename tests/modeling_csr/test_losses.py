import math

import pytest
import torch

from modeling_csr.losses import LABEL_LOSSES, correlation_losses, count_labelled, label_loss, labelled_rows

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


# -- other losses of several labels -----------------------------------------------------------------------------------

MULTI_LABEL = "multi_label_classification"
# Probabilities 1/2 and 3/4, of which the first label is there and the second is not.
ROW, HAS_FIRST = torch.tensor([[0.0, LN3]]), torch.tensor([[1.0, 0.0]])
OTHER_LOSSES = LABEL_LOSSES[1:]


def test_asymmetric_by_hand() -> None:
    # ln 2 of what is there; 3/4 is shifted to 0.7 for what is not.
    expected = (LN2 - 0.7**4 * math.log(0.3)) / 2
    assert label_loss(ROW, HAS_FIRST, MULTI_LABEL, kind="asymmetric").item() == pytest.approx(expected)
    weighted = label_loss(ROW, HAS_FIRST, MULTI_LABEL, class_weights=[3.0, 5.0], kind="asymmetric")
    assert weighted.item() == pytest.approx(expected + LN2)


def test_asymmetric_leaves_what_is_surely_absent_alone() -> None:
    logits = torch.tensor([[-3.0, -2.0]], requires_grad=True)  # probabilities 0.047 and 0.119
    label_loss(logits, torch.zeros(1, 2), MULTI_LABEL, kind="asymmetric").backward()
    assert logits.grad[0, 0] == 0 < logits.grad[0, 1]


@pytest.mark.parametrize("logit", [-200.0, 200.0])
@pytest.mark.parametrize("kind", LABEL_LOSSES)
def test_extreme_logits_have_finite_losses_and_gradients(kind: str, logit: float) -> None:
    logits = torch.full((2, 2), logit, requires_grad=True)
    loss = label_loss(logits, torch.tensor([[1.0, 0.0], [0.0, 0.0]]), MULTI_LABEL, kind=kind)
    loss.backward()
    assert loss.isfinite() and logits.grad.isfinite().all()


def test_correlation_by_hand() -> None:
    labels = torch.tensor([[1.0, 0.0, 0.0]])
    logits = torch.tensor([[0.0, LN3, 0.0]])
    pairs = (math.exp(0.75 - 0.5) + math.exp(0.5 - 0.5)) / 2
    assert correlation_losses(logits, labels, labels >= 0).tolist() == pytest.approx([pairs])
    # Binary cross-entropies ln 2, ln 4 and ln 2.
    expected = 0.8 * 4 * LN2 / 3 + 0.2 * pairs
    assert label_loss(logits, labels, MULTI_LABEL, kind="correlation").item() == pytest.approx(expected)


def test_correlation_is_the_mean_over_all_pairs() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(5, 6), (torch.rand(5, 6) < 0.4).float()
    labels[0], labels[1], labels[2, 3], labels[3, :2] = 0, 1, NAN, torch.tensor([1.0, 0.0])
    known = ~labels.isnan()
    found = correlation_losses(logits, labels.nan_to_num(), known)
    for text in range(5):
        has = [logit.sigmoid() for logit, label in zip(logits[text], labels[text], strict=True) if label == 1]
        lacks = [logit.sigmoid() for logit, label in zip(logits[text], labels[text], strict=True) if label == 0]
        pairs = [math.exp(p - q) for p in lacks for q in has]
        assert found[text].item() == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.0)
    assert found[:2].tolist() == [0.0, 0.0] and (found[2:] > 0).all()


@pytest.mark.parametrize("kind", OTHER_LOSSES)
def test_other_losses_of_parts_add_up_and_leave_out_what_is_missing(kind: str) -> None:
    labels = torch.tensor([[1.0, 0.0], [NAN, NAN], [0.0, 1.0]])
    logits = LOGITS.clone().requires_grad_()
    whole = label_loss(logits, labels, MULTI_LABEL, kind=kind)
    parts = [label_loss(LOGITS[rows], labels[rows], MULTI_LABEL, 2, kind=kind) for rows in ([0], [1, 2])]
    torch.testing.assert_close(sum(parts), whole.detach())
    whole.backward()
    assert logits.grad[1].tolist() == [0.0, 0.0] and logits.grad[[0, 2]].ne(0).all()


@pytest.mark.parametrize("kind", OTHER_LOSSES)
def test_soft_targets_lie_between_hard_ones(kind: str) -> None:
    def loss(label: float) -> float:
        return label_loss(ROW, torch.tensor([[1.0, label]]), MULTI_LABEL, kind=kind).item()

    low, middle, high = sorted([loss(0.0), loss(0.5), loss(1.0)])
    assert middle == loss(0.5) and low < middle < high


@pytest.mark.parametrize("kind", OTHER_LOSSES)
def test_other_losses_can_be_learnt_from(kind: str) -> None:
    logits = torch.zeros(3, 4, requires_grad=True)
    labels = torch.tensor([[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        label_loss(logits, labels, MULTI_LABEL, kind=kind).backward()
        optimizer.step()
    assert torch.equal((logits > 0).float(), labels)


@pytest.mark.parametrize(
    ("problem_type", "kind", "message"),
    [
        (MULTI_LABEL, "focal", "label_loss must be one of .*, got 'focal'"),
        ("single_label_classification", "asymmetric", 'label_loss="asymmetric" needs .* got \'single_label'),
        ("regression", "correlation", 'label_loss="correlation" needs .* got \'regression'),
    ],
)
def test_losses_that_do_not_fit_are_an_error(problem_type: str, kind: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        label_loss(LOGITS, CASES[problem_type][0], problem_type, kind=kind)
