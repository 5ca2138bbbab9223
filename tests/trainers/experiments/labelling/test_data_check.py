"""Faults that were planted in labelled texts are found, and named with their place."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from trainers.experiments import LabelledTexts, check_labels, write_findings
from trainers.experiments.labelling.doubtful_labels import doubtful_labels

LABELS = ["anger", "joy", "sadness"]
MULTI, SINGLE = "multi_label_classification", "single_label_classification"
WORDS = ["amber", "birch", "cedar", "dune", "ember", "fjord", "glade", "heath", "islet", "jetty", "knoll", "ledge"]


def different_texts(number: int) -> list[str]:
    """Texts that have few words in common."""
    rng = np.random.default_rng(0)
    return [f"{' '.join(rng.choice(WORDS, 6))} {index}" for index in range(number)]


def labelled(
    targets: np.ndarray, texts: Sequence[str] | None = None, splits: Sequence[str] | None = None
) -> LabelledTexts:
    """Texts of one split or two, each numbered by itself."""
    texts = list(texts or different_texts(len(targets)))
    splits = list(splits or ["train"] * len(targets))
    rows = [splits[: index + 1].count(split) for index, split in enumerate(splits)]
    problem_type = MULTI if targets.ndim == 2 else SINGLE
    return LabelledTexts("posts", LABELS, problem_type, texts, targets, splits, rows, texts)


def vectors_of(targets: np.ndarray) -> np.ndarray:
    """Vectors that tell the labels apart, with noise."""
    sets = np.repeat(targets if targets.ndim == 2 else np.eye(len(LABELS))[targets], 8, axis=1)
    return sets + 0.5 * np.random.default_rng(1).normal(size=sets.shape)


def test_wrong_class_is_the_first_finding() -> None:
    right = np.arange(60) % 3
    given = right.copy()
    given[[10, 31]] = (right[[10, 31]] + 1) % 3
    found = check_labels(labelled(given), vectors_of(right))
    assert [(one.problem, one.row) for one in found[:2]] in (
        [("likely wrong label", 11), ("likely wrong label", 32)],
        [("likely wrong label", 32), ("likely wrong label", 11)],
    )
    first = next(one for one in found if one.row == 11)
    assert (first.given, first.suggested) == (LABELS[given[10]], LABELS[right[10]])
    assert first.score is not None and first.score < 0.5
    assert f"{first.given} is given and has " in first.reason and f"{first.suggested} is not given" in first.reason


def test_label_that_is_missing_or_too_many_is_found_among_several() -> None:
    right = np.random.default_rng(3).integers(0, 2, size=(80, 3)).astype(np.float64)
    right[5], right[40] = [0, 1, 0], [1, 0, 1]
    given = right.copy()
    given[5], given[40] = [0, 1, 1], [1, 0, 0]
    found = {one.row: one for one in check_labels(labelled(given), vectors_of(right))[:2]}
    assert set(found) == {6, 41}
    assert (found[6].given, found[6].suggested) == ("joy, sadness", "joy")
    assert (found[41].given, found[41].suggested) == ("anger", "anger, sadness")


def test_at_most_a_tenth_of_the_texts_are_called_doubtful() -> None:
    given = np.random.default_rng(0).integers(0, 3, size=60)  # nothing to learn: half of them look wrong
    found = check_labels(labelled(given), np.random.default_rng(1).normal(size=(60, 4)))
    assert len([one for one in found if one.problem == "likely wrong label"]) <= 6


def test_labels_that_nobody_annotated_are_no_doubts() -> None:
    targets = np.random.default_rng(3).integers(0, 2, size=(60, 3)).astype(np.float64)
    targets[::2, 2] = np.nan
    probabilities = np.where(np.isnan(targets), 0.9, np.where(targets == 1, 0.8, 0.2))
    probabilities[7] = 1 - probabilities[7]
    (found,) = doubtful_labels(targets, probabilities)
    assert found.row == 7 and set(found.doubts) == {0, 1, 2} and found.score == pytest.approx(0.2)
    assert found.suggested == [label for label in range(3) if targets[7, label] == 0]


def test_labels_of_fewer_than_five_texts_are_passed_over() -> None:
    targets = np.array([0] * 20 + [1] * 20 + [2] * 4)
    probabilities = np.eye(3)[np.where(targets == 2, 0, targets)] * 0.9 + 0.05
    assert doubtful_labels(targets, probabilities / probabilities.sum(axis=1, keepdims=True)) == []


def test_repeats_contradictions_and_texts_of_both_splits() -> None:
    right = np.arange(40) % 3
    texts = different_texts(40)
    texts[20] = f"  {texts[2].upper()} "  # the same labels: 20 % 3 == 2 % 3
    texts[31] = f"@ann {texts[3]}"
    texts[32] = f"@bob  {texts[3]}"  # the same but for the name; 31 and 32 have different labels
    texts[39] = texts[9]  # in dev
    splits = ["train"] * 35 + ["dev"] * 5
    found = check_labels(labelled(right, texts, splits), vectors_of(right))
    kinds = {kind: [one for one in found if one.problem == kind] for kind in {one.problem for one in found}}
    assert [(one.row, one.reason) for one in kinds["repeat"]] == [
        (3, "the same text as train row 21"),
        (21, "the same text as train row 3"),
    ]
    assert [(one.row, one.given, one.reason) for one in kinds["contradiction"]] == [
        (32, "joy", "the same text as train row 33 (sadness)"),
        (33, "sadness", "the same text as train row 32 (joy)"),
    ]
    assert [(one.split, one.row) for one in kinds["in train and dev"]] == [("train", 10), ("dev", 5)]
    assert found[0].problem == "in train and dev"  # what falsifies scores comes first


def test_the_majority_is_suggested_where_there_is_one() -> None:
    given = np.arange(30) % 3
    texts = different_texts(30)
    texts[3] = texts[6] = texts[10]  # anger, anger, joy
    found = [one for one in check_labels(labelled(given, texts), vectors_of(given)) if one.problem == "contradiction"]
    assert {one.suggested for one in found} == {"anger"} and len(found) == 3


def test_near_duplicates_are_ordered_by_likeness() -> None:
    given = np.arange(30) % 3
    texts = different_texts(30)
    texts[4] = "what a wonderful morning it was by the sea"
    texts[5] = "what a wonderful morning it was by the sea!!"
    texts[8] = "What a wonderfull morning it was at the sea"
    texts[9] = "what a day"
    found = [one for one in check_labels(labelled(given, texts), vectors_of(given)) if one.problem == "near-duplicate"]
    assert [one.row for one in found][:2] == [5, 6] and {one.row for one in found} <= {5, 6, 9}
    scores = [one.score or 0 for one in found]
    assert scores == sorted(scores, reverse=True) and scores[-1] >= 0.85
    assert found[0].reason.startswith("nearly the text of train row 6 (sadness): what a wonderful morning")


def test_rare_labels_are_counted() -> None:
    given = np.array([0] * 30 + [1] * 30 + [2] * 3)
    found = [one for one in check_labels(labelled(given), vectors_of(given)) if one.problem == "rare label"]
    assert [(one.given, one.score, one.row) for one in found] == [("sadness", 3, None)]
    assert found[0].reason == "3 of 63 texts have it, too few to say whether it is wrong anywhere"


def test_too_few_texts_are_refused() -> None:
    with pytest.raises(ValueError, match="posts has 4 different labelled texts, dialogues or writers: too few for 5"):
        check_labels(labelled(np.array([0, 1, 0, 1])), np.zeros((4, 2)))


def test_findings_are_written_with_blanks_for_what_there_is_not(tmp_path: Path) -> None:
    given = np.array([0] * 30 + [1] * 30 + [2] * 3)
    found = [one for one in check_labels(labelled(given), vectors_of(given)) if one.problem == "rare label"]
    write_findings(found, tmp_path / "findings.csv")
    with (tmp_path / "findings.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    names = ["problem", "split", "row", "text", "given", "suggested", "score", "reason"]
    assert list(row) == names and row["row"] == "" and row["score"] == "3"
