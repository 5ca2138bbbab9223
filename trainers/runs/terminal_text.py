"""Text from users, such as labels and paths, in the terminal."""

import unicodedata

from rich.text import Text

# Unicode categories: control characters, surrogates, and separators of lines and paragraphs.
_UNSEEN = ("Cc", "Cs", "Zl", "Zp")


def verbatim(text: object, style: str = "") -> Text:
    """One line that shows `text` as it is, without markup; control characters are shown by their escapes.

    Args:
        text (`object`): What to show.
        style (`str`, *optional*): A style of rich.
    """
    shown = "".join(char if unicodedata.category(char) not in _UNSEEN else _escaped(char) for char in str(text))
    return Text(shown, style=style)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


__all__ = ["verbatim"]
