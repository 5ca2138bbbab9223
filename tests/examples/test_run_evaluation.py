"""`examples/evaluate.py` on what a run has left, and on models that are none of ours."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score
from transformers import AutoTokenizer, BertConfig, BertForSequenceClassification

from tests.helpers import tiny_run

evaluate = tiny_run.example("run_evaluation").main

COLUMNS = ["--label_columns", *tiny_run.EMOTIONS]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder, data, and two runs: `out`, multi-label with a threshold a label, and `single`."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"))
    tiny_run.write_csv(place / "data" / "posts" / "test.csv", tiny_run.emotion_rows(25, seed=9))
    run_csr = tiny_run.example("run_csr").main
    # Little training, so that 0.5 is not the best threshold.
    few = {"num_train_epochs": 3, "common_num_train_epochs": 5, "threshold": "per_label"}
    run_csr(tiny_run.options(place, place / "out", recipe=["model-2", "model-3.3"], **few))
    moods = {"emotion_dataset": place / "data" / "moods", "emotion_label_columns": None}
    run_csr(tiny_run.options(place, place / "single", recipe=["bert"], num_train_epochs=3, **moods))
    return place


def refusal(argv: list[str]) -> str:
    with pytest.raises(SystemExit) as error:
        evaluate([str(argument) for argument in argv])
    assert error.value.code not in (0, None)
    return str(error.value)


@pytest.mark.parametrize("stage", ["emotion-encoder", "multitask", "csr"])
def test_scores_are_those_of_the_run(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture, stage: str) -> None:
    """From raw text, through the saved tokenizer and at the stored thresholds."""
    output_file = tmp_path / "metrics.json"
    argv = [place / "out" / stage, "--dataset", place / "data" / "posts", "--split", "dev", *COLUMNS]
    evaluate([*map(str, argv), "--output_file", str(output_file)])
    written = tiny_run.read_json(output_file)
    results = tiny_run.read_json(place / "out" / stage / "eval_results.json")
    assert {name: written[name] for name in results["metrics"]} == pytest.approx(results["metrics"], abs=1e-6)
    for label, scores in results["per_label"].items():
        assert written["per_label"][label] == pytest.approx(scores, abs=1e-6)
    assert written["split"] == "dev" and written["texts"] == 15
    assert all(0 <= written[name] <= 1 for name in ("jaccard", "jaccard_zero", "micro_f1", "macro_f1"))
    table = capsys.readouterr().out
    for name in ("jaccard", "micro_f1", "macro_f1"):
        assert f"{name.replace('_', ' ')} " in table
        assert f"{100 * written[name]:.2f}" in table
    for label in tiny_run.EMOTIONS:
        assert f" {label} " in table


def test_thresholds_matter_and_can_be_overruled(place: Path) -> None:
    argv = [str(place / "out" / "csr"), "--dataset", str(place / "data" / "posts"), *COLUMNS]
    results = tiny_run.read_json(place / "out" / "csr" / "eval_results.json")
    assert results["metrics"] != results["metrics_at_0.5"]
    overruled = evaluate([*argv, "--threshold", "0.5"])
    at_half = results["metrics_at_0.5"]
    assert {name: overruled[name] for name in at_half} == pytest.approx(at_half, abs=1e-6)
    everything = evaluate([*argv, "--threshold", "0"])
    assert everything["micro_recall"] == 1


def test_labels_in_another_order_are_the_same_labels(place: Path) -> None:
    argv = [str(place / "out" / "csr"), "--dataset", str(place / "data" / "posts"), "--label_columns"]
    assert (
        evaluate([*argv, "sadness", "anger", "joy"])["per_label"] == evaluate([*argv, *tiny_run.EMOTIONS])["per_label"]
    )


def test_other_splits_batches_and_files(place: Path, capsys: pytest.CaptureFixture) -> None:
    model, data = str(place / "out" / "csr"), place / "data" / "posts"
    whole = evaluate([model, "--dataset", str(data), "--split", "test", *COLUMNS])
    assert whole["texts"] == 25
    parts = evaluate([model, "--dataset", str(data), "--split", "test", *COLUMNS, "--batch_size", "4"])
    # Batches change probabilities by rounding, and thus their calibration error.
    by_label = parts.pop("per_label")
    assert {**parts, "per_label": whole["per_label"]} == whole
    assert by_label.keys() == whole["per_label"].keys()
    assert all(by_label[label] == pytest.approx(scores) for label, scores in whole["per_label"].items())
    assert {"average_precision", "calibration_error"} < by_label["joy"].keys()
    alone = evaluate([model, "--dataset", str(data / "test.csv"), "--split", "test", *COLUMNS])
    assert alone["per_label"] == whole["per_label"]
    assert "--split test" not in capsys.readouterr().out
    assert evaluate([model, "--dataset", str(data / "test.csv"), *COLUMNS])["texts"] < 25
    assert "--split test scores all of its rows" in capsys.readouterr().out


def test_a_folder_with_a_test_split_alone_and_unlabelled_rows(place: Path, tmp_path: Path) -> None:
    rows = tiny_run.emotion_rows(25, seed=9)
    rows[3] |= dict.fromkeys(tiny_run.EMOTIONS, -1)
    tiny_run.write_csv(tmp_path / "posts" / "test.csv", rows)
    argv = [str(place / "out" / "csr"), "--dataset", str(tmp_path / "posts"), "--split", "test", *COLUMNS]
    assert "1 row has no label (line 5)" in refusal(argv)
    results = evaluate([*argv, "--unlabelled_rows", "skip"])
    assert results["texts"] == 24
    (skipped,) = results["skipped_rows"]
    assert (skipped["line"], Path(skipped["file"]).name) == (5, "test.csv") and skipped["reason"]


def test_scores_by_language(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    rows = [
        {**row, "language": "de" if index % 3 else "sw"} for index, row in enumerate(tiny_run.emotion_rows(24, seed=8))
    ]
    tiny_run.write_csv(tmp_path / "both.csv", rows)
    tiny_run.write_csv(tmp_path / "sw.csv", rows[::3])
    argv = [str(place / "out" / "csr"), "--split", "test", *COLUMNS, "--dataset"]
    both, alone = (evaluate([*argv, str(tmp_path / f"{name}.csv")]) for name in ("both", "sw"))
    assert list(both["per_language"]) == ["de", "sw"]
    by_label = both["per_language"]["sw"].pop("per_label")
    assert both["per_language"]["sw"] == {name: alone[name] for name in both["per_language"]["sw"]}
    # By language, labels have no scores of their probabilities.
    for label, scores in by_label.items():
        assert scores == {name: alone["per_label"][label][name] for name in scores}
    assert "by language" in capsys.readouterr().out


def test_single_label_model(place: Path, capsys: pytest.CaptureFixture) -> None:
    written = evaluate([str(place / "single" / "emotion-encoder"), "--dataset", str(place / "data" / "moods")])
    results = tiny_run.read_json(place / "single" / "emotion-encoder" / "eval_results.json")
    assert {name: written[name] for name in results["metrics"]} == pytest.approx(results["metrics"], abs=1e-6)
    assert {"accuracy", "micro_f1", "macro_f1", "weighted_f1"} <= set(written)
    assert "accuracy" in capsys.readouterr().out


def test_bundled_sentiment_by_name(place: Path) -> None:
    written = evaluate([str(place / "out" / "sentiment-encoder"), "--dataset", "csr-emotion-posts-sentiment"])
    assert set(written["per_label"]) == {"negative", "neutral", "positive"}
    assert written["dataset"] == "csr-emotion-posts-sentiment"
    assert sum(scores["support"] for scores in written["per_label"].values()) == written["texts"] > 50


def stock_model(folder: Path, place: Path, problem_type: str, labels: list[str]) -> BertForSequenceClassification:
    """A model of transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")
    config = BertConfig.from_pretrained(
        place / "encoder",
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        problem_type=problem_type,
    )
    torch.manual_seed(3)
    model = BertForSequenceClassification(config).eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return model


def stock_logits(model: BertForSequenceClassification, place: Path, texts: list[str]) -> np.ndarray:
    tokenizer = AutoTokenizer.from_pretrained(place / "encoder")
    with torch.inference_mode():
        return model(**tokenizer(texts, padding=True, return_tensors="pt")).logits.numpy()


def test_stock_multi_label_model(place: Path, tmp_path: Path) -> None:
    labels = ["joy", "sadness", "anger"]  # not the order of the columns
    model = stock_model(tmp_path, place, "multi_label_classification", labels)
    written = evaluate([str(tmp_path), "--dataset", str(place / "data" / "posts"), *COLUMNS])
    rows = tiny_run.emotion_rows(15, seed=2)
    gold = np.array([[row[label] for label in labels] for row in rows])
    predicted = stock_logits(model, place, [row["text"] for row in rows]) >= 0
    assert 0 < predicted.mean() < 1
    assert written["micro_f1"] == pytest.approx(f1_score(gold, predicted, average="micro"))
    assert written["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    jaccard_zero = jaccard_score(gold, predicted, average="samples", zero_division=0)
    assert written["jaccard_zero"] == pytest.approx(jaccard_zero)
    for index, label in enumerate(labels):
        expected = f1_score(gold[:, index], predicted[:, index], zero_division=0)
        assert written["per_label"][label]["f1"] == pytest.approx(expected)


def test_stock_single_label_model(place: Path, tmp_path: Path) -> None:
    labels = ["sadness", "joy", "anger"]
    model = stock_model(tmp_path, place, "single_label_classification", labels)
    written = evaluate([str(tmp_path), "--dataset", str(place / "data" / "moods")])
    rows = tiny_run.label_rows(tiny_run.EMOTIONS, 15, seed=2)
    gold = [labels.index(row["label"]) for row in rows]
    predicted = stock_logits(model, place, [row["text"] for row in rows]).argmax(axis=1)
    assert written["accuracy"] == pytest.approx(accuracy_score(gold, predicted))
    assert written["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))


def test_model_with_other_labels_is_refused(place: Path, tmp_path: Path) -> None:
    output_file = tmp_path / "metrics.json"
    message = refusal([place / "out" / "csr", "--dataset", place / "data" / "reviews", "--output_file", output_file])
    assert "label 'negative' is not a label of the model; its labels: anger, joy, sadness" in message
    message = refusal([place / "out" / "csr", "--dataset", place / "data" / "posts", "--label_columns", "anger", "joy"])
    assert "anger, joy, sadness" in message
    assert not output_file.exists()


def test_model_with_the_same_labels_of_another_kind_is_refused(place: Path, tmp_path: Path) -> None:
    """One label a text against several: scores that mean nothing."""
    posts, moods = place / "data" / "posts", place / "data" / "moods"
    stock_model(tmp_path, place, "multi_label_classification", list(tiny_run.EMOTIONS))
    for model in (place / "out" / "csr", tmp_path):
        assert "multi_label_classification" in refusal([model, "--dataset", moods])
    single = place / "single" / "emotion-encoder"
    assert "single_label_classification" in refusal([single, "--dataset", posts, *COLUMNS])


def test_threshold_of_a_single_label_model_is_refused(place: Path) -> None:
    single, moods = place / "single" / "emotion-encoder", place / "data" / "moods"
    assert "threshold" in refusal([single, "--dataset", moods, "--threshold", "0.4"])


def test_more_tokens_than_the_model_reads_are_refused(place: Path) -> None:
    argv = [place / "out" / "csr", "--dataset", place / "data" / "posts", *COLUMNS, "--max_length"]
    assert "--max_length 65: the model reads at most 64 tokens" in refusal([*argv, "65"])
    assert evaluate([*map(str, argv), "64"])["texts"] == 15


def test_what_is_not_there_is_named(place: Path, tmp_path: Path) -> None:
    model, data = place / "out" / "csr", place / "data"
    assert "nothing.csv" in refusal([model, "--dataset", data / "nothing.csv", *COLUMNS])
    assert "envy" in refusal([model, "--dataset", data / "posts", "--label_columns", "anger", "envy"])
    assert "test" in refusal([model, "--dataset", data / "reviews", "--split", "test"])
    assert "validation" in refusal([model, "--dataset", data / "posts", "--split", "validation", *COLUMNS])
    assert str(tmp_path / "model") in refusal([tmp_path / "model", "--dataset", data / "posts", *COLUMNS])


def test_some_labels_of_the_data(place: Path, tmp_path: Path) -> None:
    """A model of two of the three labels, on texts that have one of them."""
    chosen = {"emotion_labels": ["sadness", "anger"], "rows_without_labels": "drop", "num_train_epochs": 1}
    tiny_run.example("run_csr").main(tiny_run.options(place, tmp_path / "out", recipe="bert", **chosen))
    folder = tmp_path / "out" / "emotion-encoder"
    argv = [str(folder), "--dataset", str(place / "data" / "posts"), *COLUMNS]
    assert "The model has the labels sadness, anger, but posts has anger, joy, sadness" in refusal(argv)
    written = evaluate([*argv, "--labels", "anger", "sadness", "--rows_without_labels", "drop"])
    results = tiny_run.read_json(folder / "eval_results.json")
    assert {name: written[name] for name in results["metrics"]} == pytest.approx(results["metrics"], abs=1e-6)
    assert written["texts"] == sum(bool(row["sadness"] or row["anger"]) for row in tiny_run.emotion_rows(15, seed=2))
    assert "--labels hope: posts has no label hope" in refusal([*argv, "--labels", "hope"])
