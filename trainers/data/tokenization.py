"""Tweet normalisation inside the tokenizer, so that a pushed model applies it to raw text in a stock pipeline."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import Any

import datasets
from tokenizers import Regex, Tokenizer, models, normalizers
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from .digests import digest
from .emoji_words import COMMON_EMOJI, MARK, emoji_names, emoji_steps
from .mapped_rows import map_rows

NORMALIZATION_STEPS: tuple[str, ...] = ("entities", "newlines", "users", "urls", "emoji")
# All steps, but "emoji" only for vocabularies without emoji: names are English.
AUTO_STEPS = ("auto",)

# No inline flags such as (?i): runtimes of tokenizer.json in other languages may not know them.
# `&amp;` comes last: `&amp;lt;` is an escaped `&lt;`, not a `<`.
_ENTITIES = {
    "&[Ll][Tt];": "<",
    "&[Gg][Tt];": ">",
    "&[Qq][Uu][Oo][Tt];": '"',
    "&(?:#0*39|[Aa][Pp][Oo][Ss]);": "'",
    "&[Nn][Bb][Ss][Pp];": " ",
    "&[Aa][Mm][Pp];": "&",
}
_NEWLINES = r" ?(?:(?:\\n|[\r\n])[ \t]*)+"
# Not `[@＠]`: a search for literals is fast, one for a class of characters is not.
_USER = r"(?:@|＠)(?<!\w[@＠])\w+"
# Ends in a letter, digit or slash, so that the full stop or bracket behind a URL stays.
_URL_END = r"[\w\-.~:/?#\[\]@!$&'()*+,;=%]*[\w/]"
_URL = (
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:{_URL_END})?"
    rf"|(?<![\w@.])[Ww][Ww][Ww]\.{_URL_END}"
    r"|(?<![\w@.])[Tt]\.[Cc][Oo]/\w+"
)

_EXAMPLES = (
    "I can't believe it: SO happy, naïve and tired!",
    "RT @someone: fish &amp; chips\\nare #great https://t.co/abc123 😂❤️",
)


def _build_steps(steps: Sequence[str], names: Mapping[str, str]) -> list[normalizers.Normalizer]:
    build: dict[str, Callable[[], list[normalizers.Normalizer]]] = {
        "entities": lambda: [normalizers.Replace(Regex(pattern), char) for pattern, char in _ENTITIES.items()],
        "newlines": lambda: [normalizers.Replace(Regex(_NEWLINES), " ")],
        "users": lambda: [normalizers.Replace(Regex(_USER), "@user")],
        "urls": lambda: [normalizers.Replace(Regex(_URL), "http")],
        "emoji": lambda: emoji_steps(names),
    }
    return [normalizer for step in steps for normalizer in build[step]()]


def comparable_text(text: str) -> str:
    """A text as it is compared with others: after all steps of [`normalize_tweets`] but `"emoji"`, in small letters,
    with single spaces between its words."""
    return " ".join(_comparable_steps().normalize_str(text).casefold().split())


@cache
def _comparable_steps() -> normalizers.Normalizer:
    return normalizers.Sequence(_build_steps([step for step in NORMALIZATION_STEPS if step != "emoji"], {}))


def _backend_state(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(
            f"{type(tokenizer).__name__} is written in Python, and its text normalisation cannot be changed or saved "
            "with it. Use a checkpoint whose tokenizer has a tokenizer.json (a fast tokenizer)."
        )
    return json.loads(backend.to_str())


def _split_normalizer(state: dict[str, Any]) -> tuple[list[str], list[dict], list[dict]]:
    """The names of our steps, our normalizers, and the tokenizer's own."""
    normalizer = state["normalizer"] or {"type": "Sequence", "normalizers": []}
    chain = normalizer["normalizers"] if normalizer["type"] == "Sequence" else [normalizer]
    for index, item in enumerate(chain):
        pattern = item.get("pattern", {}).get("String", "") if item["type"] == "Replace" else ""
        if pattern.startswith(MARK):
            return pattern.removeprefix(MARK).split(), chain[: index + 1], chain[index + 1 :]
    return [], [], chain


def has_emoji(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether a vocabulary has most of the common emoji as tokens, as that of XLM-R does and that of BERT does not."""
    vocabulary = tokenizer.get_vocab()
    found = sum(symbol in vocabulary or f"▁{symbol}" in vocabulary for symbol in COMMON_EMOJI)
    return 2 * found > len(COMMON_EMOJI)


def normalize_tweets(tokenizer: PreTrainedTokenizerBase, steps: Sequence[str] = AUTO_STEPS) -> PreTrainedTokenizerFast:
    """Return a copy of the tokenizer that normalises tweets; the original is unchanged.

    The steps are saved in `tokenizer.json`, before the tokenizer's own normalisation (such as lower-casing). Offsets
    still point into the raw text; those of inserted text point to the last character that it replaced. The copy has
    the generic class, because the classes of the model families (`BertTokenizer`, ...) rebuild their normalizer when
    loaded and would drop the steps. Calling this again with the same steps changes nothing; other steps replace
    them.

    Args:
        tokenizer (`PreTrainedTokenizerBase`): Any tokenizer of the `tokenizers` library.
        steps (`Sequence[str]`): The steps to apply, always in this order:

            - `"entities"`: HTML entities become the characters they stand for.
            - `"newlines"`: newlines, and a backslash followed by n, become a space.
            - `"users"`: `@name` becomes `@user`. E-mail addresses stay.
            - `"urls"`: URLs become `http`.
            - `"emoji"`: emoji become their English CLDR names, without skin tone or gender sign; flags become `flag`.

            By default, or with `["auto"]`, all of them; `"emoji"` only if the vocabulary has no emoji ([`has_emoji`]).

    Returns:
        `PreTrainedTokenizerFast`: The copy.

    Raises:
        ValueError: If a step is unknown or the tokenizer is written in Python.
    """
    state = _backend_state(tokenizer)
    if tuple(steps) == AUTO_STEPS:
        steps = [step for step in NORMALIZATION_STEPS if step != "emoji" or not has_emoji(tokenizer)]
    unknown = [step for step in steps if step not in NORMALIZATION_STEPS]
    if isinstance(steps, str) or unknown:
        raise ValueError(f"steps must be a list out of {', '.join(NORMALIZATION_STEPS)}; got {steps!r}.")
    steps = [step for step in NORMALIZATION_STEPS if step in steps]
    state["truncation"] = state["padding"] = None  # Left over from the last call; every call sets its own.
    present, ours, own = _split_normalizer(state)
    # Earlier versions had a step for each emoji, which took many times as long.
    earlier = {item["pattern"].get("String", ""): item["content"] for item in ours if item["content"].startswith(MARK)}
    names = {symbol: content.strip(MARK) for symbol, content in earlier.items() if symbol}
    # The same steps are not rebuilt: another version of `emoji` may name an emoji differently.
    if present != steps or names:
        state["normalizer"] = {"type": "Sequence", "normalizers": own} if own else None
        if steps:
            built = _build_steps(steps, names or emoji_names())
            built_in = normalizers.Sequence([*built, normalizers.Replace(MARK + " ".join(steps), "")])
            carrier = Tokenizer(models.BPE())
            carrier.normalizer = built_in
            state["normalizer"] = json.loads(carrier.to_str())["normalizer"]
            state["normalizer"]["normalizers"] += own
            for token in state["added_tokens"]:
                # A newline that is a token of its own would otherwise be matched wherever there is a space.
                token["normalized"] &= built_in.normalize_str(token["content"]) == token["content"]
    return _generic_tokenizer(tokenizer, Tokenizer.from_str(json.dumps(state)))


def _generic_tokenizer(tokenizer: PreTrainedTokenizerBase, backend: Tokenizer) -> PreTrainedTokenizerFast:
    """The tokenizer under the generic class, around another backend."""
    # As AddedToken if there is one: RoBERTa's mask token swallows the space before it.
    added = {token.content: token for token in backend.get_added_tokens_decoder().values()}
    copy = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        **{name: added.get(token, token) for name, token in tokenizer.special_tokens_map.items()},
        extra_special_tokens=tokenizer.extra_special_tokens,
        model_max_length=tokenizer.model_max_length,
        padding_side=tokenizer.padding_side,
        truncation_side=tokenizer.truncation_side,
        model_input_names=list(tokenizer.model_input_names),
        clean_up_tokenization_spaces=tokenizer.clean_up_tokenization_spaces,
        split_special_tokens=tokenizer.split_special_tokens,
        add_prefix_space=getattr(tokenizer, "add_prefix_space", False),
        chat_template=tokenizer.chat_template,
    )
    # Not passed to the constructor, which would look up a large vocabulary on the Hub by this name.
    copy.name_or_path = tokenizer.name_or_path
    return copy


def load_tokenizer(
    name_or_path: str | os.PathLike[str],
    steps: Sequence[str] = AUTO_STEPS,
    max_length: int | None = None,
    revision: str | None = None,
    token: str | bool | None = None,
) -> PreTrainedTokenizerFast:
    """Load a tokenizer from the Hub or a folder and add the tweet normalisation (see [`normalize_tweets`]).

    Args:
        name_or_path (`str` or `os.PathLike`): Name on the Hub, or a folder, such as that of a saved model.
        steps (`Sequence[str]`): The steps of the normalisation; empty for none. By default those that the vocabulary
            needs.
        max_length (`int`, *optional*): Maximum length of a text in tokens, including special ones. It becomes the
            tokenizer's `model_max_length`, where `truncation=True` cuts. By default the tokenizer's own.
        revision (`str`, *optional*): Branch, tag or commit on the Hub.
        token (`str` or `bool`, *optional*): Access token for the Hub.

    Returns:
        `PreTrainedTokenizerFast`: The tokenizer.

    Raises:
        ValueError: If a step is unknown, the tokenizer is written in Python, `max_length` leaves no room for text, or
            the model has no tokenizer.
        FileNotFoundError: If there is no such folder.
        OSError: If there is no such model on the Hub, or the Hub cannot be reached.
    """
    name_or_path = os.fspath(name_or_path)
    if name_or_path.startswith((".", "/", "~")) and not os.path.isdir(name_or_path):
        raise FileNotFoundError(f"There is no folder {name_or_path} to load a tokenizer from.")
    missing = f"{name_or_path} has no tokenizer that transformers can load. Save the model's tokenizer beside it."
    try:
        # With trust_remote_code unset, transformers would ask on stdin about the code in a saved model's folder.
        tokenizer = AutoTokenizer.from_pretrained(name_or_path, revision=revision, token=token, trust_remote_code=False)
    except ValueError as error:
        raise ValueError(missing) from error
    # For some model families, transformers makes up a tokenizer without a vocabulary if there are no files.
    if len(tokenizer) <= len(tokenizer.all_special_tokens):
        raise ValueError(missing)
    tokenizer = normalize_tweets(tokenizer, steps)
    if max_length is not None:
        special = tokenizer.num_special_tokens_to_add()
        if max_length <= special:
            raise ValueError(f"max_length must be more than {special}, the special tokens of a text; got {max_length}.")
        tokenizer.model_max_length = max_length
    return tokenizer


def count_truncated(tokenizer: PreTrainedTokenizerBase, texts: Iterable[str], max_length: int) -> int:
    """Number of texts longer than `max_length` tokens, including special tokens."""
    count, texts = 0, iter(texts)
    while part := list(islice(texts, 1000)):
        encoded = tokenizer(part, truncation=False, padding=False, verbose=False)
        count += sum(len(input_ids) > max_length for input_ids in encoded["input_ids"])
    return count


def check_same_tokenizer(
    first: PreTrainedTokenizerBase, second: PreTrainedTokenizerBase, names: tuple[str, str]
) -> None:
    """Check that two tokenizers map any text to the same token ids.

    Args:
        first (`PreTrainedTokenizerBase`): Tokenizer of the first encoder.
        second (`PreTrainedTokenizerBase`): Tokenizer of the second.
        names (`tuple[str, str]`): Names of the two in the message.

    Raises:
        ValueError: If they differ in vocabulary, special tokens, normalisation, or how they split a text; the message
            lists all differences.
    """
    differences = []
    vocabularies = first.get_vocab(), second.get_vocab()
    if len(first) != len(second):
        differences.append(f"vocabulary size ({len(first)} and {len(second)})")
    elif vocabularies[0] != vocabularies[1]:
        token = min(token for token, index in vocabularies[0].items() if vocabularies[1].get(token) != index)
        differences.append(f"id of {token!r} ({vocabularies[0][token]} and {vocabularies[1].get(token)})")
    for name in sorted(first.special_tokens_map.keys() | second.special_tokens_map.keys()):
        ids = getattr(first, f"{name}_id", None), getattr(second, f"{name}_id", None)
        if ids[0] != ids[1]:
            differences.append(f"{name}_id ({ids[0]} and {ids[1]})")
    (first_steps, *first_rest), (second_steps, *second_rest) = (
        _split_normalizer(_backend_state(tokenizer)) for tokenizer in (first, second)
    )
    if first_steps != second_steps:
        differences.append(f"tweet normalisation ({' '.join(first_steps)!r} and {' '.join(second_steps)!r})")
    elif first_rest != second_rest:
        differences.append("normaliser in tokenizer.json")
    for text in _EXAMPLES:
        tokens = first.tokenize(text), second.tokenize(text)
        if tokens[0] != tokens[1]:
            differences.append(f"tokens of {text!r} ({' '.join(tokens[0])} and {' '.join(tokens[1])})")
            break
    if differences:
        raise ValueError(
            f"{names[0]} and {names[1]} read texts differently: {'; '.join(differences)}. Train both from the same "
            "base model and with the same normalisation steps."
        )


def tokenizer_digest(tokenizer: PreTrainedTokenizerBase) -> str:
    """A short hash of a tokenizer, without the truncation and padding of its last call."""
    backend = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    backend.no_truncation()
    backend.no_padding()
    return digest(backend.to_str())


def pad_texts(tokenizer: PreTrainedTokenizerBase, texts: list[dict[str, Any]]) -> dict[str, Any]:
    """Tokenised texts as tensors `(texts, sequence)`, padded to the longest. Columns that are no input are left out."""
    names = [name for name in tokenizer.model_input_names if name in texts[0]]
    return dict(tokenizer.pad([{name: text[name] for name in names} for text in texts], return_tensors="pt"))


def tokenize_rows(
    rows: datasets.Dataset, tokenizer: PreTrainedTokenizerBase, max_length: int, description: str
) -> datasets.Dataset:
    """Rows with their tokens in place of `text`. Those of rows on disk go to a file beside them, which is reused.

    Args:
        rows (`Dataset`): Rows of `text` and label columns, which are kept.
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer.
        max_length (`int`): Longer texts are cut to this number of tokens.
        description (`str`): Description of the progress bar.
    """
    return map_rows(
        rows,
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=max_length),
        {"tokenizer": tokenizer_digest(tokenizer), "max_length": max_length},
        remove_columns=["text"],
        desc=description,
    )
