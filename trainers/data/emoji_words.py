"""Emoji as their English names, in normalizers that all runtimes of tokenizer.json know."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

import emoji
from tokenizers import Regex, normalizers

# Unicode noncharacters, which no text contains. MARK surrounds the words of an emoji until spaces are tidied.
MARK, _SEEN, _OPEN, _NEXT, _CLOSE = "\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4"
_SKIN_TONES = "\U0001f3fb-\U0001f3ff"
_FLAG_LETTERS = "\U0001f1e6-\U0001f1ff"
# The joiner, variation selectors, the keycap, skin tones, the tags of regional flags.
_MODIFIERS = f"\u200d\ufe0e\ufe0f\u20e3{_SKIN_TONES}\U000e0020-\U000e007f"
# What people write most, by Unicode's emoji frequency. In short glossaries of their own they take less time.
COMMON_EMOJI = (
    "😂❤🤣👍😭🙏😘🥰😍😊🎉😁💕🥺😅🔥☺🤦♥🤷🙄😆🤗😉🎂🤔👏🙂😳🥳😎👌💜😔💪✨💖👀😋😏😢👉💗😩💯🌹💞🎈💙😃"
    "😡💐😜🙈🤞😄🤤🙌🤪❣😀💋💀👇💔😌💓🤩🙃😬😱😴🤭😐🌞😒😇🌸😈🎶✌🎊🥵😞💚☀🖤💰😚👑🎁💥🙋☹😑🥴👈💩✅👋"
)
# More glossaries take more time in texts without emoji, longer ones in texts with emoji.
_LENGTH, _COMMON_LENGTH = 170, 25


def emoji_names() -> dict[str, str]:
    """English names of the emoji of one code point, without skin tones; longer sequences are made of these."""
    return {
        symbol: data["en"].strip(":").replace("_", " ")
        for symbol, data in sorted(emoji.EMOJI_DATA.items())
        if len(symbol) == 1 and not "\U0001f3fb" <= symbol <= "\U0001f3ff"
    }


def emoji_steps(names: Mapping[str, str]) -> list[normalizers.Normalizer]:
    """Normalizers that replace emoji by their names, and flags by `flag`.

    `Replace` inserts the same text wherever it matches, and takes its time in every text. So there is not one step for
    each of 1,400 emoji: a step inserts a whole glossary behind any of its emoji, and two more leave the words of the
    emoji's own entry. (`Precompiled` is the table made for this, but runtimes in JavaScript ignore what is in it.)
    """
    steps = [
        # Only here are all characters looked at. The other steps search for a noncharacter, which takes no time.
        _replace(f"(?<=[{_ranges(names)}{_FLAG_LETTERS}{_MODIFIERS}])", _SEEN),
        # With the joiner goes the gender sign behind it.
        _replace(f"\u200d{_SEEN}(?:[♀♂]{_SEEN})?|[{_MODIFIERS}]{_SEEN}", ""),
        _replace(f"(?:[{_FLAG_LETTERS}]{_SEEN}){{2}}", f"{MARK}flag{MARK}"),
    ]
    others = [symbol for symbol in names if symbol not in COMMON_EMOJI]
    common = [symbol for symbol in COMMON_EMOJI if symbol in names]
    for symbols, length in ((others, _LENGTH), (common, _COMMON_LENGTH)):
        for start in range(0, len(symbols), length):
            steps.append(_glossary({symbol: names[symbol] for symbol in symbols[start : start + length]}))
        steps.append(_replace(f"(.){_OPEN}(?:[^{_NEXT}]*{_NEXT})*?\\1", MARK))  # up to the emoji's own entry
        steps.append(_replace(f"{_NEXT}[^{_CLOSE}]*{_CLOSE}", MARK))  # what follows it
    # One space between words and none around the text: byte-level vocabularies spend a token on each extra one.
    run = f" ?{MARK}[ {MARK}]*"
    half_flag = normalizers.Replace(_SEEN, "")
    return [*steps, half_flag, _replace(f"^{run}|{run}$", ""), _replace(run, " ")]


def _glossary(names: dict[str, str]) -> normalizers.Normalizer:
    """Inserts all names behind each of the emoji."""
    entries = "".join(f"{symbol}{name}{_NEXT}" for symbol, name in names.items())
    return _replace(f"{_SEEN}(?<=[{_ranges(names)}]{_SEEN})", f"{_OPEN}{entries}{_CLOSE}")


def _replace(pattern: str, content: str) -> normalizers.Normalizer:
    return normalizers.Replace(Regex(pattern), content)


def _ranges(symbols: Iterable[str]) -> str:
    """The inside of a character class, short by ranges of neighbours."""
    codes = sorted(map(ord, symbols))
    runs: list[Sequence[int]] = [
        [code for _, code in run] for _, run in groupby(enumerate(codes), lambda pair: pair[1] - pair[0])
    ]
    return "".join(chr(run[0]) if len(run) == 1 else f"{chr(run[0])}-{chr(run[-1])}" for run in runs)
