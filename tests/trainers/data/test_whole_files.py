"""Files that are written whole or not at all."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from trainers.data import whole_file, write_json


def test_json_replaces_the_old_file_and_leaves_no_other(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    for value in ({"text": "naïve 😂"}, {"text": "other"}):
        write_json(path, value)
        assert json.loads(path.read_text(encoding="utf-8")) == value
    assert os.listdir(tmp_path) == ["results.json"]
    write_json(path, {"text": "naïve 😂"})
    assert "naïve 😂" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("value", [{"a": object()}, {"a": {1, 2}}])
def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path, value: Any) -> None:
    path = tmp_path / "results.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, value)
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert os.listdir(tmp_path) == ["results.json"]


def test_a_file_that_was_not_finished_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "scores.parquet"
    with whole_file(path, "wb") as file:
        file.write(b"old")
    with pytest.raises(KeyboardInterrupt), whole_file(path, "wb") as file:
        file.write(b"half of the new")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    with whole_file(path, "wb") as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["scores.parquet"]
