"""Scoring of files: every row once, with the same bits, however often the command is killed."""

import csv
import gzip
import json
import multiprocessing
import random
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from datasets import Dataset
from transformers import AutoTokenizer

from modeling_csr import MultitaskForSequenceClassification
from tests.helpers.emotion_pipelines import EMOTIONS, emotions, mixed
from trainers.commands import run_scoring
from trainers.serving import ScoreFolderError, Scorer, score_files

ROWS = 120
Files = dict[str, Path]


def save_classifier(encoder: Path, folder: Path, problem_type: str = "multi_label_classification") -> Path:
    torch.manual_seed(1)
    task: dict[str, Any] = {"labels": EMOTIONS, "problem_type": problem_type}
    if problem_type.startswith("multi"):
        task["thresholds"] = [0.4, 0.5, 0.6, 0.5]
    model = MultitaskForSequenceClassification.from_encoder(encoder, {"emotion": task})
    for name, parameter in model.named_parameters():
        if name.startswith(("heads", "multitask.shared_layers")):
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(encoder).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def files(tiny_encoder: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Files:
    """A classifier, texts, and their scores from one uninterrupted run."""
    folder = tmp_path_factory.mktemp("scoring")
    model = save_classifier(tiny_encoder("bert"), folder / "model")
    rows = [{"key": f"post {number}", "text": text} for number, text in enumerate(mixed(ROWS))]
    lines = [json.dumps(row) for row in rows]
    bad = ['{"key": "blank", "text": " "}', "{broken", '{"text": "no id"}', '{"key": "half", "text": "so \\ud83d"}']
    path = folder / "posts.jsonl"
    path.write_text("\n".join([*lines[:50], *bad, *lines[50:]]) + "\n")
    torch.set_num_threads(1)
    score(path, folder / "scores", model)
    return {"model": model, "posts": path, "scores": folder / "scores", "encoder": tiny_encoder("bert")}


def score(path: Path, out: Path, model: Path, **options: Any) -> dict[str, Any]:
    """With one process, as all of these runs, since several would each import torch anew."""
    options = {"id_column": "key", "rows_per_file": 8, "processes": 1, "threads": 1} | options
    return score_files(str(path), out, model=str(model), **options)


def read(folder: Path) -> pd.DataFrame:
    return pd.concat([pq.read_table(path).to_pandas() for path in sorted(folder.glob("scores-*"))], ignore_index=True)


def test_rows_have_the_labels_and_scores_of_the_pipeline(files: Files) -> None:
    found = read(files["scores"])
    assert list(found.columns) == ["id", "labels", *(f"score_{label}" for label in EMOTIONS)]
    assert list(found["id"]) == [f"post {number}" for number in range(ROWS)]
    model = MultitaskForSequenceClassification.from_pretrained(files["model"])
    classify = emotions(model.eval(), AutoTokenizer.from_pretrained(files["model"]))
    texts = mixed(ROWS)
    for row, decided, scores in zip(
        found.to_dict("records"), classify(texts), classify(texts, top_k=None), strict=True
    ):
        assert set(row["labels"]) == {one["label"] for one in decided}
        assert all(row[f"score_{one['label']}"] == pytest.approx(one["score"], abs=1e-5) for one in scores)
    assert 0 < found["labels"].map(len).mean() < len(EMOTIONS)


def test_rows_that_cannot_be_scored_are_listed_with_the_reason(files: Files) -> None:
    with (files["scores"] / "_bad_rows.csv").open(newline="") as file:
        found = {row["row"]: (row["id"], row["reason"]) for row in csv.DictReader(file)}
    assert set(found) == {"line 51", "line 52", "line 53", "line 54"}
    assert found["line 51"] == ("blank", "column 'text': expected a non-empty text, got ' '.")
    assert "not valid JSON" in found["line 52"][1]
    assert found["line 53"] == ("", "column 'key': there is no id.")
    assert "half of a character" in found["line 54"][1]


def test_killed_at_random_moments_no_row_is_lost_or_doubled(files: Files, tmp_path: Path) -> None:
    chosen, context = random.Random(7), multiprocessing.get_context("fork")
    reached = []
    for _ in range(5):
        process = context.Process(target=partial(score, files["posts"], tmp_path / "out", files["model"]))
        process.start()
        before = len(list((tmp_path / "out").glob("scores-*.parquet")))
        deadline = time.monotonic() + 60
        # At any moment behind one of the next files, or before the first.
        wanted = before + chosen.randint(0, 4)
        while len(list((tmp_path / "out").glob("scores-*.parquet"))) < wanted and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(chosen.uniform(0, 0.05))
        process.kill()
        process.join()
        reached.append(len(list((tmp_path / "out").glob("scores-*.parquet"))))
    assert 0 < reached[-1] < 15  # there was something to keep, and something to do
    result = score(files["posts"], tmp_path / "out", files["model"])
    assert (result["rows"], result["bad_rows"]) == (ROWS, 4)
    assert result["before"] >= 8 * (reached[-1] - 1)
    same_files(tmp_path / "out", files["scores"])


def same_files(found: Path, expected: Path) -> None:
    names = [sorted(path.name for path in folder.iterdir()) for folder in (found, expected)]
    assert names[0] == names[1]
    for path in expected.iterdir():
        assert (found / path.name).read_bytes() == path.read_bytes(), path.name


def test_finished_folder_is_left_alone(files: Files) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in files["scores"].glob("*.parquet")}
    assert score(files["posts"], files["scores"], files["model"])["before"] == ROWS
    assert {path.name: path.stat().st_mtime_ns for path in files["scores"].glob("*.parquet")} == before


def test_damaged_file_is_written_again(files: Files, tmp_path: Path) -> None:
    score(files["posts"], tmp_path / "out", files["model"])
    (damaged,) = (tmp_path / "out").glob("scores-000000000016-*")
    damaged.write_bytes(damaged.read_bytes()[:100])
    assert score(files["posts"], tmp_path / "out", files["model"])["before"] == ROWS - 8
    same_files(tmp_path / "out", files["scores"])


def test_several_processes_give_the_same_bits(files: Files, tmp_path: Path) -> None:
    score(files["posts"], tmp_path / "out", files["model"], processes=2)
    same_files(tmp_path / "out", files["scores"])


@pytest.mark.parametrize("kind", ["csv", "tsv.gz", "parquet", "txt", "folder", "pattern", "saved"])
def test_every_kind_of_input(files: Files, kind: str, tmp_path: Path) -> None:
    texts = mixed(10)
    frame = pd.DataFrame({"key": range(10, 20), "text": texts})
    path, id_column = tmp_path / f"posts.{kind}", "key"
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "tsv.gz":
        with gzip.open(path, "wt") as file:
            file.write(
                "key\ttext\n" + "".join(f"{key}\t{text}\n" for key, text in zip(frame["key"], texts, strict=True))
            )
    elif kind == "parquet":
        frame.to_parquet(path)
    elif kind == "txt":
        path.write_text("\n\n".join(texts))
        id_column = None
    elif kind == "saved":
        Dataset.from_pandas(frame).save_to_disk(path)
    else:
        folder = tmp_path / "posts"
        folder.mkdir()
        frame[:4].to_csv(folder / "a.csv", index=False)
        frame[4:].to_parquet(folder / "b.parquet")
        path = folder if kind == "folder" else folder / "[ab].*"
    result = score(path, tmp_path / "out", files["model"], id_column=id_column)
    found = read(tmp_path / "out")
    assert (result["rows"], result["bad_rows"]) == (10, 0)
    if kind == "txt":
        assert list(found["id"]) == list(range(1, 11))
        assert list(found["place"]) == [f"{path}, line {number}" for number in range(1, 20, 2)]
    else:
        assert [int(one) for one in found["id"]] == list(range(10, 20))
    expected = read(files["scores"]) if kind != "folder" else None
    if expected is not None:  # the same texts as the first of the posts
        assert found["score_joy"].to_numpy() == pytest.approx(expected["score_joy"].to_numpy()[:10], abs=1e-5)


def test_vectors_and_regression(files: Files, tmp_path: Path) -> None:
    vectors = Scorer(str(files["model"]), vectors=True).score(["so happy", "what a day"])
    assert np.stack(vectors["vector"].to_pylist()).shape == (2, 32)
    model = save_classifier(files["encoder"], tmp_path / "model", "regression")
    assert Scorer(str(model)).score(["so happy"]).column_names == [f"score_{label}" for label in EMOTIONS]
    with pytest.raises(ValueError, match="--min_confidence is for probabilities"):
        Scorer(str(model), min_confidence=0.5)
    model = save_classifier(files["encoder"], tmp_path / "single", "single_label_classification")
    row = Scorer(str(model)).score(["so happy"]).to_pylist()[0]
    assert row["labels"] == [max(EMOTIONS, key=lambda label: row[f"score_{label}"])]


@pytest.mark.parametrize("problem_type", ["multi_label_classification", "single_label_classification"])
def test_calibrated_scores_and_abstaining_are_those_of_the_pipeline(
    files: Files, tmp_path: Path, problem_type: str
) -> None:
    folder, texts = save_classifier(files["encoder"], tmp_path / "model", problem_type), mixed(40)
    with pytest.raises(ValueError, match="needs a model with a calibration in its config"):
        Scorer(str(folder), calibrated=True)
    model = MultitaskForSequenceClassification.from_pretrained(folder)
    slopes = [2.0] * 4 if problem_type.startswith("single") else [1.5, 0.7, 2.0, 1.0]
    model.config.tasks["emotion"]["calibration"] = [[slope, 0.2] for slope in slopes]
    model.save_pretrained(folder)
    classify = emotions(model.eval(), AutoTokenizer.from_pretrained(folder))
    plain, calibrated = Scorer(str(folder)), Scorer(str(folder), calibrated=True)
    sure = Scorer(str(folder), calibrated=True, min_confidence=0.6)
    assert len({scorer.digest() for scorer in (plain, calibrated)}) == 2
    found = calibrated.score(texts).to_pylist()
    for row, entries in zip(found, classify(texts, top_k=None, calibrated=True), strict=True):
        assert all(row[f"score_{one['label']}"] == pytest.approx(one["score"], abs=1e-6) for one in entries)
    # Thresholds move along, and the best label stays the best.
    assert [row["labels"] for row in found] == [row["labels"] for row in plain.score(texts).to_pylist()]
    decided = classify(texts, calibrated=True, min_confidence=0.6)
    labels = [set(row["labels"]) for row in sure.score(texts).to_pylist()]
    assert labels == [{one["label"] for one in entries} for entries in decided]
    assert set() in labels and any(labels)
    if problem_type.startswith("multi"):
        # One threshold for all is for the scores that are written.
        for row in Scorer(str(folder), calibrated=True, threshold=0.55).score(texts).to_pylist():
            assert set(row["labels"]) == {label for label in EMOTIONS if row[f"score_{label}"] >= 0.55}


def test_repeated_ids_are_scored_and_said(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("key,text\n1,so happy\n1,so sad\n2,what a day\n")
    argv = [str(path), str(tmp_path / "out"), "--model", str(files["model"]), "--id_column", "key", "--processes", "1"]
    assert run_scoring(argv)["repeated_ids"] == 1
    assert list(read(tmp_path / "out")["id"]) == ["1", "1", "2"]
    assert "1 rows have the id of another row" in capsys.readouterr().out


def test_other_contents_are_refused(files: Files, tmp_path: Path) -> None:
    path, out = tmp_path / "posts.csv", tmp_path / "out"
    path.write_text("key,text\n1,so happy\n")
    score(path, out, files["model"])
    with pytest.raises(ScoreFolderError, match=r"scores of something else: threshold None there, 0\.3 now\. Repeat"):
        score(path, out, files["model"], threshold=0.3)
    with pytest.raises(ScoreFolderError, match=r"min_confidence None there, 0\.7 now"):
        score(path, out, files["model"], min_confidence=0.7)
    path.write_text("key,text\n1,so sad\n")
    with pytest.raises(ScoreFolderError, match="input_digest"):
        score(path, out, files["model"])
    assert score(path, out, files["model"], overwrite=True)["before"] == 0
    (out / "thesis.docx").touch()
    with pytest.raises(ScoreFolderError, match=r"holds something else \(thesis\.docx\)"):
        score(path, out, files["model"], overwrite=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "absent.csv"}, r"absent\.csv does not exist"),
        ({"path": "posts.docx"}, "unknown file type"),
        ({"id_column": "nr"}, r"has no column 'nr'; it has key, text\. Name one of these with --id_column"),
        ({"text_column": "body"}, r"has no column 'body'; it has key, text\. Name one of these with --text_column"),
        ({"split": "dev"}, "is no dataset with splits"),
        ({"threshold": 1.5}, "--threshold must be from 0 to 1"),
        ({"min_confidence": -0.1}, "--min_confidence must be from 0 to 1"),
        ({"calibrated": True}, "needs a model with a calibration in its config"),
        ({"model": "encoder"}, "not a trained classifier"),
    ],
)
def test_bad_input_is_named_before_any_work(
    files: Files, options: dict[str, Any], message: str, tmp_path: Path
) -> None:
    (tmp_path / "posts.csv").write_text("key,text\n1,so happy\n")
    (tmp_path / "posts.docx").touch()
    model = files[options.pop("model", "model")]
    with pytest.raises((ValueError, OSError), match=message):
        score(tmp_path / options.pop("path", "posts.csv"), tmp_path / "out", model, **options)
    assert not list((tmp_path / "out").glob("scores-*"))
