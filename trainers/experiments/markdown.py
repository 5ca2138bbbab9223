"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table, as GitHub and the Hub show it.

    Args:
        heads (`Sequence[str]`): What the columns are called.
        rows (`Iterable[Sequence[object]]`): The cells of each row, as many as there are columns.

    Raises:
        ValueError: If a row has more cells or fewer.
    """
    lines = [_line(heads), "|---" * len(heads) + "|"]
    for row in rows:
        if len(row) != len(heads):
            raise ValueError(f"There are {len(heads)} columns but {len(row)} cells: {', '.join(map(str, row))}.")
        lines.append(_line(row))
    return "\n".join(lines)


def _line(cells: Sequence[object]) -> str:
    # Labels of one's own may hold what Markdown reads as a cell's end.
    texts = [str(cell).replace("|", "\\|") for cell in cells]
    return "|" + "|".join(f" {text} " if text else " " for text in texts) + "|"
