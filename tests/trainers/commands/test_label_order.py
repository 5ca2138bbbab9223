"""Names belong to the outputs by `config.id2label`, in whatever order labels, columns and `label2id` come."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from modeling_csr import CSRForSequenceClassification, MultitaskForSequenceClassification
from tests.helpers import card_parts, tiny_run
from trainers.commands import run_distillation, run_evaluation
from trainers.evaluation import load_classifier, predict_logits

# "10" stands before "2" among the keys of a saved label2id.
INTEGERS = [str(number) for number in range(12)]
MULTI, SINGLE = "multi_label_classification", "single_label_classification"


def shuffled(labels: list[str], seed: int) -> list[str]:
    return random.Random(seed).sample(labels, len(labels))


def write_rows(place: Path, labels: list[str], problem_type: str) -> None:
    """train.csv and dev.csv with random labels, which no text is a hint at."""
    rng = random.Random(5)
    for split, size in (("train", 30), ("dev", 40)):
        rows: list[dict[str, Any]] = []
        for number in range(size):
            text = " ".join(rng.choices([*tiny_run.FILLERS, *"abcdefgh"], k=8)) + f" {split} {number}"
            chosen = {label: int(rng.random() < 0.4) for label in labels}
            rows.append({"text": text} | (chosen if problem_type == MULTI else {"label": rng.choice(labels)}))
        tiny_run.write_csv(place / "data" / f"{split}.csv", rows)


def csr(place: Path, labels: list[str], problem_type: str) -> Path:
    """A random model of the family whose configuration keeps `label2id` as it was saved."""
    encoder = tiny_run.write_encoder(place / "encoder")
    names = {"id2label": dict(enumerate(labels)), "label2id": {name: index for index, name in enumerate(labels)}}
    torch.manual_seed(1)
    emotion, source = (
        MultitaskForSequenceClassification.from_encoder(
            str(encoder), {"emotion": {"labels": labels, "problem_type": MULTI}}
        ).multitask
        for _ in range(2)
    )
    thresholds = {"thresholds": [0.3 + 0.03 * index for index in range(len(labels))]} if problem_type == MULTI else {}
    model = CSRForSequenceClassification.from_encoders(
        emotion, [source], problem_type=problem_type, **names, **thresholds
    )
    for parameter in (*model.csr.common_encoder.parameters(), *model.classifier.parameters()):
        torch.nn.init.normal_(parameter)
    model.save_pretrained(place / "model")
    AutoTokenizer.from_pretrained(encoder).save_pretrained(place / "model")
    return place / "model"


def f1_by_hand(folder: Path, problem_type: str) -> dict[str, float]:
    """F1 of each label on dev by name, from the model's outputs and its `id2label` alone."""
    rows = tiny_run.read_csv(folder.parent / "data" / "dev.csv")
    model = load_classifier(folder)
    logits = predict_logits(model, AutoTokenizer.from_pretrained(folder), [row["text"] for row in rows], max_length=64)
    found = {}
    for index, label in model.config.id2label.items():
        if problem_type == MULTI:
            gold = [int(row[label]) for row in rows]
            said = 1 / (1 + np.exp(-logits[:, index])) >= (model.config.thresholds or {index: 0.5})[index]
        else:
            gold = [int(row["label"] == label) for row in rows]
            said = logits.argmax(axis=1) == index
        found[label] = f1_score(gold, said, zero_division=0)
    return found


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("labels", [["joy", "anger", "sadness", "fear"], INTEGERS], ids=["names", "integers"])
@pytest.mark.parametrize("problem_type", [MULTI, SINGLE])
def test_evaluate_pairs_names_with_outputs(tmp_path: Path, labels: list[str], problem_type: str, seed: int) -> None:
    folder = csr(tmp_path, shuffled(labels, seed), problem_type)
    write_rows(tmp_path, labels, problem_type)
    columns = ["--label_columns", *shuffled(labels, seed + 10)] if problem_type == MULTI else []
    found = run_evaluation([str(folder), "--dataset", str(tmp_path / "data"), *columns, "--max_length", "64"])
    expected = f1_by_hand(folder, problem_type)
    assert {label: scores["f1"] for label, scores in found["per_label"].items()} == pytest.approx(expected)
    assert len(set(expected.values())) > 1  # mixed columns would show


@pytest.mark.parametrize("problem_type", [MULTI, SINGLE])
def test_distillation_keeps_the_order_of_its_teacher(tmp_path: Path, problem_type: str) -> None:
    """Scores of the teacher, and scores and tuned thresholds of the student, are those of the saved models."""
    order = shuffled(INTEGERS, 3)
    folder = csr(tmp_path, order, problem_type)
    write_rows(tmp_path, INTEGERS, problem_type)
    columns = ["--label_columns", *shuffled(INTEGERS, 4)] if problem_type == MULTI else []
    data = ["--dataset", str(tmp_path / "data"), "--max_length", "64"]
    quick = {"num_train_epochs": 1, "eval_strategy": "no", "save_strategy": "no", "disable_tqdm": True}
    quick |= {"draw_figures": False}
    options = [f"--{name}={value}" for name, value in {**quick, "use_cpu": True, "bf16_weights": False}.items()]
    student = tmp_path / "student"
    options += ["--unlabelled_dataset=", "--threshold=per_label", f"--output_dir={student}"]
    results = run_distillation(["--teacher", str(folder), *data, *columns, *options])
    assert list(load_classifier(student).config.id2label.values()) == order
    for model, scores in ((student, results["metrics"]), (folder, results["teacher"])):
        alone = run_evaluation([str(model), *data, *columns])
        assert {name: alone[name] for name in scores} == pytest.approx(scores)
    by_hand = f1_by_hand(student, problem_type)
    assert {label: one["f1"] for label, one in results["per_label"].items()} == pytest.approx(by_hand)


@pytest.mark.parametrize("problem_type", [MULTI, SINGLE, "regression"])
def test_code_of_a_card_pairs_names_with_outputs(tmp_path: Path, problem_type: str) -> None:
    order = shuffled(INTEGERS, 6)
    encoder = tiny_run.write_encoder(tmp_path / "encoder")
    names = {"id2label": dict(enumerate(order)), "label2id": {name: index for index, name in enumerate(order)}}
    BertForSequenceClassification(BertConfig.from_pretrained(encoder, **names)).save_pretrained(encoder)
    card = card_parts.card(title=str(encoder), kind="distilled", labels=order, problem_type=problem_type, results={})
    card.save(tmp_path / "card")
    snippet = card_parts.write_snippets(tmp_path / "card" / "README.md", tmp_path)[-1].read_text(encoding="utf-8")
    prepared, training = snippet.split("\nTrainer(")  # whose whole is run by the tests of runs' cards
    found: dict[str, Any] = {}
    exec(prepared, found)
    assert training and found["names"] == order


def test_labels_that_do_not_occur_are_labels_all_the_same(tmp_path: Path) -> None:
    folder = csr(tmp_path, ["joy", "anger", "sadness"], SINGLE)
    rows = [{"text": "the day was home", "label": "sadness"}, {"text": "we all went", "label": "joy"}]
    tiny_run.write_csv(tmp_path / "few.csv", rows)
    found = run_evaluation([str(folder), "--dataset", str(tmp_path / "few.csv"), "--split", "test"])
    assert [(label, scores["support"]) for label, scores in found["per_label"].items()] == [
        ("joy", 1),
        ("anger", 0),
        ("sadness", 1),
    ]


@pytest.mark.parametrize("command", [run_evaluation, run_distillation])
def test_other_labels_are_named(tmp_path: Path, command: Callable[[list[str]], Any]) -> None:
    folder = csr(tmp_path, ["joy", "anger", "sadness"], MULTI)
    write_rows(tmp_path, ["joy", "anger", "hope"], MULTI)
    model = [str(folder)] if command is run_evaluation else ["--teacher", str(folder)]
    data = ["--dataset", str(tmp_path / "data"), "--label_columns", "joy", "anger", "hope"]
    with pytest.raises(SystemExit, match=r"has the labels joy, anger, sadness, but data has joy, anger, hope\."):
        command([*model, *data])
