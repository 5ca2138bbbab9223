"""The bundled corpus as its tests read it: rows, what real posts are like, and how to count."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "trainers" / "data" / "posts"
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


def share(rows: list[Row], condition: Callable[[Row], object]) -> float:
    """Share of the rows that meet a condition."""
    return sum(bool(condition(row)) for row in rows) / len(rows)


def lift(first: str, second: str) -> float:
    """How much more often two emotions occur together than if they were independent."""
    both = share(EMOTION_ROWS, lambda row: first in row["emotions"] and second in row["emotions"])
    return both / (
        share(EMOTION_ROWS, lambda row: first in row["emotions"])
        * share(EMOTION_ROWS, lambda row: second in row["emotions"])
    )
