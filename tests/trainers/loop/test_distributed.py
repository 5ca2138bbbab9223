"""Two processes of data parallel training give what one gives with batches of twice the size."""

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from tests.helpers import fresh_process

ROOT = Path(__file__).parents[3]
SCRIPT = ROOT / "tests" / "helpers" / "tiny_trainers.py"
KINDS = ("two-tasks", "three-tasks", "csr", "dialogue")


@pytest.fixture(scope="module")
def folders(tiny: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folders of the same runs by one process and by two, with 8 rows in each step."""
    folders = {name: tmp_path_factory.mktemp(name) for name in ("one", "two")}
    # Without what another launcher may have left, and without a GPU, so that the test is the same everywhere.
    foreign = ("ACCELERATE_", "TORCHELASTIC_", "MASTER_", "RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    environment |= {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")])),
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", str(SCRIPT)]
    command += [
        str(folders["two"]),
        "two-tasks:4:1",
        "three-tasks:2:2",
        "csr:2:2",
        "dialogue:4:1",
        "two-tasks:4:1:bf16",
        "two-tasks:2:2:lora",
        "two-tasks:4:1:resumed",
        *(f"{kind}:4:1:odd" for kind in KINDS),
    ]
    finished = fresh_process.run(*command, env=environment, timeout=240)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    variants = [f"two-tasks:8:1:{variant}" for variant in ("bf16", "lora", "resumed")]
    variants += [f"{kind}:8:1:odd" for kind in KINDS]
    tiny.main(str(folders["one"]), "two-tasks:8:1", "three-tasks:8:1", "csr:8:1", "dialogue:8:1", *variants)
    return folders


def flat(results: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """All numbers in the results, by the path to them."""
    return {
        path: leaf
        for name, value in results.items()
        for path, leaf in (
            flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
        ).items()
    }


def logs(folders: dict[str, Path], kind: str) -> list[dict[str, Any]]:
    return [json.loads((folders[name] / kind / "log.json").read_text(encoding="utf-8")) for name in ("one", "two")]


@pytest.mark.parametrize("kind", [*KINDS, *(f"{kind}-odd" for kind in KINDS)])
def test_two_processes_train_as_one_does(folders: dict[str, Path], kind: str) -> None:
    one, two = logs(folders, kind)
    assert (one["processes"], two["processes"]) == (1, 2)
    assert len(one["steps"]) == len(two["steps"]) == 4
    for step, expected in zip(two["steps"], one["steps"], strict=True):
        assert step == pytest.approx(expected, rel=1e-4)
    weights, expected_weights = (load_file(folders[name] / kind / "model.safetensors") for name in ("two", "one"))
    assert weights.keys() == expected_weights.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(weight, expected_weights[name], rtol=0, atol=1e-4)


def test_two_processes_train_as_one_does_on_a_bf16_copy(tiny: ModuleType, folders: dict[str, Path]) -> None:
    """As nearly as bf16 allows: the model that is wrapped for several processes takes the copy, too."""
    one, two = logs(folders, "two-tasks-bf16")
    assert (one["processes"], two["processes"]) == (1, 2)
    assert len(one["steps"]) == len(two["steps"]) == 4
    for step, expected in zip(two["steps"], one["steps"], strict=True):
        assert step == pytest.approx(expected, rel=0.05)
    start = tiny.trained_weights(tiny.trainer("two-tasks", folders["one"]).model)
    moved, expected_moves, exact_moves = (
        torch.cat([(weights[name] - value).flatten() for name, value in start.items()])
        for weights in (
            load_file(folders["two"] / "two-tasks-bf16" / "model.safetensors"),
            load_file(folders["one"] / "two-tasks-bf16" / "model.safetensors"),
            load_file(folders["one"] / "two-tasks" / "model.safetensors"),
        )
    )
    assert moved.dtype == torch.float32
    assert (moved - expected_moves).norm() < 0.1 * expected_moves.norm()
    # The test could tell: bf16 was at work.
    assert (moved - exact_moves).norm() > 1e-4 * exact_moves.norm()


def test_two_processes_train_adapters_as_one_does(tiny: ModuleType, folders: dict[str, Path]) -> None:
    one, two = logs(folders, "two-tasks-lora")
    assert (one["processes"], two["processes"]) == (1, 2)
    assert len(one["steps"]) == len(two["steps"]) == 4
    for step, expected in zip(two["steps"], one["steps"], strict=True):
        assert step == pytest.approx(expected, rel=1e-4)
    start = tiny.trainer("two-tasks", folders["one"]).model.state_dict()
    weights, expected_weights = (
        load_file(folders[name] / "two-tasks-lora" / "model.safetensors") for name in ("two", "one")
    )
    # Merged, in either.
    assert weights.keys() == expected_weights.keys() == start.keys()
    for name, weight in weights.items():
        torch.testing.assert_close(weight, expected_weights[name], rtol=0, atol=1e-4)
    query = "multitask.encoder.encoder.layer.0.attention.self.query.weight"
    assert (weights[query] - start[query]).abs().max() > 1e-3


def test_losses_between_two_logs_outlive_an_interruption(folders: dict[str, Path]) -> None:
    """Ended after the second step, a training still logs the mean of the first three."""
    steps = logs(folders, "two-tasks")[0]["steps"][:3]
    for resumed in logs(folders, "two-tasks-resumed"):
        (logged,) = resumed["steps"]
        for name in ("loss", "emotion_loss", "sentiment_loss"):
            assert logged[name] == pytest.approx(sum(step[name] for step in steps) / 3, rel=1e-4), name


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_measure_as_one_does(folders: dict[str, Path], kind: str) -> None:
    one, two = (log["results"] for log in logs(folders, kind))
    one_loss, two_loss = (log["dev_losses"] for log in logs(folders, kind))
    assert ("shuffled" in one) == (kind == "csr")
    supports = sum(scores["support"] for scores in one["per_label"].values())
    assert supports > 0
    assert one.keys() == two.keys() and one["metrics"].keys() == two["metrics"].keys()
    assert list(one.get("tasks", {})) == {"two-tasks": ["sentiment"], "three-tasks": ["sentiment", "intensity"]}.get(
        kind, []
    )
    assert len(set(one_loss.values())) == 4
    assert two_loss == pytest.approx(one_loss, rel=1e-5)
    measured, expected = flat(two), flat(one)
    assert measured.keys() == expected.keys()
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, abs=1e-4), name


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_write_one_folder_without_pickles(folders: dict[str, Path], kind: str) -> None:
    assert {path.name for path in (folders["two"] / kind).iterdir()} == {
        path.name for path in (folders["one"] / kind).iterdir()
    }
    assert not list((folders["two"] / kind).glob("*.bin"))
    assert (folders["two"] / kind / "training_args.json").is_file()
