"""Tables in Markdown."""

import re
from collections.abc import Iterable, Sequence

# What Markdown and HTML read as markup within a line; underscores inside words are none.
_MARKUP = re.compile(r"([\\`*\[\]<>&|~$]|(?<!\w)_|_(?!\w))")
# An end of a cell, which no backslash escapes.
_END_OF_CELL = re.compile(r"(?<!\\)((?:\\\\)*)\|")


def verbatim_markdown(text: object) -> str:
    """One line of Markdown that shows `text`, such as a label, as it is."""
    return _MARKUP.sub(r"\\\1", " ".join(str(text).split()))


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table for GitHub and the Hub.

    Args:
        heads (`Sequence[str]`): Names of the columns, in Markdown.
        rows (`Iterable[Sequence[object]]`): Cells of each row, one per column, in Markdown; names from data go through
            [`verbatim_markdown`].

    Raises:
        ValueError: If a row has a different number of cells.
    """
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for row in rows:
        if len(row) != len(heads):
            raise ValueError(f"There are {len(heads)} columns but {len(row)} cells: {', '.join(map(str, row))}.")
        lines.append(_line(row))
    return "\n".join(lines)


def _line(cells: Sequence[object]) -> str:
    texts = [_END_OF_CELL.sub(r"\1\\|", " ".join(str(cell).splitlines())) for cell in cells]
    return "|" + "|".join(f" {text} " if text else " " for text in texts) + "|"
