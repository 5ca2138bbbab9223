"""The same texts through one pipeline in batches, threads and forked processes."""

import multiprocessing
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch
from transformers import pipeline

from tests.helpers import tiny_run
from tests.torture.trials import Command, Trial, seconds_of

WAYS = ("batches of 7", "batches of 32", "eight threads", "two forked workers")
TOLERANCE = 1e-6
# In words; the last ones are longer than what the model reads at once.
LENGTHS = (1, 2, 5, 12, 30, 90, 200)


def trials(folder: Path, seed: int, count: int) -> Iterator[Trial]:
    """Score texts of mixed lengths in each way, and one by one.

    Args:
        folder (`Path`): Where to work.
        seed (`int`): Seed of the texts.
        count (`int`): How many lists of texts.
    """
    place, out = tiny_run.workplace(folder / "place"), folder / "whole"
    seconds_of(Command(partial(tiny_run.example("run_csr").main, tiny_run.options(place, out)), folder / "whole.log"))
    for number in range(count):
        way = WAYS[number % len(WAYS)]
        command = Command(partial(_compare, out / "csr", way, seed * count + number), folder / f"{number}.log").start()
        ended = command.wait(120)
        command.kill()
        lost = None if command.code == 0 else command.output.strip()[-300:] or f"exit code {command.code}"
        yield Trial("pipelines", f"{way}, texts {number}", lost if ended else "it did not end")


def _compare(model: Path, way: str, seed: int) -> None:
    rng = random.Random(seed)
    words = [*tiny_run.FILLERS, *" ".join(tiny_run.EMOTIONS.values()).split()]
    texts = [" ".join(rng.choices(words, k=rng.choice(LENGTHS))) for _ in range(64)]
    classifier = pipeline(
        "emotion-classification", model=str(model), trust_remote_code=True, device="cpu", dtype=torch.float32
    )
    expected = _scores([classifier(text, top_k=None) for text in texts])
    if len({tuple(sorted(scores.items())) for scores in expected}) < len(texts) // 4:
        raise SystemExit("error: the model gives most texts the same scores, so that nothing can be compared")
    farthest = max(
        abs(one[label] - other[label])
        for one, other in zip(_scores(_in_way(classifier, way, texts)), expected, strict=True)
        for label in other
    )
    if not farthest <= TOLERANCE:
        raise SystemExit(f"error: {way} give scores that differ by {farthest:.2g}")


def _in_way(classifier: Any, way: str, texts: Sequence[str]) -> list[Any]:
    if way.startswith("batches"):
        return list(classifier(list(texts), batch_size=int(way.split()[-1]), top_k=None))
    score = partial(_score, classifier)
    if way == "eight threads":
        with ThreadPoolExecutor(8) as threads:
            return list(threads.map(score, texts))
    halves, queues = (texts[::2], texts[1::2]), [multiprocessing.get_context("fork").SimpleQueue() for _ in range(2)]
    workers = [
        multiprocessing.get_context("fork").Process(target=_put, args=(queue, score, half))
        for queue, half in zip(queues, halves, strict=True)
    ]
    for worker in workers:
        worker.start()
    found: list[Any] = [None] * len(texts)
    found[::2], found[1::2] = (queue.get() for queue in queues)
    for worker in workers:
        worker.join()
    return found


def _score(classifier: Any, text: str) -> Any:
    return classifier(text, top_k=None)


def _put(queue: Any, score: Any, texts: Sequence[str]) -> None:
    queue.put([score(text) for text in texts])


def _scores(results: Sequence[Any]) -> list[dict[str, float]]:
    """Scores by label of each text, of which the pipeline gives a list of entries, in a list of one or alone."""
    plain = [found[0] if isinstance(found[0], list) else found for found in results]
    return [{entry["label"]: entry["score"] for entry in entries} for entries in plain]
