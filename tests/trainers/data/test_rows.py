"""Plain rows in memory follow the rules that label columns of files follow."""

from typing import Any

import datasets
import pandas as pd
import pytest

from trainers.data.rows import label_space, task_rows, text_rows

MULTI, SINGLE = "multi_label_classification", "single_label_classification"
LABELS = ["joy", "fear"]


@pytest.mark.parametrize(
    "values",
    [
        [["joy"], ["joy", "fear"], []],
        ["['joy']", '["joy", "fear"]', "[]"],
        ["[1, 0]", "[1, 1]", "[0, 0]"],
        [[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]],
        [[True, False], [True, True], [False, False]],
        ["['joy']", "['joy', 'fear']", None],
        ["joy", "[1, 1]", " "],
    ],
)
def test_forms_of_several_labels(values: list[Any]) -> None:
    frame = pd.DataFrame({"text": list("abc"), "labels": values})
    assert task_rows(frame, LABELS, MULTI)["labels"][:] == [[1, 0], [1, 1], [0, 0]]


@pytest.mark.parametrize(
    "bits", [["1", "0", ""], ["TRUE", "false", None], [1.0, 0.0, float("nan")], [True, False, None]]
)
def test_forms_of_0_and_1(bits: list[Any]) -> None:
    frame = pd.DataFrame({"text": list("abc"), "joy": pd.Series(bits, dtype=object), "fear": [1, 1, 1]})
    assert task_rows(frame, LABELS, MULTI)["labels"][:] == [[1, 1], [0, 1], [0, 1]]


@pytest.mark.parametrize(
    ("rows", "problem_type", "message"),
    [
        ({"labels": ["joy", None, ""]}, SINGLE, r"posts: 2 rows have no label \(row 2, row 3\)"),
        ({"labels": [0, -1, 1]}, SINGLE, r"posts: 1 row has no label \(row 2\)"),
        ({"joy": [0, 1, -1], "fear": [1, 1, 1]}, MULTI, r"posts: 1 row has no label \(row 3\)"),
        ({"joy": ["0", "1", "2"], "fear": [1, 1, 1]}, MULTI, "posts, row 3, column 'joy': expected 0 or 1, got '2'"),
        ({"joy": [0, 1, 2], "fear": [1, 1, 1]}, MULTI, r"posts, row 3: expected numbers between 0 and 1, .* \[2, 1\]"),
        (
            {"labels": ["joy", "fear", "joy;fear"]},
            SINGLE,
            r"row 3, column 'labels': 'joy;fear' looks like several labels",
        ),
        ({"labels": ["['joy' 'fear']", "[]", "[]"]}, MULTI, r"row 1, column 'labels': .* as NumPy writes it"),
    ],
)
def test_what_cannot_be_read_is_named(rows: dict[str, Any], problem_type: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        task_rows(pd.DataFrame({"text": list("abc"), **rows}), LABELS, problem_type, name="posts")


def test_scores_are_numbers_or_nothing() -> None:
    frame = pd.DataFrame({"text": list("abc"), "labels": ["0.5", None, "-1"]})
    first, second, third = task_rows(frame, ["score"], "regression")["labels"][:]
    assert (first, third) == ([0.5], [-1.0]) and second[0] != second[0]
    frame["labels"] = "high"
    with pytest.raises(ValueError, match="row 1, column 'labels': expected numbers, one per label, got"):
        task_rows(frame, ["score"], "regression")


def test_labels_of_plain_rows(caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"text": "a", "labels": label} for label in ("joy", "Joy", "fear", "joy")]
    assert label_space(rows) == (["Joy", "fear", "joy"], SINGLE)
    assert "'joy' (2 rows), 'Joy' (1 row)" in caplog.text
    assert label_space([{"text": "a", "labels": label} for label in ("['joy', 'fear']", "[]")]) == (
        ["fear", "joy"],
        MULTI,
    )
    with pytest.raises(ValueError, match=r"posts, row 2, column 'labels': 'joy;fear' looks like several labels"):
        label_space([{"text": "a", "labels": label} for label in ("joy", "joy;fear")], name="posts")
    with pytest.raises(ValueError, match=r"posts: 1 row has no label \(row 2\)"):
        label_space([{"text": "a", "labels": label} for label in ("joy", None)], name="posts")


@pytest.mark.parametrize("columns", [{}, {"dialogue_id": ["x"] * 4, "utterance_id": [0, 1, 2, 3]}])
def test_rows_that_were_selected_or_split_off(columns: dict[str, Any]) -> None:
    """Such datasets have an index over their rows."""
    rows = datasets.Dataset.from_dict({"text": list("abcd"), "labels": [["x"], ["y"], [], ["x", "y"]], **columns})
    targets = dict(zip("abcd", [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [1.0, 1.0]], strict=True))
    for some in (rows.select([3, 0]), rows.shuffle(seed=1), *rows.train_test_split(0.5, seed=1).values()):
        found = task_rows(some, ["x", "y"], "multi_label_classification", name="train_dataset")
        assert found["labels"][:] == [targets[text] for text in some["text"]]
        assert text_rows(some, name="train_dataset")["text"][:] == some["text"][:] == found["text"][:]
        assert all(list(map(str, found[column])) == list(map(str, some[column])) for column in columns)


def test_places_of_utterances_are_those_of_files() -> None:
    rows = datasets.Dataset.from_dict({"text": ["a", "b"], "labels": [0, -100], "dialogue_id": [1.0, 2.0]})
    found = task_rows(rows, LABELS, SINGLE)
    place = {"dialogue_id": "2", "utterance_id": 1, "speaker": "-"}
    assert found[1] == {"text": "b", "labels": -100, **place}
    assert task_rows(found, LABELS, SINGLE)[:] == found[:]
    with pytest.raises(ValueError, match=r"posts, row 1, column 'utterance_id': expected a whole number, got 'one'"):
        task_rows(rows.add_column("utterance_id", ["one", "two"]), LABELS, SINGLE, name="posts")


def test_names_with_braces_are_names() -> None:
    rows = [{"text": "a", "{joy}": "2", "{0}": "1"}]
    with pytest.raises(ValueError, match=r"\{posts\}, row 1, column '\{joy\}': expected 0 or 1, got '2'"):
        task_rows(rows, ["{joy}", "{0}"], MULTI, name="{posts}")
