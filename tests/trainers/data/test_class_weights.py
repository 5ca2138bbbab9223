"""Class weights against hand-computed ones, and in the loss of a run."""

import numpy as np
import pytest
import torch

from modeling_csr import CSRConfig, MultitaskConfig
from modeling_csr.losses import label_loss
from trainers.data.class_weights import class_weights

IDS = np.array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
HOT = np.array([[1, 0], [0, 0], [0, 0], [0, 0], [0, 1], [1, 1], [0, 1], [0, 0], [0, 1], [0, 0]], dtype=np.float32)


def test_single_label() -> None:
    # 10 / (2 * 8) and 10 / (2 * 2): both classes sum to 5.
    assert class_weights(IDS, ["a", "b"], "balanced") == pytest.approx([0.625, 2.5])
    # The roots stand as 1 to 2; their mean over the ten texts is 1: 8x + 2 * 2x = 10.
    assert class_weights(IDS, ["a", "b"], "sqrt") == pytest.approx([5 / 6, 5 / 3])


def test_multi_label() -> None:
    assert class_weights(HOT, ["a", "b"], "balanced") == pytest.approx([4.0, 1.5])
    assert class_weights(HOT, ["a", "b"], "sqrt") == pytest.approx([2.0, 1.5**0.5])


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 0, 1]), "no training text has the label 'c'"),
        (np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]), "no training text has the label 'c'"),
        (np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 1.0]]), "every training text has the label 'c'"),
    ],
)
def test_label_that_cannot_be_weighted(labels: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=f"--class_weights balanced: {message}"):
        class_weights(labels, ["a", "b", "c"], "balanced")


def test_weighted_loss_of_single_labels() -> None:
    logits, labels = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 1.0]]), torch.tensor([0, 1, -100])
    # ln 2 for each of the labelled two, weighted 1 and 3; the mean is over two texts, not over the weights.
    loss = label_loss(logits, labels, "single_label_classification", class_weights=[1.0, 3.0])
    assert loss.item() == pytest.approx(2 * np.log(2))


def test_weighted_loss_of_multi_label_texts() -> None:
    logits, labels = torch.zeros(1, 2), torch.tensor([[1.0, 0.0]])
    loss = label_loss(logits, labels, "multi_label_classification", class_weights=[5.0, 7.0])
    # Only positives are weighted.
    assert loss.item() == pytest.approx((5 + 1) * np.log(2) / 2)


def test_weighted_halves_add_up_to_the_whole() -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(6, 3), torch.tensor([0, 2, 1, 1, 0, 2])
    options = {"problem_type": "single_label_classification", "class_weights": [0.5, 2.0, 1.0]}
    parts = sum(label_loss(logits[rows], labels[rows], num_items=6, **options) for rows in (slice(0, 2), slice(2, 6)))
    torch.testing.assert_close(parts, label_loss(logits, labels, **options))


def test_configs_check_the_number_of_weights() -> None:
    task = {"labels": ["a", "b"], "problem_type": "multi_label_classification", "class_weights": [1.0]}
    with pytest.raises(ValueError, match="Task 'emotion' has 2 labels but 1 class_weights"):
        MultitaskConfig(tasks={"emotion": task})
    with pytest.raises(ValueError, match="2 labels but 3 class_weights"):
        CSRConfig(class_weights=[1.0, 1.0, 1.0], id2label={0: "a", 1: "b"}, label2id={"a": 0, "b": 1})


def test_texts_without_an_annotation_of_a_label_do_not_count_for_it() -> None:
    labels = np.array([[1, 0], [0, np.nan], [0, 1], [0, np.nan]])
    assert class_weights(labels, ["joy", "fear"], "balanced") == [3.0, 1.0]
