"""One command at a time trains in a folder."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ..data import write_json

logger = logging.getLogger(__name__)

LOCK_NAME = ".lock"
HOLDER_NAME = ".lock.json"


class RunLockedError(RuntimeError):
    """Another command is training in the folder."""


@contextmanager
def locked(output_dir: Path, wait: bool) -> Iterator[None]:
    """Keep other commands from training in a folder. The lock goes with its process, however that ends.

    Args:
        output_dir (`Path`): The folder, which is created.
        wait (`bool`): Whether to wait for another command, rather than to refuse.

    Raises:
        RunLockedError: If another command is training there and `wait` is false.
    """
    output_dir.mkdir(parents=True, exist_ok=True)
    lock, holder = FileLock(output_dir / LOCK_NAME), output_dir / HOLDER_NAME
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        other = f"{output_dir} is in use by {_described(holder)}"
        if not wait:
            raise RunLockedError(
                f"{other}. Wait for it with --wait_for_lock True, or choose another --output_dir."
            ) from error
        logger.warning("%s: waiting for it to end.", other)
        lock.acquire()
    try:
        started = datetime.now().astimezone().isoformat(timespec="seconds")
        write_json(holder, {"process": os.getpid(), "host": socket.gethostname(), "started": started})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _described(holder: Path) -> str:
    try:
        found = json.loads(holder.read_text(encoding="utf-8"))
        return f"process {found['process']} on {found['host']}, which began at {found['started']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it has just begun, or just ended
