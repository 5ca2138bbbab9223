"""Escaping of text from data, so that none of it is interpreted as Markdown."""

import html
import re

# Without & < >, which become HTML entities: a backslash before an entity would show its source.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:$])")


def escape(text: object) -> str:
    """Return one line of Markdown that displays `text` verbatim, without markup, HTML, links, cells or comments."""
    line = " ".join(str(text).split())
    return html.escape(_MARKDOWN.sub(r"\\\1", line), quote=False)
