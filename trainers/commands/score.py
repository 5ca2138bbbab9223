"""`csr-emotion score`: score texts by the million."""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from ..runs import check_ranges
from ..serving import DTYPES, ENGINES, ROWS_PER_FILE, print_summary, score_files
from .terminal import BAD_INPUT, exit_on, set_up_logging

DESCRIPTION = (
    "Score texts of files of any size, or of a dataset, into a folder of Parquet files. The same command, repeated, "
    "goes on where it was stopped."
)


def score_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion score",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "input",
        metavar="IN",
        help="A CSV, TSV, JSON, JSON Lines, Parquet or text file, a folder or a quoted pattern of such, or a dataset.",
    )
    parser.add_argument("output_dir", metavar="OUT", help="Folder for the scores.")
    parser.add_argument("--model", required=True, help="Hub id or folder of a sequence classifier.")
    parser.add_argument("--revision", help="Branch, tag or commit of a model on the Hub.")
    parser.add_argument("--id_column", help="Column of the ids (default: the number of the row).")
    parser.add_argument("--text_column", default="text", help="Column of the texts.")
    parser.add_argument("--split", help="Split of a dataset (default: all).")
    parser.add_argument("--threshold", type=float, help="One threshold for all labels, instead of the model's own.")
    parser.add_argument(
        "--calibrated", action="store_true", help="Write calibrated probabilities; the model needs a calibration."
    )
    parser.add_argument(
        "--min_confidence", type=float, help="Leave labels out whose score is lower: the text may then have none."
    )
    parser.add_argument("--vectors", action="store_true", help="Also write the model's representation of each text.")
    parser.add_argument(
        "--rows_per_file", type=int, default=ROWS_PER_FILE, help="Rows of a file of scores; what a kill may cost."
    )
    parser.add_argument("--batch_size", type=int, help="Texts per batch (default: as many as suit the device).")
    parser.add_argument("--dtype", default="float32", choices=DTYPES, help="Precision of the model.")
    parser.add_argument("--engine", default="local", choices=ENGINES, help="This machine, or a Ray cluster.")
    parser.add_argument("--processes", type=int, help="Processes (default: one for each GPU, or for each core).")
    parser.add_argument("--threads", type=int, help="Threads of each process (default: the cores are shared out).")
    parser.add_argument("--overwrite", action="store_true", help="Delete other scores in the folder.")
    parser.add_argument("--trust_remote_code", action="store_true", help="Run the code in the model's repository.")
    return parser


def run_scoring(argv: Sequence[str]) -> dict[str, Any]:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        `dict`: What [`~trainers.serving.score_files.score_files`] returns.
    """
    args = vars(score_parser().parse_args(list(argv)))
    set_up_logging()
    started = time.monotonic()
    with exit_on("csr-emotion score", *BAD_INPUT):
        check_ranges(args)
        try:
            result = score_files(args.pop("input"), args.pop("output_dir"), **args)
        except KeyboardInterrupt:
            sys.exit("csr-emotion score: stopped. The same command goes on from here.")
    print_summary(result, started)
    return result
