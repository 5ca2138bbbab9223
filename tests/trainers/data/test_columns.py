"""How the text and label columns of one's own files are understood."""

import json

import datasets
import pytest

from trainers.data.task_dataset import load_task_dataset

BOTH = {"text_column": "post", "label_columns": ["joy", "fear"]}


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def json_lines(path, rows):
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def folder_of(tmp_path, train, dev, suffix=".csv"):
    write(tmp_path / f"train{suffix}", train)
    write(tmp_path / f"dev{suffix}", dev)
    return str(tmp_path)


def test_csv_with_a_label_column(tmp_path):
    path = write(tmp_path / "posts.csv", 'text,label\n"well, ""well""",joy\nb,fear\nc,joy\n"two\nlines",calm\n')
    task = load_task_dataset(path, splits=("train", "dev"), dev_fraction=0.25)
    assert (task.name, task.labels, task.info) == ("posts", ["calm", "fear", "joy"], None)
    assert task.problem_type == "single_label_classification"
    rows = [(row["text"], task.labels[row["labels"]]) for split in task.splits.values() for row in split]
    assert sorted(rows) == sorted([('well, "well"', "joy"), ("b", "fear"), ("c", "joy"), ("two\nlines", "calm")])


def test_several_label_columns_are_zero_one_columns(tmp_path):
    folder = folder_of(tmp_path, 'post\tjoy\tfear\n"a\t1\t0\nb\t0.0\t1.0\n', "post\tjoy\tfear\nc\t0\t0\n", ".tsv")
    task = load_task_dataset(folder, **BOTH)
    assert (task.labels, task.problem_type) == (["joy", "fear"], "multi_label_classification")
    assert task.splits["train"][:] == {"text": ['"a', "b"], "labels": [[1, 0], [0, 1]]}
    assert task.splits["dev"][:] == {"text": ["c"], "labels": [[0, 0]]}


def test_json_lists_are_label_names_and_the_label_space_is_that_of_train(tmp_path):
    json_lines(tmp_path / "train.jsonl", [{"text": "a", "labels": ["joy", "fear"]}, {"text": "b", "labels": []}])
    json_lines(tmp_path / "validation.jsonl", [{"text": "c", "labels": ["joy"]}])
    task = load_task_dataset(str(tmp_path))
    assert (task.labels, task.problem_type) == (["fear", "joy"], "multi_label_classification")
    assert task.splits["train"]["labels"][:] == [[1, 1], [0, 0]]
    assert task.splits["dev"]["labels"][:] == [[0, 1]]
    assert load_task_dataset(str(tmp_path), splits=("dev",)).labels == ["fear", "joy"]


def test_a_string_with_commas_is_no_list(tmp_path):
    folder = folder_of(tmp_path, 'text,label\na,"joy,fear"\nb,joy\n', "text,label\nc,joy\n")
    task = load_task_dataset(folder)
    assert (task.labels, task.problem_type) == (["joy", "joy,fear"], "single_label_classification")


def test_integer_labels_are_sorted_by_value(tmp_path):
    folder = folder_of(tmp_path, "text,label\na,10\nb,2\nc,-1\n", "text,label\nd,2\n")
    task = load_task_dataset(folder)
    assert task.labels == ["-1", "2", "10"]
    assert task.splits["train"]["labels"][:] == [2, 1, 0]


@pytest.mark.parametrize(
    ("feature", "values", "problem_type", "targets"),
    [
        (datasets.ClassLabel(names=["neg", "pos"]), [1, 0], "single_label_classification", [1, 0]),
        (
            datasets.Sequence(datasets.ClassLabel(names=["x", "b", "a"])),
            [[2, 0], []],
            "multi_label_classification",
            [[1, 0, 1], [0, 0, 0]],
        ),
    ],
)
def test_class_labels_keep_their_names_and_order(tmp_path, feature, values, problem_type, targets):
    features = datasets.Features({"text": datasets.Value("string"), "label": feature})
    split = datasets.Dataset.from_dict({"text": ["a", "b"], "label": values}, features=features)
    split.to_parquet(tmp_path / "train.parquet")
    split.to_parquet(tmp_path / "val.parquet")
    task = load_task_dataset(str(tmp_path))
    assert task.problem_type == problem_type
    assert task.labels == getattr(feature, "feature", feature).names
    assert task.splits["train"]["labels"][:] == targets
