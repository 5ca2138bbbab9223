"""Tests of the student of a stock class: what it learns, what its folder holds, and that it runs without our code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
)

from tests.helpers import fresh_process, tiny_run
from trainers.data import NORMALIZATION_STEPS
from trainers.distillation_trainer import DistillationTrainer
from trainers.evaluation.inference import predict_logits
from trainers.evaluation.metrics import score
from trainers.runs.recurrent_encoder import RecurrentArguments, write_recurrent_encoder
from trainers.runs.students import lowest_layers, student_of
from trainers.training_arguments import StageTrainingArguments

distill_csr = tiny_run.example("distill_csr").main


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    values: dict[str, Any] = {
        "teacher": place / "out" / "csr",
        "dataset": place / "data" / "posts",
        "label_columns": list(tiny_run.EMOTIONS),
        "unlabelled_dataset": place / "data" / "reviews",
        "output_dir": output_dir,
        "max_length": 64,
        "num_train_epochs": 30,
        "learning_rate": 1e-2,
        "per_device_train_batch_size": 8,
        "eval_strategy": "no",
        "save_strategy": "no",
        "use_cpu": True,
        "bf16_weights": False,
        "disable_tqdm": True,
        "draw_figures": False,
    } | changes
    argv: list[str] = []
    for name, value in values.items():
        if value is not None:
            argv += [f"--{name}", *map(str, value if isinstance(value, list) else [value])]
    return argv


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a trained teacher in `out/csr`."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    learning = {"num_train_epochs": 4, "siamese_num_train_epochs": 2, "common_num_train_epochs": 4}
    tiny_run.example("run_csr").main(tiny_run.options(place, place / "out", threshold="global", **learning))
    return place


@pytest.fixture(scope="module")
def student(place: Path) -> Path:
    distill_csr(options(place, place / "student", baseline=place / "out" / "emotion-encoder"))
    return place / "student"


def probabilities(folder: Path, texts: list[str]) -> np.ndarray:
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    logits = predict_logits(model, AutoTokenizer.from_pretrained(folder), texts, max_length=64)
    return 1 / (1 + np.exp(-logits))


def test_student_says_what_its_teacher_says(place: Path, student: Path) -> None:
    texts = [row["text"] for row in tiny_run.emotion_rows(15, seed=2)]
    learnt, taught = probabilities(student, texts), probabilities(place / "out" / "csr", texts)
    distance = np.abs(learnt - taught).mean()
    constant = np.abs(taught.mean(axis=0) - taught).mean()
    assert distance < 0.6 * constant, (distance, constant)


def test_folder_is_that_of_a_stock_model(student: Path) -> None:
    config = tiny_run.read_json(student / "config.json")
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert "auto_map" not in config and "custom_pipelines" not in config
    assert not list(student.glob("*.py")) and not list(student.glob("*.bin"))
    assert list(config["label2id"]) == list(tiny_run.EMOTIONS)
    card = (student / "README.md").read_text(encoding="utf-8")
    assert "trust_remote_code" not in card and "| teacher | plain encoder |" in card


def test_results_are_those_of_the_saved_models(place: Path, student: Path) -> None:
    rows = tiny_run.emotion_rows(15, seed=2)
    texts, labels = [row["text"] for row in rows], np.array([[row[name] for name in tiny_run.EMOTIONS] for row in rows])
    results = tiny_run.read_json(student / "eval_results.json")
    for key, folder in (("metrics", student), ("teacher", place / "out" / "csr")):
        model = AutoModelForSequenceClassification.from_pretrained(folder)
        logits = predict_logits(model, AutoTokenizer.from_pretrained(folder), texts, max_length=64)
        expected = score(logits, labels, "multi_label_classification", model.config.thresholds)
        assert results[key] == pytest.approx(expected), key
    np.testing.assert_allclose(
        1 / (1 + np.exp(-np.load(student / "dev_logits.npy"))), probabilities(student, texts), atol=1e-5
    )
    baseline = tiny_run.read_json(place / "out" / "emotion-encoder" / "eval_results.json")["metrics"]["jaccard"]
    (row,) = [line for line in (student / "README.md").read_text().splitlines() if line.startswith("| Jaccard")]
    assert row.endswith(f"| {baseline:.4f} |")


def test_student_runs_without_our_code(student: Path) -> None:
    code = (
        "import sys; from transformers import pipeline; "
        f"print(pipeline('text-classification', model={str(student)!r}, top_k=None)('furious shouting')); "
        "assert 'modeling_csr' not in sys.modules"
    )
    environment = tiny_run.environment() | {"PYTHONPATH": ""}
    done = fresh_process.run("-c", code, env=environment, cwd=student)
    assert done.returncode == 0, done.stderr
    assert all(label in done.stdout for label in tiny_run.EMOTIONS)


def test_student_starts_from_the_emotion_encoder(place: Path) -> None:
    teacher = AutoModelForSequenceClassification.from_pretrained(place / "out" / "csr")
    student = student_of(teacher)
    assert type(student) is BertForSequenceClassification
    batch = AutoTokenizer.from_pretrained(place / "out" / "csr")("happy laughing day", return_tensors="pt")
    with torch.no_grad():
        ours = teacher.eval().csr.emotion_encoder(**batch).last_hidden_state
        theirs = student.eval().bert(**batch).last_hidden_state
    torch.testing.assert_close(theirs, ours)


def test_student_of_another_encoder(place: Path, tmp_path: Path) -> None:
    """It reads texts as its own encoder does, and is taught what the teacher makes of its own tokens."""
    other = tiny_run.write_encoder(tmp_path / "other", seed=3, extra_words=("more", "words"), num_hidden_layers=2)
    results = distill_csr(options(place, tmp_path / "student", student=other, student_layers=1, num_train_epochs=1))
    config = tiny_run.read_json(tmp_path / "student" / "config.json")
    assert (config["architectures"], config["num_hidden_layers"]) == (["BertForSequenceClassification"], 1)
    vocabulary = [AutoTokenizer.from_pretrained(folder).get_vocab() for folder in (tmp_path / "student", other)]
    assert vocabulary[0] == vocabulary[1] != AutoTokenizer.from_pretrained(place / "out" / "csr").get_vocab()
    taught = tiny_run.read_json(place / "out" / "csr" / "eval_results.json")["metrics"]["jaccard"]
    assert results["teacher"]["jaccard"] == pytest.approx(taught, abs=1e-6)
    made_from = tiny_run.read_json(tmp_path / "student" / "stage.json")["made_from"]
    assert made_from["student"] and made_from["student_layers"] == 1


def test_recurrent_student(place: Path, tmp_path: Path) -> None:
    """It is no stock model, and its card says so."""
    texts = [row["text"] for row in tiny_run.emotion_rows(30, seed=1)]
    small = RecurrentArguments(branches=["bigru:8"], embedding_size=8, vocabulary_size=200)
    write_recurrent_encoder(tmp_path / "gru", small, texts, steps=NORMALIZATION_STEPS, seed=1)
    distill_csr(options(place, tmp_path / "student", student=tmp_path / "gru", num_train_epochs=1))
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "student", trust_remote_code=True)
    assert type(model).__name__ == "MultitaskForSequenceClassification"
    assert model.config.encoder.model_type == "recurrent-encoder" and list(model.config.id2label.values()) == sorted(
        tiny_run.EMOTIONS
    )
    card = (tmp_path / "student" / "README.md").read_text(encoding="utf-8")
    assert "trust_remote_code=True" in card and "no custom code" not in card


@pytest.mark.parametrize("name", ["bert", "distilbert", "mpnet"])
def test_lowest_layers_give_the_hidden_states_of_the_whole_encoder(name: str) -> None:
    sizes: dict[str, Any] = {"hidden_size": 8, "num_hidden_layers": 3, "num_attention_heads": 2}
    config = AutoConfig.for_model(name, vocab_size=50, intermediate_size=8, hidden_dim=8, **sizes)
    # Without a pooler, as encoders are in a teacher.
    encoder = AutoModel.from_config(config, **({} if name == "distilbert" else {"add_pooling_layer": False})).eval()
    shorter = lowest_layers(encoder, 2).eval()
    tokens = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        expected = encoder(tokens, output_hidden_states=True).hidden_states[2]
        torch.testing.assert_close(shorter(tokens).last_hidden_state, expected)
    assert shorter.num_parameters() < encoder.num_parameters()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"student_layers": 0}, "--student_layers must be a whole number|--student_layers must be at least 1, got 0"),
        ({"student_layers": 9}, "--student_layers 9: the encoder has 1 layers"),
        ({"student": "missing/folder"}, "--student missing/folder could not be loaded"),
        ({"max_length": 65}, "--max_length 65: the student reads at most 64 tokens"),
    ],
)
def test_students_that_are_refused(place: Path, tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        distill_csr(options(place, tmp_path / "student", **{"student_layers": 1} | changes))
    assert not (tmp_path / "student").exists()


def test_labels_of_0_and_1_lists_are_named(place: Path, tmp_path: Path) -> None:
    """In another order than the teacher's, and with a row that is skipped, which is listed."""
    names = list(reversed(tiny_run.EMOTIONS))
    for split, size in (("train", 40), ("dev", 15)):
        rows = tiny_run.emotion_rows(size, seed=size)
        lists = [{"text": row["text"], "labels": [row[name] for name in names]} for row in rows]
        tiny_run.write_jsonl(
            tmp_path / "data" / f"{split}.jsonl", [*lists, {"text": "not annotated", "labels": [-1, -1, -1]}]
        )
    changes = {
        "dataset": tmp_path / "data",
        "label_columns": None,
        "dataset_label_names": names,
        "unlabelled_rows": "skip",
    }
    results = distill_csr(options(place, tmp_path / "student", num_train_epochs=1, **changes))
    support = {name: sum(row[name] for row in tiny_run.emotion_rows(15, seed=15)) for name in names}
    assert {name: found["support"] for name, found in results["per_label"].items()} == support
    listed = [json.loads(line) for line in (tmp_path / "skipped_rows.jsonl").read_text().splitlines()]
    assert {Path(row["file"]).name for row in listed} == {"train.jsonl", "dev.jsonl"}


def test_single_label_teacher(place: Path, tmp_path: Path) -> None:
    moods = place / "data" / "moods"
    changes = {"emotion_dataset": moods, "emotion_label_columns": None, "recipe": ["bert"], "num_train_epochs": 4}
    tiny_run.example("run_csr").main(tiny_run.options(place, tmp_path / "out", **changes))
    results = distill_csr(
        options(
            place, tmp_path / "student", teacher=tmp_path / "out" / "emotion-encoder", dataset=moods, label_columns=None
        )
    )
    assert "thresholds" not in results and results["metrics"]["accuracy"] > 0.5
    targets = np.load(next((tmp_path / "soft_targets").glob("*.npy")))
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("problem_type", ["multi_label_classification", "single_label_classification"])
def test_loss_by_hand(tmp_path: Path, problem_type: str) -> None:
    """At the teacher's own probabilities the loss is their entropy, and it is higher everywhere else."""
    place = tiny_run.workplace(tmp_path)
    model = AutoModelForSequenceClassification.from_pretrained(
        place / "encoder", num_labels=3, problem_type=problem_type
    )
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")
    trainer = DistillationTrainer(
        model=model.eval(),
        args=StageTrainingArguments(
            output_dir=str(tmp_path / "out"), eval_strategy="no", use_cpu=True, bf16_weights=False
        ),
        processing_class=tokenizer,
    )
    batch = dict(tokenizer(["happy day", "furious"], padding=True, return_tensors="pt"))
    with torch.no_grad():
        logits = model(**batch).logits
        multi = problem_type.startswith("multi")
        said = logits.sigmoid() if multi else logits.softmax(-1)
        entropy = (
            -(said * said.log() + (1 - said) * (1 - said).log()).mean()
            if multi
            else -(said * said.log()).sum(-1).mean()
        )
        loss = trainer.compute_loss(model, {**batch, "labels": said})
        torch.testing.assert_close(loss, entropy)
        assert trainer.compute_loss(model, {**batch, "labels": said.flip(0)}) > loss
        # Two rows of a global batch of four: half the loss.
        half = trainer.compute_loss(model, {**batch, "labels": said}, num_items_in_batch=torch.tensor(4))
        torch.testing.assert_close(half, entropy / 2)


def test_other_labels_are_refused(place: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SystemExit,
        match=r"train.jsonl, line 1.*label 'negative' is not a label of the model; its labels: anger, joy, sadness",
    ):
        distill_csr(options(place, tmp_path / "student", dataset=place / "data" / "reviews", label_columns=None))
    assert not (tmp_path / "student").exists()


def test_other_models_are_refused() -> None:
    config = DistilBertConfig(vocab_size=50, dim=8, n_layers=1, n_heads=1, hidden_dim=8)
    with pytest.raises(ValueError, match="DistilBertForSequenceClassification is no model of"):
        student_of(DistilBertForSequenceClassification(config))
