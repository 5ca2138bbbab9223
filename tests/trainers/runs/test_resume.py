"""Runs that are killed and started again."""

import logging
import re
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.helpers import tiny_run
from tests.helpers.fresh_process import FreshProcess
from trainers.loop.checkpoints import SEALS_NAME

run_csr = tiny_run.example("run_csr").main

STAGES = ("emotion-encoder", "sentiment-encoder", "siamese", "csr")
# One of every kind.
KILLED = ("emotion-encoder", "siamese", "csr")
# Enough steps with checkpoints between them that a kill after the first one comes long before the last.
OPTIONS: dict[str, Any] = {
    "num_train_epochs": 12,
    "siamese_num_train_epochs": 8,
    "common_num_train_epochs": 12,
    "save_strategy": "steps",
    "save_steps": 10,
    "eval_strategy": "steps",
    "eval_steps": 100,
    "threshold": "per_label",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # With dropout: the random numbers must go on where they were.
    return tiny_run.workplace(tmp_path_factory.mktemp("place"), dropout=0.1)


@pytest.fixture(scope="module")
def uninterrupted(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output_dir = tmp_path_factory.mktemp("uninterrupted") / "out"
    run_csr(tiny_run.options(place, output_dir, **OPTIONS | {"save_strategy": "no"}))
    return output_dir


def wait_for_checkpoint(folder: Path, process: FreshProcess, timeout: float = 120) -> Path:
    """The first checkpoint in the folder that was written to its end, as soon as it is there."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        for seals in folder.glob(f"checkpoint-*/{SEALS_NAME}"):
            return seals.parent
        assert process.poll() is None, f"The run ended before {folder.name} had a checkpoint."
        time.sleep(0.002)
    raise AssertionError(f"No checkpoint in {folder} after {timeout} s.")


def wait_for_file(folder: Path, pattern: str, process: FreshProcess, timeout: float = 120) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline and not any(folder.glob(pattern)):
        assert process.poll() is None, f"The run ended before there was {pattern}."
        time.sleep(0.001)
    assert any(folder.glob(pattern)), f"No {pattern} in {folder} after {timeout} s."


def start(place: Path, output_dir: Path, log: Path) -> FreshProcess:
    return FreshProcess(
        "examples/run_csr.py",
        *tiny_run.options(place, output_dir, **OPTIONS),
        cwd=tiny_run.REPOSITORY,
        env=tiny_run.environment(),
        stdout=log,
        stderr=log,
    )


def kill(process: FreshProcess) -> None:
    process.kill()
    assert process.wait() == -signal.SIGKILL


def assert_same_results(here: Path, there: Path) -> None:
    for stage in STAGES:
        mine, theirs = (load_file(folder / stage / "model.safetensors") for folder in (here, there))
        assert mine.keys() == theirs.keys()
        for name, value in mine.items():
            torch.testing.assert_close(value, theirs[name], rtol=0, atol=1e-6, msg=lambda text, n=name: f"{n}: {text}")
        for name in ("eval_results.json", "training_log.json", "config.json"):
            first, second = (tiny_run.read_json(folder / stage / name) for folder in (here, there))
            assert without_times(first) == nearly(without_times(second)), f"{stage}/{name}"
    mine, theirs = (tiny_run.read_json(folder / "results.json")["recipes"] for folder in (here, there))
    assert [figures["metrics"] for figures in mine.values()] == [figures["metrics"] for figures in theirs.values()]


def without_times(value: Any) -> Any:
    """JSON without what no two runs share: times, speeds and folders."""
    if isinstance(value, dict):
        return {
            key: without_times(item)
            for key, item in value.items()
            if not re.search(r"seconds|runtime|per_second|_name_or_path|train_loss|total_flos", key)
        }
    return [without_times(item) for item in value] if isinstance(value, list) else value


def nearly(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: nearly(item) for key, item in value.items()}
    if isinstance(value, list):
        return [nearly(item) for item in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


@pytest.fixture(scope="module")
def killed(place: Path, uninterrupted: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A run that was killed in every stage of `KILLED` and then brought to its end; and what each start printed."""
    folder = tmp_path_factory.mktemp("killed")
    output_dir, logs = folder / "out", {}
    for stage in KILLED:
        log = folder / f"{stage}.log"
        process = start(place, output_dir, log)
        try:
            checkpoint = wait_for_checkpoint(output_dir / stage, process)
        finally:
            kill(process)
        logs[stage] = log.read_text()
        assert tiny_run.read_json(output_dir / stage / "stage.json")["files"] is None, logs[stage]
        assert not (output_dir / stage / "model.safetensors").exists()
        if stage == "siamese":
            # A kill may also leave a checkpoint that was being written: weights, and no or half a state.
            for number, state in ((9998, None), (9999, '{"global_step": 99')):
                half = output_dir / stage / f"checkpoint-{number}"
                half.mkdir()
                (half / "model.safetensors").write_bytes(b"half")
                if state:
                    (half / "trainer_state.json").write_text(state)
        assert checkpoint.name.startswith("checkpoint-")
    messages: list[str] = []
    handler = logging.Handler(logging.INFO)
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("trainers.runs.runner")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        run_csr(tiny_run.options(place, output_dir, **OPTIONS))
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    logs["last"] = "\n".join(messages)
    return output_dir, logs


def test_killed_run_ends_like_an_uninterrupted_one(killed: tuple[Path, dict[str, str]], uninterrupted: Path) -> None:
    output_dir, _ = killed
    assert_same_results(output_dir, uninterrupted)


def test_killed_run_goes_on_from_its_checkpoints(killed: tuple[Path, dict[str, str]]) -> None:
    """It does not begin again, neither a stage that was killed nor one that was finished."""
    _, logs = killed
    assert "Continuing from" not in logs[KILLED[0]]
    for stage, log in zip(KILLED, [*list(logs.values())[1:]], strict=True):
        found = re.search(rf"Continuing from .*{stage}/checkpoint-(\d+)", log)
        assert found and int(found[1]) >= 10, log
        assert int(found[1]) < 9998
    assert logs["last"].count("already finished") == 3


def test_killed_run_leaves_no_checkpoint(killed: tuple[Path, dict[str, str]]) -> None:
    output_dir, _ = killed
    left = [path for path in output_dir.rglob("*") if path.name.startswith("checkpoint-") or "unfinished" in path.name]
    assert left == []


def test_run_killed_while_encoding_goes_on(place: Path, uninterrupted: Path, tmp_path: Path) -> None:
    """Killed at the first sign of a cache file: whatever stands under its final name is whole, and the rest counts
    for nothing."""
    output_dir = tmp_path / "out"
    # Up to the first encoding all is there already.
    for stage in ("emotion-encoder", "sentiment-encoder"):
        shutil.copytree(uninterrupted / stage, output_dir / stage)
    process = start(place, output_dir, tmp_path / "killed.log")
    try:
        wait_for_file(output_dir, "representations/*", process)
    finally:
        kill(process)
    for path in (output_dir / "representations").glob("*.npy"):
        np.testing.assert_array_equal(np.load(path), np.load(uninterrupted / "representations" / path.name))
    # What a kill may leave of the others: half a file.
    for path in (uninterrupted / "representations").glob("*.npy"):
        if not (output_dir / "representations" / path.name).exists():
            half = path.read_bytes()[: path.stat().st_size // 2]
            (output_dir / "representations" / f"{path.name}.unfinished").write_bytes(half)
    run_csr(tiny_run.options(place, output_dir, **OPTIONS))
    assert_same_results(output_dir, uninterrupted)
    assert not list(output_dir.glob("representations/*.unfinished"))
