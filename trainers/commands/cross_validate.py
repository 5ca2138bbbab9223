"""`csr-emotion cross-validate`: what so many labelled texts are worth, and what more would bring."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from ..experiments import CrossValidation, cross_validate, save_cross_validation
from ..runs import check_ranges
from .labelled_data import add_data_options, read_labelled
from .terminal import BAD_INPUT, exit_on, set_up_logging
from .text_vectors import add_vector_options, text_vectors, vectors_label

DESCRIPTION = (
    "Cross-validated scores with intervals, and a learning curve that says what more labels are likely to bring. "
    "Measured is a logistic regression on frozen vectors: training an encoder as often would take hours."
)


def cross_validation_parser() -> argparse.ArgumentParser:
    """Parser of the command's options."""
    parser = argparse.ArgumentParser(
        "csr-emotion cross-validate",
        description=DESCRIPTION,
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_data_options(parser)
    add_vector_options(parser)
    parser.add_argument("--further", type=int, default=200, help="How many more texts to predict the gain of.")
    parser.add_argument("--seed", type=int, default=42, help="Seed of folds and resamples.")
    parser.add_argument("--output_dir", required=True, help="Folder for the tables, the figure and JSON.")
    return parser


def run_cross_validation(argv: Sequence[str]) -> CrossValidation:
    """Run the command.

    Args:
        argv (`Sequence[str]`): The command line, without the program's name.

    Returns:
        [`CrossValidation`].
    """
    args = cross_validation_parser().parse_args(list(argv))
    set_up_logging()
    with exit_on("csr-emotion cross-validate", *BAD_INPUT):
        check_ranges(vars(args))
        # A dev split, where there is one, stays for what is chosen on it.
        data = read_labelled(args, ("train",))
        folder = Path(args.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        found = cross_validate(data, text_vectors(args, data.texts), args.further, seed=args.seed)
        print(save_cross_validation(found, folder, vectors_label(args)))
    print(f"Tables, figure and JSON are in {folder}.")
    return found


__all__ = ["cross_validation_parser", "run_cross_validation"]
