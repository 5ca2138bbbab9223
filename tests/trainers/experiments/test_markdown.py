import pytest

from tests.helpers import card_parts
from trainers.experiments.markdown import markdown_table, verbatim_markdown

NAMES = ["[none]", "[/s]", "a|b", "a\\|b", "*bold*", "_it_", "per_label", "`x`", "<b>", "&amp;", "$x$", "~~no~~", "a\\"]


def test_table() -> None:
    table = markdown_table(["", "F1"], [["joy", 0.5], ["`anger`", "71.2 ± 0.3"]])
    assert table.splitlines() == ["| | F1 |", "|---|---|", "| joy | 0.5 |", "| `anger` | 71.2 ± 0.3 |"]


def test_what_markdown_reads_as_the_end_of_a_cell_is_escaped() -> None:
    head, _, row = markdown_table(["a|b"], [["joy|love"]]).splitlines()
    assert head == "| a\\|b |" and row == "| joy\\|love |"


@pytest.mark.parametrize("cells", [["joy"], ["joy", 1, 2], []])
def test_rows_of_another_length_are_an_error(cells: list[object]) -> None:
    with pytest.raises(ValueError, match=f"There are 2 columns but {len(cells)} cells"):
        markdown_table(["label", "F1"], [["anger", 3], cells])


def test_names_from_data_are_shown_as_they_are() -> None:
    table = markdown_table(["label", "F1"], [[verbatim_markdown(name), "1"] for name in [*NAMES, "two\nlines"]])
    (shown,) = card_parts.tables(table)
    assert [row[0] for row in shown[1:]] == [*NAMES, "two lines"]
    assert all(row[1] == "1" for row in shown[1:])


def test_line_breaks_end_no_row() -> None:
    assert len(markdown_table(["a"], [["one\ntwo\r\nthree"]]).splitlines()) == 3
