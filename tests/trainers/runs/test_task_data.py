"""Data of a task that nobody named."""

import logging
from pathlib import Path

import pytest

from tests.helpers import tiny_run
from trainers.data.readers import GOEMOTIONS
from trainers.runs.data_arguments import DataArguments
from trainers.runs.task_data import load_task


def test_goemotions_are_the_related_data_that_nobody_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "goemotions"
    folder.mkdir()
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_text(f"The {split} is here.\t17\ta\nThe {split}!\t0,2\tb\n", encoding="utf-8")
    caplog.set_level(logging.INFO)
    found = load_task("related", DataArguments(emotion_dataset="mine.csv", data_dir=str(tmp_path)), seed=42)
    assert found.name == "goemotions" and tuple(found.labels) == GOEMOTIONS
    assert found.splits["train"]["text"][:] == ["The train is here.", "The train!"]
    assert "learns from goemotions, since no --related_dataset is named" in caplog.text

    tiny_run.write_csv(tmp_path / "named.csv", tiny_run.emotion_rows(20, seed=1))
    columns = {"related_dataset": str(tmp_path / "named.csv"), "related_label_columns": list(tiny_run.EMOTIONS)}
    assert load_task("related", DataArguments(**columns), seed=42).labels == list(tiny_run.EMOTIONS)


def test_what_is_learnt_first_is_not_what_is_learnt_then(tmp_path: Path) -> None:
    data = DataArguments(emotion_dataset="goemotions", data_dir=str(tmp_path))
    with pytest.raises(ValueError, match=r"is the emotion data here\. Name other data in --related_dataset"):
        load_task("related", data, seed=42)
