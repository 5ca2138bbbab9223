"""Weights of tasks that are learnt with the model (Kendall, Gal and Cipolla 2018)."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from modeling_csr import MultitaskConfig, MultitaskForSequenceClassification, MultitaskModel
from modeling_csr.losses import count_labelled
from tests.helpers.tiny_models import EMPTY, Tokens

TASKS = ("emotion", "sentiment", "intensity")
NAN = float("nan")
Factory = Callable[..., MultitaskForSequenceClassification]


@pytest.fixture
def learned(multitask: Factory) -> MultitaskForSequenceClassification:
    model = multitask(tasks=TASKS, task_weighting="uncertainty")
    with torch.no_grad():
        for task, value in zip(TASKS, (0.0, math.log(2), -math.log(4)), strict=True):
            model.log_variances[task].fill_(value)
    return model


def values(model: MultitaskForSequenceClassification) -> dict[str, float]:
    return {task: value.item() for task, value in model.log_variances.items()}


def test_loss_by_hand(learned: MultitaskForSequenceClassification, tokens: Tokens, labels: Tokens) -> None:
    output = learned(**tokens, labels=labels)
    emotion, sentiment, intensity = (output.task_losses[task] for task in TASKS)
    # exp(-s) L + s / 2, of a squared error half of the first
    expected = emotion + (sentiment / 2 + math.log(2) / 2) + (4 * intensity / 2 - math.log(4) / 2)
    torch.testing.assert_close(output.loss, expected)


def test_variance_is_that_of_the_errors_where_the_loss_is_least(
    learned: MultitaskForSequenceClassification, tokens: Tokens, labels: Tokens
) -> None:
    error = learned(**tokens, labels={"intensity": labels["intensity"]}).task_losses["intensity"].detach()
    with torch.no_grad():
        learned.log_variances["intensity"].copy_(error.log())
    learned(**tokens, labels={"intensity": labels["intensity"]}).loss.backward()
    assert learned.log_variances["intensity"].grad.item() == pytest.approx(0, abs=1e-6)


def test_parts_of_a_batch_add_up_to_the_whole(
    learned: MultitaskForSequenceClassification, tokens: Tokens, labels: Tokens
) -> None:
    """Losses and gradients, those of the weights too: the term that keeps a variance small counts once."""
    labels["sentiment"][0] = -100
    labels["intensity"][1, 0] = NAN
    counts = {task: count_labelled(value) for task, value in labels.items()}

    def run(rows: list[int], **options: Any) -> torch.Tensor:
        part = {name: value[rows] for name, value in tokens.items()}
        loss = learned(**part, labels={task: value[rows] for task, value in labels.items()}, **options).loss
        loss.backward()
        return loss.detach()

    whole = run([0, 1, 2])
    expected = {name: value.grad.clone() for name, value in learned.named_parameters() if value.grad is not None}
    learned.zero_grad()
    parts = sum(run(rows, num_items_in_batch=counts) for rows in ([0], [1, 2]))
    torch.testing.assert_close(parts, whole)
    for name, gradient in expected.items():
        torch.testing.assert_close(learned.get_parameter(name).grad, gradient, msg=lambda text, n=name: n + text)
    assert all(expected[f"log_variances.{task}"].abs() > 0 for task in TASKS)


def test_task_without_labels_leaves_its_weight_alone(
    learned: MultitaskForSequenceClassification, tokens: Tokens, labels: Tokens
) -> None:
    labels["intensity"].fill_(NAN)
    counts = {task: count_labelled(value) for task, value in labels.items()}
    for options in ({}, {"num_items_in_batch": counts}):
        learned.zero_grad()
        learned(**tokens, labels=labels, **options).loss.backward()
        gradients = [learned.log_variances[task].grad for task in TASKS]
        assert gradients[2] == 0 and gradients[0] != 0 and gradients[1] != 0


# -- saving and loading ------------------------------------------------------------------------------------------------


def test_weights_survive_the_round_trip(
    learned: MultitaskForSequenceClassification, tokens: Tokens, labels: Tokens, tmp_path: Path
) -> None:
    learned.save_pretrained(tmp_path)
    loaded, info = MultitaskForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert values(loaded) == values(learned)
    assert torch.equal(loaded(**tokens, labels=labels).loss, learned(**tokens, labels=labels).loss)
    base, info = MultitaskModel.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY
    assert torch.equal(base(**tokens).representation, learned(**tokens).representation)


def test_weights_survive_in_a_process_without_this_package(
    learned: MultitaskForSequenceClassification, tmp_path: Path, fresh_python: Callable[..., str]
) -> None:
    learned.save_pretrained(tmp_path)
    code = """
import sys
from transformers import AutoModelForSequenceClassification
model = AutoModelForSequenceClassification.from_pretrained(sys.argv[1], trust_remote_code=True)
print("values", *(f"{name} {value.item()}" for name, value in sorted(model.log_variances.items())))
"""
    found = next(line for line in fresh_python(code, tmp_path).splitlines() if line.startswith("values")).split()[1:]
    assert dict(zip(found[::2], map(float, found[1::2]), strict=True)) == values(learned)


def test_checkpoints_from_before_have_none(multitask: Factory, tmp_path: Path) -> None:
    model = multitask(tasks=TASKS)
    assert not [name for name in model.state_dict() if "variance" in name]
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    config.pop("task_weighting", None)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    loaded, info = MultitaskForSequenceClassification.from_pretrained(tmp_path, output_loading_info=True)
    assert info == EMPTY and loaded.log_variances is None and loaded.config.task_weighting == "fixed"


def test_weights_that_a_checkpoint_lacks_start_at_one(multitask: Factory, tmp_path: Path) -> None:
    multitask(tasks=TASKS).save_pretrained(tmp_path)
    config = MultitaskConfig.from_pretrained(tmp_path)
    config.task_weighting = "uncertainty"
    loaded = MultitaskForSequenceClassification.from_pretrained(tmp_path, config=config)
    assert values(loaded) == dict.fromkeys(TASKS, 0.0)


def test_unknown_weighting_is_an_error(multitask: Factory) -> None:
    with pytest.raises(ValueError, match="task_weighting must be one of fixed, uncertainty, got 'size'"):
        multitask(tasks=TASKS, task_weighting="size")
