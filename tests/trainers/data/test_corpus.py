"""The bundled corpus: its format, its variety and its splits."""

import itertools
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset
from sklearn.feature_extraction.text import CountVectorizer

from tests.helpers import corpus

DATA, SPLITS = corpus.DATA, corpus.SPLITS
EMOTIONS, SENTIMENTS = corpus.EMOTIONS, corpus.SENTIMENTS
EC_CARDINALITY = corpus.EC_CARDINALITY
EMOJI, HASHTAG, MENTION, URL = corpus.EMOJI, corpus.HASHTAG, corpus.MENTION, corpus.URL
EMOTION, SENTIMENT = corpus.EMOTION, corpus.SENTIMENT
EMOTION_ROWS, SENTIMENT_ROWS, ROWS = corpus.EMOTION_ROWS, corpus.SENTIMENT_ROWS, corpus.ROWS
share, lift = corpus.share, corpus.lift

Row = dict[str, Any]


def split_of(texts_with: str) -> set[str]:
    """Names of the splits, over both configs, with a post that holds this string."""
    return {
        split
        for config in (EMOTION, SENTIMENT)
        for split in SPLITS
        for row in config[split]
        if texts_with in row["text"]
    }


# Format


def test_counts() -> None:
    assert len(EMOTION_ROWS) >= 1200
    assert len(SENTIMENT_ROWS) >= 800
    assert len(EMOTION["dev"]) >= 150 and len(EMOTION["test"]) >= 150
    assert len(SENTIMENT["dev"]) >= 100 and len(SENTIMENT["test"]) >= 100


def test_emotion_rows() -> None:
    for row in EMOTION_ROWS:
        assert list(row) == ["id", "text", "emotions", "valence"]
        assert re.fullmatch(r"e\d{4}", row["id"])
        assert list(row["emotions"]) == [name for name in EMOTIONS if name in row["emotions"]], row["id"]
        assert all(isinstance(value, float) and 0 < value <= 1 for value in row["emotions"].values()), row["id"]
        assert isinstance(row["valence"], float) and 0 <= row["valence"] <= 1, row["id"]


def test_sentiment_rows() -> None:
    for row in SENTIMENT_ROWS:
        assert list(row) == ["id", "text", "sentiment"]
        assert re.fullmatch(r"s\d{4}", row["id"])
        assert row["sentiment"] in SENTIMENTS, row["id"]


def test_texts_are_clean_and_short() -> None:
    for row in ROWS:
        text = row["text"]
        assert 0 < len(text) <= 280, row["id"]
        assert text == text.strip(), row["id"]
        assert not re.search(r"[\x00-\x09\x0b-\x1f\ufffd]", text), row["id"]


def test_no_contact_details() -> None:
    for row in ROWS:
        text = row["text"]
        assert all(url.startswith("https://example.com/") for url in URL.findall(text)), row["id"]
        assert not re.search(r"\w@\w+\.\w|\d{7,}|\b0\d{3,4}[ -]\d{5,}", text), row["id"]


def test_files_end_with_a_newline_and_hold_no_blank_line() -> None:
    for path in DATA.glob("*/*.jsonl"):
        content = path.read_text("utf-8")
        assert content.endswith("}\n") and "\n\n" not in content, path.name


def test_ids_are_unique() -> None:
    assert len({row["id"] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("config", ["emotion", "sentiment"])
def test_loads_by_the_configs_of_the_card(config: str, tmp_path: Path) -> None:
    dataset = load_dataset(str(DATA), config, cache_dir=str(tmp_path))
    rows = {"emotion": EMOTION, "sentiment": SENTIMENT}[config]
    assert {name: dataset[name]["id"] for name in dataset} == {
        name: [row["id"] for row in rows[split]]
        for name, split in (("train", "train"), ("validation", "dev"), ("test", "test"))
    }


# Variety


def test_no_text_twice() -> None:
    texts = Counter(" ".join(row["text"].lower().split()) for row in ROWS)
    assert [text for text, count in texts.items() if count > 1] == []


def test_no_near_duplicates() -> None:
    grams = CountVectorizer(analyzer="char", ngram_range=(5, 5), binary=True, dtype=np.int32)
    # A post of fewer than five characters has no 5-gram: it is compared as a whole above.
    features = grams.fit_transform([row["text"] for row in ROWS])
    sizes = np.asarray(features.sum(axis=1)).ravel()
    overlap = (features @ features.T).tocoo()
    upper = overlap.row < overlap.col
    first, second, shared = overlap.row[upper], overlap.col[upper], overlap.data[upper]
    jaccard = shared / (sizes[first] + sizes[second] - shared)
    worst = jaccard.argmax()
    assert jaccard[worst] <= 0.4, (ROWS[first[worst]], ROWS[second[worst]])


@pytest.mark.parametrize("words", [slice(4), slice(-4, None)], ids=["first four words", "last four words"])
def test_no_templates(words: slice) -> None:
    posts = (re.findall(r"[\w']+", row["text"].lower()) for row in ROWS)
    patterns = Counter(tuple(post[words]) for post in posts if len(post) >= 4)
    assert [pattern for pattern, count in patterns.items() if count > 3] == []


@pytest.mark.parametrize("rows", [EMOTION_ROWS, SENTIMENT_ROWS], ids=["emotion", "sentiment"])
def test_form_varies(rows: list[Row]) -> None:
    assert share(rows, lambda row: len(row["text"]) < 50) >= 0.10
    assert share(rows, lambda row: len(row["text"]) > 140) >= 0.10
    assert 0.10 <= share(rows, lambda row: EMOJI.search(row["text"])) <= 0.35
    assert 0.15 <= share(rows, lambda row: HASHTAG.search(row["text"])) <= 0.40
    assert 0.04 <= share(rows, lambda row: MENTION.search(row["text"])) <= 0.20
    assert share(rows, lambda row: row["text"] == row["text"].lower()) >= 0.10
    assert share(rows, lambda row: re.search(r"\b[A-Z]{4,}\b", row["text"])) >= 0.02


def test_most_posts_do_not_name_their_emotion() -> None:
    assert share(EMOTION_ROWS, lambda row: any(name in row["text"].lower() for name in row["emotions"])) <= 0.05


# Labels


def test_cardinality_is_like_that_of_real_posts() -> None:
    for number, expected in enumerate(EC_CARDINALITY):
        assert share(EMOTION_ROWS, lambda row, number=number: len(row["emotions"]) == number) == pytest.approx(
            expected, abs=0.05
        )


def test_every_emotion_is_in_every_split() -> None:
    for split in SPLITS:
        counts = Counter(name for row in EMOTION[split] for name in row["emotions"])
        assert min(counts[name] for name in EMOTIONS) >= 10, split


def test_co_occurrence_is_not_uniform() -> None:
    for pair in (("anger", "disgust"), ("joy", "optimism"), ("joy", "love"), ("pessimism", "sadness")):
        assert lift(*pair) > 1.5, pair
    for pair in (("anger", "joy"), ("disgust", "joy"), ("joy", "sadness"), ("optimism", "pessimism")):
        assert 0 < lift(*pair) < 0.7, pair


def test_valence_agrees_with_the_emotions() -> None:
    glad = [row["valence"] for row in EMOTION_ROWS if set(row["emotions"]) & {"joy", "love"}]
    sour = [row["valence"] for row in EMOTION_ROWS if set(row["emotions"]) & {"anger", "disgust", "sadness"}]
    assert np.mean(glad) > 0.7 and np.mean(sour) < 0.3
    # Mixed feelings lie between.
    mixed = [row["valence"] for row in EMOTION_ROWS if {"joy", "sadness"} <= set(row["emotions"])]
    assert np.mean(sour) < np.mean(mixed) < np.mean(glad)


def test_intensities_use_the_whole_scale() -> None:
    intensities = np.array([value for row in EMOTION_ROWS for value in row["emotions"].values()])
    assert (intensities <= 0.3).mean() > 0.1 and (intensities >= 0.8).mean() > 0.1
    assert len(np.unique(intensities)) > 10


# Splits


@pytest.mark.parametrize("split", SPLITS)
def test_label_frequencies_of_the_splits_are_near_each_other(split: str) -> None:
    for name in EMOTIONS:
        whole = share(EMOTION_ROWS, lambda row, name=name: name in row["emotions"])
        assert share(EMOTION[split], lambda row, name=name: name in row["emotions"]) == pytest.approx(whole, abs=0.02)
    for name in SENTIMENTS:
        whole = share(SENTIMENT_ROWS, lambda row, name=name: row["sentiment"] == name)
        assert share(SENTIMENT[split], lambda row, name=name: row["sentiment"] == name) == pytest.approx(
            whole, abs=0.02
        )


def test_lines_are_shuffled() -> None:
    def quarters(rows: list[Row]) -> Iterable[list[Row]]:
        size = len(rows) // 4
        return (rows[start : start + size] for start in range(0, 4 * size, size))

    for quarter in quarters(EMOTION["train"]):
        assert share(quarter, lambda row: "anger" in row["emotions"]) == pytest.approx(0.35, abs=0.12)
    for quarter in quarters(SENTIMENT["train"]):
        assert share(quarter, lambda row: row["sentiment"] == "negative") == pytest.approx(0.40, abs=0.12)


@pytest.mark.parametrize(
    "mark",
    [
        "Larkfield",
        "Jade Kettle",
        "FoxgloveBooks",
        "StormQuenby",
        "Telmora",
        "Docuwell",
        "Fennimart",
        "Vantel",
        "Dunmore",
        "Marrow Bay",
        "Northmoor Energy",
    ],
)
def test_posts_with_one_story_are_in_one_split(mark: str) -> None:
    assert len(split_of(mark)) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("koi: 3. heron: 1", "Heron ate the lot"),
        ("My 15yo hasn't come home", "SHE'S HOME. Asleep"),
        ("Baking final tonight", "THE LAD FROM HULL"),
        ("chippy on Tanner's Row", "tanner's row chippy"),
        ("they've found the dad", "both boys down safe"),
        ("ADOPTION HEARING", "bang the gavel"),
    ],
)
def test_sequels_are_in_the_split_of_what_they_follow(first: str, second: str) -> None:
    assert len(split_of(first)) == 1
    assert split_of(first) == split_of(second)


def test_posts_to_one_handle_are_in_one_split() -> None:
    splits = defaultdict(set)
    for config, split in itertools.product((EMOTION, SENTIMENT), SPLITS):
        for row in config[split]:
            for handle in MENTION.findall(row["text"]):
                splits[handle].add(split)
    assert splits
    assert {handle: names for handle, names in splits.items() if len(names) > 1} == {}
