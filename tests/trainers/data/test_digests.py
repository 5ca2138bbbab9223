import hashlib
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainers.data.digests import RECORD_NAME, digest, file_digest, write_json
from trainers.runs.records import StageRecord

MADE_FROM = {
    "data": {"emotion": {"name": "posts", "train": "0a1b"}},
    "parents": {"encoder": "77aa"},
    "training": {"seed": 42, "learning_rate": 1e-4, "bf16": False, "lr_scheduler_kwargs": None},
    "recipe": {"tasks": ("emotion", "sentiment")},
}


def changed(**training: Any) -> StageRecord:
    return StageRecord("csr", MADE_FROM | {"training": MADE_FROM["training"] | training})


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "csr"
    record = StageRecord("csr", MADE_FROM)
    record.write(folder)
    found = StageRecord.read(folder)
    assert found == record and found.digest == record.digest
    assert not found.complete and found.differences(record) == []
    StageRecord("csr", MADE_FROM, complete=True).write(folder)
    assert StageRecord.read(folder).complete
    assert os.listdir(folder) == [RECORD_NAME]


def test_folder_without_record_has_none(tmp_path: Path) -> None:
    assert StageRecord.read(tmp_path) is None
    assert StageRecord.read(tmp_path / "nowhere") is None


def test_differences_name_the_place_and_both_values(tmp_path: Path) -> None:
    StageRecord("csr", MADE_FROM).write(tmp_path)
    there = StageRecord.read(tmp_path)
    assert there.differences(changed(seed=7, bf16=True)) == [
        "training.bf16: False there, True here",
        "training.seed: 42 there, 7 here",
    ]
    without = StageRecord("csr", {name: value for name, value in MADE_FROM.items() if name != "parents"})
    assert there.differences(without) == ["parents.encoder: 77aa there, None here"]
    assert without.differences(there) == ["parents.encoder: None there, 77aa here"]
    other = StageRecord("csr", MADE_FROM | {"recipe": {"tasks": ["emotion"]}})
    assert there.differences(other) == ["recipe.tasks: ['emotion', 'sentiment'] there, ['emotion'] here"]


def test_completeness_is_no_difference() -> None:
    unfinished, finished = (StageRecord("csr", MADE_FROM, complete=complete) for complete in (False, True))
    assert unfinished.differences(finished) == [] and unfinished.digest == finished.digest


def test_digest_tells_values_apart_and_nothing_else() -> None:
    record = StageRecord("csr", MADE_FROM)
    turned = {name: MADE_FROM[name] for name in reversed(MADE_FROM)}
    assert StageRecord("csr", turned).digest == record.digest
    digests = {record.digest, *(changed(**change).digest for change in ({"seed": 7}, {"bf16": True}, {"epochs": 2}))}
    assert len(digests) == 4
    assert digest([1, 2]) != digest([2, 1]) and digest("1") != digest(1)


def test_digest_is_the_same_in_every_process_and_version() -> None:
    # The first 16 digits of `printf '{"a": "ü", "b": [1, null]}' | sha256sum`: records of earlier runs must stay valid.
    assert digest({"b": [1, None], "a": "ü"}) == "9b22c704c676cc5c"


AWKWARD = [
    "",
    " ",
    "ü €",
    "\U0001f602",
    'say "no"',
    "a\\nb",
    "tab\tnew\nline\r\x00\x1f\x7f",
    "\u2028",
    "[1, 2]",
    "NaN",
]


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1, -1, 2**40],
        [[0.0, 1.0], [], [math.nan, 0.1], [1e-8, 1e22, float(np.float32(0.1))]],
        [None, True, {"b": 1, "a": [Path("x")]}, "ü"],
    ],
    ids=["ids", "floats", "others"],
)
def test_digest_of_what_passes_by_is_that_of_the_list(labels: list[Any]) -> None:
    """Records of earlier runs hold digests that were made of the whole lists at once."""
    whole = [AWKWARD, labels]
    text = json.dumps(whole, sort_keys=True, ensure_ascii=False, default=str)
    expected = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
    assert (
        digest(whole) == digest(iter([iter(AWKWARD), iter(labels)])) == digest(list(part) for part in whole) == expected
    )
    assert digest(iter(AWKWARD)) == digest(AWKWARD)
    assert digest(iter([])) == digest([]) and digest(iter([iter([])])) == digest([[]]) != digest([])


def test_file_digest_is_of_the_contents(tmp_path: Path) -> None:
    for name, content in (("a", b"one"), ("b", b"one"), ("c", b"two")):
        (tmp_path / name).write_bytes(content)
    # printf one | sha256sum
    assert file_digest(tmp_path / "a") == file_digest(tmp_path / "b") == "7692c3ad3540bb80"
    assert file_digest(tmp_path / "c") != file_digest(tmp_path / "a")


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


def test_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    # What a process leaves that is killed in the middle of writing; the next one goes over it.
    path = tmp_path / RECORD_NAME
    StageRecord("csr", MADE_FROM).write(tmp_path)
    (tmp_path / f"{RECORD_NAME}.unfinished").write_text('{"stage": "cs')
    assert StageRecord.read(tmp_path) == StageRecord("csr", MADE_FROM)
    changed(seed=7).write(tmp_path)
    assert StageRecord.read(tmp_path) == changed(seed=7)
    assert os.listdir(tmp_path) == [path.name]
