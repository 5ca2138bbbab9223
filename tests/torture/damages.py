"""Files of finished runs that are damaged in every way, and the command that meets them."""

import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import datasets

from tests.helpers import file_damages, tiny_run
from tests.torture.outcomes import difference
from tests.torture.trials import Command, Trial, seconds_of
from trainers.runs.records import RECORD_NAME

DAMAGES: dict[str, Callable[[Path], object]] = file_damages.DAMAGES | {
    "another's": lambda path: path.write_bytes(b"[1, 2, 3]\n"),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


def trials(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """Damage a file of a finished run, of a half-finished one or of the cache, and repeat the command.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of the files and damages.
        count (`int`): How many to try.
    """
    rng, place = random.Random(seed), tiny_run.workplace(folder / "place")
    run_csr, whole = tiny_run.example("run_csr").main, folder / "whole"
    seconds_of(Command(partial(run_csr, tiny_run.options(place, whole)), folder / "whole.log"))
    cache = Path(datasets.config.HF_DATASETS_CACHE)
    shutil.copytree(cache, folder / "whole-cache")
    for number in range(count):
        # What an earlier trial has made anew has another name: the damaged file, nobody would read again.
        shutil.rmtree(cache)
        shutil.copytree(folder / "whole-cache", cache)
        out = Path(shutil.copytree(whole, folder / f"damaged-{number}"))
        if rng.random() < 0.25:
            yield _cached_rows(partial(run_csr, tiny_run.options(place, out)), out, whole, rng)
            shutil.rmtree(out)
            continue
        if rng.random() < 0.5:  # a run that still has to train its last stage on the others
            shutil.rmtree(out / "csr")
            (out / "results.json").unlink()
        files = sorted(
            path for path in out.rglob("*") if path.is_file() and path.suffix not in (".png", ".md", ".lock")
        )
        path, name = rng.choice(files), rng.choice(list(DAMAGES))
        DAMAGES[name](path)
        argv = tiny_run.options(place, out)
        command = Command(partial(run_csr, argv), folder / f"damaged-{number}.log").start()
        command.wait()
        lost = command.complaint()
        if command.code == 0:
            lost = difference(out, whole)
        elif lost is None and path.name not in command.output:
            lost = f"the message does not name the file: {command.output.strip().splitlines()[-1]}"
        elif lost is None:
            lost = _lost_in_repair(partial(run_csr, [*argv, "--repair", "True"]), command.log, path, out, whole)
        yield Trial("damaged files", f"{path.relative_to(out)}: {name}", lost)
        shutil.rmtree(out)


def _cached_rows(run: Callable[[], object], out: Path, whole: Path, rng: random.Random) -> Trial:
    """Train all stages from rows of which a file in the cache of the datasets library is damaged."""
    for stage in out.glob("*/stage.json"):
        shutil.rmtree(stage.parent)
    (out / "results.json").unlink()
    files = (path for path in Path(datasets.config.HF_DATASETS_CACHE).rglob("*") if path.is_file())
    path = rng.choice(sorted(path for path in files if path.suffix != ".lock"))
    name = rng.choice(list(DAMAGES))
    DAMAGES[name](path)
    command = Command(run, out.with_suffix(".log")).start()
    command.wait()
    lost = difference(out, whole) if command.code == 0 else command.complaint()
    if lost is None and path.name not in command.output:
        silent = name == "missing" or path.suffix == ".json"  # The seal, without which a file counts as unfinished.
        lost = None if silent else f"no message names the file: {command.output.strip()[-300:]}"
    return Trial("damaged files", f"{path.name} in the cache: {name}", lost)


def _lost_in_repair(run: Callable[[], object], log: Path, path: Path, out: Path, whole: Path) -> str | None:
    """What is lost once a run with a damaged file was repaired; `None` if nothing."""
    command = Command(run, log).start()
    command.wait()
    # Without its record a folder may be anybody's, so that it is the user who has to delete it, as the message says.
    if command.code != 0 and path.name == RECORD_NAME and f"{path.parent} " in command.output:
        if "delete that folder" not in command.output:
            return f"the message does not say what to do: {command.output.strip().splitlines()[-1]}"
        shutil.rmtree(path.parent)
        command = Command(run, log).start()
        command.wait()
    if command.code != 0:
        return command.complaint() or f"the repair failed: {command.output.strip().splitlines()[-1]}"
    return difference(out, whole)
