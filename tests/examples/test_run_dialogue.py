"""The command for dialogues, from a table of utterances to models that follow a dialogue."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from modeling_csr import DialogueForUtteranceClassification
from tests.helpers import tiny_run
from trainers.commands.dialogue import run_arguments
from trainers.runs import Runner

run_dialogue = tiny_run.example("run_dialogue")
RECIPES = ("dialogue-none", "dialogue-past", "dialogue")


def talks(dialogues: int, seed: int) -> list[dict[str, Any]]:
    """Dialogues in which half of the utterances have no word of a label, and the label of the one before them."""
    rng = random.Random(seed)
    rows = []
    for dialogue in range(dialogues):
        for place in range(6):
            if place % 2 == 0:
                label = rng.choice(list(tiny_run.EMOTIONS))
                words = tiny_run.EMOTIONS[label].split()
            else:
                words = []
            text = " ".join([*words, *rng.sample(tiny_run.FILLERS, 4)])
            place_of = {"dialogue_id": dialogue, "utterance_id": place, "speaker": "AB"[place % 2]}
            rows.append({"text": text, "label": label, **place_of})
    return rows


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("place")
    tiny_run.write_encoder(folder / "encoder")
    for split, size in (("train", 40), ("dev", 10)):
        rows = talks(size, len(split))
        random.Random(0).shuffle(rows)  # the order is that of utterance_id
        tiny_run.write_csv(folder / "talks" / f"{split}.csv", rows)
        tiny_run.write_csv(
            folder / "posts" / f"{split}.csv", [{key: row[key] for key in ("text", "label")} for row in rows]
        )
    return folder


def options(place: Path, output_dir: Path, **changes: Any) -> list[str]:
    unset = (
        "recipe",
        "emotion_label_columns",
        "sentiment_dataset",
        "siamese_num_train_epochs",
        "siamese_train_batch_size",
    )
    common = {name: None for name in ("common_num_train_epochs", "common_learning_rate", "common_train_batch_size")}
    values = {name: None for name in unset} | common | {"emotion_dataset": place / "talks", "num_train_epochs": 8}
    values |= {"dialogue_size": 16, "dialogue_learning_rate": 2e-2, "dialogue_num_train_epochs": 12}
    return tiny_run.options(place, output_dir, **values | changes)


@pytest.fixture(scope="module")
def finished(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run") / "out"
    run_dialogue.main(options(place, folder, draw_figures=True))
    return folder


def test_context_helps_where_the_label_stands_in_it(finished: Path) -> None:
    scores = tiny_run.read_json(finished / "results.json")["recipes"]
    assert set(scores) == set(RECIPES)
    accuracy = {recipe: scores[recipe]["metrics"]["accuracy"] for recipe in RECIPES}
    # Half of the utterances say nothing of their label, so without context they are guessed, one in three.
    assert accuracy["dialogue-none"] < 0.8 and min(accuracy["dialogue-past"], accuracy["dialogue"]) > 0.9


def test_unlabelled_utterances_are_context_alone(place: Path, tmp_path: Path) -> None:
    labelled = {}
    for split, size in (("train", 12), ("dev", 5)):
        rows = talks(size, len(split))
        for row in rows[1::3]:
            row["label"] = ""
        labelled[split] = sum(bool(row["label"]) for row in rows)
        tiny_run.write_csv(tmp_path / "talks" / f"{split}.csv", rows)
    few = {"emotion_dataset": tmp_path / "talks", "num_train_epochs": 1, "dialogue_num_train_epochs": 1}
    few |= {"recipe": ["dialogue"], "unlabelled_rows": "context", "class_weights": "balanced"}
    tiny_run.example("run_csr").main(options(place, tmp_path / "out", **few))
    for stage in ("emotion-encoder", "dialogue"):
        results = tiny_run.read_json(tmp_path / "out" / stage / "eval_results.json")
        assert sum(scores["support"] for scores in results["per_label"].values()) == labelled["dev"] == 20
        assert len(np.load(tmp_path / "out" / stage / "dev_logits.npy")) == 20
    argv = ["--dataset", str(tmp_path / "talks"), "--max_length", "64", "--unlabelled_rows", "context"]
    found = tiny_run.example("run_evaluation").main([str(tmp_path / "out" / "dialogue"), *argv])
    assert found["texts"] == 20 and found["per_label"] == results["per_label"]
    with pytest.raises(SystemExit, match="context is for recipes of dialogues alone"):
        tiny_run.example("run_csr").main(options(place, tmp_path / "other", **few | {"recipe": ["bert"]}))
    assert not (tmp_path / "other").exists()


def test_emocontext_is_read_with_its_context(place: Path, tmp_path: Path) -> None:
    """Its labels belong to the last of three turns."""
    for split in ("train", "dev"):
        lines = ["id\tturn1\tturn2\tturn3\tlabel", "1\tthe day\tso\thappy\thappy", "2\twe\tall\tcrying\tsad"]
        path = tmp_path / "emocontext" / f"{split}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines), encoding="utf-8")
    argv = options(place, tmp_path / "out", emotion_dataset="emocontext", data_dir=tmp_path)
    with pytest.raises(SystemExit, match=r"emocontext has utterances without a label.*give --unlabelled_rows context"):
        run_dialogue.main(argv)
    (args,) = run_arguments([*argv, "--unlabelled_rows", "context"]).values()
    prepared = Runner(args).prepared
    assert len(prepared.tasks["emotion"].splits["dev"]) == 6 and prepared.labels("dev").tolist() == [1, 3]


def test_each_stage_is_complete(finished: Path) -> None:
    for recipe in RECIPES:
        folder = finished / recipe
        results = tiny_run.read_json(folder / "eval_results.json")
        assert {"precision", "recall", "f1", "support", "calibration_error"} == set(results["per_label"]["anger"])
        assert sum(scores["support"] for scores in results["per_label"].values()) == 60
        for figure in ("decisions.png", "attention.png", "training_curves.png", "stages.png"):
            with Image.open(folder / figure) as image:
                image.verify()
        card = (folder / "README.md").read_text(encoding="utf-8")
        assert "**utterances of a dialogue**" in card and "model.tracker(" in card and "attention.png" in card
        assert "outputs" not in card and str(finished) not in card


def test_logits_stand_in_the_order_of_the_texts(place: Path, finished: Path) -> None:
    logits = np.load(finished / "dialogue-past" / "dev_logits.npy")
    folder = finished / "dialogue-past"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    assert type(model) is DialogueForUtteranceClassification and model.config.context == "past"
    tracker = model.tracker(AutoTokenizer.from_pretrained(folder), max_length=64)
    rows = (place / "talks" / "dev.csv").read_text().splitlines()[1:]
    cells = [row.split(",") for row in rows]
    talk = sorted((cell for cell in cells if cell[2] == "4"), key=lambda cell: int(cell[3]))
    for text, _, dialogue, utterance, speaker in talk:
        found = list(tracker.add(text, speaker=speaker).values())
        row = next(i for i, cell in enumerate(cells) if cell[2:4] == [dialogue, utterance])
        expected = np.exp(logits[row]) / np.exp(logits[row]).sum()
        assert found == pytest.approx(expected.tolist(), abs=1e-4)


def test_evaluation_reads_whole_dialogues(place: Path, finished: Path) -> None:
    evaluate = tiny_run.example("run_evaluation").main
    for recipe in RECIPES:
        expected = tiny_run.read_json(finished / recipe / "eval_results.json")
        found = evaluate([str(finished / recipe), "--dataset", str(place / "talks"), "--max_length", "64"])
        assert {name: found[name] for name in expected["metrics"]} == pytest.approx(expected["metrics"])
        assert found["per_label"] == expected["per_label"]


def test_several_seeds_are_compared(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = {"num_train_epochs": 1, "dialogue_num_train_epochs": 1, "recipe": ["dialogue-none", "dialogue"]}
    run_dialogue.main([*options(place, tmp_path, **quick, class_weights="balanced"), "--seeds", "1", "2"])
    table = (tmp_path / "dialogue.md").read_text(encoding="utf-8")
    assert "weighted F1 | vs dialogue-none" in table and "seeds: 1, 2" in table
    assert table in capsys.readouterr().out
    for seed in (1, 2):
        found = tiny_run.read_json(tmp_path / f"seed-{seed}" / "dialogue" / "config.json")
        # As many texts of each class: the weights lie near 1, and those of all texts have that mean.
        assert len(found["class_weights"]) == 3 and found["class_weights"] != [1.0, 1.0, 1.0]


def test_data_without_dialogues_are_refused_before_training(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match=r"run_dialogue\.py: error: posts \(train\) has no column dialogue_id"):
        run_dialogue.main(options(place, tmp_path / "out", emotion_dataset=place / "posts"))
    assert not (tmp_path / "out").exists()


def test_other_options_make_another_record(place: Path, finished: Path) -> None:
    with pytest.raises(SystemExit, match=r"belongs to another run:\s+dialogue.max_utterances: 64 there, 3 here"):
        run_dialogue.main(options(place, finished, max_utterances=3))


def test_dialogues_are_sampled_whole(place: Path, tmp_path: Path) -> None:
    argv = options(place, tmp_path / "out", max_train_samples=60)
    (args,) = run_arguments(argv).values()
    train = Runner(args).prepared.tasks["emotion"].splits["train"]
    assert len(train) == 60
    counts = {name: list(train["dialogue_id"]).count(name) for name in set(train["dialogue_id"])}
    assert set(counts.values()) == {6} and len(counts) == 10
