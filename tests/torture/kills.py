"""Trainings of every kind that are killed, interrupted or stopped at random moments, and begun again."""

import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.examples import test_run_dialogue as dialogues
from tests.helpers import tiny_run
from tests.torture.outcomes import difference
from tests.torture.trials import Command, Trial, seconds_of

SIGNALS = ("KILL", "KILL", "KILL", "INT", "TERM", "STOP")
# Short, and with many checkpoints, so that every moment of a stage is hit.
SAVING = {"save_strategy": "steps", "save_steps": 5, "num_train_epochs": 3, "common_num_train_epochs": 3}


def commands(place: Path) -> dict[str, Callable[[Path], object]]:
    """By kind, a command that trains into a folder."""
    options = partial(tiny_run.options, place)
    run_csr, run_search = (tiny_run.example(name).main for name in ("run_csr", "run_search"))
    (place / "talks.py").touch()
    for split, size in (("train", 40), ("dev", 10)):
        tiny_run.write_csv(place / "talks" / f"{split}.csv", dialogues.talks(size, len(split)))
    (place / "space.yaml").write_text("learning_rate: {low: 1e-3, high: 3e-2, log: true}\n")
    taught = {"recipe": ["model-3.4"], "related_dataset": place / "data" / "moods", "max_unlabelled_samples": 24}
    searched = {"recipe": ["bert"], "search_space": place / "space.yaml", "n_trials": 3, "threshold": "per_label"}
    return {
        "model-3.3": lambda out: run_csr(options(out, **SAVING)),
        "self-training": lambda out: run_csr(options(out, **SAVING | taught)),
        "joint": lambda out: run_csr(options(out, recipe=["token-space"], **SAVING)),
        "dialogue": lambda out: dialogues.run_dialogue.main(
            dialogues.options(place, out, save_strategy="steps", save_steps=5, num_train_epochs=3)
        ),
        "search": lambda out: run_search(options(out, **searched)),
    }


def trials(folder: Path, seed: int, kills: int) -> Iterator[Trial]:
    """Kill commands so many times in all; each is brought to its end after one to four kills.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of the kinds, signals and moments.
        kills (`int`): How many signals to send.
    """
    rng, made = random.Random(seed), commands(tiny_run.workplace(folder / "place", dropout=0.1))
    took = {
        kind: seconds_of(Command(partial(run, folder / kind), folder / f"{kind}.log")) for kind, run in made.items()
    }
    sent = 0
    while sent < kills:
        kind = rng.choice(list(made))
        signals = [rng.choice(SIGNALS) for _ in range(min(rng.randint(1, 4), kills - sent))]
        sent += len(signals)
        out = folder / f"{kind}-killed-{sent}"
        yield _trial(kind, partial(made[kind], out), out, folder / kind, signals, took[kind], rng)
        shutil.rmtree(out, ignore_errors=True)


def _trial(
    kind: str,
    run: Callable[[], object],
    out: Path,
    expected: Path,
    signals: Sequence[str],
    seconds: float,
    rng: random.Random,
) -> Trial:
    log, moments, reached = out.with_suffix(".log"), [], 0
    for name in signals:
        moment = rng.uniform(0, seconds)
        moments.append(f"{name} after {moment:.2f} s")
        command = Command(run, log).start()
        if command.wait(moment):
            break
        reached += 1
        command.signal(getattr(signal, f"SIG{name}"))
        if name == "STOP":
            time.sleep(0.2)
        elif command.wait(30):
            continue
        command.kill()
    last = Command(run, log).start()
    ended = last.wait(60 + 20 * seconds)
    last.kill()
    lost = "the last command did not end" if not ended else None
    if ended and last.code != 0:
        lost = f"the last command failed: {last.output.strip().splitlines()[-1]}"
    lost = lost or difference(out, expected)
    return Trial(f"signals to a training ({kind})", ", ".join(moments), lost, reached)
