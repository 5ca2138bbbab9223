"""The page, run in a process of its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from . import fresh_process


@contextmanager
def running_page(*program: str | Path, env: dict[str, str], cwd: Path | None = None) -> Iterator[str]:
    """Run the page in a process of its own.

    Args:
        program, env, cwd: As for [`fresh_process.run`].

    Yields:
        `str`: The page's address.
    """
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        process = fresh_process.FreshProcess(*program, env=env, cwd=cwd, stdout=log, stderr=log)
        try:
            yield _address(process, log)
        finally:
            process.kill()
            process.wait()


def _address(process: fresh_process.FreshProcess, log: Path) -> str:
    while True:
        ended = process.poll() is not None
        said = log.read_text(encoding="utf-8") if log.exists() else ""
        for line in said.splitlines(keepends=True):
            if "http://127.0.0.1:" in line and line.endswith("\n"):
                return line.split()[-1]
        if ended:
            pytest.fail(f"The page did not start: {said}")
        time.sleep(0.1)
