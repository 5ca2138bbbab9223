"""Short hashes of values, files and weights, and JSON files written atomically."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch import nn

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def digest(value: Any) -> str:
    """A short hash of anything that JSON can represent; equal values have equal hashes. An iterator, possibly of
    iterators, counts as a list of its items, which need not fit into memory."""
    found = hashlib.sha256()
    for part in _json_parts(value):
        found.update(part.encode("utf-8"))
    return found.hexdigest()[:16]


def _json_parts(value: Any) -> Iterator[str]:
    if not isinstance(value, Iterator):
        yield _ENCODER.encode(value)
        return
    yield "["
    for number, item in enumerate(value):
        if number:
            yield ", "
        yield from _json_parts(item)
    yield "]"


def file_digest(path: str | os.PathLike) -> str:
    """A short hash of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def weights_digest(model: nn.Module) -> str:
    """A short hash of a model's weights."""
    found = hashlib.sha256()
    for name, value in model.state_dict().items():
        found.update(name.encode("utf-8"))
        found.update(value.detach().float().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write JSON atomically: a killed process leaves the old file or the new one, never half of one.

    Raises:
        ValueError: If there is a folder with contents in the file's place.
    """
    path = Path(path)
    clear_folder(path)
    unfinished = path.with_name(path.name + ".unfinished")
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


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
