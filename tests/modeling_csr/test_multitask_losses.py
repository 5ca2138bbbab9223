"""The losses of several tasks, and of rows that have labels of some of them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers.tiny_models import Tokens

ALL_TASKS = ("emotion", "sentiment", "intensity")
Factory = Callable[..., MultitaskForSequenceClassification]
NAN = float("nan")


def test_labels_of_the_main_task_as_a_tensor(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask(tasks=("emotion", "sentiment"), main_task="sentiment")
    output = model(**tokens, labels=labels["sentiment"])
    expected = nn.functional.cross_entropy(output.logits, labels["sentiment"])
    torch.testing.assert_close(output.loss, expected)
    assert list(output.task_losses) == ["sentiment"]
    assert torch.equal(output.logits, output.task_logits["sentiment"])


def test_the_loss_is_the_weighted_sum_of_the_tasks_losses(
    tiny_encoder: Callable[[str], Path], tokens: Tokens, labels: Tokens, tasks: dict
) -> None:
    tasks["sentiment"]["loss_weight"] = 0.5
    tasks["intensity"]["loss_weight"] = 2
    model = MultitaskForSequenceClassification.from_encoder(str(tiny_encoder("bert")), tasks).eval()
    output = model(**tokens, labels=labels)
    logits = output.task_logits
    expected = {
        "emotion": nn.functional.binary_cross_entropy_with_logits(logits["emotion"], labels["emotion"]),
        "sentiment": nn.functional.cross_entropy(logits["sentiment"], labels["sentiment"]),
        "intensity": (logits["intensity"] - labels["intensity"]).square().mean(),
    }
    assert list(output.task_losses) == list(ALL_TASKS)
    for task, value in expected.items():
        torch.testing.assert_close(output.task_losses[task], value)
    total = expected["emotion"] + 0.5 * expected["sentiment"] + 2 * expected["intensity"]
    torch.testing.assert_close(output.loss, total)


def test_tasks_without_labels_are_left_out(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask(tasks=ALL_TASKS)
    output = model(**tokens, labels={"intensity": labels["intensity"]})
    assert list(output.task_losses) == ["intensity"]
    torch.testing.assert_close(output.loss, output.task_losses["intensity"])


def test_rows_without_a_label_of_a_task(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    """Data of several sources: each row has the labels of one task."""
    model = multitask(tasks=("emotion", "sentiment"))
    labels["emotion"][1:] = NAN
    labels["sentiment"][0] = -100
    output = model(**tokens, labels=labels)
    logits = output.task_logits
    emotion = nn.functional.binary_cross_entropy_with_logits(logits["emotion"][:1], labels["emotion"][:1])
    sentiment = nn.functional.cross_entropy(logits["sentiment"][1:], labels["sentiment"][1:])
    torch.testing.assert_close(output.task_losses["emotion"], emotion)
    torch.testing.assert_close(output.task_losses["sentiment"], sentiment)


def test_a_batch_without_any_label_of_a_task(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask(tasks=("emotion", "sentiment"))
    labels["emotion"][:] = NAN
    output = model(**tokens, labels=labels)
    assert output.task_losses["emotion"] == 0
    torch.testing.assert_close(output.loss, output.task_losses["sentiment"])
    output.loss.backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters() if parameter.grad is not None)
    assert model.heads["emotion"].weight.grad.abs().sum() == 0
    assert model.heads["sentiment"].weight.grad.abs().sum() > 0


def test_parts_of_a_batch_add_up_to_the_whole(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model = multitask(tasks=ALL_TASKS)
    labels["emotion"][1] = NAN
    labels["sentiment"][:2] = -100
    whole = model(**tokens, labels=labels)
    counts = {"emotion": torch.tensor(2), "sentiment": torch.tensor(1), "intensity": torch.tensor(3)}
    parts = [
        model(
            **{name: value[rows] for name, value in tokens.items()},
            labels={name: value[rows] for name, value in labels.items()},
            num_items_in_batch=counts,
        )
        for rows in (slice(0, 2), slice(2, 3))
    ]
    torch.testing.assert_close(sum(part.loss for part in parts), whole.loss)
    for task in ALL_TASKS:
        torch.testing.assert_close(sum(part.task_losses[task] for part in parts), whole.task_losses[task])


def test_parts_of_a_batch_of_one_task_add_up_to_the_whole(multitask: Factory, tokens: Tokens, labels: Tokens) -> None:
    model, whole = multitask(), labels["emotion"]
    parts = [
        model(
            **{name: value[rows] for name, value in tokens.items()},
            labels=whole[rows],
            num_items_in_batch=torch.tensor(3),
        ).loss
        for rows in (slice(0, 1), slice(1, 3))
    ]
    torch.testing.assert_close(sum(parts), model(**tokens, labels=whole).loss)


def test_labels_of_an_unknown_task_are_an_error(multitask: Factory, tokens: Tokens) -> None:
    model = multitask(tasks=ALL_TASKS)
    for labels in ({"mood": torch.zeros(len(tokens["input_ids"]))}, {}):
        with pytest.raises(ValueError, match="the tasks are"):
            model(**tokens, labels=labels)
