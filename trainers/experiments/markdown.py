"""Tables in Markdown."""

from collections.abc import Iterable, Sequence


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Format a Markdown table for GitHub and the Hub.

    Args:
        heads (`Sequence[str]`): Names of the columns.
        rows (`Iterable[Sequence[object]]`): Cells of each row, one per column.

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
    # Labels may contain what Markdown reads as the end of a cell.
    texts = [str(cell).replace("|", "\\|") for cell in cells]
    return "|" + "|".join(f" {text} " if text else " " for text in texts) + "|"
