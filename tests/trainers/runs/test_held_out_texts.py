"""Training texts that are dev texts of another task of the same model are left out."""

import logging

import datasets
import pytest

from trainers.data import TaskDataset
from trainers.recipes import RECIPES, Stage
from trainers.runs.held_out_texts import without_held_out_texts

ALL_IN_ONE, BERT = RECIPES["all-in-one"].final, RECIPES["bert"].final


def data(name: str, train: list[str], dev: list[str]) -> TaskDataset:
    splits = {
        split: datasets.Dataset.from_dict({"text": texts, "labels": [[float(row)] for row in range(len(texts))]})
        for split, texts in (("train", train), ("dev", dev))
    }
    return TaskDataset(name, ["joy"], "regression", datasets.DatasetDict(splits), None)


def tasks() -> dict[str, TaskDataset]:
    return {
        "emotion": data("posts", ["a", "b", "c"], ["x"]),
        "intensity": data("scores", ["a", "x", "x"], ["b", "y"]),
        "valence": data("valences", ["a"], ["c"]),
    }


def test_texts_of_others_are_left_out(caplog: pytest.LogCaptureFixture) -> None:
    before = tasks()
    with caplog.at_level(logging.WARNING):
        found = without_held_out_texts(before, [BERT, ALL_IN_ONE])
    assert {task: one.splits["train"]["text"][:] for task, one in found.items()} == {
        "emotion": ["a"],
        "intensity": ["a"],
        "valence": ["a"],
    }
    assert found["emotion"].splits["train"]["labels"][:] == [[0.0]]
    assert found["emotion"].notes == ["2 training texts were left out, which are dev texts of scores, valences."]
    assert "scores: 2 training texts were left out, which are dev texts of posts, valences." in caplog.text
    # What was passed in is as it was, and dev too.
    assert before["emotion"].splits["train"]["text"][:] == ["a", "b", "c"]
    assert found["valence"] is before["valence"] and found["intensity"].splits["dev"]["text"][:] == ["b", "y"]


@pytest.mark.parametrize("stages", [[BERT], [BERT, RECIPES["model-2"].final]])
def test_tasks_that_no_stage_learns_together_keep_theirs(stages: list[Stage]) -> None:
    before = tasks()
    found = without_held_out_texts(before, stages)
    assert all(found[task] is before[task] for task in before)


def test_task_without_a_text_left_is_refused() -> None:
    found = tasks() | {"intensity": data("scores", ["x"], ["y"])}
    with pytest.raises(ValueError, match="scores: all of its training texts are dev texts of posts, valences"):
        without_held_out_texts(found, [ALL_IN_ONE])
