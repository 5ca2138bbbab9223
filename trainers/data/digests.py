"""The record in each stage's folder of what the stage was made from, by which it is found again."""

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from torch import nn

RECORD_NAME = "stage.json"


_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, default=str)


def digest(value: Any) -> str:
    """A short hash of anything that JSON can hold; equal values have equal hashes. An iterator, or one of iterators,
    counts as the list of what it gives, which need not fit into memory."""
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
    """A short hash of a model's weights, wherever they came from."""
    found = hashlib.sha256()
    for name, value in model.state_dict().items():
        found.update(name.encode("utf-8"))
        found.update(value.detach().float().cpu().numpy().tobytes())
    return found.hexdigest()[:16]


def write_json(path: str | os.PathLike, value: Any) -> None:
    """Write JSON so that a killed process leaves the old file or the new one, never half of one."""
    path = Path(path)
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(unfinished, path)


@dataclass
class StageRecord:
    """What a stage was made from.

    Args:
        stage (`str`): The stage's name.
        made_from (`dict`): Everything that its result depends on: data, encoder, parents, arguments, seed.
        complete (`bool`): Whether the folder holds the finished stage.
    """

    stage: str
    made_from: dict[str, Any]
    complete: bool = False

    def __post_init__(self) -> None:
        # As it will be read back, so that records compare equal.
        self.made_from = json.loads(json.dumps(self.made_from))

    @property
    def digest(self) -> str:
        return digest(self.made_from)

    @classmethod
    def read(cls, folder: str | os.PathLike) -> Self | None:
        """The record in a folder, or `None` where there is none."""
        path = Path(folder) / RECORD_NAME
        return cls(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def write(self, folder: str | os.PathLike) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_json(Path(folder) / RECORD_NAME, asdict(self))

    def differences(self, other: "StageRecord") -> list[str]:
        """One line for each thing in which this record differs from another."""
        mine, others = _flat(self.made_from), _flat(other.made_from)
        return [
            f"{key}: {mine.get(key)} there, {others.get(key)} here"
            for key in sorted(mine.keys() | others.keys())
            if mine.get(key) != others.get(key)
        ]


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {prefix: value}
    return {
        key: leaf for name, item in value.items() for key, leaf in _flat(item, f"{prefix}.{name}".strip(".")).items()
    }
