"""Recipes beside each other: scores over seeds, paired tests, and the table that shows them."""

import json
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers import tiny_run
from trainers.evaluation.metrics import HEADLINE, score
from trainers.experiments.comparison import (
    compare_recipes,
    comparison_table,
    dev_decisions,
    mean_and_spread,
    save_comparison,
    shuffled_table,
)

run_csr = tiny_run.example("run_csr").main

SEEDS = (42, 43)
RECIPES = ["bert", "model-3.3"]


def write_stage(
    run: Path, recipe: str, logits: np.ndarray, references: np.ndarray, problem_type: str, **results: Any
) -> None:
    """A finished recipe of one stage, as the Runner writes it."""
    folder = run / f"{recipe}-stage"
    folder.mkdir(parents=True)
    np.save(folder / "dev_logits.npy", logits.astype(np.float32))
    thresholds = list(results["thresholds"].values()) if "thresholds" in results else None
    metrics = score(logits, references, problem_type, thresholds)
    written = {"task": "emotion", "metrics": metrics, "seconds": 1.5, **results}
    (folder / "eval_results.json").write_text(json.dumps(written))
    path = run / "results.json"
    found = json.loads(path.read_text()) if path.exists() else {"recipes": {}}
    kept = {name: written[name] for name in ("metrics", "metrics_at_0.5", "seconds") if name in written}
    found["recipes"][recipe] = {"model": str(folder), **kept}
    path.write_text(json.dumps(found))


# -- of real runs -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """The folders of one run of each seed."""
    place = tiny_run.workplace(tmp_path_factory.mktemp("place"), dev=40)
    folders = {seed: tmp_path_factory.mktemp("runs") / f"seed-{seed}" for seed in SEEDS}
    for seed, folder in folders.items():
        changes = {"num_train_epochs": 6, "common_num_train_epochs": 6, "threshold": "global"}
        run_csr(tiny_run.options(place, folder, recipe=RECIPES, seed=seed, **changes))
    return folders


@pytest.fixture(scope="module")
def references() -> np.ndarray:
    rows = tiny_run.emotion_rows(40, seed=2)
    return np.array([[row[label] for label in tiny_run.EMOTIONS] for row in rows], dtype=np.float32)


@pytest.fixture(scope="module")
def compared(runs: dict[int, Path], references: np.ndarray) -> dict[str, dict[str, Any]]:
    return compare_recipes(runs, RECIPES, references, "multi_label_classification", resamples=500)


def test_decisions_of_a_run_have_the_scores_that_it_reports(runs: dict[int, Path], references: np.ndarray) -> None:
    at_half = []
    for folder in runs.values():
        for stage in ("emotion-encoder", "csr"):
            decisions = dev_decisions(folder / stage, "multi_label_classification")
            reported = tiny_run.read_json(folder / stage / "eval_results.json")
            assert (decisions == references).all(axis=1).mean() > 0.3
            union = np.maximum(decisions, references).sum(axis=1)
            both = (decisions * references).sum(axis=1)
            jaccard = np.where(union == 0, 1, both / np.maximum(union, 1)).mean()
            assert reported["metrics"]["jaccard"] == pytest.approx(jaccard)
            at_half.append(reported["metrics"] == reported["metrics_at_0.5"])
    # At the tuned thresholds: at 0.5 most would decide otherwise.
    assert sum(at_half) < len(at_half) / 2


def test_scores_are_those_of_the_runs(runs: dict[int, Path], compared: dict[str, dict[str, Any]]) -> None:
    assert list(compared) == RECIPES
    found = {seed: tiny_run.read_json(folder / "results.json")["recipes"] for seed, folder in runs.items()}
    for recipe, one in compared.items():
        assert list(one["scores"]) == list(HEADLINE["multi_label_classification"])
        for metric, scores in one["scores"].items():
            assert scores == [pytest.approx(found[seed][recipe]["metrics"][metric], abs=5e-5) for seed in SEEDS]
            halves = one["scores_at_0.5"][metric]
            assert halves == [pytest.approx(found[seed][recipe]["metrics_at_0.5"][metric], abs=5e-5) for seed in SEEDS]
        assert one["seconds"] == [found[seed][recipe]["seconds"] for seed in SEEDS]
    assert compared["bert"]["scores"] != compared["model-3.3"]["scores"]
    assert "shuffled" not in compared["bert"]
    assert compared["model-3.3"]["shuffled"].keys() == {"emotion", "sources"}
    for part, scores in compared["model-3.3"]["shuffled"].items():
        assert scores["jaccard"] == [
            pytest.approx(found[seed]["model-3.3"]["shuffled"][part]["jaccard"], abs=5e-5) for seed in SEEDS
        ]


def test_tested_differences_are_those_of_the_mean_scores(compared: dict[str, dict[str, Any]]) -> None:
    """The tests read decisions and the scores were computed in training: both must be of the same texts, in order."""
    assert "tests" not in compared["bert"]
    for metric, test in compared["model-3.3"]["tests"].items():
        means = {recipe: statistics.mean(one["scores"][metric]) for recipe, one in compared.items()}
        assert test["difference"] == pytest.approx(means["model-3.3"] - means["bert"], abs=1e-4)
        assert test["low"] <= test["difference"] <= test["high"]
        assert (test["metric"], test["seeds"], test["texts"], test["resamples"]) == (metric, 2, 40, 500)
    assert json.loads(json.dumps(compared)) == compared


def test_without_the_baseline_nothing_is_tested(runs: dict[int, Path], references: np.ndarray) -> None:
    compared = compare_recipes(runs, ["model-3.3"], references, "multi_label_classification", resamples=10)
    assert list(compared) == ["model-3.3"] and "tests" not in compared["model-3.3"]
    header, _, row = comparison_table(compared, "bert").splitlines()
    assert "vs" not in header and header.count("|") == row.count("|")


# -- of folders written by hand ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [3, 5])
def test_class_that_dev_lacks_counts(tmp_path: Path, classes: int) -> None:
    """In the macro F1 as in the scores of the runs; a system may also decide for it."""
    references = np.array([0, 0, 1, 1, 0, 1])
    decided = {"bert": [0, 0, 1, 1, 0, 1], "model-1": [0, classes - 1, 1, 1, 0, 1]}
    for recipe, ids in decided.items():
        write_stage(tmp_path, recipe, np.eye(classes)[ids], references, "single_label_classification")
    compared = compare_recipes({1: tmp_path}, list(decided), references, "single_label_classification", resamples=10)
    assert compared["bert"]["scores"]["macro_f1"] == [pytest.approx(2 / classes, abs=5e-5)]
    for metric, test in compared["model-1"]["tests"].items():
        (score_of_baseline,), (score_of_system,) = (compared[name]["scores"][metric] for name in decided)
        assert test["difference"] == pytest.approx(score_of_system - score_of_baseline, abs=1e-4), metric
    assert compared["model-1"]["tests"]["accuracy"]["difference"] == pytest.approx(-1 / 6)


def test_thresholds_of_each_label_decide(tmp_path: Path) -> None:
    logits = np.array([[0.0, -1.0], [1.0, 1.0]])  # probabilities of 0.5, 0.27 and 0.73
    results = {"thresholds": {"anger": 0.6, "joy": 0.2}}
    write_stage(tmp_path, "bert", logits, np.ones((2, 2)), "multi_label_classification", **results)
    found = dev_decisions(tmp_path / "bert-stage", "multi_label_classification")
    assert found.tolist() == [[0, 1], [1, 1]]
    write_stage(tmp_path, "model-1", logits, np.ones((2, 2)), "multi_label_classification")
    found = dev_decisions(tmp_path / "model-1-stage", "multi_label_classification")
    assert found.tolist() == [[1, 0], [1, 1]]


# -- the table --------------------------------------------------------------------------------------------------------


def test_mean_and_spread_by_hand() -> None:
    assert mean_and_spread([0.5, 0.6, 0.7]) == "60.0 ± 10.0"
    assert mean_and_spread([0.12345]) == "12.3"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.fixture
def given() -> dict[str, dict[str, Any]]:
    test = {"difference": 0.02, "low": -0.001, "high": 0.041, "p_bootstrap": 0.0561, "p_randomization": 0.5}
    clear = {"difference": -0.1, "low": -0.12, "high": -0.08, "p_bootstrap": 0.0002, "p_randomization": 0.5}
    return {
        "bert": {"scores": {"accuracy": [0.5, 0.6], "macro_f1": [0.4, 0.4]}, "seconds": [1, 2]},
        "model-3.3": {
            "scores": {"accuracy": [0.57, 0.57], "macro_f1": [0.3, 0.3]},
            "seconds": [1, 2],
            "tests": {"accuracy": test, "macro_f1": clear},
        },
    }


def test_table_by_hand(given: dict[str, dict[str, Any]]) -> None:
    header, rule, *rows = comparison_table(given, "bert").splitlines()
    assert cells(header) == ["recipe", "accuracy", "vs bert", "macro F1", "vs bert"]
    assert set(rule) <= set("|- ") and len(cells(rule)) == 5
    assert [cells(row) for row in rows] == [
        ["`bert`", "55.0 ± 7.1", "–", "40.0 ± 0.0", "–"],
        [
            "`model-3.3`",
            "57.0 ± 0.0",
            "+2.0 [-0.1, +4.1], p = .056 (.056)",
            "30.0 ± 0.0",
            "-10.0 [-12.0, -8.0], p < .001 (< .001)",
        ],
    ]


def test_table_with_published_scores(given: dict[str, dict[str, Any]]) -> None:
    published = {"bert": {"macro_f1": 58.04}, "model-1": {"accuracy": 1.0}}
    header, _, *rows = comparison_table(given, "bert", published).splitlines()
    assert cells(header) == ["recipe", "accuracy", "paper", "vs bert", "macro F1", "paper", "vs bert"]
    assert [(cells(row)[2], cells(row)[5]) for row in rows] == [("–", "58.0"), ("–", "–")]


def test_table_with_scores_at_one_half(compared: dict[str, dict[str, Any]]) -> None:
    header, _, *rows = comparison_table(compared, "bert").splitlines()
    assert cells(header)[-3:] == ["Jaccard at 0.5", "micro F1 at 0.5", "macro F1 at 0.5"]
    for row, one in zip(rows, compared.values(), strict=True):
        assert len(cells(row)) == len(cells(header))
        assert cells(row)[-3:] == [mean_and_spread(scores) for scores in one["scores_at_0.5"].values()]


def test_table_of_what_shuffling_costs() -> None:
    shuffled = {"sources": {"accuracy": [0.5, 0.4]}, "emotion": {"accuracy": [0.1, 0.1]}}
    compared = {
        "bert": {"scores": {"accuracy": [0.5, 0.5]}},
        "model-3.3": {"scores": {"accuracy": [0.5, 0.6]}, "shuffled": shuffled},
    }
    header, _, row = shuffled_table(compared).splitlines()
    assert cells(header) == ["recipe", "accuracy, P_S shuffled", "accuracy, P_E shuffled"]
    # Of each seed, what is left less what there was: 0 and -20, -40 and -50.
    assert cells(row) == ["`model-3.3`", "-10.0 ± 14.1", "-45.0 ± 7.1"]


def test_comparison_is_saved_as_table_figure_and_json(compared: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    about = {"seeds": list(SEEDS), "encoder": "tiny"}
    save_comparison(compared, tmp_path / "new", "here", "Tiny posts", about, published={"bert": {"jaccard": 50.0}})
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["here.json", "here.md", "here.png"]
    written = tiny_run.read_json(tmp_path / "new" / "here.json")
    assert written["recipes"] == compared and written["seeds"] == [42, 43] and written["baseline"] == "bert"
    text = (tmp_path / "new" / "here.md").read_text(encoding="utf-8")
    assert text.startswith("Tiny posts: ") and "- seeds: 42, 43\n- encoder: tiny\n" in text
    assert comparison_table(compared, "bert", written["published"]) in text and shuffled_table(compared) in text
    assert (tmp_path / "new" / "here.png").read_bytes().startswith(b"\x89PNG")
    assert "One seed" not in text


def test_comparison_of_one_seed_says_so(given: dict[str, dict[str, Any]], tmp_path: Path) -> None:
    for one in given.values():
        one["scores"] = {metric: values[:1] for metric, values in one["scores"].items()}
        one["seconds"] = one["seconds"][:1]
    save_comparison(given, tmp_path, "one", "One", {"seeds": [42]})
    assert "One seed of each" in (tmp_path / "one.md").read_text(encoding="utf-8")
