"""Scores by language, over the labels that were annotated there."""

import numpy as np
import pytest

from trainers.evaluation.language_scores import language_scores

MULTI = {"labels": ["anger", "joy"], "problem_type": "multi_label_classification"}
NAN = float("nan")


def test_labels_that_a_language_lacks_are_left_out() -> None:
    logits = np.array([[1.0, 1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    references = np.array([[1.0, NAN], [1.0, NAN], [1.0, 0.0], [0.0, 1.0]])
    found = language_scores(logits, references, ["afr", "afr", "deu", "deu"], MULTI)
    assert list(found) == ["afr", "deu"]
    # In afr one of two angers is found: F1 2 / (1 + 2). In deu, anger has one hit of two given.
    assert found["afr"]["macro_f1"] == pytest.approx(2 / 3)
    assert list(found["afr"]["per_label"]) == ["anger"] and found["afr"]["per_label"]["anger"]["support"] == 2
    assert found["deu"]["per_label"]["anger"]["f1"] == pytest.approx(2 / 3)
    assert found["deu"]["macro_f1"] == pytest.approx((2 / 3 + 1) / 2)


def test_thresholds_are_those_of_the_task() -> None:
    logits, references = np.array([[0.0], [2.0]]), np.array([[0.0], [1.0]])
    task = {**MULTI, "labels": ["joy"], "thresholds": [0.7]}
    assert language_scores(logits, references, ["deu", "deu"], task)["deu"]["macro_f1"] == 1.0
    task["thresholds"] = [0.3]
    assert language_scores(logits, references, ["deu", "deu"], task)["deu"]["macro_f1"] == pytest.approx(2 / 3)


def test_pearson_is_within_a_language() -> None:
    """Over both languages, the correlation would be that of their means."""
    predicted = np.array([[0.0], [1.0], [2.0], [12.0], [11.0], [10.0]])
    gold = np.array([[0.0], [1.0], [3.0], [10.0], [11.0], [12.0]])
    task = {"labels": ["fear"], "problem_type": "regression"}
    found = language_scores(predicted, gold, ["deu"] * 3 + ["rus"] * 3, task)
    assert found["rus"]["pearson"] == pytest.approx(-1.0) == found["rus"]["per_label"]["fear"]["pearson"]
    assert found["deu"]["pearson"] == pytest.approx(np.corrcoef([0, 1, 2], [0, 1, 3])[0, 1])


def test_language_without_any_score_has_no_row() -> None:
    task = {"labels": ["fear"], "problem_type": "regression"}
    logits, gold = np.array([[0.0], [1.0], [2.0]]), np.array([[0.0], [1.0], [NAN]])
    assert list(language_scores(logits, gold, ["deu", "deu", "afr"], task)) == ["deu"]


def test_class_ids() -> None:
    task = {"labels": ["a", "b"], "problem_type": "single_label_classification"}
    found = language_scores(np.eye(2)[[0, 1, 1]], np.array([0, 1, 0]), ["x", "x", "y"], task)
    assert (found["x"]["accuracy"], found["y"]["accuracy"]) == (1.0, 0.0)


def test_as_many_languages_as_texts() -> None:
    with pytest.raises(ValueError, match=r"languages has the shape \(1,\), but there are 2 texts"):
        language_scores(np.zeros((2, 2)), np.zeros((2, 2)), ["deu"], MULTI)
