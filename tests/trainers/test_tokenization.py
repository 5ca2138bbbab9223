import json
import os
import subprocess
import sys

import emoji
import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import trainers as tokenizer_trainers
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    CanineTokenizer,
    MPNetTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
)

from trainers.tokenization import (
    NORMALIZATION_STEPS,
    check_same_tokenizer,
    count_truncated,
    load_tokenizer,
    normalize_tweets,
)

# fmt: off
WORDS = [
    "hello", "world", "so", "happy", "day", "it", "is", "a", "&", "@", "!", "user", "http", "flag",
    "face", "with", "tears", "of", "joy", "red", "heart", "good",
]
TWEET = "@Anna_1 hello &amp; it\\nis SO happy 😂❤️ https://t.co/Ab1"
TWEET_WORDS = [
    "@", "user", "hello", "&", "it", "is", "so", "happy", "face", "with", "tears", "of", "joy", "red", "heart", "http",
]
# fmt: on


def wordpiece(specials: list[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(specials + WORDS)}


def byte_level(specials: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = tokenizer_trainers.BpeTrainer(
        vocab_size=600,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=specials,
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS * 2)] * 3, trainer)
    return tokenizer


def bert() -> BertTokenizer:
    return BertTokenizer(vocab=wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]), model_max_length=64)


def distilbert() -> BertTokenizer:
    vocab = wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return BertTokenizer(vocab=vocab, model_input_names=["input_ids", "attention_mask"])


def electra() -> BertTokenizer:
    vocab = wordpiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"])
    return BertTokenizer(vocab=vocab, padding_side="left", truncation_side="left", clean_up_tokenization_spaces=True)


def mpnet() -> MPNetTokenizer:
    return MPNetTokenizer(vocab=wordpiece(["<s>", "<pad>", "</s>", "[UNK]", "<mask>"]))


def roberta() -> RobertaTokenizer:
    model = json.loads(byte_level(["<s>", "<pad>", "</s>", "<unk>", "<mask>"]).to_str())["model"]
    return RobertaTokenizer(
        vocab=model["vocab"],
        merges=[tuple(merge) for merge in model["merges"]],
        mask_token=AddedToken("<mask>", lstrip=True, special=True),
        extra_special_tokens=["<speaker>"],
    )


def modernbert() -> PreTrainedTokenizerFast:
    """Byte-level, with a normalizer and with white space as added tokens."""
    backend = byte_level(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    backend.normalizer = normalizers.NFC()
    backend.add_tokens([AddedToken("   ", normalized=True), AddedToken("\n\n", normalized=True)])
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B [SEP]",
        special_tokens=[("[CLS]", backend.token_to_id("[CLS]")), ("[SEP]", backend.token_to_id("[SEP]"))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        mask_token="[MASK]",
        model_max_length=8192,
        model_input_names=["input_ids", "attention_mask"],
    )


FAMILIES = {
    "bert": bert,
    "distilbert": distilbert,
    "electra": electra,
    "mpnet": mpnet,
    "roberta": roberta,
    "modernbert": modernbert,
}

# What a model of this package leaves beside the tokenizer: a model type that transformers does not know.
CSR_CONFIG = {
    "model_type": "csr",
    "architectures": ["CSRForSequenceClassification"],
    "auto_map": {"AutoConfig": "configuration_csr.CSRConfig"},
    "transformers_version": "5.23.0",
}


def words(tokenizer: PreTrainedTokenizerBase, text: str) -> list[str]:
    return [token.lstrip("Ġ") for token in tokenizer.tokenize(text)]


def normalize(text: str, steps=NORMALIZATION_STEPS) -> str:
    """What the steps make of a text, without a normalizer of the tokenizer's own."""
    tokenizer = normalize_tweets(PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE())), steps)
    return tokenizer.backend_tokenizer.normalizer.normalize_str(text)


def behaviour(tokenizer: PreTrainedTokenizerBase) -> dict:
    texts = [TWEET, "hello <mask> [MASK]   world\n\nhello", "", "SO happy"]
    padded = tokenizer(texts, padding=True, truncation=True, max_length=7)
    return {
        "plain": dict(tokenizer(texts)),
        "padded": dict(padded),
        "pair": dict(tokenizer("hello", "world 😂")),
        "special_tokens": tokenizer.special_tokens_map,
        "extra_special_tokens": tokenizer.extra_special_tokens,
        "model_max_length": tokenizer.model_max_length,
        "sides": [tokenizer.padding_side, tokenizer.truncation_side],
        "model_input_names": tokenizer.model_input_names,
        "clean_up": tokenizer.clean_up_tokenization_spaces,
        "vocab": tokenizer.get_vocab(),
    }


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
    ends = {token.lstrip("Ġ"): end for token, (_, end) in zip(tokens, encoded["offset_mapping"], strict=True)}
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


LOAD = """
import json, sys
from transformers import AutoTokenizer, pipeline

assert not any(name.startswith(("trainers", "modeling_csr")) for name in sys.modules)
texts, report = json.loads(sys.argv[1]), {}
for folder in sys.argv[2:]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.save_pretrained(folder + "-again")
    report[folder] = {"name": type(tokenizer).__name__, "ids": tokenizer(texts)["input_ids"]}
    if folder.endswith("classifier"):
        classify = pipeline("text-classification", model=folder)
        report[folder]["scores"] = [result["score"] for result in classify(texts)]
print("REPORT" + json.dumps(report))
"""


def test_fresh_process_loads_what_was_saved(tmp_path):
    folders = {}
    for family, build in FAMILIES.items():
        folder = tmp_path / family
        tokenizer = normalize_tweets(build())
        tokenizer.save_pretrained(folder)
        (folder / "config.json").write_text(json.dumps(CSR_CONFIG))
        folders[str(folder)] = tokenizer
    classifier = tmp_path / "classifier"
    tokenizer = normalize_tweets(bert())
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8
    )
    BertForSequenceClassification(config).save_pretrained(classifier)
    tokenizer.save_pretrained(classifier)
    folders[str(classifier)] = tokenizer

    texts = [TWEET, " ".join(TWEET_WORDS), "hello world"]
    run = subprocess.run(
        [sys.executable, "-I", "-c", LOAD, json.dumps(texts), *folders],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout.split("REPORT")[1])
    for folder, tokenizer in folders.items():
        assert report[folder]["name"] == "TokenizersBackend"
        assert report[folder]["ids"] == tokenizer(texts)["input_ids"], folder
        with open(f"{folder}/tokenizer.json", "rb") as first, open(f"{folder}-again/tokenizer.json", "rb") as second:
            assert first.read() == second.read(), folder
    scores = report[str(classifier)]["scores"]
    assert scores[0] == pytest.approx(scores[1], abs=1e-7)
    assert scores[0] != pytest.approx(scores[2], abs=1e-7)


@pytest.mark.parametrize("family", FAMILIES)
def test_save_and_load_change_nothing(family, tmp_path):
    first = normalize_tweets(FAMILIES[family]())
    first.save_pretrained(tmp_path / "first")
    (tmp_path / "first/config.json").write_text(json.dumps({"model_type": "csr-multitask"}))
    second = load_tokenizer(str(tmp_path / "first"))
    second.save_pretrained(tmp_path / "second")
    assert behaviour(second) == behaviour(first)
    check_same_tokenizer(first, second, ("first", "second"))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_load_normalizes_a_stock_tokenizer(tmp_path):
    bert().save_pretrained(tmp_path)
    assert load_tokenizer(tmp_path).tokenize(TWEET) == TWEET_WORDS
    assert load_tokenizer(str(tmp_path), steps=()).tokenize("hello 😂") == ["hello", "[UNK]"]


def test_load_restores_what_a_family_class_dropped(tmp_path):
    normalize_tweets(bert()).save_pretrained(tmp_path / "saved")
    dropped = BertTokenizer.from_pretrained(tmp_path / "saved")
    assert dropped.tokenize("😂") == ["[UNK]"]
    dropped.save_pretrained(tmp_path / "dropped")
    assert load_tokenizer(str(tmp_path / "dropped")).tokenize(TWEET) == TWEET_WORDS


def test_load_never_asks_about_the_code_of_the_model(tmp_path, monkeypatch):
    normalize_tweets(bert()).save_pretrained(tmp_path)
    config = {**CSR_CONFIG, "model_type": "csr-of-another-version"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    asked = []
    monkeypatch.setattr("builtins.input", lambda *args: asked.append(args) or "n")
    assert load_tokenizer(str(tmp_path)).tokenize("hello") == ["hello"]
    assert not asked


def test_load_with_max_length(tmp_path):
    bert().save_pretrained(tmp_path)
    assert load_tokenizer(str(tmp_path)).model_max_length == 64
    tokenizer = load_tokenizer(str(tmp_path), max_length=5)
    assert tokenizer.tokenize("hello") == ["hello"]
    assert len(tokenizer("hello world so happy day", truncation=True)["input_ids"]) == 5
    tokenizer.save_pretrained(tmp_path / "short")
    assert AutoTokenizer.from_pretrained(tmp_path / "short").model_max_length == 5
    with pytest.raises(ValueError, match="max_length must be more than 2, the special tokens of a text; got 2"):
        load_tokenizer(str(tmp_path), max_length=2)


def test_load_from_nowhere(tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        load_tokenizer(str(tmp_path / "missing"))


@pytest.mark.parametrize("model_type", ["bert", "roberta", "csr"])
def test_load_from_a_model_without_tokenizer(model_type, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": model_type}))
    with pytest.raises(ValueError, match="has no tokenizer that transformers can load"):
        load_tokenizer(str(tmp_path))


def test_count_truncated():
    tokenizer = normalize_tweets(bert())
    texts = ["hello", "hello world", "hello world so", "😂"]  # 3, 4, 5 and 7 tokens with [CLS] and [SEP]
    assert [count_truncated(tokenizer, texts, length) for length in (2, 3, 4, 5, 6, 7)] == [4, 3, 2, 1, 1, 0]
    assert count_truncated(tokenizer, [], 3) == 0
    assert count_truncated(tokenizer, ["hello"] * 999 + ["hello world"] * 3, 3) == 3


def test_same_tokenizer():
    check_same_tokenizer(bert(), bert(), ("emotion", "sentiment"))
    check_same_tokenizer(bert(), normalize_tweets(bert(), []), ("emotion", "sentiment"))
    # An instance that has just truncated is still the same tokenizer.
    used = normalize_tweets(bert())
    used("hello world so happy", truncation=True, max_length=3)
    check_same_tokenizer(used, normalize_tweets(bert()), ("emotion", "sentiment"))


def test_different_tokenizers():
    first = normalize_tweets(bert())

    def check(second: PreTrainedTokenizerBase, message: str) -> None:
        with pytest.raises(ValueError, match=f"^emotion and sentiment read texts differently: .*{message}"):
            check_same_tokenizer(first, second, ("emotion", "sentiment"))

    bigger = bert()
    bigger.add_tokens(["newword"])
    check(normalize_tweets(bigger), r"vocabulary size \(27 and 28\)")

    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    swapped = wordpiece(specials)
    swapped["hello"], swapped["world"] = swapped["world"], swapped["hello"]
    check(normalize_tweets(BertTokenizer(vocab=swapped)), r"id of 'hello' \(5 and 6\)")

    padding = BertTokenizer(vocab=wordpiece(specials), pad_token="[MASK]", mask_token="[PAD]")
    check(normalize_tweets(padding), r"pad_token_id \(0 and 4\)")

    check(bert(), "tweet normalisation .'entities newlines users urls emoji' and ''.*tokens of 'RT @someone")
    check(
        normalize_tweets(BertTokenizer(vocab=wordpiece(specials), do_lower_case=False)), "normaliser in tokenizer.json"
    )
