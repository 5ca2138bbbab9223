"""`csr-emotion check-data`: what to look at in labelled data before training."""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ..experiments import PROBLEMS, Finding, check_labels, write_findings
from ..runs import verbatim
from .labelled_data import add_data_options, read_labelled
from .terminal import BAD_INPUT, exit_on, set_up_logging
from .text_vectors import add_vector_options, text_vectors

DESCRIPTION = (
    "Look for labels that are likely wrong, repeated texts, texts in train and dev, contradictions and rare labels."
)
FILE_NAME = "findings.csv"
# How many labels that are likely wrong are printed; the file has more.
SHOWN = 10


def check_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion check-data",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_data_options(parser)
    add_vector_options(parser)
    parser.add_argument("--output_dir", required=True, help=f"Folder for {FILE_NAME}.")
    return parser


def run_check(argv: Sequence[str]) -> list[Finding]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `list[Finding]`: What is in `findings.csv`.
    """
    args = check_parser().parse_args(list(argv))
    set_up_logging()
    with exit_on("csr-emotion check-data", *BAD_INPUT):
        data = read_labelled(args, ("train", "dev"))
        path = Path(args.output_dir) / FILE_NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        findings = check_labels(data, text_vectors(args, data.texts))
        write_findings(findings, path)
    print_findings(findings, len(data.texts))
    print(f"{path} has all {len(findings):,} of them, with row, text and reason.")
    return findings


def print_findings(findings: Sequence[Finding], texts: int) -> None:
    """Print how many there are of each problem, and the labels that are most likely wrong."""
    counts = Counter(one.problem for one in findings)
    overall = Table("problem", "found", "what to do", title=f"{texts:,} labelled texts")
    for problem, advice in PROBLEMS.items():
        if counts[problem]:
            overall.add_row(problem, f"{counts[problem]:,}", advice)
    console = Console()
    console.print(overall if findings else f"Nothing was found in {texts:,} labelled texts.")
    wrong = [one for one in findings if one.problem == "likely wrong label"][:SHOWN]
    if wrong:
        table = Table("split", "row", "text", "given", "suggested", "right by", title="most likely wrong")
        for one in wrong:
            text = one.text if len(one.text) <= 80 else f"{one.text[:79]}…"
            cells = (text, one.given or "no label", one.suggested)
            table.add_row(one.split, f"{one.row:,}", *map(verbatim, cells), f"{100 * (one.score or 0):.0f} %")
        console.print(table)


__all__ = ["check_parser", "print_findings", "run_check"]
