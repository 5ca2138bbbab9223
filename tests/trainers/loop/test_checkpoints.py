"""From which checkpoint a training goes on."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.helpers.file_damages import flip_a_bit, halve
from trainers.loop.checkpoints import last_complete_checkpoint, seal_checkpoint

SAVING = {"save_strategy": "steps", "save_steps": 2, "save_total_limit": 1, "max_steps": 6}


def checkpoint(folder: Path, number: int) -> Path:
    path = folder / f"checkpoint-{number}"
    path.mkdir()
    for name in ("model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth", "trainer_state.json"):
        (path / name).write_bytes(name.encode())
    seal_checkpoint(path)
    return path


@pytest.mark.parametrize("damage", [Path.unlink, halve, flip_a_bit])
@pytest.mark.parametrize("name", ["model.safetensors", "optimizer.pt", "scheduler.pt", "rng_state.pth"])
def test_damaged_checkpoints_are_passed_over(
    tmp_path: Path, name: str, damage: Callable[[Path], None], caplog: pytest.LogCaptureFixture
) -> None:
    good, bad = checkpoint(tmp_path, 90), checkpoint(tmp_path, 100)
    damage(bad / name)
    with caplog.at_level(logging.WARNING):
        assert last_complete_checkpoint(tmp_path) == good
    assert str(bad / name) in caplog.text
    assert not bad.exists() and good.exists()


def test_the_newest_is_that_of_the_highest_number(tmp_path: Path) -> None:
    """Not that of the last name in the alphabet, nor of the latest time; what a killed process left is none."""
    for number in (90, 100):
        checkpoint(tmp_path, number)
    half = tmp_path / "checkpoint-1000"
    half.mkdir()
    (half / "trainer_state.json").write_text("{}")
    (tmp_path / "checkpoint-notes").mkdir()
    os.utime(tmp_path / "checkpoint-90")
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-100"
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-90", "checkpoint-100", "checkpoint-notes"}


def test_no_checkpoint_at_all(tmp_path: Path) -> None:
    assert last_complete_checkpoint(tmp_path) is None


def test_a_trainer_seals_what_it_saves_and_keeps_the_last(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("one-task", tmp_path, per_device_train_batch_size=4, **SAVING)
    trainer.train()
    assert [path.name for path in tmp_path.glob("checkpoint-*")] == ["checkpoint-6"]
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-6"
    assert trainer.args.save_total_limit == 1


# -- numbers that are not finite ---------------------------------------------------------------------------------------


def test_a_loss_that_is_not_finite_ends_the_training(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("one-task", tmp_path, per_device_train_batch_size=4, **SAVING)
    compute_loss = trainer.compute_loss

    def diverging(*args: object, **kwargs: object) -> torch.Tensor:
        loss = compute_loss(*args, **kwargs)
        return loss * float("nan") if trainer.state.global_step == 3 else loss

    trainer.compute_loss = diverging
    message = rf"{tmp_path.name}, after step 3: the loss is nan, at a learning rate of 0\.0"
    with pytest.raises(FloatingPointError, match=message) as error:
        trainer.train()
    assert str(tmp_path / "checkpoint-2") in str(error.value)
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-2"


def test_weights_that_are_not_finite_are_not_saved(tiny: ModuleType, tmp_path: Path) -> None:
    trainer = tiny.trainer("one-task", tmp_path, per_device_train_batch_size=4, **SAVING)
    name, weights = next(item for item in trainer.model.named_parameters() if "word_embeddings" in item[0])
    # In a row that no text reads, so that no loss tells.
    read = {token for item in trainer.train_dataset for token in item["input_ids"]} | {0}
    unread = next(row for row in range(len(weights)) if row not in read)
    with torch.no_grad():
        weights[unread, 0] = float("inf")
    with pytest.raises(FloatingPointError, match=f"weights of {name} are not finite"):
        trainer.train()
    assert not list(tmp_path.glob("checkpoint-*"))
