"""The card of the bundled corpus: the figures it gives are those of the files."""

import itertools
from collections import Counter
from collections.abc import Callable
from statistics import median
from typing import Any

import yaml

from tests.helpers import corpus

DATA, SPLITS = corpus.DATA, corpus.SPLITS
EMOTIONS, SENTIMENTS = corpus.EMOTIONS, corpus.SENTIMENTS
EC_FREQUENCY, EC_CARDINALITY = corpus.EC_FREQUENCY, corpus.EC_CARDINALITY
EMOJI, HASHTAG, MENTION, URL = corpus.EMOJI, corpus.HASHTAG, corpus.MENTION, corpus.URL
EMOTION, SENTIMENT = corpus.EMOTION, corpus.SENTIMENT
EMOTION_ROWS, SENTIMENT_ROWS, ROWS = corpus.EMOTION_ROWS, corpus.SENTIMENT_ROWS, corpus.ROWS
share, lift = corpus.share, corpus.lift
CARD = (DATA / "README.md").read_text("utf-8")

Row = dict[str, Any]


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
