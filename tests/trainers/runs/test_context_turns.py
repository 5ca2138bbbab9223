"""`--context_turns`: classifiers of single texts that read the utterances before as a part of the text."""

import random
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from transformers import AutoTokenizer, pipeline

from modeling_csr import utterance_in_context
from tests.helpers import tiny_run
from trainers.data import TaskDataset, load_task_dataset
from trainers.runs import read_in_context

run_csr = tiny_run.example("run_csr").main


def talks(dialogues: int, seed: int) -> list[dict[str, Any]]:
    """Dialogues whose second utterance has the label of the first, and no word of it."""
    rng = random.Random(seed)
    rows = []
    for dialogue in range(dialogues):
        label = list(tiny_run.EMOTIONS)[dialogue % 3]
        for place, words in enumerate((tiny_run.EMOTIONS[label].split(), [])):
            text = " ".join([*words, *rng.sample(tiny_run.FILLERS, 4)])
            place_of = {"dialogue_id": dialogue, "utterance_id": place, "speaker": "XY"[place]}
            # The first is context alone.
            rows.append({"text": text, "label": label if place else "", **place_of})
    rng.shuffle(rows)
    return rows


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    tiny_run.write_encoder(folder / "encoder")
    for split, size in (("train", 60), ("dev", 18)):
        tiny_run.write_csv(folder / "talks" / f"{split}.csv", talks(size, len(split)))
    return folder


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    unset = ("siamese_num_train_epochs", "siamese_train_batch_size", "common_num_train_epochs", "common_learning_rate")
    values = dict.fromkeys([*unset, "common_train_batch_size", "emotion_label_columns", "sentiment_dataset"])
    values |= {"recipe": ["bert"], "emotion_dataset": place / "talks", "unlabelled_rows": "context"}
    return tiny_run.options(place, output_dir, **values | {"context_turns": 1, "num_train_epochs": 10} | changes)


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    run_csr(options(place, folder))
    return folder / "emotion-encoder"


def test_what_only_the_context_says_is_learnt(finished: Path) -> None:
    results = tiny_run.read_json(finished / "eval_results.json")
    # Without it, one in three would be guessed.
    assert results["metrics"]["accuracy"] > 0.9
    assert sum(scores["support"] for scores in results["per_label"].values()) == 18


def test_the_model_says_in_a_conversation_what_it_was_scored_for(place: Path, finished: Path) -> None:
    rows = tiny_run.read_csv(place / "talks" / "dev.csv")
    classifier = pipeline("text-classification", model=str(finished), top_k=None)
    separator = AutoTokenizer.from_pretrained(finished).sep_token
    labelled = [row for row in rows if row["label"]]
    logits = np.load(finished / "dev_logits.npy")
    for row, expected in list(zip(labelled, logits, strict=True))[:4]:
        talk = sorted(
            (one for one in rows if one["dialogue_id"] == row["dialogue_id"]), key=lambda one: one["utterance_id"]
        )
        text = utterance_in_context([(one["speaker"], one["text"]) for one in talk], 1, separator)
        ((best, *_),) = classifier([text])
        assert best["label"] == sorted(tiny_run.EMOTIONS)[int(expected.argmax())]
        assert best["score"] == pytest.approx(float(np.exp(expected.max()) / np.exp(expected).sum()), abs=1e-4)
    assert "The function utterance\\_in\\_context of modeling" in (finished / "README.md").read_text(encoding="utf-8")


def test_evaluation_makes_the_same_texts(place: Path, finished: Path) -> None:
    argv = ["--dataset", str(place / "talks"), "--max_length", "64", "--unlabelled_rows", "context"]
    found = tiny_run.example("run_evaluation").main([str(finished), *argv, "--context_turns", "1"])
    expected = tiny_run.read_json(finished / "eval_results.json")
    # Probabilities may differ in their last bits.
    assert found["per_label"] == {label: pytest.approx(scores) for label, scores in expected["per_label"].items()}
    assert found["texts"] == 18


def test_a_separator_is_one_token(place: Path) -> None:
    task = load_task_dataset(str(place / "talks"), unlabelled_rows="context")
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")
    joined = read_in_context(task, 3, tokenizer.sep_token).splits["dev"]
    assert len(joined) == 18 and set(joined["utterance_id"]) == {1}
    for text in joined["text"]:
        assert text.count(" [SEP] B: ") == 1
        assert tokenizer(text)["input_ids"].count(tokenizer.sep_token_id) == 2


def test_utterances_with_some_of_their_labels_are_kept() -> None:
    """What nobody has annotated at all is context alone."""
    columns = {"text": ["so?", "well", "yes"], "labels": [[1.0, np.nan], [np.nan, np.nan], [0.0, 1.0]]}
    rows = datasets.Dataset.from_dict(
        columns | {"dialogue_id": ["a"] * 3, "utterance_id": [0, 1, 2], "speaker": ["x", "y", "x"]}
    )
    kind = "multi_label_classification"
    task = TaskDataset("talks", ["joy", "fear"], kind, datasets.DatasetDict(dev=rows), None)
    assert read_in_context(task, 1, "[SEP]").splits["dev"]["text"][:] == ["so?", "yes [SEP] B: well"]
    assert len(task.groups("dev")) == len(task.labelled_targets("dev")) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": ["dialogue"]}, "context_turns is for recipes that read single texts"),
        ({"context_turns": 21}, "--context_turns must be at least 0 and at most 20, got 21"),
        ({"emotion_dataset": "csr-emotion-posts-sentiment", "unlabelled_rows": None}, "has no column dialogue_id"),
        ({"augment_rare": 5}, "leave it or --context_turns out"),
    ],
)
def test_context_that_cannot_be_read(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        run_csr(options(place, tmp_path / "out", **changes))
