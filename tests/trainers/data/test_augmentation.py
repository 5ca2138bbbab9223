"""Copies of texts with rare labels: how many, with which labels, the same in every process, and of train alone."""

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.data import augmentation
from trainers.data.augmentation import AUGMENTATIONS, augment_rare_labels
from trainers.data.task_dataset import TaskDataset
from trainers.runs.runner import Runner

TEXTS = [
    "what a great relief that it is finally over now",
    "my friend told me that all of it went well again",
    "we were so very proud of the whole team today",
    "thank you so much for the kind help with this",
    "they never said anything about the late train",
    "the weather was nothing special on that long day",
]
LABELS = [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def dataset() -> TaskDataset:
    splits = DatasetDict({split: Dataset.from_dict({"text": TEXTS, "labels": LABELS}) for split in ("train", "dev")})
    return TaskDataset("mine", ["relief", "joy", "none"], "multi_label_classification", splits, None)


def test_rare_labels_grow_to_the_target_and_the_rest_stays() -> None:
    given = dataset()
    found = augment_rare_labels(given, 5, AUGMENTATIONS, seed=1)
    train = found.splits["train"].to_dict()
    counts = np.sum(train["labels"], axis=0)
    # Relief needs three copies more; those of the second text are joy as well. Nobody has the third label.
    assert counts[0] == 5 and counts[1] >= 5 and counts[2] == 0
    assert train["text"][:6] == TEXTS and train["labels"][:6] == LABELS
    assert len(set(train["text"])) == len(train["text"])
    assert found.splits["dev"].to_dict() == {"text": TEXTS, "labels": LABELS}
    copies = len(train["text"]) - len(TEXTS)
    assert found.notes == [
        f"{copies} of the training texts are changed copies (swap, delete, spelling, keyboard, by nlpaug) of texts "
        f"with rare labels: relief from 2 to 5, joy from 4 to {int(counts[1])}."
    ]
    assert len(given.splits["train"]) == len(TEXTS)


def test_copies_have_the_labels_of_their_text() -> None:
    # Swapping words keeps them, so that a copy can be told from its words.
    train = augment_rare_labels(dataset(), 8, ["swap"], seed=1).splits["train"].to_dict()
    of_words = {tuple(sorted(text.lower().split())): labels for text, labels in zip(TEXTS, LABELS, strict=True)}
    assert len(train["text"]) > 8
    for text, labels in zip(train["text"], train["labels"], strict=True):
        assert labels == of_words[tuple(sorted(text.lower().split()))]


def test_single_labels() -> None:
    features = Features({"text": Value("string"), "labels": ClassLabel(names=["a", "b"])})
    rows = Dataset.from_dict({"text": TEXTS, "labels": [0, 0, 0, 0, 1, 1]}, features=features)
    given = TaskDataset("mine", ["a", "b"], "single_label_classification", DatasetDict(train=rows), None)
    found = augment_rare_labels(given, 4, ["keyboard"], seed=1).splits["train"]
    assert found["labels"] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert augment_rare_labels(given, 2, ["keyboard"], seed=1) is given


def test_texts_too_short_to_be_changed_end_the_search_for_copies() -> None:
    rows = Dataset.from_dict({"text": ["a", "b"], "labels": [[1.0, 0.0], [0.0, 1.0]]})
    given = TaskDataset("mine", ["x", "y"], "multi_label_classification", DatasetDict(train=rows), None)
    assert augment_rare_labels(given, 50, ["swap"], seed=1) is given


def test_the_seed_decides_and_the_random_numbers_of_the_process_are_left_alone() -> None:
    random.seed(5)
    np.random.seed(5)
    expected = (random.random(), np.random.random())
    random.seed(5)
    np.random.seed(5)
    first = augment_rare_labels(dataset(), 9, AUGMENTATIONS, seed=1).splits["train"]["text"]
    assert (random.random(), np.random.random()) == expected
    assert augment_rare_labels(dataset(), 9, AUGMENTATIONS, seed=1).splits["train"]["text"] == first
    assert augment_rare_labels(dataset(), 9, AUGMENTATIONS, seed=2).splits["train"]["text"] != first


def test_misspellings_are_the_same_in_every_process() -> None:
    # nlpaug keeps them in sets, whose order depends on the process.
    program = (
        "import sys, json\n"
        "from trainers.data.augmentation import _augmenter, _seeded\n"
        "augment = _augmenter('spelling')\n"
        "with _seeded(1):\n"
        "    print(json.dumps([augment(text) for text in json.loads(sys.argv[1])]))\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, json.dumps(TEXTS * 5)],
        env=tiny_run.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    augment = augmentation._augmenter("spelling")
    with augmentation._seeded(1):
        here = [augment(text) for text in TEXTS * 5]
    assert here != TEXTS * 5
    assert json.loads(process.stdout) == here


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--augment_rare", "-1"], "--augment_rare must be at least 0, got -1"),
        (
            ["--augment_rare", "5", "--augmentations", "swap", "backtranslation"],
            "--augmentations swap backtranslation: give one or more of swap, delete, spelling, keyboard",
        ),
    ],
)
def test_options_that_are_not_valid(options: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_run_arguments(options)


def test_missing_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(augmentation, "find_spec", lambda name: None)
    parse_run_arguments([])
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'csr-emotion\[search\]'"):
        parse_run_arguments(["--augment_rare", "5"])


def test_in_a_run(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)

    def runner(**changes: object) -> Runner:
        options = {"recipe": "bert", "num_train_epochs": 1, "augment_rare": 60, **changes}
        return Runner(parse_run_arguments(tiny_run.options(place, tmp_path / "out", **options)))

    first = runner()
    assert (first.prepared.labels("train").sum(axis=0) >= 60).all()
    assert len(first.prepared.tasks["emotion"].splits["dev"]) == 15
    first.run()
    card = (tmp_path / "out" / "emotion-encoder" / "README.md").read_text(encoding="utf-8").replace("\\", "")
    assert "of the training texts are changed copies (swap, delete, spelling, keyboard, by nlpaug)" in card
    runner()
    with pytest.raises(ValueError, match="belongs to another run"):
        runner(augment_rare=50)
