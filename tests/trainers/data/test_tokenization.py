"""Tokenizers that are saved, loaded and compared."""

import json

import pytest
from transformers import (
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    BertTokenizer,
    PreTrainedTokenizerBase,
)

from tests.helpers import tiny_tokenizers as families
from trainers.data.tokenization import check_same_tokenizer, count_truncated, load_tokenizer, normalize_tweets

FAMILIES, TWEET, TWEET_WORDS = families.FAMILIES, families.TWEET, families.TWEET_WORDS
wordpiece, bert, behaviour = families.wordpiece, families.bert, families.behaviour

# What a model of this package leaves beside the tokenizer: a model type that transformers does not know.
CSR_CONFIG = {
    "model_type": "csr",
    "architectures": ["CSRForSequenceClassification"],
    "auto_map": {"AutoConfig": "configuration_csr.CSRConfig"},
    "transformers_version": "5.23.0",
}

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


def test_fresh_process_loads_what_was_saved(tmp_path, fresh_python):
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
    report = json.loads(fresh_python(LOAD, json.dumps(texts), *folders).split("REPORT")[1])
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
