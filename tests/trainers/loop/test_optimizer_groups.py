"""One learning rate for pretrained encoders, and another for what is new."""

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from transformers import TrainerCallback

from trainers.commands.parser import parse_run_arguments
from trainers.csr_trainer import CSRTrainer, CSRTrainingArguments
from trainers.evaluation.task_metrics import TaskMetrics
from trainers.loop.collators import SingleTaskCollator
from trainers.recipes import RECIPES, stages_of
from trainers.runs.stage_arguments import stage_arguments
from trainers.trainer import StageTrainer

ENCODER_RATE, HEAD_RATE, DECAY = 0.02, 0.3, 0.1
RATES = {"learning_rate": ENCODER_RATE, "head_learning_rate": HEAD_RATE, "weight_decay": DECAY}
# 21 rows in batches of 4: 6 steps an epoch.
STEPS = 12
KINDS = ("one-task", "two-tasks", "joint")


def build(tiny: ModuleType, kind: str, folder: Path, **options: Any) -> StageTrainer:
    """A Trainer of tests/helpers/tiny_trainers.py, or of a common space over tokens with a trained emotion encoder."""
    options = {"per_device_train_batch_size": 4, **options}
    if kind != "joint":
        return tiny.trainer(kind, folder, **options)
    torch.manual_seed(4)
    model = tiny.csr_model(common_level="token")
    model.requires_grad_(True)
    rows = [{**row, "labels": row.pop("labels_emotion")} for row in tiny.token_rows(21, ["emotion"])]
    task = {"emotion": tiny.EMOTION}
    return CSRTrainer(
        model=model,
        args=CSRTrainingArguments.derived_from(tiny.arguments(folder, **options), trains="emotion_encoder"),
        train_dataset=rows,
        eval_dataset=rows,
        data_collator=SingleTaskCollator(tiny.tokenizer(), task),
        compute_metrics=TaskMetrics(task),
    )


def groups_by_parameter(trainer: StageTrainer) -> dict[str, dict[str, Any]]:
    """The optimizer's group of each parameter that it has."""
    names = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    found: dict[str, dict[str, Any]] = {}
    for group in trainer.optimizer.param_groups:
        for parameter in group["params"]:
            assert names[id(parameter)] not in found, "a parameter is in two groups"
            found[names[id(parameter)]] = group
    return found


class Rates(TrainerCallback):
    """The learning rates with which each step was done: of the encoder and of the rest."""

    def __init__(self) -> None:
        self.seen: list[tuple[float, float]] = []

    def on_pre_optimizer_step(
        self, args: Any, state: Any, control: Any, optimizer: torch.optim.Optimizer, **kwargs: Any
    ) -> None:
        encoder = {group["lr"] for group in optimizer.param_groups if group["lr_of"] == "encoder"}
        head = {group["lr"] for group in optimizer.param_groups if group["lr_of"] == "head"}
        assert len(encoder) == len(head) == 1
        self.seen.append((encoder.pop(), head.pop()))


def schedule(warmup: int) -> list[float]:
    """Shares of the initial rate: up to it in `warmup` steps, then down to 0."""
    return [step / warmup if step < warmup else (STEPS - step) / (STEPS - warmup) for step in range(STEPS)]


# --- groups


@pytest.mark.parametrize("kind", KINDS)
def test_encoders_and_heads_have_rates_of_their_own(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    trainer = build(tiny, kind, tmp_path, **RATES)
    trainer.create_optimizer()
    found = groups_by_parameter(trainer)
    trained = {name for name, parameter in trainer.model.named_parameters() if parameter.requires_grad}
    assert found.keys() == trained, "nothing is lost, and nothing frozen is there"
    encoder = "csr.emotion_encoder.encoder." if kind == "joint" else "multitask.encoder."
    rates = {name: group["lr"] for name, group in found.items()}
    assert rates == {name: ENCODER_RATE if name.startswith(encoder) else HEAD_RATE for name in trained}
    assert set(rates.values()) == {ENCODER_RATE, HEAD_RATE}


@pytest.mark.parametrize("kind", KINDS)
def test_weight_decay_is_that_of_the_stock_optimizer(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    options = {**RATES, "optim": "adamw_torch", "adam_beta2": 0.9}
    decays, betas = [], []
    for number, changes in enumerate(({}, {"head_learning_rate": None})):
        trainer = build(tiny, kind, tmp_path / str(number), **options | changes)
        trainer.create_optimizer()
        found = groups_by_parameter(trainer)
        decays.append({name: group["weight_decay"] for name, group in found.items()})
        betas.append({group["betas"] for group in found.values()})
    assert decays[0] == decays[1]
    assert set(decays[0].values()) == {0, DECAY}
    assert betas[0] == betas[1] == {(0.9, 0.9)}


def test_new_layers_of_a_family_are_heads(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = build(tiny, "joint", tmp_path, **RATES)
    trainer.create_optimizer()
    heads = {name for name, group in groups_by_parameter(trainer).items() if group["lr"] == HEAD_RATE}
    parts = {name.rsplit(".", 2)[0] if "classifier" not in name else "classifier" for name in heads}
    assert parts == {"csr.common_encoder", "csr.decoder", "classifier"}
    trainer = build(tiny, "one-task", tmp_path, **RATES)
    trainer.create_optimizer()
    heads = {name for name, group in groups_by_parameter(trainer).items() if group["lr"] == HEAD_RATE}
    assert {name.split(".")[0] for name in heads} == {"multitask", "heads"}
    assert any(name.startswith("multitask.shared_layers") for name in heads)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_rate_for_heads_there_is_one_for_all(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    trainer = build(tiny, kind, tmp_path, learning_rate=ENCODER_RATE)
    trainer.create_optimizer()
    assert {group["lr"] for group in trainer.optimizer.param_groups} == {ENCODER_RATE}
    assert len(trainer.optimizer.param_groups) == 2


def test_optimizer_is_not_split_twice(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = build(tiny, "one-task", tmp_path, **RATES)
    optimizer = trainer.create_optimizer()
    groups = [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups]
    assert trainer.create_optimizer() is optimizer
    assert [[id(parameter) for parameter in group["params"]] for group in optimizer.param_groups] == groups


# --- training


@pytest.mark.parametrize("warmup", [0, 4])
def test_both_rates_warm_up_and_decay(tiny: ModuleType, tmp_path: Path, warmup: int) -> None:
    trainer = build(tiny, "joint", tmp_path, **RATES, warmup_steps=warmup)
    rates = Rates()
    trainer.add_callback(rates)
    trainer.train()
    expected = [(ENCODER_RATE * share, HEAD_RATE * share) for share in schedule(warmup)]
    assert [rate for pair in rates.seen for rate in pair] == pytest.approx([rate for pair in expected for rate in pair])


def test_steps_are_as_long_as_the_rates_say(tiny: ModuleType, tmp_path: Path) -> None:
    """One step of gradient descent: the rate times the gradient, which is that of the model before it."""
    options = {**RATES, "weight_decay": 0.0, "max_steps": 1, "lr_scheduler_type": "constant"}
    trainer = build(tiny, "joint", tmp_path, **options)
    before = {name: value.detach().clone() for name, value in trainer.model.named_parameters()}
    gradients: dict[str, torch.Tensor] = {}

    class Gradients(TrainerCallback):
        def on_pre_optimizer_step(
            self, args: Any, state: Any, control: Any, model: torch.nn.Module, **kwargs: Any
        ) -> None:
            gradients.update(
                {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
            )

    trainer.add_callback(Gradients())
    trainer.train()
    for name, parameter in trainer.model.named_parameters():
        if not parameter.requires_grad:
            assert torch.equal(parameter, before[name]), name
            continue
        rate = ENCODER_RATE if name.startswith("csr.emotion_encoder.") else HEAD_RATE
        torch.testing.assert_close(parameter.detach(), before[name] - rate * gradients[name])
    assert sum(gradient.abs().sum() for gradient in gradients.values()) > 0.1


@pytest.mark.parametrize("kind", ["one-task", "joint"])
def test_resumed_training_has_both_rates_again(tiny: ModuleType, tmp_path: Path, kind: str) -> None:
    options = {**RATES, "learning_rate": 0.002, "head_learning_rate": 0.01, "optim": "adamw_torch", "warmup_steps": 3}
    options |= {"save_strategy": "epoch", "save_total_limit": 2}
    whole, rates = build(tiny, kind, tmp_path, **options), Rates()
    whole.add_callback(rates)
    whole.train()
    resumed, again = build(tiny, kind, tmp_path, **options), Rates()
    resumed.add_callback(again)
    resumed.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert again.seen == rates.seen[6:]
    assert len(set(again.seen)) == 6
    expected = dict(whole.model.named_parameters())
    for name, parameter in resumed.model.named_parameters():
        torch.testing.assert_close(parameter, expected[name], rtol=0, atol=1e-6)


# --- which stages have them


def test_rate_of_heads_is_of_the_stages_that_train_an_encoder() -> None:
    """The others have no encoder to train, and rates of their own."""
    given = ["--head_learning_rate", "0.5", "--siamese_learning_rate", "0.1", "--common_learning_rate", "0.2"]
    given += ["--dialogue_learning_rate", "0.3"]
    rates = {"siamese": 0.1, "csr": 0.2, "dialogue": 0.3}
    run, without = parse_run_arguments(given), parse_run_arguments(given[2:])
    for stage in stages_of(RECIPES.values()):
        found, default = (stage_arguments(stage, args) for args in (run, without))
        if stage.kind == "multitask":
            of_recipe = stage.training.get("head_learning_rate")
            assert (found.head_learning_rate, default.head_learning_rate) == (0.5, of_recipe), stage.name
        elif stage.trains_encoder:
            of_recipe = stage.training.get("head_learning_rate", rates[stage.kind])
            assert (found.head_learning_rate, default.head_learning_rate) == (0.5, of_recipe), stage.name
            # A recipe may have a rate of its own for an encoder.
            assert found.learning_rate == stage.training.get("learning_rate", run.training.learning_rate)
        else:
            assert found.head_learning_rate is default.head_learning_rate is None, stage.name
            assert found.learning_rate == default.learning_rate == rates[stage.kind], stage.name
