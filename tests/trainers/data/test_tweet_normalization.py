"""The steps of tweet normalisation, in the tokenizers of all families."""

import emoji
import pytest
from tokenizers import Tokenizer, models
from transformers import CanineTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from tests.helpers import tiny_tokenizers as families
from trainers.data.tokenization import NORMALIZATION_STEPS, normalize_tweets

FAMILIES, TWEET, TWEET_WORDS = families.FAMILIES, families.TWEET, families.TWEET_WORDS
bert, roberta, modernbert, behaviour = families.bert, families.roberta, families.modernbert, families.behaviour


def words(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    return [token.lstrip("Ġ▁") for token in tokenizer.tokenize(text)]


def normalize(text: str, steps=NORMALIZATION_STEPS) -> str:
    """What the steps make of a text, without a normalizer of the tokenizer's own."""
    tokenizer = normalize_tweets(PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE())), steps)
    return tokenizer.backend_tokenizer.normalizer.normalize_str(text)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("&lt;3 &GT; &quot;a&quot; it&#39;s b&nbsp;c &amp; d", '<3 > "a" it\'s b c & d'),
        ("&amp;lt;", "&lt;"),
        ("AT&T &c; R&B;", "AT&T &c; R&B;"),
    ],
)
def test_entities(raw, expected):
    assert normalize(raw, ["entities"]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [("a\\nb", "a b"), ("a\nb\r\nc", "a b c"), ("a \\n\\n b", "a b"), ("c:\\x \\ d", "c:\\x \\ d")],
)
def test_newlines(raw, expected):
    assert normalize(raw, ["newlines"]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("@Anna_1: hi (@bob) RT @c", "@user: hi (@user) RT @user"),
        (".@anna -@bob", ".@user -@user"),
        ("me@home.org me.too@home.co.uk", "me@home.org me.too@home.co.uk"),
        ("see you @ 8", "see you @ 8"),
    ],
)
def test_users(raw, expected):
    assert normalize(raw, ["users"]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("see http://t.co/aB1.", "see http."),
        ("(https://x.org/p?q=1&r=2#s) ok", "(http) ok"),
        ("HTTPS://X.ORG www.x.org, t.co/ab", "http http, http"),
        ("http://x.org😂", "http😂"),
        ("cut http… reddit.co/x awww. www.", "cut http… reddit.co/x awww. www."),
    ],
)
def test_urls(raw, expected):
    assert normalize(raw, ["urls"]) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("hi😂ok", "hi face with tears of joy ok"),
        ("😂 😂", "face with tears of joy face with tears of joy"),
        ("☹️", "frowning face"),
        ("👍🏿 👍", "thumbs up thumbs up"),
        ("🤷🏽‍♀️🤷‍♂️", "person shrugging person shrugging"),
        ("👩🏽‍🚒", "woman fire engine"),
        ("🇬🇧🇺🇸!", "flag flag !"),
        ("1️⃣", "1"),
        ("♀", "female sign"),
        (":) :-( <3 XD ¯\\_(ツ)_/¯", ":) :-( <3 XD ¯\\_(ツ)_/¯"),
        ("  two  spaces ", "  two  spaces "),
    ],
)
def test_emoji(raw, expected):
    assert normalize(raw, ["emoji"]) == expected


def test_steps_apply_in_their_own_order():
    raw = "@a &amp; http://x.org/@b\\n😂"
    assert normalize(raw, ["emoji", "urls", "users", "newlines", "entities"]) == normalize(raw)
    assert normalize(raw) == "@user & http face with tears of joy"


@pytest.mark.parametrize("family", FAMILIES)
def test_raw_tweet_becomes_words(family):
    tokenizer = FAMILIES[family]()
    before = tokenizer.backend_tokenizer.to_str()
    lower = TWEET.replace("SO", "so")  # the byte-level vocabularies are cased
    assert words(normalize_tweets(tokenizer), lower) == TWEET_WORDS
    assert tokenizer.backend_tokenizer.to_str() == before
    assert words(tokenizer, lower) != TWEET_WORDS


def test_own_normalizer_runs_afterwards():
    assert normalize_tweets(bert()).tokenize("SO Good 😂") == ["so", "good", "face", "with", "tears", "of", "joy"]


@pytest.mark.parametrize("family", FAMILIES)
def test_without_steps_only_the_class_changes(family):
    tokenizer = FAMILIES[family]()
    generic = normalize_tweets(tokenizer, [])
    assert type(generic) is PreTrainedTokenizerFast
    assert behaviour(generic) == behaviour(tokenizer)


@pytest.mark.parametrize("family", FAMILIES)
def test_twice_equals_once(family):
    once = normalize_tweets(FAMILIES[family]())
    twice = normalize_tweets(once)
    assert twice is not once
    assert twice.backend_tokenizer.to_str() == once.backend_tokenizer.to_str()
    assert behaviour(twice) == behaviour(once)


def test_names_stay_when_the_emoji_package_changes(monkeypatch):
    first = normalize_tweets(bert())
    monkeypatch.setitem(emoji.EMOJI_DATA, "😂", {"en": ":happy_face:"})
    assert normalize_tweets(bert()).tokenize("😂") == ["happy", "face"]
    assert normalize_tweets(first).tokenize("😂") == ["face", "with", "tears", "of", "joy"]


def test_other_steps_replace_the_first():
    first = normalize_tweets(bert())
    for steps in (["urls"], ["users", "emoji"]):
        expected = normalize_tweets(bert(), steps).backend_tokenizer.to_str()
        assert normalize_tweets(first, steps).backend_tokenizer.to_str() == expected
    assert behaviour(normalize_tweets(first, [])) == behaviour(bert())


def test_state_of_the_last_call_is_left_behind():
    tokenizer = bert()
    tokenizer("hello", truncation=True, max_length=4, padding="max_length")
    backend = normalize_tweets(tokenizer).backend_tokenizer
    assert backend.truncation is None
    assert backend.padding is None


def test_white_space_tokens_stay_themselves():
    tokenizer = normalize_tweets(modernbert())
    assert tokenizer.tokenize("hello world") == ["hello", "Ġworld"]
    assert tokenizer.tokenize("a   a\n\na") == ["a", "   ", "a", "\n\n", "a"]


def test_mask_of_roberta_still_swallows_the_space_before():
    tokenizer = normalize_tweets(roberta())
    ids = tokenizer("hello <mask>")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["<s>", "hello", "<mask>", "</s>"]


@pytest.mark.parametrize("family", FAMILIES)
def test_offsets_point_into_the_raw_text(family):
    raw = "so @Anna &amp; it 👍🏿 https://t.co/Ab1 day😂!"
    tokenizer = normalize_tweets(FAMILIES[family]())
    encoded = tokenizer(raw, return_offsets_mapping=True, add_special_tokens=False)
    tokens = tokenizer.convert_ids_to_tokens(encoded["input_ids"])
    ends = {token.lstrip("Ġ▁"): end for token, (_, end) in zip(tokens, encoded["offset_mapping"], strict=True)}
    # Where each word, or what it stands for, ends in the raw text.
    for token, source in {
        "so": "so",
        "user": "Anna",
        "&": "&amp;",
        "http": "Ab1",
        "day": "day",
        "joy": "😂",
        "!": "!",
    }.items():
        assert ends[token] == raw.index(source) + len(source), token


def test_offsets_of_an_emoji_are_the_emoji():
    raw = "day😂 so"
    encoded = normalize_tweets(bert())(raw, return_offsets_mapping=True, add_special_tokens=False)
    assert [raw[start:end] for start, end in encoded["offset_mapping"]] == ["day", *["😂"] * 5, "so"]


@pytest.mark.parametrize("steps", [["urls", "hashtags"], "urls"])
def test_unknown_step(steps):
    with pytest.raises(ValueError, match="entities, newlines, users, urls, emoji; got"):
        normalize_tweets(bert(), steps)


def test_python_tokenizer():
    with pytest.raises(ValueError, match=r"CanineTokenizer is written in Python.*tokenizer\.json"):
        normalize_tweets(CanineTokenizer())
