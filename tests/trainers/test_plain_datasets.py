"""Trainers on plain texts and labels: whatever form the labels have, the training is that on prepared rows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback

from modeling_csr import MultitaskForSequenceClassification
from trainers import MultitaskTrainer, SiameseTrainer
from trainers.loop.collators import TaskCollator

LABELS = ["anger", "fear", "joy"]


def model(tiny: ModuleType, **task: Any) -> MultitaskForSequenceClassification:
    torch.manual_seed(3)
    found = MultitaskForSequenceClassification(tiny.config({"emotion": tiny.EMOTION | task}))
    tiny.spread_out(found)
    return found


def build(tiny: ModuleType, folder: Path, train: Any, dev: Any = None, **changes: Any) -> MultitaskTrainer:
    options = {"processing_class": tiny.tokenizer(), **changes}
    options.setdefault("model", model(tiny))
    return MultitaskTrainer(args=tiny.arguments(folder), train_dataset=train, eval_dataset=dev, **options)


def plain(tiny: ModuleType, size: int = 21) -> tuple[list[str], np.ndarray]:
    return tiny.texts(size), tiny.emotions(size)


FORMS: dict[str, Callable[[list[str], np.ndarray], Any]] = {
    "lists of names": lambda texts, hot: [
        {"text": text, "labels": [name for name, bit in zip(LABELS, row, strict=True) if bit]}
        for text, row in zip(texts, hot, strict=True)
    ],
    "0/1 lists": lambda texts, hot: Dataset.from_dict({"text": texts, "labels": hot.astype(int).tolist()}),
    "booleans": lambda texts, hot: Dataset.from_dict({"text": texts, "labels": hot.astype(bool).tolist()}),
    "a column per label": lambda texts, hot: pd.DataFrame(
        {"text": texts, **{name: hot[:, column].astype(int) for column, name in enumerate(LABELS)}}
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_training_is_that_on_prepared_rows(tiny: ModuleType, tmp_path: Path, form: str) -> None:
    texts, hot = plain(tiny)
    prepared = [
        {**tiny.tokenizer()(text), "labels_emotion": row} for text, row in zip(texts, hot.tolist(), strict=True)
    ]
    trainers = (
        build(tiny, tmp_path, FORMS[form](texts, hot)),
        build(tiny, tmp_path, prepared, data_collator=TaskCollator(tiny.tokenizer(), {"emotion": tiny.EMOTION})),
    )
    for trainer in trainers:
        trainer.train()
    first, second = (tiny.trained_weights(trainer.model) for trainer in trainers)
    assert all(torch.equal(value, second[name]) for name, value in first.items())
    # The test could tell: other labels give other weights.
    other = build(tiny, tmp_path, FORMS[form](texts, 1 - hot))
    other.train()
    assert not all(torch.equal(value, first[name]) for name, value in tiny.trained_weights(other.model).items())


def single(tiny: ModuleType) -> MultitaskForSequenceClassification:
    return model(tiny, problem_type="single_label_classification")


@pytest.mark.parametrize("form", ["names", "ids"])
def test_single_labels_by_name_or_id(tiny: ModuleType, tmp_path: Path, form: str) -> None:
    ids = [0, 2, 1, 2]
    rows = {"text": tiny.texts(4), "labels": ids if form == "ids" else [LABELS[index] for index in ids]}
    trainer = build(tiny, tmp_path, Dataset.from_dict(rows), model=single(tiny))
    batch = trainer.data_collator([trainer.train_dataset[index] for index in range(4)])
    assert batch["labels"]["emotion"].tolist() == ids


def test_scores_may_be_missing(tiny: ModuleType, tmp_path: Path) -> None:
    first, second = tiny.texts(2)
    rows = [{"text": first, "labels": [0.1, None, 0.5]}, {"text": second, "labels": [1.0, 0.0, 0.0]}]
    trainer = build(tiny, tmp_path, rows, model=model(tiny, problem_type="regression"))
    labels = trainer.data_collator(list(trainer.train_dataset))["labels"]["emotion"]
    torch.testing.assert_close(labels, torch.tensor([[0.1, float("nan"), 0.5], [1, 0, 0]]), equal_nan=True)


def test_columns_are_mapped(tiny: ModuleType, tmp_path: Path) -> None:
    rows = Dataset.from_dict({"tweet": tiny.texts(3), "emotion": [["joy"], [], ["fear", "anger"]]})
    trainer = build(tiny, tmp_path, rows, column_mapping={"tweet": "text", "emotion": "labels"})
    labels = trainer.data_collator(list(trainer.train_dataset))["labels"]["emotion"]
    assert labels.tolist() == [[0, 0, 1], [0, 0, 0], [1, 1, 0]]


# -- scores and thresholds ---------------------------------------------------------------------------------------------


def test_tuned_thresholds_are_the_models_and_count_from_then_on(tiny: ModuleType, tmp_path: Path) -> None:
    texts, hot = plain(tiny)
    rows = FORMS["0/1 lists"](texts, hot)
    trainer = build(tiny, tmp_path, rows, rows)
    before = trainer.evaluate()
    tuned = trainer.tune_thresholds("per_label")["emotion"]
    assert list(tuned) == LABELS and trainer.model.config.thresholds == list(tuned.values())
    after = trainer.evaluate()
    assert after["eval_macro_f1"] > before["eval_macro_f1"]
    # Plain rows of another split are scored as well, at the same thresholds.
    assert trainer.evaluate(rows)["eval_macro_f1"] == after["eval_macro_f1"]
    assert trainer.predict(rows).predictions["emotion"].shape == (21, 3)
    # A calibration is stored beside them, and changes no score.
    fitted = trainer.calibrate(rows)["emotion"]
    assert list(fitted) == LABELS and trainer.model.config.calibration == list(fitted.values())
    assert all(slope > 0 for slope, _ in fitted.values()) and len(set(map(tuple, fitted.values()))) == 3
    assert trainer.evaluate()["eval_macro_f1"] == after["eval_macro_f1"]


def test_what_is_passed_in_is_used(tiny: ModuleType, tmp_path: Path) -> None:
    rows = FORMS["0/1 lists"](*plain(tiny, 8))
    seen = []

    class Steps(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            seen.append(state.global_step)

    trainer = build(tiny, tmp_path, rows, rows, compute_metrics=lambda prediction: {"mine": 7.0}, callbacks=[Steps()])
    trainer.train()
    assert seen == [1, 2] and trainer.evaluate()["eval_mine"] == 7.0


def test_companions_of_a_subclass_are_used(tiny: ModuleType, tmp_path: Path) -> None:
    class Shouting(TaskCollator):
        def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
            return {**super().__call__(rows), "attention_mask": None}

    class Own(MultitaskTrainer):
        collator_class = Shouting

    rows = FORMS["0/1 lists"](*plain(tiny, 4))
    trainer = Own(
        model=model(tiny), args=tiny.arguments(tmp_path), train_dataset=rows, processing_class=tiny.tokenizer()
    )
    assert trainer.data_collator(list(trainer.train_dataset))["attention_mask"] is None


# -- what cannot work --------------------------------------------------------------------------------------------------


def rows_of(**columns: Any) -> Dataset:
    return Dataset.from_dict(columns)


def generator() -> Iterator[dict[str, Any]]:
    yield {"text": "a day", "labels": ["joy"]}


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            rows_of(tweet=["a day"], labels=[["joy"]]),
            r"train_dataset has no column 'text'; its columns are tweet, labels",
        ),
        (rows_of(text=["a day"], mood=["joy"]), r"no column 'labels'.*column_mapping=\{\"YOUR_COLUMN\": \"labels\"\}"),
        (rows_of(text=["a day", ""], labels=[["joy"], []]), r"row 2, column 'text': expected a non-empty text"),
        (rows_of(text=["a day"], labels=[["jo"]]), r"row 1, column 'labels': unknown label 'jo'. Did you mean 'joy'"),
        (rows_of(text=["a day"], labels=[[0.5, 3.0, 0.0]]), r"row 1.*numbers between 0 and 1"),
        ([{"text": "a", "labels": "joy"}, {"text": "b", "labels": ["joy"]}], "labels have several types, list, str"),
        (
            pd.DataFrame({"text": ["a", None], "labels": [["joy"], ["joy"]]}),
            "row 2, column 'text': expected a non-empty text",
        ),
        ([{"text": "a", "labels": ["joy"]}, {"text": "b \ud83d", "labels": []}], r"row 2, column 'text': '\\ud83d' at"),
        (pd.DataFrame({"text": ["a"], "labels": ["joy;anger"]}), "looks like several labels: give a list"),
        (pd.DataFrame({"text": ["a", "b"], "labels": [[-1], [-1]]}), r"2 rows have no label \(row 1, row 2\)"),
        (generator(), "train_dataset is a generator"),
        ([], "train_dataset is empty"),
        (rows_of(text=[], labels=[]), "train_dataset is empty"),
    ],
)
def test_rows_that_are_not_valid_are_named(tiny: ModuleType, tmp_path: Path, rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(tiny, tmp_path, rows)


def test_model_of_another_family_is_refused(tiny: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match="SiameseTrainer trains a SiameseModel, got MultitaskForSequenceClassification"
    ):
        SiameseTrainer(model=model(tiny), args=tiny.arguments(tmp_path))


def test_tokenizer_of_another_model_is_refused(tiny: ModuleType, tmp_path: Path) -> None:
    tokenizer = tiny.tokenizer()
    tokenizer.add_tokens([f"word{number}" for number in range(9)])
    with pytest.raises(ValueError, match="pass the tokenizer that belongs to the model"):
        build(tiny, tmp_path, FORMS["0/1 lists"](*plain(tiny, 4)), processing_class=tokenizer)
    with pytest.raises(ValueError, match="pass the model's tokenizer as processing_class"):
        build(tiny, tmp_path, FORMS["0/1 lists"](*plain(tiny, 4)), processing_class=None)
