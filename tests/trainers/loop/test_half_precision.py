"""Forward and backward on a bf16 copy of weights that stay in single precision."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers.evaluation.inference import predict_logits
from trainers.loop.half_precision import HalfPrecisionForward
from trainers.trainer import StageTrainer

run_csr = tiny_run.example("run_csr").main

MODEL_TYPES = ("bert", "roberta", "distilbert", "mpnet", "modernbert", "electra")
# bf16 has 8 bits of mantissa: one rounding is off by up to 1 / 256 of the value.
BF16_EPSILON = 2.0**-8


@pytest.fixture
def linear() -> nn.Linear:
    torch.manual_seed(1)
    return nn.Linear(6, 3)


@pytest.fixture
def inputs() -> dict[str, torch.Tensor]:
    torch.manual_seed(2)
    return {"input": torch.randn(5, 6)}


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    return ((found - expected).norm() / expected.norm()).item()


# -- one forward pass -------------------------------------------------------------------------------------------------


def test_it_computes_in_bf16_and_leaves_the_weights(linear: nn.Linear, inputs: dict[str, torch.Tensor]) -> None:
    before = {name: value.clone() for name, value in linear.state_dict().items()}
    output = HalfPrecisionForward()(linear, inputs)
    assert output.dtype == torch.bfloat16
    expected = nn.functional.linear(
        inputs["input"].bfloat16(), linear.weight.detach().bfloat16(), linear.bias.detach().bfloat16()
    )
    assert torch.equal(output, expected)
    # The model is as it was, and by itself computes in single precision.
    for name, parameter in linear.named_parameters():
        assert isinstance(parameter, nn.Parameter) and torch.equal(parameter, before[name])
    assert linear(**inputs).dtype == inputs["input"].dtype == torch.float32


def test_gradients_are_those_of_the_weights_in_single_precision(
    linear: nn.Linear, inputs: dict[str, torch.Tensor]
) -> None:
    HalfPrecisionForward()(linear, inputs).float().square().sum().backward()
    found = [parameter.grad for parameter in linear.parameters()]
    linear.zero_grad()
    linear(**inputs).square().sum().backward()
    for half, parameter in zip(found, linear.parameters(), strict=True):
        assert half.dtype == torch.float32
        assert 0 < relative_error(half, parameter.grad) < 3 * BF16_EPSILON


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_gradients_of_encoders_are_close(tiny_encoder: Callable[[str], Path], model_type: str) -> None:
    tasks = {"emotion": {"labels": ["a", "b", "c"], "problem_type": "multi_label_classification"}}
    model = MultitaskForSequenceClassification.from_encoder(str(tiny_encoder(model_type)), tasks).eval()
    batch = dict(
        AutoTokenizer.from_pretrained(tiny_encoder(model_type))(
            ["what a day", "i am so happy for her today"], padding=True, return_tensors="pt"
        )
    )
    batch["labels"] = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])
    gradients = []
    for forward in (HalfPrecisionForward(), lambda model, inputs: model(**inputs)):
        model.zero_grad()
        outputs = forward(model, batch)
        outputs.loss.backward()
        gradients.append(
            {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
        )
    assert outputs.logits.dtype == torch.float32
    assert gradients[0].keys() == gradients[1].keys()
    assert {value.dtype for value in gradients[0].values()} == {torch.float32}
    whole = [torch.cat([value.flatten() for value in each.values()]) for each in gradients]
    # Two layers with a dozen roundings each.
    assert relative_error(*whole) < 12 * BF16_EPSILON


def test_labels_are_not_rounded() -> None:
    class Loss(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, states: tuple[torch.Tensor, ...], rows: torch.Tensor, labels: torch.Tensor) -> Any:
            return [state.dtype for state in states], rows, labels

    # 1.001 is no number of bf16.
    labels, rows = torch.tensor([1.001]), torch.tensor([3])
    states, found_rows, found_labels = HalfPrecisionForward()(
        Loss(), {"states": (torch.ones(2), torch.ones(2)), "rows": rows, "labels": labels}
    )
    assert states == [torch.bfloat16] * 2
    assert found_rows is rows and found_labels is labels


# -- many steps -------------------------------------------------------------------------------------------------------


def test_steps_that_bf16_would_round_away_add_up() -> None:
    """The point of weights in single precision."""
    step, steps = 1e-4, 200
    model, rounded = nn.Linear(1, 1, bias=False), torch.ones(1, dtype=torch.bfloat16)
    with torch.no_grad():
        model.weight.fill_(1.0)
    optimizer, forward = torch.optim.SGD(model.parameters(), lr=step), HalfPrecisionForward()
    for _ in range(steps):
        optimizer.zero_grad()
        forward(model, {"input": torch.ones(1, 1)}).sum().backward()  # the gradient is 1
        optimizer.step()
        rounded -= step * torch.ones_like(rounded)
    assert model.weight.item() == pytest.approx(1 - step * steps, abs=1e-5)
    assert rounded.item() == 1.0
    # And what it computes with has moved, too.
    assert forward(model, {"input": torch.ones(1, 1)}).item() == pytest.approx(0.98, abs=BF16_EPSILON)


OPTIMIZERS = {
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.1),
    # The Trainer's default. It does not count the version of what it changes up.
    "fused-adamw": lambda parameters: torch.optim.AdamW(parameters, lr=0.1, fused=True),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_evaluation_sees_each_step(name: str, linear: nn.Linear, inputs: dict[str, torch.Tensor]) -> None:
    forward, optimizer = HalfPrecisionForward(), OPTIMIZERS[name](linear.parameters())
    seen = []
    for _ in range(3):
        with torch.no_grad():
            output = forward(linear, inputs)
            weights = [value.bfloat16() for value in linear.parameters()]
            assert torch.equal(output, nn.functional.linear(inputs["input"].bfloat16(), *weights))
        seen.append(output)
        optimizer.zero_grad()
        forward(linear, inputs).float().square().sum().backward()
        optimizer.step()
    assert not torch.equal(seen[0], seen[1]) and not torch.equal(seen[1], seen[2])


def test_frozen_weights_have_no_gradient_and_follow_changes(linear: nn.Linear, inputs: dict[str, torch.Tensor]) -> None:
    linear.weight.requires_grad_(False)
    forward = HalfPrecisionForward()
    forward(linear, inputs).float().sum().backward()
    assert linear.weight.grad is None and linear.bias.grad is not None

    def expected() -> torch.Tensor:
        return nn.functional.linear(inputs["input"].bfloat16(), linear.weight.bfloat16(), linear.bias.bfloat16())

    # As loading a checkpoint does; a copy that was made before would be stale.
    with torch.no_grad():
        linear.weight.mul_(2)
    assert torch.equal(forward(linear, inputs), expected())
    linear.load_state_dict({"weight": torch.full((3, 6), 0.3), "bias": torch.zeros(3)})
    assert torch.equal(forward(linear, inputs), expected())
    linear.weight = nn.Parameter(torch.full((3, 6), 0.7), requires_grad=False)
    assert torch.equal(forward(linear, inputs), expected())


def test_frozen_weights_are_copied_once(linear: nn.Linear, inputs: dict[str, torch.Tensor]) -> None:
    linear.requires_grad_(False)
    forward, used = HalfPrecisionForward(), []
    linear.register_forward_hook(lambda module, *_: used.append(module.weight.data_ptr()))
    for _ in range(3):
        forward(linear, inputs)
    assert len(set(used)) == 1 and used[0] != linear.weight.data_ptr()


# -- the Trainer ------------------------------------------------------------------------------------------------------


def run(tiny: ModuleType, kind: str, folder: Path, batch: int, accumulate: int = 1, **options: Any) -> StageTrainer:
    options = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulate, **options}
    trainer = tiny.trainer(kind, folder, bf16_weights=True, **options)
    trainer.train()
    return trainer


def changes(tiny: ModuleType, trainer: StageTrainer, kind: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """By parameter, its value and how far training has moved it."""
    start = tiny.trained_weights(tiny.trainer(kind, trainer.args.output_dir).model)
    for name, value in tiny.trained_weights(trainer.model).items():
        assert value.dtype == torch.float32
        yield value, value - start[name]


@pytest.mark.parametrize("kind", ["one-task", "two-tasks", "siamese", "csr", "csr-tokens"])
def test_training_is_close_to_that_in_single_precision(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    half = run(tiny, kind, tmp_path, 8)
    single = tiny.trainer(kind, tmp_path, per_device_train_batch_size=8)
    single.train()
    for step, expected in zip(tiny.logged_steps(half), tiny.logged_steps(single), strict=True):
        assert step["loss"] == pytest.approx(expected["loss"], rel=0.05)
    moved, expected_moves = (
        torch.cat([change.flatten() for _, change in changes(tiny, trainer, kind)]) for trainer in (half, single)
    )
    # Not the same, or nothing was computed in bf16.
    assert 1e-4 < relative_error(moved, expected_moves) < 0.1


@pytest.mark.parametrize("kind", ["one-task", "two-tasks"])
def test_accumulation_trains_as_one_big_batch_does(tiny: ModuleType, kind: str, tmp_path: Path) -> None:
    # Padding, and the order of sums, are rounded away differently.
    whole = run(tiny, kind, tmp_path, 8)
    moves = torch.cat([change.flatten() for _, change in changes(tiny, whole, kind)])
    for batch, accumulate in ((1, 8), (2, 4)):
        parts = run(tiny, kind, tmp_path, batch, accumulate)
        for step, expected in zip(tiny.logged_steps(parts), tiny.logged_steps(whole), strict=True):
            assert step == pytest.approx(expected, rel=0.05)
        found = torch.cat([change.flatten() for _, change in changes(tiny, parts, kind)])
        assert relative_error(found, moves) < 0.1


def test_run_that_goes_on_from_a_checkpoint_ends_the_same(tiny: ModuleType, tmp_path: Path) -> None:
    options = {"save_strategy": "epoch", "save_total_limit": None, "optim": "adamw_torch_fused", "learning_rate": 1e-3}
    whole = run(tiny, "two-tasks", tmp_path / "whole", 8, **options)
    resumed = tiny.trainer(
        "two-tasks", tmp_path / "resumed", bf16_weights=True, per_device_train_batch_size=8, **options
    )
    resumed.train(resume_from_checkpoint=str(tmp_path / "whole" / "checkpoint-3"))
    assert tiny.logged_steps(resumed) == tiny.logged_steps(whole)
    expected = tiny.trained_weights(whole.model)
    for name, weight in tiny.trained_weights(resumed.model).items():
        assert torch.equal(weight, expected[name]), name


def test_dev_losses_are_those_of_the_weights_at_that_time(tiny: ModuleType, tmp_path: Path) -> None:
    """Also with the Trainer's default optimizer."""
    options = {"eval_strategy": "epoch", "optim": "adamw_torch_fused", "learning_rate": 1e-2, "num_train_epochs": 4}
    trainer = run(tiny, "one-task", tmp_path, 8, **options)
    logged = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    assert len(set(logged)) == 4
    # With bf16 and without, the last one is about that of the trained model.
    assert trainer.evaluate()["eval_loss"] == logged[-1]
    trainer.use_single_precision()
    assert trainer.evaluate()["eval_loss"] == pytest.approx(logged[-1], rel=0.02)


def test_evaluation_in_single_precision_is_that_of_the_model(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = run(tiny, "one-task", tmp_path, 8)
    rounded = trainer.predict(trainer.eval_dataset).predictions["emotion"]
    trainer.use_single_precision()
    exact = trainer.predict(trainer.eval_dataset).predictions["emotion"]
    batch = trainer.data_collator([trainer.eval_dataset[index] for index in range(len(trainer.eval_dataset))])
    del batch["labels"]
    with torch.no_grad():
        expected = trainer.model.eval()(**batch).logits.numpy()
    np.testing.assert_allclose(exact, expected, atol=1e-5)
    assert np.abs(rounded - expected).max() > 1e-4


# -- a whole run ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A place with data, and a run there with bf16_weights."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    output_dir = tmp_path_factory.mktemp("half") / "out"
    changes = {"recipe": ["model-2", "model-3.3"], "bf16_weights": True}
    run_csr(tiny_run.options(place, output_dir, **tiny_run.LEARNING | changes))
    return place, output_dir


@pytest.mark.parametrize("stage", ["emotion-encoder", "multitask", "csr"])
def test_saved_model_and_its_scores_are_in_single_precision(finished: tuple[Path, Path], stage: str) -> None:
    _, output_dir = finished
    model = AutoModelForSequenceClassification.from_pretrained(output_dir / stage, dtype="auto")
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    texts = [row["text"] for row in tiny_run.emotion_rows(15, seed=2)]
    expected = predict_logits(model, AutoTokenizer.from_pretrained(output_dir / stage), texts)
    # Scores that were computed in bf16 would be off by more.
    np.testing.assert_allclose(np.load(output_dir / stage / "dev_logits.npy"), expected, atol=1e-4)
    results = tiny_run.read_json(output_dir / stage / "eval_results.json")
    assert results["metrics"]["micro_f1"] > 0.5


def test_half_and_single_precision_are_different_stages(finished: tuple[Path, Path], tmp_path: Path) -> None:
    place, output_dir = finished
    copy = Path(shutil.copytree(output_dir, tmp_path / "out"))
    with pytest.raises(SystemExit, match=r"training\.bf16_weights: True there, False here"):
        run_csr(tiny_run.options(place, copy, recipe=["model-3.3"], **tiny_run.LEARNING))
