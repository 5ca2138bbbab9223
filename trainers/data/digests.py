"""Short hashes of values, files and weights."""

import hashlib
import json
import os
from collections.abc import Iterator
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
