"""The bundled corpus: its format, its variety, its splits, and the figures its card gives."""

import itertools
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
import yaml
from datasets import load_dataset
from sklearn.feature_extraction.text import CountVectorizer

DATA = Path(__file__).parents[2] / "examples" / "data"
SPLITS = ("train", "dev", "test")
EMOTIONS = (
    "anger",
    "anticipation",
    "disgust",
    "fear",
    "joy",
    "love",
    "optimism",
    "pessimism",
    "sadness",
    "surprise",
    "trust",
)
SENTIMENTS = ("negative", "neutral", "positive")

# Training set of SemEval-2018 Task 1 E-c, English.
EC_FREQUENCY = dict(
    zip(EMOTIONS, (0.372, 0.143, 0.381, 0.182, 0.362, 0.102, 0.290, 0.116, 0.294, 0.053, 0.052), strict=True)
)
EC_CARDINALITY = (0.030, 0.144, 0.406, 0.309, 0.096, 0.014)

EMOJI = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b50\u231a\u23f3]")
HASHTAG = re.compile(r"#\w*[A-Za-z]")  # "#3 this month" is none
MENTION = re.compile(r"@\w+")
URL = re.compile(r"https?://\S+")

Row = dict[str, Any]


def read(config: str) -> dict[str, list[Row]]:
    """The rows of each split of a config."""
    return {
        split: [json.loads(line) for line in (DATA / config / f"{split}.jsonl").read_text("utf-8").splitlines()]
        for split in SPLITS
    }


EMOTION, SENTIMENT = read("emotion"), read("sentiment")
EMOTION_ROWS = [row for split in SPLITS for row in EMOTION[split]]
SENTIMENT_ROWS = [row for split in SPLITS for row in SENTIMENT[split]]
ROWS = EMOTION_ROWS + SENTIMENT_ROWS
CARD = (DATA / "README.md").read_text("utf-8")


def share(rows: list[Row], condition: Callable[[Row], object]) -> float:
    """Share of the rows that meet a condition."""
    return sum(bool(condition(row)) for row in rows) / len(rows)


def split_of(texts_with: str) -> set[str]:
    """Names of the splits, over both configs, with a post that holds this string."""
    return {
        split
        for config in (EMOTION, SENTIMENT)
        for split in SPLITS
        for row in config[split]
        if texts_with in row["text"]
    }


def lift(first: str, second: str) -> float:
    """How much more often two emotions occur together than if they were independent."""
    both = share(EMOTION_ROWS, lambda row: first in row["emotions"] and second in row["emotions"])
    return both / (
        share(EMOTION_ROWS, lambda row: first in row["emotions"])
        * share(EMOTION_ROWS, lambda row: second in row["emotions"])
    )


def card_table(first_heading: str) -> dict[str, dict[str, str]]:
    """The card's table whose first column has this heading: row name -> column name -> cell."""
    lines = CARD.splitlines()
    starts = [
        number
        for number, (line, following) in enumerate(itertools.pairwise(lines))
        if line.startswith(f"| {first_heading} |") and following.startswith("| :---")
    ]
    assert len(starts) == 1, f"{len(starts)} tables start with the column {first_heading!r}."
    block = itertools.takewhile(lambda line: line.startswith("|"), lines[starts[0] :])
    head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in block)
    assert all(len(row) == len(head) for row in rows)
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows}


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


# The card


def test_card_metadata() -> None:
    metadata = yaml.safe_load(CARD.split("---\n")[1])
    assert metadata["license"] == "apache-2.0"
    assert metadata["language"] == ["en"]
    assert metadata["task_categories"] == ["text-classification"]
    assert metadata["size_categories"] == ["1K<n<10K"] and 1_000 < len(ROWS) < 10_000
    paths = [entry["path"] for config in metadata["configs"] for entry in config["data_files"]]
    assert sorted(paths) == sorted(path.relative_to(DATA).as_posix() for path in DATA.glob("*/*.jsonl"))


def test_card_says_what_the_corpus_is() -> None:
    for phrase in ("synthetic", "language model", "not of independent human annotators", "Not good for"):
        assert phrase in " ".join(CARD.split())


def test_card_split_table() -> None:
    table = card_table("config")
    for name, config in (("emotion", EMOTION), ("sentiment", SENTIMENT)):
        counts = {split: str(len(config[split])) for split in SPLITS}
        assert table[name] == counts | {"total": str(sum(map(len, config.values())))}


def check_shares(
    table: dict[str, dict[str, str]], config: dict[str, list[Row]], condition: Callable[[str, Row], object]
) -> None:
    """Each cell of a table of shares, by row name and split, equals what the files give."""
    by_column = {"all": [row for split in SPLITS for row in config[split]], **config}
    for name, cells in table.items():
        for column, rows in by_column.items():
            expected = share(rows, lambda row, name=name: condition(name, row))
            assert cells[column] == f"{expected:.3f}", (name, column)


def test_card_emotion_table() -> None:
    table = card_table("emotion")
    assert tuple(table) == EMOTIONS
    assert {name: float(cells["E-c train"]) for name, cells in table.items()} == EC_FREQUENCY
    check_shares(table, EMOTION, lambda name, row: name in row["emotions"])


def test_card_cardinality_table() -> None:
    table = card_table("emotions a post")
    assert tuple(float(cells["E-c train"]) for cells in table.values()) == EC_CARDINALITY
    assert max(len(row["emotions"]) for row in EMOTION_ROWS) < len(table)
    check_shares(table, EMOTION, lambda name, row: len(row["emotions"]) == int(name))


def test_card_sentiment_table() -> None:
    table = card_table("sentiment")
    assert tuple(table) == SENTIMENTS
    check_shares(table, SENTIMENT, lambda name, row: row["sentiment"] == name)


def test_card_form_table() -> None:
    conditions = {
        "under 50 characters": lambda row: len(row["text"]) < 50,
        "50 to 140 characters": lambda row: 50 <= len(row["text"]) <= 140,
        "over 140 characters": lambda row: len(row["text"]) > 140,
        "with emoji": lambda row: EMOJI.search(row["text"]),
        "with hashtag": lambda row: HASHTAG.search(row["text"]),
        "with @mention": lambda row: MENTION.search(row["text"]),
        "with URL": lambda row: URL.search(row["text"]),
    }
    assert card_table("share of posts") == {
        name: {
            "emotion": f"{share(EMOTION_ROWS, condition):.3f}",
            "sentiment": f"{share(SENTIMENT_ROWS, condition):.3f}",
        }
        for name, condition in conditions.items()
    }
    medians = [median(len(row["text"]) for row in rows) for rows in (EMOTION_ROWS, SENTIMENT_ROWS)]
    assert "The median length is {:g} characters for `emotion` and {:g} for `sentiment`.".format(*medians) in CARD


def test_card_co_occurrence_table() -> None:
    table = card_table("pair")
    posts = Counter(pair for row in EMOTION_ROWS for pair in itertools.combinations(row["emotions"], 2))
    for name, cells in table.items():
        first, second = name.split(" + ")
        assert cells["posts"] == str(posts[first, second]), name
        assert cells["lift"] == f"{lift(first, second):.2f}", name
    frequent = [pair for pair, count in posts.items() if count >= 70]
    strongest = sorted(frequent, key=lambda pair: -lift(*pair))[:10]
    assert list(table)[:10] == [" + ".join(pair) for pair in strongest]


def test_card_agreement_table_adds_up() -> None:
    table = card_table("label")
    assert tuple(table) == (*EMOTIONS, "all (micro)")
    columns = ("author", "second reader", "both")
    for name in columns:
        assert sum(int(table[emotion][name]) for emotion in EMOTIONS) == int(table["all (micro)"][name])
    for name, cells in table.items():
        author, reader, both = (int(cells[column]) for column in columns)
        assert both <= min(author, reader)
        assert cells["F1"] == f"{2 * both / (author + reader):.3f}", name
    assert f"Micro F1 between the two readings is {table['all (micro)']['F1']}" in CARD
