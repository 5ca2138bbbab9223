"""Trainings by several processes: one of them killed, or with fewer texts than there are processes."""

import os
import random
import re
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from tests.helpers import tiny_run
from tests.torture.outcomes import difference
from tests.torture.trials import Command, Trial, seconds_of

SAVING: dict[str, Any] = {"save_strategy": "steps", "save_steps": 5, "num_train_epochs": 3}
# No two processes draw the masks of dropout that one does.
EXACT: dict[str, Any] = {"classifier_dropout": 0, "common_dropout": 0, "num_train_epochs": 2, "logging_steps": 1}
# Sums of floats in another order, after some steps of Adam.
TOLERANCE = 1e-3
# After a process has died, torchrun ends the others; it gives them 30 seconds before it kills them.
PATIENCE = 90
REFUSAL = re.compile(r"^.{1,40}: error: .{20,}", re.MULTILINE)


def trials(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """Half of the trials kill one process of two or three, the others train on a handful of texts.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of processes, moments and sizes.
        count (`int`): How many to try.
    """
    rng = random.Random(seed)
    place = tiny_run.workplace(folder / "place", dropout=0.1)
    took: dict[int, float] = {}
    for number in range(count):
        if number % 2:
            yield _few_texts(folder / f"few-{number}", rng)
            continue
        processes = rng.choice((2, 3))
        whole = folder / f"whole-{processes}"
        if processes not in took:
            took[processes] = seconds_of(Command(_training(place, whole, processes), whole.with_suffix(".log")))
        yield _killed(place, folder / f"killed-{number}", whole, processes, took[processes], rng)


def _training(place: Path, out: Path, processes: int) -> Callable[[], object]:
    recipe = {"recipe": ["model-3.3", "token-space"], "common_num_train_epochs": 3}
    return partial(launch, processes, out.with_suffix(".pids"), tiny_run.options(place, out, **SAVING | recipe))


def launch(processes: int, pids: Path, argv: list[str]) -> None:
    """Run the command as torchrun does, in forks of this process, which need not import anything.

    Args:
        processes (`int`): How many.
        pids (`Path`): A folder; each process leaves its id there in a file named after its rank.
        argv (`list[str]`): The command line of run_csr.py.
    """
    pids.mkdir(exist_ok=True)
    config = LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        run_id=pids.name,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        start_method="fork",
    )
    try:
        elastic_launch(config, _process)(str(pids), argv)
    except ChildFailedError as error:  # What failed, the process itself has said.
        raise SystemExit(1) from error


def _process(pids: str, argv: list[str]) -> None:
    (Path(pids) / os.environ["RANK"]).write_text(str(os.getpid()), encoding="utf-8")
    torch.set_num_threads(1)
    try:
        tiny_run.example("run_csr").main(argv)
    except SystemExit as stopped:
        if stopped.code:
            print(stopped.code, file=sys.stderr, flush=True)
        raise
    except BaseException:
        traceback.print_exc()
        raise


def _killed(place: Path, out: Path, whole: Path, processes: int, seconds: float, rng: random.Random) -> Trial:
    rank, moment = rng.randrange(processes), rng.uniform(0, seconds)
    log, pids = out.with_suffix(".log"), out.with_suffix(".pids")
    first, reached = Command(_training(place, out, processes), log).start(), 0
    while not (pids / str(rank)).is_file() and not first.wait(0.01):
        pass
    if not first.wait(moment):
        with suppress(ProcessLookupError):  # it may end at this very moment
            os.kill(int((pids / str(rank)).read_text(encoding="utf-8")), signal.SIGKILL)
            reached = 1
    lost = None if first.wait(PATIENCE) else f"the others went on for {PATIENCE} s"
    first.kill_all()
    again = Command(_training(place, out, processes), log).start()
    if not again.wait(60 + 20 * seconds):
        lost = lost or "the repeated command did not end"
    again.kill_all()
    if lost is None and again.code != 0:
        lost = f"the repeated command failed: {again.output.strip().splitlines()[-1]}"
    lost = lost or difference(out, whole)
    shutil.rmtree(out, ignore_errors=True)
    return Trial("several processes, one killed", f"rank {rank} of {processes} after {moment:.2f} s", lost, reached)


def _few_texts(folder: Path, rng: random.Random) -> Trial:
    """A training of a few texts by several processes, against one with the same global batch."""
    processes, train, dev = rng.choice((2, 3)), rng.randint(1, 9), rng.randint(1, 4)
    place = tiny_run.workplace(folder / "place", train=train, dev=dev)
    batch = rng.choice((1, 2, 3))
    found = {}
    for name, number, rows in (("one", 1, batch * processes), ("several", processes, batch)):
        sizes = {f"{stage}_train_batch_size": rows for stage in ("per_device", "siamese", "common")}
        argv = tiny_run.options(place, folder / name, recipe=["model-2", "model-3.3"], **EXACT | sizes)
        found[name] = Command(partial(launch, number, folder / f"{name}.pids", argv), folder / f"{name}.log").start()
        ended = found[name].wait(300)
        found[name].kill_all()
        if not ended:
            break
    what = f"{train} texts and {dev} of dev, {processes} processes, batches of {batch}"
    if not ended:
        lost = f"{name} did not end"
    elif (found["one"].code == 0) != (found["several"].code == 0):
        lost = f"exit codes {[command.code for command in found.values()]}: {found['several'].output.strip()[-300:]}"
    elif found["one"].code != 0:
        # torchrun adds tracebacks of its own to what a process has said.
        silent = [name for name, command in found.items() if not REFUSAL.search(command.output)]
        lost = f"{silent[0]} failed without a message: {found[silent[0]].output.strip()[-300:]}" if silent else None
    else:
        lost = _other_numbers(folder / "one", folder / "several")
    shutil.rmtree(folder, ignore_errors=True)
    return Trial("several processes, few texts", what, lost)


def _other_numbers(one: Path, several: Path) -> str | None:
    """The first logged loss or weight that is another; `None` if there is none."""
    for path in sorted(one.rglob("training_log.json")):
        name = path.relative_to(one)
        losses = [
            [entry[key] for entry in tiny_run.read_json(folder / name) for key in ("loss", "eval_loss") if key in entry]
            for folder in (one, several)
        ]
        if len(losses[0]) != len(losses[1]):
            return f"{name} has {len(losses[0])} losses of one process, {len(losses[1])} of several"
        for number, (expected, loss) in enumerate(zip(*losses, strict=True), start=1):
            if not abs(loss - expected) <= TOLERANCE * max(1.0, abs(expected)):
                return f"{name}: loss {loss} in place of {expected} as number {number}"
    for path in sorted(one.rglob("model.safetensors")):
        name = path.relative_to(one)
        weights, others = load_file(path), load_file(several / name)
        farthest = max((weights[key] - others[key]).abs().max().item() for key in weights)
        if not farthest <= 10 * TOLERANCE:
            return f"{name}: a weight differs by {farthest:.2g}"
    return None
