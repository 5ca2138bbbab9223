"""Tests of what a self-trained stage learns from."""

import copy
import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from tests.helpers import tiny_run
from trainers.commands.parser import parse_run_arguments
from trainers.distillation_trainer import sharpen, soften, teacher_probabilities
from trainers.evaluation.inference import predict_logits
from trainers.recipes import RECIPES
from trainers.runs.records import stage_record
from trainers.runs.runner import Runner
from trainers.runs.stage_trainers import build_trainer

STUDENT = RECIPES["model-3.4"].final


def test_soften() -> None:
    labels, said = np.array([[1.0, 0.0]]), np.array([[0.6, 0.2]])
    np.testing.assert_allclose(soften(labels, said, 0.5), [[0.8, 0.1]])
    np.testing.assert_allclose(soften(labels, said, 0.0), labels)
    np.testing.assert_allclose(soften(labels, said, 1.0), said, rtol=1e-6)
    assert soften(labels, said, 0.5).dtype == np.float32


def test_sharpen() -> None:
    logits = np.log([[1 / 4, 1.0, 3.0]])  # probabilities of a fifth, a half and three quarters
    np.testing.assert_allclose(sharpen(logits, None, 1.0), [[0.2, 0.5, 0.75]], rtol=1e-6)
    # The odds are squared: 1 to 16, 1 to 1, 9 to 1.
    np.testing.assert_allclose(sharpen(logits, None, 0.5), [[1 / 17, 0.5, 0.9]], rtol=1e-6)
    # Odds at a threshold of a fifth are 1 to 4: the first label's are even, the others' four times as high.
    np.testing.assert_allclose(sharpen(logits, [0.2] * 3, 1.0), [[0.5, 0.8, 12 / 13]], rtol=1e-6)
    assert sharpen(logits, [0.2] * 3, 0.5).dtype == np.float32


def test_sharpening_turns_no_decision() -> None:
    rng = np.random.default_rng(3)
    logits, thresholds = rng.normal(size=(50, 4)), rng.uniform(0.1, 0.9, size=4)
    decisions = 1 / (1 + np.exp(-logits)) > thresholds
    for temperature in (0.1, 0.5, 2.0):
        np.testing.assert_array_equal(sharpen(logits, thresholds.tolist(), temperature) > 0.5, decisions)
    assert (np.abs(sharpen(logits, None, 0.5) - 0.5) >= np.abs(sharpen(logits, None, 1.0) - 0.5)).all()


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A finished run of model-3.4."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("self-training"))
    changes = {"recipe": ["model-3.4"], "related_dataset": place / "data" / "moods", "max_unlabelled_samples": 24}
    argv = tiny_run.options(place, place / "out", **changes)
    runner = Runner(parse_run_arguments(argv))
    runner.run()
    return runner


def test_teachers_are_averaged(runner: Runner) -> None:
    texts = list(runner.prepared.tasks["unlabelled"].splits["train"]["text"])
    assert len(texts) == 24
    folders = [runner.prepared.folder(teacher) for teacher in STUDENT.teachers]
    assert len(folders) > 1
    tokenizer = AutoTokenizer.from_pretrained(folders[0])
    expected = np.mean(
        [
            1
            / (
                1
                + np.exp(-predict_logits(AutoModelForSequenceClassification.from_pretrained(folder), tokenizer, texts))
            )
            for folder in folders
        ],
        axis=0,
    )
    for half_precision, tolerance in ((False, 1e-6), (True, 0.02)):
        said = teacher_probabilities(folders, tokenizer, texts, max_length=32, half_precision=half_precision)
        np.testing.assert_allclose(said, expected, atol=tolerance)


def test_teachers_of_model_3_4_are_sharpened(runner: Runner) -> None:
    texts = list(runner.prepared.tasks["unlabelled"].splits["train"]["text"])
    said = []
    for teacher in STUDENT.teachers:
        folder = runner.prepared.folder(teacher)
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        logits = predict_logits(model, AutoTokenizer.from_pretrained(folder), texts)
        said.append(sharpen(logits, model.config.thresholds, STUDENT.temperature))
    targets = np.asarray(build_trainer(STUDENT, runner.prepared).train_dataset["labels"])
    np.testing.assert_allclose(targets[-len(texts) :], np.mean(said, axis=0), atol=1e-5)


def test_record_tells_the_temperature(runner: Runner) -> None:
    plain = dataclasses.replace(STUDENT, temperature=None)
    run = runner.prepared
    record = stage_record(plain, run.args, run.tasks, run.tokenizer, run.records)
    assert record.made_from["recipe"]["temperature"] is None
    assert record.differences(runner.prepared.records[STUDENT.name])


def test_student_reads_both_kinds_of_texts(runner: Runner) -> None:
    dataset = build_trainer(STUDENT, runner.prepared).train_dataset
    labels = runner.prepared.labels("train")
    targets = np.asarray(dataset["labels"], dtype=np.float32)
    assert targets.shape == (len(labels) + 24, labels.shape[1])
    # Of the labelled texts half is the label, so no decision at 0.5 is turned, and the rest lies between.
    np.testing.assert_array_equal(targets[: len(labels)] > 0.5, labels > 0.5)
    assert ((targets > 0) & (targets < 1)).all()


def test_labels_of_the_unlabelled_texts_do_not_count(runner: Runner, tmp_path: Path) -> None:
    """The student's record and targets are the same where the sentiment labels are others, given the same teachers."""
    dataset = build_trainer(STUDENT, runner.prepared).train_dataset
    before = np.asarray(dataset["labels"])
    unlabelled = runner.prepared.tasks["unlabelled"].splits
    rows = unlabelled["train"]
    unlabelled["train"] = rows.remove_columns("labels").add_column("labels", [0] * len(rows))
    try:
        after = np.asarray(build_trainer(STUDENT, runner.prepared).train_dataset["labels"])
    finally:
        unlabelled["train"] = rows
    np.testing.assert_array_equal(before, after)


def test_record_names_the_teachers(runner: Runner) -> None:
    made_from = runner.prepared.records[STUDENT.name].made_from
    assert made_from["teachers"] == [runner.prepared.records[teacher.name].digest for teacher in STUDENT.teachers]
    assert set(made_from["data"]) == {"emotion", "unlabelled"}


def test_texts_without_labels_are_enough(runner: Runner, tmp_path: Path) -> None:
    """The same texts in a text file, without labels and without dev: the same soft targets."""
    texts = list(runner.prepared.tasks["unlabelled"].splits["train"]["text"])
    (tmp_path / "tweets.txt").write_text("\n".join(texts) + "\n", encoding="utf-8")
    args = copy.deepcopy(runner.prepared.args)
    args.data.unlabelled_dataset, args.data.unlabelled_text_column = str(tmp_path / "tweets.txt"), None
    args.training.output_dir, args.training.reuse_stages_from = (
        str(tmp_path / "out"),
        [runner.prepared.args.training.output_dir],
    )
    again = Runner(args)
    assert sorted(again.prepared.tasks["unlabelled"].splits["train"]["text"]) == sorted(texts)
    before = build_trainer(STUDENT, runner.prepared).train_dataset
    found = again.run()["recipes"]["model-3.4"]
    assert Path(found["model"]).parent == tmp_path / "out"
    after = build_trainer(STUDENT, again.prepared).train_dataset
    assert sorted(map(str, before["labels"])) == sorted(map(str, after["labels"]))
    card = (Path(found["model"]) / "README.md").read_text(encoding="utf-8")
    assert "tweets" in card


def test_student_has_the_loss_of_its_teachers_but_no_weights(tmp_path: Path) -> None:
    place = tiny_run.workplace(tmp_path)
    changes = {"recipe": ["model-3.4"], "related_dataset": place / "data" / "posts", "class_weights": "balanced"}
    changes |= {"related_label_columns": list(tiny_run.EMOTIONS), "label_loss": "asymmetric"}
    run = Runner(parse_run_arguments(tiny_run.options(place, tmp_path / "out", **changes))).prepared
    made_from = {name: record.made_from for name, record in run.records.items()}
    with_loss = {name for name, values in made_from.items() if values.get("label_loss") == "asymmetric"}
    assert with_loss == {*(teacher.name for teacher in STUDENT.teachers), STUDENT.name}
    weighted = {name for name, values in made_from.items() if values.get("class_weights") == "balanced"}
    assert weighted == {teacher.name for teacher in STUDENT.teachers}
    assert run.loss_options(STUDENT, "emotion") == {"label_loss": "asymmetric"}


def test_single_label_data_are_refused_before_training(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tiny_run.workplace(tmp_path)
    moods = place / "data" / "moods"
    changes = {"recipe": ["model-3.4"], "emotion_dataset": moods, "emotion_label_columns": None}
    argv = tiny_run.options(place, place / "out", related_dataset=moods, **changes)
    caplog.set_level(logging.ERROR)
    with pytest.raises(ValueError, match="multi-label"):
        Runner(parse_run_arguments(argv))
    assert not (place / "out").exists()
