"""Text from data in Markdown: whatever stands in it stays text."""

import html
import re

# Not & < >, which HTML's entities stand for: a backslash before an entity would show it as it is written.
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:$])")


def escape(text: object) -> str:
    """One line of Markdown that shows `text` as it is: no markup, HTML, link, table cell or comment begins in it."""
    line = " ".join(str(text).split())
    return html.escape(_MARKDOWN.sub(r"\\\1", line), quote=False)
