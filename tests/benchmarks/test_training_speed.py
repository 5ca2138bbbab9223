"""The floor of a training step, worked out by hand, and what is measured where."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from benchmarks import training_speed
from benchmarks.machine import matrix_speed, matrix_weights
from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run


def test_weights_that_every_token_meets() -> None:
    # Not the embeddings, which are looked up, and no biases.
    model = nn.ModuleList([nn.Embedding(7, 3), nn.Linear(3, 4), nn.LSTM(5, 6)])
    assert matrix_weights(model) == 3 * 4 + 4 * 6 * (5 + 6)


def test_speed_is_a_number_of_operations() -> None:
    small, large = (matrix_speed(rows=2, width=width, hidden=width, dtype=torch.float32) for width in (1, 256))
    assert 0 < small < large


def test_work_of_a_step(tmp_path: Path) -> None:
    encoder = tiny_run.write_encoder(tmp_path)
    task = {"labels": ["no", "yes"], "problem_type": "multi_label_classification"}
    model = MultitaskForSequenceClassification.from_encoder(str(encoder), {"emotion": task})
    rows = {"input_ids": [[1] * 3, [1] * 5]}
    args = SimpleNamespace(train_batch_size=8)
    weights = 4 * 16 * 16 + 2 * 16 * 32  # attention, and the two layers behind it
    tokens = 8 * 4
    assert training_speed.step_work(SimpleNamespace(train_dataset=rows, model=model, args=args)) == 6 * weights * tokens
    model.multitask.encoder.encoder.layer[0].intermediate.requires_grad_(False)
    frozen = 16 * 32
    found = training_speed.step_work(SimpleNamespace(train_dataset=rows, model=model, args=args))
    assert found == (6 * (weights - frozen) + 4 * frozen) * tokens


def test_bf16_is_left_to_machines_that_multiply_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_speed, "supports_fast_bf16", lambda: True)
    assert list(training_speed.settings()) == list(training_speed.STEPS)
    monkeypatch.setattr(training_speed, "supports_fast_bf16", lambda: False)
    left_out = set(training_speed.STEPS) - set(training_speed.settings())
    assert left_out == {"bf16 autocast", "+ bf16 copy of the weights instead of autocast"}
