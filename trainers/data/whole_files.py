"""Files that are there whole or not at all, however a command ends."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

UNFINISHED = ".unfinished"


@contextmanager
def whole_file(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Write a file under another name, until it is on the disk: a killed process leaves the old file or the new one,
    never half of one.

    Args:
        path (`Path`): The file.
        mode (`str`, defaults to `"w"`): As for `open`: `"w"` for text in UTF-8, `"wb"` for bytes.
    """
    unfinished = path.with_name(path.name + UNFINISHED)
    with unfinished.open(mode, encoding=None if "b" in mode else "utf-8") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write JSON to a file that is there whole or not at all.

    Raises:
        ValueError: If there is a folder with contents in the file's place.
    """
    path = Path(path)
    clear_folder(path)
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    with whole_file(path) as file:
        file.write(text)


def clear_folder(path: Path) -> None:
    """Remove an empty folder from the place of a file. What is in any other may be somebody's."""
    if not path.is_dir() or path.is_symlink():
        return
    try:
        path.rmdir()
    except OSError as error:
        raise ValueError(
            f"{path} is a folder, but a file is to be written there. Move or delete it, and repeat the command."
        ) from error


__all__ = ["UNFINISHED", "clear_folder", "whole_file", "write_json"]
