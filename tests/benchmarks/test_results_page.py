"""The pages of results: made from the notes and tables, and up to date."""

import re
from pathlib import Path

import pytest

from benchmarks import results_page
from benchmarks.arguments import RESULTS

LINK = re.compile(r"\]\((?P<target>[^)#\s]*)(?:#(?P<anchor>[^)\s]*))?\)")


def test_pages_are_up_to_date() -> None:
    assert (RESULTS / "README.md").read_text(encoding="utf-8") == results_page.page(), (
        "run python -m benchmarks.results_page"
    )
    text = results_page.README.read_text(encoding="utf-8")
    assert results_page.with_summary(text) == text, "run python -m benchmarks.results_page"


def test_every_table_has_its_place() -> None:
    named = results_page.TABLE.findall((RESULTS / "notes.md").read_text(encoding="utf-8"))
    assert sorted(named) == sorted(path.stem for path in RESULTS.glob("*.md") if path.stem not in {"README", "notes"})


def test_links_lead_somewhere() -> None:
    text = (RESULTS / "README.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for link in LINK.finditer(text):
        assert (RESULTS / link["target"]).exists(), link[0]
        assert not link["anchor"] or link["anchor"] in anchors, link[0]


def test_summary_has_the_scores_of_the_curves() -> None:
    header, _, *rows = results_page.summary().splitlines()
    assert header.startswith("| recipe | Jaccard, 684 labels |") and "macro F1, 6,838 labels" in header
    assert [row.split("|")[1].strip() for row in rows] == [f"`{recipe}`" for recipe in results_page.RECIPES]
    curves = (RESULTS / "learning_curves.md").read_text(encoding="utf-8")
    for row in rows:
        recipe, *cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert len(cells) == 6 and all(f"| {cell} |" in curves for cell in cells), recipe


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one.md").write_text("| a |\n| - |\n| \\1 |\n\n", encoding="utf-8")
    (tmp_path / "notes.md").write_text(
        "# Title\n\n<!-- table one -->\n\nbetween <!-- table one -->\n", encoding="utf-8"
    )
    return tmp_path


def test_tables_take_the_place_of_their_markers(folder: Path) -> None:
    page = results_page.page(folder)
    assert page == f"{results_page.NOTICE}# Title\n\n| a |\n| - |\n| \\1 |\n\nbetween <!-- table one -->\n"
    (folder / "one.md").unlink()
    with pytest.raises(FileNotFoundError, match=r"one\.md"):
        results_page.page(folder)


def test_the_summary_replaces_an_older_one() -> None:
    text = "before\n<!-- results -->\nold\n<!-- end -->\nafter\n<!-- end -->\n"
    new = results_page.with_summary(text)
    assert new == f"before\n<!-- results -->\n\n{results_page.summary()}\n\n<!-- end -->\nafter\n<!-- end -->\n"
    assert results_page.with_summary(new) == new
