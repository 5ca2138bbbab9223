"""Where a task's splits come from, and which data are refused before training."""

import json
import logging
import os
from pathlib import Path

import datasets
import pytest

import trainers.data.registered_files
from tests.helpers import fresh_process
from trainers.data.columns import name_rows
from trainers.data.readers import EMOTIONS, SENTIMENTS
from trainers.data.registered_files import published_sources
from trainers.data.registry import REGISTRY
from trainers.data.sources import dataset_sources
from trainers.data.task_dataset import load_task_dataset, load_texts

ROOT = Path(__file__).resolve().parents[3]
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


# -- registered datasets ---


@pytest.fixture
def data_dir(tmp_path):
    header = "ID\tTweet\t" + "\t".join(EMOTIONS) + "\n"
    none, anger = "\t0" * 11, "\t1" + "\t0" * 10
    rows = {"train": f"1\ta{none}\n2\tb{anger}\n", "dev": f"3\tc{anger}\n"}
    for split, text in rows.items():
        write(tmp_path / f"semeval2018_task1/E-c/E-c-En-{split}.txt", header + text)
    write(tmp_path / "semeval2017_task4/A/twitter-2016train-A.tsv", "1\tpositive\ta\n2\tnegative\tb\n3\tneutral\tc\n")
    write(tmp_path / "semeval2017_task4/A/twitter-2016dev-A.tsv", "4\tneutral\td\n")
    write(tmp_path / "semeval2017_task4/A/SemEval2017-task4-test.subtask-A.english.txt", "5\tpositive\te\n")
    return str(tmp_path)


def test_multi_label_columns_and_types(data_dir):
    task = load_task_dataset("semeval2018-ec", data_dir=data_dir)
    assert (task.name, task.problem_type) == ("semeval2018-ec", "multi_label_classification")
    assert " ".join(task.labels) == "anger anticipation disgust fear joy love optimism pessimism sadness surprise trust"
    assert task.info is REGISTRY["semeval2018-ec"]
    assert set(task.splits) == {"train", "dev"}
    train = task.splits["train"]
    assert train.features == {"text": datasets.Value("string"), "labels": datasets.List(datasets.Value("float32"))}
    assert train[:] == {"text": ["a", "b"], "labels": [[0.0] * 11, [1.0] + [0.0] * 10]}


def test_single_label_columns_and_types(data_dir):
    task = load_task_dataset("semeval2017-4a", data_dir=data_dir, splits=("train", "dev", "test"))
    assert (task.labels, task.problem_type) == (list(SENTIMENTS), "single_label_classification")
    assert task.splits["train"].features["labels"] == datasets.Value("int64")
    assert task.splits["train"]["labels"][:] == [2, 0, 1]
    assert task.splits["test"][:] == {"text": ["e"], "labels": [2]}


def test_missing_registered_data_say_what_is_expected_where_and_where_to_get_it(data_dir, tmp_path):
    message = r"semeval2017_task4/A does not exist.*twitter-2016train-A\.tsv.*https://alt\.qcri\.org/semeval2017"
    with pytest.raises(FileNotFoundError, match=message):
        load_task_dataset("semeval2017-4a", data_dir=str(tmp_path / "empty"))
    with pytest.raises(FileNotFoundError, match=r"Pass --data_dir DATA_DIR, where DATA_DIR/semeval2017_task4/A"):
        load_task_dataset("semeval2017-4a")
    with pytest.raises(FileNotFoundError, match=r"E-c-En-test-gold\.txt does not exist: the test split of semeval2018"):
        load_task_dataset("semeval2018-ec", data_dir=data_dir, splits=("test",))


@pytest.mark.parametrize(
    ("name", "labels"), [("csr-emotion-posts", EMOTIONS), ("csr-emotion-posts-sentiment", SENTIMENTS)]
)
def test_the_bundled_corpus_needs_no_data_dir(name, labels, tmp_path):
    task = load_task_dataset(name, splits=("train", "dev", "test"))
    assert task.labels == list(labels)
    assert all(len(split) >= 100 for split in task.splits.values())
    # Nor does a --data_dir for other datasets hide it.
    assert load_task_dataset(name, data_dir=str(tmp_path), splits=("dev",)).splits["dev"][:] == task.splits["dev"][:]


def test_the_bundled_corpus_is_read_from_data_dir_where_it_is_there(tmp_path):
    rows = [{"id": "s1", "text": "a", "sentiment": "neutral"}]
    json_lines(tmp_path / "sentiment/dev.jsonl", rows)
    task = load_task_dataset("csr-emotion-posts-sentiment", data_dir=str(tmp_path), splits=("dev",))
    assert task.splits["dev"][:] == {"text": ["a"], "labels": [1]}


def test_without_the_bundled_corpus_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(trainers.data.registered_files, "BUNDLED_POSTS", tmp_path / "posts")
    with pytest.raises(FileNotFoundError, match=r"Reinstall csr-emotion, or pass a --data_dir that contains emotion/"):
        load_task_dataset("csr-emotion-posts")


def test_without_data_dir_the_hub_is_asked_and_its_failure_says_what_else_helps(tmp_path):
    code = (
        "from trainers.data.task_dataset import load_task_dataset\n"
        "for name in ('semeval2018-ec', 'org/name:config'):\n"
        "    try:\n"
        "        load_task_dataset(name)\n"
        "    except FileNotFoundError as error:\n"
        "        print(error)\n"
    )
    # In a process of its own: whether the Hub is offline and where its cache lies is read at import.
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    run = fresh_process.run("-c", code, env=environment)
    assert run.returncode == 0, run.stderr
    ec, own = (
        run.stdout.index("SemEvalWorkshop/sem_eval_2018_task_1 could not be"),
        run.stdout.index("'org/name:config'"),
    )
    assert "Pass --data_dir DATA_DIR, where DATA_DIR/semeval2018_task1/E-c exists" in run.stdout[ec:own]
    assert "https://competitions.codalab.org/competitions/17751" in run.stdout[ec:own]
    assert "not a registered dataset (csr-emotion-posts" in run.stdout[own:]


def test_registered_splits_are_checked(data_dir, tmp_path):
    with pytest.raises(ValueError, match="splits must be some of train, dev, test, got \\('validation',\\)"):
        load_task_dataset("semeval2018-ec", data_dir=data_dir, splits=("validation",))
    with pytest.raises(ValueError, match="semeval2017-4a has no split devtest; it has train, dev, test"):
        published_sources(REGISTRY["semeval2017-4a"], tmp_path, ("devtest",), 0)


# -- the Hub ---


def test_splits_of_a_hub_dataset():
    features = datasets.Features(
        {"Tweet": datasets.Value("string"), "joy": datasets.Value("bool"), "fear": datasets.Value("bool")}
    )
    rows = {"Tweet": ["a", "b"], "joy": [True, False], "fear": [True, True]}
    split = datasets.Dataset.from_dict(rows, features=features)
    sources = dataset_sources(datasets.DatasetDict(train=split, validation=split.select([1]), other=split), "org/name")
    assert list(sources) == ["train", "dev"]
    named = name_rows(next(sources["dev"].tables()), "Tweet", ["joy", "fear"])
    assert named.encode(["joy", "fear"], "multi_label_classification") == [{"text": "b", "labels": [0.0, 1.0]}]
    with pytest.raises(ValueError, match="org/name has no train split; it has validation"):
        dataset_sources(datasets.DatasetDict(validation=split), "org/name")
    with pytest.raises(ValueError, match=r"org/name has a split 'validaton'\. Did you mean 'validation'"):
        dataset_sources(datasets.DatasetDict(train=split, validaton=split), "org/name")
    with pytest.raises(ValueError, match="org/name: the train split is empty"):
        dataset_sources(datasets.DatasetDict(train=split.select([])), "org/name")


def test_unlabelled_rows_of_a_hub_dataset_are_named():
    features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])})
    split = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, -1]}, features=features)
    with pytest.raises(ValueError, match=r"org/name \(train\): 1 row has no label \(row 2\)"):
        name_rows(next(dataset_sources(datasets.DatasetDict(train=split), "org/name")["train"].tables()))


# -- one's own files: splits ---


def test_nothing_is_split_off_where_it_is_not_wanted(tmp_path):
    path = json_lines(tmp_path / "posts.jsonl", [{"text": f"text {i}", "label": i % 2} for i in range(10)])
    task = load_task_dataset(path, dev_fraction=None)
    assert list(task.splits) == ["train"] and task.splits["train"]["text"][:] == [f"text {i}" for i in range(10)]
    with pytest.raises(ValueError, match="has no split dev; it has train"):
        load_task_dataset(path, dev_fraction=None, splits=("dev",))
    rows = [{"text": "good", "label": "joy"}, {"text": "bad", "label": "anger"}]
    assert list(load_task_dataset({"train": rows, "dev": rows}, dev_fraction=None).splits) == ["train", "dev"]


def test_dev_is_split_off_a_file_with_a_warning(tmp_path, caplog):
    texts = [f"text {i}" for i in range(38)] + ["twice", "twice"]
    path = json_lines(tmp_path / "posts.jsonl", [{"text": t, "label": i % 2} for i, t in enumerate(texts)])
    with caplog.at_level(logging.WARNING):
        task = load_task_dataset(path, dev_fraction=0.5)
    train, dev = task.splits["train"]["text"][:], task.splits["dev"]["text"][:]
    assert sorted(train + dev) == sorted(texts)
    assert len(set(dev)) == 20  # half of the 39 different texts
    assert not set(train) & set(dev)
    assert f"{len(dev)} of its 40 rows" in caplog.text
    assert "held out as dev" in caplog.text
    # The same split again, whichever part is asked for; another one with another seed.
    assert load_task_dataset(path, dev_fraction=0.5, splits=("train",)).splits["train"]["text"][:] == train
    assert load_task_dataset(path, dev_fraction=0.5, splits=("dev",)).splits["dev"]["text"][:] == dev
    assert load_task_dataset(path, dev_fraction=0.5, seed=7).splits["dev"]["text"][:] != dev


def test_a_file_is_the_test_split_where_only_test_is_asked_for(tmp_path, caplog):
    path = write(tmp_path / "posts.csv", "text,label\na,1\nb,0\n")
    assert load_task_dataset(path, splits=("test",)).splits["test"][:] == {"text": ["a", "b"], "labels": [1, 0]}
    assert not caplog.records
    with pytest.raises(ValueError, match="posts has no split test; it has train, dev"):
        load_task_dataset(path, splits=("train", "test"))


TEXTS = ["one, two", "tab\tthree", "four"]
UNLABELLED = {
    "csv": 'post,joy\n"one, two",?\n"tab\tthree",\nfour,2\n',
    "jsonl": "".join(json.dumps({"post": text}) + "\n" for text in TEXTS),
}


@pytest.mark.parametrize("kind", UNLABELLED)
def test_texts_need_no_labels(tmp_path, caplog, kind):
    path = write(tmp_path / f"posts.{kind}", UNLABELLED[kind])
    data = load_texts(path, text_column="post")
    assert (data.name, data.labels, list(data.splits)) == ("posts", [], ["train"])
    assert data.splits["train"]["text"][:] == TEXTS
    assert data.splits["train"]["labels"][:] == [[], [], []]
    assert not caplog.records


def test_texts_of_a_text_file(tmp_path):
    path = write(tmp_path / "posts" / "train.txt", "\n".join(TEXTS) + "\n\n")
    for name in (path, str(tmp_path / "posts")):
        data = load_texts(name)
        assert data.splits["train"]["text"][:] == TEXTS
    with pytest.raises(ValueError, match=r"train\.txt has no column label or labels; its columns are text"):
        load_task_dataset(path)
    write(Path(path), "one\n\n  \ntwo\n")
    assert load_texts(path).splits["train"]["text"][:] == ["one", "two"]


def test_texts_of_a_registered_dataset_come_with_all_of_it():
    name = "csr-emotion-posts-valence"
    data, whole = load_texts(name), load_task_dataset(name, regression=True)
    assert data.labels == whole.labels and list(data.splits) == list(whole.splits)
    assert data.splits["train"][:] == whole.splits["train"][:]


def test_texts_of_dev_that_stand_in_train_are_counted(tmp_path, caplog):
    folder = folder_of(tmp_path, "text,label\na,joy\nb,fear\n", "text,label\na,joy\nc,fear\n")
    load_task_dataset(folder)
    assert "1 of the 2 dev texts are in train" in caplog.text


def test_a_label_that_train_never_shows_is_named(tmp_path, caplog):
    folder = folder_of(tmp_path, "post,joy,fear\na,1,0\nb,0,0\n", "post,joy,fear\nc,1,1\n")
    load_task_dataset(folder, **BOTH)
    assert "no row of train has the label fear" in caplog.text


# -- one's own files: what is refused ---


def test_zero_one_columns_hold_nothing_else(tmp_path):
    path = write(tmp_path / "a.csv", "post,joy,fear\na,1,0\nb,0,2\n")
    with pytest.raises(ValueError, match=r"a\.csv, line 3, column 'fear': expected 0 or 1, got '2'"):
        load_task_dataset(path, **BOTH)


def test_multi_label_data_must_vary(tmp_path):
    folder = folder_of(tmp_path, "post,joy,fear\na,1,0\nb,1,0\n", "post,joy,fear\nc,0,1\n")
    with pytest.raises(ValueError, match=r"all 2 rows of train have the labels \['joy'\]"):
        load_task_dataset(folder, **BOTH)


def test_wrong_encoding_names_the_line(tmp_path):
    (tmp_path / "a.csv").write_bytes("text,label\nok,joy\ncafé,joy\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"a\.csv, line 3: not valid UTF-8"):
        load_task_dataset(str(tmp_path / "a.csv"))


def test_dev_may_not_differ_from_train_in_its_labels(tmp_path):
    single = folder_of(tmp_path / "single", "text,label\na,joy\nb,fear\n", "text,label\nc,joy\nd,calm\n")
    with pytest.raises(ValueError, match=r"dev\.csv, line 3, column 'label': label 'calm' does not occur in train"):
        load_task_dataset(single)
    columns = folder_of(tmp_path / "columns", "post,joy,fear\na,1,0\nb,0,1\n", "post,joy,calm\nc,1,0\n")
    with pytest.raises(ValueError, match=r"dev\.csv has no column fear; its columns are post, joy, calm"):
        load_task_dataset(columns, **BOTH)
    json_lines(tmp_path / "kinds/train.jsonl", [{"text": "a", "label": ["joy"]}, {"text": "b", "label": []}])
    json_lines(tmp_path / "kinds/dev.jsonl", [{"text": "a", "label": "joy"}])
    with pytest.raises(
        ValueError, match=r"dev\.jsonl: column 'label' makes it single_label.*, but train is multi_label"
    ):
        load_task_dataset(str(tmp_path / "kinds"))
    for split, names in (("train", ["neg", "pos"]), ("dev", ["pos", "neg"])):
        features = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)})
        rows = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]}, features=features)
        rows.to_parquet(tmp_path / f"{split}.parquet")
    with pytest.raises(ValueError, match=r"dev\.parquet has the labels pos, neg, but train has neg, pos"):
        load_task_dataset(str(tmp_path))


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.csv does not exist"):
        load_task_dataset(str(tmp_path / "gone.csv"))
    with pytest.raises(FileNotFoundError, match=r"gone\.parquet does not exist"):
        load_task_dataset(str(tmp_path / "gone.parquet"))
    write(tmp_path / "train.csv", "text,label\na,joy\nb,fear\n")
    with pytest.raises(
        FileNotFoundError, match=r"has no dev split: expected dev or val or valid or validation.*train\.csv"
    ):
        load_task_dataset(str(tmp_path))
    write(tmp_path / "dev.csv", "text,label\na,joy\n")
    write(tmp_path / "val.csv", "text,label\na,joy\n")
    with pytest.raises(ValueError, match=r"more than one dev split: dev\.csv, val\.csv"):
        load_task_dataset(str(tmp_path))


def test_what_is_found_nowhere_is_an_error_that_lists_what_is_known(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"is not a registered dataset \(csr-emotion-posts, .*not a folder"):
        load_task_dataset(str(tmp_path / "no" / "such" / "folder"))


@pytest.mark.parametrize("fraction", [0, 1, -0.1])
def test_dev_fraction_is_checked(fraction):
    with pytest.raises(ValueError, match="dev_fraction must lie between 0 and 1"):
        load_task_dataset("csr-emotion-posts", dev_fraction=fraction)
