"""Fills the pages that are generated: the tables of datasets, of recipes and of results."""

import re
from pathlib import Path
from typing import Any

from trainers.data import REGISTRY
from trainers.experiments import markdown_table
from trainers.recipes import LIBRARY, RECIPES

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
RESULT = re.compile(r"^<!-- table (\S+) -->$", re.MULTILINE)


def datasets_table() -> str:
    """A row per registered dataset, as Markdown."""
    rows = []
    for info in REGISTRY.values():
        labels = ", ".join(info.labels) if len(info.labels) <= 11 else f"{len(info.labels)} labels"
        where = "bundled" if info.bundled else f"`{info.folder}`" + (f", or `{info.hub_id}`" if info.hub_id else "")
        rows.append([f"`{info.name}`", info.description, labels, where])
    return markdown_table(["name", "what it is", "labels", "below `--data_dir`, or on the Hub"], rows)


def recipes_table() -> str:
    """A row per recipe of the library, as Markdown."""
    rows = [
        [f"`{name}`", RECIPES[name].question, ", ".join(f"`{stage.name}`" for stage in RECIPES[name].stages)]
        for name in LIBRARY
    ]
    return markdown_table(["recipe", "the question that it answers", "stages"], rows)


def on_page_markdown(markdown: str, **kwargs: Any) -> str:
    """Put the tables in the place of their markers."""
    markdown = markdown.replace("<!-- datasets -->", datasets_table())
    markdown = markdown.replace("<!-- recipes -->", recipes_table())
    return RESULT.sub(lambda marker: (RESULTS / f"{marker[1]}.md").read_text(encoding="utf-8").strip(), markdown)
