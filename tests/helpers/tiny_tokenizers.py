"""A tiny tokenizer of each family, and a tweet in their words, for the tests of normalisation and of loading."""

import json
from functools import partial

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers import trainers as tokenizer_trainers
from transformers import (
    BertTokenizer,
    MPNetTokenizer,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    RobertaTokenizer,
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


def unigram(byte_fallback: bool) -> PreTrainedTokenizerFast:
    """SentencePiece, as XLM-R and multilingual E5 have it: words with and without the space before them, letters, and,
    with `byte_fallback`, bytes in place of the unknown token."""
    specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    letters = sorted({letter for word in WORDS for letter in word} | {"▁"})
    pieces = [(piece, -3.0) for word in WORDS for piece in (f"▁{word}", word) if piece not in letters]
    pieces += [(letter, -9.0) for letter in letters]
    if byte_fallback:
        pieces += [(f"<0x{byte:02X}>", -20.0) for byte in range(256)]
    vocab = [*((special, 0.0) for special in specials), *pieces]
    backend = Tokenizer(models.Unigram(vocab, unk_id=specials.index("<unk>"), byte_fallback=byte_fallback))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    backend.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace(prepend_scheme="always")])
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token=AddedToken("<mask>", lstrip=True, special=True),
        model_max_length=64,
        model_input_names=["input_ids", "attention_mask"],
    )


FAMILIES = {
    "bert": bert,
    "distilbert": distilbert,
    "electra": electra,
    "mpnet": mpnet,
    "roberta": roberta,
    "modernbert": modernbert,
    "sentencepiece": partial(unigram, byte_fallback=False),
    "byte_fallback": partial(unigram, byte_fallback=True),
}


def behaviour(tokenizer: PreTrainedTokenizerBase) -> dict:
    """All that should be the same of two tokenizers that are."""
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
