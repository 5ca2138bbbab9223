"""Who scores: this process, several processes of this machine, or the machines of a Ray cluster."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process, queues
from typing import Any

import pyarrow as pa
import torch

from .scorer import Scorer

ENGINES = ("local", "ray")
# Parts that wait for each worker, so that none of them waits for the reader.
_WAITING = 2


@dataclass(frozen=True)
class Part:
    """
    Rows that are scored together and go into one file.

    Args:
        start (`int`): Number of the first of them.
        ids (`list[Any]`): Their ids.
        places (`list[str]`): Where they stand in the input.
        texts (`list[str]`): Their texts.
    """

    start: int
    ids: list[Any]
    places: list[str]
    texts: list[str]


Scored = Iterator[tuple[Part, pa.Table]]
Engine = Callable[[Iterable[Part]], Scored]


def usable_cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def local_engine(
    scorer: Scorer, options: Mapping[str, Any], processes: int | None = None, threads: int | None = None
) -> Engine:
    """An engine that uses all GPUs of this machine, or all its cores.

    Args:
        scorer ([`Scorer`]): The scorer of this process, which does the work if one process is all there is.
        options (`Mapping[str, Any]`): The arguments of the scorers of others.
        processes (`int`, *optional*): Number of processes; by default one for each GPU, or for each core.
        threads (`int`, *optional*): Threads of each; by default the cores are shared out.
    """
    gpus = torch.cuda.device_count()
    processes = processes or gpus or max(1, usable_cores() // (threads or 1))
    threads = threads or max(1, usable_cores() // processes)
    if processes == 1:
        torch.set_num_threads(threads)
        return lambda parts: ((part, scorer.score(part.texts)) for part in parts)
    devices = [f"cuda:{number % gpus}" if gpus else "cpu" for number in range(processes)]
    return lambda parts: _over_processes([{**options, "device": one, "threads": threads} for one in devices], parts)


def _over_processes(workers: list[dict[str, Any]], parts: Iterable[Part]) -> Scored:
    # Not forked: neither CUDA nor the threads of torch and of the tokenizer outlive a fork.
    context = get_context("spawn")
    waiting = context.SimpleQueue()
    for options in workers:
        waiting.put(options)
    with ProcessPoolExecutor(len(workers), context, _begin, (waiting,)) as pool:
        try:
            yield from _as_completed(parts, _WAITING * len(workers), lambda part: pool.submit(_score, part.texts))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


_scorer: Scorer


def _begin(waiting: "queues.SimpleQueue[dict[str, Any]]") -> None:
    """Load the model in a worker."""
    global _scorer
    options = waiting.get()
    os.environ["RAYON_NUM_THREADS"] = str(options["threads"])  # the tokenizer's, before it has any
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _scorer = Scorer(**options)


def _end_with_parent() -> None:
    """End at once if the command is killed: its lock is gone, and what is scored here would be scored twice."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _score(texts: list[str]) -> pa.Table:
    return _scorer.score(texts)


def _as_completed(parts: Iterable[Part], most: int, submit: Callable[[Part], "Future[pa.Table]"]) -> Scored:
    """The parts as they are done; no more than `most` of them are in memory."""
    pending: dict[Future[pa.Table], Part] = {}
    for part in parts:
        pending[submit(part)] = part
        if len(pending) >= most:
            yield from _done(pending)
    while pending:
        yield from _done(pending)


def _done(pending: "dict[Future[pa.Table], Part]") -> Scored:
    for future in wait(pending, return_when=FIRST_COMPLETED).done:
        yield pending.pop(future), future.result()


def ray_engine(options: Mapping[str, Any], processes: int | None = None, threads: int | None = None) -> Engine:
    """An engine of one actor for each GPU of a Ray cluster, or for each core (or `threads` of them).

    Ray is that of `RAY_ADDRESS`, if it is set, or else is started on this machine. The package and the model must be
    where the actors are; texts and scores travel between them and this process, which alone writes.

    Raises:
        ModuleNotFoundError: If Ray is not installed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("--engine ray needs Ray: pip install 'csr-emotion[ray]'.") from error
    ray.init(ignore_reinit_error=True, log_to_driver=False)
    found = ray.cluster_resources()
    gpus, cores, each = int(found.get("GPU", 0)), int(found.get("CPU", 1)), threads or 1
    number = processes or gpus or max(1, cores // each)
    needs: dict[str, Any] = {"num_gpus": gpus / number if gpus < number else 1} if gpus else {"num_cpus": each}
    # A machine that is lost takes its actor with it: its texts are scored by another.
    actor: Any = ray.remote(**needs, max_restarts=-1, max_task_retries=-1)(Scorer)
    actors = [actor.remote(**options, threads=each) for _ in range(number)]

    def engine(parts: Iterable[Part]) -> Scored:
        pending: dict[Any, tuple[Part, Any]] = {}
        free = actors * _WAITING
        for part in parts:
            if not free:
                yield from finish(pending, free)
            worker = free.pop()
            pending[worker.score.remote(part.texts)] = (part, worker)
        while pending:
            yield from finish(pending, free)

    def finish(pending: dict[Any, tuple[Part, Any]], free: list[Any]) -> Scored:
        done, _ = ray.wait(list(pending), num_returns=1)
        for reference in done:
            part, worker = pending.pop(reference)
            free.insert(0, worker)
            yield part, ray.get(reference)

    return engine
