"""Commands in processes of their own that can be killed, and what became of them."""

import multiprocessing
import os
import re
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm.std import tqdm

# A child has all that its parent has imported, so that a command begins at once.
FORK = multiprocessing.get_context("fork")
# By default a semaphore that all forks share: one that is killed while it holds it would stop all later ones.
tqdm.set_lock(threading.RLock())


@dataclass(frozen=True)
class Trial:
    """
    One thing that was tried.

    Args:
        part (`str`): The row of the table it counts in.
        name (`str`): What was tried.
        lost (`str`, *optional*): What was lost, or should not have happened; `None` if nothing.
        signals (`int`, *optional*): How many signals reached a process that was still at work.
    """

    part: str
    name: str
    lost: str | None = None
    signals: int = 0


@dataclass
class Command:
    """
    A command in a process of its own.

    Args:
        run (`Callable`): What to run there.
        log (`Path`): Where its output goes.
    """

    run: Callable[[], Any]
    log: Path

    def start(self) -> "Command":
        self._process = FORK.Process(target=self._in_the_child)
        self._process.start()
        return self

    def _in_the_child(self) -> None:
        os.setsid()
        with self.log.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        torch.set_num_threads(1)
        try:
            self.run()
        except SystemExit:
            raise
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(70)

    def signal(self, number: int) -> None:
        if self._process.is_alive() and self._process.pid:
            os.kill(self._process.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._process.join()

    def kill_all(self) -> None:
        """Kill the command and the processes that it has started, which are of its session."""
        if self._process.pid:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.join()

    def wait(self, timeout: float | None = None) -> bool:
        """Whether the command has ended after so many seconds."""
        self._process.join(timeout)
        return not self._process.is_alive()

    @property
    def code(self) -> int | None:
        return self._process.exitcode

    @property
    def output(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def complaint(self) -> str | None:
        """What is wrong with how the command ended: a traceback, or no word; `None` if nothing."""
        if self.code == 0:
            return None
        if "Traceback" in self.output:
            return f"a traceback: {self.output.strip().splitlines()[-1]}"
        return None if re.search(r"error: .{20,}", self.output) else f"exit code {self.code} without a message"


def seconds_of(command: Command) -> float:
    """Run a command to its end; how many seconds it took.

    Raises:
        RuntimeError: If it fails.
    """
    begun = time.monotonic()
    command.start().wait()
    if command.code != 0:
        raise RuntimeError(f"The command that all others are compared with fails:\n{command.output}")
    return time.monotonic() - begun
