"""Every registered dataset: what its reader refuses, and that its splits are made as its entry says."""

import logging
from dataclasses import replace
from pathlib import Path

import datasets
import pytest

from trainers.data.dataset_info import DatasetInfo
from trainers.data.readers import EMOTIONS, GOEMOTIONS
from trainers.data.registered_files import PublishedSource
from trainers.data.registry import REGISTRY
from trainers.data.task_dataset import load_task_dataset


def write(path: Path, *lines: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


# Readers of tables go by the names of the files.
NAMES = {
    "meld": "train_sent_emo.csv",
    "iemocap": "session1.csv",
    "brighter:all": "deu.csv",
    "brighter-intensity:all": "deu.csv",
}


@pytest.mark.parametrize("info", REGISTRY.values(), ids=REGISTRY)
def test_missing_and_empty_files_are_named(info: DatasetInfo, tmp_path: Path) -> None:
    path = tmp_path / NAMES.get(info.name, "some.txt")
    with pytest.raises(FileNotFoundError, match=rf"{path.stem}\.\w+ does not exist"):
        info.reader(path)
    path.write_bytes(b"\n\n")
    with pytest.raises(ValueError, match=rf"{path.stem}\.\w+ is empty"):
        info.reader(path)


@pytest.mark.parametrize("info", REGISTRY.values(), ids=REGISTRY)
def test_wrong_encoding_names_the_line(info: DatasetInfo, tmp_path: Path) -> None:
    path = tmp_path / NAMES.get(info.name, "latin.txt")
    path.write_bytes(b"first line\nsecond line\ncaf\xe9 in Latin-1\n")
    with pytest.raises(ValueError, match=rf"{path.stem}\.\w+, line 3: not valid UTF-8.*Save the file as UTF-8"):
        info.reader(path)


@pytest.mark.parametrize("info", REGISTRY.values(), ids=REGISTRY)
def test_entries_are_whole(info: DatasetInfo) -> None:
    assert info.citation.startswith("@") and info.citation.count("{") == info.citation.count("}")
    assert len(set(info.labels)) == len(info.labels) > (0 if info.problem_type == "regression" else 1)
    assert {"train", "dev"} <= set(info.splits)
    assert info.keep_once in (None, "id", "text")
    divided = info.folds is not None or info.dev_fraction is not None
    assert (info.splits["train"] == info.splits["dev"]) == divided
    assert info.folds is None or info.dev_fraction is None
    assert "\n" not in info.description and info.license in ("apache-2.0", "cc-by-4.0", "gpl-3.0", "other")


# -- splits that are joined of several files ---


def test_ids_with_conflicting_labels_go_where_files_are_joined(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "twitter-2015train-A.tsv", "1\tneutral\ta", "2\tpositive\tb", "3\tneutral\tc")
    write(tmp_path / "twitter-2016train-A.tsv", "2\tnegative\tb", "3\tneutral\tc", "4\tnegative\td")
    info = replace(REGISTRY["semeval2017-4a"], splits={"train": ("twitter-*train-A.tsv",)})
    with caplog.at_level(logging.WARNING):
        rows = PublishedSource(info, tmp_path, "train").rows()
    assert [row["id"] for row in rows] == ["1", "3", "3", "4"]  # the same label twice is no conflict
    assert messages(caplog) == ["semeval2017-4a (train): 1 ids have conflicting labels; their 2 rows are dropped."]


def test_one_file_is_taken_as_it_was_published(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path / "one.tsv", "1\tneutral\ta", "1\tpositive\ta", "1\tpositive\ta")
    info = replace(REGISTRY["semeval2017-4a-all"], splits={"train": ("one.tsv",)})
    assert len(PublishedSource(info, tmp_path, "train").rows()) == 3
    assert not caplog.records


def test_all_of_4a_without_conflicts_and_repetitions(tmp_path: Path) -> None:
    info = REGISTRY["semeval2017-4a-all"]
    assert len(info.splits["train"]) == 10 and info.splits["dev"] == REGISTRY["semeval2017-4a"].splits["dev"]
    for number, name in enumerate(info.splits["train"]):
        write(tmp_path / name, f"10{number}\tneutral\tof its own {number}", "7\tneutral\tin all", "8\tpositive\tmost")
    write(tmp_path / "twitter-2014sarcasm-A.tsv", '1\tneutral\t"half', "7\tneutral\tin all", "8\tnegative\tmost")
    rows = PublishedSource(info, tmp_path, "train").rows()
    assert [row["id"] for row in rows] == ["100", "7", "101", "102", "103", "1", "105", "106", "107", "108", "109"]
    (tmp_path / "twitter-2013test-A.tsv").unlink()
    with pytest.raises(FileNotFoundError, match=r"twitter-2013test-A\.tsv does not exist: the train split of semeval"):
        PublishedSource(info, tmp_path, "train").rows()


def test_a_tweet_of_4b_with_several_topics(tmp_path: Path) -> None:
    info = REGISTRY["semeval2017-4b"]
    for name in info.splits["train"]:
        write(tmp_path / name, "1\tbus\tpositive\tboth fine", "2\tbus\tpositive\tmixed", f"{name}\tbus\tnegative\tlate")
    write(tmp_path / info.splits["train"][0], "1\ttram\tpositive\tboth fine", "2\ttram\tnegative\tmixed")
    rows = PublishedSource(info, tmp_path, "train").rows()
    assert [(row["text"], row["labels"]) for row in rows] == [("both fine", 1), ("late", 0)]


def test_ei_reg_keeps_a_tweet_once_for_each_of_its_emotions(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    info = REGISTRY["semeval2018-ei-reg"]
    header = "ID\tTweet\tAffect Dimension\tIntensity Score"
    for split, ending in (("train", "train"), ("dev", "dev"), ("test", "test-gold")):
        for emotion in info.labels:
            write(tmp_path / f"EI-reg-En-{emotion}-{ending}.txt", header, f"1\tgrr {split}\t{emotion}\t0.5")
        assert [row["labels"] for row in PublishedSource(info, tmp_path, split).rows()] == [0, 1, 2, 3]
    assert not caplog.records


def test_further_keys_of_a_reader_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "semeval2018_task1" / "EI-reg"
    header = "ID\tTweet\tAffect Dimension\tIntensity Score"
    for emotion in REGISTRY["semeval2018-ei-reg"].labels:
        write(folder / f"EI-reg-En-{emotion}-train.txt", header, f"1\tgrr\t{emotion}\t0.5")
    task = load_task_dataset("semeval2018-ei-reg", data_dir=str(tmp_path), splits=("train",))
    assert task.splits["train"][:] == {"text": ["grr"] * 4, "labels": [0, 1, 2, 3]}


# -- train and dev of the same files ---


def test_sentiment140_holds_two_percent_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = tmp_path / "sentiment140_100k"
    write(folder / "positive.txt", *(f"fine {number}" for number in range(100)), "both", "both ")
    write(folder / "negative.txt", *(f"late {number}" for number in range(100)), " both")
    task = load_task_dataset("sentiment140", data_dir=str(tmp_path))
    train, dev = task.splits["train"], task.splits["dev"]
    assert (len(train), len(dev)) == (196, 4)
    assert set(train["text"]) | set(dev["text"]) == {f"{word} {i}" for word in ("fine", "late") for i in range(100)}
    assert messages(caplog) == [
        "sentiment140 (train): 1 ids have conflicting labels; their 3 rows are dropped.",
        "sentiment140 has no dev split: 4 of its 200 rows, drawn by label with seed 42, are held out as dev.",
    ]
    # The same dev split whatever seed and fraction one's own files would be divided by.
    again = load_task_dataset("sentiment140", data_dir=str(tmp_path), splits=("dev",), seed=7, dev_fraction=0.5)
    assert again.splits["dev"][:] == dev[:]


@pytest.fixture
def isear(tmp_path: Path) -> Path:
    info = REGISTRY["isear"]
    header = "ID|Field1|MYKEY|SIT|STATE|"
    rows = [
        f"{respondent}|{label}|{respondent}{number}|{label} of {respondent}|1|"
        for respondent in range(100, 115)
        for number, label in enumerate(info.labels)
    ]
    write(tmp_path / "isear" / "isear.csv", header, *rows)
    write(tmp_path / "isear" / "isear_test.csv", header, "7|joy|71|a bus|1|", "7|fear|72|a dog|1|")
    return tmp_path


def test_no_respondent_of_isear_is_in_both_train_and_dev(isear: Path) -> None:
    splits = {
        split: rows["text"][:]
        for split, rows in load_task_dataset(
            "isear", data_dir=str(isear), splits=("train", "dev", "test")
        ).splits.items()
    }
    train, dev = ({text.split(" of ")[1] for text in splits[split]} for split in ("train", "dev"))
    assert (len(train), len(dev)) == (12, 3) and not train & dev
    assert splits["test"] == ["a bus", "a dog"]  # a test file stays whole

    def dev_of(fold: int) -> list[str]:
        return load_task_dataset("isear", data_dir=str(isear), splits=("dev",), fold=fold).splits["dev"]["text"][:]

    assert dev_of(0) == splits["dev"] != dev_of(1)
    with pytest.raises(ValueError, match="isear: fold must lie between 0 and 4, got -1"):
        dev_of(-1)


def test_isear_as_a_task(isear: Path) -> None:
    task = load_task_dataset("isear", data_dir=str(isear), splits=("train", "dev", "test"))
    assert {split: len(rows) for split, rows in task.splits.items()} == {"train": 84, "dev": 21, "test": 2}
    assert task.splits["train"].column_names == ["text", "labels", "group"]


def test_a_missing_file_that_train_and_dev_share_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"It should contain isear\.csv, isear_test\.csv; get them from"):
        load_task_dataset("isear", data_dir=str(tmp_path))


# -- the Hub ---


def test_goemotions_on_the_hub_has_one_column_of_label_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(*name: str) -> datasets.DatasetDict:
        asked.append(name)
        features = datasets.Features(
            {
                "text": datasets.Value("string"),
                "labels": datasets.List(datasets.ClassLabel(names=list(GOEMOTIONS))),
                "id": datasets.Value("string"),
            }
        )
        rows = {"text": ["a", "b"], "labels": [[17, 27], [0]], "id": ["1", "2"]}
        split = datasets.Dataset.from_dict(rows, features=features)
        return datasets.DatasetDict(train=split, validation=split)

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    task = load_task_dataset("goemotions")
    assert asked == [("google-research-datasets/go_emotions", "simplified")]
    assert task.labels == list(GOEMOTIONS) and task.problem_type == "multi_label_classification"
    assert [sum(row) for row in task.splits["dev"]["labels"]] == [2, 1]
    assert task.splits["train"]["labels"][1] == [1.0] + [0.0] * 27


def test_labels_are_columns_on_the_hub_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"Tweet": ["a", "b"], **{emotion: [True, emotion == "joy"] for emotion in EMOTIONS}}
    splits = datasets.DatasetDict(
        train=datasets.Dataset.from_dict(columns), validation=datasets.Dataset.from_dict(columns)
    )
    monkeypatch.setattr(datasets, "load_dataset", lambda *name: splits)
    task = load_task_dataset("semeval2018-ec")
    assert [sum(row) for row in task.splits["train"]["labels"]] == [11, 1]
