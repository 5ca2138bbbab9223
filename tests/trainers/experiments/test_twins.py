"""Tables of a model of several tasks beside others, from folders written by hand."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from trainers.evaluation.metrics import score
from trainers.experiments.twins import (
    compare_encoders,
    encoders_table,
    save_twins,
    task_scores,
    task_tests,
    twins_table,
)

PROBLEM_TYPES = {
    "emotion": "multi_label_classification",
    "sentiment": "single_label_classification",
    "intensity": "regression",
}
REFERENCES = {
    "emotion": np.array([[1, 0], [0, 1], [1, 1], [0, 0]]),
    "sentiment": np.array([0, 1, 1, 0]),
    "intensity": np.array([[0.0, np.nan], [0.5, 0.2], [1.0, 0.8], [np.nan, np.nan]]),
}
# Right everywhere; dev lacks the third class of the sentiments.
LOGITS = {
    "emotion": REFERENCES["emotion"] * 4.0 - 2.0,
    "sentiment": np.eye(3)[REFERENCES["sentiment"]],
    "intensity": np.nan_to_num(REFERENCES["intensity"]),
}


def write_stage(folder: Path, logits: dict[str, np.ndarray], thresholds: dict[str, float] | None = None) -> Path:
    """A finished stage of the tasks, the first of which is the one it is judged by."""
    folder.mkdir(parents=True)
    results = {}
    for task, of_task in logits.items():
        gold, kind = REFERENCES[task], PROBLEM_TYPES[task]
        tuned = list(thresholds.values()) if task == "emotion" and thresholds else None
        metrics = score(of_task, gold, kind, tuned)
        labels = ["a", "b", "c"][: of_task.shape[1]]
        results[task] = {"metrics": metrics, "per_label": {label: {} for label in labels}, "seconds": 1.0}
        if tuned:
            results[task]["thresholds"] = thresholds
        first = task == next(iter(logits))
        np.save(folder / ("dev_logits.npy" if first else f"dev_logits_{task}.npy"), np.float32(of_task))
    first, *others = logits
    written = {"task": first, **results[first], "tasks": {task: results[task] for task in others}}
    (folder / "eval_results.json").write_text(json.dumps(written))
    return folder


@pytest.fixture
def stages(tmp_path: Path) -> tuple[list[Path], list[Path]]:
    """Two seeds of a model that is right, and of one that is wrong of the second text."""
    wrong = {
        "emotion": LOGITS["emotion"] * [[1], [-1], [1], [1]],
        "sentiment": np.eye(3)[[0, 2, 1, 0]],
        "intensity": np.array([[0.0, 0], [0.5, 0.8], [1.0, 0.2], [0, 0]]),
    }
    return tuple(
        [write_stage(tmp_path / name / str(seed), logits) for seed in (1, 2)]
        for name, logits in (("right", LOGITS), ("wrong", wrong))
    )


def test_differences_by_hand(stages: tuple[list[Path], list[Path]]) -> None:
    tests = {task: task_tests(*stages, task, kind, REFERENCES[task], 200) for task, kind in PROBLEM_TYPES.items()}
    differences = {task: {metric: test["difference"] for metric, test in of.items()} for task, of in tests.items()}
    # One text of four has Jaccard 0 in place of 1; label a has one false positive (F1 4/5), label b misses one (2/3).
    assert differences["emotion"] == pytest.approx(
        {"jaccard": 1 / 4, "micro_f1": 1 - 6 / 8, "macro_f1": 1 - (4 / 5 + 2 / 3) / 2}
    )
    # Of three classes: 1, 1 and 0 against 1, 2/3 and 0.
    assert differences["sentiment"] == pytest.approx({"accuracy": 1 / 4, "macro_f1": 1 / 9, "weighted_f1": 1 / 6})
    # The correlations are 1 and 1 against 1 and -1.
    assert differences["intensity"] == pytest.approx({"pearson": 1.0})
    for task, kind in PROBLEM_TYPES.items():
        ours, theirs = (task_scores(folders, task, kind) for folders in stages)
        for metric, difference in differences[task].items():
            assert difference == pytest.approx(np.mean(ours[metric]) - np.mean(theirs[metric]), abs=1e-4)
            assert (tests[task][metric]["seeds"], tests[task][metric]["texts"]) == (2, 4)


def test_texts_are_drawn_in_their_groups(stages: tuple[list[Path], list[Path]]) -> None:
    """Of one single group every sample is the whole."""
    gold, kind = REFERENCES["emotion"], PROBLEM_TYPES["emotion"]
    found = {
        groups: task_tests(*stages, "emotion", kind, gold, 50, groups=list(groups), paired_seeds=True)["jaccard"]
        for groups in ("abcd", "aaaa")
    }
    assert found["aaaa"]["low"] == found["aaaa"]["high"] == found["aaaa"]["difference"] == pytest.approx(1 / 4)
    assert found["abcd"]["low"] < found["abcd"]["high"]


def test_tuned_thresholds_decide(stages: tuple[list[Path], list[Path]], tmp_path: Path) -> None:
    """Of each stage its own, also where the task is not its first."""
    logits = {"sentiment": LOGITS["sentiment"], "emotion": LOGITS["emotion"] - 1.5}
    low = write_stage(tmp_path / "low", logits, {"a": 0.3, "b": 0.3})
    half = write_stage(tmp_path / "half", logits | {"emotion": LOGITS["emotion"] - 4.5})
    kind, gold = PROBLEM_TYPES["emotion"], REFERENCES["emotion"]
    assert task_tests([low], stages[0][:1], "emotion", kind, gold, 20)["jaccard"]["difference"] == 0
    # Below one half nothing is given, which is right of the fourth text alone.
    assert task_tests([low], [half], "emotion", kind, gold, 20)["jaccard"]["difference"] == pytest.approx(3 / 4)


def test_nothing_is_tested_without_the_scores_of_a_task(stages: tuple[list[Path], list[Path]]) -> None:
    (stages[1][1] / "dev_logits_sentiment.npy").unlink()
    assert task_tests(*stages, "sentiment", PROBLEM_TYPES["sentiment"], REFERENCES["sentiment"], 20) == {}
    assert task_tests(*stages, "emotion", PROBLEM_TYPES["emotion"], REFERENCES["emotion"], 20) != {}


def test_encoders_beside_the_first(stages: tuple[list[Path], list[Path]]) -> None:
    (stages[1][0] / "dev_logits_intensity.npy").unlink()
    kinds = {task: PROBLEM_TYPES[task] for task in ("emotion", "intensity")}
    compared = compare_encoders({"both": stages[0], "cnn": stages[1]}, kinds, REFERENCES, 100)
    assert list(compared["both"]) == ["scores"]
    assert compared["both"]["scores"]["intensity pearson"] == [1.0, 1.0]
    assert list(compared["cnn"]["tests"]) == ["emotion jaccard", "emotion micro f1", "emotion macro f1"]
    assert compared["cnn"]["tests"]["emotion jaccard"]["difference"] == pytest.approx(-1 / 4)
    header, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in encoders_table(compared).splitlines()
    ]
    assert header[:3] == ["encoder", "emotion jaccard", "vs both"] and len(header) == 9
    assert rows[0][:3] == ["both", "100.0 ± 0.0", "–"]
    assert rows[1][:2] == ["cnn", "75.0 ± 0.0"] and rows[1][2].startswith("-25.0 [")
    assert rows[1][-2:] == ["0.0 ± 0.0", "–"]


@pytest.fixture
def compared() -> dict[str, Any]:
    test = {"difference": 0.02, "low": -0.001, "high": 0.041, "p_bootstrap": 0.0561}
    return {
        "scores": {
            "emotion": {"jaccard": {"model": [0.6, 0.62], "twin": [0.58, 0.6]}},
            "valence": {"pearson": {"model": [0.8, 0.9], "twin": [0.8, 0.8]}},
        },
        "tests": {"emotion": {"jaccard": test}, "valence": {}},
        "parameters": {"model": 10, "twins": 20},
        "training_seconds": {"model": [1.0, 3.0], "twins": [4.0, 4.0]},
        "seconds_to_read": {"model": 0.5, "twins": 1.0},
        "texts": 7,
    }


def test_table_of_twins_by_hand(compared: dict[str, Any]) -> None:
    assert twins_table(compared).splitlines() == [
        "| task | metric | one model | its twin | difference |",
        "|---|---|---|---|---|",
        "| emotion | jaccard | 61.0 ± 1.4 | 59.0 ± 1.4 | +2.0 [-0.1, +4.1], p = .056 |",
        "| valence | pearson | 85.0 ± 7.1 | 80.0 ± 0.0 | 5.0 ± 7.1 |",
        "",
        "| | one model | twins together | share |",
        "|---|---|---|---|",
        "| parameters | 10 | 20 | 0.50 |",
        "| training, s | 2 | 4 | 0.50 |",
        "| reading 7 texts, s | 0.50 | 1.00 | 0.50 |",
    ]


def test_comparison_says_over_what_it_was_tested(compared: dict[str, Any], tmp_path: Path) -> None:
    text = save_twins(compared, tmp_path, "twins", {"seeds": "1, 2"})
    assert "over seeds; difference with its 95 % interval" in text
    assert json.loads((tmp_path / "twins.json").read_text(encoding="utf-8"))["tests"] == compared["tests"]
    compared["training_seconds"] = {who: [1.0] for who in ("model", "twins")}
    assert "one seed: no claim rests on it" in save_twins(compared, tmp_path, "twins", {"seeds": "1"})
    assert "(bootstrap over texts alone)" in (tmp_path / "twins.md").read_text(encoding="utf-8")
