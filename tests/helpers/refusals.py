"""What a run says when it refuses to begin."""

from pathlib import Path
from typing import Any

import pytest

from tests.helpers import tiny_run

run_csr = tiny_run.example("run_csr").main


def refusal(argv: list[str]) -> str:
    """What the command says when it refuses to begin. A wrong option or YAML file may also end in a ValueError."""
    with pytest.raises((SystemExit, ValueError, OSError)) as error:
        run_csr(argv)
    assert not isinstance(error.value, SystemExit) or error.value.code not in (0, None)
    return str(error.value)


def check_refusal(place: Path, *words: str, **changes: Any) -> None:
    output_dir = place / "out"
    message = refusal(tiny_run.options(place, output_dir, **changes))
    for word in words:
        assert word in message, message
    assert not output_dir.exists()
