"""Warnings of texts that an encoder cannot read, or that are not in the script of their language."""

import logging

import datasets
import pytest

from tests.helpers.tiny_tokenizers import FAMILIES, bert
from trainers.data import normalize_tweets
from trainers.data.emoji_words import COMMON_EMOJI
from trainers.data.languages import script_of, unknown_share, warn_of_unreadable_texts
from trainers.data.tokenization import has_emoji


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("Так, Berlin сегодня!", "CYRILLIC"),
        ("راني فرحان 123", "ARABIC"),
        ("今天很开心", "CJK"),
        ("ደስ ብሎኛል።", "ETHIOPIC"),
        ("मैं ख़ुश हूँ", "DEVANAGARI"),
        ("ọ́ dára", "LATIN"),
        ("123 😂 !", None),
    ],
)
def test_script_is_that_of_most_letters(text: str, script: str | None) -> None:
    assert script_of(text) == script


def test_share_of_unknown_tokens() -> None:
    # Without special tokens: 2 known and 3 unknown.
    assert unknown_share(["hello Привет", "happy нет да"], bert()) == 3 / 5
    assert unknown_share([], bert()) == 0
    # Bytes stand for what is not in the vocabulary.
    assert unknown_share(["hello Привет"], FAMILIES["byte_fallback"]()) == 0


def test_warnings_name_language_figure_and_counts(caplog: pytest.LogCaptureFixture) -> None:
    rows = {
        "text": ["hello world", "so happy", "привет", "я так рад", "so happy", "hello", "привет"],
        "language": ["eng", "eng", "rus", "rus", "rus", "xyz", "xyz"],
    }
    with caplog.at_level(logging.WARNING):
        warn_of_unreadable_texts(datasets.Dataset.from_dict(rows), "posts", bert())
    unknown = "the encoder's vocabulary turns {} % of the tokens into unknown ones (of {} texts)."
    lines = [record.getMessage() for record in caplog.records]
    assert [line.partition(" Choose")[0] for line in lines] == [
        f"posts, language rus: {unknown.format(67, 3)}",
        "posts, language rus: 1 of 3 texts are not in Cyrillic letters as the language is (1 in Latin).",
        f"posts, language xyz: {unknown.format(50, 2)}",  # no script is known of it
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        warn_of_unreadable_texts(datasets.Dataset.from_dict({"text": ["hello", "да нет"]}), "posts", bert())
        warn_of_unreadable_texts(datasets.Dataset.from_dict({"text": ["hello", "happy"]}), "posts", bert())
    assert caplog.text.count("turns 67 %") == len(caplog.records) == 1


def test_emoji_stay_where_the_vocabulary_has_them() -> None:
    known = bert()
    known.add_tokens(list(COMMON_EMOJI))
    assert has_emoji(known) and not has_emoji(bert())
    assert normalize_tweets(known).tokenize("@a 😂") == ["@", "user", "😂"]
    assert normalize_tweets(bert()).tokenize("@a 😂")[2:] == ["face", "with", "tears", "of", "joy"]
    # Who asks for names gets them.
    assert "joy" in normalize_tweets(known, ["emoji"]).tokenize("joy")
