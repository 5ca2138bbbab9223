"""Some labels of a multi-label dataset: which texts stay, in which order the targets come, and what is told of it."""

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset, DatasetDict

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.data.labels import select_labels
from trainers.data.task_dataset import TaskDataset
from trainers.runs.runner import Runner

TRAIN = {"text": ["a", "b", "c", "d"], "labels": [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]}
DEV = {"text": ["e", "f"], "labels": [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]}


def dataset() -> TaskDataset:
    splits = DatasetDict(train=Dataset.from_dict(TRAIN), dev=Dataset.from_dict(DEV))
    return TaskDataset("mine", ["anger", "joy", "pride"], "multi_label_classification", splits, None)


def test_texts_without_the_labels_are_dropped_from_every_split() -> None:
    found = select_labels(dataset(), ["pride", "anger"], "drop")
    assert found.labels == ["pride", "anger"]
    assert found.splits["train"].to_dict() == {"text": ["a", "d"], "labels": [[1.0, 1.0], [1.0, 0.0]]}
    assert found.splits["dev"].to_dict() == {"text": ["e"], "labels": [[0.0, 1.0]]}
    assert found.notes == [
        "Restricted to the labels pride, anger. Texts with none of them were left out: 2 of 4 train texts, 1 of 2 dev "
        "texts."
    ]


def test_texts_without_the_labels_are_kept() -> None:
    given = dataset()
    found = select_labels(given, ["pride"])
    assert found.splits["train"].to_dict() == {"text": TRAIN["text"], "labels": [[1.0], [0.0], [0.0], [1.0]]}
    assert found.splits["dev"].to_dict() == {"text": ["e", "f"], "labels": [[0.0], [0.0]]}
    assert "kept, without a label: 2 of 4 train texts, 2 of 2 dev texts" in found.notes[0]
    assert given.labels == ["anger", "joy", "pride"] and given.splits["train"].to_dict() == TRAIN and not given.notes


@pytest.mark.parametrize(
    ("labels", "rows", "message"),
    [
        (["pride", "relief"], "keep", "mine has no label relief; it has anger, joy, pride"),
        (["joy", "joy"], "keep", "each only once"),
        ([], "keep", "at least one label"),
        (["pride"], "drop", "no text of the dev split of mine has any of them"),
        (["joy"], "omit", "--rows_without_labels must be keep or drop, got 'omit'"),
    ],
)
def test_what_cannot_be_selected(labels: list[str], rows: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        select_labels(dataset(), labels, rows)


def test_single_label_data_cannot_be_restricted() -> None:
    single = dataset()
    single.problem_type = "single_label_classification"
    with pytest.raises(ValueError, match="only multi-label data can be restricted"):
        select_labels(single, ["joy"])


def test_in_a_run(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)
    chosen = {"recipe": "bert", "emotion_labels": ["sadness", "anger"], "num_train_epochs": 1}
    runner = Runner(
        parse_run_arguments(tiny_run.options(place, tmp_path / "out", **chosen, rows_without_labels="drop"))
    )
    assert np.asarray(runner.prepared.labels("train")).any(axis=1).all()
    runner.run()
    folder = tmp_path / "out" / "emotion-encoder"
    assert tiny_run.read_json(folder / "config.json")["id2label"] == {"0": "sadness", "1": "anger"}
    card = (folder / "README.md").read_text(encoding="utf-8")
    card = card.replace("\\", "")
    assert "Restricted to the labels sadness, anger. Texts with none of them were left out" in card
    # Another choice is another model, and so is another treatment of the rest.
    for changes in ({"rows_without_labels": "keep"}, {"emotion_labels": ["anger", "sadness"]}):
        other = {**chosen, "rows_without_labels": "drop", **changes}
        with pytest.raises(ValueError, match="belongs to another run"):
            Runner(parse_run_arguments(tiny_run.options(place, tmp_path / "out", **other)))


def test_unknown_label_stops_a_run_before_training(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)
    args = parse_run_arguments(tiny_run.options(place, tmp_path / "out", recipe="bert", emotion_labels=["hope"]))
    with pytest.raises(ValueError, match="--emotion_labels hope: posts has no label hope; it has anger, joy, sadness"):
        Runner(args)
