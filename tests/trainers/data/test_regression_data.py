"""Data for regression: SemEval-2018's EI-reg and V-reg, the bundled posts, and one's own columns of scores."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from trainers.data.readers import (
    join_scores,
    read_intensity_posts,
    read_semeval2018_intensities,
    read_semeval2018_v_reg,
    read_valence_posts,
)
from trainers.data.registered_files import PublishedSource
from trainers.data.registry import REGISTRY
from trainers.data.sampling import random_sample
from trainers.data.task_dataset import load_task_dataset

HEADER = "ID\tTweet\tAffect Dimension\tIntensity Score"
NAN = float("nan")


def table(path: Path, *rows: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
    return path


def same(found: list[float], expected: list[float]) -> bool:
    return np.array_equal(np.float32(found), np.float32(expected), equal_nan=True)


# -- readers ----------------------------------------------------------------------------------------------------------


def test_intensity_stands_in_the_place_of_its_emotion(tmp_path: Path) -> None:
    (row,) = read_semeval2018_intensities(table(tmp_path / "joy.txt", "1\tmy niece waved\tjoy\t0.75"))
    assert (row["id"], row["text"]) == ("1", "my niece waved") and same(row["labels"], [NAN, NAN, 0.75, NAN])


def test_valence_without_mystery_rows(tmp_path: Path) -> None:
    path = table(tmp_path / "v.txt", "1\tlovely\tvalence\t0.9", "2-mystery-3\tone more\tvalence\t0.5")
    assert read_semeval2018_v_reg(path) == [{"id": "1", "text": "lovely", "labels": [0.9]}]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1\tx\tjoy\t0.5", r"line 2, column 'Affect Dimension': unknown label 'joy'; the labels are valence"),
        ("1\tx\tvalence\thigh", r"line 2, column 'Intensity Score': expected an intensity from 0 to 1, got 'high'"),
    ],
)
def test_bad_valence_rows_are_named(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_semeval2018_v_reg(table(tmp_path / "v.txt", row))


def test_scores_of_an_id_become_one_row() -> None:
    rows = [
        {"id": "1", "text": "a", "labels": [0.5, NAN]},
        {"id": "2", "text": "b", "labels": [0.1, NAN]},
        {"id": "1", "text": "a", "labels": [NAN, 0.0]},
    ]
    joined = join_scores(rows, "data")
    assert [row["id"] for row in joined] == ["1", "2"]
    assert same(joined[0]["labels"], [0.5, 0.0]) and same(joined[1]["labels"], [0.1, NAN])
    assert same(rows[0]["labels"], [0.5, NAN])  # what was given is left as it was


@pytest.mark.parametrize(
    ("text", "score", "message"),
    [("b", NAN, "id 1 has two texts"), ("a", 0.6, "id 1 has two scores for the same label")],
)
def test_rows_of_an_id_that_contradict_each_other(text: str, score: float, message: str) -> None:
    rows = [{"id": "1", "text": "a", "labels": [0.5]}, {"id": "1", "text": text, "labels": [score]}]
    with pytest.raises(ValueError, match=message):
        join_scores(rows, "data")


def test_split_is_joined_of_the_files_of_the_emotions(tmp_path: Path) -> None:
    info = REGISTRY["semeval2018-ei-reg-intensity"]
    for emotion, number in zip(info.labels, (0.1, 0.2, 0.3, 0.4), strict=True):
        own = f"of-{emotion}\tonly {emotion}\t{emotion}\t0.9"
        table(tmp_path / f"EI-reg-En-{emotion}-dev.txt", f"7\tin all\t{emotion}\t{number}", own)
    rows = PublishedSource(info, tmp_path, "dev").rows()
    assert [row["id"] for row in rows] == ["7", "of-anger", "of-fear", "of-joy", "of-sadness"]
    assert same(rows[0]["labels"], [0.1, 0.2, 0.3, 0.4]) and same(rows[3]["labels"], [NAN, NAN, 0.9, NAN])


@pytest.mark.parametrize("prefix", ["", "2018-"])
def test_valence_files_have_either_name(tmp_path: Path, prefix: str) -> None:
    folder = tmp_path / REGISTRY["semeval2018-v-reg"].folder
    for split in ("train", "dev"):
        table(folder / f"{prefix}Valence-reg-En-{split}.txt", "1\ta\tvalence\t0.25", f"2\tb{split}\tvalence\t0.5")
    data = load_task_dataset("semeval2018-v-reg", data_dir=str(tmp_path), regression=True)
    assert (data.problem_type, data.labels) == ("regression", ["valence"])
    assert data.splits["train"]["labels"][:] == [[0.25], [0.5]]


def test_posts(tmp_path: Path) -> None:
    posts = [
        {"id": "e1", "text": "home", "emotions": {"joy": 0.8, "trust": 0.1}, "valence": 0.9},
        {"id": "e2", "text": "so be it", "emotions": {"trust": 0.2}, "valence": 0},
    ]
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps(post) + "\n" for post in posts), encoding="utf-8")
    (row,) = read_intensity_posts(path)  # the second has none of the four emotions
    assert row["id"] == "e1" and same(row["labels"], [NAN, NAN, 0.8, NAN])
    assert [row["labels"] for row in read_valence_posts(path)] == [[0.9], [0.0]]
    path.write_text(json.dumps({**posts[0], "valence": 1.5}), encoding="utf-8")
    with pytest.raises(ValueError, match=r"line 1, column 'valence': expected a number from 0 to 1, got 1.5"):
        read_valence_posts(path)


# -- one's own ---------------------------------------------------------------------------------------------------------


def test_own_columns_of_scores(tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.csv").write_text(f"text,anger,joy\na {split},0.5,\nb {split},nan,-2\nc,1,0.25\n")
    data = load_task_dataset(str(tmp_path), regression=True, label_columns=["anger", "joy"])
    assert (data.problem_type, data.labels) == ("regression", ["anger", "joy"])
    labels = data.splits["dev"]["labels"][:]
    assert all(same(row, gold) for row, gold in zip(labels, [[0.5, NAN], [NAN, -2], [1, 0.25]], strict=True))


def test_dev_is_split_off_one_file_of_scores(tmp_path: Path) -> None:
    rows = [json.dumps({"text": f"text {number}", "score": number / 40}) for number in range(40)]
    (tmp_path / "own.jsonl").write_text("\n".join(rows), encoding="utf-8")
    data = load_task_dataset(str(tmp_path / "own.jsonl"), regression=True)
    assert {split: len(part) for split, part in data.splits.items()} == {"train": 36, "dev": 4}
    assert data.labels == ["score"]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,high\nb,1\n", r"own\.csv, line 2, column 'score': expected a number, or an empty cell .* got 'high'"),
        ("a,1\n,1\n", r"own\.csv, line 3, column 'text': expected a non-empty text"),
        ("a,inf\nb,1\n", r"line 2, column 'score': expected a number"),
        ("a,1\nb,1\nc,\nd,1\n", r"no two different scores of score"),
    ],
)
def test_bad_scores_are_named(tmp_path: Path, rows: str, message: str) -> None:
    (tmp_path / "own.csv").write_text("text,score\n" + rows, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        load_task_dataset(str(tmp_path / "own.csv"), regression=True)


def test_columns_that_are_not_there_are_named(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("text,joy\na,1\nb,0\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no column score; its columns are text, joy"):
        load_task_dataset(str(tmp_path / "own.csv"), regression=True)


def test_scores_and_classes_do_not_stand_in_for_each_other() -> None:
    with pytest.raises(ValueError, match=r"csr-emotion-posts is for multi_label.* but scores \(regression\)"):
        load_task_dataset("csr-emotion-posts", regression=True)
    with pytest.raises(ValueError, match="csr-emotion-posts-valence is for regression, but classes"):
        load_task_dataset("csr-emotion-posts-valence")


def test_samples_are_nested() -> None:
    small, large = random_sample(100, 10, 3), random_sample(100, 30, 3)
    assert set(small) < set(large) and len(set(large)) == 30 and sorted(large) == large.tolist()
    assert not np.array_equal(small, random_sample(100, 10, 4))


def test_missing_files_are_named(tmp_path: Path) -> None:
    info = replace(REGISTRY["semeval2018-v-reg"], splits={"train": ("gone.txt",)})
    with pytest.raises(FileNotFoundError, match=r"gone\.txt does not exist: the train split of semeval2018-v-reg"):
        PublishedSource(info, tmp_path, "train").rows()
    assert math.isnan(load_task_dataset("csr-emotion-posts-intensity", regression=True).splits["dev"][0]["labels"][0])
