"""The record of a stage: written, read and compared."""

import os
from pathlib import Path
from typing import Any

from trainers.runs.records import RECORD_NAME, StageRecord

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
    record.finished(folder).write(folder)
    assert StageRecord.read(folder).complete and StageRecord.read(folder) == record.finished(folder)
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
    unfinished, finished = (StageRecord("csr", MADE_FROM, files) for files in (None, {}))
    assert unfinished.differences(finished) == [] and unfinished.digest == finished.digest


def test_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    # What a process leaves that is killed in the middle of writing; the next one goes over it.
    path = tmp_path / RECORD_NAME
    StageRecord("csr", MADE_FROM).write(tmp_path)
    (tmp_path / f"{RECORD_NAME}.unfinished").write_text('{"stage": "cs')
    assert StageRecord.read(tmp_path) == StageRecord("csr", MADE_FROM)
    changed(seed=7).write(tmp_path)
    assert StageRecord.read(tmp_path) == changed(seed=7)
    assert os.listdir(tmp_path) == [path.name]
