"""The figures that are drawn of a model: which, and of what."""

from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pytest
from PIL import Image

from tests.helpers import tiny_run
from trainers.evaluation.figures import draw_predictions, draw_results

MULTI, SINGLE = "multi_label_classification", "single_label_classification"
LABELS = ["anger", "joy", "fear"]
TEXTS = [row["text"] for row in tiny_run.emotion_rows(12, seed=3)]
LOG = [{"epoch": 1.0, "loss": 0.5}, {"epoch": 2.0, "loss": 0.25}]


def vectors(numbers: np.ndarray) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(len(TEXTS), 4))[numbers]


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("L"))


def rows(labels: list[Any]) -> dict[str, datasets.Dataset]:
    return {"emotion": datasets.Dataset.from_dict({"text": TEXTS[: len(labels)], "labels": labels})}


def test_decisions_are_those_at_the_thresholds(tmp_path: Path) -> None:
    logits, gold = np.array([[0.0, -1.0], [1.0, 1.0]]), np.array([[0, 1], [1, 1]])
    task = {"labels": ["anger", "joy"], "problem_type": MULTI}
    # At these thresholds, the decisions are right; at 0.5 they are not.
    found = {}
    for name, of_logits, thresholds in (
        ("tuned", logits, {"anger": 0.6, "joy": 0.2}),
        ("half", logits, None),
        ("right", 8.0 * gold - 4.0, None),
    ):
        folder = tmp_path / name
        folder.mkdir()
        draw_predictions(of_logits, gold, task, folder, thresholds)
        found[name] = pixels(folder / "decisions.png")
    assert np.array_equal(found["tuned"], found["right"]) and not np.array_equal(found["half"], found["right"])


def test_class_ids_are_drawn_as_one_label_each(tmp_path: Path) -> None:
    ids = np.array([0, 2, 1, 0])
    for name, problem_type, labels in (("ids", SINGLE, ids), ("hot", MULTI, np.eye(3)[ids])):
        (tmp_path / name).mkdir()
        logits = 8.0 * np.eye(3)[ids] - 4.0
        draw_predictions(logits, labels, {"labels": LABELS, "problem_type": problem_type}, tmp_path / name)
    assert np.array_equal(*(pixels(tmp_path / name / "decisions.png") for name in ("ids", "hot")))


@pytest.mark.parametrize("gold", [np.array([0.1, np.nan, 0.7]), np.array([[0.1], [np.nan], [0.7]])])
def test_regressions_are_drawn_as_scores(gold: np.ndarray, tmp_path: Path) -> None:
    task = {"labels": ["intensity"], "problem_type": "regression"}
    draw_predictions(np.array([[0.2], [0.3], [0.8]]), gold, task, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["scores.png"]


@pytest.mark.parametrize(("gold", "drawn"), [([0, 1], False), ([0, -100, 1], False), ([0, 1, 2], True)])
def test_space_needs_three_texts(gold: list[int], drawn: bool, tmp_path: Path) -> None:
    tasks = {"emotion": {"labels": LABELS, "problem_type": SINGLE}}
    draw_results(tmp_path, LOG, tasks, {}, {}, rows(gold), vectors)
    assert (tmp_path / "space.png").exists() == drawn
    assert not drawn or pixels(tmp_path / "space.png").min() < 100


def test_all_figures_of_a_classifier(tmp_path: Path) -> None:
    """Texts without labels have no logits, and are no points."""
    asked = []
    tasks = {"emotion": {"labels": LABELS, "problem_type": SINGLE}, "other": {"labels": [], "problem_type": MULTI}}
    given = rows([0, 1, -100, 2])
    logits = {"emotion": np.eye(3)[[0, 1, 2]]}
    draw_results(
        tmp_path, LOG, tasks, {"metrics": {}}, logits, given, lambda numbers: asked.append(numbers) or vectors(numbers)
    )
    assert np.concatenate(asked).tolist() == [0, 1, 3]
    assert {path.name for path in tmp_path.iterdir()} == {"training_curves.png", "decisions.png", "space.png"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, set()),
        ({"rows": rows([0, 1, 2])}, {"decisions.png"}),
        ({"rows": rows([0, 1, 2]), "logits": {}}, set()),
        ({"rows": {"sentiment": rows([0])["emotion"]}}, set()),
    ],
)
def test_what_cannot_be_drawn_is_left_out(options: dict[str, Any], expected: set[str], tmp_path: Path) -> None:
    tasks = {"emotion": {"labels": LABELS, "problem_type": SINGLE}}
    given = {"logits": {"emotion": np.eye(3)}} | options
    draw_results(tmp_path, LOG, tasks, {}, **given)
    assert {path.name for path in tmp_path.iterdir()} == {"training_curves.png", *expected}
