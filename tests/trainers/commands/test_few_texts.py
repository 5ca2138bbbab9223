"""`check-data`, `cross-validate` and `suggest` from files to files, and what they refuse."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers import tiny_run
from trainers.commands import run_check, run_cross_validation, run_suggestion

LABELS = list(tiny_run.EMOTIONS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny encoder, an untrained model of it and a file of texts."""
    folder = tmp_path_factory.mktemp("few")
    encoder = tiny_run.write_encoder(folder / "encoder", initializer_range=1.0)
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    tasks = {"emotion": {"labels": LABELS, "problem_type": "multi_label_classification"}}
    model = MultitaskForSequenceClassification.from_encoder(encoder, tasks)
    stock = AutoModelForSequenceClassification.from_pretrained(encoder, num_labels=3)
    for name, one in (("model", model), ("stock", stock)):
        one.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    rows = tiny_run.emotion_rows(60, seed=1)
    rows[41] = {**rows[41], "text": f"  {rows[3]['text'].upper()}", **{label: 1 - rows[3][label] for label in LABELS}}
    tiny_run.write_csv(folder / "posts.csv", rows)
    tiny_run.write_csv(
        folder / "more.csv", [{"id": f"p{index}", "text": row["text"]} for index, row in enumerate(rows)]
    )
    return folder


def named(place: Path, *further: object) -> list[str]:
    labels = ["--label_columns", *LABELS]
    return ["--dataset", str(place / "posts.csv"), *labels, "--encoder", str(place / "encoder"), *map(str, further)]


def test_check_data_numbers_the_rows_of_the_file(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    found = run_check(named(place, "--output_dir", tmp_path / "out"))
    # No dev split is held out of a file: row 42 of it stays row 42.
    assert [(one.split, one.row) for one in found if one.problem == "contradiction"] == [("train", 4), ("train", 42)]
    rows = tiny_run.read_csv(tmp_path / "out" / "findings.csv")
    assert len(rows) == len(found) and (rows[0]["problem"], rows[0]["row"]) == ("contradiction", "4")
    texts = tiny_run.read_csv(place / "posts.csv")
    assert all(texts[int(row["row"]) - 1]["text"] == row["text"] for row in rows if row["row"])
    assert "60 labelled texts" in (shown := capsys.readouterr().out) and "give the same text the same labels" in shown


def test_check_data_of_two_splits_by_a_model(place: Path, tmp_path: Path) -> None:
    rows = tiny_run.read_csv(place / "posts.csv")
    tiny_run.write_csv(tmp_path / "both" / "train.csv", rows[:50])
    tiny_run.write_csv(tmp_path / "both" / "dev.csv", [rows[7], *rows[50:]])
    options = ["--dataset", str(tmp_path / "both"), "--label_columns", *LABELS, "--model", str(place / "model")]
    found = run_check([*options, "--output_dir", str(tmp_path / "out")])
    assert [(one.split, one.row) for one in found if one.problem == "in train and dev"] == [("train", 8), ("dev", 1)]


def test_cross_validation_of_a_file(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    tiny_run.write_jsonl(tmp_path / "moods.jsonl", tiny_run.label_rows(tiny_run.EMOTIONS, 40, seed=1))
    options = ["--dataset", str(tmp_path / "moods.jsonl"), "--encoder", str(place / "encoder"), "--further", "40"]
    found = run_cross_validation([*options, "--output_dir", str(tmp_path / "out")])
    assert (found.texts, found.further) == (40, 40) and set(found.per_label) == set(LABELS)
    assert found.curves["accuracy"].texts == [8, 16, 24, 32]
    shown = capsys.readouterr().out
    assert "| 80 | predicted |" in shown and "The next 40 labels are likely to bring" in shown
    written = {path.name for path in (tmp_path / "out").iterdir()}
    assert written == {"cross_validation.json", "cross_validation.md", "learning_curve.png"}


def test_suggestions_keep_ids_and_scores(place: Path, tmp_path: Path) -> None:
    path = tmp_path / "next.csv"
    options = ["--model", str(place / "model"), "--id_column", "id", "--number", "7", "--output_file", str(path)]
    run_suggestion([str(place / "more.csv"), *options])
    rows = tiny_run.read_csv(path)
    assert list(rows[0]) == ["id", "text", "uncertainty", *(f"score_{label}" for label in LABELS), "reason"]
    texts = {row["id"]: row["text"] for row in tiny_run.read_csv(place / "more.csv")}
    assert len(rows) == 7 == len({row["id"] for row in rows})
    assert all(texts[row["id"]] == row["text"] for row in rows)
    # p3 and p41 are the same text.
    assert len({"p3", "p41"} & {row["id"] for row in rows}) <= 1


def test_suggestions_by_a_stock_model_take_the_vectors_of_an_encoder(place: Path, tmp_path: Path) -> None:
    argv = [str(place / "more.csv"), "--model", str(place / "stock"), "--output_file", str(tmp_path / "next.csv")]
    with pytest.raises(SystemExit, match="return_embeddings is not supported by models of type 'bert'"):
        run_suggestion(argv)
    rows = run_suggestion([*argv, "--encoder", str(place / "encoder"), "--number", "3"])
    assert len(rows) == 3 and all(row["reason"].startswith("undecided between LABEL_") for row in rows)


@pytest.mark.parametrize(
    ("command", "changes", "message"),
    [
        (run_check, ["--label_columns", "jo"], "posts.csv"),
        (run_check, ["--dataset", "nowhere.csv"], "nowhere.csv"),
        (run_cross_validation, ["--further", "0"], "--further must be at least 1, got 0"),
        (run_cross_validation, ["--seed", "-1"], "--seed must be at least 0"),
    ],
)
def test_refusals(
    place: Path, tmp_path: Path, command: Callable[[list[str]], Any], changes: list[str], message: str
) -> None:
    with pytest.raises(SystemExit, match=message):
        command([*named(place, "--output_dir", tmp_path / "out"), *changes])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--number", "0"], "--number must be at least 1, got 0"),
        (["--text_column", "body"], "has no column 'body'; it has id, text"),
        (["--output_file", "none/next.csv"], "there is no folder"),
    ],
)
def test_refusals_of_suggest(place: Path, changes: list[str], message: str) -> None:
    argv = [str(place / "more.csv"), "--model", str(place / "model"), "--output_file", str(place / "next.csv")]
    with pytest.raises(SystemExit, match=message):
        run_suggestion([*argv, *changes])
    assert not (place / "next.csv").exists()


def test_scores_are_refused_by_check_data(place: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="csr-emotion-posts-valence is for regression, but classes are needed here"):
        run_check(["--dataset", "csr-emotion-posts-valence", "--output_dir", str(tmp_path / "out")])
