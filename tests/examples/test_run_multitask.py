"""All-in-One beside its twins: the command, from data to the tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

from tests.helpers import brighter_files, tiny_run
from trainers.commands import multitask
from trainers.data.task_dataset import load_task_dataset
from trainers.evaluation.inference import predict_logits

command = tiny_run.example("run_multitask")
run_multitask = command.main


def options(encoder: Path | None, output_dir: Path, *further: str) -> list[str]:
    quick = "--max_length 32 --max_train_samples 60 --num_train_epochs 1 --eval_strategy no --save_strategy no"
    argv = ["--output_dir", str(output_dir), "--use_cpu", "True", "--bf16_weights", "False", "--disable_tqdm", "True"]
    argv += ["--draw_figures", "False"]
    return [*(["--encoder", str(encoder)] if encoder else []), *argv, *quick.split(), *further]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_run.write_encoder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def folder(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    run_multitask(options(encoder, folder, "--seeds", "1", "2", "--task_weighting", "uncertainty"))
    return folder


def test_comparison_is_that_of_the_finished_stages(folder: Path) -> None:
    compared = tiny_run.read_json(folder / "multitask.json")
    stages = {"emotion": "emotion-encoder", "intensity": "intensity-encoder", "valence": "valence-encoder"}
    assert list(compared["scores"]) == list(stages)
    for seed, run in enumerate(("seed-1", "seed-2")):
        results = tiny_run.read_json(folder / run / "all-in-one" / "eval_results.json")
        of_tasks: dict[str, Any] = {"emotion": results, **results["tasks"]}
        for task, stage in stages.items():
            twin = tiny_run.read_json(folder / run / stage / "eval_results.json")
            for metric, both in compared["scores"][task].items():
                assert both["model"][seed] == pytest.approx(of_tasks[task]["metrics"][metric], abs=1e-4)
                assert both["twin"][seed] == pytest.approx(twin["metrics"][metric], abs=1e-4)
        for metric, test in compared["tests"][task].items():
            ours, theirs = (np.mean(compared["scores"][task][metric][who]) for who in ("model", "twin"))
            # The tests read the dev scores, each in a file of its own, and these are of the training.
            assert test["difference"] == pytest.approx(ours - theirs, abs=1e-4)
            assert test["low"] <= test["difference"] <= test["high"] and test["seeds"] == 2
        assert compared["tests"][task].keys() == compared["scores"][task].keys()
    sizes = {
        name: sum(
            weight.numel()
            for weight in AutoModelForSequenceClassification.from_pretrained(folder / "seed-1" / name).parameters()
        )
        for name in ("all-in-one", *stages.values())
    }
    assert compared["parameters"] == {
        "model": sizes.pop("all-in-one"),
        "twins": sum(sizes.values()),
    }
    assert all(seconds > 0 for seconds in compared["seconds_to_read"].values())
    assert [len(seconds) for seconds in compared["training_seconds"].values()] == [2, 2]
    table = (folder / "multitask.md").read_text(encoding="utf-8")
    assert "| intensity | pearson |" in table and "±" in table and "uncertainty" in table
    assert table.count("], p = ") + table.count("], p < .001") == 5 and "No interval" not in table
    assert (folder / "multitask.png").stat().st_size > 1000


@pytest.mark.parametrize("task", ["emotion", "intensity", "valence"])
def test_dev_scores_of_each_task_are_in_the_order_of_its_data(folder: Path, task: str) -> None:
    name = "csr-emotion-posts" if task == "emotion" else f"csr-emotion-posts-{task}"
    texts = load_task_dataset(name, regression=task != "emotion", splits=("dev",)).splits["dev"]["text"]
    stage = folder / "seed-1" / "all-in-one"
    model, tokenizer = AutoModelForSequenceClassification.from_pretrained(stage), AutoTokenizer.from_pretrained(stage)
    model.config.main_task = task
    model.config.num_labels = len(model.config.tasks[task]["labels"])
    expected = predict_logits(model, tokenizer, list(texts), max_length=32)
    found = np.load(stage / ("dev_logits.npy" if task == "emotion" else f"dev_logits_{task}.npy"))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    # The test could tell: the texts have other scores than their neighbours.
    assert (np.abs(np.diff(expected, axis=0)).max(axis=1) > 1e-3).mean() > 0.9


def test_repeated_command_trains_nothing_anew(encoder: Path, folder: Path) -> None:
    weights = sorted(folder.glob("seed-*/*/model.safetensors"))
    assert len(weights) == 8
    times = [path.stat().st_mtime_ns for path in weights]
    run_multitask(options(encoder, folder, "--seeds", "1", "2", "--task_weighting", "uncertainty"))
    assert [path.stat().st_mtime_ns for path in weights] == times


def test_finished_model_answers_for_each_task(folder: Path) -> None:
    model = folder / "seed-1" / "all-in-one"
    classifier = pipeline("emotion-classification", model=str(model))
    entries = classifier("so very happy", main_task="intensity")
    assert {entry["label"] for entry in entries} == {"anger", "fear", "joy", "sadness"}
    assert [entry["label"] for entry in classifier("so very happy", main_task="valence")] == ["valence"]
    card = (model / "README.md").read_text(encoding="utf-8")
    assert "one head per task" in card and "### intensity" in card and "| anger |" in card
    twin = (folder / "seed-1" / "intensity-encoder" / "README.md").read_text(encoding="utf-8")
    assert "regression head" in twin and "type: pearson" in twin and "precision" not in twin


def test_evaluate_scores_regressions_as_the_run_did(folder: Path, tmp_path: Path) -> None:
    model = folder / "seed-1" / "intensity-encoder"
    argv = [str(model), "--dataset", "csr-emotion-posts-intensity", "--max_length", "32"]
    found = tiny_run.example("run_evaluation").main([*argv, "--output_file", str(tmp_path / "scores.json")])
    expected = tiny_run.read_json(model / "eval_results.json")
    assert found["pearson"] == pytest.approx(expected["metrics"]["pearson"], abs=1e-4)
    assert found["per_label"]["joy"]["support"] == expected["per_label"]["joy"]["support"] > 0
    with pytest.raises(SystemExit, match=r"csr-emotion-posts is for multi_label.* but scores \(regression\)"):
        tiny_run.example("run_evaluation").main([str(model), "--dataset", "csr-emotion-posts"])


def test_evaluate_scores_each_task(folder: Path, tmp_path: Path) -> None:
    model, evaluate = folder / "seed-1" / "all-in-one", tiny_run.example("run_evaluation").main
    argv = [str(model), "--max_length", "32", "--task", "intensity", "--dataset"]
    found = evaluate([*argv, "csr-emotion-posts-intensity"])
    expected = tiny_run.read_json(model / "eval_results.json")["tasks"]["intensity"]["metrics"]
    assert found["pearson"] == pytest.approx(expected["pearson"], abs=1e-4)
    argv[argv.index("intensity")] = "arousal"
    with pytest.raises(SystemExit, match="--task arousal: the model has the tasks emotion, intensity, valence"):
        evaluate([*argv, "csr-emotion-posts-intensity"])
    argv[0] = str(folder / "seed-1" / "emotion-encoder")
    with pytest.raises(SystemExit, match="--task arousal: the model has the tasks emotion"):
        evaluate([*argv, "csr-emotion-posts-intensity"])


def test_branches_and_each_alone(tmp_path: Path) -> None:
    run_multitask(options(None, tmp_path, "--branches", "cnn:4", "gru:6", "--each_branch"))
    compared = tiny_run.read_json(tmp_path / "branches.json")
    assert list(compared) == ["cnn:4 + gru:6", "cnn:4", "gru:6"]
    for run, width in (("seed-42", 18), ("cnn-4-seed-42", 12), ("gru-6-seed-42", 6)):
        config = tiny_run.read_json(tmp_path / run / "all-in-one" / "config.json")
        assert (
            sum(
                branch["hidden_size"] * len(branch.get("kernel_sizes") or [1])
                for branch in config["encoder"]["branches"]
            )
            == width
        )
    results = tiny_run.read_json(tmp_path / "cnn-4-seed-42" / "all-in-one" / "eval_results.json")
    found = compared["cnn:4"]["scores"]["intensity pearson"]
    assert found == [round(results["tasks"]["intensity"]["metrics"]["pearson"], 4)]
    (both,) = compared["cnn:4 + gru:6"]["scores"]["intensity pearson"]
    assert "tests" not in compared["cnn:4 + gru:6"]
    assert compared["cnn:4"]["tests"]["intensity pearson"]["difference"] == pytest.approx(found[0] - both, abs=1e-4)
    header, _, first, *rows = (tmp_path / "branches.md").read_text(encoding="utf-8").splitlines()
    assert header.count("vs cnn:4 + gru:6") == first.count("–") == 5
    assert [row.count("], p ") for row in rows] == [5, 5]
    # The twins are for all branches together.
    assert not (tmp_path / "cnn-4-seed-42" / "intensity-encoder").exists()


@pytest.fixture
def brighter(tmp_path: Path) -> Path:
    """Labels in Afrikaans, without surprise, and in German; intensities in German, one text of them from dev of the
    labels."""
    for split, start in (("train", 0), ("dev", 50)):
        for language, emotions in (("afr", 5), ("deu", 6)):
            levels = [[(row + column) % 4 for column in range(emotions)] for row in range(start, start + 12)]
            rows = [f"{language}_{split}_{row},the {language} day {row + start}," for row in range(12)]
            labels = tuple(
                row + ",".join(str(int(one > 0)) for one in of) for row, of in zip(rows, levels, strict=True)
            )
            brighter_files.write(tmp_path, language, split, rows=labels)
            if language == "deu":
                scores = [row + ",".join(map(str, of)) for row, of in zip(rows, levels, strict=True)]
                held_out = ("deu_x,the deu day 55,0,1,2,3,0,1",) if split == "train" else ()
                brighter_files.write(tmp_path, language, split, "b", (*scores, *held_out))
    return tmp_path


def test_labels_and_intensities_of_languages(encoder: Path, brighter: Path, capsys: pytest.CaptureFixture) -> None:
    argv = ["--data_dir", str(brighter), "--emotion_dataset", "brighter:all", "--max_train_samples", "20"]
    run_multitask(options(encoder, brighter / "out", *argv))
    said = capsys.readouterr().out
    results = tiny_run.read_json(brighter / "out" / "seed-42" / "emotion-intensity" / "eval_results.json")
    assert list(results["per_language"]) == ["afr", "deu"]
    assert "surprise" not in results["per_language"]["afr"]["per_label"]
    intensity = results["tasks"]["intensity"]
    assert intensity["scale"] == [0, 3] and intensity["per_language"]["deu"]["pearson"] == pytest.approx(
        intensity["metrics"]["pearson"], abs=1e-6
    )
    table = (brighter / "out" / "languages.md").read_text(encoding="utf-8")
    assert table.strip() in said and "| emotion, macro f1 | one model | its twin |" in table
    assert f"| deu | {100 * intensity['metrics']['pearson']:.1f} |" in table
    card = (brighter / "out" / "seed-42" / "emotion-intensity" / "README.md").read_text(encoding="utf-8")
    assert r"1 training texts were left out, which are dev texts of brighter\:all" in card


def test_data_of_a_language_go_together(encoder: Path, tmp_path: Path) -> None:
    def datasets(*further: str) -> tuple[list[str], str, str]:
        args, rest = multitask.parse_args(options(encoder, tmp_path, *further))
        run = multitask.run_arguments(args, rest, 42, None)
        return run.model.recipe, run.data.emotion_dataset, run.data.intensity_dataset

    german = ("--data_dir", "DATA", "--emotion_dataset", "brighter:deu")
    twins = ["bert", "single-intensity"]
    assert datasets(*german) == ([*twins, "emotion-intensity"], "brighter:deu", "brighter-intensity:deu")
    assert datasets(*german, "--intensity_dataset", "mine.csv")[2] == "mine.csv"
    assert datasets("--data_dir", "DATA")[1:] == ("semeval2018-ec", "semeval2018-ei-reg-intensity")
    recipe, *_ = datasets("--tasks", "valence", "emotion")
    assert recipe == ["single-valence", "bert", "valence-emotion"]


def test_branches_alone_are_not_published(tmp_path: Path) -> None:
    """The name on the Hub is that of the model on all of them."""
    argv = options(None, tmp_path, "--branches", "cnn:4", "gru:6", "--each_branch", "--push_to_hub")
    args, further = multitask.parse_args(argv)
    together = multitask.run_arguments(args, further, 42, args.branches)
    alone = multitask.run_arguments(args, further, 42, args.branches[:1], alone=True)
    assert together.training.push_to_hub and not alone.training.push_to_hub
    assert together.training.hub_model_id == tmp_path.name and together.model.recipe[-1] == "all-in-one"


@pytest.mark.parametrize(
    ("further", "message"),
    [
        (["--recipe", "bert"], "--recipe cannot be given"),
        (["--seed=3"], "--seed=3 cannot be given"),
        (["--each_branch"], "--each_branch needs --branches with two or more"),
        (["--branches", "transformer"], "--branches transformer:: expected TYPE:SIZE"),
        (["--tasks", "emotion"], "--tasks emotion: give two or more of emotion, intensity, valence, sentiment"),
        (["--emotion_dataset", "brighter:nowhere"], "brighter:nowhere: there is no language 'nowhere'"),
        (["--valence_dataset", "csr-emotion-posts"], "csr-emotion-posts is for multi_label_classification"),
    ],
)
def test_bad_options_are_refused(encoder: Path, tmp_path: Path, further: list[str], message: str) -> None:
    with pytest.raises(SystemExit, match=message):
        run_multitask(options(encoder, tmp_path / "out", *further))
    assert not (tmp_path / "out").exists()
