"""Warnings about texts that a tokenizer cannot read, or that are in another script than their language."""

import logging
import unicodedata
from collections import Counter
from collections.abc import Iterable

import datasets
import numpy as np
from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)

MOST_UNKNOWN = 0.2
# Texts of each language that are looked at.
_SAMPLE = 500
# By script, as the names of its letters begin in Unicode, languages that are written in it: the codes of BRIGHTER, and
# those of ISO 639.
_LANGUAGES = {
    "ARABIC": "arq ary ar ara fa ur",
    "CJK": "chn zh zho",
    "CYRILLIC": "rus tat ukr ru tt uk be bg",
    "DEVANAGARI": "hin mar hi mr ne",
    "ETHIOPIC": "amh tir am ti",
    "LATIN": "afr deu eng esp hau ibo kin orm pcm ptbr ptmz ron som sun swa swe vmw yor "
    "af cs da de en es fi fr ha hu ig id it nl no om pl pt ro rw so su sv sw tr vi yo",
}
# Languages that are written in several scripts, such as Serbian, are left out.
_SCRIPTS = {language: script for script, languages in _LANGUAGES.items() for language in languages.split()}


def script_of(text: str) -> str | None:
    """The script of most letters of a text, such as `"LATIN"`, `"CYRILLIC"` or `"CJK"`; `None` without letters."""
    letters = (unicodedata.name(character, "").split(" ")[0] for character in text if character.isalpha())
    counts = Counter(letters)
    return counts.most_common(1)[0][0] if counts else None


def warn_of_unreadable_texts(rows: datasets.Dataset, name: str, tokenizer: PreTrainedTokenizerBase) -> None:
    """Warn of languages of which over 20 % of the tokens are unknown to a tokenizer, and of texts in another script
    than that of their language. At most 500 texts of each language are looked at.

    Args:
        rows (`Dataset`): Rows of `text` and, where the data name it, `language`. Without it, all rows count as one
            language, and scripts are not looked at.
        name (`str`): What the warnings call the data.
        tokenizer (`PreTrainedTokenizerBase`): The tokenizer that will read them.
    """
    named = "language" in rows.column_names
    languages = np.asarray(rows["language"][:] if named else [""] * len(rows))
    for language in np.unique(languages):
        found = np.flatnonzero(languages == language)
        sample = np.random.default_rng(0).permutation(found)[:_SAMPLE]
        texts = rows.select(np.sort(sample))["text"][:]
        called = f"{name}, language {language}" if named else name
        share = unknown_share(texts, tokenizer)
        if share > MOST_UNKNOWN:
            logger.warning(
                "%s: the encoder's vocabulary turns %.0f %% of the tokens into unknown ones (of %d texts). Choose an "
                "encoder that was trained on the language.",
                called,
                100 * share,
                len(texts),
            )
        expected = _SCRIPTS.get(str(language))
        scripts = Counter(script for text in texts if (script := script_of(text)) not in (None, expected))
        if expected is not None and scripts:
            counts = ", ".join(f"{count} in {str(script).title()}" for script, count in scripts.most_common())
            logger.warning(
                "%s: %d of %d texts are not in %s letters as the language is (%s).",
                called,
                scripts.total(),
                len(texts),
                expected.title() if expected != "CJK" else expected,
                counts,
            )


def unknown_share(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase) -> float:
    """The share of the tokens of some texts that are unknown, without special tokens; 0 if there are none."""
    options = {"add_special_tokens": False, "truncation": False, "padding": False, "verbose": False}
    texts = list(texts)
    encoded = tokenizer(texts, **options)["input_ids"] if texts else []
    total = sum(map(len, encoded))
    unknown = sum(token == tokenizer.unk_token_id for ids in encoded for token in ids)
    return unknown / total if total and tokenizer.unk_token_id is not None else 0.0
