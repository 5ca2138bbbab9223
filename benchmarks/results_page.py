"""Collect the result tables in benchmarks/results/README.md, and five rows of them in README.md.

python -m benchmarks.results_page

`benchmarks/results/notes.md` discusses the results, with a line `<!-- table NAME -->` for each table; README.md
has the lines `<!-- results -->` and `<!-- end -->` around its table.
"""

import json
import re
import sys
from pathlib import Path

from trainers.experiments import markdown_table, mean_and_spread, title

from .arguments import RESULTS

README = RESULTS.parent.parent / "README.md"
TABLE = re.compile(r"^<!-- table (?P<name>\S+) -->$", re.MULTILINE)
SUMMARY = re.compile(r"<!-- results -->\n.*?<!-- end -->", re.DOTALL)
NOTICE = "<!-- Made by `python -m benchmarks.results_page` from notes.md and the tables beside it. -->\n\n"
# Recipes and shares of the labels in the summary.
RECIPES = ("bert", "bert-head-rate", "model-3.3", "common-space-from-related", "model-3.4")
SHARES = ("0.1", "1.0")


def page(folder: Path = RESULTS) -> str:
    """The page of all results: the notes, with the tables inserted.

    Args:
        folder (`Path`): The folder of the notes and tables.

    Raises:
        FileNotFoundError: If there is no such table.
    """

    def table(marker: re.Match[str]) -> str:
        return (folder / f"{marker['name']}.md").read_text(encoding="utf-8").strip()

    notes = (folder / "notes.md").read_text(encoding="utf-8")
    return NOTICE + with_summary(TABLE.sub(table, notes), folder)


def with_summary(text: str, folder: Path = RESULTS) -> str:
    """Insert the summary of the results between the markers of a text.

    Args:
        text (`str`): Markdown.
        folder (`Path`): The folder of the results.
    """
    return SUMMARY.sub(lambda _: f"<!-- results -->\n\n{summary(folder)}\n\n<!-- end -->", text)


def summary(folder: Path = RESULTS) -> str:
    """Five recipes with a tenth of the labels and with all of them, as a Markdown table."""
    found = json.loads((folder / "learning_curves.json").read_text(encoding="utf-8"))
    metrics = list(found["shares"][SHARES[0]][RECIPES[0]]["scores"])
    labels = {share: f"{round(float(share) * found['texts']):,} labels" for share in SHARES}
    heads = ["recipe", *(f"{title(metric)}, {labels[share]}" for share in SHARES for metric in metrics)]
    rows = [
        [
            f"`{recipe}`",
            *(
                mean_and_spread(found["shares"][share][recipe]["scores"][metric])
                for share in SHARES
                for metric in metrics
            ),
        ]
        for recipe in RECIPES
    ]
    return markdown_table(heads, rows)


def main() -> None:
    texts = {RESULTS / "README.md": page(), README: with_summary(README.read_text(encoding="utf-8"))}
    for path, text in texts.items():
        changed = not path.is_file() or path.read_text(encoding="utf-8") != text
        path.write_text(text, encoding="utf-8")
        print(f"{path.name} {'has the new results' if changed else 'was up to date'}: {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
