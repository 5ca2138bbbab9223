"""How the text and label columns of one's own files are understood."""

import ast
import json

import datasets
import pandas as pd
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


def test_a_string_with_commas_is_one_label_if_nothing_speaks_against_it(tmp_path):
    folder = folder_of(tmp_path, 'text,label\na,"glad, so glad"\nb,sad\n', "text,label\nc,sad\n")
    task = load_task_dataset(folder)
    assert (task.labels, task.problem_type) == (["glad, so glad", "sad"], "single_label_classification")


@pytest.mark.parametrize("name", ["joy;fear", "fear | joy", "joy,fear", "[fear, joy]", "joy;calm"])
def test_a_string_of_several_labels_is_refused_unless_it_is_named(tmp_path, name):
    folder = folder_of(tmp_path, f'text,label\na,joy\nb,fear\nc,"{name}"\n', "text,label\nc,joy\n")
    with pytest.raises(
        ValueError, match=r"train\.csv, line 4, column 'label': .* looks like several labels, .* label_names"
    ):
        load_task_dataset(folder)
    labels = ["joy", "fear", name]
    assert load_task_dataset(folder, label_names=labels).labels == labels


@pytest.mark.parametrize("bits", ["1 0 1", "1,0", "0;1", "1.0|0.0"])
def test_bits_without_brackets_are_refused(tmp_path, bits):
    folder = folder_of(tmp_path, f'text,label\na,"{bits}"\nb,joy\n', "text,label\nc,joy\n")
    with pytest.raises(ValueError, match=r"train\.csv, line 2, column 'label': .* looks like a 0 or 1 for each label"):
        load_task_dataset(folder)


def test_labels_with_separators_are_warned_of(tmp_path, caplog):
    folder = folder_of(tmp_path, "text,label\na,joy;calm\nb,anger | fear\nc,:|\n", "text,label\nc,joy;calm\n")
    assert load_task_dataset(folder).labels == [":|", "anger | fear", "joy;calm"]
    assert "2 labels have ; or | in them, such as 'anger | fear', and count as one label each" in caplog.text


LISTS = {"python": "['joy', 'calm']", "json": '["joy", "calm"]', "none": "[]", "one": "['joy']"}


@pytest.mark.parametrize("style", LISTS)
def test_lists_in_csv_are_lists(tmp_path, style):
    rows = [{"text": "a", "labels": LISTS[style]}, {"text": "b", "labels": "['fear']"}, {"text": "c", "labels": ""}]
    pd.DataFrame(rows).to_csv(tmp_path / "train.csv", index=False)
    pd.DataFrame(rows[1:]).to_csv(tmp_path / "dev.csv", index=False)
    task = load_task_dataset(str(tmp_path))
    expected = ast.literal_eval(LISTS[style])
    assert (task.labels, task.problem_type) == (sorted({*expected, "fear"}), "multi_label_classification")
    named = [
        [label for label, bit in zip(task.labels, row, strict=True) if bit] for row in task.splits["train"]["labels"]
    ]
    assert named == [sorted(expected), ["fear"], []]
    in_memory = load_task_dataset({"train": pd.DataFrame(rows), "dev": rows[1:]})
    assert in_memory.splits["train"][:] == task.splits["train"][:]


@pytest.mark.parametrize("labels", ["['joy' 'calm']", "[0 1 1]", "['joy'\n 'calm']"])
def test_lists_as_numpy_writes_them_are_refused(tmp_path, labels):
    rows = {"text": ["a", "b"], "labels": ["['joy']", labels]}
    pd.DataFrame(rows).to_csv(tmp_path / "posts.csv", index=False)
    with pytest.raises(ValueError, match=r"posts\.csv, line 3, column 'labels': .* as NumPy writes it"):
        load_task_dataset(str(tmp_path / "posts.csv"))


def test_a_label_in_square_brackets_is_a_label(tmp_path):
    folder = folder_of(tmp_path, "text,label\na,[joy]\nb,[]x\n", "text,label\nc,[joy]\n")
    assert load_task_dataset(folder).labels == ["[]x", "[joy]"]


@pytest.mark.parametrize("values", [[[1, 0], [0, 1]], [[True, False], [False, True]], ["[1, 0]", "[0.0, 1.0]"]])
def test_lists_of_0_and_1_need_names(tmp_path, values):
    path = json_lines(tmp_path / "posts.jsonl", [{"text": f"a {i}", "labels": values[i % 2]} for i in range(9)])
    with pytest.raises(ValueError, match=r"posts\.jsonl, line 1, column 'labels': .* in label_names"):
        load_task_dataset(path)
    task = load_task_dataset(path, label_names=["joy", "fear"], dev_fraction=0.5)
    assert (task.labels, task.problem_type) == (["joy", "fear"], "multi_label_classification")
    for text, target in zip(task.splits["train"]["text"], task.splits["train"]["labels"], strict=True):
        assert target == [[1, 0], [0, 1]][int(text[2:]) % 2]
    with pytest.raises(ValueError, match="expected 3 times 0 or 1"):
        load_task_dataset(path, label_names=["joy", "fear", "calm"])


@pytest.mark.parametrize("values", [["1", "0", "2"], [1.0, 0.0, 2.0], ["1.0", "0", " 2"], ["fear", "joy", 2]])
def test_numbers_of_named_labels(tmp_path, values):
    path = json_lines(tmp_path / "train.jsonl", [{"text": "a", "label": value} for value in values])
    json_lines(tmp_path / "dev.jsonl", [{"text": "b", "label": values[0]}])
    task = load_task_dataset(str(tmp_path), label_names=["joy", "fear", "calm"])
    assert task.splits["train"]["labels"][:] == [1, 0, 2]
    with pytest.raises(ValueError, match=r"line 3, column 'label': unknown label .* the labels are joy, fear"):
        load_task_dataset(path, label_names=["joy", "fear"])


def test_0_and_1_in_all_their_forms(tmp_path):
    rows = ["text,joy,fear", "a,TRUE,false", "b,1.0,", "c,,", "d,0,True"]
    folder = folder_of(tmp_path, "\n".join(rows), "text,joy,fear\ne,1,0\n")
    task = load_task_dataset(folder, label_columns=["joy", "fear"])
    assert task.splits["train"]["labels"][:] == [[1, 0], [1, 0], [0, 0], [0, 1]]
    frame = pd.DataFrame(
        {"text": list("abcd"), "joy": [True, True, None, False], "fear": [0.0, float("nan"), None, 1.0]}
    )
    in_memory = load_task_dataset({"train": frame, "dev": frame}, label_columns=["joy", "fear"])
    assert in_memory.splits["train"]["labels"][:] == task.splits["train"]["labels"][:]


def test_booleans_are_labels_of_their_own(tmp_path):
    rows = [{"text": f"a {i}", "label": i % 2 == 0} for i in range(9)]
    assert load_task_dataset(json_lines(tmp_path / "posts.jsonl", rows)).labels == ["False", "True"]


def test_labels_that_look_alike_are_warned_of(tmp_path, caplog):
    labels = ["joy", "joy ", "Joy", "anger"]
    path = write(tmp_path / "posts.csv", "text,label\n" + "".join(f"a {i},{labels[i % 4]}\n" for i in range(40)))
    task = load_task_dataset(path)
    assert task.labels == ["Joy", "anger", "joy", "joy "]
    for _ in range(2):  # the second time from the cache
        (warning,) = [record.getMessage() for record in caplog.records if "look alike" in record.getMessage()]
        assert "'Joy' (9 rows), 'joy' (9 rows), 'joy ' (9 rows); 'joy ' has blanks at its ends" in warning
        caplog.clear()
        load_task_dataset(path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_columns": ["joy", "joy"]}, "label_columns joy joy: 'joy' is given twice"),
        ({"label_names": ["joy", "joy"]}, "label_names joy joy: 'joy' is given twice"),
        ({"label_names": []}, "label_names: expected a list of label names"),
        ({"label_names": ["a"], "regression": True}, "label_names are for labels, not for scores"),
    ],
)
def test_options_are_checked_before_any_file_is_read(options, message):
    with pytest.raises(ValueError, match=message):
        load_task_dataset("not-there.csv", **options)


def test_names_do_not_go_with_several_columns_or_with_other_class_labels(tmp_path):
    path = write(tmp_path / "posts.csv", "text,joy,fear\na,1,0\n")
    with pytest.raises(ValueError, match="label_names are for one label column"):
        load_task_dataset(path, label_columns=["joy", "fear"], label_names=["joy", "fear"])
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["a", "b"])})
    rows = datasets.Dataset.from_dict({"text": ["x", "y"], "label": [0, 1]}, features=features)
    with pytest.raises(ValueError, match="has the labels a, b itself"):
        load_task_dataset(rows, label_names=["b", "a"])


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
