"""Emoji as words: what many emoji in few steps make of a text is what one step for each made of it."""

import json
import random

import emoji
import pytest
from tokenizers import Regex, Tokenizer, models, normalizers
from transformers import PreTrainedTokenizerFast

from tests.helpers.tiny_tokenizers import FAMILIES, bert
from trainers.data.emoji_words import MARK, emoji_names, emoji_steps
from trainers.data.tokenization import NORMALIZATION_STEPS, normalize_tweets

MODIFIERS = "\u200d[♀♂]?|[\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]"


def one_step_each() -> list[normalizers.Normalizer]:
    """The steps of earlier versions, whose meaning is plain."""
    run = f" ?{MARK}[ {MARK}]*"
    return [
        normalizers.Replace(Regex(MODIFIERS), ""),
        normalizers.Replace(Regex("[\U0001f1e6-\U0001f1ff]{2}"), f"{MARK}flag{MARK}"),
        *(normalizers.Replace(symbol, f"{MARK}{name}{MARK}") for symbol, name in emoji_names().items()),
        normalizers.Replace(Regex(f"^{run}|{run}$"), ""),
        normalizers.Replace(Regex(run), " "),
    ]


def earlier_version() -> PreTrainedTokenizerFast:
    """A tokenizer with the emoji step alone, as earlier versions saved it."""
    state = json.loads(bert().backend_tokenizer.to_str())
    carrier = Tokenizer(models.BPE())
    carrier.normalizer = normalizers.Sequence([*one_step_each(), normalizers.Replace(f"{MARK}emoji", "")])
    steps = json.loads(carrier.to_str())["normalizer"]
    state["normalizer"] = {"type": "Sequence", "normalizers": [*steps["normalizers"], state["normalizer"]]}
    backend = Tokenizer.from_str(json.dumps(state))
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("so 👩🏽‍❤️‍💋‍👨🏿!", "so woman red heart kiss mark man !"),  # joined, with skin tones and a variation selector
        ("👨‍👩‍👧", "man woman girl"),
        ("🏃🏾‍♀️‍➡️", "person running right arrow"),
        ("🇩🇪🇫🇷 🇩", "flag flag 🇩"),  # half a flag stays
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "black flag"),  # England, by its tags
        ("1️⃣#️⃣*⃣", "1#*"),
        ("☺\ufe0e☺\ufe0f☺", "smiling face smiling face smiling face"),  # as text, as emoji, unsaid
        ("©️ 2018 ™", "copyright 2018 trade mark"),
        ("🏽", ""),
        ("a\u200db\u200d♀c", "abc"),
        ("☝\u0301", "index pointing up \u0301"),  # the accent is not the emoji's
    ],
)
def test_sequences(raw: str, expected: str) -> None:
    assert normalizers.Sequence(emoji_steps(emoji_names())).normalize_str(raw) == expected


def test_all_emoji_are_named_as_by_a_step_each() -> None:
    before, after = normalizers.Sequence(one_step_each()), normalizers.Sequence(emoji_steps(emoji_names()))
    chosen = random.Random(1)
    parts = list(" a1#\n♀♂\u200d\ufe0e\ufe0f\u20e3\u0301🇬🇧🏽\U000e0067😂❤")
    mixed = ["".join(chosen.choices([*parts, *chosen.choices(list(emoji.EMOJI_DATA), k=9)], k=6)) for _ in range(800)]
    for text in (*emoji_names(), *chosen.sample(list(emoji.EMOJI_DATA), 500), *mixed):
        assert after.normalize_str(text) == before.normalize_str(text), ascii(text)


@pytest.mark.parametrize("family", FAMILIES)
def test_few_steps_look_at_a_text(family: str) -> None:
    """Each takes its time in every text, with emoji or without."""
    state = json.loads(normalize_tweets(FAMILIES[family]()).backend_tokenizer.to_str())
    steps = [step for step in state["normalizer"]["normalizers"] if step["type"] == "Replace"]
    assert len(NORMALIZATION_STEPS) < len(steps) < 40


def test_tokenizers_of_earlier_versions_are_brought_up_to_date(monkeypatch: pytest.MonkeyPatch) -> None:
    earlier = earlier_version()
    texts = ["so happy 😂❤️", "😂", "🇬🇧👍🏽 day"]
    monkeypatch.setitem(emoji.EMOJI_DATA, "😂", {"en": ":happy_face:"})  # they keep their names
    now = normalize_tweets(earlier, ["emoji"])
    assert now(texts)["input_ids"] == earlier(texts)["input_ids"]
    assert now.tokenize("😂") == ["face", "with", "tears", "of", "joy"]
    monkeypatch.undo()
    assert now.backend_tokenizer.to_str() == normalize_tweets(bert(), ["emoji"]).backend_tokenizer.to_str()
