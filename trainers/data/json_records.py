"""Records of JSON Lines files."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .lines import iterate_lines, read_lines
from .row_check import RowCheck


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a JSON Lines file, one per line.

    Args:
        path (`Path`): The file.

    Returns:
        `list[dict[str, Any]]`; object `i` is on line `i + 1`, unless there are blank lines, which are passed over.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is empty or not UTF-8, or a line is not a JSON object.
    """
    return [row for _, row in json_objects(path, read_lines(path), RowCheck())]


def iterate_json_lines(path: Path, check: RowCheck) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a JSON Lines file, each with its line number; lines that are none go to `check`."""
    undecodable = "surrogateescape" if check.skips_bad_rows else "strict"
    return json_objects(path, iterate_lines(path, undecodable), check)


def json_objects(path: Path, lines: Iterable[str], check: RowCheck) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects on lines of JSON, each with its line number."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{path}, line {number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            check.refuse(ValueError(f"{place}: not valid JSON ({error.msg})."), str(path), f"line {number}")
            continue
        if not isinstance(row, dict):
            wrong = ValueError(f"{place}: expected a JSON object, got {line[:40]!r}.")
            check.refuse(wrong, str(path), f"line {number}")
            continue
        yield number, row
