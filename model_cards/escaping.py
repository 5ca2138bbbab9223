"""Escaping of text from data, so that none of it is interpreted as Markdown."""

import html
import re

# Without & < >, which become HTML entities: a backslash before an entity would show its source.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:$])")


# All but tabs and line breaks: terminals and editors obey them. Half a character, a surrogate, cannot be encoded.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def printable(text: str) -> str:
    """Replace control characters and lone surrogates by U+FFFD, the replacement character."""
    return _UNPRINTABLE.sub("\ufffd", text)


def one_line(text: object) -> str:
    """Return `text` on one line, in printable characters."""
    return printable(" ".join(str(text).split()))


def escape(text: object) -> str:
    """Return one line of Markdown that displays `text` verbatim, without markup, HTML, links, cells or comments."""
    return html.escape(_MARKDOWN.sub(r"\\\1", one_line(text)), quote=False)
