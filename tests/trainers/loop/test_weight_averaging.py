"""The finished model has an average of the weights of its last steps."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import Trainer, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from trainers.commands.parser import parse_run_arguments
from trainers.loop.weight_averaging import AVERAGES_NAME, WeightAveraging
from trainers.trainer import StageTrainer
from trainers.training_arguments import StageTrainingArguments

# 21 rows in batches of 4 are 6 steps an epoch.
BATCHES = {"per_device_train_batch_size": 4, "num_train_epochs": 2}
STEPS = 12
Weights = dict[str, torch.Tensor]


class Recorder(TrainerCallback):
    """Keeps the weights after each step; `kill_at` ends the process's training there, as a kill would."""

    def __init__(self, kill_at: int | None = None, event: str = "on_step_end") -> None:
        self.weights: dict[int, Weights] = {}
        self._kill = (event, kill_at)

    def on_step_end(self, args: Any, state: TrainerState, control: Any, model: torch.nn.Module, **kwargs: Any) -> None:
        self.weights[state.global_step] = {name: value.detach().clone() for name, value in model.named_parameters()}
        self._end("on_step_end", state)

    def on_save(self, args: Any, state: TrainerState, control: Any, **kwargs: Any) -> None:
        self._end("on_save", state)

    def _end(self, event: str, state: TrainerState) -> None:
        if self._kill == (event, state.global_step):
            raise KeyboardInterrupt


def moving_average(weights: list[torch.Tensor], window: float) -> torch.Tensor:
    """The first, and from then on by 1 / window towards each of the next."""
    average = weights[0].double()
    for weight in weights[1:]:
        average = (1 - 1 / window) * average + weight.double() / window
    return average.float()


@pytest.fixture
def trained(tiny: ModuleType, tmp_path: Path) -> Callable[..., tuple[StageTrainer, Recorder]]:
    """`trained(kind, share, **options)`: a Trainer that has trained, and the weights after each of its steps."""

    def train(kind: str, share: float, **options: Any) -> tuple[StageTrainer, Recorder]:
        trainer = tiny.trainer(kind, tmp_path / kind, weight_averaging=share, **BATCHES | options)
        recorder = Recorder()
        trainer.add_callback(recorder)
        trainer.train()
        return trainer, recorder

    return train


# --- what the average is


@pytest.mark.parametrize(("share", "window", "first"), [(0.5, 6, 6), (0.3, 3.6, 4), (1 / STEPS, 1, 1), (1.0, 12, 12)])
def test_average_by_hand(
    trained: Callable[..., tuple[StageTrainer, Recorder]], share: float, window: float, first: int
) -> None:
    """It begins once as many steps are done as it reaches back."""
    trainer, recorder = trained("csr", share)
    assert list(recorder.weights) == list(range(1, STEPS + 1))
    compared = 0
    for name, parameter in trainer.model.named_parameters():
        if parameter.requires_grad:
            steps = [recorder.weights[step][name] for step in range(first, STEPS + 1)]
            torch.testing.assert_close(parameter.detach(), moving_average(steps, window), rtol=1e-5, atol=1e-6)
            compared += 1
    assert compared > 5


@pytest.mark.parametrize("kind", ["one-task", "csr"])
@pytest.mark.parametrize("half", [False, True], ids=["fp32", "bf16"])
def test_finished_model_is_not_that_of_the_last_step(
    trained: Callable[..., tuple[StageTrainer, Recorder]], kind: str, half: bool
) -> None:
    trainer, recorder = trained(kind, 0.5, bf16_weights=half)
    for name, parameter in trainer.model.named_parameters():
        if parameter.requires_grad:
            assert parameter.dtype == torch.float32
            last, average = recorder.weights[STEPS][name], parameter.detach()
            steps = [recorder.weights[step][name] for step in range(6, STEPS + 1)]
            torch.testing.assert_close(average, moving_average(steps, 6), rtol=1e-5, atol=1e-6)
            assert not torch.equal(average, last) or torch.equal(last, recorder.weights[6][name])


def test_frozen_weights_are_left_alone(
    tiny: ModuleType, trained: Callable[..., tuple[StageTrainer, Recorder]], tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in tiny.csr_model().named_parameters()}
    trainer, _ = trained("csr", 0.5, save_strategy="epoch")
    frozen = {name for name, parameter in trainer.model.named_parameters() if not parameter.requires_grad}
    assert frozen
    for name, parameter in trainer.model.named_parameters():
        assert torch.equal(parameter, before[name]) == (name in frozen), name
    averages = load_file(tmp_path / "csr" / f"checkpoint-{STEPS}" / AVERAGES_NAME)
    assert averages.keys() == before.keys() - frozen


def test_evaluations_and_checkpoints_have_the_weights_as_they_stand(
    trained: Callable[..., tuple[StageTrainer, Recorder]], tmp_path: Path
) -> None:
    trainer, recorder = trained("one-task", 0.25, save_strategy="epoch", eval_strategy="epoch")
    written = load_file(tmp_path / "one-task" / f"checkpoint-{STEPS}" / "model.safetensors")
    for name, value in written.items():
        assert torch.equal(value, recorder.weights[STEPS][name]), name
    logged = [entry["eval_loss"] for entry in trainer.state.log_history if "eval_loss" in entry]
    finished = trainer.evaluate()["eval_loss"]
    trainer.model.load_state_dict(written)
    assert logged[-1] == pytest.approx(trainer.evaluate()["eval_loss"], abs=1e-6)
    assert abs(finished - logged[-1]) > 1e-5


def test_only_the_process_that_saves_writes_averages(
    trained: Callable[..., tuple[StageTrainer, Recorder]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one may be there before the folder is."""
    trainer, _ = trained("one-task", 0.25)
    trainer._weight_averaging._averages = {"weight": torch.zeros(2)}
    monkeypatch.setattr(StageTrainingArguments, "should_save", property(lambda self: False))
    trainer._save(str(tmp_path / "elsewhere"))
    assert not (tmp_path / "elsewhere").exists()


def test_saved_model_has_the_average_and_nothing_else(
    trained: Callable[..., tuple[StageTrainer, Recorder]], tmp_path: Path
) -> None:
    trainer, recorder = trained("one-task", 0.5)
    trainer.save_model(str(tmp_path / "final"))
    assert not (tmp_path / "final" / AVERAGES_NAME).exists()
    written = load_file(tmp_path / "final" / "model.safetensors")
    name = "heads.emotion.weight"
    steps = [recorder.weights[step][name] for step in range(6, STEPS + 1)]
    torch.testing.assert_close(written[name], moving_average(steps, 6), rtol=1e-5, atol=1e-6)
    assert not torch.equal(written[name], recorder.weights[STEPS][name])


def test_without_a_share_there_is_no_average(
    trained: Callable[..., tuple[StageTrainer, Recorder]], tmp_path: Path
) -> None:
    trainer, recorder = trained("one-task", 0.0, save_strategy="epoch")
    assert not any(isinstance(callback, WeightAveraging) for callback in trainer.callback_handler.callbacks)
    for name, parameter in trainer.model.named_parameters():
        assert torch.equal(parameter, recorder.weights[STEPS][name])
    assert not list(tmp_path.rglob(AVERAGES_NAME))


def test_another_trainer_can_use_it(tmp_path: Path) -> None:
    """With a stock Trainer and a model of one weight, which moves by 1 a step."""

    class Counter(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
            return {"loss": -self.weight.sum() + 0 * x.sum()}

    arguments = TrainingArguments(
        output_dir=str(tmp_path),
        max_steps=8,
        optim="sgd",
        learning_rate=1.0,
        lr_scheduler_type="constant",
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        dataloader_pin_memory=False,
        disable_tqdm=True,
    )
    model = Counter()
    rows = [{"x": torch.zeros(1)}] * 8
    Trainer(model=model, args=arguments, train_dataset=rows, callbacks=[WeightAveraging(0.5)]).train()
    average = 4.0
    for weight in (5, 6, 7, 8):
        average += (weight - average) / 4
    assert model.weight.item() == pytest.approx(average)


# --- killed and continued


@pytest.mark.parametrize(
    ("kind", "share", "killed_at"), [("one-task", 0.25, 9), ("csr", 0.25, 9), ("csr", 0.5, 11), ("one-task", 0.75, 8)]
)
def test_killed_training_ends_with_the_same_average(
    tiny: ModuleType, tmp_path: Path, kind: str, share: float, killed_at: int
) -> None:
    """The averages begin at step 3, 6 or 9, and the last checkpoint is of step 8, 8 or 4."""
    options = {**BATCHES, "weight_averaging": share, "save_strategy": "steps", "save_steps": 4, "optim": "adamw_torch"}
    whole = tiny.trainer(kind, tmp_path / "whole", **options)
    whole.train()
    killed = tiny.trainer(kind, tmp_path / "killed", **options)
    killed.add_callback(Recorder(kill_at=killed_at))
    with pytest.raises(KeyboardInterrupt):
        killed.train()
    resumed = tiny.trainer(kind, tmp_path / "killed", **options)
    step = (killed_at - 1) // 4 * 4
    checkpoint = tmp_path / "killed" / f"checkpoint-{step}"
    assert (checkpoint / AVERAGES_NAME).exists() == (step >= share * STEPS)
    resumed.train(resume_from_checkpoint=str(checkpoint))
    expected = dict(whole.model.named_parameters())
    for name, parameter in resumed.model.named_parameters():
        torch.testing.assert_close(parameter, expected[name], rtol=0, atol=1e-7)


def test_checkpoint_is_complete_with_its_averages(tiny: ModuleType, tmp_path: Path) -> None:
    """A kill as soon as the Trainer has written a checkpoint's state, which says that it is complete."""
    options = {**BATCHES, "weight_averaging": 0.5, "save_strategy": "steps", "save_steps": 8}
    trainer = tiny.trainer("one-task", tmp_path, **options)
    recorder = Recorder(kill_at=8, event="on_save")
    trainer.callback_handler.callbacks.insert(0, recorder)
    with pytest.raises(KeyboardInterrupt):
        trainer.train()
    checkpoint = tmp_path / "checkpoint-8"
    assert (checkpoint / "trainer_state.json").is_file()
    averages = load_file(checkpoint / AVERAGES_NAME)
    for name, average in averages.items():
        steps = [recorder.weights[step][name] for step in (6, 7, 8)]
        torch.testing.assert_close(average, moving_average(steps, 6), rtol=1e-5, atol=1e-6)


def test_second_training_does_not_go_on_with_the_averages_of_the_first(
    tiny: ModuleType, trained: Callable[..., tuple[StageTrainer, Recorder]]
) -> None:
    trainer, recorder = trained("one-task", 0.5)
    trainer.train()
    name = "heads.emotion.bias"
    steps = [recorder.weights[step][name] for step in range(6, STEPS + 1)]
    torch.testing.assert_close(dict(trainer.model.named_parameters())[name].detach(), moving_average(steps, 6))


# --- bad input


@pytest.mark.parametrize("share", [-0.1, 1.5])
def test_share_out_of_bounds(tmp_path: Path, share: float) -> None:
    with pytest.raises(ValueError, match=f"--weight_averaging must be at least 0 and at most 1, got {share}"):
        StageTrainingArguments(output_dir=str(tmp_path), weight_averaging=share)


def test_best_model_and_average_exclude_each_other(tmp_path: Path) -> None:
    argv = ["--output_dir", str(tmp_path), "--weight_averaging", "0.2", "--load_best_model_at_end", "True"]
    with pytest.raises(ValueError, match="leave --load_best_model_at_end off"):
        parse_run_arguments(argv)
    assert parse_run_arguments(argv[:4]).training.weight_averaging == 0.2


def test_training_that_ends_before_the_averages_begin() -> None:
    model = torch.nn.Linear(2, 1)
    before = model.weight.detach().clone()
    callback, control = WeightAveraging(0.5), TrainerControl()
    arguments = TrainingArguments(output_dir="unused", use_cpu=True, report_to=[])
    state = TrainerState(max_steps=10)
    callback.on_train_begin(arguments, state, control, model=model)
    for step in range(1, 5):
        state.global_step = step
        callback.on_step_end(arguments, state, control)
    callback.on_train_end(arguments, state, control)
    assert torch.equal(model.weight, before)
