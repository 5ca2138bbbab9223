"""The page, run in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def running_page(arguments: Sequence[str], **options: Any) -> Iterator[str]:
    """Run the page in a process of its own.

    Args:
        arguments (`Sequence[str]`): Those of Python.
        **options: Further arguments of `Popen`, such as `env`.

    Yields:
        `str`: The page's address.
    """
    pytest.importorskip("gradio", reason="the page needs gradio: pip install --editable '.[space]'")
    process = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, text=True, **options)
    try:
        said = []
        for line in process.stdout:
            said.append(line)
            if "http://127.0.0.1:" in line:
                yield line.split()[-1]
                break
        else:
            pytest.fail(f"The page did not start: {said}")
    finally:
        process.terminate()
        process.wait()
